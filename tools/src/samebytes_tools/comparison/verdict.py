"""How equal two archives are: what the normalizer would make of them, and what they deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from samebytes.archive.entry import Content, Entry, Kind, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.passes.container import executable

from .container import planted
from .contents import Contents, digests_of
from .formats import metadata
from .model import Verdict
from .opened import RECORD, SIGNATURES, Opened
from .records import ReadRecord, mismatches

__all__ = ["after_passes", "verdict"]

LARGEST_MEANING = 16 << 20
"""Bytes of a file whose meaning is compared where its bytes differ."""

_MEANINGS: dict[str, Callable[[bytes, bytes], bool]] = {
    "METADATA": metadata.same_metadata,
    "PKG-INFO": metadata.same_metadata,
    "WHEEL": metadata.same_wheel_file,
    "entry_points.txt": metadata.same_entry_points,
}


def after_passes(left: Opened, right: Opened, read: Contents) -> dict[str, bool]:
    """Return, for each key of a file that both sides have, whether the passes leave it equal contents."""
    found = {}
    for key, one in left.normal.items():
        other = right.normal.get(key)
        if other is None or one.kind is not Kind.FILE or other.kind is not Kind.FILE or key == RECORD:
            continue
        raw = left.files.get(key), right.files.get(key)
        untouched = [side is not None and side.content is new.content for side, new in zip(raw, (one, other))]
        if all(untouched):
            found[key] = read.pairs[key].equal
        else:
            found[key] = _sha256(one.content) == _sha256(other.content)
    return found


def _sha256(content: Content) -> bytes:
    return digests_of(content).sha256


def verdict(
    left: Opened, right: Opened, read: Contents, records: tuple[ReadRecord, ReadRecord], equal: Mapping[str, bool]
) -> Verdict:
    """Return how equal two archives are that are not identical; *equal* is of :func:`after_passes`.

    :raises ArchiveError: if contents cannot be read.
    """
    if mismatches(records[0], read.left) or mismatches(records[1], read.right):
        return Verdict.DIFFERENT
    if left.own != right.own or planted(left) != planted(right):
        return Verdict.DIFFERENT
    if not left.is_signed and not right.is_signed and _is_one_form(left, right, equal):
        return Verdict.NORMALIZED
    return Verdict.PAYLOAD if _is_one_payload(left, right, read, equal) else Verdict.DIFFERENT


def _is_one_form(left: Opened, right: Opened, equal: Mapping[str, bool]) -> bool:
    """Return whether the canonical writer would write the same bytes of both."""
    if left.normal.keys() != right.normal.keys():
        return False
    if not all(equal.values()):
        return False
    return all(_head(one) == _head(right.normal[key]) for key, one in left.normal.items())


def _head(entry: Entry) -> tuple[object, ...]:
    return entry.name, entry.kind, entry.mode, entry.mtime, entry.target, entry.owner


def _is_one_payload(left: Opened, right: Opened, read: Contents, equal: Mapping[str, bool]) -> bool:
    if left.normal.keys() != right.normal.keys() or not _signatures_agree(left, right, read):
        return False
    return all(
        _is_one_file(key, one, right.normal[key], left.kind, equal) for key, one in left.normal.items() if key != RECORD
    )


def _signatures_agree(left: Opened, right: Opened, read: Contents) -> bool:
    return all(
        (key in left.files) == (key in right.files) and (key not in read.pairs or read.pairs[key].equal)
        for key in SIGNATURES
    )


def _is_one_file(key: str, left: Entry, right: Entry, kind: ArtifactKind, equal: Mapping[str, bool]) -> bool:
    if left.kind is not right.kind or left.target != right.target or executable(left, kind) != executable(right, kind):
        return False
    return equal.get(key, True) or _means_the_same(key, left, right)


def _means_the_same(key: str, left: Entry, right: Entry) -> bool:
    directory, _, name = key.rpartition("/")
    means = _MEANINGS.get(name)
    own = directory == "*.dist-info" or directory.endswith(".egg-info") or (not directory and name == "PKG-INFO")
    if means is None or not own or max(left.content.size, right.content.size) > LARGEST_MEANING:
        return False
    return means(read_all(left.content), read_all(right.content))
