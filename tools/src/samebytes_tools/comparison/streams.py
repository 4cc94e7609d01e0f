"""What is left to compare when all members are: how an sdist is compressed, and what no rule sees."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.gzip import gunzip

from .container import node, trait
from .model import Difference

__all__ = ["compare"]


class _Stream(NamedTuple):
    packed: str
    tar: str
    """SHA-256 of what is compressed, in hexadecimal."""


class _Digesting(io.RawIOBase):
    """A file that only digests what is written to it."""

    def __init__(self) -> None:
        self.state = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.state.update(data)  # type: ignore[arg-type]  # whatever has a buffer
        return len(data)  # type: ignore[arg-type]


def compare(left: Path, right: Path, kind: str, known: Sequence[Difference]) -> Iterator[Difference]:
    """Give the nodes for what differs in two files beside the differences *known*, which are not the same bytes.

    :raises ArchiveError: if a file cannot be read.
    """
    if kind == "wheel":
        if not known:
            yield node("Z099", [trait("", "the bytes differ", "and no rule says why", "D019")])
        return
    if any(code != "G001" for each in known for code in each.passes or ("",)):
        return  # What differs in the tar is compressed to other bytes by any compressor.
    one, other = _stream(left), _stream(right)
    if one.tar != other.tar:
        if not known:
            yield node("T099", [trait("", "the tar's bytes differ", "and no rule says why", "D019")])
    elif one.packed != other.packed:
        yield node("G002", [trait("", one.packed, other.packed, "D013")])


def _stream(path: Path) -> _Stream:
    sink = _Digesting()
    with path.open("rb") as source:
        found = gunzip(source, sink, path.name, source_size=path.stat().st_size)  # type: ignore[arg-type]  # it writes
    return _Stream(f"{found.packed_size} bytes, CRC-32 {found.packed_crc:08x}", sink.state.hexdigest())
