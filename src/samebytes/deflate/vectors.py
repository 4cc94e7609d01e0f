"""Contents that compressors compress differently, made the same everywhere, and what stock zlib makes of them.

The generator uses SHAKE-128 (FIPS 202) as its only source of chance, so that it depends on no Python release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple


class Vector(NamedTuple):
    """One segment, as encoders are given it."""

    name: str
    segment: bytes
    window: bytes
    last: bool


DIGESTS = {
    "text that is longer than the window": "31bef2301b289ebb577bbdaab0157cf31f533d97037fde2e143aae4bacbaccb0",
    "records of binary numbers": "541f72b31086f01d6075dd5f1f03f06217e192c94056e76671e9b86bdc155976",
    "long runs": "94755422b62780056bc161ce788f8a7a5597e01bedc8675ca83ac01f163e10c7",
    "matches at many distances": "9384eaacbccc40e6dab82ef8eed2919da3dda5c3a14022677756617a3504bf77",
    "noise, which cannot be compressed": "6fb88e3fff83330d8f0ceaac2115a762e0ec5d8860bb1c36f3efd7e71ea7be87",
    "a segment primed by a whole window": "bd217c23137d271bef58b750aea8525d2a3307c69146f78508f77f30f049a865",
    "a last segment primed by little": "f076480b9af7f29014392bdc140239d84f5757c6dc38b5997513bebb170f6ee5",
    "a short text": "de17e896af70b291f035f74a1d210f6d0bff4b290cc9ba72e363a698eb063cbf",
}
"""The SHA-256 of what stock zlib makes of each vector."""


def vectors() -> Iterator[Vector]:
    """Give the vectors, those that distinguish most first; all together take some milliseconds to compress."""
    long = _text("words", 44_000)
    yield Vector("text that is longer than the window", long, b"", True)
    yield Vector("records of binary numbers", _records(1_000), b"", True)
    yield Vector("long runs", _runs(160), b"", True)
    yield Vector("matches at many distances", _echoes(36_000), b"", True)
    yield Vector("noise, which cannot be compressed", _noise("noise", 5_000), b"", True)
    yield Vector("a segment primed by a whole window", _text("more words", 9_000), long[-32_768:], False)
    yield Vector("a last segment primed by little", long[:700], long[200:500], True)
    yield Vector("a short text", long[:90], b"", True)


def _noise(seed: str, size: int) -> bytes:
    return hashlib.shake_128(seed.encode("ascii")).digest(size)


def _text(seed: str, size: int) -> bytes:
    """Words of a small language, every third one of the same sixteen: much like source code to a compressor."""
    spelled = _noise("letters", 256 * 9).hex().encode("ascii")
    words = [spelled[18 * number : 18 * number + 2 + number % 11] + b" " for number in range(256)]
    choice = bytearray(_noise(seed, size // 5))
    choice[::3] = bytes(number & 15 for number in choice[::3])
    return b"".join(map(words.__getitem__, choice))[:size]


def _records(count: int) -> bytes:
    """Rows of a counter, a small number, a flag and a constant: much like compiled tables."""
    small = _noise("records", count)
    return b"".join(b"%c\0%c%c\0\0\x7fELF" % (at & 255, at >> 8, value & 31) for at, value in enumerate(small))


def _runs(count: int) -> bytes:
    """Runs of equal bytes, from one to some thousands of them: longer than a match, and than a window."""
    chance = _noise("runs", 2 * count)
    return b"".join(chance[at : at + 1] * (chance[at + 1] ** 2 >> 4) for at in range(0, 2 * count, 2)) + bytes(40_000)


def _echoes(size: int) -> bytes:
    """Noise, and then pieces of it again, from everywhere within the window's reach and just out of it."""
    data = bytearray(_noise("echoes", 33_000))
    chance = _noise("places", 4 * 1024)
    at = 0
    while len(data) < size:
        place = len(data) - 33_000 + int.from_bytes(chance[at : at + 2], "little") % 33_000
        data += data[max(place, 0) :][: 3 + chance[at + 2] % 30]
        at += 4
    return bytes(data)
