"""The match that zlib takes at a position: the longest one, but not at any price.

The limits are those of level 6. RFC 1951 section 4 tells of such limits, zlib's ``doc/algorithm.txt`` of its own.

zlib compares the string at a position with those at the positions of its chain, the newest first, at most PATIENCE of
them, and takes the one that agrees furthest, of equals the first. Here the walk leaves out most of those that cannot
agree further than the best so far. What agrees in more than *best* bytes has the same hash at each place up to
*best* - 2, so it can be found by the chain of any of these places, and a short chain gets there soonest. Its rank in
its own chain tells whether zlib would have got there at all.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from struct import Struct

from .chains import REACH
from .tables import MAX_MATCH

PATIENCE = 128
"""How many positions of a chain are looked at (``max_chain``) ..."""

GOOD = 8
"""... or a quarter of these, if the match to be beaten is at least that long (``good_length``)."""

NICE = 128
"""A match of that length ends the search (``nice_length``); so does one that goes to the end of the data."""

STRIDE = 8
MARGIN = MAX_MATCH + STRIDE
"""How many bytes, of any value, the data needs after its end, to be compared in strides."""

_stride = Struct(">Q").unpack_from


def searcher(
    data: bytes, end: int, hashes: array[int], before: array[int], rank: array[int]
) -> Callable[[int, int, int], tuple[int, int]]:
    """Return the function that looks for longer matches in *data*, with its chains; MARGIN more bytes follow *end*.

    It has state: the place with the shortest chain that has come up, which may serve the search one position on, too.
    """
    rare = least = 0

    def longer(at: int, position: int, best: int) -> tuple[int, int]:
        """Return length and position of the match that zlib takes at *at*, if it is longer than *best*.

        Otherwise what was given: *position* is an earlier one in the chain of *at*, with all before it looked at, where
        *best* bytes agree; or *at* itself, where *best* comes from the match one position before.

        The newest position in a chain may be one byte further away than REACH allows. It is the only one then.
        """
        nonlocal rare, least
        oldest = at - REACH + 1
        last_rank = rank[at]
        if rare < at:
            rare, least = at, last_rank
        if before[at] < oldest:
            oldest -= 1
            rare, least = at, 0
        last_rank -= PATIENCE if best < GOOD or position < at else PATIENCE // 4
        while best < NICE and at + best < end:
            last = at + best - 2
            if rank[last] < least:
                rare, least = last, rank[last]
            place = rare - at
            if place:
                # At the last place, less than that agrees at *position*, so its chain has to be walked from the start.
                there = before[rare if rare == last else position + place]
                check, wanted = -place, hashes[at]
            else:
                there = before[position]
                check, wanted = best - 2, hashes[last]
            reach = oldest + place
            while there >= reach:
                if hashes[there + check] == wanted:
                    candidate = there - place
                    if rank[candidate] < last_rank:
                        return best, position
                    if data[candidate : candidate + best + 1] == data[at : at + best + 1]:
                        break
                there = before[there]
            else:
                break
            position = candidate
            best = agreement(data, at, position, best + 1, end)
        return best, position

    return longer


def agreement(data: bytes, at: int, position: int, known: int, end: int) -> int:
    """Return in how many bytes the strings at *at* and *position* agree, up to *end*, where *known* do."""
    if data[at + known] != data[position + known]:
        return known
    limit = end - at if end - at < MAX_MATCH else MAX_MATCH
    while known < limit:
        (ours,), (theirs,) = _stride(data, at + known), _stride(data, position + known)
        if ours != theirs:
            known += STRIDE - ((ours ^ theirs).bit_length() + 7 >> 3)
            break
        known += STRIDE
    return known if known < limit else limit
