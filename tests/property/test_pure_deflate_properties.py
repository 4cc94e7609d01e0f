"""The rule of the encoder in plain Python: whatever it is given, it says the same as stock zlib, to the bit.

The environment variable SAMEBYTES_FUZZ_EXAMPLES tells how many examples each test draws.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.deflate_inputs import NOT_STOCK, STOCK_ZLIB, inflated, patchwork, zlib_segment
from support.examples import examples

from samebytes.deflate.pure import encode_segment

FEW = settings(max_examples=examples(int(os.environ.get("SAMEBYTES_FUZZ_EXAMPLES", "200"))), deadline=None)

SMALL = st.binary(max_size=300)
POOR = st.lists(st.sampled_from([0, 1, 2, 32, 255]), max_size=2000).map(bytes)
COPIES = st.tuples(st.integers(1, 40_000), st.integers(1, 600))
RUNS = st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 300)).map(lambda run: run[0] * run[1])
MIXTURES = st.builds(patchwork, st.integers(0, 50_000), st.integers(0, 10**6))


@st.composite
def copying(draw: st.DrawFn) -> bytes:
    """Pieces of all kinds, and copies of what came before."""
    made = bytearray(draw(MIXTURES))
    for piece in draw(st.lists(SMALL | RUNS | COPIES, max_size=12)):
        if isinstance(piece, bytes):
            made += piece
        else:
            distance, length = piece
            made += made[-distance:][:length]
    return bytes(made)


CONTENTS = SMALL | POOR | RUNS | copying()


@pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
@given(CONTENTS, CONTENTS, st.booleans())
@FEW
def test_the_bytes_are_those_of_stock_zlib(segment: bytes, window: bytes, last: bool) -> None:
    assert encode_segment(segment, window, last) == zlib_segment(segment, window, last)


@pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
@given(copying(), st.integers(0, 40_000), st.booleans())
@FEW
def test_so_they_are_where_the_window_is_what_was_just_before(data: bytes, cut: int, last: bool) -> None:
    assert encode_segment(data[cut:], data[:cut], last) == zlib_segment(data[cut:], data[:cut], last)


@given(CONTENTS, st.lists(st.integers(0, 3000), max_size=4))
@FEW
def test_parts_make_one_stream_that_says_what_went_in(data: bytes, sizes: list[int]) -> None:
    stream = b""
    at = 0
    for size in sizes:
        stream += encode_segment(data[at : at + size], data[:at], False)
        at += size
    stream += encode_segment(data[at:], data[:at], True)
    assert inflated(stream, b"") == data
