"""The central directory of a ZIP file, read strictly: where readers could understand it differently, it is refused.

Source: PKWARE's APPNOTE 6.3.10, whose sections the numbers in brackets are.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ..errors import ArchiveError, HostileArchiveError
from . import limits
from . import zip_layout as layout
from .entry import Aspect, Deviation
from .zip_layout import MAX_16, MAX_32, CentralHeader

DAMAGED = "The file is incomplete or damaged: fetch or build it again."

PADDING = -1
"""Stands for an identifier where one to three bytes at the end of an extra field are not a field."""

# A header and its three parts of variable length: name, extra field, comment.
_LARGEST_HEADER = layout.CENTRAL.size + 3 * MAX_16

_PIECE = 1 << 20
"""How much of the directory is held at once; more than the largest header."""


class Source:
    """The file that is read, from any thread, with its name for messages."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self.name = name
        self._lock = threading.Lock()
        self.size = file.seek(0, 2)

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Return exactly *size* bytes from *offset*, which are *what*.

        :raises ArchiveError: if the file ends before.
        """
        try:
            # Members are read by several threads, and seeking and reading are two steps.
            with self._lock:
                self.file.seek(offset)
                data = self.file.read(size)
        except OSError as error:
            raise ArchiveError(f"{self.name}: cannot be read: {error.strerror or error}", remedy=DAMAGED) from error
        if len(data) != size:
            raise self.damaged(f"the file ends within {what}")
        return data

    def damaged(self, problem: str, member: str = "") -> ArchiveError:
        where = f"{self.name}: {member!r}" if member else self.name
        return ArchiveError(f"{where}: {problem}", remedy=DAMAGED)

    def hostile(self, problem: str, member: str = "") -> HostileArchiveError:
        return limits.hostile(self.name, member, problem)


class Directory(NamedTuple):
    """What the end record, or the ZIP64 one, has of the central directory."""

    entries: int
    size: int
    offset: int
    comment: bytes
    deviations: tuple[Deviation, ...] = ()


def read_directory(source: Source) -> tuple[Directory, tuple[CentralHeader, ...]]:
    """Return the central directory and its headers, in its own order.

    :raises ArchiveError: if *source* is not a ZIP file, is truncated, spans disks, or contradicts itself.
    """
    directory = _read_end(source)
    return directory, tuple(_read_headers(source, directory))


def _read_end(source: Source) -> Directory:
    """Read the end record (4.3.16), and the ZIP64 one if its locator stands before it (4.3.15)."""
    position = _find_end(source)
    _, disk, first_disk, here, count, size, offset, length = layout.END.unpack(
        source.read(position, layout.END.size, "its end record")
    )
    comment = source.read(position + layout.END.size, length, "its comment")
    narrow = Directory(count, size, offset, comment)
    before = max(0, position - layout.LOCATOR64.size)
    locator = source.read(before, position - before, "its ZIP64 locator")
    # Python's zipfile and others look for the locator whatever the end record holds; so its presence decides here too.
    if locator.startswith(layout.LOCATOR64_SIGNATURE) and len(locator) == layout.LOCATOR64.size:
        ends, directory = _read_end64(source, before, narrow)
        disk, first_disk = disk % MAX_16, first_disk % MAX_16
        here = count if here == MAX_16 else here
    else:
        ends, directory = position, narrow
        if count == MAX_16 or MAX_32 in (size, offset):
            missing = "no ZIP64 end record, though the end record's fields are full"
            directory = narrow._replace(deviations=(Deviation(Aspect.ZIP64, missing),))
    if disk or first_disk or here != count:
        raise _several_disks(source)
    # Readers reckon where the archive begins from where its directory ends; with a gap they come to different offsets.
    if directory.offset + directory.size != ends:
        raise source.hostile(
            f"its central directory should take bytes {directory.offset} to {directory.offset + directory.size}, but"
            f" what follows it is at {ends}: data was put before, into or between them"
        )
    return directory


def _several_disks(source: Source) -> ArchiveError:
    return ArchiveError(f"{source.name}: is one part of several", remedy="Join the parts to one file first.")


def _find_end(source: Source) -> int:
    """Return where the end record begins: the only place from which a record with its comment ends with the file."""
    size = layout.END.size
    start = max(0, source.size - size - MAX_16)
    tail = source.read(start, source.size - start, "its end record")
    found = [match.start() for match in re.finditer(layout.END_SIGNATURE, tail[: max(0, len(tail) - size + 4)])]
    # How many bytes follow each one, as END's last field has it, and in fact.
    lengths = [(layout.END.unpack_from(tail, at)[-1], len(tail) - at - size) for at in found]
    fitting = [at for at, (declared, there) in zip(found, lengths) if declared == there]
    if not fitting:
        raise _no_end(source, lengths[-1] if lengths else None)
    # Readers differ in which of two end records they take.
    if any(at >= fitting[0] + size for at in found):
        raise source.hostile("its comment holds another end record, so that readers may see different archives")
    return start + fitting[0]


def _no_end(source: Source, lengths: tuple[int, int] | None) -> ArchiveError:
    """Return the error for a file without an end record that fits; *lengths* are those after the last other one."""
    if lengths:
        declared, there = lengths
        if there > declared:
            return source.hostile(f"{there - declared} bytes follow its end record and comment")
        return source.damaged("the file ends within its comment")
    if source.size and source.read(0, min(4, source.size), "its start") == layout.LOCAL_SIGNATURE:
        return source.damaged("has no end record: the end of the file is missing")
    what = "is not a ZIP archive" if source.size else "is empty, not a ZIP archive"
    return ArchiveError(f"{source.name}: {what}", remedy="Give a wheel; if it was downloaded, fetch it again.")


def _read_end64(source: Source, at: int, narrow: Directory) -> tuple[int, Directory]:
    """Return where the ZIP64 end record begins that the locator *at* points to, and what it holds (4.3.14)."""
    _, disk, position, disks = layout.LOCATOR64.unpack(source.read(at, layout.LOCATOR64.size, "its ZIP64 locator"))
    if disk or disks > 1:
        raise _several_disks(source)
    if position + layout.END64.size > at:
        raise source.hostile("its ZIP64 locator does not point to a ZIP64 end record")
    record = layout.END64.unpack(source.read(position, layout.END64.size, "its ZIP64 end record"))
    signature, length, made_by, needed, disk, first_disk, here, count, size, offset = record
    # Its size counts from behind the size itself, so twelve bytes more.
    if signature != layout.END64_SIGNATURE or position + 12 + length != at:
        raise source.hostile("its ZIP64 locator does not point to a ZIP64 end record that ends before it")
    if disk or first_disk or here != count:
        raise _several_disks(source)
    wide = Directory(count, size, offset, narrow.comment)
    for field, full, true in zip(narrow[:3], (MAX_16, MAX_32, MAX_32), wide[:3]):
        if field not in (full, true):
            raise source.hostile("its end record and its ZIP64 end record contradict one another")
    version = layout.VERSION_ZIP64
    canonical = min(count, MAX_16), min(size, MAX_32), min(offset, MAX_32)
    detail = ""
    if count < MAX_16 and size < MAX_32 and offset < MAX_32:
        detail = "a ZIP64 end record, though all fits without it"
    elif (made_by, needed, length, disks, *narrow[:3]) != (version, version, layout.END64_LENGTH, 1, *canonical):
        detail = "a ZIP64 end record with other versions, fields or data than are needed"
    return position, wide._replace(deviations=(Deviation(Aspect.ZIP64, detail),) if detail else ())


def _read_headers(source: Source, directory: Directory) -> Iterator[CentralHeader]:
    at = start = directory.offset
    end = directory.offset + directory.size
    piece = b""
    for number in range(directory.entries):
        if at + layout.CENTRAL.size > end:
            raise source.hostile(f"its central directory has {number} entries, not {directory.entries}")
        # However large the directory is said to be, only a piece of it is held.
        if at + _LARGEST_HEADER > start + len(piece) < end:
            piece, start = source.read(at, min(_PIECE, end - at), "its central directory"), at
        header, size = _read_header(source, piece, at - start, number)
        at += size
        yield header
    if at != end:
        raise source.hostile(f"its central directory goes on after the {directory.entries} entries that are counted")


def _read_header(source: Source, piece: bytes, at: int, number: int) -> tuple[CentralHeader, int]:
    """Return the header that entry *number* has *at* a place in a *piece* of the directory, and how long it is."""
    fields = layout.CENTRAL.unpack_from(piece, at)
    signature, made_by, needed, flags, method, time, date, crc, packed_size, size = fields[:10]
    name_length, extra_length, comment_length, disk, internal, external, offset = fields[10:]
    name_end = at + layout.CENTRAL.size + name_length
    extra_end = name_end + extra_length
    end = extra_end + comment_length
    if signature != layout.CENTRAL_SIGNATURE or end > len(piece):
        raise source.hostile(f"entry {number + 1} of its central directory is invalid")
    name, comment = piece[name_end - name_length : name_end], piece[extra_end:end]
    extra: tuple[tuple[int, bytes], ...] = ()
    if extra_length:
        shown = name.decode("utf-8", "backslashreplace")
        extra = extra_fields(source, shown, piece[name_end:extra_end])
        sizes = ((size, MAX_32, 8), (packed_size, MAX_32, 8), (offset, MAX_32, 8), (disk, MAX_16, 4))
        size, packed_size, offset, disk = widened(source, shown, extra, sizes)
    if disk:
        raise _several_disks(source)
    numbers = made_by, needed, flags, method, time, date, crc, packed_size, size, internal, external, offset
    return CentralHeader(*numbers, name, extra, comment), end - at


def extra_fields(source: Source, member: str, raw: bytes) -> tuple[tuple[int, bytes], ...]:
    """Cut an extra field into its fields: identifier and data (4.5.1). Up to three bytes at its end are PADDING.

    :raises ArchiveError: if a field is cut off, or one that bears on names and sizes is there twice.
    """
    fields = []
    at, head = 0, layout.EXTRA.size
    while len(raw) - at >= head:
        identifier, length = layout.EXTRA.unpack_from(raw, at)
        if at + head + length > len(raw):
            raise source.damaged(f"extra field 0x{identifier:04x} is cut off", member)
        fields.append((identifier, raw[at + head : at + head + length]))
        at += head + length
    if at < len(raw):
        fields.append((PADDING, raw[at:]))
    if sum(identifier == layout.ZIP64_EXTRA for identifier, _ in fields) > 1:
        raise source.hostile("has two ZIP64 extra fields", member)
    return tuple(fields)


def widened(
    source: Source, member: str, extra: Sequence[tuple[int, bytes]], fields: Sequence[tuple[int, int, int]]
) -> list[int]:
    """Return *fields*, each (value, full value, bytes in ZIP64), with full ones read from the ZIP64 extra field.

    The extra field holds the full ones only, in this order (4.5.3). Some writers put all of them there: accepted if
    that comes to the same.

    :raises HostileArchiveError: if the ZIP64 field holds less, or could be read in two ways.
    """
    values = [value for value, _, _ in fields]
    payload = next((data for identifier, data in extra if identifier == layout.ZIP64_EXTRA), None)
    if payload is None:
        return values
    at = 0
    for number, (value, full, width) in enumerate(fields):
        if value == full:
            values[number] = int.from_bytes(payload[at : at + width], "little")
            at += width
    if at > len(payload) or (at < len(payload) and not _holds_all(payload, values, fields)):
        raise source.hostile("its ZIP64 extra field does not fit its header", member)
    return values


def _holds_all(payload: bytes, values: Sequence[int], fields: Sequence[tuple[int, int, int]]) -> bool:
    """Return whether a ZIP64 field holds the first of *values* one after another, full or not, and nothing else."""
    at = 0
    for value, (_, _, width) in zip(values, fields):
        if at >= len(payload):
            break
        if payload[at : at + width] != value.to_bytes(8, "little")[:width]:
            return False
        at += width
    return at == len(payload)
