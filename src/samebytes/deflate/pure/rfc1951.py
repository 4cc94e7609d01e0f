"""What RFC 1951 lays down: which codes there are, what each stands for, and in what order bits become bytes."""

from __future__ import annotations

from collections.abc import Iterable

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


# 258 would be the last length of code 284, with all its extra bits set; it has the last code, 285, instead.
LEAST_LENGTH, _LENGTHS = _ranges(MIN_MATCH, LENGTH_EXTRA[:-1])
LEAST_LENGTH += (MAX_MATCH,)
LENGTH_CODE = bytes(_LENGTHS[:MAX_MATCH]) + b"\x1c"
"""The code of each length, counted from FIRST_LENGTH. The longest has one of its own, without extra bits."""

LEAST_DISTANCE, _DISTANCES = _ranges(1, DISTANCE_EXTRA)
DISTANCE_CODE = bytes(_DISTANCES)
"""The code of each distance."""


def number(value: int, width: int) -> str:
    """Write *value* as a deflate stream has numbers: least significant bit first, in *width* bits."""
    # With a one in front, so that leading zeros are kept; it is left out when the digits are turned round.
    return f"{value | 1 << width:b}"[:0:-1]


def prefix_codes(lengths: Iterable[int]) -> list[str]:
    """Return the canonical Huffman codes of these lengths, as they stand in the stream (section 3.2.2).

    Codes of the same length are consecutive in the order of their symbols, and shorter ones precede longer ones.
    Unlike numbers, they are written with the most significant bit first. A symbol of length 0 has no code.
    """
    lengths = list(lengths)
    following = [0] * (max(lengths, default=0) + 2)
    for length in range(1, len(following) - 1):
        following[length + 1] = following[length] + lengths.count(length) << 1
    codes = []
    for length in lengths:
        codes.append(format(following[length], f"0{length}b") if length else "")
        following[length] += 1
    return codes


class BitWriter:
    """Collects a stream of bits, given as strings of 0 and 1 in stream order.

    Joining strings and reading them as one binary number is the fastest way from bits to bytes that plain Python has:
    the work for each bit is done in C, and linear as the base is a power of two.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._rest = ""

    def add(self, bits: str) -> None:
        """Append *bits*."""
        bits = self._rest + bits
        whole = len(bits) & ~7
        if whole:
            self._bytes += int(bits[whole - 1 :: -1], 2).to_bytes(whole >> 3, "little")
        self._rest = bits[whole:]

    def align(self) -> None:
        """Fill up the byte that is begun, if any, with zeros."""
        self.add("0" * (-len(self._rest) % 8))

    def add_bytes(self, data: bytes) -> None:
        """Append whole bytes, on a byte boundary."""
        assert not self._rest
        self._bytes += data

    def result(self) -> bytes:
        """Return all bytes, the last one filled up with zeros."""
        self.align()
        return bytes(self._bytes)
