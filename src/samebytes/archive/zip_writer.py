"""The canonical ZIP writer: for the same entries the same bytes, and no choice left to anybody.

What it writes is specified in ``docs/canonical-form.md``.
"""

from __future__ import annotations

import hashlib
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from samebytes.archive import deflate
from samebytes.archive.entry import Closing, Content, Data, Entry, Kind, Written
from samebytes.archive.zip_layout import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    DOS_DIRECTORY,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    FLAG_UTF8,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR64,
    LOCATOR64_SIGNATURE,
    MAX_16,
    MAX_32,
    STORED,
    UNIX,
    VERSION_DEFLATED,
    VERSION_STORED,
    VERSION_ZIP64,
    ZIP64_EXTRA,
    dos_from_seconds,
)
from samebytes.errors import ArchiveError


class _Packed(NamedTuple):
    """How a member's contents came to lie in the file."""

    method: int = STORED
    packed_size: int = 0
    packed_crc: int = 0
    crc: int = 0
    sha256: bytes = hashlib.sha256().digest()


def write_zip(sink: BinaryIO, entries: Iterable[Entry]) -> tuple[Written, ...]:
    """Write *entries*, in their own order and with their own times and modes, as a canonical ZIP file.

    *sink* is written from where it stands, and must be seekable: a member's header is completed once its contents are
    written. :class:`Closing` contents are made when their turn comes.

    :raises ArchiveError: for a symbolic link, a name that UTF-8 or the format cannot hold, or contents that are not
        as large as they say.
    """
    start = sink.tell()
    written: list[Written] = []
    headers: list[bytes] = []
    for entry in entries:
        content = entry.content
        if isinstance(content, Closing):
            content = Data(content.make(tuple(written)))
        offset = sink.tell() - start
        packed = _write_member(sink, entry, content)
        headers.append(_central_header(entry, content.size, packed, offset))
        written.append(Written(entry.name, content.size, packed.sha256, packed.packed_size, packed.packed_crc))
    _write_directory(sink, headers, sink.tell() - start)
    return tuple(written)


def _write_member(sink: BinaryIO, entry: Entry, content: Content) -> _Packed:
    """Write one member: a provisional header, the contents, then the header as it has to be."""
    if entry.kind is Kind.SYMLINK:
        raise ArchiveError(
            f"{entry.name!r}: is a symbolic link, which a wheel cannot hold", remedy="Put the file itself there."
        )
    position = sink.tell()
    sink.write(_local_header(entry, content.size, _Packed()))
    packed = _write_contents(sink, entry.name, content)
    end = sink.tell()
    sink.seek(position)
    sink.write(_local_header(entry, content.size, packed))
    sink.seek(end)
    return packed


def _write_contents(sink: BinaryIO, name: str, content: Content) -> _Packed:
    """Write the contents deflated, or stored where that is not smaller."""
    begin = sink.tell()
    tally = _Tally(name, content)
    packed_size = packed_crc = 0
    for piece in deflate.compress(tally.chunks()):
        packed_size += len(piece)
        packed_crc = zlib.crc32(piece, packed_crc)
        # Once it is as long as the contents it will not be kept: nothing that is written goes beyond their end.
        if packed_size < content.size:
            sink.write(piece)
    if packed_size < content.size:
        return _Packed(DEFLATED, packed_size, packed_crc, tally.crc, tally.digest())
    sink.seek(begin)
    for chunk in content.chunks():
        sink.write(chunk)
    return _Packed(STORED, content.size, tally.crc, tally.crc, tally.digest())


class _Tally:
    """Passes contents on, and keeps account of them."""

    def __init__(self, name: str, content: Content) -> None:
        self.crc = 0
        self._name = name
        self._content = content
        self._sha256 = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._content.chunks():
            size += len(chunk)
            self.crc = zlib.crc32(chunk, self.crc)
            self._sha256.update(chunk)
            yield chunk
        if size != self._content.size:
            raise ArchiveError(
                f"{self._name!r}: gave {size} bytes instead of {self._content.size}",
                remedy="The input has changed while it was read: run samebytes again.",
            )

    def digest(self) -> bytes:
        return self._sha256.digest()


def _stored_name(entry: Entry) -> tuple[bytes, int]:
    """Return the name as the headers hold it, and their flags: bit 11 where the name is not ASCII."""
    try:
        name = entry.name.encode() + (b"/" if entry.kind is Kind.DIRECTORY else b"")
    except UnicodeEncodeError:
        raise ArchiveError(
            f"{entry.name!r}: the name cannot be written as UTF-8", remedy="Rename the file in the source."
        ) from None
    if len(name) > MAX_16:
        raise ArchiveError(f"{entry.name[:100]!r}...: the name is too long", remedy="Rename the file in the source.")
    return name, 0 if name.isascii() else FLAG_UTF8


def _version_needed(packed: _Packed, extra: bytes) -> int:
    if extra:
        return VERSION_ZIP64
    return VERSION_DEFLATED if packed.method == DEFLATED else VERSION_STORED


def _zip64_extra(*values: int) -> bytes:
    """Return the ZIP64 extra field of *values*, or nothing if there are none."""
    payload = b"".join(value.to_bytes(8, "little") for value in values)
    return ZIP64_EXTRA.to_bytes(2, "little") + len(payload).to_bytes(2, "little") + payload if payload else b""


def _sizes(size: int, packed: _Packed) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return the two sizes for the header's own fields, and those for its ZIP64 extra field."""
    if size >= MAX_32:
        return (MAX_32, MAX_32), (size, packed.packed_size)
    return (packed.packed_size, size), ()


def _local_header(entry: Entry, size: int, packed: _Packed) -> bytes:
    name, flags = _stored_name(entry)
    narrow, wide = _sizes(size, packed)
    extra = _zip64_extra(*wide)
    fixed = LOCAL.pack(
        LOCAL_SIGNATURE,
        _version_needed(packed, extra),
        flags,
        packed.method,
        *dos_from_seconds(entry.mtime),
        packed.crc,
        *narrow,
        len(name),
        len(extra),
    )
    return fixed + name + extra


def _central_header(entry: Entry, size: int, packed: _Packed, offset: int) -> bytes:
    name, flags = _stored_name(entry)
    narrow, wide = _sizes(size, packed)
    extra = _zip64_extra(*wide, *(() if offset < MAX_32 else (offset,)))
    fixed = CENTRAL.pack(
        CENTRAL_SIGNATURE,
        UNIX << 8 | (VERSION_ZIP64 if extra else VERSION_DEFLATED),
        _version_needed(packed, extra),
        flags,
        packed.method,
        *dos_from_seconds(entry.mtime),
        packed.crc,
        *narrow,
        len(name),
        len(extra),
        0,
        0,
        0,
        _external_attributes(entry),
        min(offset, MAX_32),
    )
    return fixed + name + extra


def _external_attributes(entry: Entry) -> int:
    """Return the Unix mode, type included (pip drops executable bits without it), above the DOS attributes."""
    if entry.kind is Kind.DIRECTORY:
        return (stat.S_IFDIR | entry.mode) << 16 | DOS_DIRECTORY
    return (stat.S_IFREG | entry.mode) << 16


def _write_directory(sink: BinaryIO, headers: list[bytes], offset: int) -> None:
    for header in headers:
        sink.write(header)
    count, size = len(headers), sum(map(len, headers))
    if count >= MAX_16 or size >= MAX_32 or offset >= MAX_32:
        versions = VERSION_ZIP64, VERSION_ZIP64
        sink.write(END64.pack(END64_SIGNATURE, END64.size - 12, *versions, 0, 0, count, count, size, offset))
        sink.write(LOCATOR64.pack(LOCATOR64_SIGNATURE, 0, offset + size, 1))
    narrow = min(count, MAX_16)
    sink.write(END.pack(END_SIGNATURE, 0, 0, narrow, narrow, min(size, MAX_32), min(offset, MAX_32), 0))
