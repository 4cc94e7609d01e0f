"""The header of a compiled module: what it says, and the form of it that no clock decides (PEP 552)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from ..archive.entry import Content, read_all
from .siphash import siphash

__all__ = ["HEADER_SIZE", "LARGEST_SOURCE", "Reheaded", "checked_header", "source_hash", "source_of"]

HEADER_SIZE = 16
"""Bytes: magic number, flags, then source time and size or the source's hash; the code object follows."""

LARGEST_SOURCE = 64 << 20
"""Bytes; a larger source is not held, and the modules compiled from it stay as they are."""

_CHECKED_HASH = b"\x03\x00\x00\x00"
_TIMESTAMP = b"\x00\x00\x00\x00"
_OPTIMIZED_PARTS = 4
_PLAIN_PARTS = 3


def source_of(name: str) -> str | None:
    """Return the name of the source that belongs to the compiled module *name*, or None if *name* is not one.

    ``p/__pycache__/m.<tag>[.opt-<level>].pyc`` belongs to ``p/m.py`` (PEP 3147, PEP 488), any other ``p/m.pyc`` too.
    """
    if not name.endswith(".pyc"):
        return None
    directory, file = posixpath.split(name)
    if posixpath.basename(directory) != "__pycache__":
        return name[:-1]
    parts = file.split(".")
    optimized = len(parts) == _OPTIMIZED_PARTS and parts[2].startswith("opt-")
    if not parts[0] or not (optimized or len(parts) == _PLAIN_PARTS):
        return None
    return posixpath.join(posixpath.dirname(directory), parts[0] + ".py")


def checked_header(header: bytes, source: Content) -> bytes | None:
    """Return the checked hash-based header for a module compiled from *source*, or None if it must stay as it is.

    *header* is the first HEADER_SIZE bytes of the file. It stays if it is truncated, already hash-based, of a magic
    number whose hash is not known, if it says by its size that the source was another (what the import system takes
    for stale must not become valid here), or if the source is larger than LARGEST_SOURCE.

    :raises ArchiveError: if the source cannot be read.
    """
    if len(header) < HEADER_SIZE or header[4:8] != _TIMESTAMP:
        return None
    if source.size > LARGEST_SOURCE or header[12:16] != (source.size & 0xFFFFFFFF).to_bytes(4, "little"):
        return None
    if _rounds(header[:4]) is None:
        return None
    return header[:4] + _CHECKED_HASH + source_hash(header[:4], read_all(source))


def source_hash(magic: bytes, source: bytes) -> bytes:
    """Return the hash that the CPython with this magic number computes of *source*: 8 bytes.

    The key is the magic number, all four bytes of it, little-endian. CPython 3.7 to 3.10 use SipHash-2-4, later ones
    SipHash-1-3 (bpo-29410), so the file decides and not the interpreter that runs us.

    :raises ValueError: if no CPython with a known hash has this magic number.
    """
    rounds = _rounds(magic)
    if rounds is None:
        raise ValueError(f"no known hash for magic number {magic.hex()}")
    key = int.from_bytes(magic, "little")

    def pure(data: bytes) -> bytes:
        return siphash((key, 0), data, compression=rounds[0], finalization=rounds[1]).to_bytes(8, "little")

    native = _native(key)
    # The interpreter's own function is used only where it shows that it is the wanted one.
    if native is not None and native(b"samebytes") == pure(b"samebytes"):
        return native(source)
    return pure(source)


def _rounds(magic: bytes) -> tuple[int, int] | None:
    """Return SipHash's rounds for a final CPython's magic number; other implementations' and 3.11's alphas have none.

    Source: the list of magic numbers in CPython's ``importlib/_bootstrap_external.py`` and ``pycore_magic_number.h``.
    """
    if len(magic) != 4 or magic[2:] != b"\r\n":
        return None
    number = int.from_bytes(magic[:2], "little")
    if 3392 <= number < 3440:
        return (2, 4)
    if 3495 <= number < 3700:
        return (1, 3)
    return None


def _native(key: int) -> Callable[[bytes], bytes] | None:
    try:
        from _imp import source_hash as native
    except ImportError:
        return None
    return lambda data: native(key, data)


class Reheaded:
    """Contents whose first bytes are replaced by as many others; nothing but those is held."""

    __slots__ = ("_content", "_header")

    def __init__(self, header: bytes, content: Content) -> None:
        self._header = header
        self._content = content

    @property
    def size(self) -> int:
        return self._content.size

    def chunks(self) -> Iterator[bytes]:
        yield self._header
        skip = len(self._header)
        for chunk in self._content.chunks():
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))
