"""ZIP files as archives: every header checked when the file is opened, contents streamed and checked when read.

The reader takes the central directory's word for nothing: each local header, each data descriptor, the order and the
borders of all members must agree with it, and no byte may lie between them, so that whatever else reads the file, by
the directory or from front to back, sees the same.
"""

from __future__ import annotations

import contextlib
import stat
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import ArchiveError
from . import limits
from . import zip_layout as layout
from .entry import CHUNK_SIZE, Archive, Aspect, Data, Deviation, Entry, Kind, Packed, Streamed, opened
from .zip_deviations import member_deviations
from .zip_directory import Source, extra_fields, read_directory, widened
from .zip_layout import DEFLATED, MAX_32, STORED, MemberHeader

_READ_SIZE = 1 << 16

_USUAL_EXTRA = 64
"""How many bytes are read of a local extra field together with its header: most are not longer."""

_RAW_DEFLATE = -15
"""For zlib: no header or checksum around the stream, and a window of 32 KiB."""

_NOTHING_DEFLATED = b"\x03\x00"
"""A deflate stream of no bytes: one block with fixed codes that ends at once."""

_ENCRYPTED = layout.FLAG_ENCRYPTED | layout.FLAG_STRONG_ENCRYPTION | layout.FLAG_MASKED

_KNOWN_FLAGS = layout.FLAGS_LEVEL | layout.FLAG_DESCRIPTOR | layout.FLAG_UTF8

# Compression methods (APPNOTE 4.4.5), for messages: those that other tools write today.
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}


class _Member(NamedTuple):
    name: str
    central: MemberHeader
    start: int
    """Where the contents begin."""
    deviations: tuple[Deviation, ...]


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[Archive]:
    """Give the archive at *path*, every header of it checked; its contents are checked as they are read.

    :raises ArchiveError: if it is not a ZIP file, damaged, or of a form that is not supported.
    :raises HostileArchiveError: if it does what no honest archive does.
    """
    with opened(path) as file:
        archive = _read_archive(Source(file, path.name))
        limits.check_formats(file, path.name, is_zip=True)
        yield archive


def _read_archive(source: Source) -> Archive:
    directory, headers = read_directory(source)
    names = [_member_name(source, header) for header in headers]
    _check_names(source, names)
    for name, header in zip(names, headers):
        _check_header(source, name, header)
    limits.check_expansion(source.name, source.size, sum(header.size for header in headers))
    members = _locate(source, names, headers, directory.offset)
    deviations = list(directory.deviations)
    if any(one.offset > other.offset for one, other in zip(headers, headers[1:])):
        detail = "members lie in another order than the central directory's"
        deviations.append(Deviation(Aspect.ZIP_LAYOUT, detail))
    if directory.comment:
        deviations.insert(0, Deviation(Aspect.ZIP_COMMENTS, f"comment of {len(directory.comment)} bytes"))
    return Archive(source.name, tuple(_entry(source, member) for member in members), tuple(deviations))


def _member_name(source: Source, header: MemberHeader) -> str:
    """Return a member's name, which is UTF-8 and marked as such, or ASCII (APPNOTE appendix D)."""
    shown = header.name.decode("utf-8", "backslashreplace")
    if not header.name.isascii() and not header.flags & layout.FLAG_UTF8:
        raise source.hostile("the name is neither ASCII nor marked as UTF-8: readers take it for different ones", shown)
    try:
        name = header.name.decode()
    except UnicodeDecodeError:
        raise source.hostile("the name is marked as UTF-8 and is not", shown) from None
    bare = name[:-1] if name.endswith("/") else name
    limits.check_name(source.name, bare)
    if problem := limits.windows_problem(bare):
        raise limits.hostile(source.name, bare, problem)
    return name


def _check_names(source: Source, names: Sequence[str]) -> None:
    """Refuse names that cannot all be unpacked into one directory, wherever that is."""
    bare = [name.rstrip("/") for name in names]
    spelled: dict[str, str] = {}
    for name, plain in zip(bare, map(limits.folded, bare)):
        first = spelled.get(plain)
        if first is not None:
            other = f"is the same file as {first!r} on Windows or macOS, where case and Unicode form do not count"
            raise limits.hostile(source.name, name, "is in the archive twice" if name == first else other)
        spelled[plain] = name
    # A file and a directory may also be one name there.
    files = {plain for plain, given in zip(spelled, names) if not given.endswith("/")}
    for below, above in limits.beneath_files(files, spelled):
        problem = f"lies beneath {spelled[above]!r}, which is a file"
        raise limits.hostile(source.name, spelled[below], problem)


def _check_header(source: Source, name: str, header: MemberHeader) -> None:
    if header.flags & _ENCRYPTED:
        raise ArchiveError(f"{source.name}: {name!r}: is encrypted", remedy="Make the archive without encryption.")
    if header.method not in (STORED, DEFLATED):
        method = f"{header.method} ({_METHODS.get(header.method, 'unknown')})"
        raise ArchiveError(
            f"{source.name}: {name!r}: is compressed by method {method}, which is not supported",
            remedy="Make the archive with deflate, or without compression, as installers require.",
        )
    if header.flags & ~_KNOWN_FLAGS:
        raise source.hostile(f"has flag 0x{header.flags & ~_KNOWN_FLAGS:04x}, which no wheel needs", name)
    if header.method == STORED and header.flags & layout.FLAG_DESCRIPTOR:
        problem = "is stored, with its size behind it: who reads from front to back cannot know where it ends"
        raise source.hostile(problem, name)
    if header.method == STORED and header.size != header.packed_size:
        raise source.hostile("is stored, but its two sizes differ", name)
    if name.endswith("/") and (header.size or header.crc or header.packed_size > len(_NOTHING_DEFLATED)):
        raise source.hostile("is a directory with contents", name)
    _check_type(source, name, header)


def _check_type(source: Source, name: str, header: MemberHeader) -> None:
    """Refuse what some readers unpack as another kind of file than its name says (APPNOTE 4.4.15)."""
    kind = stat.S_IFMT(header.external >> 16)
    if kind == stat.S_IFLNK:
        problem = "is a symbolic link, which installers unpack as a file"
        raise source.hostile(problem, name, "Let the build put the file itself there.")
    directory = name.endswith("/")
    if kind not in (0, stat.S_IFDIR if directory else stat.S_IFREG):
        problem = f"has file type 0o{kind:o} in its mode, though its name is that of a "
        raise source.hostile(problem + ("directory" if directory else "file"), name)
    if header.external & layout.DOS_DIRECTORY and not directory:
        raise source.hostile("its DOS attributes say that it is a directory, its name that it is a file", name)


def _locate(source: Source, names: Sequence[str], headers: Sequence[MemberHeader], end: int) -> list[_Member]:
    """Read the local headers, and return the members in the directory's order.

    :raises HostileArchiveError: if members overlap, or anything lies before, between or behind them: who reads from
        front to back goes from local header to local header, and would see what is not in the directory. (Tools that
        align members, such as zipalign, use the extra field.)
    """
    order = sorted(range(len(headers)), key=lambda number: headers[number].offset)
    borders = [headers[number].offset for number in order] + [end]
    if borders[0]:
        raise source.hostile(f"{borders[0]} bytes lie before the first member")
    if borders[-2:-1] > [end]:
        raise source.hostile(f"its header should begin at {borders[-2]}, behind all members", names[order[-1]])
    found = {
        number: _read_member(source, names[number], headers[number], border)
        for number, border in zip(order, borders[1:])
    }
    return [found[number] for number in range(len(headers))]


def _read_member(source: Source, name: str, central: MemberHeader, border: int) -> _Member:
    """Read the local header of a member that must end at *border*, and hold it against the central one."""
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
    name_here, raw_extra = head[fixed : fixed + name_length], head[fixed + name_length :][:extra_length]
    extra: tuple[tuple[int, bytes], ...] = ()
    if extra_length or MAX_32 in (size, packed_size):
        extra = extra_fields(source, name, raw_extra)
        size, packed_size = widened(source, name, extra, ((size, MAX_32, 8), (packed_size, MAX_32, 8)))
    local = MemberHeader(needed, flags, method, time, date, crc, packed_size, size, name_here, extra)
    _compare(source, name, central, local)
    _check_end(source, name, central, local, start + central.packed_size, border)
    return _Member(name, central, start, member_deviations(central, local))


def _compare(source: Source, name: str, central: MemberHeader, local: MemberHeader) -> None:
    """Refuse a local header that contradicts the central one in what readers go by: some read this, some that."""
    version = max(central.version_needed, local.version_needed)
    if version > layout.VERSION_ZIP64:
        raise source.hostile(f"needs version {version / 10:.1f} of the format, which not all readers have", name)
    facts = central.crc, central.size, central.packed_size
    here = local.crc, local.size, local.packed_size
    # Zeros stand for what comes in the data descriptor (APPNOTE 4.4.4, bit 3).
    if local.flags & layout.FLAG_DESCRIPTOR and here == (0, 0, 0):
        here = facts
    differences = {
        "name": (central.name, local.name),
        "compression method": (central.method, local.method),
        "flags": (central.flags, local.flags),
        "CRC": (facts[0], here[0]),
        "size": (facts[1], here[1]),
        "compressed size": (facts[2], here[2]),
    }
    for what, (there, found) in differences.items():
        if there != found:
            problem = f"its local header gives another {what} than the central directory"
            shown = "" if what == "name" else f": {found:#x} instead of {there:#x}"
            raise source.hostile(problem + shown, name)


def _check_end(source: Source, name: str, central: MemberHeader, local: MemberHeader, end: int, border: int) -> None:
    """Refuse what lies between a member's *end* and the next *border*, unless it is the announced data descriptor.

    That begins with its signature; its sizes have 8 bytes where the local header has a ZIP64 field, else 4 (APPNOTE
    4.3.9).
    """
    descriptor = b""
    if central.flags & layout.FLAG_DESCRIPTOR:
        wide = any(identifier == layout.ZIP64_EXTRA for identifier, _ in local.extra)
        form = layout.DESCRIPTOR64 if wide else layout.DESCRIPTOR
        sizes = central.packed_size, central.size
        # Sizes that do not fit are then found missing.
        if wide or max(sizes) <= MAX_32:
            descriptor = form.pack(layout.DESCRIPTOR_SIGNATURE, central.crc, *sizes)
        length = min(form.size, border - end)
        if not descriptor or source.read(end, length, f"the data descriptor of {name!r}") != descriptor:
            raise source.hostile("its data descriptor is missing or contradicts the central directory", name)
    unused = border - end - len(descriptor)
    if unused:
        raise source.hostile(f"is followed by {unused} bytes that belong to no member", name)


def _entry(source: Source, member: _Member) -> Entry:
    """Return the member as an entry; what its headers leave open is as installers take it."""
    central = member.central
    mode = central.external >> 16
    packed = partial(_packed, source, member)
    seconds = layout.seconds_from_dos(central.time, central.date)
    entry = Entry(
        name=member.name.rstrip("/"),
        kind=Kind.FILE,
        # pip makes executable what is marked as a regular file, and nothing else.
        mode=stat.S_IMODE(mode) & (0o7777 if stat.S_ISREG(mode) else 0o7666) if mode else 0o644,
        mtime=float(layout.EARLIEST if seconds is None else seconds),
        content=Streamed(central.size, partial(_chunks, source, member)),
        deviations=member.deviations,
        packed=Packed(central.method == DEFLATED, central.packed_size, packed),
    )
    if not member.name.endswith("/"):
        return entry
    # The stream of a directory, if any, stands for no bytes, and must not hide anything either.
    if b"".join(packed()) != (_NOTHING_DEFLATED if central.method == DEFLATED else b""):
        raise source.hostile("is a directory with contents", member.name)
    mode = stat.S_IMODE(mode) if mode else 0o755
    return entry._replace(kind=Kind.DIRECTORY, mode=mode, content=Data(b""), packed=None)


def _chunks(source: Source, member: _Member) -> Iterator[bytes]:
    """Give a member's contents, held against size and CRC each time they are read."""
    whole = _whole(source, member)
    if whole is None:
        yield from _pieces(source, member)
    elif whole:
        yield whole


def _whole(source: Source, member: _Member) -> bytes | None:
    """Return the contents in one go if they are small and right; None if not, without saying why.

    What is wrong shows when they are read in pieces, which takes longer and knows where it is.
    """
    header = member.central
    if max(header.packed_size, header.size) > CHUNK_SIZE:
        return None
    data = b"".join(_packed(source, member))
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


def _pieces(source: Source, member: _Member) -> Iterator[bytes]:
    """Give the contents piece by piece; what is wrong with them is raised where it shows."""
    header, name = member.central, member.name
    crc = size = 0
    for chunk in (_packed if header.method == STORED else _inflated)(source, member):
        size += len(chunk)
        # Checked before the chunk is given, so that a bomb never gets beyond what its header announced.
        if size > header.size:
            raise source.hostile(f"holds more than the {header.size} bytes that it declares", name)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != header.size:
        raise source.damaged(f"holds {size} bytes, not the {header.size} that it declares", name)
    if crc != header.crc:
        raise source.damaged(f"its CRC is {crc:08x}, not the {header.crc:08x} that it declares", name)


def _packed(source: Source, member: _Member) -> Iterator[bytes]:
    """Give the bytes that the file holds, compressed as they are."""
    end = member.start + member.central.packed_size
    for at in range(member.start, end, _READ_SIZE):
        yield source.read(at, min(_READ_SIZE, end - at), f"the contents of {member.name!r}")


def _inflated(source: Source, member: _Member) -> Iterator[bytes]:
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    packed = _packed(source, member)
    while not inflater.eof:
        piece = inflater.unconsumed_tail or next(packed, b"")
        try:
            chunk = inflater.decompress(piece, CHUNK_SIZE)
        except zlib.error as error:
            raise source.damaged(f"its compressed data is damaged ({error})", member.name) from error
        # With nothing more to come, zlib may still hold back what the last bounded step had no room for.
        if not piece and not chunk and not inflater.eof:
            raise source.damaged("its compressed data ends too early", member.name)
        if chunk:
            yield chunk
    if inflater.unused_data or next(packed, b""):
        raise source.hostile("its compressed data goes on after its end", member.name)
