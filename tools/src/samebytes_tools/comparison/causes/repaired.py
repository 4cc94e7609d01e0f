"""What auditwheel leaves in a wheel that it makes fit for many distributions of Linux.

Source: PEP 600 for the tags; the names of grafted libraries as auditwheel gives them, with eight digits of a digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from samebytes.artifact.layout import ArtifactKind

from ..observations import FieldValues, Libraries, LoneMember, Part, SearchPaths
from .cause import Cause, CauseClues

__all__ = ["REPAIRED_WHEEL", "are_libraries", "are_tags", "is_member", "is_search_path"]

_TAG = re.compile(
    rb"(?P<python>[^-]+-[^-]+)-(?P<system>linux|manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+)_(?P<machine>\w+)"
)
_DIGEST = re.compile(r"-[0-9a-f]{8}(?=[.\w-]*\.so\b)")
_MEMBER = re.compile(r"[^/]+\.libs/[^/]+-[0-9a-f]{8}[^/]*\.so[.\d]*|\*\.dist-info/sboms/auditwheel\.cdx\.json")
_SEARCH = re.compile(r"\$ORIGIN(?:/\.\.)*/[\w.-]+\.libs")


def are_tags(left: Sequence[bytes], right: Sequence[bytes]) -> bool:
    """Return whether tags differ only in that one side has plain Linux where the other has manylinux or musllinux."""
    sides = [[_TAG.fullmatch(tag) for tag in side] for side in (left, right)]
    machines: list[set[tuple[bytes, bytes]]] = []
    plain: list[set[bool]] = []
    for side in sides:
        found = [match for match in side if match is not None]
        if len(found) < len(side):
            return False
        machines.append({(match["python"], match["machine"]) for match in found})
        plain.append({match["system"] == b"linux" for match in found})
    # All tags of a side are of one sort: a wheel may have several of manylinux, but none with plain Linux beside.
    return machines[0] == machines[1] and sorted(plain, key=str) == [{False}, {True}]


def is_member(key: str) -> bool:
    """Return whether a member is one that such a repair adds: a library from the system, or the list of those."""
    return bool(_MEMBER.fullmatch(key))


def is_search_path(path: str) -> bool:
    """Return whether a search path is that of libraries that were added."""
    return bool(path) and all(_SEARCH.fullmatch(part) for part in path.split(":"))


def are_libraries(left: Iterable[str], right: Iterable[str]) -> bool:
    """Return whether names of libraries differ only in the digests that were put into them, on one side."""
    one, other = sorted(left), sorted(right)
    plain = [sorted(_DIGEST.sub("", name) for name in names) for names in (one, other)]
    # On one side only: with digests on both, two repairs are compared, and their libraries differ.
    return one != other and plain[0] == plain[1] and (plain[0] == one or plain[1] == other)


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
    "One wheel is as the backend made it, the other went through a tool that makes it fit for many systems.",
    "Compare both before or both after that. For Linux, auditwheel reports what a wheel needs and repairs it:\n\n"
    "    auditwheel repair dist/*.whl\n\nFor equal bytes use the same release of it, in the same image "
    "(manylinux, musllinux).",
    _shows_repair,
)
