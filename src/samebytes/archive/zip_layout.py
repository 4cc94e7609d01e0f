"""The records of a ZIP file: how the format lays them out, and how the canonical form fills them.

Source: PKWARE's APPNOTE 6.3.10, whose sections the numbers in brackets are. All numbers are little-endian (4.4.1.1).
"""

from __future__ import annotations

import math
import stat
import struct
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from ..errors import ArchiveError
from .entry import Entry, Kind

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR64_SIGNATURE = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

LOCAL = struct.Struct("<4s5H3L2H")
"""Local file header (4.3.7): signature, version needed, flags, method, time, date, CRC-32, packed size, size, lengths
of name and extra field."""

CENTRAL = struct.Struct("<4s6H3L5H2L")
"""Central directory header (4.3.12): signature, version made by, then as LOCAL up to the length of the extra field,
length of comment, disk, internal and external attributes, offset of the local header."""

END = struct.Struct("<4s4H2LH")
"""End of central directory record (4.3.16): signature, this disk, the directory's disk, entries on this disk, entries,
size and offset of the directory, length of comment."""

END64 = struct.Struct("<4sQ2H2L4Q")
"""ZIP64 end record (4.3.14): signature, size of what follows, versions made by and needed, then as END."""

END64_LENGTH = END64.size - 12
"""What an END64 gives as its size: signature and the size itself do not count (4.3.14.1)."""

LOCATOR64 = struct.Struct("<4sLQL")
"""ZIP64 end locator (4.3.15): signature, disk of the ZIP64 end record, its offset, number of disks."""

DESCRIPTOR = struct.Struct("<4s3L")
"""Data descriptor (4.3.9): signature, CRC-32, packed size, size."""

DESCRIPTOR64 = struct.Struct("<4sL2Q")
"""Data descriptor of a member whose local header has a ZIP64 field."""

EXTRA = struct.Struct("<2H")
"""What each field of an extra field begins with (4.5.1): identifier, length of its data."""

MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF
"""A field that holds the largest value refers to the ZIP64 structure (4.4.1.4)."""

# Compression methods (4.4.5): the two that installers read.
STORED = 0
DEFLATED = 8

# Bits of the flags (4.4.4).
FLAG_ENCRYPTED = 0x0001
FLAGS_LEVEL = 0x0006  # How hard the compressor tried.
FLAG_DESCRIPTOR = 0x0008  # Bit 3: CRC and sizes follow the contents.
FLAG_STRONG_ENCRYPTION = 0x0040
FLAG_UTF8 = 0x0800  # Bit 11, "language encoding flag": name and comment are UTF-8 (appendix D).
FLAG_MASKED = 0x2000  # Bit 13: values in the local header are masked, the central directory is encrypted.

# Identifiers of fields of the extra field.
ZIP64_EXTRA = 0x0001  # 4.5.3
TIME_EXTRA = 0x5455
MISREAD_EXTRA = (0x7075, 0x6C78, 0x9901)
"""A name (4.6.9), which some prefer; to bsdtar alone, a type and mode; encryption by AES."""

UNIX = 3
"""Made by Unix (4.4.2.2): the upper half of the external attributes is a Unix mode."""

# Versions, ten times as large as they are called (4.4.3.2): what a reader must be able to do.
VERSION_STORED = 10
VERSION_DEFLATED = 20
VERSION_ZIP64 = 45

DOS_DIRECTORY = 0x10
"""In the lower byte of the external attributes (4.4.15)."""

EARLIEST = 315532800
"""1980-01-01 00:00:00 UTC, the first moment that a DOS date can hold: seven bits of years since 1980."""

LATEST = 4354819198
"""2107-12-31 23:59:58 UTC, the last one."""


class MemberHeader(NamedTuple):
    """A local file header or one of the central directory; sizes and offset as ZIP64 gives them, where it does."""

    version_needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_size: int
    size: int
    name: bytes
    extra: tuple[tuple[int, bytes], ...]
    """The extra fields in their order: identifier and data."""
    made_by: int = 0
    """This and what follows only the central directory has."""
    internal: int = 0
    external: int = 0
    offset: int = 0
    comment: bytes = b""

    @property
    def wide_sizes(self) -> bool:
        """Whether its sizes need ZIP64."""
        return self.size >= MAX_32 or self.packed_size >= MAX_32

    @property
    def wide_offset(self) -> bool:
        """Whether its offset needs ZIP64."""
        return self.offset >= MAX_32


@lru_cache  # An archive has few times, most often one.
def dos_from_seconds(seconds: float) -> tuple[int, int]:
    """Return the DOS time and date of a moment given in seconds since 1970 UTC, rounded down to even ones and clamped.

    Source: APPNOTE 4.4.6. There is no zone in them; samebytes writes UTC.
    """
    moment = time.gmtime(min(max(math.floor(seconds), EARLIEST), LATEST))
    # Five bits of hours, six of minutes, five of seconds by two; seven bits of years, four of months, five of days.
    dos_time = moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
    return dos_time, (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday


@lru_cache
def seconds_from_dos(dos_time: int, dos_date: int) -> int | None:
    """Return the moment, in seconds since 1970 UTC, of a DOS time and date; None if there is no such moment."""
    month, day = dos_date >> 5 & 15, dos_date & 31
    if not 1 <= month <= 12:
        return None
    # Days since 1970-01-01, reckoned in years that begin in March and so end with the leap day. (calendar.timegm does
    # the same, but it would bring datetime and locale into every build.)
    year = (dos_date >> 9) + 1980 - (month < 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719468
    seconds = days * 86400 + (dos_time >> 11) * 3600 + (dos_time >> 5 & 63) * 60 + (dos_time & 31) * 2
    # What is not a date or time of day, such as day 0 or 61 minutes, comes back otherwise.
    return seconds if dos_from_seconds(seconds) == (dos_time, dos_date) else None


# -- the canonical form: what the format leaves open is decided here (docs/canonical-form.md)


class Stream(NamedTuple):
    """How a member's contents lie in the file."""

    method: int = STORED
    packed_size: int = 0
    crc: int = 0
    """Of the contents, not of the packed bytes."""


def local_header(entry: Entry, size: int, stream: Stream) -> bytes:
    """Return the header in front of a member with *size* bytes of contents (4.3.7).

    :raises ArchiveError: if UTF-8 or the format cannot hold its name.
    """
    extra = _zip64_extra(size, stream)
    common = _common_fields(entry, size, stream, extra)
    return b"".join((LOCAL.pack(LOCAL_SIGNATURE, *common), _stored_name(entry), extra))


def central_header(entry: Entry, size: int, stream: Stream, offset: int) -> bytes:
    """Return the header in the central directory of the member at *offset* (4.3.12).

    :raises ArchiveError: if UTF-8 or the format cannot hold its name.
    """
    extra = _zip64_extra(size, stream, offset)
    common = _common_fields(entry, size, stream, extra)
    made_by = UNIX << 8 | (VERSION_ZIP64 if extra else VERSION_DEFLATED)
    kind, attributes = (stat.S_IFDIR, DOS_DIRECTORY) if entry.kind is Kind.DIRECTORY else (stat.S_IFREG, 0)
    # No comment, on the first disk, no internal attributes. The file's type is there, for pip drops executable bits
    # without.
    last = 0, 0, 0, (kind | entry.mode) << 16 | attributes, min(offset, MAX_32)
    return b"".join((CENTRAL.pack(CENTRAL_SIGNATURE, made_by, *common, *last), _stored_name(entry), extra))


def _common_fields(entry: Entry, size: int, stream: Stream, extra: bytes) -> tuple[int, ...]:
    """Return what both headers of a member hold, from the version needed to the length of the extra field."""
    name = _stored_name(entry)
    needed = VERSION_DEFLATED if stream.method == DEFLATED else VERSION_STORED
    # A local header's ZIP64 field must have both sizes, whichever of them needs it (4.5.3); so has the central one.
    sizes = (MAX_32, MAX_32) if size >= MAX_32 else (stream.packed_size, size)
    return (
        VERSION_ZIP64 if extra else needed,
        0 if name.isascii() else FLAG_UTF8,
        stream.method,
        *dos_from_seconds(entry.mtime),
        stream.crc,
        *sizes,
        len(name),
        len(extra),
    )


def _stored_name(entry: Entry) -> bytes:
    """Return the name as the headers hold it: UTF-8, a directory's with a slash at its end."""
    try:
        name = entry.name.encode() + (b"/" if entry.kind is Kind.DIRECTORY else b"")
    except UnicodeEncodeError:
        raise ArchiveError(
            f"{entry.name!r}: the name cannot be written as UTF-8", remedy="Rename the file in the source."
        ) from None
    if len(name) > MAX_16:
        raise ArchiveError(f"{entry.name[:100]!r}...: the name is too long", remedy="Rename the file in the source.")
    return name


def _zip64_extra(size: int, stream: Stream, offset: int = 0) -> bytes:
    """Return the ZIP64 extra field (4.5.3), or nothing if no value needs it: both sizes or none, and the offset."""
    values = [size, stream.packed_size] if size >= MAX_32 else []
    values += [offset] if offset >= MAX_32 else []
    payload = b"".join(value.to_bytes(8, "little") for value in values)
    return EXTRA.pack(ZIP64_EXTRA, len(payload)) + payload if payload else b""


def write_directory(sink: BinaryIO, headers: Sequence[bytes], offset: int) -> None:
    """Write the central directory of *headers*, which begins at *offset*, and the end records (4.3.14 to 4.3.16)."""
    for header in headers:
        sink.write(header)
    count, size = len(headers), sum(map(len, headers))
    if count >= MAX_16 or size >= MAX_32 or offset >= MAX_32:
        versions = VERSION_ZIP64, VERSION_ZIP64
        sink.write(END64.pack(END64_SIGNATURE, END64_LENGTH, *versions, 0, 0, count, count, size, offset))
        sink.write(LOCATOR64.pack(LOCATOR64_SIGNATURE, 0, offset + size, 1))
    narrow = min(count, MAX_16)
    sink.write(END.pack(END_SIGNATURE, 0, 0, narrow, narrow, min(size, MAX_32), min(offset, MAX_32), 0))
