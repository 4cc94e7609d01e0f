"""For each position of the data, the earlier ones with the same hash: what zlib keeps in its ``head`` and ``prev``.

RFC 1951 section 4 suggests it: a hash of the next three bytes leads to a chain of earlier positions, the newest first.
zlib's hash has 15 bits at memLevel 8 and drops the three high bits of the first byte. So different strings do meet in
one chain, and as the length of a search is limited, who meets whom has its say in which matches are found.
"""

from __future__ import annotations

import sys
from array import array
from typing import NamedTuple

from .tables import MIN_MATCH

HASHES = 1 << 15
NOWHERE = -(1 << 30)
"""Stands for what precedes the first position of a chain: less than any position, and out of reach from everywhere."""


class Chains(NamedTuple):
    """The chains, by position. Arrays, because lists of numbers take ten times the room and leave the caches."""

    hashes: array[int]
    """The hash of the three bytes from there on."""
    before: array[int]
    """The nearest earlier position in its chain, or NOWHERE."""
    rank: array[int]
    """How many positions are before it in its chain."""


def chains(data: bytes) -> Chains:
    """Put the positions of *data* into the chains of their hashes; a few are in none and have NOWHERE before them.

    These are the last two, which have no three bytes, and the very first: zlib writes 0 for no position, so it never
    finds what begins at the first byte (that of the preset dictionary, where there is one).

    To do it beforehand for all of *data* is as good as along the way. zlib inserts the positions in their order, none
    is left out, be it inside of a match or in the dictionary, and a search looks only at what precedes its position.
    """
    hashes = _hashes(data)
    before = array("i", [NOWHERE]) * len(data)
    rank = array("i", [0]) * len(data)
    newest = [NOWHERE] * HASHES
    count = [0] * HASHES
    for position, value in enumerate(hashes[1 : 1 - MIN_MATCH], 1):
        before[position] = newest[value]
        newest[value] = position
        rank[position] = known = count[value]
        count[value] = known + 1
    return Chains(hashes, before, rank)


def _hashes(data: bytes) -> array[int]:
    """Return the hashes of all positions, as if two zeros followed *data*.

    zlib's hash of the bytes a, b, c is (a << 10 ^ b << 5 ^ c) mod 2**15. Here one large number holds all the bytes, 16
    bits for each, so that three shifts of it make all hashes at once.
    """
    size = len(data)
    spread = bytearray(2 * size)
    spread[::2] = data
    third = int.from_bytes(spread, "little")
    low_bits = int.from_bytes(b"\x1f\x00" * size, "little")
    mixed = (third & low_bits) << 10 ^ third >> 16 << 5 ^ third >> 32
    hashes = array("H", mixed.to_bytes(2 * size, "little"))
    if sys.byteorder == "big":
        hashes.byteswap()
    return hashes
