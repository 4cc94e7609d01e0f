"""What two files differ in on purpose, by their own names: the release, and what a wheel is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from samebytes.artifact.layout import ArtifactKind, parse_wheel_name
from samebytes.errors import ArchiveError

__all__ = ["notes_on"]


def notes_on(left: Path, right: Path, kind: ArtifactKind) -> Iterator[str]:
    """Give a line for what two archives of one *kind* are not meant to have in common."""
    targets: list[str] = []
    try:
        if kind == ArtifactKind.WHEEL:
            one, other = (parse_wheel_filename(path.name)[1] for path in (left, right))
            targets = [parse_wheel_name(path.name).tags for path in (left, right)]
        else:
            one, other = (parse_sdist_filename(path.name)[1] for path in (left, right))
    except (ArchiveError, InvalidSdistFilename, InvalidWheelFilename):
        return
    if one != other:
        yield f"they are two releases, {one} and {other}: most of what differs may be in their sources"
    if len(set(targets)) > 1:
        yield f"they are for {' and for '.join(targets)}: tags, compiled files and the names of these differ by that"
