"""gzip's framing: every header field, every way to be damaged, and the bytes that are written."""

from __future__ import annotations

import gzip as stdlib_gzip
import io
import struct
import zlib

import pytest
from support.tars import CANONICAL_GZIP, gz

from samebytes.archive import limits
from samebytes.archive.entry import CHUNK_SIZE, Aspect
from samebytes.archive.gzip import Gunzipped, gunzip, gzip_chunks
from samebytes.deflate.stream import Encoder, compress
from samebytes.errors import ArchiveError, HostileArchiveError

TEXT = b"same bytes, whoever builds\n" * 50


def unpack(data: bytes) -> tuple[bytes, Gunzipped]:
    sink = io.BytesIO()
    facts = gunzip(io.BytesIO(data), sink, "x.tar.gz", source_size=len(data))
    return sink.getvalue(), facts


def head(flags: int = 0, mtime: int = 0, effort: int = 0, system: int = 255, extra: bytes = b"") -> bytes:
    return struct.pack("<2sBBLBB", b"\x1f\x8b", 8, flags, mtime, effort, system) + extra


def with_header_crc(raw: bytes) -> bytes:
    return raw + struct.pack("<H", zlib.crc32(raw) & 0xFFFF)


def test_the_written_bytes_are_the_header_the_canonical_stream_the_crc_and_the_size() -> None:
    expected = CANONICAL_GZIP + b"".join(compress([TEXT], Encoder())) + struct.pack("<LL", zlib.crc32(TEXT), len(TEXT))
    assert b"".join(gzip_chunks([TEXT], Encoder())) == expected
    assert b"".join(gzip_chunks((bytes([byte]) for byte in TEXT), Encoder())) == expected
    assert stdlib_gzip.decompress(expected) == TEXT


def test_nothing_is_written_as_a_whole_gzip_file_too() -> None:
    data = b"".join(gzip_chunks([], Encoder()))
    assert stdlib_gzip.decompress(data) == b""
    assert unpack(data)[0] == b""


def test_a_canonical_file_has_no_deviation_and_its_stream_is_measured() -> None:
    data = b"".join(gzip_chunks([TEXT], Encoder()))
    plain, facts = unpack(data)
    assert plain == TEXT
    assert facts == Gunzipped(len(TEXT), len(data) - 18, zlib.crc32(data[10:-8]), ())


def test_streams_of_another_compressor_are_told_apart_by_their_crc() -> None:
    ours = unpack(b"".join(gzip_chunks([TEXT], Encoder())))[1]
    stored = zlib.compressobj(0, zlib.DEFLATED, -15)
    stream = stored.compress(TEXT) + stored.flush()
    theirs = unpack(CANONICAL_GZIP + stream + struct.pack("<LL", zlib.crc32(TEXT), len(TEXT)))[1]
    assert theirs.packed_size == len(stream)
    assert theirs.packed_crc != ours.packed_crc


@pytest.mark.parametrize(
    ("header", "details"),
    [
        (head(mtime=1700000000), ["gzip header: time 1700000000"]),
        (head(effort=2), ["gzip header: compression effort 2"]),
        (head(system=3), ["gzip header: system 3"]),
        (head(0x01), ["gzip header: flags 0x01"]),
        (head(0x08, extra=b"a.tar\0"), ["gzip header: file name 'a.tar'"]),
        (head(0x10, extra=b"hello\0"), ["gzip header: comment 'hello'"]),
        (with_header_crc(head(0x02)), ["gzip header: flags 0x02"]),
        (
            with_header_crc(head(0x1B, 7, 4, 0, b"name\0comment\0")),
            [
                "gzip header: time 7",
                "gzip header: compression effort 4",
                "gzip header: system 0",
                "gzip header: file name 'name'",
                "gzip header: comment 'comment'",
                "gzip header: flags 0x1b",
            ],
        ),
    ],
)
def test_each_header_field_is_read_over_and_noted(header: bytes, details: list[str]) -> None:
    plain, facts = unpack(gz(TEXT, head=header))
    assert plain == TEXT
    assert [deviation.detail for deviation in facts.deviations] == details
    assert {deviation.aspect for deviation in facts.deviations} == {Aspect.GZIP_HEADER}


@pytest.mark.parametrize("trailing", [b"\0", bytes(512), b"garbage", b"\x1f", b"\x1f\x8b\x08", gz(b""), gz(TEXT)])
def test_whatever_follows_the_stream_is_refused(trailing: bytes) -> None:
    with pytest.raises(HostileArchiveError, match=r"x\.tar\.gz: there is trailing data"):
        unpack(gz(TEXT) + trailing)


def test_every_truncation_is_refused() -> None:
    data = gz(TEXT, head=with_header_crc(head(0x1A, extra=b"name\0comment\0")))
    for length in range(len(data)):
        with pytest.raises(ArchiveError, match=r"damaged: (it ends early|a text in its header has no end)"):
            unpack(data[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04" + bytes(30), "is not a gzip file"),
        (b"BZh9" + bytes(30), "is not a gzip file"),
        (gz(TEXT, head=b"\x1f\x8b\x07" + bytes(7)), "method 7"),
        (gz(TEXT, head=head(0x20)), "flags 0x20"),
        (gz(TEXT, head=head(0x04, extra=b"\x05\x00ab\x01\x00c")), "flags 0x04"),
        (gz(TEXT, crc=1), "checksum that it gives .CRC-32"),
        (gz(TEXT, size=1), "the size that it gives"),
        (gz(TEXT, head=head(0x02, extra=b"\0\0")), "FHCRC"),
        (gz(TEXT, head=head(0x08, extra=b"n" * (1 << 17) + b"\0")), "a text in its header has no end"),
        (CANONICAL_GZIP + b"\x07" + bytes(30), "damaged: Error -3"),
    ],
)
def test_a_damaged_file_is_refused_and_the_message_says_how(data: bytes, message: str) -> None:
    with pytest.raises(ArchiveError, match=rf"^x\.tar\.gz: .*{message}") as caught:
        unpack(data)
    assert caught.value.remedy


def test_a_decompression_bomb_is_stopped_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = gz(bytes(4 << 20))
    sink = io.BytesIO()
    monkeypatch.setattr(limits, "budgets", lambda: limits.Budgets(expanded=1 << 20, expansion=1))
    with pytest.raises(HostileArchiveError, match=r"bytes that its [\d,]+ unpack to are over the limit expanded"):
        gunzip(io.BytesIO(data), sink, "x.tar.gz", source_size=len(data))
    assert len(sink.getvalue()) <= 1 << 20


def test_what_expands_much_but_stays_small_is_no_bomb() -> None:
    assert unpack(gz(bytes(4 << 20)))[1].size == 4 << 20


def test_it_does_not_matter_how_the_file_comes_in() -> None:
    class Drip(io.BytesIO):
        """Gives a byte of the stream at a time, so that whatever is looked at together is cut somewhere."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(1 if size == CHUNK_SIZE else size)

    whole = head(0x1A, extra=b"name\0comment\0")
    data = gz(TEXT, head=with_header_crc(whole))
    sink = io.BytesIO()
    found = gunzip(Drip(data), sink, "x.tar.gz", source_size=len(data))
    assert (sink.getvalue(), found) == unpack(data)
    assert sink.getvalue() == TEXT
