"""The encoder in plain Python against C: the same bytes, whatever the contents, the window and the end.

These are the boundaries. ``tests/fuzz/deflate.py`` goes on from there, for as long as one likes.
"""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

import pytest
from support.deflate_inputs import (
    FULL,
    NOT_STOCK,
    REACH,
    SEGMENT,
    STOCK_ZLIB,
    WINDOW,
    inflated,
    meeting,
    noise,
    patchwork,
    periodic,
    records,
    repeated,
    segments,
    unmatched,
    words,
    zlib_segment,
)

from samebytes.deflate.pure import encode_segment

against_zlib = pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
BOTH = pytest.mark.parametrize("last", [True, False], ids=["finished", "flushed"])


def check(segment: bytes, window: bytes = b"", last: bool = True) -> None:
    """Say which contents differ by their digest, as pytest would take minutes to compare the bytes."""
    ours, theirs = encode_segment(segment, window, last), zlib_segment(segment, window, last)
    digest = hashlib.sha256(window + segment).hexdigest()
    assert (ours == theirs) is True, f"segment of {len(segment)} after {len(window)}, last={last}, sha256={digest}"


def test_nothing() -> None:
    assert encode_segment(b"", b"", True) == b"\x03\x00"
    assert encode_segment(b"", b"", False) == b"\x00\x00\x00\xff\xff"
    assert encode_segment(b"", b"abc", True) == b"\x03\x00"


@pytest.mark.parametrize(
    ("segment", "window", "last", "digest"),
    [
        (b"the quick brown fox " * 50, b"", True, "136b2dbfdfb99c87e64e3af5716876e87d37725ff4470e8b0075a1da4553ffda"),
        (bytes(range(256)) * 40, b"", False, "079354ea44040a50ad1242006fd2f7f088cd2f88a07185ba8726887d9dac8b8d"),
        (
            b"the quick brown fox " * 50,
            b"the quick " * 3000,
            True,
            "6e25e2fd5ed4a58226b6ce5d893017802346cc925547bed845b57b3bddfa0341",
        ),
        (bytes(70_000), b"", True, "5de73a93ed1d02e62a25d5f5bb9927bb9563ea9c2ba2dc32d78e45a323bc7b38"),
    ],
)
def test_specified_bytes(segment: bytes, window: bytes, last: bool, digest: str) -> None:
    """These hold under any zlib, as nothing of it is used."""
    made = encode_segment(segment, window, last)
    assert inflated(made, window) == segment
    assert hashlib.sha256(made).hexdigest() == digest


@against_zlib
@BOTH
def test_every_small_size(last: bool) -> None:
    text, random = words(300), noise(300)
    for size in [*range(80), *range(256, 264), 300]:
        check(text[:size], last=last)
        check(random[:size], last=last)


@against_zlib
def test_runs_of_every_small_length() -> None:
    for length in [*range(1, 40), *range(120, 140), *range(250, 270), *range(510, 525)]:
        check(b"\0" * length)
        check(b"ab" + b"\xff" * length + b"ba")
        check(b"x" * length, b"x" * 5, last=False)


@against_zlib
def test_every_small_period() -> None:
    for period in range(1, 140):
        check(periodic(period, 700, seed=period))
    for period in (1, 2, 3, 7, 127, 128, 129, 255, 256, 257, 258, 259, 4096, 32_505, 32_506, 32_507, 32_767, 32_768):
        check(periodic(period, max(3 * period, 1000), seed=period) + b"!")


@against_zlib
@pytest.mark.parametrize("length", [3, 4, 5, 16, 130, 257, 258, 259])
@pytest.mark.parametrize("distance", [1, 2, 3, 4, 255, 256, 257, 4095, 4096, 4097, 8192, 16_384, 16_385])
def test_a_match_at_each_kind_of_distance(distance: int, length: int) -> None:
    check(repeated(distance, length, seed=distance))


@against_zlib
@pytest.mark.parametrize("length", [3, 4, 258])
@pytest.mark.parametrize("distance", [*range(REACH - 2, REACH + 3), WINDOW - 1, WINDOW, WINDOW + 1])
def test_a_match_at_the_edge_of_the_window(distance: int, length: int) -> None:
    data = repeated(distance, length)
    check(data)
    check(periodic(6, 40_000) + data)


@against_zlib
@pytest.mark.parametrize("between", [0, 31, 32, 33, 126, 127, 128, 129])
@pytest.mark.parametrize("distance", [2000, REACH, REACH + 1])
def test_a_match_at_the_end_of_a_chain(between: int, distance: int) -> None:
    data = b"." + meeting(between, distance)
    check(data + b"!")
    # The match before has to be beaten, so the search is shorter.
    check(b"0123456789\x21" + data + b"0123456789\x21bcdefghij!")


@against_zlib
@BOTH
@pytest.mark.parametrize("values", [64, 256], ids=["packed", "stored"])
@pytest.mark.parametrize("size", [*range(FULL - 2, FULL + 3), 2 * FULL - 1, 2 * FULL])
def test_blocks_of_literals(size: int, values: int, last: bool) -> None:
    data = unmatched(size, values=values)
    check(data, last=last)
    check(data + data[-3:], last=last)
    check(data + data[-3:] + b"?", last=last)
    check(data[:-1] + data[-4:-1], last=last)


@against_zlib
@pytest.mark.parametrize("size", [65_534, 65_535, 65_536, 200_000])
def test_contents_that_have_to_be_stored(size: int) -> None:
    check(noise(size))
    check(noise(size), noise(WINDOW, seed=1), last=False)


@against_zlib
@BOTH
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 258, REACH, WINDOW - 1, WINDOW, WINDOW + 1])
def test_windows_of_every_kind(size: int, last: bool) -> None:
    window = unmatched(size)
    for segment in (b"", b"?", b"??", window[:3], window[:300], window[-300:], window[-2:] + b"?", window[-1:] * 300):
        check(segment, window, last)
        check(segment + b"-" + window[:300] + window[1:20] + window[-20:], window, last)
    check(words(3000), words(size, seed=1), last)


@against_zlib
def test_the_first_byte_of_a_window_is_never_found() -> None:
    window = unmatched(1000)
    assert len(encode_segment(window[1:200], window, True)) == len(encode_segment(window[:200], window, True)) - 1
    check(window[:200], window)
    check(window[1:200], window)
    check(b"-" + window[:200], b"")


@against_zlib
@pytest.mark.parametrize("ahead", [3, 10, 261, 262])
@pytest.mark.parametrize("moved", [-1, 0, 1])
@pytest.mark.parametrize("window", [0, 1000, 40_000])
def test_a_match_where_the_window_moves_on(window: int, moved: int, ahead: int) -> None:
    """At the end zlib moves its window as soon as it may, and loses the position that becomes the window's first."""
    first = max(window - WINDOW, 0)  # zlib takes no more than WINDOW
    for times in (1,) if window else (1, 2):
        at = first + times * WINDOW + REACH + moved
        string = b"\xf0\xf1\xf2\xf3"[:ahead]
        data = bytes(at - REACH) + string + bytes(REACH - len(string)) + string + bytes(ahead - len(string))
        check(data[window:], data[:window])
        check(data[window:], data[:window], last=False)


@against_zlib
@pytest.mark.parametrize("distance", range(REACH - 1, REACH + 2))
@pytest.mark.parametrize("before", [40_000, WINDOW, 2 * WINDOW])
@pytest.mark.parametrize("ahead", [5, 261, 262])
def test_a_longer_match_at_the_edge_of_the_window(before: int, distance: int, ahead: int) -> None:
    """It is one byte after a shorter match that is near, so it is found by the second search.

    Its first three bytes have been there more often than the others, so the others lead to it sooner.
    """
    begin = b"?\xf0\xf1\xf2".ljust(before, b"\0")
    between = bytes(distance - 24) + b"\xef\xf0\xf1" + bytes(14) + b"?\xef"
    data = begin + b"\xf0\xf1\xf2\xf3\xf4" + between + b"\xf0\xf1\xf2\xf3\xf4" + bytes(ahead - 5)
    check(data)
    check(data, last=False)


@against_zlib
@pytest.mark.parametrize("distance", [1, 2, 3, 4, 5, 8, 9])
def test_one_distance_code_alone(distance: int) -> None:
    literals = unmatched(4000, values=48)
    check(literals + repeated(distance, 5))
    check(literals + repeated(distance, 5) + literals[:9])


@against_zlib
@pytest.mark.parametrize(
    ("data", "size"),
    [(words(50_000) * 21, SEGMENT), (records(300_000), SEGMENT // 8), (patchwork(300_001, seed=1), 100_000)],
    ids=["words", "records", "patchwork"],
)
def test_segments_of_one_stream(data: bytes, size: int) -> None:
    for segment, window, last in segments(data, size):
        check(segment, window, last)


def real_files() -> list[Path]:
    """Return a few big and small files that each interpreter brings along."""
    library = Path(sysconfig.get_path("stdlib"))
    texts = sorted(library.glob("[a-d]*.py"))
    shared = sorted(library.glob("lib-dynload/*.so"), key=lambda path: path.stat().st_size)
    return texts[::8] + shared[::16] + shared[-1:]


@against_zlib
def test_real_files() -> None:
    paths = real_files()
    assert paths
    for path in paths:
        for segment, window, last in segments(path.read_bytes()[: SEGMENT // 8], SEGMENT // 16):
            check(segment, window, last)


@against_zlib
@pytest.mark.parametrize("seed", range(44))
def test_mixtures(seed: int) -> None:
    data = patchwork(100 << seed % 11, seed)
    for segment, window, last in segments(data, max(1, len(data) * (seed % 5 + 1) // 5)):
        check(segment, window, last)
