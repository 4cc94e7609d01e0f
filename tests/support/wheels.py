"""Wheels and sdists with anything in them, in memory or written by zipfile and tarfile, which samebytes has no part in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samebytes.archive.entry import Archive, Data, Entry, Kind, read_all

DATE = 1700000000
"""2023-11-14 22:13:20 UTC."""
OLD = 1714558272
"""2024-05-01 10:11:12 UTC."""

WHEEL_NAME = "demo_pkg-1.0-py3-none-any.whl"
INFO = "demo_pkg-1.0.dist-info"
RECORD = f"{INFO}/RECORD"
METADATA = b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\nSummary: a demonstration\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: demo 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
FILES = {
    "demo_pkg/__init__.py": b"ANSWER = 42\n" * 40,
    "demo_pkg/tool.py": b"print('hello')\n",
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": WHEEL,
}

SDIST_NAME = "demo_pkg-1.0.tar.gz"
TOP = "demo_pkg-1.0"
SOURCES = {
    f"{TOP}/PKG-INFO": METADATA,
    f"{TOP}/pyproject.toml": b"[project]\n",
    f"{TOP}/src/demo_pkg/__init__.py": b"ANSWER = 42\n" * 40,
}


@dataclass(frozen=True)
class Member:
    """One member of an archive that a test writes."""

    name: str
    data: bytes = b""
    mode: int = 0o644
    mtime: float = OLD
    kind: Kind = Kind.FILE
    target: str = ""
    owner: tuple[int, int, str, str] = (0, 0, "", "")
    stored: bool = False
    """Zip: not compressed."""


def spelt(data: bytes, algorithm: str = "sha256") -> str:
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest())
    return f"{algorithm}={digest.decode().rstrip('=')}"


def record_of(files: Mapping[str, bytes], algorithm: str = "sha256") -> bytes:
    """A true RECORD, in the order given."""
    rows = [f"{_quoted(name)},{spelt(data, algorithm)},{len(data)}\n" for name, data in files.items()]
    return "".join([*rows, f"{RECORD},,\n"]).encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name


def members(files: Mapping[str, bytes] | None = None, record: bytes | None = None) -> list[Member]:
    """The members of a wheel with *files*, RECORD last; *record* stands in for the true one."""
    contents = dict(FILES if files is None else files)
    contents[RECORD] = record_of(contents) if record is None else record
    return [Member(name, data) for name, data in contents.items()]


def sources(files: Mapping[str, bytes] | None = None) -> list[Member]:
    """The members of an sdist."""
    return [Member(name, data) for name, data in (SOURCES if files is None else files).items()]


def entry(member: Member) -> Entry:
    return Entry(member.name, member.kind, member.mode, member.mtime, Data(member.data), member.target)


def archive(given: Iterable[Member], name: str = WHEEL_NAME) -> Archive:
    """An archive in memory, as a reader would give it."""
    return Archive(name, tuple(entry(member) for member in given))


def contents_of(found: Archive) -> dict[str, bytes]:
    return {one.name: read_all(one.content) for one in found.entries if one.kind is Kind.FILE}


def write_wheel(directory: Path, given: Sequence[Member] | None = None, name: str = WHEEL_NAME) -> Path:
    """Write a wheel by zipfile, and return its path."""
    path = directory / name
    with zipfile.ZipFile(path, "w") as file:
        for member in members() if given is None else given:
            _write_member(file, member)
    return path


def _write_member(file: zipfile.ZipFile, member: Member) -> None:
    moment = time.gmtime(member.mtime)[:6]
    suffix, kind = {Kind.FILE: ("", 0o100000), Kind.DIRECTORY: ("/", 0o040000), Kind.SYMLINK: ("", 0o120000)}[
        member.kind
    ]
    info = zipfile.ZipInfo(member.name + suffix, moment)
    info.create_system = 3  # on Windows, zipfile states that
    info.external_attr = (kind | member.mode) << 16
    info.compress_type = zipfile.ZIP_STORED if member.stored else zipfile.ZIP_DEFLATED
    file.writestr(info, member.target.encode() if member.kind is Kind.SYMLINK else member.data)


def write_sdist(directory: Path, given: Sequence[Member] | None = None, name: str = SDIST_NAME) -> Path:
    """Write an sdist by tarfile, and return its path."""
    path = directory / name
    # Not "w:gz", which takes the time from the clock: two of one content would differ at the turn of a second.
    with gzip.GzipFile(path, "wb", 9, mtime=DATE) as packed, tarfile.open(fileobj=packed, mode="w") as file:
        for member in sources() if given is None else given:
            info = tarfile.TarInfo(member.name)
            info.type = {Kind.FILE: tarfile.REGTYPE, Kind.DIRECTORY: tarfile.DIRTYPE, Kind.SYMLINK: tarfile.SYMTYPE}[
                member.kind
            ]
            info.mode, info.mtime, info.linkname = member.mode, member.mtime, member.target
            info.uid, info.gid, info.uname, info.gname = member.owner
            info.size = len(member.data)
            file.addfile(info, io.BytesIO(member.data))
    return path


def unpack_wheel(path: Path) -> dict[str, bytes]:
    """The files of a wheel, in its own order, as zipfile reads them."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def unpack_sdist(path: Path) -> dict[str, bytes]:
    """The files of an sdist, in its own order, as tarfile reads them."""
    with tarfile.open(path) as file:
        return {info.name: _extracted(file, info) for info in file if info.isfile()}


def _extracted(file: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    stream = file.extractfile(info)
    assert stream is not None
    return stream.read()
