"""The own path of a virtual environment in its files: which have it, and another in its place.

``venv``, virtualenv and uv write it into ``activate`` in each shell's language, ``venv`` into ``pyvenv.cfg``, and every
installer into the first lines of scripts. (PEP 405 has only ``pyvenv.cfg``; the rest is as these tools do it.)
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator

from samebytes.errors import UsageError

from . import scripts
from .installed import SCRIPT_DIRECTORIES
from .plan import Plan

_ACTIVATE = re.compile(r"activate(\..+|_this\.py)?")
_OWN = re.compile(rb"""\bVIRTUAL_ENV\s*=?\s*(?:\$\(cygpath )?["']?(/[^"'\n)]+)""", re.IGNORECASE)
"""How ``activate`` names the environment, for every shell whose words are near enough to these."""
_PROMPT = re.compile(rb"prompt|PS1|set_color", re.IGNORECASE)
_LARGEST = 1 << 20
"""Bytes of what may be a script: others with such a first line have a program behind it."""
_SHOWN = 3


def plan_paths(plan: Plan, final: str, *, relocate: bool) -> None:
    """Plan to have the path *final* wherever a virtual environment has its own; or note where it has that.

    :param relocate: whether to change anything.
    :raises UsageError: if shells would read *final* as something else than a path.
    :raises ArchiveError: if a file cannot be read.
    """
    if plan.file("pyvenv.cfg") is None:
        return
    olds = sorted(_own_paths(plan) - {final}, key=len, reverse=True) if relocate else sorted(_own_paths(plan))
    if relocate and olds and re.search(r"""["'`$\\!\n\r]""", final):
        raise UsageError(
            f"--layout: {final!r} cannot be written into activate, for shells read some of its characters otherwise",
            remedy="Name a plain path.",
        )
    having = []
    for name, data, changed in _files(plan, olds, final):
        if changed == data:
            continue
        having.append(name)
        if relocate:
            plan.write("venv-path", name, changed, f"its path is {final}")
    if not relocate:
        having = [name for name, data in _texts(plan) if any(old.encode() in data for old in olds)]
    if having and not relocate:
        shown = ", ".join(having[:_SHOWN]) + (f" and {len(having) - _SHOWN} more" if len(having) > _SHOWN else "")
        where = f"{shown} {'has' if len(having) == 1 else 'have'} the environment's own path"
        plan.note("venv-path", ".", f"{where}; --layout writes another in its place")


def _own_paths(plan: Plan) -> set[str]:
    """Return the paths that the environment has, or has had when it was made."""
    found = {os.path.abspath(plan.root), os.path.realpath(plan.root)}  # noqa: PTH100 - Path.resolve follows links
    for name in plan.nodes:
        directory, last = posixpath.split(name)
        if directory in SCRIPT_DIRECTORIES and last == "activate" and plan.file(name) is not None:
            found |= {os.fsdecode(path) for path in _OWN.findall(plan.read(name))}
    return found


def _texts(plan: Plan) -> Iterator[tuple[str, bytes]]:
    """Yield the files that may have the path, with what they will hold."""
    for name in sorted(plan.nodes):
        directory, last = posixpath.split(name)
        node = plan.file(name)
        if node is None or name in plan.removed or node.stat.st_size > _LARGEST:
            continue
        if name == "pyvenv.cfg" or directory in SCRIPT_DIRECTORIES:
            data = plan.writes[name] if name in plan.writes else plan.read(name)
            if name == "pyvenv.cfg" or _ACTIVATE.fullmatch(last) or data.startswith(b"#!"):
                yield name, data


def _files(plan: Plan, olds: Iterable[str], final: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield names and contents, as they are and with the path *final* in place of *olds*."""
    for name, data in _texts(plan):
        changed = data
        for old in olds:
            is_script = name != "pyvenv.cfg" and not _ACTIVATE.fullmatch(posixpath.basename(name))
            changed = _script(changed, old, final) if is_script else _text(changed, old, final)
        yield name, data, changed


def _text(data: bytes, old: str, final: str) -> bytes:
    """Return a text with another path, and another prompt where that is the last part of it."""
    before, after = os.fsencode(old), os.fsencode(final)
    # Not where it goes on: /a is not the beginning of /ab.
    changed = re.sub(rb"(?<![\w./-])%b(?![\w.-])" % re.escape(before), lambda _: after, data)
    if changed == data:
        return data
    name = re.escape(posixpath.basename(before.rstrip(b"/")))
    prompt = re.compile(rb"""(?<=["'(])%b(?=["')])""" % name)
    last = posixpath.basename(after.rstrip(b"/"))
    lines = changed.splitlines(keepends=True)
    return b"".join(prompt.sub(lambda _: last, line) if _PROMPT.search(line) else line for line in lines)


def _script(data: bytes, old: str, final: str) -> bytes:
    """Return a script whose first lines name the interpreter of another place."""
    found = scripts.head_of(data)
    if found is None:
        return data
    head, executable, arguments = found
    if not executable.startswith(f"{old}/"):
        return data
    moved = final.rstrip("/") + executable[len(old) :]
    first = f"#!{moved} {arguments}\n".encode() if arguments else scripts.first_lines(moved)
    return first + data[len(head) :]
