"""Compiled modules in one form: header by hash (PEP 552), code by value (:mod:`samebytes.artifact.marshalform`)."""

from __future__ import annotations

from ..errors import ArchiveError
from . import marshalform
from .pyc import HEADER_SIZE, source_hash

__all__ = ["FLAGS", "bound", "is_known", "normalized"]

FLAGS = {"checked-hash": 3, "unchecked-hash": 1}
"""PEP 552's word of flags, by how the import system is to treat the source."""

_REMEDY = "Remove the file; Python compiles its source again."


def is_known(pyc: bytes) -> bool:
    """Tell whether *pyc* is of a Python whose code can be read here: CPython 3.8 to 3.14, final releases."""
    return pyc[2:4] == b"\r\n" and marshalform.is_known(int.from_bytes(pyc[:2], "little"))


def normalized(pyc: bytes, filename: str | None = None) -> bytes:
    """Return the compiled module *pyc* with its code in the one form; its header stays.

    The code is read, never loaded or run. What comes out means the same and, given again, stays as it is.

    :param filename: as what its source is to have been compiled; None for what is there. As the import system does,
        this renames the code objects, nested ones too, that name the file which the outermost names. Those that name
        another were made from another source.
    :raises ArchiveError: if it is of a Python that is not known, truncated, or no compiled module.
    """
    if len(pyc) < HEADER_SIZE or pyc[2:4] != b"\r\n":
        raise ArchiveError("it does not start as a compiled module does", remedy=_REMEDY)
    try:
        code = marshalform.normalized(pyc[HEADER_SIZE:], int.from_bytes(pyc[:2], "little"), filename)
    except marshalform.NotMarshalError as error:
        raise ArchiveError(f"the code of the compiled module cannot be read: {error}", remedy=_REMEDY) from None
    return pyc[:HEADER_SIZE] + code


def bound(pyc: bytes, source: bytes, mode: str) -> bytes:
    """Return the compiled module *pyc* with the header that binds it to *source* by its hash; *mode* is one of FLAGS.

    :raises ArchiveError: if its header says that it was compiled from another source, or is of no known form. By
        size, for a header with a time: what is stale must not become valid.
    """
    magic, flags, stamp = pyc[:4], int.from_bytes(pyc[4:8], "little"), pyc[8:HEADER_SIZE]
    if not is_known(pyc) or len(pyc) < HEADER_SIZE:
        raise ArchiveError("the header is not that of a compiled module of CPython 3.8 to 3.14", remedy=_REMEDY)
    digest = source_hash(magic, source)
    if flags == 0:
        is_stale = stamp[4:] != (len(source) & 0xFFFFFFFF).to_bytes(4, "little")
    else:
        is_stale = flags not in FLAGS.values() or stamp != digest
    if is_stale:
        raise ArchiveError("the header says that it was compiled from another source", remedy=_REMEDY)
    return magic + FLAGS[mode].to_bytes(4, "little") + digest + pyc[HEADER_SIZE:]
