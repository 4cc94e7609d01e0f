"""Compiled modules: the header that ties one to its source, and the whole file in a form that no clock decides.

Source: PEP 552; CPython's ``importlib/_bootstrap_external.py`` (``_classify_pyc`` and what follows it).
"""

from __future__ import annotations

import posixpath
import struct
from typing import NamedTuple

from ..archive.entry import Content, read_all
from ..errors import ArchiveError
from . import magic_numbers
from .magic_numbers import format_of

_HEADER = struct.Struct("<H2sI8s")
"""Magic number, CR LF, PEP 552's flags, then source time and size or the source's hash; the code object follows."""

HEADER_SIZE = _HEADER.size

LARGEST_SOURCE = 64 << 20
"""Bytes; a larger source is not held, and the modules compiled from it stay as they are."""

FLAGS = {"checked-hash": 3, "unchecked-hash": 1}
"""PEP 552's word of flags where a hash follows, by how the import system is to treat the source; a time follows 0."""

_END_OF_MAGIC = b"\r\n"
"""After the number itself: a copy that took the file for text and changed its line ends is found out by it."""

_WORD = 0xFFFFFFFFFFFFFFFF
"""SipHash adds and rotates words of 64 bits."""

_REMEDY = "Remove the file; Python compiles its source again."


class PycHeader(NamedTuple):
    """What a compiled module is of."""

    magic: int
    flags: int
    stamp: bytes
    """Time and size of the source, or its hash."""

    @property
    def time(self) -> int:
        """The source's, in seconds since 1970, modulo 2**32; if the flags are 0."""
        return int.from_bytes(self.stamp[:4], "little")

    @property
    def size(self) -> int:
        """The source's, in bytes, modulo 2**32; if the flags are 0."""
        return int.from_bytes(self.stamp[4:], "little")

    def written(self) -> bytes:
        """Return the header as it stands at the beginning of the file."""
        return _HEADER.pack(self.magic, _END_OF_MAGIC, self.flags, self.stamp)


def header_of(data: bytes) -> PycHeader | None:
    """Return the header that *data*, of HEADER_SIZE bytes or more, begins with; None if it does not begin with one."""
    if len(data) < HEADER_SIZE or data[2:4] != _END_OF_MAGIC:
        return None
    magic, _, flags, stamp = _HEADER.unpack_from(data)
    return PycHeader(magic, flags, stamp)


def source_of(name: str) -> str | None:
    """Return the name of the source that belongs to the compiled module *name*, or None if *name* is not one.

    ``p/__pycache__/m.<tag>[.opt-<level>].pyc`` belongs to ``p/m.py`` (PEP 3147, PEP 488), any other ``p/m.pyc`` too.
    """
    if not name.endswith(".pyc"):
        return None
    directory, file = posixpath.split(name)
    if posixpath.basename(directory) != "__pycache__":
        return name[:-1]
    module, *rest = file[: -len(".pyc")].split(".")
    is_optimized = len(rest) == 2 and rest[1].startswith("opt-")
    if not module or not (is_optimized or len(rest) == 1):
        return None
    return posixpath.join(posixpath.dirname(directory), module + ".py")


def checked_header(data: bytes, source: Content) -> bytes | None:
    """Return the checked hash-based header for a module compiled from *source*, or None if it must stay as it is.

    *data* is the first HEADER_SIZE bytes of the file. It stays if it is truncated, already hash-based, of a magic
    number whose hash is not known, if the source had another size (what the import system takes for stale must not
    become valid here), or if the source is larger than LARGEST_SOURCE.

    :raises ArchiveError: if the source cannot be read.
    """
    header = header_of(data)
    if header is None or header.flags != 0 or format_of(header.magic).siphash is None:
        return None
    if source.size > LARGEST_SOURCE or header.size != source.size & 0xFFFFFFFF:
        return None
    return _hashed(header, read_all(source), "checked-hash").written()


def bound(pyc: bytes, source: bytes, mode: str) -> bytes:
    """Return the compiled module *pyc* with the header that binds it to *source* by its hash; *mode* is one of FLAGS.

    :raises ArchiveError: if its header is that of another source, or not of a known form. For a header with a time
        the size decides: what is stale must not become valid.
    """
    header = header_of(pyc)
    if header is None or not is_known(pyc):
        raise ArchiveError("the header is not that of a compiled module of CPython 3.8 to 3.14", remedy=_REMEDY)
    new = _hashed(header, source, mode)
    if header.flags == 0:
        is_stale = header.size != len(source) & 0xFFFFFFFF
    else:
        is_stale = header.flags not in FLAGS.values() or header.stamp != new.stamp
    if is_stale:
        raise ArchiveError("the header says that it was compiled from another source", remedy=_REMEDY)
    return new.written() + pyc[HEADER_SIZE:]


def _hashed(header: PycHeader, source: bytes, mode: str) -> PycHeader:
    return header._replace(flags=FLAGS[mode], stamp=source_hash(header.written()[:4], source))


def source_hash(magic: bytes, source: bytes) -> bytes:
    """Return the hash that the CPython with this magic number computes of *source*: 8 bytes.

    The key is the magic number, all four bytes of it, little-endian. The file decides, and not the interpreter that
    runs us: up to CPython 3.10 the function is SipHash-2-4, from 3.11 on SipHash-1-3 (bpo-29410).

    :raises ValueError: if no CPython with a known hash has this magic number.
    """
    rounds = format_of(int.from_bytes(magic[:2], "little")).siphash if magic[2:] == _END_OF_MAGIC else None
    if rounds is None:
        raise ValueError(f"no known hash for magic number {magic.hex()}")
    key = int.from_bytes(magic, "little")

    def pure(data: bytes) -> bytes:
        return siphash((key, 0), data, compression=rounds[0], finalization=rounds[1]).to_bytes(8, "little")

    try:
        from _imp import source_hash as native
    except ImportError:  # Not CPython.
        return pure(source)
    # The interpreter's own function is far faster. Which SipHash it is, it shows by an example.
    return native(key, source) if native(key, b"samebytes") == pure(b"samebytes") else pure(source)


def siphash(key: tuple[int, int], data: bytes, *, compression: int, finalization: int) -> int:
    """Return the 64-bit SipHash of *data* under *key* (two 64-bit words), with the given numbers of rounds.

    Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2.
    """
    # The constants are the ASCII of "somepseudorandomlygeneratedbytes".
    v0, v1 = key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D
    v2, v3 = key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573
    for at in range(0, len(data) + 1, 8):
        word = int.from_bytes(data[at : at + 8], "little")
        if at + 8 > len(data):
            # The last word has room for one byte more: the length, modulo 256.
            word |= (len(data) & 0xFF) << 56
        v0, v1, v2, v3 = _siphash_rounds(v0, v1, v2, v3 ^ word, compression)
        v0 ^= word
    v0, v1, v2, v3 = _siphash_rounds(v0, v1, v2 ^ 0xFF, v3, finalization)
    return v0 ^ v1 ^ v2 ^ v3


def _siphash_rounds(v0: int, v1: int, v2: int, v3: int, count: int) -> tuple[int, int, int, int]:
    # Additions, exclusive ors, and rotations to the left by 13, 32, 16, 21, 17 and 32 bits (figure 2.1).
    for _ in range(count):
        v0 = (v0 + v1) & _WORD
        v1 = (v1 << 13 | v1 >> 51) & _WORD ^ v0
        v0 = (v0 << 32 | v0 >> 32) & _WORD
        v2 = (v2 + v3) & _WORD
        v3 = (v3 << 16 | v3 >> 48) & _WORD ^ v2
        v0 = (v0 + v3) & _WORD
        v3 = (v3 << 21 | v3 >> 43) & _WORD ^ v0
        v2 = (v2 + v1) & _WORD
        v1 = (v1 << 17 | v1 >> 47) & _WORD ^ v2
        v2 = (v2 << 32 | v2 >> 32) & _WORD
    return v0, v1, v2, v3


def is_known(pyc: bytes) -> bool:
    """Return whether *pyc* is of a Python whose code can be written here: CPython 3.8 to 3.14, final releases."""
    return pyc[2:4] == _END_OF_MAGIC and magic_numbers.is_known(int.from_bytes(pyc[:2], "little"))


def normalized(pyc: bytes, filename: str | None = None) -> bytes:
    """Return the compiled module *pyc* with its code in the one form (:mod:`.marshal_writer`); its header stays.

    The code is read, never loaded or run. What comes out means the same and, given again, stays as it is.

    :param filename: as what its source is to have been compiled; None for what is there. As the import system does,
        this renames the code objects, nested ones too, that name the file which the outermost names. Those that name
        another were made from another source.
    :raises ArchiveError: if it is of a Python that is not known, truncated, or not a compiled module.
    """
    # Few wheels hold compiled modules: no build without them loads what reads and writes code.
    from . import marshal_writer
    from .marshal_reader import NotMarshalError

    header = header_of(pyc)
    if header is None:
        raise ArchiveError("it does not start as a compiled module does", remedy=_REMEDY)
    try:
        code = marshal_writer.normalized(pyc[HEADER_SIZE:], header.magic, filename)
    except NotMarshalError as error:
        raise ArchiveError(f"the code of the compiled module cannot be read: {error}", remedy=_REMEDY) from None
    return pyc[:HEADER_SIZE] + code
