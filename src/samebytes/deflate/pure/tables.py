"""The alphabets of RFC 1951: which codes there are, and which lengths and distances each stands for."""

from __future__ import annotations

WINDOW_SIZE = 1 << 15
"""How far back a match may lie (section 2)."""

MIN_MATCH = 3
MAX_MATCH = 258

END_OF_BLOCK = 256
FIRST_LENGTH = 257
"""The code of the shortest matches, in the alphabet that they share with the literals (section 3.2.5)."""

LENGTH_EXTRA = (*[0] * 8, *[bits for bits in range(1, 6) for _ in range(4)], 0)
DISTANCE_EXTRA = (0, 0, *[bits for bits in range(14) for _ in range(2)])
HEAD_EXTRA = (*[0] * 16, 2, 3, 7)
"""How many extra bits follow each code: of the lengths, of the distances, and of the head of a dynamic block."""

LONGEST_CODE = 15
LONGEST_HEAD_CODE = 7
"""What length the format allows a code (section 3.2.7)."""

ORDER_IN_HEAD = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""In which order the head of a dynamic block gives the lengths of its own codes (section 3.2.7)."""

FIXED_SYMBOL_LENGTHS = (8,) * 144 + (9,) * 112 + (7,) * 24 + (8,) * 8
FIXED_DISTANCE_LENGTHS = (5,) * 30
"""The code lengths in blocks with fixed codes (section 3.2.6)."""


def _ranges(first: int, extra: tuple[int, ...]) -> tuple[tuple[int, ...], bytearray]:
    """Return the least value of each code, and the code of each value (those below *first* have none: 0)."""
    least = []
    codes = bytearray(first)
    for code, bits in enumerate(extra):
        least.append(len(codes))
        codes += bytes([code]) * (1 << bits)
    return tuple(least), codes


LEAST_LENGTH, _LENGTHS = _ranges(MIN_MATCH, LENGTH_EXTRA[:-1])
LEAST_LENGTH += (MAX_MATCH,)
LENGTH_CODE = bytes(_LENGTHS[:MAX_MATCH]) + b"\x1c"
"""The code of each length, counted from FIRST_LENGTH. The longest has one of its own, without extra bits."""

LEAST_DISTANCE, _DISTANCES = _ranges(1, DISTANCE_EXTRA)
DISTANCE_CODE = bytes(_DISTANCES)
"""The code of each distance."""
