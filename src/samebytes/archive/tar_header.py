"""tar's header blocks: taken apart from any of the usual dialects, built in the one canonical form (D6).

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; the GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ArchiveError
from . import limits
from .entry import Entry, Kind

BLOCK = 512
DAMAGED = "Fetch or build the archive again: this copy is damaged, or its writer is broken."

_USTAR = b"ustar\x0000"
_MAGICS = {_USTAR: "ustar", b"ustar  \0": "GNU"}
"""Magic and version: POSIX', of PAX too, and GNU tar's. Others, and those of before POSIX, some readers refuse."""

_LAYOUT = (
    "name:100 mode:8 uid:8 gid:8 size:12 mtime:12 checksum:8 typeflag:1 linkname:100 magic:8 uname:32 gname:32"
    " devmajor:8 devminor:8 prefix:155 rest:12"
)
"""The fields of a block and their bytes (POSIX, "ustar Interchange Format"), the version with the magic. Prefix and
rest are ustar's alone; GNU tar has times, offsets and a sparse map there."""

_FIELDS = re.findall(r"[a-z]+", _LAYOUT)
_FORM = struct.Struct("".join(f"{width}s" for width in re.findall(r"\d+", _LAYOUT)))

_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
"""Numbers are octal digits in ASCII, ended by a blank or NUL, in old tars behind blanks; none at all stands for 0."""

LARGEST_IN_11_DIGITS = 8**11 - 1
"""What the fields size and mtime hold at most; eight gigabytes, and the year 2242."""

_TYPEFLAGS = {Kind.FILE: b"0", Kind.DIRECTORY: b"5", Kind.SYMLINK: b"2"}

_STAND_INS = bytes(range(128)) + b"_" * 128
"""For ``bytes.translate``: makes bytes ASCII."""

_BLANK_CHECKSUM = sum(b" " * 8)
"""The checksum adds up all bytes of the block, its own field taken for blanks."""

_RECORD_IN_VALUE = re.compile(rb"\n\d+ [^=]+=")
"""Where a value that holds line feeds looks like records of its own."""

_KEYWORD = re.compile(rb"[^ \t\n\0][^\n\0]{0,299}")
"""A PAX record's keyword. GNU tar passes over blanks before it, and stops at a NUL; deviations quote it, so it has no
more bytes than star's prefix and the longest attribute of Linux."""

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
    raw = dict(zip(_FIELDS, _FORM.unpack(block)))
    # Old tars added up signed bytes, which not every reader accepts.
    if _number(raw, "checksum", where) != sum(block) - sum(raw["checksum"]) + _BLANK_CHECKSUM:
        raise ArchiveError(f"{where} is damaged: its checksum is wrong", remedy=DAMAGED)
    if (dialect := _MAGICS.get(raw["magic"])) is None:
        raise ArchiveError(
            f"{where}: {raw['magic']!r} is neither the magic of ustar nor that of GNU tar",
            remedy="Build the archive again in PAX, ustar or GNU format.",
        )
    texts = {field: raw[field].partition(b"\0")[0] for field in ("name", "prefix", "linkname", "uname", "gname")}
    name, prefix = texts["name"], texts["prefix"]
    # A sparse file has its map there; the reader refuses it as what it is. Some readers take an empty name for the
    # prefix alone.
    if prefix and (dialect == "GNU" or not name) and raw["typeflag"] != b"S":
        raise ArchiveError(
            f"{where}: a {dialect} header uses the place of ustar's prefix, so that tools disagree on the name",
            remedy="Build the archive in ustar or PAX format, and not as an incremental backup.",
        )
    # Devices mean nothing here, but Python's tarfile takes a header where they are not numbers for the archive's end.
    checked = ("devmajor", "devminor", "mode", "uid", "gid", "size", "mtime")
    _, _, mode, uid, gid, size, mtime = (_number(raw, field, where) for field in checked)
    return Header(
        name=(prefix + b"/" if prefix else b"") + name,
        slashed=name.endswith(b"/"),
        mode=mode,
        uid=uid,
        gid=gid,
        size=size,
        mtime=mtime,
        typeflag=raw["typeflag"],
        linkname=texts["linkname"],
        uname=texts["uname"],
        gname=texts["gname"],
        dialect=dialect,
        prefixed=bool(prefix),
    )


def differing_fields(block: bytes, other: bytes) -> list[str]:
    """Return the fields in which two header blocks differ, without the checksum, which follows from the others."""
    fields = zip(_FIELDS, _FORM.unpack(block), _FORM.unpack(other))
    return [name for name, one, another in fields if name != "checksum" and one != another]


def _number(fields: Mapping[str, bytes], field: str, where: str) -> int:
    raw = fields[field]
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
        if text in records or not _KEYWORD.fullmatch(keyword) or _RECORD_IN_VALUE.search(value):
            raise limits.hostile(where, "", f"its PAX record {text[:60]!r} is one that tools read differently")
        records[text] = value
        position += length
    return records


def member_head(entry: Entry) -> bytes:
    """Return all that stands before *entry*'s contents, in canonical form: its header, and a PAX one if it needs that.

    The entry's mode, owner and time, cut to the second, are written as they are. A field whose value does not fit holds
    a stand-in that old readers make do with: ASCII, cut; or zero.
    """
    records: dict[str, str] = {}

    def text(keyword: str, value: str, width: int) -> bytes:
        raw = value.encode()
        if len(raw) > width or not value.isascii():
            records[keyword] = value
        return raw[:width].translate(_STAND_INS)

    def number(keyword: str, value: int, digits: int) -> int:
        if 0 <= value < 8**digits:
            return value
        records[keyword] = str(value)
        return 0

    owner = entry.owner
    block = _block(
        _TYPEFLAGS[entry.kind],
        # Readers from before POSIX know a directory by its slash alone.
        text("path", entry.name + "/" if entry.kind is Kind.DIRECTORY else entry.name, 100),
        number("size", entry.content.size if entry.kind is Kind.FILE else 0, 11),
        mtime := number("mtime", math.floor(entry.mtime), 11),
        (entry.mode & 0o7777, number("uid", owner.uid, 7), number("gid", owner.gid, 7)),
        text("linkpath", entry.target, 100),
        # Names of owners must end with a NUL within their 32 bytes, names of files need not within their 100.
        (text("uname", owner.uname, 31), text("gname", owner.gname, 31)),
    )
    if not records:
        return block
    data = b"".join(pax_record(keyword, value) for keyword, value in sorted(records.items()))
    return _block(b"x", b"././@PaxHeader", len(data), mtime) + data + padding(len(data)) + block


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
    typeflag: bytes,
    name: bytes,
    size: int,
    mtime: int,
    mode_and_owner: tuple[int, int, int] = (0o644, 0, 0),
    linkname: bytes = b"",
    owner_names: tuple[bytes, bytes] = (b"", b""),
) -> bytes:
    numbers = [b"%07o\0" % number for number in mode_and_owner] + [b"%011o\0" % number for number in (size, mtime)]
    # Devices 0, no prefix.
    back = typeflag, linkname, _USTAR, *owner_names, b"0000000", b"0000000", b"", b""
    checksum = sum(_FORM.pack(name, *numbers, b" " * 8, *back))
    # Six digits, NUL, blank: the form that tars have always given the checksum.
    return _FORM.pack(name, *numbers, b"%06o\0 " % checksum, *back)
