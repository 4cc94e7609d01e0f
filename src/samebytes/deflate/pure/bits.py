"""Bits to bytes, in the order of RFC 1951 section 3.1.1: a byte's least significant bit comes first."""

from __future__ import annotations

from collections.abc import Iterable


def number(value: int, width: int) -> str:
    """Write *value* as a deflate stream has numbers: least significant bit first, in *width* bits."""
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
