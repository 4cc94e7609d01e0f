"""Write docs/reference/command-line.md and the manual page from the command line's parsers.

    python docs/generate_commands.py [--check]

With ``--check`` nothing is written, and the exit status is 1 if one of them is not up to date. The wheel carries the
manual page to ``share/man/man1``. Needs argparse-manpage.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

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

_COUNTS = {None: "{}", "?": "[{}]", "*": "[{} ...]", "+": "{} [{} ...]"}


def commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give the parser of each command, that of the program first."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)


def usage(parser: argparse.ArgumentParser) -> str:
    """Return how a command is called; argparse's own line differs between releases of Python."""
    words = [
        "COMMAND ..."
        if isinstance(action, argparse._SubParsersAction)
        else _COUNTS[action.nargs if isinstance(action.nargs, str) else None].replace("{}", _value(action))
        for action in parser._actions
        if not action.option_strings
    ]
    return " ".join([parser.prog, "[OPTION ...]", *words])


def blocks(epilog: str | None) -> Iterator[tuple[str, str]]:
    """Give the parts of the end of a help text: a heading and lines as they are, or no heading and prose."""
    for block in filter(None, (epilog or "").split("\n\n")):
        first, _, rest = block.partition("\n")
        if first.endswith(":") and rest.startswith("  "):
            yield first[:-1], textwrap.dedent(rest)
        else:
            yield "", block


def reference(top: argparse.ArgumentParser) -> str:
    """Return the page of the reference."""
    return "\n".join([_HEAD, *("\n".join(_section(parser)) for parser in commands(top))])


def _section(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## {parser.prog}", "", "```text", usage(parser), "```", "", parser.description or "", "")
    plain = [action for action in parser._actions if not action.option_strings]
    below = [action for action in plain if isinstance(action, argparse._SubParsersAction)]
    yield from _table("argument", ((_code(_value(each)), _help(parser, each)) for each in plain if each not in below))
    for action in below:
        yield from _table("command", ((_link(parser, row.dest), row.help) for row in action._choices_actions))
    for group in parser._action_groups:
        options = [action for action in group._group_actions if action.option_strings]
        # "optional arguments" before Python 3.10
        title = "options" if group is parser._optionals else group.title or ""
        yield from _table(title, ((_spellings(action), _help(parser, action)) for action in options))
    for heading, text in blocks(parser.epilog):
        yield from ([f"{heading.capitalize()}:", "", "```text", text, "```", ""] if heading else [_prose(text), ""])


def _table(title: str, rows: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    lines = [f"| {left} | {_prose(right or '').replace('|', chr(92) + '|')} |" for left, right in rows]
    yield from ([f"| {title} | |", "|---|---|", *lines, ""] if lines else [])


def _link(parser: argparse.ArgumentParser, command: str) -> str:
    return f"[{command}](#{parser.prog.replace(' ', '-')}-{command})"


def _spellings(action: argparse.Action) -> str:
    *others, last = action.option_strings
    shown = last if action.nargs == 0 else f"{last} {_value(action)}"
    return ", ".join([*(f"`{flag}`" for flag in others), _code(shown)])


def _value(action: argparse.Action) -> str:
    choices = "|".join(map(str, action.choices or ()))
    return str(action.metavar or choices or (action.dest.upper() if action.option_strings else action.dest))


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": parser.prog}


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _prose(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", text)


def manual(top: argparse.ArgumentParser, version: str) -> str:
    """Return the manual page, in the man(7) macros; it depends on nothing but its arguments, of which *top* is changed.

    argparse-manpage leaves out the ends of help texts (examples, statuses), so they are given to it as descriptions.
    """
    from argparse_manpage.manpage import Manpage

    ends = dict(blocks(top.epilog))
    below = [parser for parser in commands(top) if parser is not top]
    for parser in below:
        parser.usage = usage(parser)
        parser.description = "\n\n".join([parser.description or "", *map(_end, blocks(parser.epilog))])
    name, _, text = (top.description or "").partition("\n\n")
    top.description, top.epilog = f"{text}\n\n{ends['']}", None
    page = Manpage(
        top,
        format="single-commands-section",
        _data={"version": version, "manual_title": "User Commands", "description": name.rstrip(".")},
    )
    page.date = ""  # or two days gave two pages
    calls = (usage(parser)[len(parser.prog) :] for parser in below if parser._subparsers is None)
    names = (parser.prog for parser in below if parser._subparsers is None)
    page.add_section("synopsis", "=", "\n.br\n".join(f".B {name}\n{call.strip()}" for name, call in zip(names, calls)))
    page.add_section("exit status", "=", _listed(line.split(None, 1) for line in ends["exit status"].splitlines()))
    page.add_section("environment", "=", _listed(ENVIRONMENT.items()))
    page.add_section("examples", "=", _examples(ends["examples"]))
    page.add_section("see also", "=", ".BR diffoscope (1),\n.BR pip (1),\n.BR pyproject\\-build (1)")
    return _as_roff_wants_it(str(page))


def _end(block: tuple[str, str]) -> str:
    # The meanings of statuses stand once, at the end of the page.
    heading, text = block
    if heading == "exit status":
        return f"Exit status: {', '.join(line.split(None, 1)[0] for line in text.splitlines())}."
    return f"{heading.capitalize()}:\n{_examples(text)}\n.PP" if heading else text


def _examples(text: str) -> str:
    """Return a list of commands with what they are for, which stands after two spaces or below."""
    rows = re.sub(r"^(\S.*?)(?:  +(.*))?$", r".TP\n.B \1\n\2", text, flags=re.MULTILINE)
    return "\n".join(filter(None, map(str.strip, rows.splitlines())))


def _listed(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(f".TP\n.B {name}\n{text}" for name, text in rows)


_CHARACTERS = str.maketrans({"'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"})
"""Characters that roff shows as other ones, or takes for the beginning of a request (groff_char(7))."""


def _as_roff_wants_it(page: str) -> str:
    """Return *page* with lines of prose that are not too long, and each character shown as it is."""
    lines = ['.\\" Written by docs/generate_commands.py from the parsers. Do not edit it by hand.']
    page = page.replace("\n.SH SYNOPSIS", "\n.nh\n.SH SYNOPSIS")  # words that are to be typed are not hyphenated
    for line in re.sub(r"(\n\.PP)?\n{2,}", lambda found: f"{found[1] or chr(10)}\n", page).splitlines():
        if line.startswith((".", "\\f")):
            lines.append(line if line.startswith(".TH") else line.translate(_CHARACTERS))
        else:
            wrapped = textwrap.wrap(line.translate(_CHARACTERS), 78, break_long_words=False, break_on_hyphens=False)
            lines += wrapped or [""]
    return "\n".join([*lines, ""])


def texts() -> dict[Path, str]:
    """Return what both files should hold."""
    from samebytes import __version__
    from samebytes.commands.main import parser

    return {REFERENCE: reference(parser()), MANUAL: manual(parser(), __version__)}


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools" / "src")]
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
