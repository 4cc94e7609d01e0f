"""The records of a ZIP file as PKWARE's APPNOTE 6.3.10 lays them out, for the reader and the writer alike."""

from __future__ import annotations

import math
import struct
import time
from functools import lru_cache
from typing import NamedTuple

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

LOCATOR64 = struct.Struct("<4sLQL")
"""ZIP64 end locator (4.3.15): signature, disk of the ZIP64 end record, its offset, number of disks."""

MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF
"""A field that holds the largest value says: see the ZIP64 structure (4.4.1.4)."""

STORED = 0
DEFLATED = 8

FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_PATCHED = 0x0020
FLAG_STRONG_ENCRYPTION = 0x0040
FLAG_UTF8 = 0x0800
FLAG_MASKED = 0x2000

ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075

UNIX = 3
VERSION_STORED = 10
VERSION_DEFLATED = 20
VERSION_ZIP64 = 45

DOS_DIRECTORY = 0x10

EARLIEST = 315532800
"""1980-01-01 00:00:00 UTC, the first moment that a DOS date can hold."""

LATEST = 4354819198
"""2107-12-31 23:59:58 UTC, the last one."""


class LocalHeader(NamedTuple):
    """A local file header; sizes as ZIP64 gives them, where it does."""

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


class CentralHeader(NamedTuple):
    """A central directory header; sizes and offset as ZIP64 gives them, where it does."""

    made_by: int
    version_needed: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed_size: int
    size: int
    internal: int
    external: int
    offset: int
    name: bytes
    extra: tuple[tuple[int, bytes], ...]
    comment: bytes


@lru_cache  # an archive has few times, most often one
def dos_from_seconds(seconds: float) -> tuple[int, int]:
    """Return the DOS time and date of a moment given in seconds since 1970 UTC, rounded down to even ones and clamped.

    Source: APPNOTE 4.4.6. There is no zone in them; samebytes writes UTC.
    """
    moment = time.gmtime(min(max(math.floor(seconds), EARLIEST), LATEST))
    dos_time = moment.tm_hour << 11 | moment.tm_min << 5 | moment.tm_sec // 2
    return dos_time, (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday


@lru_cache
def seconds_from_dos(dos_time: int, dos_date: int) -> int | None:
    """Return the moment, in seconds since 1970 UTC, of a DOS time and date; None if there is no such moment."""
    month, day = dos_date >> 5 & 15, dos_date & 31
    if not 1 <= month <= 12:
        return None
    # Days since 1970-01-01, reckoned in years that begin in March and so end with the leap day.
    year = (dos_date >> 9) + 1980 - (month < 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719468
    seconds = days * 86400 + (dos_time >> 11) * 3600 + (dos_time >> 5 & 63) * 60 + (dos_time & 31) * 2
    # What is no date or time of day, such as day 0 or 61 minutes, comes back otherwise.
    return seconds if dos_from_seconds(seconds) == (dos_time, dos_date) else None
