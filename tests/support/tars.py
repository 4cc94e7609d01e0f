"""Builds tar archives and gzip files byte by byte, as odd or as hostile as a test needs them.

Nothing here knows the code under test: the canonical header is written out a second time, from its specification.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

DATE = 1580601600
CANONICAL_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


def octal(value: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def base256(value: int, width: int) -> bytes:
    """A GNU number: two's complement behind a byte that marks it."""
    if value < 0:
        return b"\xff" + (value + (1 << 8 * (width - 1))).to_bytes(width - 1, "big")
    return b"\x80" + value.to_bytes(width - 1, "big")


def header(name: bytes, signed: bool = False, /, **fields: bytes) -> bytes:
    """One ustar header block, canonical but for *fields*, which are given as bytes; the checksum fits unless given."""
    layout = {
        "name": (name, 100),
        "mode": (b"0000644\0", 8),
        "uid": (b"0000000\0", 8),
        "gid": (b"0000000\0", 8),
        "size": (octal(0, 12), 12),
        "mtime": (octal(DATE, 12), 12),
        "checksum": (b" " * 8, 8),
        "typeflag": (b"0", 1),
        "linkname": (b"", 100),
        "magic": (b"ustar\0", 6),
        "version": (b"00", 2),
        "uname": (b"", 32),
        "gname": (b"", 32),
        "devmajor": (b"0000000\0", 8),
        "devminor": (b"0000000\0", 8),
        "prefix": (b"", 155),
        "rest": (b"", 12),
    }
    checksum = fields.pop("checksum", None)
    values = {field: (fields.pop(field, value), width) for field, (value, width) in layout.items()}
    assert not fields, fields
    block = b"".join(value.ljust(width, b"\0")[:width] for value, width in values.values())
    total = sum(struct.unpack("512b", block)) if signed else sum(block)
    return block[:148] + (b"%06o\0 " % total if checksum is None else checksum) + block[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def member(name: bytes, data: bytes = b"", **fields: bytes) -> bytes:
    """A header with its contents; *fields* as for :func:`header`, with the size that fits unless one is given."""
    fields.setdefault("size", octal(len(data), 12))
    return header(name, **fields) + padded(data)


def directory(name: bytes, **fields: bytes) -> bytes:
    return member(name, b"", **{"typeflag": b"5", "mode": b"0000755\0", **fields})


def symlink(name: bytes, target: bytes, **fields: bytes) -> bytes:
    return member(name, **{"typeflag": b"2", "mode": b"0000777\0", "linkname": target, **fields})


def hard_link(name: bytes, target: bytes, **fields: bytes) -> bytes:
    return member(name, **{"typeflag": b"1", "linkname": target, **fields})


def records(**values: bytes | str) -> bytes:
    """PAX records, in the order given; ``_`` in a keyword stands for a dot."""
    return b"".join(record(keyword.replace("_", "."), value) for keyword, value in values.items())


def record(keyword: str, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    rest = b" " + keyword.encode() + b"=" + raw + b"\n"
    length = next(n for n in range(len(rest), len(rest) + 20) if len(str(n)) + len(rest) == n)
    return str(length).encode() + rest


def pax(data: bytes, **fields: bytes) -> bytes:
    """An extended header, as the canonical form has it but for *fields*."""
    return member(b"././@PaxHeader", data, **{"typeflag": b"x", **fields})


def gnu_long(flag: bytes, text: bytes) -> bytes:
    return member(b"././@LongLink", text, typeflag=flag, magic=b"ustar ", version=b" \0")


def tar(*parts: bytes) -> bytes:
    """The parts, ended as the canonical form ends."""
    body = b"".join(parts) + bytes(1024)
    return body + bytes(-len(body) % 10240)


def gz(data: bytes, *, head: bytes = CANONICAL_GZIP, crc: int | None = None, size: int | None = None) -> bytes:
    """A gzip member with the stream of an ordinary compressor."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    stream = compressor.compress(data) + compressor.flush()
    tail = struct.pack(
        "<LL", zlib.crc32(data) if crc is None else crc, len(data) & 0xFFFFFFFF if size is None else size
    )
    return head + stream + tail


def sdist(directory: Path, *parts: bytes, name: str = "pkg-1.0.tar.gz") -> Path:
    """Write the sdist whose tar consists of *parts*."""
    return raw_sdist(directory, tar(*parts), name)


def raw_sdist(directory: Path, whole_tar: bytes, name: str = "pkg-1.0.tar.gz") -> Path:
    path = directory / name
    path.write_bytes(gz(whole_tar))
    return path
