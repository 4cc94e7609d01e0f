"""The canonical deflate stream: one stream for one contents, made as specified, readable by anybody."""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Iterator

import pytest

from samebytes.deflate.providers import by_zlib
from samebytes.deflate.stream import SEGMENT_SIZE, WINDOW_SIZE, Encoder, compress

SYNC_MARKER = b"\x00\x00\xff\xff"
STOCK_ZLIB = "ng" not in zlib.ZLIB_RUNTIME_VERSION


def text(size: int) -> bytes:
    """Contents that compress about as source code does, the same on every Python."""
    words = [hashlib.sha256(b"%d" % number).hexdigest()[: 3 + number % 9].encode() for number in range(997)]
    out = bytearray()
    state = 1
    while len(out) < size:
        state = state * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF
        out += words[(state >> 33) % len(words)] + b" "
    return bytes(out[:size])


def packed(data: bytes) -> bytes:
    return b"".join(compress([data], Encoder()))


@pytest.mark.parametrize(
    "size", [0, 1, 100, WINDOW_SIZE, SEGMENT_SIZE - 1, SEGMENT_SIZE, SEGMENT_SIZE + 1, 2 * SEGMENT_SIZE, 2_500_000]
)
def test_stream_is_ordinary_deflate_with_one_segment_a_mebibyte(size: int) -> None:
    data = text(size)
    pieces = list(compress([data], Encoder()))
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(b"".join(pieces)) == data
    assert inflater.eof
    assert inflater.unused_data == b""
    assert len(pieces) == max(1, -(-size // SEGMENT_SIZE))
    assert all(piece.endswith(SYNC_MARKER) for piece in pieces[:-1])
    # Each sync flush ends on a byte, so the pieces so far give exactly the segments so far.
    inflater = zlib.decompressobj(-15)
    assert [len(inflater.decompress(piece)) for piece in pieces[:-1]] == [SEGMENT_SIZE] * (len(pieces) - 1)


def test_nothing_is_the_empty_final_block() -> None:
    assert packed(b"") == b"\x03\x00"
    assert b"".join(compress([], Encoder())) == b"\x03\x00"
    assert b"".join(compress([b"", b""], Encoder())) == b"\x03\x00"


@pytest.mark.parametrize("cut", [1 << 16, 65_537, SEGMENT_SIZE - 1, SEGMENT_SIZE, SEGMENT_SIZE + 1, 3 * SEGMENT_SIZE])
def test_stream_does_not_depend_on_how_the_contents_are_cut(cut: int) -> None:
    data = text(2 * SEGMENT_SIZE + 12_345)
    assert b"".join(compress((data[at : at + cut] for at in range(0, len(data), cut)), Encoder())) == packed(data)


def test_empty_chunks_make_no_segment() -> None:
    data = text(SEGMENT_SIZE)
    assert list(compress([b"", data, b""], Encoder())) == list(compress([data], Encoder()))


def test_later_segments_refer_to_the_window_before_them() -> None:
    noise = random.Random(1).randbytes(WINDOW_SIZE // 2)
    data = bytes(SEGMENT_SIZE - len(noise)) + noise + noise
    first, second = compress([data], Encoder())
    assert len(first) > len(noise)
    assert len(second) < 1000


def test_a_stream_is_used_as_its_chunks_come() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(SEGMENT_SIZE)

    next(iter(compress(endless(), Encoder())))
    assert taken <= 3


@pytest.mark.skipif(not STOCK_ZLIB, reason=f"zlib {zlib.ZLIB_RUNTIME_VERSION} is not stock zlib")
@pytest.mark.parametrize(
    ("size", "digest"),
    [
        (1, "f297bb0b79e283ac5d0481d1d0073ae7b5565126799f3c094991f4f2d3e86c3b"),
        (10_000, "9891e7987107d173c7875e4b151416c2e60010f8c3c48649eac69eea3cc591d3"),
        (SEGMENT_SIZE, "b0597f2cbf87291e4ad4305d00f6502e7e7b792b4ccb8dd13d04f12db73b426a"),
        (2_500_000, "29489d9fd3d5a9476ac917b26d568f28cbec3a2dedfa538f35ba8a1af3af6fcc"),
    ],
)
def test_stock_zlib_gives_the_specified_bytes(size: int, digest: str) -> None:
    assert hashlib.sha256(packed(text(size))).hexdigest() == digest


def shuffled(size: int) -> bytes:
    """Contents made of short far matches, which take more bits a symbol than any other."""
    chance = random.Random(5)
    data = bytearray(random.Random(2).randbytes(1 << 15))
    while len(data) < size:
        distance = chance.randrange(8000, 32000)
        data += data[-distance:][: chance.randrange(4, 12)]
    return bytes(data[:size])


@pytest.mark.skipif(not STOCK_ZLIB, reason=f"zlib {zlib.ZLIB_RUNTIME_VERSION} is not stock zlib")
@pytest.mark.parametrize(
    ("data", "sizes"),
    [
        # Python 3.9 gives zlib a buffer of 16 KiB: 16,374 to 16,378 random bytes, stored, fill it exactly.
        (random.Random(2).randbytes(16_384), range(16_368, 16_384)),
        # Since 3.10 it is 32 KiB, which stored contents cannot fill with one flush.
        (shuffled(141_272), range(141_236, 141_272)),
    ],
    ids=["16 KiB", "32 KiB"],
)
def test_the_sync_marker_is_never_repeated(data: bytes, sizes: range) -> None:
    for size in sizes:
        plain = zlib.compressobj(6, zlib.DEFLATED, -15, 8)
        flushed = plain.compress(data[:size]) + plain.flush(zlib.Z_SYNC_FLUSH)
        ours = by_zlib().encode(data[:size], b"", False)
        assert zlib.decompressobj(-15).decompress(ours) == data[:size]
        assert flushed in (ours, ours + b"\x00" + SYNC_MARKER)
        assert not ours.endswith(SYNC_MARKER + b"\x00" + SYNC_MARKER)
