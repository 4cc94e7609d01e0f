"""Scripts that installers generate from entry points: every wording of them, and the one that is written.

Source: https://packaging.python.org/en/latest/specifications/entry-points/, "Use for scripts". Every installer has a
wording of its own, so the same wheel gives other bytes by pip, uv and the installer library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from samebytes.errors import UsageError

# Extras behind the object ("[x]") are read and ignored, as the specification allows.
_VALUE = r"(?P<module>[\w.]+)\s*:\s*(?P<attribute>[\w.]+)\s*(?:\[[^\]]*\]\s*)?"
_GROUPS = {"console_scripts": False, "gui_scripts": True}

_LONGEST_LINE = 127
"""Bytes that every kernel takes as a script's first line: Linux cut it off there until 5.1."""

_TEXT = """\
# -*- coding: utf-8 -*-
import re
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])
    sys.exit({attribute}())
"""

# Lines that some installers write and others do not, to the same effect.
_WITHOUT_EFFECT = ("# -*- coding: utf-8 -*-", "import re", "")
_CLEANINGS = (
    (),
    ('    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])',),
    ('    sys.argv[0] = re.sub(r"(-script\\.pyw?|\\.exe)?$", "", sys.argv[0])',),
    ('    sys.argv[0] = sys.argv[0].removesuffix(".exe")',),
    (
        '    if sys.argv[0].endswith("-script.pyw"):',
        "        sys.argv[0] = sys.argv[0][:-11]",
        '    elif sys.argv[0].endswith(".exe"):',
        "        sys.argv[0] = sys.argv[0][:-4]",
    ),
)
"""How the name that the program sees is cleaned: by pip, distlib and installer, older pip, newer pip, uv."""

# A first line for the kernel, or one for the shell, which then runs Python; to Python it is a string.
_HEAD = r"#!/bin/sh\n'''exec' (?s:.*?)\n' '''\n|#!.*\n"

_SPLIT = re.compile(rb"[\s#]|coding[:=]")
"""What in a path leads a first line astray.

Kernels end the path at a blank, a tab, a line end, macOS' at ``#`` too; Python ends a comment at a carriage return, and
takes ``coding=`` in one for the script's encoding (PEP 263).
"""


class EntryPoint(NamedTuple):
    """A command that a distribution offers."""

    name: str
    module: str
    attribute: str
    """Dotted; what is called."""
    gui: bool = False


def entry_points(text: str) -> Iterator[EntryPoint]:
    """Yield the commands of an ``entry_points.txt``, whose other groups do not count.

    :raises ValueError: if it cannot be read, installers read it differently, or a command cannot be called.
    """
    import configparser

    pairs = list(_pairs(text))
    parser = configparser.RawConfigParser(delimiters=("=",), default_section="", interpolation=None)
    # configparser lowers names by default, and commands keep their case.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(" ".join(str(error).split())) from error
    for group, gui in _GROUPS.items():
        items = list(parser.items(group)) if parser.has_section(group) else []
        # configparser joins continuation lines and drops ";" comments; importlib.metadata does neither.
        if items != [(name, value) for section, name, value in pairs if section == group]:
            raise ValueError(f"installers do not read the same commands in [{group}]")
        for name, value in items:
            match = re.fullmatch(_VALUE, value)
            if match is None or not _is_dotted(match["module"]) or not _is_dotted(match["attribute"]):
                raise ValueError(f"the command {name!r} points at {value!r}, which cannot be called")
            if not _is_file_name(name):
                raise ValueError(f"the command {name!r} cannot be called: no file can have that name everywhere")
            yield EntryPoint(name, match["module"], match["attribute"], gui)


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value, read as importlib.metadata does since Python 3.10; before, configparser did it."""
    section = ""
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            if section == "DEFAULT":
                raise ValueError("its group [DEFAULT] counts for all groups, to Python before 3.10")
            continue
        name, separator, value = line.partition("=")
        if not separator:
            raise ValueError(f"line {number} has no '=' in it: {line[:80]!r}")
        if "%" in value:
            raise ValueError(f"line {number} has a '%' in its value, which is a reference to Python before 3.10")
        yield section, name.strip(), value.strip()


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _is_file_name(name: str) -> bool:
    """Return whether a file can have *name* on every system: no separator, blank, control character or NTFS stream."""
    return name.strip(".") != "" and re.search(r'[/\\:*?"<>|\s]', name) is None and name.isprintable()


def first_lines(executable: str) -> bytes:
    """Return how a script begins that *executable* is to run.

    A path with a blank, or too long for a kernel, is called by way of the shell, as all installers do.

    :raises UsageError: if no script can name that path.
    """
    try:
        raw = executable.encode()
    except UnicodeEncodeError:
        raise _unnameable(executable, "is not UTF-8, as the text of a script has to be") from None
    if not _SPLIT.search(raw) and len(raw) + 3 <= _LONGEST_LINE:
        return b"#!%b\n" % raw
    if b"\\" in raw:
        raise _unnameable(executable, "has a backslash, and a blank or the like or many letters, in its path")
    import shlex

    # To the shell, '' and 'exec' are one word; to Python, ''' begins a string that ends on the second line.
    return b"#!/bin/sh\n'''exec' %b \"$0\" \"$@\"\n' '''\n" % shlex.quote(executable).encode()


def _unnameable(executable: str, why: str) -> UsageError:
    return UsageError(
        f"{executable!r}: no script can be run by it: it {why}",
        remedy="Name an interpreter, or an environment, with a plain path.",
    )


def script(head: bytes, entry: EntryPoint) -> bytes:
    """Return the script of *entry*, whose first lines are *head*."""
    return head + _TEXT.format(module=entry.module, name=_imported(entry), attribute=entry.attribute).encode()


def head_of(data: bytes) -> tuple[bytes, str, str] | None:
    """Return the first lines of a script, the interpreter that they name, and what it gets besides the script.

    None if *data* is not a script, or its first lines are none that an installer writes.
    """
    import shlex

    match = re.match(_HEAD.encode(), data)
    if match is None:
        return None
    try:
        text = match[0].decode("utf-8")
        if not text.startswith("#!/bin/sh\n"):
            executable, _, arguments = text[2:].strip().partition(" ")
            return match[0], executable, arguments
        words = shlex.split(text.splitlines()[1])
    except ValueError:  # another encoding, or quotes that do not end
        return None
    # To the shell, the first word is exec.
    return (match[0], words[1], "") if len(words) > 1 else None


def generated_head(data: bytes, entry: EntryPoint) -> bytes | None:
    """Return the first lines of *data* if the rest of it is what some installer generates for *entry*; else None."""
    try:
        # Installers on Windows write text files.
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    match = re.match(_HEAD, text)
    if match is None:
        return None
    # uv and pip quote differently; no wording has both quotes in one line.
    lines = [line.replace("'", '"') for line in text[match.end() :].split("\n") if line not in _WITHOUT_EFFECT]
    frame = [
        "import sys",
        f"from {entry.module} import {_imported(entry)}",
        'if __name__ == "__main__":',
        f"    sys.exit({entry.attribute}())",
    ]
    same = lines[:3] == frame[:3] and lines[-1:] == frame[3:] and tuple(lines[3:-1]) in _CLEANINGS
    return match[0].encode() if same else None


def _imported(entry: EntryPoint) -> str:
    return entry.attribute.partition(".")[0]
