"""tar's header blocks: taken apart from any of the usual dialects, built in the one canonical form (D6).

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from ..errors import ArchiveError
from . import limits
from .entry import Entry, Kind

BLOCK = 512
DAMAGED = "Fetch or build the archive again: this copy is damaged, or its writer is broken."

_MAGICS = {b"ustar\x0000": "ustar", b"ustar  \0": "GNU"}
"""Magic and version: POSIX', of PAX too, and GNU tar's. Others, and those of before POSIX, some readers refuse."""

# Where the fields of a block are (POSIX, "ustar Interchange Format", and for prefix and rest only ustar's; GNU tar has
# times, offsets and a sparse map there).
_FIELDS = {
    "name": slice(0, 100),
    "mode": slice(100, 108),
    "uid": slice(108, 116),
    "gid": slice(116, 124),
    "size": slice(124, 136),
    "mtime": slice(136, 148),
    "checksum": slice(148, 156),
    "typeflag": slice(156, 157),
    "linkname": slice(157, 257),
    "magic": slice(257, 265),  # With the version.
    "uname": slice(265, 297),
    "gname": slice(297, 329),
    "devmajor": slice(329, 337),
    "devminor": slice(337, 345),
    "prefix": slice(345, 500),
    "rest": slice(500, 512),
}

_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
"""Numbers are octal digits in ASCII, ended by a blank or NUL, in old tars behind blanks; none at all stands for 0."""

LARGEST_IN_11_DIGITS = 8**11 - 1
"""What the fields size and mtime hold at most; eight gigabytes, and the year 2242."""

_TYPEFLAGS = {Kind.FILE: b"0", Kind.DIRECTORY: b"5", Kind.SYMLINK: b"2"}

_BLANK_CHECKSUM = sum(b" " * 8)
"""The checksum adds up all bytes of the block, its own field taken for blanks."""

_RECORD_IN_VALUE = re.compile(rb"\n\d+ [^=]+=")
"""Where a value that holds line feeds looks like records of its own."""

_LONGEST_KEYWORD = 300
"""Characters of a PAX record's keyword, which deviations quote: star's prefix and the longest attribute of Linux."""

_LONGEST_LENGTH = 20
"""Digits of a PAX record's length: more than any file has bytes."""


class Header(NamedTuple):
    """The fields of one header block, numbers as numbers, texts up to their first NUL."""

    name: bytes
    """With the prefix in front, where the dialect has one."""
    slashed: bool
    """The field of the name ends with a slash, whatever comes before the header says."""
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    typeflag: bytes
    linkname: bytes
    uname: bytes
    gname: bytes
    dialect: str
    """``ustar`` or ``GNU``."""
    prefixed: bool


def parse_header(block: bytes, where: str) -> Header:
    """Return the fields of the 512 bytes of *block*; *where* names its place in messages.

    :raises ArchiveError: if the checksum, the magic or a number is wrong.
    """
    given = _number(block, "checksum", where)
    start, end = _FIELDS["checksum"].start, _FIELDS["checksum"].stop
    # Old tars added up signed bytes, which not every reader accepts.
    if given != sum(block[:start]) + sum(block[end:]) + _BLANK_CHECKSUM:
        raise ArchiveError(f"{where} is damaged: its checksum is wrong", remedy=DAMAGED)
    dialect = _MAGICS.get(block[_FIELDS["magic"]])
    if dialect is None:
        raise ArchiveError(
            f"{where}: {block[_FIELDS['magic']]!r} is neither the magic of ustar nor that of GNU tar",
            remedy="Build the archive again in PAX, ustar or GNU format.",
        )
    name, prefix = _text(block, "name"), _text(block, "prefix")
    # A sparse file has its map there; the reader refuses it as what it is. Some readers take an empty name for the
    # prefix alone.
    if prefix and (dialect == "GNU" or not name) and block[_FIELDS["typeflag"]] != b"S":
        raise ArchiveError(
            f"{where}: a {dialect} header uses the place of ustar's prefix, so that tools disagree on the name",
            remedy="Build the archive in ustar or PAX format, and not as an incremental backup.",
        )
    # They mean nothing here, but Python's tarfile takes a header where they are not numbers for the archive's end.
    for field in ("devmajor", "devminor"):
        _number(block, field, where)
    return Header(
        name=(prefix + b"/" if prefix else b"") + name,
        slashed=name.endswith(b"/"),
        mode=_number(block, "mode", where),
        uid=_number(block, "uid", where),
        gid=_number(block, "gid", where),
        size=_number(block, "size", where),
        mtime=_number(block, "mtime", where),
        typeflag=block[_FIELDS["typeflag"]],
        linkname=_text(block, "linkname"),
        uname=_text(block, "uname"),
        gname=_text(block, "gname"),
        dialect=dialect,
        prefixed=bool(prefix),
    )


def differing_fields(block: bytes, other: bytes) -> list[str]:
    """Return the fields in which two header blocks differ, without the checksum, which follows from the others."""
    return [name for name, place in _FIELDS.items() if name != "checksum" and block[place] != other[place]]


def _text(block: bytes, field: str) -> bytes:
    return block[_FIELDS[field]].partition(b"\0")[0]


def _number(block: bytes, field: str, where: str) -> int:
    raw = block[_FIELDS[field]]
    # Base 256, big-endian, in two's complement: what GNU tar and star write beyond octal's reach. The first byte is the
    # mark alone, 0xFF for a negative number.
    if raw[0] in (0x80, 0xFF) and field != "checksum":
        return int.from_bytes(raw[1:], "big") - (1 << 8 * (len(raw) - 1) if raw[0] == 0xFF else 0)
    match = _OCTAL.fullmatch(raw)
    if match is None or not raw.strip(b" "):
        raise ArchiveError(f"{where} is damaged: its {field} is not a number: {raw!r}", remedy=DAMAGED)
    return int(match[1] or b"0", 8)


def parse_pax(data: bytes, where: str) -> dict[str, bytes]:
    """Return the records of a PAX extended header (POSIX, "pax Header Block").

    A record is its length in decimal digits, a blank, ``KEYWORD=VALUE`` and a line feed; the length counts all of that.

    :raises ArchiveError: if a record is malformed; *where* names its place.
    :raises HostileArchiveError: if a keyword is given twice, or a value could be taken for another record.
    """
    records = {}
    position = 0
    end = len(data)
    while position < end:
        blank = data.find(b" ", position, position + _LONGEST_LENGTH)
        length = int(data[position:blank]) if blank > position and data[position:blank].isdigit() else 0
        record = data[blank + 1 : position + length]
        keyword, equals, value = record[:-1].partition(b"=")
        # A length of zero would leave the position where it is, for ever.
        if not length or position + length > end or not record.endswith(b"\n") or not keyword or not equals:
            raise ArchiveError(f"{where} is damaged: a PAX record is malformed", remedy=DAMAGED)
        # Some readers take the first of two, and some split the records at every line feed.
        text = keyword.decode("utf-8", "backslashreplace")
        if text in records or len(text) > _LONGEST_KEYWORD or "\n" in text or _RECORD_IN_VALUE.search(value):
            raise limits.hostile(where, "", f"its PAX record {text[:60]!r} is one that tools read differently")
        records[text] = value
        position += length
    return records


def member_head(entry: Entry) -> bytes:
    """Return all that stands before *entry*'s contents, in canonical form: its header, and a PAX one if it needs that.

    The entry's mode, owner and time, cut to the second, are written as they are.
    """
    fields = _Fields()
    mtime = math.floor(entry.mtime)
    # Readers from before POSIX know a directory by its slash alone.
    name = entry.name + "/" if entry.kind is Kind.DIRECTORY else entry.name
    size = entry.content.size if entry.kind is Kind.FILE else 0
    block = _block(
        name=fields.text("path", name, 100),
        mode=entry.mode & 0o7777,
        uid=fields.number("uid", entry.owner.uid, 7),
        gid=fields.number("gid", entry.owner.gid, 7),
        size=fields.number("size", size, 11),
        mtime=fields.number("mtime", mtime, 11),
        typeflag=_TYPEFLAGS[entry.kind],
        linkname=fields.text("linkpath", entry.target, 100),
        # Names of owners must end with a NUL within their 32 bytes, names of files need not within their 100.
        uname=fields.text("uname", entry.owner.uname, 31),
        gname=fields.text("gname", entry.owner.gname, 31),
    )
    return fields.pax_header(mtime) + block


class _Fields:
    """What goes into a header's fields, and the PAX records for what does not fit there.

    The field then holds a stand-in that old readers make do with: ASCII, cut; or zero.
    """

    def __init__(self) -> None:
        self._records: dict[str, str] = {}

    def text(self, keyword: str, value: str, width: int) -> bytes:
        raw = value.encode()
        if len(raw) > width or not value.isascii():
            self._records[keyword] = value
        return bytes(byte if byte < 0x80 else ord("_") for byte in raw[:width])

    def number(self, keyword: str, value: int, digits: int) -> int:
        if 0 <= value < 8**digits:
            return value
        self._records[keyword] = str(value)
        return 0

    def pax_header(self, mtime: int) -> bytes:
        """Return the extended header with its contents, or nothing where every value fits."""
        if not self._records:
            return b""
        data = b"".join(pax_record(keyword, value) for keyword, value in sorted(self._records.items()))
        time = mtime if 0 <= mtime <= LARGEST_IN_11_DIGITS else 0
        block = _block(name=b"././@PaxHeader", mode=0o644, size=len(data), mtime=time, typeflag=b"x")
        return block + data + padding(len(data))


def pax_record(keyword: str, value: str) -> bytes:
    """Return one record of an extended header; its length counts its own digits, which may make it longer again."""
    rest = f" {keyword}={value}\n".encode()
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return b"%d%b" % (length, rest)


def padding(size: int) -> bytes:
    """Return the zeros that fill up *size* bytes to whole blocks."""
    return bytes(-size % BLOCK)


def _block(
    *,
    name: bytes,
    mode: int,
    size: int,
    mtime: int,
    typeflag: bytes,
    uid: int = 0,
    gid: int = 0,
    linkname: bytes = b"",
    uname: bytes = b"",
    gname: bytes = b"",
) -> bytes:
    # Magic "ustar", NUL, version "00" (POSIX); devices 0; no prefix.
    front = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode, uid, gid, size, mtime)
    back = b"%b%bustar\x0000%b%b0000000\x000000000\0" % (
        typeflag,
        linkname.ljust(100, b"\0"),
        uname.ljust(32, b"\0"),
        gname.ljust(32, b"\0"),
    )
    checksum = sum(front) + _BLANK_CHECKSUM + sum(back)
    # Six digits, NUL, blank: the form that tars have always given the checksum.
    return (front + b"%06o\0 " % checksum + back).ljust(BLOCK, b"\0")
