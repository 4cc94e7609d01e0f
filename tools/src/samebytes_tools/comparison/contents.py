"""The contents of two archives' members, each read once and checked: which are equal, and what their digests are."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Iterable, Mapping
from itertools import zip_longest
from typing import NamedTuple

from samebytes.archive.entry import Content, Entry, Kind
from samebytes.artifact import record

from .causes.cause import CauseClues
from .model import KnownBuilds
from .opened import Opened


class Digests(NamedTuple):
    """What a member holds."""

    size: int
    sha256: bytes
    spelt: Mapping[str, str]
    """``ALGORITHM=VALUE`` as RECORD spells it, by algorithm, for those that some RECORD names."""


class ContentPair(NamedTuple):
    """A member that both archives have."""

    key: str
    left: Entry
    right: Entry
    equal: bool
    """Whether the contents are, byte for byte; of links the targets, too."""
    repacked: bool
    """Whether equal contents are compressed to other bytes."""
    left_digests: Digests
    right_digests: Digests


class Contents(NamedTuple):
    """All that was read."""

    pairs: Mapping[str, ContentPair]
    """What is a file or link on both sides, by key."""
    left: Mapping[str, Digests]
    """Every file of the left archive, by key."""
    right: Mapping[str, Digests]


def read(left: Opened, right: Opened, algorithms: Mapping[str, Collection[str]]) -> Contents:
    """Read every member of both archives; *algorithms* says which digests each key needs beside SHA-256.

    :raises ArchiveError: if contents are not what their archive declares.
    """
    pairs: dict[str, ContentPair] = {}
    found: tuple[dict[str, Digests], dict[str, Digests]] = ({}, {})
    for key, entry in left.files.items():
        other = right.files.get(key)
        wanted = algorithms.get(key, ())
        if other is None or entry.kind is not Kind.FILE or other.kind is not Kind.FILE:
            continue
        # Where the headers of both declare one CRC and size, equal compressed bytes need to be inflated only once.
        declared = left.headers.get(entry.name), right.headers.get(other.name)
        alike = None not in declared and len({(each.crc, each.size) for each in declared if each}) == 1
        pair = _pair(key, entry, other, alike, wanted)
        pairs[key] = pair
        found[0][key], found[1][key] = pair.left_digests, pair.right_digests
    for side, digests in zip((left, right), found):
        for key, entry in side.files.items():
            # Also what is on one side only: RECORD is held against every file.
            if key not in digests and entry.kind is Kind.FILE:
                digests[key] = digests_of(entry.content, algorithms.get(key, ()))
    return Contents(pairs, *found)


def clues_of(
    builds: KnownBuilds,
    read_: Contents,
    names: Iterable[str],
    changed: Collection[str],
    only: frozenset[str],
) -> CauseClues:
    """Return what members are called and hold, for causes to be found by it.

    :param names: of all members
    :param changed: the keys of those with other contents
    :param only: the keys of those on one side only
    """
    left, right = ({side[key].sha256.hex(): key for key in changed} for side in (read_.left, read_.right))
    names = frozenset(names)
    bases = frozenset(map(posixpath.basename, names))
    # Lists of modules have no suffixes.
    stems = frozenset(posixpath.splitext(name)[0] for name in bases)
    return CauseClues(builds, (left, right), names | bases | stems, only)


def digests_of(content: Content, algorithms: Collection[str] = ()) -> Digests:
    """Read *content* to its end.

    :raises ArchiveError: if it is not what its archive declares.
    """
    # All in one reading, as each reading inflates anew.
    states = {name: hashlib.new(name) for name in {"sha256", *algorithms}}
    size = 0
    for chunk in content.chunks():
        size += len(chunk)
        for state in states.values():
            state.update(chunk)
    spelt = {name: record.spelled(name, state.digest()) for name, state in states.items()}
    return Digests(size, states["sha256"].digest(), spelt)


def _pair(key: str, left: Entry, right: Entry, declared_alike: bool, algorithms: Collection[str]) -> ContentPair:
    """Read a member on both sides, but once where both hold the same compressed bytes under the same CRC."""
    if declared_alike and _are_packed_alike(left, right):
        digests = digests_of(left.content, algorithms)
        return ContentPair(key, left, right, True, False, digests, digests)
    one, other = digests_of(left.content, algorithms), digests_of(right.content, algorithms)
    equal = one.sha256 == other.sha256
    # None in a tar, whose members are not compressed one by one.
    repacked = equal and left.packed is not None and right.packed is not None
    return ContentPair(key, left, right, equal, repacked, one, other)


def _are_packed_alike(left: Entry, right: Entry) -> bool:
    one, other = left.packed, right.packed
    if one is None or other is None or one.deflated != other.deflated or one.size != other.size:
        return False
    # Streams of one size are cut into pieces of the same sizes.
    return all(mine == others for mine, others in zip_longest(one.chunks(), other.chunks()))
