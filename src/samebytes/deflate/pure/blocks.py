"""From symbols to blocks (RFC 1951 section 3.2): where they end, how each one is written, and the bits of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import mul

from . import rfc1951
from .huffman import code_lengths
from .parse import LENGTH, LENGTH_BITS
from .rfc1951 import BitWriter, number, prefix_codes

FULL = (1 << 14) - 1
"""How many symbols a block has at most: zlib's buffer holds 2 ** (memLevel + 6) and is never filled up."""

# What a block's type is called in its head (section 3.2.3).
STORED, FIXED, DYNAMIC = range(3)

MATCH = 256
"""Within a block, the symbol of a match is its length and that much; its distance is kept apart."""


def cut(symbols: list[int], last: bool) -> Iterator[tuple[list[int], bool]]:
    """Give the symbols of each block, and whether it is the final one of the stream; with *last*, one of them is.

    A block ends when it is full. Only a literal at the very end comes after zlib has stopped to look for that; a match
    there ends the block, and the stream is finished by another one without any symbols.
    """
    at = 0
    while len(symbols) - at > FULL or (len(symbols) - at == FULL and symbols[-1] > LENGTH):
        yield symbols[at : at + FULL], False
        at += FULL
    if last or at < len(symbols):
        yield symbols[at:], last


def write_block(writer: BitWriter, symbols: list[int], data: bytes, start: int, final: bool) -> int:
    """Write the block that stands for *data* from *start* on in the way that zlib takes; return where it stops.

    zlib compares whole bytes: fixed codes where they are not longer than dynamic ones, and stored bytes where these,
    with the four bytes of their length, are not longer than either. (More than 65535 bytes cannot be stored, nor what
    has left zlib's window already. Neither ever comes up: fixed codes spend at most 9 bits on a literal and 22 on a
    match of three bytes, and save more on each longer one. So at least two thirds of FULL symbols are literals wherever
    they do not save anything, and the block stands for less than 27 KiB.)
    """
    distances = [symbol >> LENGTH_BITS for symbol in symbols if symbol > LENGTH]
    symbols = [MATCH + (symbol & LENGTH) if symbol > LENGTH else symbol for symbol in symbols]
    counts = Counter(symbols)
    stop = start + sum(n * (symbol - MATCH if symbol > MATCH else 1) for symbol, n in counts.items())
    symbol_counts = _symbol_counts(counts)
    distance_codes = bytes(map(rfc1951.DISTANCE_CODE.__getitem__, distances))
    distance_counts = [distance_codes.count(code) for code in range(len(rfc1951.DISTANCE_EXTRA))]
    symbol_lengths = code_lengths(symbol_counts, rfc1951.LONGEST_CODE)
    distance_lengths = code_lengths(distance_counts, rfc1951.LONGEST_CODE)
    head = _head(symbol_lengths, distance_lengths)
    # The extra bits are the same whatever the codes are.
    extra = _bits(symbol_counts[rfc1951.FIRST_LENGTH :], rfc1951.LENGTH_EXTRA) + _bits(
        distance_counts, rfc1951.DISTANCE_EXTRA
    )
    fixed = _bits(symbol_counts, rfc1951.FIXED_SYMBOL_LENGTHS) + _bits(distance_counts, rfc1951.FIXED_DISTANCE_LENGTHS)
    dynamic = len(head) + _bits(symbol_counts, symbol_lengths) + _bits(distance_counts, distance_lengths)
    fixed_size, dynamic_size = _block_size(fixed + extra), _block_size(dynamic + extra)
    if stop - start + 4 <= min(fixed_size, dynamic_size):
        _write_stored(writer, data[start:stop], final)
    elif fixed_size <= dynamic_size:
        writer.add(number(final, 1) + number(FIXED, 2))
        _write_symbols(writer, symbols, distances, rfc1951.FIXED_SYMBOL_LENGTHS, rfc1951.FIXED_DISTANCE_LENGTHS)
    else:
        writer.add(number(final, 1) + number(DYNAMIC, 2) + head)
        _write_symbols(writer, symbols, distances, symbol_lengths, distance_lengths)
    return stop


def write_marker(writer: BitWriter) -> None:
    """Write a sync marker: a stored block of nothing, after which the stream is on a byte."""
    _write_stored(writer, b"", final=False)


def _symbol_counts(counts: Mapping[int, int]) -> list[int]:
    """Return how often the block has each code of literals and lengths."""
    # The end of the block comes once.
    codes = [counts.get(literal, 0) for literal in range(rfc1951.END_OF_BLOCK)] + [1] + [0] * len(rfc1951.LENGTH_EXTRA)
    for symbol, n in counts.items():
        if symbol > MATCH:
            codes[rfc1951.FIRST_LENGTH + rfc1951.LENGTH_CODE[symbol - MATCH]] += n
    return codes


def _bits(counts: Sequence[int], widths: Sequence[int]) -> int:
    """Return how many bits these codes take, each that wide."""
    return sum(map(mul, counts, widths))


def _block_size(bits: int) -> int:
    """Return how many bytes a block takes with that much after its first three bits, as if it began on a byte."""
    return (3 + bits + 7) // 8


def _write_stored(writer: BitWriter, data: bytes, final: bool) -> None:
    """Write *data* as it is (section 3.2.4)."""
    writer.add(number(final, 1) + number(STORED, 2))
    writer.align()
    size = len(data)
    # The length is followed by its one's complement.
    writer.add_bytes(size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data)


def _write_symbols(
    writer: BitWriter,
    symbols: list[int],
    distances: list[int],
    symbol_lengths: Sequence[int],
    distance_lengths: Sequence[int],
) -> None:
    """Write all *symbols*, a distance after each match, and the end of the block.

    Every different one is spelled once. Matches are spelled with a place to fill in the distance.
    """
    codes = prefix_codes(symbol_lengths)
    spelled = dict(enumerate(codes[: rfc1951.END_OF_BLOCK]))
    for symbol in set(symbols):
        if symbol > MATCH:
            code = rfc1951.LENGTH_CODE[symbol - MATCH]
            extra = number(symbol - MATCH - rfc1951.LEAST_LENGTH[code], rfc1951.LENGTH_EXTRA[code])
            spelled[symbol] = f"{codes[rfc1951.FIRST_LENGTH + code]}{extra}%s"
    codes_of_distances = prefix_codes(distance_lengths)
    ways = {}
    for distance in set(distances):
        code = rfc1951.DISTANCE_CODE[distance]
        extra = number(distance - rfc1951.LEAST_DISTANCE[code], rfc1951.DISTANCE_EXTRA[code])
        ways[distance] = codes_of_distances[code] + extra
    text = "".join(map(spelled.__getitem__, symbols))
    writer.add(text % tuple(map(ways.__getitem__, distances)) + codes[rfc1951.END_OF_BLOCK])


def _head(symbol_lengths: list[int], distance_lengths: list[int]) -> str:
    """Return the bits that transmit the code lengths of a dynamic block (section 3.2.7)."""
    runs = [*_runs(symbol_lengths), *_runs(distance_lengths)]
    counts = [0] * len(rfc1951.HEAD_EXTRA)
    for code, _ in runs:
        counts[code] += 1
    lengths = code_lengths(counts, rfc1951.LONGEST_HEAD_CODE)
    lengths += [0] * (len(counts) - len(lengths))
    codes = prefix_codes(lengths)
    # In this order the least used ones come last, where they need not be sent; but four are, always.
    sent = [lengths[code] for code in rfc1951.ORDER_IN_HEAD]
    while len(sent) > 4 and not sent[-1]:
        sent.pop()
    sizes = (
        number(len(symbol_lengths) - rfc1951.FIRST_LENGTH, 5)
        + number(len(distance_lengths) - 1, 5)
        + number(len(sent) - 4, 4)
    )
    return (
        sizes
        + "".join(number(length, 3) for length in sent)
        + "".join(codes[code] + number(repeated, rfc1951.HEAD_EXTRA[code]) for code, repeated in runs)
    )


def _runs(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Give the codes for these code lengths, with the value of their extra bits (section 3.2.7).

    Code 16 repeats the length before it 3 to 6 times; 17 and 18 stand for 3 to 10 and for 11 to 138 zeros. zlib takes
    as many as it can at a time; what is left over may be too few for a code. And unlike the format, which would allow
    it, it never lets a run go on from the lengths of the one alphabet to those of the other.
    """
    for length, equal in groupby(lengths):
        left = sum(1 for _ in equal)
        if length:
            yield length, 0
            left -= 1
        longest = 6 if length else 138
        while left > 2:
            taken = min(left, longest)
            if length:
                yield 16, taken - 3
            elif taken <= 10:
                yield 17, taken - 3
            else:
                yield 18, taken - 11
            left -= taken
        for _ in range(left):
            yield length, 0
