"""How equal two archives are: what the normalizer would make of them, and what they deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from samebytes.archive.entry import Entry, Kind, read_all
from samebytes.passes.container import executable

from .container import disputed, planted
from .contents import Contents, digests_of
from .formats import metadata
from .model import Verdict
from .opened import RECORD, SIGNATURES, Opened
from .records import ReadRecord, mismatches

__all__ = ["after_passes", "verdict"]

# Both are parsed whole, in memory.
LARGEST_MEANING = 16 << 20
"""Bytes of a file whose meaning is compared where its bytes differ."""

# Formats in which order, folding or quoting means nothing; of any other file only bytes count.
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
        if all(side is not None and side.content is new.content for side, new in zip(raw, (one, other))):
            found[key] = read.pairs[key].equal  # No pass has touched either.
        else:
            found[key] = digests_of(one.content).sha256 == digests_of(other.content).sha256
    return found


def verdict(
    left: Opened, right: Opened, read: Contents, records: tuple[ReadRecord, ReadRecord], equal: Mapping[str, bool]
) -> Verdict:
    """Return how equal two archives are that are not identical; *equal* is of :func:`after_passes`.

    :raises ArchiveError: if contents cannot be read.
    """
    # A RECORD that lies, a mode that somebody planted, or what not all readers take alike, outweighs all that is equal.
    if mismatches(records[0], read.left) or mismatches(records[1], read.right):
        return Verdict.DIFFERENT
    if left.own != right.own or planted(left) != planted(right) or disputed(left) != disputed(right):
        return Verdict.DIFFERENT
    # Normalizing writes RECORD anew, which a signature of it would not survive.
    if not left.is_signed and not right.is_signed and _is_one_form(left, right, equal):
        return Verdict.NORMALIZED
    return Verdict.PAYLOAD if _is_one_payload(left, right, read, equal) else Verdict.DIFFERENT


def _is_one_form(left: Opened, right: Opened, equal: Mapping[str, bool]) -> bool:
    """Return whether the canonical writer would write the same bytes of both."""
    if left.normal.keys() != right.normal.keys() or not all(equal.values()):
        return False
    pairs = ((one, right.normal[key]) for key, one in left.normal.items())
    return all(
        (one.name, one.kind, one.mode, one.mtime, one.target, one.owner)
        == (other.name, other.kind, other.mode, other.mtime, other.target, other.owner)
        for one, other in pairs
    )


def _is_one_payload(left: Opened, right: Opened, read: Contents, equal: Mapping[str, bool]) -> bool:
    if left.normal.keys() != right.normal.keys():
        return False
    for key in SIGNATURES:
        if (key in left.files) != (key in right.files) or (key in read.pairs and not read.pairs[key].equal):
            return False
    for key, one in left.normal.items():
        other = right.normal[key]
        if key == RECORD:
            continue
        if one.kind is not other.kind or one.target != other.target:
            return False
        # The one bit of a mode that installers keep.
        if executable(one, left.kind) != executable(other, left.kind):
            return False
        if not equal.get(key, True) and not _means_the_same(key, one, other):
            return False
    return True


def _means_the_same(key: str, left: Entry, right: Entry) -> bool:
    directory, _, name = key.rpartition("/")
    means = _MEANINGS.get(name)
    # A file of that name elsewhere is somebody's data.
    own = directory == "*.dist-info" or directory.endswith(".egg-info") or (not directory and name == "PKG-INFO")
    if means is None or not own or max(left.content.size, right.content.size) > LARGEST_MEANING:
        return False
    return means(read_all(left.content), read_all(right.content))
