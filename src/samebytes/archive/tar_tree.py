"""What the members of an sdist must be together: one tree under one directory, with no way out of it (PEP 625, 721)."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ArchiveError
from . import limits
from .entry import Entry, Kind

_SHOWN = 5


def check_tree(archive: str, entries: Sequence[Entry]) -> None:
    """Refuse *entries* that are not one tree.

    :raises ArchiveError: unless there is exactly one top-level directory, and nothing beside it.
    :raises HostileArchiveError: if a name has two natures, or a link leads out of the top-level directory.
    """
    _check_top(archive, entries)
    leaves = {entry.name for entry in entries if entry.kind is not Kind.DIRECTORY}
    for entry in entries:
        if entry.kind is Kind.DIRECTORY and entry.name in leaves:
            raise limits.hostile(archive, entry.name, "it is both a directory and a file or link")
    for name, leaf in limits.beneath_files(leaves, (entry.name for entry in entries)):
        raise limits.hostile(archive, name, f"it lies beneath {leaf!r}, which is a file or link")
    _check_links(archive, entries)


def _check_top(archive: str, entries: Sequence[Entry]) -> None:
    loose = [entry.name for entry in entries if "/" not in entry.name and entry.kind is not Kind.DIRECTORY]
    tops = sorted({entry.name.partition("/")[0] for entry in entries})
    if not loose and len(tops) == 1:
        return
    if loose:
        found = f"{_some(loose)} at its top level"
    elif tops:
        found = f"{len(tops)} of them: {_some(tops)}"
    else:
        found = "no member at all"
    raise ArchiveError(
        f"{archive}: a source distribution holds one top-level directory and nothing beside it; this one has {found}",
        remedy="Pack the sources in one directory, {name}-{version}, as 'python -m build --sdist' does.",
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _check_links(archive: str, entries: Sequence[Entry]) -> None:
    links = {entry.name: entry.target for entry in entries if entry.kind is Kind.SYMLINK}
    for entry in entries:
        if entry.kind is not Kind.SYMLINK:
            continue
        # Of a link given twice the last counts, but the earlier one may not escape either.
        seen = links if links[entry.name] == entry.target else {**links, entry.name: entry.target}
        limits.check_link(archive, entry.name, seen)
