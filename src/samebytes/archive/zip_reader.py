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
from .entry import CHUNK_SIZE, Archive, Aspect, Content, Data, Deviation, Entry, Kind, Packed, read_all
from .zip_deviations import member_deviations
from .zip_directory import Source, extra_fields, read_directory, widened
from .zip_layout import (
    DEFLATED,
    DESCRIPTOR_SIGNATURE,
    EARLIEST,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_MASKED,
    FLAG_PATCHED,
    FLAG_STRONG_ENCRYPTION,
    FLAG_UTF8,
    LOCAL,
    LOCAL_SIGNATURE,
    MAX_32,
    STORED,
    UNICODE_PATH_EXTRA,
    CentralHeader,
    LocalHeader,
    seconds_from_dos,
)

_READ_SIZE = 1 << 16
_USUAL_EXTRA = 64
"""How long local extra fields are at most, as a rule."""

_ENCRYPTED = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED
_METHODS = {
    1: "shrink",
    6: "implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
    99: "AES encryption",
}


class _Member(NamedTuple):
    name: str
    central: CentralHeader
    local: LocalHeader
    start: int
    """Where the contents begin."""


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[Archive]:
    """Give the archive at *path*, every header of it checked; its contents are checked as they are read.

    :raises ArchiveError: if it is no ZIP file, damaged, or of a form that is not supported.
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
    members, layout = _locate(source, names, headers, directory.offset)
    deviations = [*directory.deviations, *(Deviation(Aspect.ZIP_LAYOUT, detail) for detail in layout)]
    if directory.comment:
        deviations.insert(0, Deviation(Aspect.ZIP_COMMENTS, f"comment of {len(directory.comment)} bytes"))
    return Archive(source.name, tuple(_entry(source, member) for member in members), tuple(deviations))


def _member_name(source: Source, header: CentralHeader) -> str:
    """Decode a name: UTF-8 where it says so, else code page 437, which ASCII is part of (APPNOTE appendix D)."""
    try:
        name = header.name.decode("utf-8" if header.flags & FLAG_UTF8 or header.name.isascii() else "cp437")
    except UnicodeDecodeError:
        raise source.hostile("the name is marked as UTF-8 and is not", _shown(header)) from None
    limits.check_name(source.name, name[:-1] if name.endswith("/") else name)
    for identifier, data in header.extra:
        if identifier == UNICODE_PATH_EXTRA and data[5:] != name.encode():
            raise source.hostile("an extra field gives it another name, which some readers prefer", _shown(header))
    return name


def _shown(header: CentralHeader) -> str:
    return header.name.decode("utf-8", "backslashreplace")


def _check_names(source: Source, names: Sequence[str]) -> None:
    """Refuse names that cannot all be unpacked into one directory, wherever that is."""
    bare = [name.rstrip("/") for name in names]
    seen: set[str] = set()
    for name in bare:
        if name in seen:
            raise source.hostile("is in the archive twice", name)
        seen.add(name)
    for first, second in limits.case_collisions(bare):
        raise source.hostile(f"differs from {first!r} only in case: they are one file on Windows and macOS", second)
    spelled = {name.casefold(): name for name in bare}
    files = {name.casefold() for name in names if not name.endswith("/")}
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
    if header.flags & FLAG_PATCHED:
        raise source.hostile("is a patch and not a file", name)
    if header.method == STORED and header.size != header.packed_size:
        raise source.hostile("is stored, but its two sizes differ", name)
    if name.endswith("/") and (header.size or header.crc):
        raise source.hostile("is a directory with contents", name)
    limits.check_ratio(source.name, name, header.packed_size, header.size)


def _locate(
    source: Source, names: Sequence[str], headers: Sequence[CentralHeader], end: int
) -> tuple[list[_Member], list[str]]:
    """Read the local headers, and return the members in the directory's order with what is odd about the layout.

    :raises HostileArchiveError: if members overlap, or something lies before the first one, where readers look first.
    """
    order = sorted(range(len(headers)), key=lambda number: headers[number].offset)
    borders = [headers[number].offset for number in order] + [end]
    if borders[0]:
        raise source.hostile(f"{borders[0]} bytes lie before the first member")
    found: dict[int, _Member] = {}
    layout = [] if order == sorted(order) else ["members lie in another order than the central directory's"]
    for number, border in zip(order, borders[1:]):
        found[number] = member = _read_member(source, names[number], headers[number], border)
        gap = border - _end_of(source, member, border)
        if gap:
            _check_gap(source, member, border - gap, border)
            layout.append(f"{gap} bytes lie unused after {member.name!r}")
    return [found[number] for number in range(len(headers))], layout


def _read_member(source: Source, name: str, central: CentralHeader, border: int) -> _Member:
    """Read the local header of a member that must end at or before *border*, and hold it against the central one."""
    what = f"the header of {name!r}"
    # One read for all that a header most often is.
    room = max(LOCAL.size, min(LOCAL.size + len(central.name) + _USUAL_EXTRA, source.size - central.offset))
    head = source.read(central.offset, room, what)
    fields = LOCAL.unpack_from(head)
    signature, needed, flags, method, time, date, crc, packed_size, size, name_length, extra_length = fields
    if signature != LOCAL_SIGNATURE:
        raise source.hostile("has no local header where the central directory says", name)
    start = central.offset + LOCAL.size + name_length + extra_length
    if start + central.packed_size > border:
        raise source.hostile("overlaps what comes after it", name)
    if start - central.offset > len(head):
        head = source.read(central.offset, start - central.offset, what)
    names_end = LOCAL.size + name_length
    extra: tuple[tuple[int, bytes], ...] = ()
    if extra_length:
        extra = extra_fields(source, name, head[names_end : names_end + extra_length])
        size, packed_size = widened(source, name, extra, ((size, MAX_32, 8), (packed_size, MAX_32, 8)))
    stored_name = head[LOCAL.size : names_end]
    local = LocalHeader(needed, flags, method, time, date, crc, packed_size, size, stored_name, extra)
    _compare(source, name, central, local)
    return _Member(name, central, local, start)


def _compare(source: Source, name: str, central: CentralHeader, local: LocalHeader) -> None:
    here = (local.name, local.method, local.flags, local.crc, local.size, local.packed_size)
    there = (central.name, central.method, central.flags, central.crc, central.size, central.packed_size)
    if here == there and not local.extra:  # as nearly always
        return
    matters = _ENCRYPTED | FLAG_PATCHED | (0 if central.name.isascii() else FLAG_UTF8)
    differences = {
        "name": central.name != local.name or _other_name(name, local),
        "compression method": central.method != local.method,
        "flags": (central.flags ^ local.flags) & matters,
        "CRC": _contradicts(central.crc, local.crc, local.flags),
        "size": _contradicts(central.size, local.size, local.flags),
        "compressed size": _contradicts(central.packed_size, local.packed_size, local.flags),
    }
    for what, differs in differences.items():
        if differs:
            raise source.hostile(f"its local header gives another {what} than the central directory", name)


def _other_name(name: str, local: LocalHeader) -> bool:
    return any(field == UNICODE_PATH_EXTRA and data[5:] != name.encode() for field, data in local.extra)


def _contradicts(central: int, local: int, flags: int) -> bool:
    """Tell whether a local value contradicts; 0 stands for one in the data descriptor (APPNOTE 4.4.4, bit 3)."""
    return local != central and not (flags & FLAG_DESCRIPTOR and local == 0)


def _end_of(source: Source, member: _Member, border: int) -> int:
    """Return where a member ends, its data descriptor included, which must agree with the central directory.

    The descriptor may have a signature or not, and sizes of 4 or 8 bytes (APPNOTE 4.3.9); nothing tells which. For an
    empty file the long form begins like the short one, so the longest that fits is taken.
    """
    end = member.start + member.central.packed_size
    if not member.local.flags & FLAG_DESCRIPTOR:
        return end
    after = source.read(end, min(24, border - end), f"the data descriptor of {member.name!r}")
    crc = member.central.crc.to_bytes(4, "little")
    for width in (8, 4):
        sizes = [
            size.to_bytes(8, "little")[:width]
            for size in (member.central.packed_size, member.central.size)
            if size < 1 << 8 * width
        ]
        for start in (DESCRIPTOR_SIGNATURE + crc, crc):
            form = start + b"".join(sizes)
            if len(sizes) == 2 and after.startswith(form):
                return end + len(form)
    raise source.hostile("its data descriptor is missing or contradicts the central directory", member.name)


def _check_gap(source: Source, member: _Member, start: int, end: int) -> None:
    if source.read(start, min(4, end - start), "unused bytes") == LOCAL_SIGNATURE:
        raise source.hostile("is followed by a member that the central directory does not list", member.name)


def _entry(source: Source, member: _Member) -> Entry:
    central = member.central
    mode = central.external >> 16
    contents = _Contents(source, member)
    seconds = seconds_from_dos(central.time, central.date)
    entry = Entry(
        name=member.name.rstrip("/"),
        kind=_kind(member.name, mode),
        mode=stat.S_IMODE(mode),
        mtime=float(EARLIEST if seconds is None else seconds),
        content=contents,
        deviations=member_deviations(central, member.local),
        packed=Packed(central.method == DEFLATED, central.packed_size, contents.packed),
    )
    if entry.kind is Kind.FILE:
        return entry if mode else entry._replace(mode=0o644)
    if entry.kind is Kind.SYMLINK:
        return entry._replace(content=Data(b""), packed=None, target=_target(source, contents, entry.name))
    # The stream of a directory, if any, has nothing to say and must not hide anything either.
    if central.packed_size:
        read_all(contents)
    return entry._replace(content=Data(b""), packed=None, mode=entry.mode if mode else 0o755)


def _kind(name: str, mode: int) -> Kind:
    if name.endswith("/"):
        return Kind.DIRECTORY
    return Kind.SYMLINK if stat.S_ISLNK(mode) else Kind.FILE


def _target(source: Source, contents: Content, name: str) -> str:
    if contents.size > limits.MAX_NAME_BYTES:
        raise source.hostile(f"is a symbolic link to a name longer than {limits.MAX_NAME_BYTES} bytes", name)
    return read_all(contents).decode("utf-8", "surrogateescape")


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
        """Return the contents in one go if they are small and right; else nobody knows yet what is to be said."""
        header = self._member.central
        if max(header.packed_size, header.size) > CHUNK_SIZE:
            return None
        data = self._packed_piece(self._member.start, header.packed_size)
        if header.method == DEFLATED:
            inflater = zlib.decompressobj(-15)
            try:
                data = inflater.decompress(data, CHUNK_SIZE)
            except zlib.error:
                return None
            if not inflater.eof or inflater.unused_data:
                return None
        return data if (len(data), zlib.crc32(data)) == (header.size, header.crc) else None

    def _pieces(self) -> Iterator[bytes]:
        """Give the contents piece by piece, and say what is wrong with them where it shows."""
        header, name = self._member.central, self._member.name
        crc = size = 0
        for chunk in self.packed() if header.method == STORED else self._inflated():
            size += len(chunk)
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
        inflater = zlib.decompressobj(-15)
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
