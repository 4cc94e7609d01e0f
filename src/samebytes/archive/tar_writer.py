"""Writes tar in the canonical form (D6), a block at a time, and sdists: such a tar in a canonical gzip file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ..deflate.stream import Encoder
from .entry import Entry, Measured, Written
from .gzip import gzip_chunks
from .tar_header import BLOCK, member_head, padding

RECORD = 20 * BLOCK
"""A whole archive is a multiple of this long: the default of POSIX ("-b blocksize" of pax) and of every tar."""


def write_tar(sink: BinaryIO, entries: Iterable[Entry], encoder: Encoder | None = None) -> tuple[Written, ...]:
    """Write *entries*, in their order and with their own modes, owners and times: with an *encoder* as an sdist.

    :raises ArchiveError: if contents are not what they declare.
    :raises EncoderError: if the encoder contradicts itself.
    """
    written: list[Written] = []
    chunks = _tar_chunks(entries, written)
    for chunk in gzip_chunks(chunks, encoder) if encoder else chunks:
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
        entry = given.settled(written)
        tally = Measured(entry, with_crc=False)
        head = member_head(entry)
        yield head
        yield from tally.chunks()
        yield padding(tally.size)
        end += len(head) + tally.size + len(padding(tally.size))
        written.append(tally.written(tally.size, 0))
    yield bytes(canonical_length(end) - end)
