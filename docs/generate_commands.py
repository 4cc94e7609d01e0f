"""Write docs/reference/command-line.md and the manual page from the command line's parsers.

    python docs/generate_commands.py [--check]

With ``--check`` nothing is written, and the exit status is 1 if one of them is not up to date. The wheel carries the
manual page to ``share/man/man1``.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samebytes_tools.commands.completion.described import Command, Option

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference" / "command-line.md"
MANUAL = ROOT / "data" / "share" / "man" / "man1" / "samebytes.1"

_HEAD = """\
# Command line

<!-- Written by docs/generate_commands.py from the parsers. Do not edit it by hand. -->

What `samebytes --help` and `samebytes COMMAND --help` say, on one page. The manual page `samebytes(1)` has the same.
An option's value follows as the next word, or after `=`. Options may stand anywhere; what comes after `--` is none.
"""

ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "The date of everything that is written, in seconds since 1970-01-01 UTC.",
    "NO_COLOR": "No colours, if it is not empty. It is stronger than FORCE_COLOR.",
    "FORCE_COLOR": "Colours, also where the output is no terminal, if it is not empty.",
    "COLUMNS": "How wide lines may be.",
    "TMPDIR": "Where temporary files go.",
}
"""What everybody may want to set; the reference has all."""


def blocks(epilog: str) -> Iterator[tuple[str, str]]:
    """Give the parts of the end of a help text: a heading and lines as they are, or no heading and prose."""
    for block in filter(None, epilog.split("\n\n")):
        first, _, rest = block.partition("\n")
        if first.endswith(":") and rest.startswith("  "):
            yield first[:-1], textwrap.dedent(rest)
        else:
            yield "", block


def reference(top: Command) -> str:
    """Return the page of the reference."""
    return "\n".join([_HEAD, *("\n".join(_section(command)) for command in top.walk())])


def _section(command: Command) -> Iterator[str]:
    yield from (f"## {command.name}", "", "```text", command.usage, "```", "", command.description, "")
    if command.arguments:
        yield from ("| argument | |", "|---|---|")
        yield from (f"| {_code(one.metavar)} | {_cell(one.help)} |" for one in command.arguments)
        yield ""
    if command.commands:
        yield from ("| command | |", "|---|---|")
        yield from (
            f"| [{one.words[-1]}](#{one.name.replace(' ', '-')}) | {_cell(one.help)} |" for one in command.commands
        )
        yield ""
    for group in command.groups:
        yield from (f"| {group.title} | |", "|---|---|")
        yield from (f"| {_spellings(option)} | {_cell(option.help)} |" for option in group.options)
        yield ""
    for heading, text in blocks(command.epilog):
        yield from ([f"{heading.capitalize()}:", "", "```text", text, "```", ""] if heading else [_prose(text), ""])


def _spellings(option: Option) -> str:
    *others, last = option.flags
    return ", ".join([*(f"`{flag}`" for flag in others), _code(" ".join(filter(None, [last, option.metavar])))])


def _code(text: str) -> str:
    return f"`{_cell_bars(text)}`"


def _cell(text: str) -> str:
    return _cell_bars(re.sub(r"([\\`*_<>\[\]])", r"\\\1", text))


def _cell_bars(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", text)


def manual(top: Command, version: str) -> str:
    """Return the manual page, in the man(7) macros; it depends on nothing but its arguments."""
    lines = [
        '.\\" Written by docs/generate_commands.py from the parsers. Do not edit it by hand.',
        f'.TH SAMEBYTES 1 "" "samebytes {version}" "User Commands"',
        *(".SH NAME", "samebytes \\- Python packages whose bytes anyone can reproduce"),
        ".nh",
        ".SH SYNOPSIS",
        *_synopsis(top),
        *(".SH DESCRIPTION", *_paragraphs(top.description.partition("\n\n")[2])),
        ".SH OPTIONS",
        *(line for option in top.options for line in _option(option)),
        ".SH COMMANDS",
        *(line for command in top.walk() if command.words for line in _command(command)),
        ".SH EXIT STATUS",
        *(line for number, meaning in _statuses(top) for line in (".TP", f".B {number}", *_filled(meaning))),
        ".SH ENVIRONMENT",
        *(line for name, text in ENVIRONMENT.items() for line in (".TP", f".B {_roff(name)}", *_filled(text))),
        ".SH EXAMPLES",
        *_listed(dict(blocks(top.epilog))["examples"]),
        ".SH SEE ALSO",
        *(".BR diffoscope (1),", ".BR pip (1),", ".BR pyproject\\-build (1)"),
    ]
    return "\n".join([*lines, ""])


def _statuses(top: Command) -> Iterator[tuple[str, str]]:
    for line in dict(blocks(top.epilog))["exit status"].splitlines():
        number, _, meaning = line.partition(" ")
        yield number, meaning.strip()


def _synopsis(top: Command) -> Iterator[str]:
    for number, command in enumerate(one for one in top.walk() if not one.commands):
        yield from ([".br"] if number else [])
        yield from (f".B {_roff(command.name)}", _roff(command.usage[len(command.name) + 1 :]))


def _command(command: Command) -> Iterator[str]:
    yield from (f".SS {_roff(command.usage)}", *_paragraphs(command.description))
    for argument in command.arguments:
        yield from (".TP", f".I {_roff(argument.metavar)}", *_filled(argument.help))
    for group in command.groups:
        if group.title not in ("options", "commands"):
            yield from (".PP", f"{_roff(group.title.capitalize())}:")
        yield from (line for option in group.options if "--help" not in option.flags for line in _option(option))
    for heading, text in blocks(command.epilog):
        if heading == "exit status":
            numbers = ", ".join(line.split(None, 1)[0] for line in text.splitlines())
            yield from _paragraphs(f"Exit status: {numbers}.", ".PP")
        elif heading:
            yield from (".PP", f"{_roff(heading.capitalize())}:", *_listed(text))
        else:
            yield from _paragraphs(text, ".PP")


def _option(option: Option) -> Iterator[str]:
    spelt = ", ".join(f"\\fB{_roff(flag)}\\fR" for flag in option.flags)
    yield from (".TP", f"{spelt} \\fI{_roff(option.metavar)}\\fR" if option.metavar else spelt)
    yield from _filled(option.help)


def _paragraphs(text: str, first: str = "") -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        yield from ([".PP"] if number or first else [])
        yield from _filled(paragraph)


def _filled(text: str) -> list[str]:
    return [_roff(line) for line in textwrap.wrap(text, 70, break_long_words=False, break_on_hyphens=False)]


def _listed(text: str) -> Iterator[str]:
    """Give a list of commands with what they are for, which stands after two spaces or below."""
    for line in text.splitlines():
        shown, _, said = ("", "", line) if line.startswith(" ") else line.partition("  ")
        if shown:
            yield from (".TP" if said else ".PP", f".B {_roff(shown)}")
        yield from _filled(said.strip())


def _roff(text: str) -> str:
    """Return *text* so that roff shows each character of it as it is (groff_char(7))."""
    special = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
    escaped = "".join(special.get(character, character) for character in text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def texts() -> dict[Path, str]:
    """Return what both files should hold."""
    from samebytes_tools.commands.completion.described import described

    from samebytes import __version__
    from samebytes.commands.main import parser

    top = described(parser())
    return {REFERENCE: reference(top), MANUAL: manual(top, __version__)}


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    wanted = texts()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(ROOT)} is not up to date: run python docs/generate_commands.py", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path].encode())
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
