"""Writes tar in the canonical form (D6), a block at a time, and sdists: such a tar in a canonical gzip file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ..deflate.stream import Encoder
from ..errors import ArchiveError
from .entry import Data, Deferred, Entry, Kind, Written
from .gzip import gzip_chunks
from .tar_header import BLOCK, member_head, padding

RECORD = 20 * BLOCK
"""A whole archive is a multiple of this long: the default of POSIX ("-b blocksize" of pax) and of every tar."""


def write_sdist(sink: BinaryIO, entries: Iterable[Entry], encoder: Encoder) -> tuple[Written, ...]:
    """Write *entries*, in their order and with their own modes, owners and times, as a canonical ``.tar.gz``.

    :raises ArchiveError: if contents are not what they declare.
    :raises EncoderError: if the encoder contradicts itself.
    """
    written: list[Written] = []
    for chunk in gzip_chunks(_tar_chunks(entries, written), encoder):
        sink.write(chunk)
    return tuple(written)


def write_tar(sink: BinaryIO, entries: Iterable[Entry]) -> tuple[Written, ...]:
    """Write *entries* as :func:`write_sdist` does, not compressed.

    :raises ArchiveError: if contents are not what they declare.
    """
    written: list[Written] = []
    for chunk in _tar_chunks(entries, written):
        sink.write(chunk)
    return tuple(written)


def canonical_length(end: int) -> int:
    """Return how long the archive is whose last member ends at byte *end*, with its two blocks of zeros and padding."""
    length = end + 2 * BLOCK
    return length + -length % RECORD


def _tar_chunks(entries: Iterable[Entry], written: list[Written]) -> Iterator[bytes]:
    """Give the archive's bytes, noting each member in *written* when all its bytes are given."""
    end = 0
    for given in entries:
        entry = given
        if isinstance(given.content, Deferred):
            entry = given._replace(content=Data(given.content.make(tuple(written))))
        head = member_head(entry)
        yield head
        digest = hashlib.sha256()
        size = 0
        for chunk in entry.content.chunks() if entry.kind is Kind.FILE else ():
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        if entry.kind is Kind.FILE and size != entry.content.size:
            # The header with the size is written already, and what follows would be taken for the next header.
            raise ArchiveError(
                f"{entry.name!r}: its contents are {size} bytes and not the {entry.content.size} declared",
                remedy="Run it again; if a file was being changed meanwhile, let that end first.",
            )
        yield padding(size)
        end += len(head) + size + len(padding(size))
        written.append(Written(entry.name, size, digest.digest(), size, 0))
    yield bytes(canonical_length(end) - end)
