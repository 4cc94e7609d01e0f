"""The central directory of a ZIP file, read strictly: where readers could understand it differently, it is refused.

Source: PKWARE's APPNOTE 6.3.10, whose sections the numbers in brackets are.
"""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from ..errors import ArchiveError, HostileArchiveError
from . import limits
from . import zip_layout as layout
from .entry import Aspect, Deviation
from .zip_layout import MAX_16, MAX_32, MemberHeader

DAMAGED = "The file is incomplete or damaged: fetch or build it again."

_TOOL = "Do not install it. The tool that wrote its headers is at fault: make it with another, or a newer release."

_NO_TEXT = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What no comment needs, and every record's signature has: readers that search for records would find one there."""

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
        if offset + size > self.size:  # Offsets go up to 2**64, which no seek takes.
            raise self.damaged(f"the file ends within {what}")
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

    def hostile(self, problem: str, member: str = "", remedy: str = _TOOL) -> HostileArchiveError:
        return limits.hostile(self.name, member, problem, remedy)


class Directory(NamedTuple):
    """What the end record, or the ZIP64 one, has of the central directory."""

    entries: int
    size: int
    offset: int
    comment: bytes
    deviations: tuple[Deviation, ...] = ()


def read_directory(source: Source) -> tuple[Directory, tuple[MemberHeader, ...]]:
    """Return the central directory and its headers, in its own order.

    :raises ArchiveError: if *source* is not a ZIP file, is truncated, spans disks, or contradicts itself.
    """
    directory = _read_end(source)
    return directory, tuple(_read_headers(source, directory))


def _read_end(source: Source) -> Directory:
    """Read the end record (4.3.16), and the ZIP64 one if its locator stands before it (4.3.15)."""
    position = _find_end(source)
    fields = layout.END.unpack(source.read(position, layout.END.size, "its end record"))
    _, disk, first_disk, here, count, size, offset, length = fields
    comment = source.read(position + layout.END.size, length, "its comment")
    _check_comment(source, comment)
    if disk or first_disk or here != count:
        raise _several_disks(source)
    ends, directory = position, Directory(count, size, offset, comment)
    before = max(0, position - layout.LOCATOR64.size)
    locator = source.read(before, position - before, "its ZIP64 locator")
    # Python's zipfile and others look for the locator whatever the end record holds; so its presence decides here too.
    if locator.startswith(layout.LOCATOR64_SIGNATURE) and len(locator) == layout.LOCATOR64.size:
        ends, directory = _read_end64(source, before, locator, directory)
    elif count == MAX_16 or MAX_32 in (size, offset):
        missing = "no ZIP64 end record, though the end record's fields are full"
        directory = directory._replace(deviations=(Deviation(Aspect.ZIP64, missing),))
    # Readers reckon where the archive begins from where its directory ends; with a gap they come to different offsets.
    if directory.offset + directory.size != ends:
        raise source.hostile(
            f"its central directory should take bytes {directory.offset} to {directory.offset + directory.size}, but"
            f" what follows it is at {ends}: data was put before, into or between them"
        )
    limits.check_budget(source.name, "members", "members", directory.entries)
    limits.check_budget(source.name, "directory", "bytes of central directory", directory.size)
    return directory


def _check_comment(source: Source, comment: bytes, member: str = "") -> None:
    if _NO_TEXT.search(comment):
        raise source.hostile("its comment holds control characters, which some readers take for a record", member)


def _several_disks(source: Source) -> ArchiveError:
    return ArchiveError(f"{source.name}: is one part of several", remedy="Join the parts to one file first.")


def _find_end(source: Source) -> int:
    """Return where the end record begins: the only place from which a record with its comment ends with the file."""
    size = layout.END.size
    start = max(0, source.size - size - MAX_16)
    tail = source.read(start, source.size - start, "its end record")
    found = [match.start() for match in re.finditer(layout.END_SIGNATURE, tail)]
    # How many bytes follow each one, as END's last field has it, and in fact.
    lengths = [(int.from_bytes(tail[at + size - 2 : at + size], "little"), len(tail) - at - size) for at in found]
    fitting = [at for at, (declared, there) in zip(found, lengths) if declared == there]
    if not fitting:
        raise _no_end(source, lengths[-1] if lengths else None)
    # Readers differ in which of two end records they take; most look for the last signature.
    if found[-1] != fitting[0]:
        raise source.hostile("another end record stands in its end record or comment: readers may take either")
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


def _read_end64(source: Source, at: int, locator: bytes, narrow: Directory) -> tuple[int, Directory]:
    """Return where the ZIP64 end record begins that the *locator* at *at* points to, and what it holds (4.3.14).

    It must lie between directory and locator, and have no more than its fixed part: readers differ in whether they go
    by the locator or look right before it, and so in what they take for the record if data follows it.
    """
    _, disk, position, disks = layout.LOCATOR64.unpack(locator)
    if disk or disks != 1:
        raise _several_disks(source)
    if position + layout.END64.size != at:
        raise source.hostile("its ZIP64 locator does not point to a ZIP64 end record of 56 bytes right before it")
    record = layout.END64.unpack(source.read(position, layout.END64.size, "its ZIP64 end record"))
    signature, length, made_by, needed, disk, first_disk, here, count, size, offset = record
    if signature != layout.END64_SIGNATURE or length != layout.END64_LENGTH:
        raise source.hostile("its ZIP64 end record has no signature, or data after its fixed part")
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
    elif (made_by, needed, *narrow[:3]) != (version, version, *canonical):
        detail = "a ZIP64 end record with other versions or fields than are needed"
    return position, wide._replace(deviations=(Deviation(Aspect.ZIP64, detail),) if detail else ())


def _read_headers(source: Source, directory: Directory) -> Iterator[MemberHeader]:
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


def _read_header(source: Source, piece: bytes, at: int, number: int) -> tuple[MemberHeader, int]:
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
    if name_end < end or MAX_32 in (size, packed_size, offset):
        shown = name.decode("utf-8", "backslashreplace")
        _check_comment(source, comment, shown)
        extra = extra_fields(source, shown, piece[name_end:extra_end])
        sizes = ((size, MAX_32, 8), (packed_size, MAX_32, 8), (offset, MAX_32, 8), (disk, MAX_16, 4))
        size, packed_size, offset, disk = widened(source, shown, extra, sizes)
    if disk:
        raise _several_disks(source)
    here = needed, flags, method, time, date, crc, packed_size, size
    return MemberHeader(*here, name, extra, made_by, internal, external, offset, comment), end - at


def extra_fields(source: Source, member: str, raw: bytes) -> tuple[tuple[int, bytes], ...]:
    """Cut an extra field into its fields: identifier and data (4.5.1).

    :raises ArchiveError: if a field is cut off, one is there twice, or one is such that readers differ on it.
    """
    fields: dict[int, bytes] = {}
    at, head = 0, layout.EXTRA.size
    while at < len(raw):
        identifier, length = layout.EXTRA.unpack(raw[at : at + head].ljust(head, b"\0"))
        if at + head + length > len(raw):
            raise source.damaged(f"extra field 0x{identifier:04x} is cut off", member)
        if identifier in fields:
            raise source.hostile(f"has two extra fields 0x{identifier:04x}: readers take either", member)
        fields[identifier] = raw[at + head : at + head + length]
        if identifier in layout.MISREAD_EXTRA or (identifier == layout.TIME_EXTRA and not length):
            raise source.hostile(f"readers differ on its extra field 0x{identifier:04x}", member)
        at += head + length
    return tuple(fields.items())


def widened(
    source: Source, member: str, extra: Sequence[tuple[int, bytes]], fields: Sequence[tuple[int, int, int]]
) -> list[int]:
    """Return *fields*, each (value, full value, bytes in ZIP64), with full ones read from the ZIP64 extra field.

    The extra field holds the full ones, in this order, and nothing else (4.5.3); or, in a local header with no full
    one, both sizes as they are there: CPython's zipfile writes that where ZIP64 is forced.

    :raises HostileArchiveError: if it holds less or more, or is there where no field is full.
    """
    values = [value for value, _, _ in fields]
    found = [data for identifier, data in extra if identifier == layout.ZIP64_EXTRA]
    payload = b"".join(found)
    at = 0
    for number, (value, full, width) in enumerate(fields):
        if value == full:
            values[number] = int.from_bytes(payload[at : at + width], "little")
            at += width
    forced = not at and len(fields) == 2 and payload == struct.pack("<2Q", *values)
    if not forced and (at != len(payload) or (found and not payload)):
        problem = f"its ZIP64 extra field has {len(payload)} bytes, but the sizes and offset in its header ask for {at}"
        raise source.hostile(f"{problem} ('wheel tags' up to wheel 0.47 leaves such fields behind)", member)
    return values
