"""From bytes to the symbols of RFC 1951 section 2: literals, and matches of a length and a distance."""

from __future__ import annotations

from .chains import NOWHERE, ORIGIN, REACH, chains
from .search import MARGIN, PATIENCE, settled_match
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

    A literal is the byte's value. After a match the search goes on behind it, after a literal at the next position.

    The nearest position with the same three bytes is looked for right here, as many a position needs no more than that.
    With the same hash, the first and the third byte determine the second.
    """
    hashes, before, rank = chains(data)
    at = done = ORIGIN + start
    end = ORIGIN + len(data)
    data = bytes(ORIGIN) + data + bytes(MARGIN)
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
        at, length, position = settled_match(data, end, hashes, before, rank, at, position, LAZY)
        if length == MIN_MATCH and at - position > TOO_FAR:
            at += 1
            continue
        if done < at:
            symbols += data[done:at]
        symbols.append(at - position << LENGTH_BITS | length)
        done = at = at + length
    symbols += data[done:end]
    return symbols
