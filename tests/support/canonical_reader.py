"""An independent reader of the canonical form: says where an archive is not what docs/canonical-form.md demands.

Written from that document alone. It imports neither samebytes nor zipfile nor tarfile, so that a mistake in those, or in
the writer, cannot hide here. Every finding starts with the number of the section that is broken.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import struct
import time
import unicodedata
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from support import canonical_code

NEEDS_ZIP64 = 0xFFFFFFFF
"""Sizes and offsets from here on need ZIP64 (sections 5.7 and 5.8); tests lower it to have small examples."""

MANY_MEMBERS = 0xFFFF
"""Numbers of members from here on need ZIP64 (section 5.8); tests lower it too."""

ONES_16 = 0xFFFF
ONES_32 = 0xFFFFFFFF
LAST_DATE = 4354819198
SEGMENT = 1 << 20
WINDOW = 1 << 15
LONGEST_NAME = 4096
MOST_COMPONENTS = 128
MOST_STEPS = 262144
MOST_LINKS = 40
BLOCK = 512
RECORD_SIZE = 10240
EIGHT_GIB = 8 << 30

REFERENCE_STREAMS = (
    # Contents, size and SHA-256 of the stream: the shorter ones of section 4.4.
    ("T", 300, 150, "67cfc9b6990a693a77507dcddf18b77aeeafd4325403e38e06033cbb893d5650"),
    ("T", 100000, 43692, "e3102dbea0cb63a698d271362ec3d01d5b92b5392cb5d2a932c661005b62afe1"),
    ("H", 300, 305, "264d945811dc5dd612b4747d256cc6985bbcc3299754f2fbb106819bd302953f"),
    ("H", 100000, 100035, "bbd1f1b2f7445a083e627765277becdd5b21b42314450eb538493f91db28df92"),
)

METADATA_FIELDS = (
    "Metadata-Version",
    "Name",
    "Version",
    "Dynamic",
    "Platform",
    "Supported-Platform",
    "Summary",
    "Description",
    "Description-Content-Type",
    "Keywords",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
    "License",
    "License-Expression",
    "License-File",
    "Classifier",
    "Requires-Dist",
    "Requires-Python",
    "Requires-External",
    "Project-URL",
    "Provides-Extra",
    "Import-Name",
    "Import-Namespace",
    "Provides-Dist",
    "Obsoletes-Dist",
    "Home-page",
    "Download-URL",
    "Requires",
    "Provides",
    "Obsoletes",
)
WHEEL_FIELDS = ("Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build")

_DRIVE = re.compile(rb"[A-Za-z]:")


def _characters(*ranges: tuple[int, int]) -> set[str]:
    return {chr(code) for first, last in ranges for code in range(first, last + 1)}


_CONTROLS = _characters((0, 0x1F), (0x7F, 0x9F), (0x61C, 0x61C), (0x200E, 0x200F), (0x2028, 0x202E), (0x2066, 0x2069))
_IGNORED_BY_HFS = _characters((0x200C, 0x200F), (0x202A, 0x202E), (0x206A, 0x206F), (0xFEFF, 0xFEFF))
_HIDDEN = _characters((0xAD, 0xAD), (0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2))
_HIDDEN |= _characters((0x180E, 0x180E), (0x200B, 0x200F), (0x2060, 0x206F), (0xE000, 0xF8FF), (0xFDD0, 0xFDEF))
_HIDDEN |= _characters((0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF), (0xE0000, 0xE00FF))
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"}
_DEVICES |= {kind + number for kind in ("com", "lpt") for number in "123456789¹²³"}
_SCRIPT = re.compile(rb"[^/]+\.data/scripts/")
_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+):")
_OCTAL_11 = re.compile(rb"[0-7]{11}\0")
_PAX_RECORD = re.compile(rb"([1-9][0-9]*) ")


class Unreadable(Exception):
    """The archive cannot be read further."""

    def __init__(self, section: str, text: str) -> None:
        super().__init__(f"{section}: {text}")


class Report:
    """The findings so far, for one date."""

    def __init__(self, date: int) -> None:
        self.date = date
        self.findings: list[str] = []

    def say(self, section: str, text: str) -> None:
        self.findings.append(f"{section}: {text}")

    def fields(self, section: str, where: str, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        """Report each field that is not as it should be."""
        for name, value in wanted.items():
            if found[name] != value:
                self.say(section, f"{where}: {name} is {_shown(found[name])} and must be {_shown(value)}")


class Member(NamedTuple):
    """One member as it was found."""

    name: bytes
    """Without the slash at the end."""
    kind: str
    """``file``, ``directory`` or ``symlink``."""
    contents: bytes
    target: bytes = b""


def check_wheel(data: bytes, date: int) -> list[str]:
    """Return where *data*, a wheel, breaks the canonical form for *date*; an empty list if nowhere.

    :raises RuntimeError: if the interpreter's zlib is not the stock one, so that streams cannot be checked.
    """
    return _checked(_read_wheel, data, date)


def _check_formats(data: bytes, places: list[tuple[int, int, bytes]], report: Report) -> None:
    """Look for other formats: a tar header, and these bytes anywhere between two places."""
    if len(data) >= BLOCK:
        head = bytearray(data[:BLOCK])
        field, head[148:156] = bytes(head[148:156]), b" " * 8
        digits = re.match(rb"[\0\t ]*([0-7]+)", field)
        number = int(digits[1], 8) if digits else struct.unpack(">L", field[4:])[0] if field[0] >= 0x80 else None
        if number in (sum(head), sum(struct.unpack("512b", head))) or head[257:262] == b"ustar":
            report.say("2", "it begins with a tar header")
    for start, end, mark in places:
        if mark in data[start:end]:
            report.say("2", f"{mark!r} stands between {start} and {end}")


def _read_wheel(data: bytes, report: Report) -> None:
    descriptors = range(32769, 32769 + 8 * 2048, 2048)
    _check_formats(data, [(at, at + 5, b"CD001") for at in descriptors], report)
    members = _read_zip(data, report)
    _check_names(members, report)
    _check_wheel_contents(members, report)


def check_sdist(data: bytes, date: int) -> list[str]:
    """Return where *data*, an sdist, breaks the canonical form for *date*; an empty list if nowhere.

    :raises RuntimeError: if the interpreter's zlib is not the stock one, so that streams cannot be checked.
    """
    return _checked(_read_sdist, data, date)


def _read_sdist(data: bytes, report: Report) -> None:
    _check_formats(data, [(max(0, len(data) - 65557), len(data), b"PK\5\6")], report)
    members = _read_tar(_read_gzip(data, report), report)
    _check_names(members, report)
    _check_sdist_tree(members, report)
    _check_sdist_contents(members, report)


def _checked(read: Callable[[bytes, Report], None], data: bytes, date: int) -> list[str]:
    demand_stock_zlib()
    report = Report(date)
    if not 0 <= date <= LAST_DATE:
        report.say("3", f"the date {date} is out of range")
        return report.findings
    try:
        read(data, report)
    except Unreadable as error:
        report.findings.append(str(error))
    return report.findings


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _text(name: bytes) -> str:
    return repr(name.decode("utf-8", "backslashreplace"))


# -- section 4: the deflate stream


def canonical_stream(contents: bytes) -> bytes:
    """Return the one deflate stream of *contents* (sections 4.1 and 4.2)."""
    stream = b""
    starts = range(0, len(contents), SEGMENT) or range(1)
    for start in starts:
        dictionary = (contents[start - WINDOW : start],) if start else ()
        compressor = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, *dictionary)
        stream += compressor.compress(contents[start : start + SEGMENT])
        if start == starts[-1]:
            stream += compressor.flush(zlib.Z_FINISH)
        else:
            stream += compressor.flush(zlib.Z_BLOCK)
            stream += compressor.flush(zlib.Z_SYNC_FLUSH)
    return stream


def squares(size: int) -> bytes:
    """Return T(*size*) of section 4.4."""
    text = bytearray()
    number = 0
    while len(text) < size:
        text += b"%d\n" % (number * number)
        number += 1
    return bytes(text[:size])


def noise(size: int) -> bytes:
    """Return H(*size*) of section 4.4."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(-(-size // 32)))[:size]


@functools.cache
def demand_stock_zlib() -> None:
    """Hold the interpreter's zlib against the shorter reference streams of section 4.4.

    :raises RuntimeError: if it gives other streams.
    """
    makers = {"T": squares, "H": noise}
    for maker, size, packed_size, digest in REFERENCE_STREAMS:
        stream = canonical_stream(makers[maker](size))
        if (len(stream), hashlib.sha256(stream).hexdigest()) != (packed_size, digest):
            raise RuntimeError("the zlib of this interpreter is not the stock one: streams cannot be checked with it")


def _check_stream(stream: bytes, wanted: bytes, where: str, report: Report) -> None:
    if stream == wanted:
        return
    pairs = enumerate(zip(stream, wanted))
    at = next((index for index, (found, right) in pairs if found != right), min(len(stream), len(wanted)))
    report.say("4", f"{where}: the deflate stream is another from its byte {at} on ({len(stream)} for {len(wanted)})")


# -- section 5: ZIP


class Directory(NamedTuple):
    """Where the central directory is."""

    members: int
    size: int
    offset: int
    end: int
    """Where the ZIP64 end record starts, or the end record if there is none."""


def _read_zip(data: bytes, report: Report) -> list[Member]:
    directory = _read_end(data, report)
    headers = _read_central_headers(data, directory, report)
    members = []
    position = 0
    for header in headers:
        member, position = _read_zip_member(data, header, position, report)
        members.append(member)
    if position != directory.offset:
        report.say("5.1", f"the packed contents end at {position}, the central directory starts at {directory.offset}")
    return members


_END = "<4s4H2LH"
_END_FIELDS = (
    "signature|disk|directory's disk|entries on this disk|entries|directory size|directory offset|comment length"
)
_END64 = "<4sQ2H2L4Q"
_END64_FIELDS = (
    "signature|record size|made by|version needed|disk|directory's disk|entries on this disk|entries|directory size"
    "|directory offset"
)
_LOCATOR = "<4sLQL"
_LOCATOR_FIELDS = "signature|record's disk|record offset|disks"


def _unpack(form: str, names: str, data: bytes, offset: int) -> dict[str, Any]:
    return dict(zip(names.split("|"), struct.unpack_from(form, data, offset)))


def _read_end(data: bytes, report: Report) -> Directory:
    at = len(data) - 22
    if at < 0 or data[at : at + 4] != b"PK\5\6":
        raise Unreadable("5.9", "the last 22 bytes are not an end record")
    end = _unpack(_END, _END_FIELDS, data, at)
    has_zip64 = at >= 76 and data[at - 20 : at - 16] == b"PK\6\7"
    if has_zip64:
        directory = _read_zip64_end(data, at - 76, report)
    else:
        directory = Directory(end["entries"], end["directory size"], end["directory offset"], at)
    count, size, offset = directory[:3]
    if has_zip64 != (count >= MANY_MEMBERS or size >= NEEDS_ZIP64 or offset >= NEEDS_ZIP64):
        report.say("5.8", f"there is {'a' if has_zip64 else 'no'} ZIP64 end record")
    wanted = (b"PK\5\6", 0, 0, min(count, ONES_16), min(count, ONES_16), min(size, ONES_32), min(offset, ONES_32), 0)
    report.fields("5.9", "end record", end, dict(zip(_END_FIELDS.split("|"), wanted)))
    if offset + size != directory.end:
        raise Unreadable("5.1", f"the central directory is not the {size} bytes before byte {directory.end}")
    return directory


def _read_zip64_end(data: bytes, at: int, report: Report) -> Directory:
    end = _unpack(_END64, _END64_FIELDS, data, at)
    locator = _unpack(_LOCATOR, _LOCATOR_FIELDS, data, at + 56)
    count, size, offset = end["entries"], end["directory size"], end["directory offset"]
    wanted = (b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    report.fields("5.8", "ZIP64 end record", end, dict(zip(_END64_FIELDS.split("|"), wanted)))
    wanted_locator = dict(zip(_LOCATOR_FIELDS.split("|"), (b"PK\6\7", 0, at, 1)))
    report.fields("5.8", "ZIP64 locator", locator, wanted_locator)
    return Directory(count, size, offset, at)


_CENTRAL = "<4s2B5H4s2L5H2L"
_CENTRAL_FIELDS = (
    "signature|made by|host system|version needed|flags|method|time|date|CRC-32|compressed size|uncompressed size"
    "|name length|extra length|comment length|disk|internal attributes|external attributes|local header's offset"
)
_LOCAL = "<4s5H4s2L2H"
_LOCAL_FIELDS = (
    "signature|version needed|flags|method|time|date|CRC-32|compressed size|uncompressed size|name length|extra length"
)


class Central(NamedTuple):
    """A central header as it was found."""

    fields: dict[str, Any]
    name: bytes
    extra: bytes
    comment: bytes
    packed_size: int
    size: int
    offset: int


def _read_central_headers(data: bytes, directory: Directory, report: Report) -> list[Central]:
    headers = []
    at = directory.offset
    end = directory.offset + directory.size
    for _ in range(directory.members):
        if at + 46 > end or data[at : at + 4] != b"PK\1\2":
            raise Unreadable("5.6", f"there is no central header at byte {at}")
        header = _read_central_header(data, at)
        headers.append(header)
        at += 46 + len(header.name) + len(header.extra) + len(header.comment)
    if at != end:
        raise Unreadable("5.1", f"the central headers end at {at}, the directory at {end}")
    return headers


def _read_central_header(data: bytes, at: int) -> Central:
    fields = _unpack(_CENTRAL, _CENTRAL_FIELDS, data, at)
    extra_at = at + 46 + int(fields["name length"])
    comment_at = extra_at + int(fields["extra length"])
    extra = data[extra_at:comment_at]
    comment = data[comment_at : comment_at + int(fields["comment length"])]
    size, packed_size, offset = _with_zip64(fields, extra)
    return Central(fields, data[at + 46 : extra_at], extra, comment, packed_size, size, offset)


def _with_zip64(fields: dict[str, Any], extra: bytes) -> tuple[int, int, int]:
    """Return uncompressed size, compressed size and offset, from the ZIP64 extra where the fields are all ones."""
    values = []
    at = 4
    for name in ("uncompressed size", "compressed size", "local header's offset"):
        value = fields[name]
        if value == ONES_32 and extra[:2] == b"\1\0" and len(extra) >= at + 8:
            value = struct.unpack_from("<Q", extra, at)[0]
            at += 8
        values.append(value)
    return values[0], values[1], values[2]


def _read_zip_member(data: bytes, header: Central, at: int, report: Report) -> tuple[Member, int]:
    where = _text(header.name)
    if header.offset != at:
        report.say("5.1", f"{where}: its local header is said to be at {header.offset}, and must be at {at}")
    if data[at : at + 4] != b"PK\3\4" or len(data) < at + 30:
        raise Unreadable("5.5", f"{where}: there is no local header at byte {at}")
    local = _unpack(_LOCAL, _LOCAL_FIELDS, data, at)
    name_end = at + 30 + local["name length"]
    start = name_end + local["extra length"]
    packed = data[start : start + header.packed_size]
    if len(packed) != header.packed_size:
        raise Unreadable("5.1", f"{where}: its contents reach beyond the end of the file")
    contents = _unpacked(packed, header, where)
    _check_headers(header, local, contents, at, report)
    if data[at + 30 : name_end] != header.name:
        report.say("5.5", f"{where}: the name in the local header is {_text(data[at + 30 : name_end])}")
    needs_extra = len(contents) >= NEEDS_ZIP64
    wanted_extra = struct.pack("<2H2Q", 1, 16, len(contents), len(packed)) if needs_extra else b""
    if data[name_end:start] != wanted_extra:
        report.say("5.7", f"{where}: the extra field of the local header is {data[name_end:start].hex(' ')}")
    _check_packed(packed, contents, header.fields["method"], where, report)
    return Member(header.name, "file", contents), start + len(packed)


def _unpacked(packed: bytes, header: Central, where: str) -> bytes:
    method = header.fields["method"]
    if method == 0:
        return packed
    if method != 8:
        raise Unreadable("5.3", f"{where}: its method is {method}")
    inflater = zlib.decompressobj(-15)
    try:
        contents = inflater.decompress(packed)
    except zlib.error as error:
        raise Unreadable("4", f"{where}: not a deflate stream: {error}") from None
    if not inflater.eof or inflater.unused_data:
        raise Unreadable("4", f"{where}: the deflate stream does not end where the contents end")
    return contents


def _check_packed(packed: bytes, contents: bytes, method: int, where: str, report: Report) -> None:
    stream = canonical_stream(contents)
    if method == 8:
        _check_stream(packed, stream, where, report)
    wanted = 8 if len(stream) < len(contents) else 0
    if method != wanted:
        report.say("5.3", f"{where}: its method is {method} and must be {wanted}")


def _check_headers(header: Central, local: dict[str, Any], contents: bytes, at: int, report: Report) -> None:
    where = _text(header.name)
    big = len(contents) >= NEEDS_ZIP64
    far = at >= NEEDS_ZIP64
    version = 20 if header.fields["method"] == 8 else 10
    dos_time, dos_date = dos(report.date)
    both = {
        "flags": 0 if header.name.isascii() else 0x0800,
        "method": header.fields["method"],
        "time": dos_time,
        "date": dos_date,
        "CRC-32": struct.pack("<L", zlib.crc32(contents)),
        "compressed size": ONES_32 if big else header.packed_size,
        "uncompressed size": ONES_32 if big else len(contents),
        "name length": len(header.name),
    }
    wanted_local = {**both, "version needed": 45 if big else version, "extra length": 20 if big else 0}
    report.fields("5.5", f"{where}: local header", local, wanted_local)
    extra = [len(contents), header.packed_size] * big + [at] * far
    wanted_extra = struct.pack(f"<2H{len(extra)}Q", 1, 8 * len(extra), *extra) if extra else b""
    if header.extra != wanted_extra:
        report.say("5.7", f"{where}: the extra field of the central header is {header.extra.hex(' ')}")
    executable = header.fields["external attributes"] == 0o100755 << 16 or _SCRIPT.match(header.name)
    wanted_central = {
        **both,
        "made by": 45 if extra else 20,
        "host system": 3,
        "version needed": 45 if extra else version,
        "extra length": len(wanted_extra),
        "comment length": 0,
        "disk": 0,
        "internal attributes": 0,
        "local header's offset": ONES_32 if far else at,
    }
    report.fields("5.6", f"{where}: central header", header.fields, wanted_central)
    attributes = {"external attributes": (0o100755 if executable else 0o100644) << 16}
    report.fields("5.10", f"{where}: central header", header.fields, attributes)


def dos(date: int) -> tuple[int, int]:
    """Return the MS-DOS time and date of *date* (section 5.4)."""
    year, month, day, hour, minute, second = time.gmtime(max(date, 315532800))[:6]
    return hour * 2048 + minute * 32 + second // 2, (year - 1980) * 512 + month * 32 + day


# -- section 6: tar.gz


def _read_gzip(data: bytes, report: Report) -> bytes:
    if data[:2] != b"\x1f\x8b" or len(data) < 18:
        raise Unreadable("6.1", "not a gzip file")
    names = "CM|FLG|MTIME|XFL|OS"
    header = _unpack("<2BL2B", names, data, 2)
    report.fields("6.1", "gzip header", header, dict(zip(names.split("|"), (8, 0, 0, 0, 255))))
    if header["CM"] != 8 or header["FLG"]:
        raise Unreadable("6.1", "the gzip header has fields that must not be there")
    inflater = zlib.decompressobj(-15)
    try:
        tar = inflater.decompress(data[10:])
    except zlib.error as error:
        raise Unreadable("4", f"not a deflate stream: {error}") from None
    trailer = inflater.unused_data
    if not inflater.eof or len(trailer) < 8:
        raise Unreadable("6.1", "the gzip file is cut short")
    if len(trailer) > 8:
        report.say("6.1", f"{len(trailer) - 8} bytes follow the gzip member")
    wanted = {"CRC32": zlib.crc32(tar), "ISIZE": len(tar) & 0xFFFFFFFF}
    report.fields("6.1", "gzip trailer", _unpack("<2L", "CRC32|ISIZE", trailer, 0), wanted)
    _check_stream(data[10 : len(data) - len(trailer)], canonical_stream(tar), "tar", report)
    return tar


_HEADER = "100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12s"
_HEADER_FIELDS = (
    "name|mode|uid|gid|size|mtime|chksum|typeflag|linkname|magic|version|uname|gname|devmajor|devminor|prefix|unused"
)
_KINDS = {b"0": "file", b"5": "directory", b"2": "symlink"}


def _read_tar(tar: bytes, report: Report) -> list[Member]:
    members = []
    at = 0
    while True:
        block = tar[at : at + BLOCK]
        if len(block) < BLOCK:
            raise Unreadable("6.8", "the archive ends without two blocks of NULs")
        if not any(block):
            break
        extended = b""
        records: dict[bytes, bytes] = {}
        if block[156:157] == b"x":
            extended, records = _read_extended(tar, at)
            at += len(extended)
            block = tar[at : at + BLOCK]
            if len(block) < BLOCK:
                raise Unreadable("6.6", "no header follows an extended header")
        member, at = _read_tar_member(tar, at, block, records, report)
        _check_tar_headers(member, block, extended, report)
        members.append(member)
    wanted = at + 2 * BLOCK
    wanted += -wanted % RECORD_SIZE
    if any(tar[at:]):
        report.say("6.8", f"the archive ends at byte {at}, but other bytes than NULs follow")
    if len(tar) != wanted:
        report.say("6.8", f"the archive has {len(tar)} bytes and must have {wanted}")
    return members


def _header_fields(block: bytes) -> dict[str, Any]:
    return dict(zip(_HEADER_FIELDS.split("|"), struct.unpack(_HEADER, block)))


def _size_of(block: bytes, at: int) -> int:
    field = block[124:136]
    if not _OCTAL_11.fullmatch(field):
        raise Unreadable("6.4", f"the size in the header at byte {at} is {field!r}")
    return int(field[:11], 8)


def _read_extended(tar: bytes, at: int) -> tuple[bytes, dict[bytes, bytes]]:
    """Return an extended header with its padded contents, and its records."""
    size = _size_of(tar[at : at + BLOCK], at)
    data = tar[at + BLOCK : at + BLOCK + size]
    records = {}
    start = 0
    while start < len(data):
        match = _PAX_RECORD.match(data, start)
        end = start + int(match[1]) if match else 0
        keyword, equals, value = data[match.end() : end].partition(b"=") if match else (b"", b"", b"")
        if not equals or not value.endswith(b"\n") or end > len(data):
            raise Unreadable("6.6", f"the extended header at byte {at} holds a malformed record")
        records[keyword] = value[:-1]
        start = end
    return tar[at : at + BLOCK + size + -size % BLOCK], records


def _read_tar_member(
    tar: bytes, at: int, block: bytes, records: dict[bytes, bytes], report: Report
) -> tuple[Member, int]:
    fields = _header_fields(block)
    kind = _KINDS.get(fields["typeflag"])
    if kind is None:
        raise Unreadable("6.4", f"the header at byte {at} has the typeflag {fields['typeflag']!r}")
    size_text = records.get(b"size", b"%d" % _size_of(block, at))
    size = int(size_text) if size_text.isdigit() else -1
    start = at + BLOCK
    end = start + size
    if kind != "file" and size:
        raise Unreadable("6.4", f"the header at byte {at}: a {kind} with contents")
    if size < 0 or end > len(tar):
        raise Unreadable("6.7", f"the header at byte {at}: the contents do not fit into the archive")
    name = records.get(b"path", fields["name"].rstrip(b"\0"))
    if kind == "directory":
        if not name.endswith(b"/"):
            report.say("6.4", f"{_text(name)}: the header name of a directory must end in a slash")
        name = name[:-1] if name.endswith(b"/") else name
    target = records.get(b"linkpath", fields["linkname"].rstrip(b"\0")) if kind == "symlink" else b""
    padded = end + -size % BLOCK
    if any(tar[end:padded]) or padded > len(tar):
        report.say("6.7", f"{_text(name)}: its contents are not padded with NULs")
    return Member(name, kind, tar[start:end], target), padded


def _check_tar_headers(member: Member, block: bytes, extended: bytes, report: Report) -> None:
    where = _text(member.name)
    header_name = member.name + b"/" * (member.kind == "directory")
    size = len(member.contents)
    found = _header_fields(block)
    wanted_extended = extended_header(header_name, member.target, size, report.date)
    if extended != wanted_extended:
        state = "missing" if not extended else "not needed" if not wanted_extended else "not as it must be"
        report.say("6.6", f"{where}: the extended header is {state}")
    if member.kind == "file":
        mode = 0o755 if found["mode"] == b"0000755\0" else 0o644
    else:
        mode = 0o755 if member.kind == "directory" else 0o777
    typeflag = {kind: flag for flag, kind in _KINDS.items()}[member.kind]
    wanted = _header_fields(header_block(header_name, mode, size, report.date, typeflag + member.target))
    report.fields("6.3", where, found, {"mode": wanted.pop("mode")})
    checksum = wanted.pop("chksum")
    before = len(report.findings)
    report.fields("6.4", where, found, wanted)
    # The checksum of a header with other faults says nothing.
    if len(report.findings) == before:
        report.fields("6.5", where, found, {"chksum": checksum})


def reduced(value: bytes) -> bytes:
    """Return *value* as the header's own field holds it (section 6.4)."""
    return re.sub(rb"[\x80-\xff]", b"_", value)[:100]


def header_block(name: bytes, mode: int, size: int, date: int, kind: bytes) -> bytes:
    """Return a header block (sections 6.4 and 6.5); *kind* is the typeflag and, after it, a symbolic link's target."""
    typeflag, target = kind[:1], kind[1:]
    block = bytearray(BLOCK)
    block[: len(reduced(name))] = reduced(name)
    block[100:124] = b"%07o\x000000000\x000000000\0" % mode
    block[124:156] = b"%011o\0%011o\0        " % (size if size < EIGHT_GIB else 0, date)
    block[156:157] = typeflag
    block[157 : 157 + len(reduced(target))] = reduced(target)
    block[257:265] = b"ustar\x0000"
    block[329:345] = b"0000000\x000000000\0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def extended_header(header_name: bytes, target: bytes, size: int, date: int) -> bytes:
    """Return the extended header that a member needs, its padded records included; nothing if it needs none."""
    records = b""
    for keyword, value in ((b"linkpath", target), (b"path", header_name)):
        if len(value) > 100 or not value.isascii():
            records += pax_record(keyword, value)
    if size >= EIGHT_GIB:
        records += pax_record(b"size", b"%d" % size)
    if not records:
        return b""
    head = header_block(b"././@PaxHeader", 0o644, len(records), date, b"x")
    return head + records + bytes(-len(records) % BLOCK)


def pax_record(keyword: bytes, value: bytes) -> bytes:
    """Return one record of an extended header."""
    rest = b" %b=%b\n" % (keyword, value)
    # The length counts its own digits: of the few possible numbers of digits exactly one is right.
    lengths = (len(rest) + digits for digits in range(1, 20))
    length = next(length for digits, length in enumerate(lengths, 1) if len(str(length)) == digits)
    return b"%d%b" % (length, rest)


# -- section 2: names and trees


def _check_names(members: list[Member], report: Report) -> None:
    names = [member.name for member in members]
    for name in names:
        problem = _name_problem(name)
        if problem:
            report.say("2.1", f"{_text(name)}: the name {problem}")
    for name in {name for name, count in Counter(names).items() if count > 1}:
        report.say("2.1", f"{_text(name)}: there are two members of this name")
    leaves = {member.name for member in members if member.kind != "directory"}
    for name in names:
        for parent in _parents(name):
            if parent in leaves:
                report.say("2.1", f"{_text(name)}: it lies beneath {_text(parent)}, which is no directory")


def _parents(name: bytes) -> list[bytes]:
    parts = name.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]


def _name_problem(name: bytes) -> str:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8"
    problems = (
        (len(name) > LONGEST_NAME or max(map(len, name.split(b"/"))) > 255, "is too long"),
        (name.count(b"/") >= MOST_COMPONENTS, "has too many components"),
        (name.startswith(b"/"), "is absolute"),
        (_DRIVE.match(name), "starts with a drive letter"),
        (b"\\" in name, "holds a backslash"),
        (set(name.decode("utf-8")) & _CONTROLS, "holds a control character"),
        (set(name.split(b"/")) & {b"", b".", b".."}, "has an empty component, '.' or '..'"),
    )
    return next((text for found, text in problems if found), "")


def _check_sdist_tree(members: list[Member], report: Report) -> None:
    names = [member.name for member in members]
    if names != sorted(names):
        report.say("6.2", "the members are not sorted by name")
    tops = {name.partition(b"/")[0] for name in names}
    if len(tops) != 1 or not any(b"/" in name for name in names):
        report.say("2.3", f"there must be one top directory, and there is {sorted(tops)}")
    parents = {parent for name in names for parent in _parents(name)}
    for member in members:
        if member.kind == "directory" and member.name in parents:
            report.say("6.2", f"{_text(member.name)}: a directory that is not empty must not be a member")
    kinds = {member.name: member.kind for member in members}
    links = {member.name: member.target for member in members if member.kind == "symlink"}
    steps = [0]
    for name, target in links.items():
        problem = _link_problem(name, links, steps) or _up_later(target)
        if problem:
            report.say("2.3", f"{_text(name)}: the link to {_text(target)} {problem}")
    if steps[0] > MOST_STEPS:
        report.say("2.3", f"all links take {steps[0]} steps")
    _check_other_systems(kinds, report)


def _check_other_systems(kinds: dict[bytes, str], report: Report) -> None:
    """Report names of an sdist that are one with another in normal form C, or with a link's on another system."""
    composed: dict[str, bytes] = {}
    for name in kinds:
        if composed.setdefault(_composed(name), name) != name:
            report.say("2.3", f"{_text(name)}: another name is the same in normal form C")
    leaves = {_composed(name) for name, kind in kinds.items() if kind != "directory"}
    links = {_on_another_system(name): name for name, kind in kinds.items() if kind == "symlink"}
    for name in kinds:
        if any(_composed(parent) in leaves for parent in _parents(name)):
            report.say("2.3", f"{_text(name)}: it lies beneath a file or link in normal form C")
        for above in [*_parents(name), name]:
            if links.get(_on_another_system(above), above) != above:
                report.say("2.3", f"{_text(above)}: it is one with a link on another system")


def _composed(name: bytes) -> str:
    return unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))


def _up_later(target: bytes) -> str:
    parts = target.split(b"/")
    while parts and parts[0] in (b"", b".", b".."):
        parts.pop(0)
    return "goes up behind a name" if b".." in parts else ""


def _link_problem(name: bytes, links: dict[bytes, bytes], steps: list[int]) -> str:
    top = name.partition(b"/")[0]
    reached: list[bytes] = []
    ahead = name.split(b"/")
    steps[0] += len(ahead) - 1
    passed = 0
    while ahead:
        component = ahead.pop(0)
        steps[0] += 1
        if component == b"..":
            reached = reached[:-1]
        elif component not in (b"", b"."):
            reached.append(component)
        if reached[:1] != [top]:
            return "leaves the top directory"
        target = links.get(b"/".join(reached))
        if target is None:
            continue
        passed += 1
        problem = _target_problem(target)
        if problem or passed > MOST_LINKS:
            return problem or "does not arrive"
        reached = reached[:-1]
        ahead = target.split(b"/") + ahead
    return ""


def _target_problem(target: bytes) -> str:
    try:
        target.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8"
    if not target or len(target) > LONGEST_NAME:
        return "is empty or too long"
    if target.startswith(b"/") or _DRIVE.match(target) or b"\0" in target or b"\\" in target:
        return "is not a relative path for every system"
    return ""


# -- section 7: contents


def _check_wheel_contents(members: list[Member], report: Report) -> None:
    files = {member.name: member.contents for member in members}
    _check_case(files, report)
    tops = {name.partition(b"/")[0] for name in files}
    dist_infos = sorted(top for top in tops if top.endswith(b".dist-info"))
    if len(dist_infos) != 1:
        raise Unreadable("2.2", f"there must be one dist-info directory, and there is {dist_infos}")
    inside = dist_infos[0] + b"/"
    record = inside + b"RECORD"
    if record not in files:
        raise Unreadable("2.2", "there is no RECORD")
    order = sorted(files, key=lambda name: (name.startswith(inside), name == record, name))
    if [member.name for member in members] != order:
        report.say("5.2", "the members are not in order")
    if files[record] != record_of(files, record):
        report.say("7.5", "RECORD is not what the files demand")
    for signature in (b"RECORD.jws", b"RECORD.p7s"):
        if inside + signature in files:
            report.say("7.6", f"there is a {signature.decode()}")
    _check_block(inside + b"METADATA", files, METADATA_FIELDS, "7.2", report)
    _check_block(inside + b"WHEEL", files, WHEEL_FIELDS, "7.3", report)
    _check_list(inside + b"top_level.txt", files, report)
    _check_sboms(files, inside, report)
    _check_pycs(files, report)
    if b".source-date-epoch" in files:
        report.say("7.9", "there is a .source-date-epoch in the archive's root")


def _check_case(files: dict[bytes, bytes], report: Report) -> None:
    folded: dict[str, bytes] = {}
    for name in files:
        other = folded.setdefault(_on_another_system(name), name)
        if other != name:
            report.say("2.2", f"{_text(name)} and {_text(other)} are one name on another system")
        text = name.decode("utf-8", "replace")
        if set(text) & _HIDDEN or any(character >= "\U000e01f0" for character in text):
            report.say("2.2", f"{_text(name)} holds a character that is not shown")
        if text.rstrip("0123456789").endswith(";"):
            report.say("2.2", f"{_text(name)} ends in a version")
        for component in text.split("/"):
            if component.endswith((".", " ")) or ":" in component:
                report.say("2.2", f"{_text(name)} is another name on Windows")
            if component.partition(".")[0].rstrip(" ").lower() in _DEVICES:
                report.say("2.2", f"{_text(name)} is a device on Windows")
    for name in files:
        for parent in _parents(name):
            leaf = folded.get(_on_another_system(parent), parent)
            if leaf != parent:
                report.say("2.2", f"{_text(name)} lies beneath {_text(leaf)} on another system")


def _on_another_system(name: bytes) -> str:
    """Return what is equal for names that are one on another system (section 2.1)."""
    kept = "".join(character for character in name.decode("utf-8", "replace") if character not in _IGNORED_BY_HFS)
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", kept).casefold())
    return "/".join(component.rstrip(". ") for component in folded.split("/"))


def record_of(files: dict[bytes, bytes], record: bytes) -> bytes:
    """Return the RECORD of *files* (section 7.5)."""
    rows = []
    for name in sorted(files):
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
            rows.append(b"%b,sha256=%b,%d\n" % (_quoted(name), digest, len(files[name])))
    return b"".join(rows) + _quoted(record) + b",,\n"


def _quoted(name: bytes) -> bytes:
    return b'"%b"' % name.replace(b'"', b'""') if re.search(rb'[",\r\n]', name) else name


def _check_block(name: bytes, files: dict[bytes, bytes], order: tuple[str, ...], section: str, report: Report) -> None:
    if name in files and canonical_block(files[name], order) != files[name]:
        report.say(section, f"{_text(name)}: its fields are not in order, or its lines do not end in LF")


def canonical_block(data: bytes, order: tuple[str, ...]) -> bytes:
    """Return the canonical form of a header block (section 7.1), or *data* itself if it is none."""
    split = re.search(rb"^\r?\n", data, re.MULTILINE)
    head = data[: split.start()] if split else data
    lines = re.sub(rb"\r\n", b"\n", head).split(b"\n")
    if not lines[-1]:
        lines.pop()
    fields: list[tuple[str, bytes]] = []
    for line in lines:
        match = _FIELD.match(line)
        continues = line[:1] in (b" ", b"\t") and bool(fields)
        if b"\r" in line or b"\0" in line or not (match or continues):
            return data
        if match:
            fields.append((match[1].decode("ascii").lower(), line + b"\n"))
        else:
            fields[-1] = (fields[-1][0], fields[-1][1] + line + b"\n")
    if not fields:
        return data
    ranks = [name.lower() for name in order]
    in_order = sorted(fields, key=lambda field: _rank(field, ranks))
    return b"".join(lines for _, lines in in_order) + (b"\n" + data[split.end() :] if split else b"")


def _rank(field: tuple[str, bytes], ranks: list[str]) -> tuple[int, bytes]:
    name, lines = field
    value = lines.partition(b":")[2].strip(b"\t\n\v\f\r ") if name == "tag" and "wheel-version" in ranks else b""
    return (ranks.index(name) if name in ranks else len(ranks), value)


def canonical_list(data: bytes) -> bytes:
    """Return the canonical form of a text list (section 7.4), or *data* itself if it is none."""
    plain = data.replace(b"\r\n", b"\n")
    if not data or b"\0" in data or b"\r" in plain:
        return data
    return b"".join(line + b"\n" for line in sorted(plain.rstrip(b"\n").split(b"\n")))


def _check_list(name: bytes, files: dict[bytes, bytes], report: Report) -> None:
    if name in files and canonical_list(files[name]) != files[name]:
        report.say("7.4", f"{_text(name)}: its lines are not sorted, or do not end in LF")


def fold(text: bytes) -> bytes:
    """Return a name as names are compared (section 7)."""
    return re.sub(rb"[-_.]+", b"-", text).lower()


def is_own_egg_info(directory: bytes, top: bytes) -> bool:
    """Return whether a directory of an sdist is its own egg-info directory (section 7)."""
    parts = directory.split(b"/")
    project = fold(parts[-1][: -len(b".egg-info")])
    rest = fold(top)[len(project) :]
    inside = len(parts) > 1 and parts[0] == top and parts[-1].endswith(b".egg-info")
    return inside and fold(top).startswith(project) and re.match(rb"-[0-9]", rest) is not None


def _check_sdist_contents(members: list[Member], report: Report) -> None:
    files = {member.name: member.contents for member in members if member.kind == "file"}
    top = members[0].name.partition(b"/")[0] if members else b""
    _check_block(top + b"/PKG-INFO", files, METADATA_FIELDS, "7.2", report)
    for name in files:
        directory, _, last = name.rpartition(b"/")
        if not is_own_egg_info(directory, top):
            continue
        if last == b"PKG-INFO":
            _check_block(name, files, METADATA_FIELDS, "7.2", report)
        elif last in (b"SOURCES.txt", b"top_level.txt"):
            _check_list(name, files, report)


# -- section 7.7: SBOMs

LARGEST_SBOM = 16 << 20
_UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_UUID_NAMESPACE = uuid.UUID("2bf58dff-7987-5a67-a080-18d885b700eb")
_CYCLONEDX_SETS = {"components", "services", "dependencies", "dependsOn", "provides"}
_SPDX_SETS = {
    ("packages",),
    ("files",),
    ("snippets",),
    ("relationships",),
    ("documentDescribes",),
    ("packages", "hasFiles"),
}


class Number(str):
    """A number of a JSON document, as it is spelt."""


def _check_sboms(files: dict[bytes, bytes], inside: bytes, report: Report) -> None:
    candidates = {name: data for name, data in files.items() if name.startswith(inside + b"sboms/")}
    for name, data in candidates.items():
        companions = [other for other in candidates if other.startswith(name + b".") and other != name + b".license"]
        if companions or len(data) > LARGEST_SBOM:
            continue
        others = b"\n".join(
            other for key, other in candidates.items() if key != name and len(other) <= LARGEST_SBOM
        ).lower()
        document = _read_json(data)
        if not isinstance(document, dict):
            continue
        cyclonedx = document.get("bomFormat") == "CycloneDX"
        spdx = re.fullmatch(r"SPDX-2\.[0-9]+", _string(document.get("spdxVersion"))) is not None
        if cyclonedx == spdx or any(map(_untouchable, _values(document))):
            continue
        member, pattern = ("serialNumber", "urn:uuid:") if cyclonedx else ("documentNamespace", "(?s:.*)")
        own = re.fullmatch(f"{pattern}(?<![0-9A-Za-z])({_UUID})", _string(document.get(member)))
        if own and own[1].lower().encode() in others:
            continue
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(report.date, 315532800) // 2 * 2))
        # Lists are sorted before the new UUID is known, so a placeholder stands for it.
        placed = _replaced(document, own[1], "\0") if own else document
        canonical = _canonical_value(placed, (), cyclonedx, stamp)
        if _json_text(_replaced(canonical, "\0", own[1] if own else "")).encode() != data:
            report.say("7.7", f"{_text(name)}: its times, the order of its lists, or its layout is not canonical")
        if own and own[1] != derived_uuid(_json_text(canonical)):
            report.say("7.7", f"{_text(name)}: its own UUID is not derived from the rest of it")


def derived_uuid(text: str) -> str:
    """Return the UUID of an SBOM with this canonical text, in which NUL stands for it (section 7.7)."""
    return str(uuid.uuid5(_UUID_NAMESPACE, hashlib.sha256(text.encode()).hexdigest()))


def _string(value: object) -> str:
    return value if isinstance(value, str) and not isinstance(value, Number) else ""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is given twice")
    return dict(pairs)


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _read_json(data: bytes) -> object:
    """Return the value of a JSON text; None for what section 7.7 leaves alone."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=_no_constant
    )
    try:
        document: object = decoder.decode(data.decode("utf-8"))
        _json_text(document).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    level = [document]
    for _ in range(101):
        level = [inner for outer in level for inner in _inner(outer)]
    return None if level else document


def _inner(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _values(value: object) -> list[object]:
    return [value, *(found for inner in _inner(value) for found in _values(inner))]


def _untouchable(value: object) -> bool:
    if isinstance(value, dict):
        return "signature" in value or any("\0" in name for name in value)
    return "\0" in _string(value)


def _canonical_value(value: object, path: tuple[str, ...], cyclonedx: bool, stamp: str) -> object:
    if isinstance(value, dict):
        return {name: _canonical_value(inner, (*path, name), cyclonedx, stamp) for name, inner in value.items()}
    if isinstance(value, list):
        items = [_canonical_value(inner, path, cyclonedx, stamp) for inner in value]
        is_set = path[-1:] and path[-1] in _CYCLONEDX_SETS if cyclonedx else path in _SPDX_SETS
        names = ("bom-ref", "ref") if cyclonedx else ("SPDXID", "spdxElementId")
        return sorted(items, key=lambda item: _sort_key(item, names)) if is_set else items
    is_text = isinstance(value, str) and not isinstance(value, Number)
    return stamp if is_text and _is_time(path, cyclonedx) else value


def _sort_key(item: object, names: tuple[str, str]) -> tuple[str, str]:
    found = [item.get(name) for name in names] if isinstance(item, dict) else [item]
    return (next((_string(name) for name in found if _string(name)), ""), _json_text(item))


def _is_time(path: tuple[str, ...], cyclonedx: bool) -> bool:
    if not cyclonedx:
        return path == ("creationInfo", "created") or path[-1:] == ("annotationDate",)
    if path[:1] == ("formulation",):
        return path[-1] in ("timeStart", "timeEnd", "timeActivated")
    return path in (("metadata", "timestamp"), ("annotations", "timestamp"))


def _json_text(value: object) -> str:
    return _json_lines(value, "\n") + "\n"


def _json_lines(value: object, line: str) -> str:
    if isinstance(value, Number):
        return str(value)
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        items = [
            f"{json.dumps(name, ensure_ascii=False)}: {_json_lines(value[name], line + '  ')}" for name in sorted(value)
        ]
    else:
        items = [_json_lines(inner, line + "  ") for inner in value]
    return opening + ",".join(f"{line}  {item}" for item in items) + (line if items else "") + closing


def _replaced(value: object, old: str, new: str) -> object:
    if isinstance(value, dict):
        return {name: _replaced(inner, old, new) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, old, new) for inner in value]
    return value.replace(old, new) if isinstance(value, str) and not isinstance(value, Number) else value


# -- section 7.8: compiled modules


def _check_pycs(files: dict[bytes, bytes], report: Report) -> None:
    for name, data in files.items():
        source = files.get(source_of(name))
        if source is None or len(data) <= 16:
            continue
        magic, newline, flags, _, size = struct.unpack_from("<H2s3L", data)
        known = newline == b"\r\n" and (3392 <= magic <= 3439 or 3495 <= magic <= 3699)
        if newline == b"\r\n" and magic in canonical_code.MAGICS and len(data) <= 16 << 20:
            _check_code(name, data[16:], magic, source_of(name), report)
        if known and len(source) <= 64 << 20 and flags == 0 and size == len(source) & 0xFFFFFFFF:
            report.say("7.8", f"{_text(name)}: its header holds a time, not the hash of {_text(source_of(name))}")


def _check_code(name: bytes, code: bytes, magic: int, source: bytes, report: Report) -> None:
    try:
        if canonical_code.canonical_code(code, magic, source) != code:
            report.say("7.8", f"{_text(name)}: its code is not in the one form")
    except canonical_code.LeftAlone:
        pass


def source_of(name: bytes) -> bytes:
    """Return the name of the source that a compiled module belongs to (section 7.8), or nothing."""
    match = re.fullmatch(rb"(?s)(|.*/)__pycache__/([^/.]+)\.[^/.]*(?:\.opt-[^/.]*)?\.pyc", name)
    if match:
        return match[1] + match[2] + b".py"
    cached = re.search(rb"(?:^|/)__pycache__/[^/]*\Z", name)
    return name[:-1] if name.endswith(b".pyc") and not cached else b""
