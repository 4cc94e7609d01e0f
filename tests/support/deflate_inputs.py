"""Contents that drive a deflate encoder to its edges: each builder aims at one of zlib's limits or tie-breaks.

And how zlib, and our encoder, can be asked for what is compared.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush

from samebytes.deflate.pure.blocks import cut, write_block
from samebytes.deflate.pure.rfc1951 import BitWriter

STOCK_ZLIB = "ng" not in zlib.ZLIB_RUNTIME_VERSION
NOT_STOCK = f"zlib {zlib.ZLIB_RUNTIME_VERSION} is not stock zlib"

SEGMENT = 1 << 20
WINDOW = 1 << 15
FULL = (1 << 14) - 1
"""Symbols in a full block at memLevel 8."""

REACH = WINDOW - 262
"""zlib's MAX_DIST."""


def zlib_segment(segment: bytes, window: bytes, last: bool) -> bytes:
    """Return what the interpreter's zlib makes of *segment*: in one call, and flushed as the canonical stream says."""
    primed = (window,) if window else ()
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, *primed)
    head = compressor.compress(segment)
    if last:
        return head + compressor.flush(zlib.Z_FINISH)
    return head + compressor.flush(zlib.Z_BLOCK) + compressor.flush(zlib.Z_SYNC_FLUSH)


def zlib_literals_only(data: bytes) -> bytes:
    """Return what the interpreter's zlib makes of *data* if it looks for no matches: nothing but blocks and codes."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_HUFFMAN_ONLY)
    return compressor.compress(data) + compressor.flush()


def literals_only(data: bytes) -> bytes:
    """Return what our encoder makes of *data* then."""
    writer = BitWriter()
    start = 0
    for symbols, final in cut(list(data), last=True):
        start = write_block(writer, symbols, data, start, final)
    assert start == len(data)
    return writer.result()


def inflated(part: bytes, window: bytes) -> bytes:
    """Return what a part of a raw stream says, after *window*."""
    return zlib.decompressobj(-15, zdict=window[-WINDOW:]).decompress(part)


def noise(size: int, seed: int = 0, values: int = 256) -> bytes:
    """Return random bytes of that many different values."""
    return bytes(random.Random(seed).choices(range(values), k=size))


@lru_cache(maxsize=32)
def unmatched(size: int, seed: int = 0, values: int = 256, known: bytes = b"") -> bytes:
    """Return random bytes in which no three are ever repeated, nor any three of *known*: nothing but literals."""
    made = bytearray(known)
    seen = {bytes(known[at : at + 3]) for at in range(len(known) - 2)}
    chance = random.Random(seed)
    while len(made) < len(known) + size:
        for value in chance.choices(range(values), k=len(known) + size - len(made)):
            made.append(value)
            string = bytes(made[-3:])
            if string in seen:
                made.pop()
            elif len(string) == 3:
                seen.add(string)
    return bytes(made[len(known) :])


def repeated(distance: int, length: int, seed: int = 0) -> bytes:
    """Return literals and then one string of that *length* that was there before at that *distance*, and only there.

    They are of few enough values that the block is not stored, which would hide the match.
    """
    begin = unmatched(1 + distance, seed, 64)  # zlib never finds what begins at the first byte
    string = begin[1:] * (length // distance + 1)
    return begin + string[:length] + bytes([string[length] ^ 0x55])


def meeting(chain_length: int, distance: int) -> bytes:
    """Return a string that comes again after *distance*, with that many others of the same hash between."""
    # Bytes that differ in the three high bits only have the same hash as the first of three.
    others = b"".join(bytes([0x21 + 32 * (at % 3 + 1)]) + b"bc" + b"%04d" % at for at in range(chain_length))
    begin = b"\x21bcdefghij"
    return begin + others + unmatched(distance - len(begin) - len(others), known=begin + others) + begin


def periodic(period: int, size: int, seed: int = 0) -> bytes:
    """Return the same few bytes again and again."""
    return (noise(period, seed) * (size // period + 1))[:size]


def words(size: int, seed: int = 0, vocabulary: int = 400) -> bytes:
    """Return what compresses about as text does."""
    chance = random.Random(seed)
    letters = b"etaoinshrdlucmfwypvbgkqjxz"
    known = [bytes(chance.choices(letters, range(26, 0, -1), k=chance.randrange(1, 11))) for _ in range(vocabulary)]
    made = bytearray()
    while len(made) < size:
        made += known[min(int(chance.expovariate(4 / vocabulary)), vocabulary - 1)]
        made += chance.choice((b" ", b" ", b" ", b", ", b".\n", b"\n    "))
    return bytes(made[:size])


def records(size: int, seed: int = 0) -> bytes:
    """Return what looks like machine code or tables: short strings that often differ in one byte, and zeros."""
    chance = random.Random(seed)
    made = bytearray()
    while len(made) < size:
        made += bytes([0x48, 0x8B, chance.choice((0x05, 0x0D, 0x15)), chance.randrange(256), chance.randrange(4), 0, 0])
        if chance.random() < 0.2:
            made += bytes(chance.randrange(1, 40))
    return bytes(made[:size])


def patchwork(size: int, seed: int) -> bytes:
    """Return a mixture of all kinds, in pieces of all sizes, that copies itself from all distances."""
    chance = random.Random(seed)
    made = bytearray()
    values = chance.choice((2, 4, 20, 256))
    while len(made) < size:
        kind = chance.randrange(7)
        length = min(int(chance.paretovariate(0.7)), 3000)
        if kind == 0:
            made += bytes(chance.randrange(values) for _ in range(length))
        elif kind == 1:
            made += bytes([chance.randrange(values)]) * length
        elif kind == 2:
            made += periodic(chance.randrange(1, 12), length, chance.randrange(99))
        elif made:
            near = chance.choice((8, 300, 4100, REACH + 3, WINDOW + 3))
            distance = min(len(made), chance.randrange(1, near))
            made += (made[-distance:] * (length // distance + 1))[:length]
        if made and chance.random() < 0.3:
            made[-1] ^= 1 << chance.randrange(8)
    return bytes(made[:size])


def fibonacci(count: int) -> list[int]:
    """Return the frequencies whose Huffman code is the deepest: each is about the sum of all before it."""
    numbers = [1, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers


def shuffled(frequencies: Sequence[int], seed: int = 0) -> bytes:
    """Return each byte value as often as *frequencies* says, in random order."""
    made = [value for value, frequency in enumerate(frequencies) for _ in range(frequency)]
    random.Random(seed).shuffle(made)
    return bytes(made)


def unlimited_depth(frequencies: Sequence[int]) -> int:
    """Return how long the longest code of a Huffman code for *frequencies* would be without any limit."""
    heap = [(frequency, 0) for frequency in frequencies if frequency]
    heapify(heap)
    while len(heap) > 1:
        one, two = heappop(heap), heappop(heap)
        heappush(heap, (one[0] + two[0], max(one[1], two[1]) + 1))
    return heap[0][1]


def segments(data: bytes, size: int = SEGMENT) -> Iterator[tuple[bytes, bytes, bool]]:
    """Cut *data* as the canonical stream does: give each segment, the window before it, and whether it is the last."""
    cuts = range(0, max(len(data), 1), size)
    for at in cuts:
        yield data[at : at + size], data[max(0, at - WINDOW) : at], at == cuts[-1]
