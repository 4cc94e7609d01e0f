"""The headers of a canonical ZIP file, byte by byte: all that the format leaves open is decided here (D6)."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from ..errors import ArchiveError
from .entry import Entry, Kind
from .zip_layout import (
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


class Stream(NamedTuple):
    """How a member's contents lie in the file."""

    method: int = STORED
    packed_size: int = 0
    crc: int = 0
    """Of the contents, not of the packed bytes."""


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


def _version_needed(stream: Stream, extra: bytes) -> int:
    if extra:
        return VERSION_ZIP64
    return VERSION_DEFLATED if stream.method == DEFLATED else VERSION_STORED


def _zip64_extra(*values: int) -> bytes:
    """Return the ZIP64 extra field of *values*, or nothing if there are none."""
    payload = b"".join(value.to_bytes(8, "little") for value in values)
    return ZIP64_EXTRA.to_bytes(2, "little") + len(payload).to_bytes(2, "little") + payload if payload else b""


def _sizes(size: int, stream: Stream) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return the two sizes for the header's own fields, and those for its ZIP64 extra field."""
    if size >= MAX_32:
        return (MAX_32, MAX_32), (size, stream.packed_size)
    return (stream.packed_size, size), ()


def local_header(entry: Entry, size: int, stream: Stream) -> bytes:
    """Return the header in front of a member with *size* bytes of contents (APPNOTE 4.3.7)."""
    name, flags = _stored_name(entry)
    narrow, wide = _sizes(size, stream)
    extra = _zip64_extra(*wide)
    fixed = LOCAL.pack(
        LOCAL_SIGNATURE,
        _version_needed(stream, extra),
        flags,
        stream.method,
        *dos_from_seconds(entry.mtime),
        stream.crc,
        *narrow,
        len(name),
        len(extra),
    )
    return fixed + name + extra


def central_header(entry: Entry, size: int, stream: Stream, offset: int) -> bytes:
    """Return the header in the central directory of the member at *offset* (APPNOTE 4.3.12)."""
    name, flags = _stored_name(entry)
    narrow, wide = _sizes(size, stream)
    extra = _zip64_extra(*wide, *(() if offset < MAX_32 else (offset,)))
    fixed = CENTRAL.pack(
        CENTRAL_SIGNATURE,
        UNIX << 8 | (VERSION_ZIP64 if extra else VERSION_DEFLATED),
        _version_needed(stream, extra),
        flags,
        stream.method,
        *dos_from_seconds(entry.mtime),
        stream.crc,
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


def write_directory(sink: BinaryIO, headers: Sequence[bytes], offset: int) -> None:
    """Write the central directory of *headers*, which begins at *offset*, and the end records (APPNOTE 4.3.14-16)."""
    for header in headers:
        sink.write(header)
    count, size = len(headers), sum(map(len, headers))
    if count >= MAX_16 or size >= MAX_32 or offset >= MAX_32:
        versions = VERSION_ZIP64, VERSION_ZIP64
        sink.write(END64.pack(END64_SIGNATURE, END64.size - 12, *versions, 0, 0, count, count, size, offset))
        sink.write(LOCATOR64.pack(LOCATOR64_SIGNATURE, 0, offset + size, 1))
    narrow = min(count, MAX_16)
    sink.write(END.pack(END_SIGNATURE, 0, 0, narrow, narrow, min(size, MAX_32), min(offset, MAX_32), 0))
