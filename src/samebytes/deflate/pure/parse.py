"""From bytes to the symbols of RFC 1951 section 2: literals, and matches of a length and a distance."""

from __future__ import annotations

from .chains import NOWHERE, ORIGIN, REACH, chains
from .search import MARGIN, PATIENCE, agreement, searcher
from .tables import MIN_MATCH

LAZY = 16
"""A match of that length is taken at once, without a look at the next position (``max_lazy``)."""

TOO_FAR = 4096
"""A match of three bytes that is further back than that takes more bits than three literals, as zlib reckons."""

LENGTH_BITS = 9
"""A match is the number distance << LENGTH_BITS | length, which is more than any literal."""

LENGTH = (1 << LENGTH_BITS) - 1


def parse(data: bytes, start: int) -> list[int]:
    """Return the symbols that zlib makes of *data* from *start* on, where what is before *start* is the dictionary.

    A literal is the byte's value. This is the lazy evaluation of RFC 1951 section 4: a match has to wait for the search
    at the next position. If that finds a longer one, the first byte becomes a literal and the longer match waits in
    turn; otherwise the match is taken, and the search goes on after it.

    The nearest position with the same three bytes is looked for right here, as many a position needs no more than that.
    With the same hash, the first and the third byte determine the second.
    """
    hashes, before, rank = chains(data)
    at = done = ORIGIN + start
    end = ORIGIN + len(data)
    data = bytes(ORIGIN) + data + bytes(MARGIN)
    longer = searcher(data, end, hashes, before, rank)
    patience = range(PATIENCE)
    symbols: list[int] = []
    while at < end:
        position = before[at]
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
        length = agreement(data, at, position, MIN_MATCH, end)
        length, position = longer(at, position, length)
        if length == MIN_MATCH and at - position > TOO_FAR:
            at += 1
            continue
        while length < LAZY:
            better, there = longer(at + 1, at + 1, length)
            if better == length:
                break
            at += 1
            length, position = better, there
        symbols += data[done:at]
        symbols.append(at - position << LENGTH_BITS | length)
        done = at = at + length
    symbols += data[done:end]
    return symbols
