"""What two files differ in on purpose, by their own names: the release, and what a wheel is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from samebytes.artifact.layout import ArtifactKind

__all__ = ["notes_on"]


def notes_on(left: Path, right: Path, kind: ArtifactKind) -> Iterator[str]:
    """Give a line for what two archives of one *kind* are not meant to have in common."""
    try:
        if kind == ArtifactKind.WHEEL:
            one, other = (parse_wheel_filename(path.name)[1] for path in (left, right))
        else:
            one, other = (parse_sdist_filename(path.name)[1] for path in (left, right))
    except (InvalidSdistFilename, InvalidWheelFilename):
        return
    if one != other:
        yield f"they are two releases, {one} and {other}: most of what differs may be in their sources"
    targets = [_target(path) for path in (left, right)]
    if kind == ArtifactKind.WHEEL and targets[0] != targets[1]:
        yield f"they are for {' and for '.join(targets)}: tags, compiled files and the names of these differ by that"


def _target(path: Path) -> str:
    """Return a wheel's tags as they stand in its name (binary distribution format, "File name convention")."""
    return "-".join(path.stem.split("-")[-3:])
