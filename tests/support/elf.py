"""ELF files: their sections, decompressed, so that debug information can be searched; and small ones to be read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Section(NamedTuple):
    """A section to be written; *link* names the one that it refers to."""

    data: bytes
    kind: int = 1
    flags: int = 0
    address: int = 0
    link: str = ""
    entry_size: int = 0


_COMPRESSED = 0x800
_NO_BITS = 8


def sections(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give each section's name and contents of a 64-bit little-endian ELF file; nothing for other files.

    Source: System V ABI, "Sections" and "Section Compression" (ELFCOMPRESS_ZLIB).
    """
    if data[:6] != b"\x7fELF\x02\x01":
        return
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count, names_at = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + index * size) for index in range(count)]
    names = data[headers[names_at][4] :]
    for name, kind, flags, _, offset, length, *_ in headers:
        body = b"" if kind == _NO_BITS else data[offset : offset + length]
        if flags & _COMPRESSED:
            body = zlib.decompress(body[24:])
        yield names[name : names.index(b"\0", name)].decode("ascii"), body


def build(sections: Mapping[str, Section], machine: int = 62) -> bytes:
    """Return a 64-bit little-endian ELF library with the *sections*, and the table of their names.

    Source: System V ABI, "ELF Header" and "Sections".
    """
    named = {**sections, ".shstrtab": Section(b"", kind=3)}
    names = b"\0" + b"".join(name.encode() + b"\0" for name in named)
    named[".shstrtab"] = Section(names, kind=3)
    body, headers = bytearray(), [bytes(64)]
    for name, section in named.items():
        body += bytes(-len(body) % 8)
        place = names.index(b"\0" + name.encode() + b"\0") + 1
        link = list(named).index(section.link) + 1 if section.link else 0
        numbers = (place, section.kind, section.flags, section.address, 64 + len(body), len(section.data), link, 0)
        headers.append(struct.pack("<IIQQQQIIQQ", *numbers, 1, section.entry_size))
        body += section.data
    body += bytes(-len(body) % 8)
    fixed = struct.pack(
        "<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, len(headers), len(named)
    )
    return b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + fixed + bytes(body) + b"".join(headers)
