"""gzip's framing (RFC 1952): read strictly, to the last byte, and written in the one canonical form (D6)."""

from __future__ import annotations

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
    """A file read forward; what was read too far is kept for the next reader."""

    def __init__(self, stream: BinaryIO, archive: str) -> None:
        self.archive = archive
        self._stream = stream
        self._held = b""

    def some(self) -> bytes:
        """Return the next bytes, as many as are at hand; none at the end."""
        data, self._held = self._held, b""
        return data or self._stream.read(CHUNK_SIZE)

    def give_back(self, data: bytes) -> None:
        self._held = data + self._held

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.some()
            if not more:
                raise self.damaged("it ends early")
            data += more
        self.give_back(data[count:])
        return data[:count]

    def text(self) -> bytes:
        """Return the bytes up to the next NUL and it."""
        data = b""
        while b"\0" not in data[:_LONGEST_TEXT]:
            more = self.some() if len(data) < _LONGEST_TEXT else b""
            if not more:
                raise self.damaged("a text in its header has no end")
            data += more
        end = data.index(b"\0") + 1
        self.give_back(data[end:])
        return data[:end]

    def damaged(self, problem: str) -> ArchiveError:
        return ArchiveError(f"{self.archive}: the gzip file is damaged: {problem}", remedy=_DAMAGED)


class _Output:
    """Where the unpacked bytes go, counted and bounded."""

    def __init__(self, sink: IO[bytes], archive: str, packed_size: int) -> None:
        self._sink = sink
        self._archive = archive
        self._given_size = packed_size
        self.size = 0
        self.crc = 0
        self.packed_size = self.packed_crc = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        # Before it is written, so that a bomb does not fill the disk.
        limits.check_expansion(self._archive, self._given_size, self.size)
        self.crc = zlib.crc32(data, self.crc)
        self._sink.write(data)

    def count_packed(self, data: bytes) -> None:
        self.packed_size += len(data)
        self.packed_crc = zlib.crc32(data, self.packed_crc)


def gunzip(source: BinaryIO, sink: IO[bytes], archive: str, *, source_size: int) -> Gunzipped:
    """Write what *source*, of *source_size* bytes, unpacks to into *sink*; *archive* names it in messages.

    :raises ArchiveError: if it is not gzip, is truncated or fails a check.
    :raises HostileArchiveError: if it unpacks to too much, or anything follows its first member.
    """
    stream = _Input(source, archive)
    output = _Output(sink, archive, source_size)
    deviations = tuple(Deviation(Aspect.GZIP_HEADER, f"gzip header: {fact}") for fact in _read_header(stream))
    _inflate(stream, output)
    crc, size = _TRAILER.unpack(stream.exactly(_TRAILER.size))
    if crc != output.crc:
        raise stream.damaged("its contents do not have the checksum that it gives (CRC-32)")
    if size != output.size & 0xFFFFFFFF:
        raise stream.damaged("its contents do not have the size that it gives")
    # Members that follow one another are one stream (RFC 1952, 2.2), but not every reader goes on to the next.
    if stream.some():
        raise HostileArchiveError(
            f"{archive}: there is trailing data, or another gzip member, behind the end of the gzip stream",
            remedy="Fetch or build the file again: some tools ignore what follows there, and some do not.",
        )
    return Gunzipped(output.size, output.packed_size, output.packed_crc, deviations)


def _read_header(stream: _Input) -> Iterator[str]:
    """Read one member's header and give what is not canonical in it (RFC 1952, 2.3)."""
    raw = stream.exactly(_HEADER.size)
    magic, method, flags, mtime, effort, system = _HEADER.unpack(raw)
    if magic != _MAGIC:
        raise ArchiveError(f"{stream.archive}: is not a gzip file", remedy="Give a source distribution as .tar.gz.")
    if method != _DEFLATE or flags & _REFUSED:
        raise stream.damaged(f"method {method} and flags {flags:#04x} are not those of any gzip")
    optional, facts = _read_optional_fields(stream, flags)
    # The checksum of the header is the lower half of its CRC-32.
    if flags & _FHCRC and struct.unpack("<H", stream.exactly(2))[0] != zlib.crc32(raw + optional) & 0xFFFF:
        raise stream.damaged("its header does not have the checksum that it gives (FHCRC)")
    if mtime:
        yield f"time {mtime}"
    if effort:
        yield f"compression effort {effort}"
    if system != _UNKNOWN_SYSTEM:
        yield f"system {system}"
    yield from facts
    if flags & ~(_FNAME | _FCOMMENT):
        yield f"flags {flags:#04x}"


def _read_optional_fields(stream: _Input, flags: int) -> tuple[bytes, list[str]]:
    """Return the bytes of the fields that *flags* announce, and what they are."""
    raw = b""
    facts = []
    for flag, what in ((_FNAME, "file name"), (_FCOMMENT, "comment")):
        if flags & flag:
            text = stream.text()
            raw += text
            facts.append(f"{what} {text[:-1].decode('latin-1')!r}")
    return raw, facts


def _inflate(stream: _Input, output: _Output) -> None:
    """Unpack one deflate stream, and leave *stream* where it ends."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    while not inflater.eof:
        # At most CHUNK_SIZE comes out at a time; what was not needed for it is given once more.
        data = inflater.unconsumed_tail or stream.some()
        try:
            plain = inflater.decompress(data, CHUNK_SIZE)
        except zlib.error as error:
            raise stream.damaged(str(error)) from None
        # With nothing more to come zlib may still give what it had held back; with neither, it never ends.
        if not data and not plain and not inflater.eof:
            raise stream.damaged("it ends early")
        left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        output.count_packed(data[: len(data) - len(left)])
        output.write(plain)
    stream.give_back(inflater.unused_data)


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
