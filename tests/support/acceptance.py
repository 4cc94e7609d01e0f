"""What a public index refuses: the checks that PyPI makes of an upload, as an oracle for what samebytes writes.

Written from public descriptions, and reading the bytes anew: nothing of samebytes is used.

- PyPI's user documentation, "Archives": framing of ZIP files, duplicate and unprintable names, comments, trailing data.
- PyPI's announcement of 2025-08-07, "Preventing ZIP parser confusion attacks on Python package installers": local
  headers and central directory agree, and RECORD lists what the archive holds (refused since 2026-02-01).
- Binary distribution format: names, ``.dist-info``, RECORD. Core metadata. PEP 625 and the source distribution format:
  one top directory, PKG-INFO. PEP 639: licence files are there. PEP 600, 656: which platforms a wheel may name.
- The limits of a file's size and of its compression are PyPI's of November 2026.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import re
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import ExceptionGroup, InvalidMetadata, Metadata
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

LARGEST_FILE = 100 << 20
"""Bytes that a project may upload as one file, if it has no exception."""
BOMB_FROM = 64 << 20
"""Bytes, unpacked, below which nobody asks how well a ZIP file compresses."""
BOMB_RATIO = 50

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_ZIP64_FIELD, _UNICODE_PATH = 0x0001, 0x7075
_UNPRINTABLE = re.compile(rb"[\x00-\x1f\x7f]")
_LINUX_ARCHITECTURES = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
_PLATFORMS = re.compile(
    r"any|win32|win_amd64|win_arm64|win_ia64|linux_armv[67]l|manylinux(1|2010|2014)_\w+"
    rf"|manylinux_\d+_\d+_({_LINUX_ARCHITECTURES}|ppc64)|musllinux_\d+_\d+_({_LINUX_ARCHITECTURES})"
    r"|macosx_(10_\d+|(11|12|13|14|15|26)_0)_(x86_64|arm64|universal2|universal|intel|i386|fat\w*|ppc\w*)"
    r"|ios_\d+_\d+_(arm64|x86_64)_iphone(os|simulator)|android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)"
)


class _Refused(Exception):
    """Something after which reading on makes no sense."""


@dataclass(frozen=True)
class _Header:
    """What a local header and a central one both say of a member."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    extra: bytes

    @property
    def shared(self) -> tuple[int, ...]:
        """What both headers must agree on; extra fields may differ."""
        return self.flags, self.method, self.crc, self.packed_size, self.size


def problems(path: Path) -> list[str]:
    """Return why the index would refuse the file; nothing if it would take it."""
    found: list[str] = []
    try:
        found.extend(_file_problems(path))
        for problem in _wheel_problems(path) if path.suffix == ".whl" else _sdist_problems(path):
            found.append(problem)  # one by one: those before the last stay
    except _Refused as refused:
        found.append(str(refused))
    return found


def assert_taken(*files: Path, compiled: bool = False) -> None:
    """An sdist and a wheel are there, and nothing is wrong with them.

    :param compiled: the wheel is for any Linux, which no index takes before it is repaired
    """
    assert sorted(path.suffix for path in files) == [".gz", ".whl"]
    for path in files:
        found = problems(path)
        if compiled and sys.platform == "linux":
            found = [one for one in found if "platform linux_" not in one]
        assert found == [], path.name


def _file_problems(path: Path) -> Iterator[str]:
    if path.stat().st_size > LARGEST_FILE:
        yield f"file: larger than {LARGEST_FILE} bytes"
    if _UNPRINTABLE.search(path.name.encode()) or "\\" in path.name:
        yield "filename: has an unprintable character or a path separator"
    if not path.name.endswith((".whl", ".tar.gz")):
        raise _Refused("filename: is neither .whl nor .tar.gz")


# --- wheels ---------------------------------------------------------------------------------------------------------


def _wheel_problems(path: Path) -> Iterator[str]:
    try:
        _, version, _, tags = parse_wheel_filename(path.name)
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise _Refused(f"filename: {error}") from error
    platforms = {tag.platform for tag in tags}
    yield from (f"filename: platform {one} is not taken" for one in sorted(platforms) if not _PLATFORMS.fullmatch(one))
    yield from zip_problems(path.read_bytes())
    files = _unpacked(path)
    name, spelt_version = path.name.split("-")[:2]
    info = f"{name}-{spelt_version}.dist-info"
    for needed in ("WHEEL", "METADATA", "RECORD"):
        if f"{info}/{needed}" not in files:
            raise _Refused(f"{needed}: not found at {info}/{needed}")
    yield from record_problems(files, f"{info}/RECORD")
    licenses = {member.removeprefix(f"{info}/licenses/") for member in files}
    yield from _metadata_problems(files[f"{info}/METADATA"], name, version, licenses)


def _unpacked(path: Path) -> dict[str, bytes]:
    try:
        with warnings.catch_warnings(), zipfile.ZipFile(path) as wheel:
            warnings.simplefilter("ignore", UserWarning)  # of overlaps, which Python 3.14 reports so; we look ourselves
            members = wheel.infolist()
            total = sum(member.file_size for member in members)
            if total > BOMB_FROM and total / path.stat().st_size > BOMB_RATIO:
                raise _Refused(f"zip: unpacks to more than {BOMB_RATIO} times its size")
            return {member.filename: wheel.read(member) for member in members if not member.is_dir()}
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError) as error:
        raise _Refused(f"zip: {error}") from error


def record_problems(files: Mapping[str, bytes], record: str) -> Iterator[str]:
    """Give what RECORD leaves out, names in vain, or has another hash or size of."""
    rows = list(csv.reader(files[record].decode("utf-8").splitlines()))
    listed = {row[0]: row[1:] for row in rows}
    unlisted = {record, f"{record}.jws", f"{record}.p7s"}
    yield from (f"RECORD: lists {name} twice" for name, count in Counter(row[0] for row in rows).items() if count > 1)
    yield from (f"RECORD: does not list {name}" for name in sorted(files.keys() - listed.keys() - unlisted))
    yield from (f"RECORD: lists {name}, which is not there" for name in sorted(listed.keys() - files.keys()))
    for name in sorted(files.keys() & listed.keys() - unlisted):
        stated, size = listed[name]
        algorithm, _, digest = stated.partition("=")
        if algorithm not in {"sha256", "sha384", "sha512"}:
            yield f"RECORD: {name} has no hash of sha256 or better"
        elif base64.urlsafe_b64encode(hashlib.new(algorithm, files[name]).digest()).rstrip(b"=").decode() != digest:
            yield f"RECORD: {name} has another hash"
        if size and int(size) != len(files[name]):
            yield f"RECORD: {name} has another size"


# --- the framing of a ZIP file --------------------------------------------------------------------------------------


def zip_problems(data: bytes) -> Iterator[str]:
    """Give what makes two readers of a ZIP file see different things: front to back, and by the central directory.

    Every byte must belong to a local header, to a member, to the central directory or to its end, in this order
    (APPNOTE 4.3.6, without descriptors, encryption and ZIP64 records, which no wheel below 100 MiB needs).
    """
    local, at = _local_headers(data)
    central, end = _central_headers(data, at)
    yield from _end_problems(data, at, end, len(central))
    for side, headers in (("local headers", local), ("central directory", central)):
        names = Counter(header.name for header in headers)
        yield from (f"zip: {name!r} is twice in the {side}" for name, count in names.items() if count > 1)
        yield from (problem for header in headers for problem in _name_problems(header))
    by_name = {header.name: header for header in central}
    for name in sorted({header.name for header in local} ^ by_name.keys()):
        yield f"zip: {name!r} is in one of local headers and central directory only"
    for header in local:
        if header.name in by_name and header.shared != by_name[header.name].shared:
            yield f"zip: local header and central directory disagree on {header.name!r}"


def _local_headers(data: bytes) -> tuple[list[_Header], int]:
    found, at = [], 0
    while data[at : at + 4] == _LOCAL:
        header, start = _header(data, at + 4, between=0)
        if header.flags & 0x08:
            raise _Refused(f"zip: {header.name!r} has a data descriptor")
        if header.flags & 0x01:
            raise _Refused(f"zip: {header.name!r} is encrypted")
        found.append(header)
        at = start + header.packed_size
    if data[at : at + 4] not in {_CENTRAL, _END}:
        raise _Refused(f"zip: unknown record at {at}")
    return found, at


def _central_headers(data: bytes, at: int) -> tuple[list[_Header], int]:
    found = []
    while data[at : at + 4] == _CENTRAL:
        header, after = _header(data, at + 6, between=14)
        (comment,) = struct.unpack_from("<H", data, at + 32)
        if comment:
            raise _Refused(f"zip: {header.name!r} has a comment")
        found.append(header)
        at = after
    if data[at : at + 4] != _END:
        raise _Refused(f"zip: unknown record at {at}")
    return found, at


def _header(data: bytes, at: int, between: int) -> tuple[_Header, int]:
    """Return what is at *at*, and where it ends; *between* are the bytes before the name that only one side has."""
    try:
        flags, method, _, crc, packed, size, name, extra = struct.unpack_from("<xxHHLLLLHH", data, at)
    except struct.error:
        raise _Refused("zip: ends within a header") from None
    start = at + 26 + between
    end = start + name + extra
    if end > len(data):
        raise _Refused("zip: ends within a header")
    return _Header(data[start : start + name], flags, method, crc, packed, size, data[start + name : end]), end


def _end_problems(data: bytes, at: int, end: int, count: int) -> Iterator[str]:
    disk, first, here, total, size, offset, comment = struct.unpack_from("<HHHHLLH", data, end + 4)
    if disk or first:
        yield "zip: is one of several disks"
    if {here, total} != {count}:
        yield f"zip: says {total} members in its end record, and has {count}"
    if (offset, size) != (at, end - at):
        yield "zip: the end record has another place or size of the central directory"
    if comment:
        yield "zip: has a comment"
    if end + 22 + comment != len(data):
        yield "zip: has trailing data"


def _name_problems(header: _Header) -> Iterator[str]:
    if _UNPRINTABLE.search(header.name):
        yield f"zip: {header.name!r} has an unprintable character"
    try:
        header.name.decode("utf-8")
    except UnicodeDecodeError:
        yield f"zip: {header.name!r} is not UTF-8"
    if header.method not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield f"zip: {header.name!r} is compressed by method {header.method}"
    kinds = Counter(_extra_fields(header))
    if any(kinds[kind] > 1 for kind in (_ZIP64_FIELD, _UNICODE_PATH)):
        yield f"zip: {header.name!r} has an extra field twice"


def _extra_fields(header: _Header) -> Iterator[int]:
    rest = header.extra
    while rest:
        if len(rest) < 4 or len(rest) < 4 + int.from_bytes(rest[2:4], "little"):
            raise _Refused(f"zip: {header.name!r} has a broken extra field")
        yield int.from_bytes(rest[:2], "little")
        rest = rest[4 + int.from_bytes(rest[2:4], "little") :]


# --- sdists ---------------------------------------------------------------------------------------------------------


def _sdist_problems(path: Path) -> Iterator[str]:
    try:
        name, version = parse_sdist_filename(path.name)
    except (InvalidSdistFilename, InvalidVersion) as error:
        raise _Refused(f"filename: {error}") from error
    members = _tar_members(path)
    wanted = f"{name.replace('-', '_')}-{version}"
    if path.name != f"{wanted}.tar.gz":
        yield f"filename: would be {wanted}.tar.gz (PEP 625)"
    tops = sorted({member.partition("/")[0] for member in members})
    if len(tops) != 1 or tops[0] in {"", ".", ".."}:
        raise _Refused(f"sdist: has {len(tops)} top directories: {', '.join(tops)}")
    if tops != [wanted]:
        yield f"sdist: its directory is {tops[0]} and not {wanted}"
    if f"{tops[0]}/PKG-INFO" not in members:
        raise _Refused(f"PKG-INFO: not found at {tops[0]}/PKG-INFO")
    yield from (f"sdist: {member} leads out of it" for member in members if ".." in member.split("/"))
    licenses = {member.partition("/")[2] for member in members}
    yield from _metadata_problems(members[f"{tops[0]}/PKG-INFO"], name, version, licenses)


def _tar_members(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(path.read_bytes()))) as tar:
            read = {member.name: tar.extractfile(member) for member in tar.getmembers()}
            return {name: stream.read() if stream else b"" for name, stream in read.items()}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise _Refused(f"tar: {error}") from error


# --- metadata -------------------------------------------------------------------------------------------------------


def _metadata_problems(text: bytes, name: str, version: Version, licenses: set[str]) -> Iterator[str]:
    """Give what is wrong in core metadata, and what is in it that the file's name or contents contradict."""
    try:
        metadata = Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        reasons = [str(error) for error in group.exceptions]
        raise _Refused(f"metadata: {'; '.join(reasons)}") from None
    except InvalidMetadata as error:
        raise _Refused(f"metadata: {error}") from None
    if canonicalize_name(metadata.name) != canonicalize_name(name):
        yield f"metadata: is of {metadata.name}, the filename says {canonicalize_name(name)}"
    if metadata.version != version:
        yield f"metadata: is of version {metadata.version}, the filename says {version}"
    if metadata.metadata_version >= "2.4":
        missing = set(metadata.license_files or ()) - licenses
        yield from (f"metadata: License-File {one} is not there" for one in sorted(missing))
