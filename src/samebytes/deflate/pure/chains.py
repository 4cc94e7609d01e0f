"""For each position of the data, the nearest earlier one with the same hash: what zlib has in ``head`` and ``prev``.

RFC 1951 section 4 suggests it: a hash of the next three bytes leads to a chain of earlier positions, the newest first.
zlib's hash has 15 bits at memLevel 8 and drops the three high bits of the first byte. So different strings do meet in
one chain, and as the length of a search is limited, who meets whom has its say in which matches are found.
"""

from __future__ import annotations

import sys
from array import array

from .rfc1951 import MAX_MATCH, MIN_MATCH, WINDOW_SIZE

ORIGIN = WINDOW_SIZE
"""The position of the first byte. Thus 0 can stand for no position, and is out of reach from everywhere."""

NOWHERE = 0

MIN_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1
"""With fewer bytes than that ahead, zlib tries to get more."""

REACH = WINDOW_SIZE - MIN_LOOKAHEAD
"""How far back zlib looks, as its window needs room for the bytes ahead, too."""

_HASHES = 1 << 15


def chains(data: bytes) -> tuple[array[int], array[int], array[int]]:
    """Put the positions of *data* into the chains of their hashes; return three values for each, from ORIGIN on.

    They are its hash, the position before it in its chain or NOWHERE, and how many are before it. (These are arrays, as
    lists of numbers take ten times the room and leave the processor's caches; unsigned, as others are slower to set.)
    The last two positions, which have no three bytes, are in no chain. Nor is the very first: zlib writes 0 for no
    position, so it never finds what begins at the first byte (of the preset dictionary, where there is one).

    To do it beforehand for all of *data* is as good as along the way. zlib inserts the positions in their order, none
    is left out, be it inside of a match or in the dictionary, and a search looks only at what precedes its position.
    """
    hashes = array("H", [_HASHES]) * (ORIGIN + 1) + _hashes(data)[1:]  # up to the first, a hash that no other has
    before = array("I", [NOWHERE]) * len(hashes)
    rank = array("I", [0]) * len(hashes)
    newest = [NOWHERE] * _HASHES
    count = [0] * _HASHES
    for position, value in enumerate(hashes[ORIGIN + 1 : 1 - MIN_MATCH], ORIGIN + 1):
        before[position] = newest[value]
        newest[value] = position
        rank[position] = known = count[value]
        count[value] = known + 1
    _lose(before)
    return hashes, before, rank


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


def _lose(before: array[int]) -> None:
    """Take back the one link that zlib loses, if any.

    zlib moves its window on by its size when it wants more input and the position is that far in it. As a rule that
    finds more input and comes at a later position; at the end of the data, it is tried at each position. If just then
    the next one in the chain becomes position 0 of the window, it means none. No other link can be lost: a position
    further back is out of reach.
    """
    end = len(before)
    position = end - 1 - (end - 1 - ORIGIN - REACH) % WINDOW_SIZE
    if end - position < MIN_LOOKAHEAD and before[position] == position - REACH:
        before[position] = NOWHERE
