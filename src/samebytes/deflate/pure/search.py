"""The match that zlib takes at a position: the longest one, but not at any price.

The limits are those of level 6. RFC 1951 section 4 tells of such limits, zlib's ``doc/algorithm.txt`` of its own.

zlib compares the string at a position with those at the positions of its chain, the newest first, at most PATIENCE of
them, and takes the one that agrees furthest, of equals the first. Here the walk leaves out most of those that cannot
agree further than the best so far. What agrees in more than *best* bytes has the same hash at each place up to
*best* - 2, so it can be found by the chain of any of these places, and the shortest chain gets there soonest. Its rank
in its own chain tells whether zlib would have got there at all.
"""

from __future__ import annotations

from array import array

from .tables import MAX_MATCH, MIN_MATCH, WINDOW_SIZE

PATIENCE = 128
"""How many positions of a chain are looked at (``max_chain``) ..."""

GOOD = 8
"""... or a quarter of these, if the match to be beaten is at least that long (``good_length``)."""

NICE = 128
"""A match of that length ends the search (``nice_length``); so does one that goes to the end of the data."""

MIN_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1
"""With fewer bytes than that ahead, zlib tries to get more."""

REACH = WINDOW_SIZE - MIN_LOOKAHEAD
"""How far back zlib looks, as its window needs room for the bytes ahead, too."""

MARGIN = MAX_MATCH + 64
"""How many bytes, of any value, the data needs after its end, to be compared in strides."""

_RARE = 16
"""Among how many places of a string the one with the shortest chain is looked for; more would gain little."""

_NONE = (0, -1)


def longest_match(
    data: bytes, end: int, hashes: array[int], before: array[int], rank: array[int], at: int, best: int
) -> tuple[int, int]:
    """Return length and position of the match that zlib takes at *at*, if it is longer than *best*; else length 0.

    *best* is MIN_MATCH - 1, or the length of the match found one position before. At *end* the data ends, though MARGIN
    more bytes follow. There must be more than *best* bytes ahead.
    """
    position = before[at]
    oldest = at - REACH + 1 if at >= REACH else 1
    if position < oldest:
        if not _at_arms_length(at, position, end):
            return _NONE
        oldest = position
    last_rank = rank[at] - (PATIENCE if best < GOOD else PATIENCE // 4)
    limit = end - at if end - at < MAX_MATCH else MAX_MATCH
    nice = NICE if limit > NICE else limit
    found = places = place = 0
    if best >= MIN_MATCH:
        position = at
    else:
        position = _nearest(data, before, rank, at, oldest, last_rank)
        if position < 0:
            return _NONE
        found = best = _agreement(data, position, at, MIN_MATCH, limit)
    while best < nice:
        if places < _RARE:
            places = best - 1 if best <= _RARE else _RARE
            ranks = rank[at : at + places]
            place = ranks.index(min(ranks))
        if place:
            other = _walk_elsewhere(data, hashes, before, rank, at, best, position, oldest, last_rank, place)
        else:
            other = _walk(data, hashes, before, rank, at, best, position, oldest, last_rank)
        if other < 0:
            break
        position = other
        found = best = _agreement(data, position, at, best + 1, limit)
    return found, position


def _at_arms_length(at: int, newest: int, end: int) -> bool:
    """Tell whether zlib looks at *newest*, just outside of the reach of *at*.

    It looks one byte further than REACH allows, but only at the newest position of a chain. And not if that has just
    become position 0 of its window, which means none: zlib moves its window on by its size when it wants more input
    and the position is that far in it. As a rule that finds more input and comes at a later position; at the end of the
    data, it is tried at each position.
    """
    return at - newest == REACH and not (newest % WINDOW_SIZE == 0 and end - at < MIN_LOOKAHEAD)


def _nearest(data: bytes, before: array[int], rank: array[int], at: int, oldest: int, last_rank: int) -> int:
    """Return the newest position in the chain of *at* with the same three bytes, not only the same hash, or -1."""
    first = data[at]
    string = data[at : at + MIN_MATCH]
    position = before[at]
    while data[position] != first or data[position : position + MIN_MATCH] != string:
        position = before[position]
        if position < oldest or rank[position] < last_rank:
            return -1
    return position


def _walk(
    data: bytes,
    hashes: array[int],
    before: array[int],
    rank: array[int],
    at: int,
    best: int,
    position: int,
    oldest: int,
    last_rank: int,
) -> int:
    """Return the first position before *position* that agrees with *at* in more than *best* bytes, or -1.

    *position* is where *best* bytes agree, or *at* itself if nothing has been looked at.
    """
    string = data[at : at + best + 1]
    offset = best + 1 - MIN_MATCH
    wanted = hashes[at + offset]
    position = before[position]
    while position >= oldest and rank[position] >= last_rank:
        if hashes[position + offset] == wanted and data[position : position + best + 1] == string:
            return position
        position = before[position]
    return -1


def _walk_elsewhere(
    data: bytes,
    hashes: array[int],
    before: array[int],
    rank: array[int],
    at: int,
    best: int,
    position: int,
    oldest: int,
    last_rank: int,
    place: int,
) -> int:
    """Do the same as `_walk`, along the chain of what is *place* bytes further on."""
    string = data[at : at + best + 1]
    wanted = hashes[at]
    # At the last place less agrees at *position*, so its chain has to be walked from the start.
    there = before[(at if place == best + 1 - MIN_MATCH else position) + place]
    oldest += place
    while there >= oldest:
        position = there - place
        if hashes[position] == wanted:
            if rank[position] < last_rank:
                return -1
            if data[position : position + best + 1] == string:
                return position
        there = before[there]
    return -1


def _agreement(data: bytes, one: int, other: int, known: int, limit: int) -> int:
    """Return in how many bytes the strings at *one* and *other* agree, at most *limit*, where *known* surely do."""
    if data[one + known] != data[other + known]:
        return known
    stride = 8
    while known < limit:
        ours = int.from_bytes(data[one + known : one + known + stride], "big")
        theirs = int.from_bytes(data[other + known : other + known + stride], "big")
        if ours != theirs:
            known += stride - ((ours ^ theirs).bit_length() + 7 >> 3)
            break
        known += stride
        stride = 64
    return known if known < limit else limit
