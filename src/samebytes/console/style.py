"""Text for people: colour where it is wanted, and nothing that an archive's names could do to a terminal."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """How text is shown; a named tuple, for importing dataclasses would cost every command 10 ms."""

    colour: bool = False
    width: int = 80
    """Columns; only what has no meaning of its own, such as progress, is cut to it."""

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def good(self, text: str) -> str:
        return self._wrap("32", text)

    def notable(self, text: str) -> str:
        return self._wrap("33", text)

    def bad(self, text: str) -> str:
        return self._wrap("31;1", text)

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()


def harmless(text: str) -> str:
    """Return *text* with all that is not printable escaped: control characters, surrogates, directional marks."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return no_command(text)


def no_command(line: str) -> str:
    """Return *line* as what is no command to GitHub's runner that shows it: ``::`` first, or ``##[`` anywhere."""
    return (line.replace(":", "\\x3a", 1) if line.lstrip().startswith("::") else line).replace("##[", "#\\x23[")


def indented(text: str) -> str:
    """Return *text* harmless, its line breaks kept and what follows them indented alike."""
    return "\n    ".join(harmless(line.strip()) for line in text.splitlines())


def error_lines(message: str, remedy: str, style: Style, what: str = "error") -> list[str]:
    """Return the lines that report an error: what and where it is, then what to do."""
    lines = [f"samebytes: {style.bad(what)}: {indented(message)}"]
    return [*lines, f"  {style.bold('hint')}: {indented(remedy)}"] if remedy else lines


def shortened(text: str, width: int) -> str:
    """Return *text* cut in its middle to at most *width* characters."""
    if len(text) <= width:
        return text
    if width < 5:
        return text[: max(width, 0)]
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"
