"""The canonical ZIP writer: for the same entries the same bytes, and no choice left to anybody.

What it writes is specified in ``docs/canonical-form.md``. Contents are read, digested and handed to the encoder in one
pass. Small members are read whole and encoded some at a time; a large one goes through in segments, and the header
before it is completed at its end.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from ..deflate.ordered import Ordered
from ..deflate.stream import Encoder, Segment, segments
from ..errors import ArchiveError
from . import limits
from .entry import CHUNK_SIZE, Deferred, Entry, Kind, Measured, Written
from .zip_layout import DEFLATED, STORED, Stream, central_header, local_header, write_directory

MOST_TOGETHER = 256
"""How many small members are one task."""

WORTHWHILE_TO_READ = 1 << 23
"""How many bytes are read by one thread before others help, where nothing is compressed."""


def write_zip(sink: BinaryIO, entries: Sequence[Entry], encoder: Encoder, *, keep: bool = False) -> tuple[Written, ...]:
    """Write *entries*, in their own order and with their own times and modes, as a canonical ZIP file.

    *sink* is written from where it stands, and must be seekable: the header before a large member is completed once
    its contents are written. :class:`Deferred` contents are made when their turn comes. With *keep*, the bytes that a
    member's contents already take in an archive are copied, once the contents were read and found to be right.

    :raises ArchiveError: for a symbolic link, a name that UTF-8 or the format cannot hold, or contents that have not
        the size that they declare.
    :raises HostileArchiveError: if the archive would unpack to more than the budgets allow.
    :raises EncoderError: if the encoder contradicts itself.
    """
    with Ordered(encoder.jobs, WORTHWHILE_TO_READ) as readers:
        # Threads are started for what is worth it: reading small members that are kept is not.
        sizes = [entry.content.size for entry in entries]
        (readers if keep else encoder).expect(sum(size for size in sizes if not keep or size > CHUNK_SIZE))
        writer = _Writer(sink, encoder, readers)
        for entry in entries:
            if entry.kind is Kind.SYMLINK:
                raise ArchiveError(
                    f"{entry.name!r}: is a symbolic link, which a wheel cannot hold",
                    remedy="Put the file itself there.",
                )
            writer.add(entry, keep=keep)
        return writer.finish()


class _Writer:
    """Members on their way into the file, in their order, and what is known of those that are in it."""

    def __init__(self, sink: BinaryIO, encoder: Encoder, readers: Ordered) -> None:
        self.sink = sink
        self._start = sink.tell()
        self._headers: list[bytes] = []
        self._written: list[Written] = []
        self._encoder = encoder
        self._readers = readers
        self._batch: list[tuple[Measured, bytes]] = []
        self._kept: list[Entry] = []
        self._room = CHUNK_SIZE
        self._keeping = False

    def add(self, entry: Entry, *, keep: bool) -> None:
        """Take *entry*; it is written now or later, but before what comes after it."""
        if isinstance(entry.content, Deferred):
            # It may depend on whatever is before it, so all of that has to be written, and so known, first.
            self._wait()
            entry = entry.settled(self._written)
        if self._keeping != (keep and entry.packed is not None):
            # Members that are kept and those that are encoded go different ways, and must not overtake one another.
            self._wait()
            self._keeping = not self._keeping
        if self._keeping:
            self._keep(entry)
        elif entry.content.size <= CHUNK_SIZE:
            self._collect(entry)
        else:
            self._hand_over()
            large = _Large(self, entry)
            self._encoder.encode((), large.begin)
            for segment in segments(large.tally.chunks()):
                self._encoder.encode([segment], large.finish if segment.last else large.write)

    def note(self, tally: Measured, stream: Stream, offset: int, packed_crc: int) -> None:
        """Put the member at *offset*, which is written, into the central directory."""
        self._headers.append(central_header(tally.entry, tally.size, stream, offset - self._start))
        self._written.append(tally.written(stream.packed_size, packed_crc))

    def finish(self) -> tuple[Written, ...]:
        """Write the central directory, and return what was written of each member."""
        self._wait()
        write_directory(self.sink, self._headers, self.sink.tell() - self._start)
        # What no reader of ours would take is not written either.
        size = sum(member.size for member in self._written)
        limits.check_expansion("the normalized archive", self.sink.tell() - self._start, size)
        return tuple(self._written)

    def _wait(self) -> None:
        """Write every member that was taken."""
        self._hand_over()
        self._encoder.drain()
        self._read_kept()
        self._readers.drain()

    def _write(self, tally: Measured, deflated: bool, packed_size: int, pieces: Iterable[bytes]) -> None:
        """Write a member of which all is known."""
        stream = Stream(DEFLATED if deflated else STORED, packed_size, tally.crc)
        offset = self.sink.tell()
        self.sink.write(local_header(tally.entry, tally.size, stream))
        crc = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            self.sink.write(piece)
        self.note(tally, stream, offset, crc)

    def _collect(self, entry: Entry) -> None:
        """Put a small member into the batch."""
        if entry.content.size > self._room or len(self._batch) == MOST_TOGETHER:
            self._hand_over()
        tally = Measured(entry)
        data = b"".join(tally.chunks())
        self._batch.append((tally, data))
        self._room -= len(data)

    def _hand_over(self) -> None:
        """Give the batch to the encoder."""
        batch, self._batch, self._room = self._batch, [], CHUNK_SIZE

        def write(encoded: Sequence[bytes]) -> None:
            for (tally, data), deflated in zip(batch, encoded):
                # Stored where deflate does not make it smaller, as it is for most tiny and all compressed files.
                is_smaller = len(deflated) < len(data)
                packed = deflated if is_smaller else data
                self._write(tally, is_smaller, len(packed), (packed,))

        if batch:
            self._encoder.encode([Segment(data, b"", True) for _, data in batch], write)

    def _keep(self, entry: Entry) -> None:
        """Put a member whose packed bytes are kept among those to be read together."""
        self._kept.append(entry)
        self._room -= entry.content.size
        if self._room < 0 or len(self._kept) == MOST_TOGETHER:
            self._read_kept()

    def _read_kept(self) -> None:
        """Read the members to be kept, for their digests and to see that their contents are right, then copy them."""
        kept, self._kept, self._room = self._kept, [], CHUNK_SIZE

        def copy(tallies: Sequence[Measured]) -> None:
            for tally in tallies:
                packed = tally.entry.packed
                assert packed is not None
                self._write(tally, packed.deflated, packed.size, packed.chunks())

        if kept:
            self._readers.put((_tallied, (kept,)), copy, 0)


def _tallied(entries: Iterable[Entry]) -> list[Measured]:
    """Read the contents of *entries*, and return what they add up to."""
    tallies = [Measured(entry) for entry in entries]
    for tally in tallies:
        for _ in tally.chunks():
            pass
    return tallies


class _Large:
    """A member that comes in pieces: its header is written first without, then with what they turned out to be."""

    def __init__(self, writer: _Writer, entry: Entry) -> None:
        self._writer = writer
        self._offset = self._packed_size = self._packed_crc = 0
        self.tally = Measured(entry)

    def begin(self, _: Sequence[bytes]) -> None:
        """Take the next place in the file, and keep room for the header: its length does not depend on the stream."""
        self._offset = self._writer.sink.tell()
        self._write_header(Stream())

    def write(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            self._packed_size += len(part)
            self._packed_crc = zlib.crc32(part, self._packed_crc)
            # Once it is as long as the contents it will not be kept: nothing that is written goes beyond their end.
            if self._packed_size < self.tally.size:
                self._writer.sink.write(part)

    def finish(self, parts: Sequence[bytes]) -> None:
        self.write(parts)
        tally, sink = self.tally, self._writer.sink
        stream = Stream(DEFLATED, self._packed_size, tally.crc)
        if self._packed_size >= tally.size:
            stream = Stream(STORED, tally.size, tally.crc)
            self._packed_crc = tally.crc
            # The contents as they are, over what was written of the stream; they are read a second time for it.
            sink.seek(self._offset)
            self._write_header(stream)
            for chunk in tally.entry.content.chunks():
                sink.write(chunk)
        end = sink.tell()
        sink.seek(self._offset)
        self._write_header(stream)
        sink.seek(end)
        self._writer.note(tally, stream, self._offset, self._packed_crc)

    def _write_header(self, stream: Stream) -> None:
        entry = self.tally.entry
        self._writer.sink.write(local_header(entry, entry.content.size, stream))
