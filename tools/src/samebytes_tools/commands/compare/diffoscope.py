"""Members that a comparison knows as bytes only, handed to diffoscope."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Callable

from samebytes.archive.entry import Entry
from samebytes.archive.entry import Kind as EntryKind
from samebytes.artifact.opening import open_archive
from samebytes.errors import OutputError

from ...comparison.model import Comparison, Difference, Kind

Look = Callable[[Path, str, str], Sequence[str]]
"""Gives the lines of a report on two files in a directory, which is private and may be written to."""

NAME = "diffoscope"
"""Of the difference that holds the report."""

_BYTES_ONLY = frozenset({Kind.HEX, Kind.STRINGS})


def deepen(comparison: Comparison, look: Look, tell: Callable[[str], None]) -> Comparison:
    """Return *comparison* with what *look* says below each member that it shows, in whole or part, as bytes only.

    What lies in an archive in the archive is looked at with that archive.

    :param tell: is told the name of each such member before it is looked at.
    :raises OutputError: if there is no room for their contents.
    """
    if not any(map(is_bytes_only, comparison.differences)):
        return comparison
    left, right = Path(comparison.left.path), Path(comparison.right.path)
    with open_archive(left) as one, open_archive(right) as other:
        entries = {entry.name: entry for entry in one.entries}, {entry.name: entry for entry in other.entries}
        deeper = tuple(_deepened(each, entries, look, tell) for each in comparison.differences)
    return replace(comparison, differences=deeper)


def is_bytes_only(difference: Difference) -> bool:
    """Tell whether all or part of a member could be shown as bytes or embedded texts only."""
    return difference.kind is not Kind.CONTAINER and any(node.kind in _BYTES_ONLY for node in difference.walk())


def _deepened(
    difference: Difference,
    entries: tuple[Mapping[str, Entry], Mapping[str, Entry]],
    look: Look,
    tell: Callable[[str], None],
) -> Difference:
    pair = [side.get(difference.name) for side in entries]
    files = [entry for entry in pair if entry is not None and entry.kind is EntryKind.FILE]
    if len(files) != 2 or not is_bytes_only(difference):
        return difference
    tell(difference.name)
    lines = _looked_at(files[0], files[1], look)
    report = Difference(NAME, Kind.TEXT, "what diffoscope says", tuple(lines))
    return replace(difference, children=(*difference.children, report))


def _looked_at(left: Entry, right: Entry, look: Look) -> Sequence[str]:
    """Return the report on two members; the files have their names, by which diffoscope knows their type."""
    name = PurePosixPath(left.name).name
    try:
        with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
            private = Path(directory).resolve()
            sides = [f"{label}/{name}" for label in ("A", "B")]
            for side, entry in zip(sides, (left, right)):
                _extract(entry, private / side)
            return look(private, *sides)
    except OSError as error:
        raise OutputError(
            f"{left.name}: cannot be written to a temporary file: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory with more.",
        ) from error


def _extract(entry: Entry, path: Path) -> None:
    path.parent.mkdir()
    with path.open("wb") as sink:
        for chunk in entry.content.chunks():
            sink.write(chunk)
