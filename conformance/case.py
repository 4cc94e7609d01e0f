"""A vector before it is a file: the input, what it is given, and the words of the document that it shows."""

from __future__ import annotations

import hashlib
import struct
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import NamedTuple, Union

from support import zips
from support.tars import DATE, directory, gz, member, tar

WHEEL_FILE = "a-1-py3-none-any.whl"
SDIST_FILE = "a-1.tar.gz"
METADATA = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
INFO = "a-1.dist-info"


class Input(NamedTuple):
    """What a writer is given."""

    data: bytes
    file: str = ""
    """The file's name; empty for the usual one of a wheel or an sdist, by its first bytes."""
    date: int | None = DATE
    """None: no date is given."""
    epoch: str | None = None
    """The value of SOURCE_DATE_EPOCH, if it is set."""


Rules = Mapping[str, Mapping[str, Union[bytes, Input]]]
"""By the number of a section and words of it: inputs, each with a name of its own."""


def row(name: bytes, data: bytes, algorithm: str = "sha256") -> bytes:
    """Return the row of RECORD for a file."""
    digest = urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=")
    quoted = b'"%b"' % name.replace(b'"', b'""') if any(mark in name for mark in b',"\r\n') else name
    return b"%b,%b=%b,%d\n" % (quoted, algorithm.encode(), digest, len(data))


def record_of(files: Mapping[bytes, bytes], info: str = INFO) -> bytes:
    """Return a RECORD, in the order of *files*."""
    return b"".join(row(name, data) for name, data in files.items()) + f"{info}/RECORD,,\n".encode()


def stored(name: str | bytes, data: bytes = b"", **fields: object) -> zips.Member:
    """Return a member that is not compressed, marked as UTF-8 where its name is not ASCII."""
    raw = name.encode() if isinstance(name, str) else name
    plain: dict[str, object] = {"method": 0, "flags": 0 if raw.isascii() else 0x800}
    return zips.Member(raw, data, **{**plain, **fields})  # type: ignore[arg-type]


def wheel(
    *members: zips.Member,
    record: bytes | None = None,
    metadata: bytes | zips.Member = METADATA,
    text: bytes = WHEEL,
    info: str = INFO,
    more: Mapping[str, bytes] | None = None,
    **ends: object,
) -> bytes:
    """Return a wheel of *members* and a dist-info directory, with a RECORD that lists all of it.

    *more* are files of the dist-info directory. *ends* is what :func:`support.zips.build` takes.
    """
    inside = [stored(f"{info}/WHEEL", text), *(stored(f"{info}/{name}", data) for name, data in (more or {}).items())]
    first = metadata if isinstance(metadata, zips.Member) else stored(f"{info}/METADATA", metadata)
    every = [*members, first, *inside]
    if record is None:
        record = record_of({one.name: one.data for one in every if not one.name.endswith(b"/")}, info)
    return zips.build(*every, stored(f"{info}/RECORD", record), **ends)  # type: ignore[arg-type]


def member_of(*parts: bytes, info: bytes = METADATA) -> bytes:
    """Return the tar of an sdist with these parts, and PKG-INFO before them."""
    return tar(directory(b"a-1/"), member(b"a-1/PKG-INFO", info), *parts)


def sdist(*parts: bytes, info: bytes = METADATA) -> bytes:
    """Return an sdist with these parts, and PKG-INFO before them."""
    return gz(member_of(*parts, info=info))


def in_stored_blocks(data: bytes) -> bytes:
    """Return a deflate stream that compresses nothing, in two blocks (RFC 1951, 3.2.4)."""
    stream = b""
    for last, part in enumerate((data[: len(data) // 2], data[len(data) // 2 :])):
        stream += struct.pack("<B2H", last, len(part), 0xFFFF - len(part)) + part
    return stream
