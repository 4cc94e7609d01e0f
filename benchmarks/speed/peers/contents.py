"""Read every member of a wheel, or the tar in an sdist, on one thread: the least that any tool has to do.

    python contents.py ARCHIVE [--deflate]

Inflates and hashes by SHA-256. With ``--deflate`` everything is compressed anew as well, at level 6, and thrown away.
No header is checked, no checksum compared and nothing written.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

PIECE = 1 << 16
LOCAL_HEADER = 30
RAW, GZIP = -15, 31


def main() -> None:
    """Do as the command line says."""
    path, deflated = sys.argv[1], "--deflate" in sys.argv[2:]
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes as long to import as a small wheel to read
        for chunks in members(file) if path.endswith(".whl") else [inflated(pieces(file, -1), GZIP)]:
            digest(chunks, deflated)


def digest(chunks: Iterator[bytes], deflated: bool) -> None:
    """Hash *chunks*, and compress them if so wanted."""
    state = hashlib.sha256()
    compressor = zlib.compressobj(6, zlib.DEFLATED, RAW) if deflated else None
    for chunk in chunks:
        state.update(chunk)
        if compressor:
            compressor.compress(chunk)
    if compressor:
        compressor.flush()
    state.digest()


def members(file: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Give the contents of each member of a wheel."""
    for info in zipfile.ZipFile(file).infolist():
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(info.header_offset + LOCAL_HEADER + lengths)
        packed = pieces(file, info.compress_size)
        yield inflated(packed, RAW) if info.compress_type == zipfile.ZIP_DEFLATED else packed


def pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Give the next *size* bytes of *file*; all there are if it is negative."""
    while size:
        piece = file.read(PIECE if size < 0 else min(PIECE, size))
        if not piece:
            return
        size -= len(piece) if size > 0 else 0
        yield piece


def inflated(packed: Iterator[bytes], form: int) -> Iterator[bytes]:
    """Give what *packed* stands for, in the *form* that zlib calls wbits."""
    inflater = zlib.decompressobj(form)
    for piece in packed:
        yield inflater.decompress(piece)


main()
