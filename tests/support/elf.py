"""The sections of an ELF file, decompressed, so that debug information can be searched."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

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
