"""How equal are two archives, the archives in two directories, pair by pair, or two trees of installed packages?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samebytes.commands.normalize.normalize import SUFFIXES
from samebytes.errors import ArchiveError, SamebytesError, UsageError

from ...comparison.archives import compare_files
from ...comparison.exclusion import Exclusion
from ...comparison.model import UNKNOWN_BUILDS, Comparison, KnownBuilds
from .trees import compare_trees

__all__ = ["ComparedPair", "PairResult", "compare", "compare_pair", "plan"]


@dataclass(frozen=True)
class ComparedPair:
    """Two archives or trees to compare; one is None where only the other directory has a file of that name."""

    name: str
    left: Path | None
    right: Path | None


@dataclass(frozen=True)
class PairResult:
    """What became of one pair: a comparison, or an error, or neither where one side is missing."""

    pair: ComparedPair
    comparison: Comparison | None = None
    error: SamebytesError | None = None


def plan(left: Path, right: Path) -> tuple[ComparedPair, ...]:
    """Return what there is to compare: two files, or the wheels and sdists in two directories by their names.

    Two directories without any are trees of installed packages, and one pair. Of a file and a directory, the file of
    that name in the directory is compared.

    :raises UsageError: if a path is missing, or nothing is in either directory.
    :raises ArchiveError: if a directory cannot be read.
    """
    for path in (left, right):
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or directory", remedy="Check the path.")
    if left.is_dir() and right.is_dir():
        return _by_name(left, right)
    if left.is_dir() or right.is_dir():
        name = (right if left.is_dir() else left).name
        left, right = (path / name if path.is_dir() else path for path in (left, right))
        # Again, for that path may be missing or a directory.
        return plan(left, right)
    return (_pair(left, right),)


def _pair(left: Path, right: Path) -> ComparedPair:
    return ComparedPair(left.name if left.name == right.name else f"{left.name} and {right.name}", left, right)


def _by_name(left: Path, right: Path) -> tuple[ComparedPair, ...]:
    sides = _archives(left), _archives(right)
    if not sides[0] and not sides[1]:
        if not any(any(side.iterdir()) for side in (left, right)):
            raise UsageError(
                f"{left} and {right}: there is nothing in either",
                remedy="Give two files, two directories such as dist/ with what was built, or two trees of packages.",
            )
        return (_pair(left, right),)
    return tuple(ComparedPair(name, sides[0].get(name), sides[1].get(name)) for name in sorted({*sides[0], *sides[1]}))


def _archives(directory: Path) -> dict[str, Path]:
    try:
        return {path.name: path for path in directory.iterdir() if path.name.endswith(SUFFIXES) and path.is_file()}
    except OSError as error:
        raise ArchiveError(
            f"{directory}: cannot be read: {error.strerror or error}", remedy="Check its permissions."
        ) from error


def compare(
    left: Path, right: Path, builds: KnownBuilds = UNKNOWN_BUILDS, exclusion: Exclusion | None = None
) -> Iterator[PairResult]:
    """Compare two archives, two trees, or the archives of two directories; yield a result for each pair, by its name.

    Errors with one pair are its result, and the others go on. *builds* are what is known of where each came from.
    Members that *exclusion* matches are left out.

    :raises UsageError: if there is nothing to compare.
    """
    for pair in plan(left, right):
        yield compare_pair(pair, builds, exclusion)


def compare_pair(
    pair: ComparedPair, builds: KnownBuilds = UNKNOWN_BUILDS, exclusion: Exclusion | None = None
) -> PairResult:
    """Compare the two archives or trees of *pair*; what is wrong with one of them is the result."""
    if pair.left is None or pair.right is None:
        return PairResult(pair)
    how = compare_trees if pair.left.is_dir() else compare_files
    try:
        return PairResult(pair, how(pair.left, pair.right, builds, exclusion=exclusion))
    except SamebytesError as error:
        return PairResult(pair, error=error)
    except OSError as error:
        path = error.filename or pair.name
        reading = ArchiveError(f"{path}: cannot be read: {error.strerror or error}", remedy="Check its permissions.")
        return PairResult(pair, error=reading)
