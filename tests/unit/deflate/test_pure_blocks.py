"""Blocks and codes alone, against a zlib that looks for no matches: any frequencies of literals can be had."""

from __future__ import annotations

import random

import pytest
from support.deflate_inputs import (
    FULL,
    NOT_STOCK,
    STOCK_ZLIB,
    fibonacci,
    literals_only,
    noise,
    shuffled,
    unlimited_depth,
    zlib_literals_only,
)

from samebytes.deflate.pure.blocks import _runs
from samebytes.deflate.pure.huffman import code_lengths
from samebytes.deflate.pure.rfc1951 import BitWriter, number, prefix_codes

against_zlib = pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)


def check(data: bytes) -> None:
    assert (literals_only(data) == zlib_literals_only(data)) is True, data[:100]


@against_zlib
@pytest.mark.parametrize("count", range(1, 20))
def test_frequencies_that_make_the_deepest_tree(count: int) -> None:
    frequencies = fibonacci(count)[1:]  # the end of the block counts 1, too
    for first in (0, 1, 100, 200, 256 - count):
        check(shuffled([0] * first + frequencies))
        check(shuffled([0] * first + frequencies[::-1]))
        check(shuffled([0] * first + [1 + frequency for frequency in frequencies]))


def test_those_frequencies_go_beyond_the_limit() -> None:
    assert unlimited_depth(fibonacci(19)) == 18
    assert sum(fibonacci(19)) < FULL
    assert max(code_lengths(fibonacci(19), 20)) == 18
    assert max(code_lengths(fibonacci(19), 15)) == 15


@against_zlib
def test_trees_that_are_too_deep_by_a_little_or_a_lot() -> None:
    depths = set()
    for seed in range(120):
        chance = random.Random(seed)
        growth = chance.uniform(1.6, 2)
        frequencies = [int(growth**power) + 1 for power in range(20) if growth**power < 4500]
        frequencies += [chance.randrange(1, 3) for _ in range(chance.choice((0, 1, 2, 5, 20, 100)))]
        chance.shuffle(frequencies)
        data = shuffled(frequencies)
        assert len(data) < FULL
        depths.add(unlimited_depth([*frequencies, 1]))
        check(data)
    assert depths >= {13, 14, 15, 16}


def sent_code_lengths(frequencies: list[int]) -> list[int]:
    """Return how often each code is used that transmits code lengths: the frequencies of the third alphabet."""
    runs = [*_runs(code_lengths(frequencies, 15)), *_runs(code_lengths([0] * 30, 15))]
    codes = [code for code, _ in runs]
    return [codes.count(code) for code in range(19)]


@against_zlib
def test_code_lengths_whose_own_tree_is_too_deep() -> None:
    """Numbers of codes that grow as Fibonacci's, from one code of two bits on, make a complete code, and a deep tree."""
    depths = []
    for seed in range(50):
        chance = random.Random(seed)
        frequencies = [1 << (14 - length) for length, count in enumerate(fibonacci(12), 2) for _ in range(count)]
        frequencies = frequencies[: chance.randrange(100, 256)]
        chance.shuffle(frequencies)
        data = shuffled(frequencies)[: FULL - 1]
        depths.append(unlimited_depth(sent_code_lengths([*frequencies, *[0] * (256 - len(frequencies)), 1])))
        check(data)
    assert sum(depth > 7 for depth in depths) > 10


@against_zlib
def test_one_or_two_different_bytes() -> None:
    for values in ([0], [1], [2], [3], [255], [0, 1], [1, 2], [0, 255], [143, 144]):
        for size in (1, 2, 3, 4, 5, 10, 100, 5000):
            frequencies = [0] * 256
            for value in values:
                frequencies[value] = size
            check(shuffled(frequencies))


@against_zlib
def test_every_number_of_different_bytes() -> None:
    for values in range(1, 257):
        check(noise(400, seed=values, values=values))
        check(bytes(range(values)) * 3)


@against_zlib
def test_sizes_at_which_a_block_is_as_long_stored_or_fixed_or_dynamic() -> None:
    for size in [*range(1, 130), *range(500, 530), *range(1000, 1020)]:
        for values in (2, 20, 100, 144, 200, 256):
            check(noise(size, seed=size, values=values))
        check(bytes(144 + value % 112 for value in noise(size, seed=size)))


@against_zlib
def test_ties() -> None:
    """All frequencies equal, or nearly: then the order of the heap alone decides."""
    chance = random.Random(2)
    for count in [2, 3, 5, 17, 100, 143, 200, 255, 256]:
        for _ in range(6):
            check(shuffled([chance.choice((1, 1, 2, 4, 8)) for _ in range(count)]))
            check(shuffled([chance.choice((30, 31)) for _ in range(count)]))


def test_codes_of_the_standard() -> None:
    """The example of RFC 1951 section 3.2.2."""
    assert prefix_codes([3, 3, 3, 3, 3, 2, 4, 4]) == ["010", "011", "100", "101", "110", "00", "1110", "1111"]
    assert prefix_codes([1, 0, 1]) == ["0", "", "1"]
    assert prefix_codes([]) == []


def test_numbers_begin_with_the_least_significant_bit() -> None:
    assert [number(value, 3) for value in range(5)] == ["000", "100", "010", "110", "001"]
    assert number(0, 0) == ""
    assert number(4097, 13) == "1000000000001"


def test_bits_fill_bytes_from_the_least_significant_on() -> None:
    writer = BitWriter()
    writer.add("1")
    writer.add("")
    writer.add("0100000" + "1111")
    writer.align()
    writer.align()
    writer.add_bytes(b"\x80")
    writer.add("01")
    assert writer.result() == b"\x05\x0f\x80\x02"
