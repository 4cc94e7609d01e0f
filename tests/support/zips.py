"""ZIP files put together field by field, so that a test can make any of them odd or a lie.

Everything here is laid out from APPNOTE anew, apart from the code under test: ``build`` of plain members gives the
canonical form, and each argument changes one thing of it.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TEXT = b"def answer():\n    return 42\n" * 20
NOON = (12 << 11, (2020 - 1980) << 9 | 2 << 5 | 2)
"""DOS time and date of 2020-02-02 12:00:00, which is NOON_SECONDS."""
NOON_SECONDS = 1580644800
FILE_0644 = 0o100644 << 16
DIRECTORY_0755 = 0o040755 << 16 | 0x10
FULL = 0xFFFFFFFF


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 8)
    return packer.compress(data) + packer.flush()


@dataclass(frozen=True)
class Member:
    """One member; None stands for what is true, ``local`` says what the local header holds instead."""

    name: bytes = b"pkg/a.py"
    data: bytes = TEXT
    method: int = 8
    packed: bytes | None = None
    time: int = NOON[0]
    date: int = NOON[1]
    made_by: int = 3 << 8 | 20
    needed: int | None = None
    flags: int = 0
    crc: int | None = None
    packed_size: int | None = None
    size: int | None = None
    extra: bytes = b""
    comment: bytes = b""
    disk: int = 0
    internal: int = 0
    external: int = FILE_0644
    offset: int | None = None
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    descriptor: bytes = b""
    after: bytes = b""
    """Bytes between this member and what follows, of no use."""

    def contents(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    def fields(self) -> dict[str, int | bytes]:
        """Return what both headers hold, as the central one does."""
        return {
            "needed": (20 if self.method == 8 else 10) if self.needed is None else self.needed,
            "flags": self.flags,
            "method": self.method,
            "time": self.time,
            "date": self.date,
            "crc": zlib.crc32(self.data) if self.crc is None else self.crc,
            "packed_size": len(self.contents()) if self.packed_size is None else self.packed_size,
            "size": len(self.data) if self.size is None else self.size,
            "name": self.name,
            "extra": self.extra,
        }


def header(fields: Mapping[str, int | bytes]) -> tuple[bytes, bytes, bytes]:
    """Return the part that both headers share, up to the length of the extra field, then name and extra field."""
    name, extra = bytes(fields["name"]), bytes(fields["extra"])
    numbers = [fields[key] for key in ("needed", "flags", "method", "time", "date", "crc", "packed_size", "size")]
    return struct.pack("<HHHHHLLLHH", *numbers, len(name), len(extra)), name, extra


def directory(name: bytes = b"pkg/", **changes: object) -> Member:
    plain: dict[str, object] = {"data": b"", "method": 0, "external": DIRECTORY_0755}
    return Member(name=name, **{**plain, **changes})  # type: ignore[arg-type]


def field_of(identifier: int, payload: bytes) -> bytes:
    """Return one extra field."""
    return struct.pack("<HH", identifier, len(payload)) + payload


def zip64(*values: int) -> bytes:
    """Return a ZIP64 extra field of 8-byte values."""
    return field_of(1, struct.pack(f"<{len(values)}Q", *values))


def descriptor(member: Member, *, width: int = 4, signature: bool = True) -> bytes:
    sizes = struct.pack("<LL" if width == 4 else "<QQ", len(member.contents()), len(member.data))
    return (b"PK\x07\x08" if signature else b"") + struct.pack("<L", zlib.crc32(member.data)) + sizes


def build(
    *members: Member,
    prefix: bytes = b"",
    order: Sequence[int] = (),
    before_end: bytes = b"",
    comment: bytes = b"",
    suffix: bytes = b"",
    end: Mapping[str, int] | None = None,
    end64: Mapping[str, int] | None = None,
    end64_data: bytes = b"",
) -> bytes:
    """Return a ZIP file.

    *order* is that of the central directory, by number. *end* replaces fields of the end record; with *end64*, a ZIP64
    end record and its locator precede it, of which it replaces fields.
    """
    out = bytearray(prefix)
    headers = []
    for member in members:
        offset = len(out) if member.offset is None else member.offset
        fields = member.fields()
        shared, name, extra = header(fields)
        tail = struct.pack("<HHHLL", len(member.comment), member.disk, member.internal, member.external, offset)
        headers.append(
            b"PK\x01\x02" + struct.pack("<H", member.made_by) + shared + tail + name + extra + member.comment
        )
        out += b"PK\x03\x04" + b"".join(header({**fields, **member.local}))
        out += member.contents() + member.descriptor + member.after
    central = b"".join(headers[number] for number in (order or range(len(headers))))
    true = {"disk": 0, "first_disk": 0, "here": len(headers), "count": len(headers)}
    true.update({"size": len(central), "offset": len(out)})
    out += central + before_end
    if end64 is not None:
        out += _end64({**true, **end64}, len(out), end64_data)
    return bytes(out + _end({**true, **(end or {})}, comment) + suffix)


def _end(fields: Mapping[str, int], comment: bytes) -> bytes:
    numbers = [fields[key] for key in ("disk", "first_disk", "here", "count", "size", "offset")]
    return b"PK\x05\x06" + struct.pack("<HHHHLLH", *numbers, fields.get("length", len(comment))) + comment


def _end64(fields: Mapping[str, int], at: int, data: bytes) -> bytes:
    numbers = [fields[key] for key in ("disk", "first_disk", "here", "count", "size", "offset")]
    versions = fields.get("made_by", 45), fields.get("needed", 45)
    length = fields.get("length", 44 + len(data))
    record = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", length, *versions, *numbers) + data
    place = fields.get("locator_disk", 0), fields.get("at", at), fields.get("disks", 1)
    return record + b"PK\x06\x07" + struct.pack("<LQL", *place)


def saved(directory: Path, data: bytes, name: str = "it-1-py3-none-any.whl") -> Path:
    path = directory / name
    path.write_bytes(data)
    return path


class OneWay(io.RawIOBase):
    """A sink that cannot seek, so that zipfile has to write data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.data += piece
        return len(piece)
