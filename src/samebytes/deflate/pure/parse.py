"""From bytes to the symbols of RFC 1951 section 2: literals, and matches of a length and a distance."""

from __future__ import annotations

from .chains import chains
from .search import MARGIN, REACH, longest_match
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
    """
    end = len(data)
    hashes, before, rank = chains(data)
    data += bytes(MARGIN)
    symbols: list[int] = []
    done = at = start
    while at < end:
        newest = before[at]
        if at - newest > REACH or (data[newest] != data[at] and at - before[newest] > REACH):
            at += 1
            continue
        length, position = longest_match(data, end, hashes, before, rank, at, MIN_MATCH - 1)
        if length < MIN_MATCH or (length == MIN_MATCH and at - position > TOO_FAR):
            at += 1
            continue
        while length < LAZY and length < end - at - 1:
            longer, there = longest_match(data, end, hashes, before, rank, at + 1, length)
            if not longer:
                break
            at += 1
            length, position = longer, there
        if done < at:
            symbols += data[done:at]
        symbols.append(at - position << LENGTH_BITS | length)
        done = at = at + length
    symbols += data[done:end]
    return symbols
