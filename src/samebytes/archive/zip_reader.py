"""ZIP files as archives: every header checked when the file is opened, contents streamed and checked when read.

The reader takes the central directory's word for nothing: each local header, each data descriptor, the order and the
borders of all members must agree with it, so that whatever else reads the file sees the same.
"""

from __future__ import annotations

import contextlib
import stat
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import ArchiveError
from . import limits
from . import zip_layout as layout
from .entry import CHUNK_SIZE, Archive, Aspect, Data, Deviation, Entry, Kind, Packed, read_all
from .zip_deviations import member_deviations
from .zip_directory import Source, extra_fields, read_directory, widened
from .zip_layout import DEFLATED, MAX_32, STORED, CentralHeader, LocalHeader

_READ_SIZE = 1 << 16

_USUAL_EXTRA = 64
"""How many bytes are read of a local extra field together with its header: most are not longer."""

_LONGEST_DESCRIPTOR = 24
"""Bytes: signature, CRC-32, and two sizes of eight bytes (APPNOTE 4.3.9)."""

_RAW_DEFLATE = -15
"""For zlib: no header or checksum around the stream, and a window of 32 KiB."""

_ENCRYPTED = layout.FLAG_ENCRYPTED | layout.FLAG_STRONG_ENCRYPTION | layout.FLAG_MASKED

# Compression methods (APPNOTE 4.4.5), for messages: those that other tools write today.
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}


class _Member(NamedTuple):
    name: str
    central: CentralHeader
    local: LocalHeader
    start: int
    """Where the contents begin."""


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[Archive]:
    """Give the archive at *path*, every header of it checked; its contents are checked as they are read.

    :raises ArchiveError: if it is not a ZIP file, damaged, or of a form that is not supported.
    :raises HostileArchiveError: if it does what no honest archive does.
    """
    with contextlib.ExitStack() as stack:
        try:
            source = Source(stack.enter_context(path.open("rb")), path.name)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ArchiveError(
                f"{path}: cannot be opened: {reason}", remedy="Give the path of a readable file."
            ) from error
        yield _read_archive(source)


def _read_archive(source: Source) -> Archive:
    directory, headers = read_directory(source)
    names = [_member_name(source, header) for header in headers]
    _check_names(source, names)
    for name, header in zip(names, headers):
        _check_header(source, name, header)
    members, gaps = _locate(source, names, headers, directory.offset)
    deviations = [*directory.deviations, *(Deviation(Aspect.ZIP_LAYOUT, detail) for detail in gaps)]
    if directory.comment:
        deviations.insert(0, Deviation(Aspect.ZIP_COMMENTS, f"comment of {len(directory.comment)} bytes"))
    return Archive(source.name, tuple(_entry(source, member) for member in members), tuple(deviations))


def _member_name(source: Source, header: CentralHeader) -> str:
    """Decode a name: UTF-8 where it is marked so, else code page 437, which ASCII is part of (APPNOTE appendix D)."""
    shown = header.name.decode("utf-8", "backslashreplace")
    try:
        name = header.name.decode("utf-8" if header.flags & layout.FLAG_UTF8 or header.name.isascii() else "cp437")
    except UnicodeDecodeError:
        raise source.hostile("the name is marked as UTF-8 and is not", shown) from None
    bare = name[:-1] if name.endswith("/") else name
    limits.check_name(source.name, bare)
    problem = limits.windows_problem(bare)
    if problem:
        raise source.hostile(problem, bare)
    if _is_renamed(name, header.extra):
        raise source.hostile("an extra field gives it another name, which some readers prefer", shown)
    return name


def _is_renamed(name: str, extra: Sequence[tuple[int, bytes]]) -> bool:
    """Return whether a Unicode path field (APPNOTE 4.6.9) gives another name, after its version and a CRC-32."""
    return any(field == layout.UNICODE_PATH_EXTRA and data[5:] != name.encode() for field, data in extra)


def _check_names(source: Source, names: Sequence[str]) -> None:
    """Refuse names that cannot all be unpacked into one directory, wherever that is."""
    bare = [name.rstrip("/") for name in names]
    seen: set[str] = set()
    for name in bare:
        if name in seen:
            raise source.hostile("is in the archive twice", name)
        seen.add(name)
    for first, second in limits.case_collisions(bare):
        problem = f"is the same file as {first!r} on Windows or macOS, where case and Unicode form do not count"
        raise source.hostile(problem, second)
    # A file and a directory may also be one name there.
    spelled = {limits.folded(name): name for name in bare}
    files = {limits.folded(name) for name in names if not name.endswith("/")}
    for below, above in limits.beneath_files(files, spelled):
        raise source.hostile(f"lies beneath {spelled[above]!r}, which is a file", spelled[below])


def _check_header(source: Source, name: str, header: CentralHeader) -> None:
    if header.flags & _ENCRYPTED:
        raise ArchiveError(f"{source.name}: {name!r}: is encrypted", remedy="Make the archive without encryption.")
    if header.method not in (STORED, DEFLATED):
        method = f"{header.method} ({_METHODS.get(header.method, 'unknown')})"
        raise ArchiveError(
            f"{source.name}: {name!r}: is compressed by method {method}, which is not supported",
            remedy="Make the archive with deflate, or without compression, as installers require.",
        )
    if header.flags & layout.FLAG_PATCHED:
        raise source.hostile("is a patch and not a file", name)
    if header.method == STORED and header.size != header.packed_size:
        raise source.hostile("is stored, but its two sizes differ", name)
    if name.endswith("/") and (header.size or header.crc):
        raise source.hostile("is a directory with contents", name)
    limits.check_ratio(source.name, name, header.packed_size, header.size)


def _locate(
    source: Source, names: Sequence[str], headers: Sequence[CentralHeader], end: int
) -> tuple[list[_Member], list[str]]:
    """Read the local headers, and return the members in the directory's order with how their layout deviates.

    :raises HostileArchiveError: if members overlap, or something lies before the first one, where readers look first.
    """
    order = sorted(range(len(headers)), key=lambda number: headers[number].offset)
    borders = [headers[number].offset for number in order] + [end]
    if borders[0]:
        raise source.hostile(f"{borders[0]} bytes lie before the first member")
    found: dict[int, _Member] = {}
    gaps = [] if order == sorted(order) else ["members lie in another order than the central directory's"]
    for number, border in zip(order, borders[1:]):
        found[number] = member = _read_member(source, names[number], headers[number], border)
        gap = border - _end_of(source, member, border)
        if gap:
            # Streaming readers go from local header to local header, and would see what is not in the directory.
            if source.read(border - gap, min(4, gap), "unused bytes") == layout.LOCAL_SIGNATURE:
                problem = "is followed by a member that the central directory does not list"
                raise source.hostile(problem, member.name)
            gaps.append(f"{gap} bytes lie unused after {member.name!r}")
    return [found[number] for number in range(len(headers))], gaps


def _read_member(source: Source, name: str, central: CentralHeader, border: int) -> _Member:
    """Read the local header of a member that must end at or before *border*, and hold it against the central one."""
    what = f"the header of {name!r}"
    # One read for all that a header most often is, and not one for each of its parts.
    fixed = layout.LOCAL.size
    room = min(fixed + len(central.name) + _USUAL_EXTRA, source.size - central.offset)
    head = source.read(central.offset, max(fixed, room), what)
    fields = layout.LOCAL.unpack_from(head)
    signature, needed, flags, method, time, date, crc, packed_size, size, name_length, extra_length = fields
    if signature != layout.LOCAL_SIGNATURE:
        raise source.hostile("has no local header where the central directory says", name)
    start = central.offset + fixed + name_length + extra_length
    if start + central.packed_size > border:
        raise source.hostile("overlaps what comes after it", name)
    if start - central.offset > len(head):
        head = source.read(central.offset, start - central.offset, what)
    names_end = fixed + name_length
    extra: tuple[tuple[int, bytes], ...] = ()
    if extra_length:
        extra = extra_fields(source, name, head[names_end : names_end + extra_length])
        size, packed_size = widened(source, name, extra, ((size, MAX_32, 8), (packed_size, MAX_32, 8)))
    name_here = head[fixed:names_end]
    local = LocalHeader(needed, flags, method, time, date, crc, packed_size, size, name_here, extra)
    _compare(source, name, central, local)
    return _Member(name, central, local, start)


def _compare(source: Source, name: str, central: CentralHeader, local: LocalHeader) -> None:
    """Refuse a local header that contradicts the central one in what readers go by: some read this, some that."""
    here = (local.name, local.method, local.flags, local.crc, local.size, local.packed_size)
    there = (central.name, central.method, central.flags, central.crc, central.size, central.packed_size)
    if here == there and not local.extra:  # As nearly always.
        return
    # Other flags have no bearing on name or contents; those are deviations.
    matters = _ENCRYPTED | layout.FLAG_PATCHED | (0 if central.name.isascii() else layout.FLAG_UTF8)
    differences = {
        "name": central.name != local.name or _is_renamed(name, local.extra),
        "compression method": central.method != local.method,
        "flags": (central.flags ^ local.flags) & matters,
        "CRC": _contradicts(central.crc, local.crc, local.flags),
        "size": _contradicts(central.size, local.size, local.flags),
        "compressed size": _contradicts(central.packed_size, local.packed_size, local.flags),
    }
    for what, differs in differences.items():
        if differs:
            raise source.hostile(f"its local header gives another {what} than the central directory", name)


def _contradicts(central: int, local: int, flags: int) -> bool:
    """Return whether a local value contradicts; 0 stands for one in the data descriptor (APPNOTE 4.4.4, bit 3)."""
    return local != central and not (flags & layout.FLAG_DESCRIPTOR and local == 0)


def _end_of(source: Source, member: _Member, border: int) -> int:
    """Return where a member ends, its data descriptor included, which must agree with the central directory.

    The descriptor may have a signature or not, and sizes of 4 or 8 bytes (APPNOTE 4.3.9); nothing says which. For an
    empty file the long form begins like the short one, so the longest that fits is taken.
    """
    central = member.central
    end = member.start + central.packed_size
    if not member.local.flags & layout.FLAG_DESCRIPTOR:
        return end
    after = source.read(end, min(_LONGEST_DESCRIPTOR, border - end), f"the data descriptor of {member.name!r}")
    crc = central.crc.to_bytes(4, "little")
    for width in (8, 4):
        if max(central.packed_size, central.size) >= 1 << 8 * width:
            continue
        sizes = central.packed_size.to_bytes(width, "little") + central.size.to_bytes(width, "little")
        for start in (layout.DESCRIPTOR_SIGNATURE + crc, crc):
            if after.startswith(start + sizes):
                return end + len(start + sizes)
    raise source.hostile("its data descriptor is missing or contradicts the central directory", member.name)


def _entry(source: Source, member: _Member) -> Entry:
    """Return the member as an entry; what its headers leave open is as installers take it."""
    central = member.central
    mode = central.external >> 16
    contents = _Contents(source, member)
    seconds = layout.seconds_from_dos(central.time, central.date)
    entry = Entry(
        name=member.name.rstrip("/"),
        kind=Kind.FILE,
        mode=stat.S_IMODE(mode) if mode else 0o644,
        mtime=float(layout.EARLIEST if seconds is None else seconds),
        content=contents,
        deviations=member_deviations(central, member.local),
        packed=Packed(central.method == DEFLATED, central.packed_size, contents.packed),
    )
    if member.name.endswith("/"):
        # The stream of a directory, if any, stands for no bytes, and must not hide anything either.
        if central.packed_size:
            read_all(contents)
        mode = entry.mode if mode else 0o755
        return entry._replace(kind=Kind.DIRECTORY, mode=mode, content=Data(b""), packed=None)
    if stat.S_ISLNK(mode):
        if contents.size > limits.MAX_NAME_BYTES:
            problem = f"is a symbolic link to a name longer than {limits.MAX_NAME_BYTES} bytes"
            raise source.hostile(problem, entry.name)
        target = read_all(contents).decode("utf-8", "surrogateescape")
        return entry._replace(kind=Kind.SYMLINK, content=Data(b""), packed=None, target=target)
    return entry


class _Contents:
    """The contents of one member, inflated piece by piece and held against size and CRC each time they are read."""

    __slots__ = ("_member", "_source")

    def __init__(self, source: Source, member: _Member) -> None:
        self._source = source
        self._member = member

    @property
    def size(self) -> int:
        return self._member.central.size

    def chunks(self) -> Iterator[bytes]:
        whole = self._whole()
        if whole is None:
            yield from self._pieces()
        elif whole:
            yield whole

    def _whole(self) -> bytes | None:
        """Return the contents in one go if they are small and right; None if not, without saying why.

        What is wrong shows when they are read in pieces, which takes longer and knows where it is.
        """
        header = self._member.central
        if max(header.packed_size, header.size) > CHUNK_SIZE:
            return None
        data = self._packed_piece(self._member.start, header.packed_size)
        if header.method == DEFLATED:
            inflater = zlib.decompressobj(_RAW_DEFLATE)
            try:
                data = inflater.decompress(data, CHUNK_SIZE)
            except zlib.error:
                return None
            # With all of CHUNK_SIZE filled, zlib may not have seen the stream's end yet: then in pieces.
            if not inflater.eof or inflater.unused_data:
                return None
        return data if (len(data), zlib.crc32(data)) == (header.size, header.crc) else None

    def _pieces(self) -> Iterator[bytes]:
        """Give the contents piece by piece; what is wrong with them is raised where it shows."""
        header, name = self._member.central, self._member.name
        crc = size = 0
        for chunk in self.packed() if header.method == STORED else self._inflated():
            size += len(chunk)
            # Checked before the chunk is given, so that a bomb never gets beyond what its header announced.
            if size > header.size:
                raise self._source.hostile(f"holds more than the {header.size} bytes that it declares", name)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if size != header.size:
            raise self._source.damaged(f"holds {size} bytes, not the {header.size} that it declares", name)
        if crc != header.crc:
            raise self._source.damaged(f"its CRC is {crc:08x}, not the {header.crc:08x} that it declares", name)

    def packed(self) -> Iterator[bytes]:
        """Give the bytes that the file holds, compressed as they are."""
        at, end = self._member.start, self._member.start + self._member.central.packed_size
        while at < end:
            piece = self._packed_piece(at, min(_READ_SIZE, end - at))
            yield piece
            at += len(piece)

    def _packed_piece(self, at: int, size: int) -> bytes:
        return self._source.read(at, size, f"the contents of {self._member.name!r}")

    def _inflated(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(_RAW_DEFLATE)
        for piece in self.packed():
            yield from self._inflate(inflater, piece)
        # zlib may still hold back some bytes that the last bounded step had no room for.
        while not inflater.eof:
            held = self._step(inflater, b"")
            if not held:
                raise self._source.damaged("its compressed data ends too early", self._member.name)
            yield held

    def _inflate(self, inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
        while piece:
            if inflater.eof:
                raise self._source.hostile("its compressed data goes on after its end", self._member.name)
            chunk = self._step(inflater, piece)
            piece = inflater.unused_data or inflater.unconsumed_tail
            if chunk:
                yield chunk

    def _step(self, inflater: zlib._Decompress, piece: bytes) -> bytes:
        try:
            return inflater.decompress(piece, CHUNK_SIZE)
        except zlib.error as error:
            raise self._source.damaged(f"its compressed data is damaged ({error})", self._member.name) from error
