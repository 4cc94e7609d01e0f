"""The canonical ZIP writer: for the same entries the same bytes, and no choice left to anybody.

What it writes is specified in ``docs/canonical-form.md``. Contents are read, digested and handed to the encoder in one
pass. Small members are read whole and encoded some at a time; a large one goes through in segments, and the header
before it is completed at its end.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ..deflate.ordered import Ordered
from ..deflate.stream import Encoder, Segment, segments
from ..errors import ArchiveError
from . import limits
from .entry import CHUNK_SIZE, Data, Deferred, Entry, Kind, Written
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


class _Tally:
    """Passes contents on, and keeps account of them."""

    def __init__(self, entry: Entry) -> None:
        self.size = self.crc = 0
        self._entry = entry
        self._sha256 = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        for chunk in self._entry.content.chunks():
            self.size += len(chunk)
            self.crc = zlib.crc32(chunk, self.crc)
            self._sha256.update(chunk)
            yield chunk
        if self.size != self._entry.content.size:
            raise ArchiveError(
                f"{self._entry.name!r}: gave {self.size} bytes instead of {self._entry.content.size}",
                remedy="The input has changed while it was read: run samebytes again.",
            )

    def digest(self) -> bytes:
        return self._sha256.digest()


class _File:
    """The file that is written, and what is known of the members in it."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink = sink
        self.start = sink.tell()
        self.written: list[Written] = []
        self._headers: list[bytes] = []

    def add(self, entry: Entry, size: int, stream: Stream, pieces: Iterable[bytes], sha256: bytes) -> None:
        """Write a member of which all is known."""
        offset = self.sink.tell()
        self.sink.write(local_header(entry, size, stream))
        crc = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            self.sink.write(piece)
        self.note(entry, stream, offset, Written(entry.name, size, sha256, stream.packed_size, crc))

    def note(self, entry: Entry, stream: Stream, offset: int, written: Written) -> None:
        """Put the member at *offset* into the central directory."""
        self._headers.append(central_header(entry, written.size, stream, offset - self.start))
        self.written.append(written)

    def finish(self) -> tuple[Written, ...]:
        write_directory(self.sink, self._headers, self.sink.tell() - self.start)
        # What no reader of ours would take is not written either.
        size = sum(member.size for member in self.written)
        limits.check_expansion("the normalized archive", self.sink.tell() - self.start, size)
        return tuple(self.written)


class _Small(NamedTuple):
    """A member that is held whole."""

    entry: Entry
    data: bytes
    crc: int
    sha256: bytes

    def write(self, file: _File, deflated: bytes) -> None:
        # Stored where deflate does not make it smaller, as it is for most tiny and all compressed files.
        smaller = len(deflated) < len(self.data)
        packed = deflated if smaller else self.data
        stream = Stream(DEFLATED if smaller else STORED, len(packed), self.crc)
        file.add(self.entry, len(self.data), stream, (packed,), self.sha256)


class _Large:
    """A member that comes in pieces: its header is written first without, then with what they turned out to be."""

    def __init__(self, file: _File, entry: Entry) -> None:
        self._file = file
        self._entry = entry
        self._offset = self._packed_size = self._packed_crc = 0
        self.tally = _Tally(entry)

    def begin(self, _: Sequence[bytes]) -> None:
        """Take the next place in the file, and keep room for the header: its length does not depend on the stream."""
        self._offset = self._file.sink.tell()
        self._write_header(Stream())

    def write(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            self._packed_size += len(part)
            self._packed_crc = zlib.crc32(part, self._packed_crc)
            # Once it is as long as the contents it will not be kept: nothing that is written goes beyond their end.
            if self._packed_size < self.tally.size:
                self._file.sink.write(part)

    def finish(self, parts: Sequence[bytes]) -> None:
        self.write(parts)
        tally = self.tally
        stream = Stream(DEFLATED, self._packed_size, tally.crc)
        if self._packed_size >= tally.size:
            stream = Stream(STORED, tally.size, tally.crc)
            self._packed_crc = tally.crc
            self._store()
        end = self._file.sink.tell()
        self._file.sink.seek(self._offset)
        self._write_header(stream)
        self._file.sink.seek(end)
        member = Written(self._entry.name, tally.size, tally.digest(), stream.packed_size, self._packed_crc)
        self._file.note(self._entry, stream, self._offset, member)

    def _write_header(self, stream: Stream) -> None:
        self._file.sink.write(local_header(self._entry, self._entry.content.size, stream))

    def _store(self) -> None:
        """Write the contents as they are over what was written of the stream; they are read a second time for it."""
        self._file.sink.seek(self._offset)
        self._write_header(Stream())
        for chunk in self._entry.content.chunks():
            self._file.sink.write(chunk)


class _Writer:
    """Members on their way into the file, in their order."""

    def __init__(self, sink: BinaryIO, encoder: Encoder, readers: Ordered) -> None:
        self._file = _File(sink)
        self._encoder = encoder
        self._readers = readers
        self._batch: list[_Small] = []
        self._kept: list[Entry] = []
        self._room = CHUNK_SIZE
        self._keeping = False

    def add(self, entry: Entry, *, keep: bool) -> None:
        """Take *entry*; it is written now or later, but before what comes after it."""
        content = entry.content
        if isinstance(content, Deferred):
            # It may depend on whatever is before it, so all of that has to be written, and so known, first.
            self._wait()
            entry = entry._replace(content=Data(content.make(tuple(self._file.written))), packed=None)
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
            self._send(entry)

    def finish(self) -> tuple[Written, ...]:
        """Write the central directory, and return what was written of each member."""
        self._wait()
        return self._file.finish()

    def _wait(self) -> None:
        """Write every member that was taken."""
        self._hand_over()
        self._encoder.drain()
        self._read_kept()
        self._readers.drain()

    def _collect(self, entry: Entry) -> None:
        """Put a small member into the batch."""
        if entry.content.size > self._room or len(self._batch) == MOST_TOGETHER:
            self._hand_over()
        tally = _Tally(entry)
        data = b"".join(tally.chunks())
        self._batch.append(_Small(entry, data, tally.crc, tally.digest()))
        self._room -= len(data)

    def _hand_over(self) -> None:
        """Give the batch to the encoder."""
        batch, self._batch, self._room = self._batch, [], CHUNK_SIZE

        def write(packed: Sequence[bytes]) -> None:
            for member, deflated in zip(batch, packed):
                member.write(self._file, deflated)

        if batch:
            self._encoder.put([Segment(member.data, b"", True) for member in batch], write)

    def _send(self, entry: Entry) -> None:
        """Give a large member to the encoder, segment by segment."""
        large = _Large(self._file, entry)
        self._encoder.put((), large.begin)
        for segment in segments(large.tally.chunks()):
            self._encoder.put([segment], large.finish if segment.last else large.write)

    def _keep(self, entry: Entry) -> None:
        """Put a member whose packed bytes are kept among those to be read together."""
        self._kept.append(entry)
        self._room -= entry.content.size
        if self._room < 0 or len(self._kept) == MOST_TOGETHER:
            self._read_kept()

    def _read_kept(self) -> None:
        """Read the members to be kept, for their digests and to see that their contents are right, then copy them."""
        kept, self._kept, self._room = self._kept, [], CHUNK_SIZE

        def copy(tallies: Sequence[_Tally]) -> None:
            for entry, tally in zip(kept, tallies):
                self._copy(entry, tally)

        if kept:
            self._readers.put((_tallied, (kept,)), copy, 0)

    def _copy(self, entry: Entry, tally: _Tally) -> None:
        packed = entry.packed
        assert packed is not None
        stream = Stream(DEFLATED if packed.deflated else STORED, packed.size, tally.crc)
        self._file.add(entry, tally.size, stream, packed.chunks(), tally.digest())


def _tallied(entries: Iterable[Entry]) -> list[_Tally]:
    """Read the contents of *entries*, and return what they add up to."""
    tallies = [_Tally(entry) for entry in entries]
    for tally in tallies:
        for _ in tally.chunks():
            pass
    return tallies
