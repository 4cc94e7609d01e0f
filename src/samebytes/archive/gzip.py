"""gzip's framing (RFC 1952): read strictly, to the last byte, and written in the one canonical form (D6)."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, BinaryIO, NamedTuple

from ..deflate.stream import Encoder, compress
from ..errors import ArchiveError, HostileArchiveError
from . import limits
from .entry import CHUNK_SIZE, Aspect, Deviation

_HEADER = struct.Struct("<2sBBLBB")
"""What a member begins with (RFC 1952, 2.3): magic, method, flags, time, effort of the compressor, system."""

_TRAILER = struct.Struct("<LL")
"""What it ends with: CRC-32 and size of the contents, the latter modulo 2**32."""

_MAGIC = b"\x1f\x8b"
_DEFLATE = 8
_UNKNOWN_SYSTEM = 255

CANONICAL_HEADER = _HEADER.pack(_MAGIC, _DEFLATE, 0, 0, 0, _UNKNOWN_SYSTEM)
"""No flags, so nothing optional; no time; nothing on the compressor's effort; an unknown system."""

# Bits of the flags (RFC 1952, 2.3.1). Bit 0, FTEXT, has no bearing on anything. The extra field is refused: only BGZF
# has one, and Python's tarfile cannot read past it in a stream.
_FHCRC, _FNAME, _FCOMMENT, _REFUSED = 0x02, 0x08, 0x10, 0xE4

_LONGEST_TEXT = 1 << 16
"""Bytes of a file name or comment in the header: it is held whole."""

_DAMAGED = "Fetch or build the file again: this copy is damaged or incomplete."


class Gunzipped(NamedTuple):
    """What is known of a gzip file once it is read to its end."""

    size: int
    """The bytes unpacked."""
    packed_size: int
    """The bytes of the deflate stream alone."""
    packed_crc: int
    """CRC-32 of the deflate stream: equal where two files are compressed alike."""
    deviations: tuple[Deviation, ...]


class _Input:
    """A gzip file, read forward; what was read too far is given back by seeking."""

    def __init__(self, stream: BinaryIO, archive: str) -> None:
        self.archive = archive
        self.stream = stream

    def exactly(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise self.damaged("it ends early")
        return data

    def text(self) -> bytes:
        """Return the bytes up to the next NUL and it."""
        text, nul, rest = self.stream.read(_LONGEST_TEXT).partition(b"\0")
        if not nul:
            raise self.damaged("a text in its header has no end")
        self.give_back(rest)
        return text + nul

    def give_back(self, data: bytes) -> None:
        self.stream.seek(-len(data), os.SEEK_CUR)

    def damaged(self, problem: str) -> ArchiveError:
        return ArchiveError(f"{self.archive}: the gzip file is damaged: {problem}", remedy=_DAMAGED)


def gunzip(source: BinaryIO, sink: IO[bytes], archive: str, *, source_size: int) -> Gunzipped:
    """Write what *source*, of *source_size* bytes, unpacks to into *sink*; *archive* names it in messages.

    *source* must be seekable.

    :raises ArchiveError: if it is not gzip, is truncated or fails a check.
    :raises HostileArchiveError: if it unpacks to too much, or anything follows its first member.
    """
    given = _Input(source, archive)
    deviations = tuple(Deviation(Aspect.GZIP_HEADER, f"gzip header: {fact}") for fact in _read_header(given))
    size = crc = packed_size = packed_crc = 0
    for plain, packed in _inflated(given):
        size += len(plain)
        # Before it is written, so that a bomb does not fill the disk.
        limits.check_expansion(archive, source_size, size)
        crc = zlib.crc32(plain, crc)
        sink.write(plain)
        packed_size += len(packed)
        packed_crc = zlib.crc32(packed, packed_crc)
    declared_crc, declared_size = _TRAILER.unpack(given.exactly(_TRAILER.size))
    if declared_crc != crc:
        raise given.damaged("its contents do not have the checksum that it gives (CRC-32)")
    if declared_size != size & 0xFFFFFFFF:
        raise given.damaged("its contents do not have the size that it gives")
    # Members that follow one another are one stream (RFC 1952, 2.2), but not every reader goes on to the next.
    if source.read(1):
        raise HostileArchiveError(
            f"{archive}: there is trailing data, or another gzip member, behind the end of the gzip stream",
            remedy="Fetch or build the file again: some tools ignore what follows there, and some do not.",
        )
    return Gunzipped(size, packed_size, packed_crc, deviations)


def _read_header(given: _Input) -> Iterator[str]:
    """Read one member's header and give what is not canonical in it (RFC 1952, 2.3)."""
    raw = given.exactly(_HEADER.size)
    magic, method, flags, mtime, effort, system = _HEADER.unpack(raw)
    if magic != _MAGIC:
        raise ArchiveError(f"{given.archive}: is not a gzip file", remedy="Give a source distribution as .tar.gz.")
    if method != _DEFLATE or flags & _REFUSED:
        raise given.damaged(f"method {method} and flags {flags:#04x} are not those of any gzip")
    texts = {what: given.text() for flag, what in ((_FNAME, "file name"), (_FCOMMENT, "comment")) if flags & flag}
    # The checksum of the header is the lower half of its CRC-32.
    checksum = zlib.crc32(raw + b"".join(texts.values())) & 0xFFFF
    if flags & _FHCRC and int.from_bytes(given.exactly(2), "little") != checksum:
        raise given.damaged("its header does not have the checksum that it gives (FHCRC)")
    if mtime:
        yield f"time {mtime}"
    if effort:
        yield f"compression effort {effort}"
    if system != _UNKNOWN_SYSTEM:
        yield f"system {system}"
    for what, text in texts.items():
        yield f"{what} {text[:-1].decode('latin-1')!r}"
    if flags & ~(_FNAME | _FCOMMENT):
        yield f"flags {flags:#04x}"


def _inflated(given: _Input) -> Iterator[tuple[bytes, bytes]]:
    """Unpack one deflate stream piece by piece, each with the bytes that it took, and leave *given* where it ends."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflater.eof:
        # At most CHUNK_SIZE comes out at a time; what was not needed for it is given once more.
        data = inflater.unconsumed_tail or given.stream.read(CHUNK_SIZE)
        try:
            plain = inflater.decompress(data, CHUNK_SIZE)
        except zlib.error as error:
            raise given.damaged(str(error)) from None
        # With nothing more to come zlib may still give what it had held back; with neither, it never ends.
        if not data and not plain and not inflater.eof:
            raise given.damaged("it ends early")
        left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        yield plain, data[: len(data) - len(left)]
    given.give_back(inflater.unused_data)


def gzip_chunks(chunks: Iterable[bytes], encoder: Encoder) -> Iterator[bytes]:
    """Give the canonical gzip file that holds *chunks*, piece by piece; how they are cut does not matter."""
    crc = size = 0

    def counted() -> Iterator[bytes]:
        nonlocal crc, size
        for chunk in chunks:
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            yield chunk

    yield CANONICAL_HEADER
    yield from compress(counted(), encoder)
    yield _TRAILER.pack(crc, size & 0xFFFFFFFF)
