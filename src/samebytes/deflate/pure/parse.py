"""From bytes to the symbols of RFC 1951 section 2: literals, and the matches that zlib takes, but not at any price.

The limits are those of level 6 (``configuration_table`` in zlib's ``deflate.c``). RFC 1951 section 4 mentions such
limits, zlib's ``doc/algorithm.txt`` its own.

zlib compares the string at a position with those at the positions of its chain, the newest first, at most PATIENCE of
them, and takes the one that agrees furthest, of equals the first. Here the walk leaves out most of those that cannot
agree further than the best so far. What agrees in more than *best* bytes has the same hash at each place up to
*best* - 2, so it can be found by the chain of any of these places, and a short chain gets there soonest. Its rank in
its own chain shows whether zlib would have got there at all.
"""

from __future__ import annotations

from array import array
from struct import Struct

from .chains import NOWHERE, ORIGIN, REACH, chains
from .rfc1951 import MAX_MATCH, MIN_MATCH

PATIENCE = 128
"""How many positions of a chain are looked at (``max_chain``) ..."""

GOOD = 8
"""... or a quarter of these, if the match to be beaten is at least that long (``good_length``)."""

NICE = 128
"""A match of that length ends the search (``nice_length``); so does one that goes to the end of the data."""

STRIDE = 8
"""How many bytes are compared at a time."""

MARGIN = MAX_MATCH + STRIDE
"""How many bytes, of any value, the data needs after its end, to be compared in strides."""

LAZY = 16
"""A match of that length is taken at once, without a look at the next position (``max_lazy``)."""

TOO_FAR = 4096
"""A match of three bytes that is further back than that takes more bits than three literals, as zlib reckons."""

LENGTH_BITS = 9
"""A match is the number distance << LENGTH_BITS | length, which is more than any literal."""

LENGTH = (1 << LENGTH_BITS) - 1

_stride = Struct(">Q").unpack_from


def parse(data: bytes, start: int) -> list[int]:
    """Return the symbols that zlib makes of *data* from *start* on, where what is before *start* is the dictionary.

    A literal is the byte's value. After a match the search goes on behind it, after a literal at the next position.

    The nearest position with the same three bytes is looked for right here, as many a position needs no more than that.
    With the same hash, the first and the third byte determine the second.
    """
    hashes, before, rank = chains(data)
    at = done = ORIGIN + start
    end = ORIGIN + len(data)
    # So that positions are indexes, and what is compared never runs out of data.
    data = bytes(ORIGIN) + data + bytes(MARGIN)
    patience = range(PATIENCE)
    symbols: list[int] = []
    while at < end:
        position = before[at]
        # NOWHERE is out of reach from everywhere. Only the newest of a chain may be as far away as REACH.
        if at - position > REACH:
            at += 1
            continue
        first, third = data[at], data[at + 2]
        for _ in patience:
            if data[position] == first and data[position + 2] == third:
                break
            position = before[position]
            if at - position >= REACH:
                position = NOWHERE
                break
        else:
            position = NOWHERE
        if not position:
            at += 1
            continue
        at, length, position = settled_match(data, end, hashes, before, rank, at, position, LAZY)
        if length == MIN_MATCH and at - position > TOO_FAR:
            at += 1
            continue
        # Literals are only taken up with the match that ends them.
        if done < at:
            symbols += data[done:at]
        symbols.append(at - position << LENGTH_BITS | length)
        done = at = at + length
    symbols += data[done:end]
    return symbols


def settled_match(
    data: bytes, end: int, hashes: array[int], before: array[int], rank: array[int], at: int, position: int, lazy: int
) -> tuple[int, int, int]:
    """Return where the match begins that zlib takes, its length, and the earlier position that it refers to.

    *position* is the nearest one with the same three bytes as *at*. *data*, whose chains these are, ends at *end*,
    though MARGIN more bytes follow.

    This is the lazy evaluation of RFC 1951 section 4: a match that is shorter than *lazy* has to wait for the search at
    the next position. If that finds a longer one, the first byte becomes a literal and the longer match waits in turn.

    It is the encoder's innermost loop, and in one piece because calls are dear. *rare* is the place with the shortest
    chain that has come up, *least* its rank. It may serve the search at the next position, too.
    """
    rare, least = at, rank[at]
    oldest, last_rank = at - REACH + 1, least - PATIENCE
    begin, match = at, position
    best = agreement(data, at, position, MIN_MATCH, end)
    while True:
        while best < NICE and at + best < end:
            last = at + best - 2
            if rank[last] < least:
                rare, least = last, rank[last]
            # Along the chain of *rare*, with a look at the hash at one end of the string. At the last place, less than
            # that agrees at *position*, so its chain has to be walked from the start.
            place = rare - at
            check = -place or best - 2
            wanted = hashes[rare + check]
            there = before[rare if rare == last else position + place]
            reach = oldest + place
            while there >= reach:
                if hashes[there + check] == wanted:
                    position = there - place
                    if rank[position] < last_rank:
                        there = NOWHERE
                        continue
                    if data[position : position + best + 1] == data[at : at + best + 1]:
                        break
                there = before[there]
            else:
                break
            begin, match = at, position
            best = agreement(data, at, position, best + 1, end)
        if begin < at or best >= lazy:
            return begin, best, match
        at += 1
        position = at
        oldest = at - REACH + 1
        if before[at] < oldest:
            # The newest position in a chain may be one byte further away. It is the only one then, so the way is short.
            oldest -= 1
            rare, least = at, 0
        elif rare < at:
            rare, least = at, rank[at]
        last_rank = rank[at] - (PATIENCE if best < GOOD else PATIENCE // 4)


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
