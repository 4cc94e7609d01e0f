"""What auditwheel leaves in a wheel that it makes fit for many distributions of Linux.

Source: PEP 600 for the tags; the names of grafted libraries as auditwheel gives them, with eight digits of a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from samebytes.artifact.layout import ArtifactKind

from ..observations import FieldValues, Libraries, LoneMember, Part, SearchPaths
from .cause import Cause, CauseClues

__all__ = [
    "REPAIRED_WHEEL",
    "are_libraries",
    "are_tags",
    "are_tags_of_repairs",
    "is_left_by_repair",
    "is_member",
    "is_search_path",
    "without_digest",
]

_TAG = re.compile(
    rb"(?P<python>[^-]+-[^-]+)-(?P<system>linux|manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+)_(?P<machine>\w+)"
)
_DIGEST = re.compile(r"-[0-9a-f]{8}(?=[.\w-]*\.so\b)")
_MEMBER = re.compile(r"[^/]+\.libs/(?:[^/]+-[0-9a-f]{8}[^/]*\.so[.\d]*)?|\*\.dist-info/sboms/auditwheel\.cdx\.json")
_VERSION = re.compile(r"(?<=\.so)(\.\d+)[.\d]*\Z")
"""The release of a library: files ask for its first number, and a repair gives them all that the file's name has."""

_SEARCH = re.compile(r"\$ORIGIN(?:/\.\.)*/[\w.-]+\.libs")


def are_tags(left: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """Return whether tags differ only in that one side has plain Linux where the other has manylinux or musllinux."""
    # All tags of a side are of one sort: a wheel may have several of manylinux, but none with plain Linux beside.
    return sorted(_are_plain(left, right), key=str) == [{False}, {True}]


def are_tags_of_repairs(left: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """Return whether tags differ only in which manylinux or musllinux both sides are for."""
    return sorted(left) != sorted(right) and _are_plain(left, right) == [{False}, {False}]


def _are_plain(*sides: Sequence[bytes]) -> list[set[bool]]:
    """Return, for each side, whether its tags are of plain Linux; nothing if they differ in anything else."""
    found = [[match for match in map(_TAG.fullmatch, side) if match] for side in sides]
    machines = [{(match["python"], match["machine"]) for match in side} for side in found]
    if list(map(len, found)) != list(map(len, sides)) or machines[0] != machines[1]:
        return []
    return [{match["system"] == b"linux" for match in side} for side in found]


def is_member(key: str) -> bool:
    """Return whether a member is one that such a repair adds: a library from the system, or the list of those.

    Old releases of auditwheel add the directory for them too, which may be empty; its key ends in a slash.
    """
    return bool(_MEMBER.fullmatch(key))


def is_search_path(path: str) -> bool:
    """Return whether a search path is that of libraries that were added."""
    return bool(path) and all(_SEARCH.fullmatch(part) for part in path.split(":"))


def without_digest(name: str) -> str:
    """Return the *name* of a library without what a repair put into it: digits of a digest, the whole release."""
    return _VERSION.sub(r"\1", _DIGEST.sub("", name))


def are_libraries(left: Iterable[str], right: Iterable[str]) -> bool:
    """Return whether names of libraries differ only in the digests that were put into them, on one side."""
    one, other = sorted(left), sorted(right)
    plain = [sorted(map(without_digest, names)) for names in (one, other)]
    # On one side only: with digests on both, two repairs are compared, and their libraries differ.
    marked = [any(map(_DIGEST.search, names)) for names in (one, other)]
    return one != other and plain[0] == plain[1] and marked[0] != marked[1]


def is_left_by_repair(text: str) -> bool:
    """Return whether a text of .dynstr is one that a repair puts there, or overwrites, as patchelf does."""
    return bool(re.fullmatch("X+", text)) or bool(_DIGEST.search(text)) or is_search_path(text)


def _shows_repair(seen: Part, _: CauseClues) -> bool:
    if isinstance(seen, LoneMember):
        return seen.kind == ArtifactKind.WHEEL and is_member(seen.key)
    if isinstance(seen, FieldValues):
        return seen.field == "tag" and are_tags(seen.left.split(b"\n"), seen.right.split(b"\n"))
    if isinstance(seen, Libraries):
        return are_libraries(*seen.names)
    if isinstance(seen, SearchPaths):
        one, other = seen.paths
        return bool(one) != bool(other) and all(map(is_search_path, (*one, *other)))
    return False


REPAIRED_WHEEL = Cause(
    "D024",
    "repaired-wheel",
    "One wheel is as the backend made it, the other went through a tool that makes it fit for many systems, or through "
    "another release of that.",
    "Compare both before or both after that. For Linux, auditwheel reports what a wheel needs and repairs it:\n\n"
    "    auditwheel repair dist/*.whl\n\nFor equal bytes use the same release of it, in the same image "
    "(manylinux, musllinux).",
    _shows_repair,
)
