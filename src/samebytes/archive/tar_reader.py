"""Reads tar strictly: every block is accounted for, and what two tools could read differently is refused.

Sources: POSIX.1-2017, pax; the GNU tar manual, "Basic Tar Format"; for sdists PEP 625 and PEP 721.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import partial
from pathlib import Path
from typing import IO

from ..errors import ArchiveError, OutputError
from . import limits
from .entry import CHUNK_SIZE, Archive, Aspect, Deviation, Entry, Kind, Streamed, opened
from .gzip import gunzip
from .tar_header import BLOCK, DAMAGED, Header, padding, parse_header, parse_pax
from .tar_member import FOR_ALL, Extended, Member, check_records, deviations_of, kind_of, read_member
from .tar_writer import canonical_length

_BYTES_FOR_EACH_HEADER = 64
"""What each header takes at least of a file that has more of them than any may have."""

_SHOWN = 5
"""How many names an error lists."""

_LONGEST_EXTENSION = 1 << 16
"""Bytes of one extended header: it is held whole. Two names of 4096 bytes and an attribute of a file fit easily."""

# Headers that extend the next one: PAX (POSIX, "pax Header Block"), and GNU tar's for names beyond 100 bytes.
_EXTENSIONS = {b"x": "PAX header", b"L": "GNU long name", b"K": "GNU long link target"}


@contextlib.contextmanager
def open_sdist(path: Path) -> Iterator[Archive]:
    """Open a ``.tar.gz`` source distribution; its contents can be read until the context ends.

    It is unpacked to an anonymous temporary file, so that memory is bounded and nothing is left behind.

    :raises ArchiveError: if it is not a tar in a gzip file, is damaged, or holds what no sdist may.
    :raises HostileArchiveError: if it escapes, bombs, contradicts itself, or something follows its end.
    :raises OutputError: if there is no room for the temporary file.
    """
    import tempfile  # Only here: it costs milliseconds that wheels need not pay.

    archive = path.name
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(opened(path))
        source_size = os.fstat(source.fileno()).st_size
        try:
            plain = stack.enter_context(tempfile.TemporaryFile(prefix="samebytes-"))
            unpacked = gunzip(source, plain, archive, source_size=source_size)
            plain.flush()
        except OSError as error:
            raise OutputError(
                f"{archive}: cannot be unpacked to a temporary file: {error.strerror}",
                remedy="Make room, or point TMPDIR at a directory with more.",
            ) from error
        limits.check_formats(source, archive, is_zip=False)
        reader = _Reader(plain, unpacked.size, archive, source_size)
        entries = tuple(reader.entries())
        _check_tree(archive, entries)
        yield Archive(archive, entries, (*unpacked.deviations, *reader.deviations))


def _stretch(stream: IO[bytes], offset: int, size: int) -> Iterator[bytes]:
    """Give contents that are *size* bytes of an open file, from *offset* on."""
    # All of it is there: that was seen when the member's header was read, and nobody else can reach the file.
    for at in range(offset, offset + size, CHUNK_SIZE):
        stream.seek(at)  # Others may have read the same file since the last piece.
        yield stream.read(min(CHUNK_SIZE, offset + size - at))


class _Reader:
    """One walk through a tar archive."""

    def __init__(self, stream: IO[bytes], size: int, archive: str, source_size: int) -> None:
        self._stream = stream
        self._size = size
        self._archive = archive
        self._at = 0
        self._headers = 0
        self._source_size = source_size
        self._globals: dict[str, bytes] = {}
        self._given: dict[str, Entry] = {}
        self._linked: set[str] = set()  # Names that are one file with another.
        self.deviations: dict[Deviation, None] = {}
        """Those of the archive as a whole, each once, where many headers deviate alike."""

    def entries(self) -> Iterator[Entry]:
        """Give the entries in the archive's order, the hard links resolved."""
        names = total = 0
        while member := self._next_member():
            names += len((member.name + member.link).encode())
            limits.check_budget(self._archive, "names", "bytes of names and link targets", names)
            entry = self._entry(member)
            # A hard link stands for all the contents of its file once more.
            total += entry.content.size
            limits.check_expansion(self._archive, self._source_size, total)
            self._check_again(entry, member)
            self._given[entry.name] = entry
            yield entry

    # -- blocks

    def _where(self, offset: int) -> str:
        return f"{self._archive}: the tar header at byte {offset}"

    def _read(self, offset: int, count: int) -> bytes:
        self._stream.seek(offset)
        return self._stream.read(count)

    def _next_header(self) -> Header | None:
        """Return the header at hand and step behind it; None at the archive's end, when the rest has been checked."""
        block = self._read(self._at, BLOCK)
        if len(block) < BLOCK:
            raise self._truncated(f"at byte {self._at}, in the middle of a header or without blocks that mark its end")
        if not block.strip(b"\0"):
            self._check_end()
            return None
        where = self._where(self._at)
        try:
            header = parse_header(block, where)
        except ArchiveError as error:
            if self._at:
                raise
            # Whatever else was compressed fails at the first block.
            raise ArchiveError(
                f"{error.message} (is it a tar archive?)", remedy="Give a source distribution in .tar.gz form."
            ) from None
        self._at += BLOCK
        self._headers += 1
        if self._headers > self._source_size // _BYTES_FOR_EACH_HEADER:
            limits.check_budget(self._archive, "headers", "tar headers in a file of its size", self._headers)
        return header

    def _take(self, size: int, what: str) -> int:
        """Step over *size* bytes of contents and their padding, and return where they begin."""
        begin = self._at
        padded = size + len(padding(size))
        if begin + padded > self._size:
            raise self._truncated(f"in {what}")
        # Readers skip it; the writer puts zeros there.
        if self._read(begin + size, padded - size).strip(b"\0"):
            self._note_end(f"the padding of {what} holds other bytes than zeros")
        self._at += padded
        return begin

    def _check_end(self) -> None:
        """Check that nothing but zeros follows the member before: two blocks, and as many as fill up a record."""
        end = self._at
        while self._at < self._size:
            data = self._read(self._at, CHUNK_SIZE)
            # Python's tarfile stops at the first block of zeros; GNU tar with --ignore-zeros goes on.
            if not data or data.strip(b"\0"):
                raise limits.hostile(self._archive, "", f"there is trailing data behind the tar's end at byte {end}")
            self._at += len(data)
        if self._size < end + 2 * BLOCK or self._size % BLOCK:
            raise self._truncated("without two whole blocks of zeros that mark its end")
        expected = canonical_length(end)
        if self._size != expected:
            self._note_end(f"{self._size - end} bytes of zeros mark the archive's end, not {expected - end}")

    def _note_end(self, detail: str) -> None:
        self.deviations[Deviation(Aspect.TAR_END, detail)] = None

    def _truncated(self, where: str) -> ArchiveError:
        return ArchiveError(f"{self._archive}: the tar inside is truncated: it ends {where}", remedy=DAMAGED)

    # -- headers that extend others

    def _next_member(self) -> Member | None:
        """Return the next member with all that extends its header; None at the archive's end."""
        extended = Extended(self._at, {})
        awaited = ""
        while True:
            offset = self._at
            header = self._next_header()
            where = self._where(offset)
            # Tools do not agree on whether an extended header reaches its member over a global one.
            if awaited and (header is None or (header.typeflag == b"g" and extended.facts)):
                raise ArchiveError(f"{where}: no member follows the {awaited} before it", remedy=DAMAGED)
            if header is None:
                return None
            if header.typeflag == b"g":
                records = self._records(header, where)
                # Kept are only those that mean anything, for what any number of headers may add up to.
                self._globals.update((keyword, value) for keyword, value in records.items() if keyword in FOR_ALL)
                detail = f"global PAX header: {_some(records) or 'empty'}"
                self.deviations[Deviation(Aspect.TAR_HEADERS, detail)] = None
                extended = Extended(self._at, {})
                awaited = "global PAX header"
            elif header.typeflag in _EXTENSIONS:
                extended = self._extend(extended, header, where)
                awaited = _EXTENSIONS[header.typeflag]
            else:
                return read_member(header, extended, self._globals, where)

    def _extension(self, header: Header, where: str) -> bytes:
        if not 0 <= header.size <= _LONGEST_EXTENSION:
            raise limits.hostile(where, "", f"an extended header of {header.size} bytes")
        data = self._read(self._take(header.size, "an extended header"), header.size + len(padding(header.size)))
        if data[header.size :].strip(b"\0"):  # tarfile and GNU tar look for the end of a name or record there, too
            raise limits.hostile(where, "", "an extended header goes on behind its size")
        return data[: header.size]

    def _records(self, header: Header, where: str) -> dict[str, bytes]:
        records = parse_pax(self._extension(header, where), where)
        check_records(records, where, for_all=header.typeflag == b"g")
        return records

    def _extend(self, extended: Extended, header: Header, where: str) -> Extended:
        """Return *extended* with what this header adds to it; a second one of the same kind is refused."""
        fact = _EXTENSIONS[header.typeflag]
        if any(known.startswith(fact) for known in extended.facts):
            raise limits.hostile(where, "", f"a second {fact} for one member, of which tools choose differently")
        if header.typeflag == b"x":
            records = self._records(header, where)
            return extended._replace(pax=records, facts=(*extended.facts, f"{fact}: {_some(records)}"))
        # GNU's hold a text that ends with a NUL.
        data = self._extension(header, where)
        text, _, rest = data.partition(b"\0")
        if not text or rest:
            raise ArchiveError(f"{where}: the {fact} is malformed", remedy=DAMAGED)
        extended = extended._replace(facts=(*extended.facts, fact))
        return extended._replace(long_name=text) if header.typeflag == b"L" else extended._replace(long_link=text)

    # -- members

    def _entry(self, member: Member) -> Entry:
        header = member.header
        kind = kind_of(member)
        # That of a directory may end with one slash. A leading "./" makes pip and indexes look for a top directory ".".
        name = member.name[:-1] if kind is Kind.DIRECTORY and member.name.endswith("/") else member.name
        limits.check_name(self._archive, name)
        head_end = self._at
        entry = Entry(name, kind or Kind.FILE, header.mode & 0o7777, member.mtime, owner=member.owner)
        if kind is Kind.FILE:
            begin = self._take(member.size, repr(name))
            entry = entry._replace(content=Streamed(member.size, partial(_stretch, self._stream, begin, member.size)))
        elif kind is Kind.SYMLINK:
            entry = entry._replace(target=member.link)
        elif kind is None:
            return self._hard_link(entry, member)
        # All the headers of this member, as they stand there, for comparison with those that the writer would write.
        raw = self._read(member.start, head_end - member.start)
        return entry._replace(deviations=deviations_of(entry, member, raw))

    def _check_again(self, entry: Entry, member: Member) -> None:
        """Refuse a name given again, unless it makes no difference to any reader that it was given before."""
        earlier = self._given.get(entry.name)
        if earlier is None:
            return
        same = (earlier.kind, earlier.target) == (entry.kind, entry.target)
        if entry.kind is Kind.FILE and (earlier.mode ^ entry.mode) & 0o100:
            same = False  # pip overwrites the contents and leaves the mode.
        if not same or entry.name in self._linked or member.header.typeflag == b"1":
            problem = "it is given twice, as a link or as different things, which tools unpack differently"
            raise limits.hostile(self._archive, entry.name, problem)

    def _hard_link(self, entry: Entry, member: Member) -> Entry:
        """Return a hard link as what it links to, which must stand before it, as tools unpack in one go."""
        origin = self._given.get(member.link)
        if origin is None or origin.kind is not Kind.FILE:
            found = "no member before it has that name" if origin is None else f"that is a {origin.kind.value}"
            raise ArchiveError(
                f"{self._archive}: {entry.name!r} is a hard link to {member.link!r}, but {found}",
                remedy="Build the archive again from plain files (GNU tar: with --hard-dereference).",
            )
        # Both names are one file: some readers give it the mode of the first header, and some that of the last.
        if (entry.mode ^ origin.mode) & 0o100:
            problem = f"it is a hard link to {origin.name!r}, but by their modes one is executable"
            raise limits.hostile(self._archive, entry.name, problem)
        self._linked.update((entry.name, origin.name))
        facts = [Deviation(Aspect.TAR_HEADERS, "; ".join(member.facts))] if member.facts else []
        deviations = (Deviation(Aspect.TAR_HARD_LINKS, f"hard link to {origin.name!r}"), *facts)
        return origin._replace(name=entry.name, mtime=entry.mtime, owner=entry.owner, deviations=deviations)


def _some(names: Iterable[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def _check_tree(archive: str, entries: Sequence[Entry]) -> None:
    """Refuse *entries* that are not one tree under one directory, with no way out of it (PEP 625, PEP 721).

    :raises ArchiveError: unless there is exactly one top-level directory, and nothing beside it.
    :raises HostileArchiveError: if a name has two natures, or a link leads out of the top-level directory.
    """
    _check_top(archive, entries)
    leaves = {entry.name for entry in entries if entry.kind is not Kind.DIRECTORY}
    for name, leaf in limits.beneath_files(leaves, (entry.name for entry in entries)):
        raise limits.hostile(archive, name, f"it lies beneath {leaf!r}, which is a file or link")
    links = {entry.name: entry.target for entry in entries if entry.kind is Kind.SYMLINK}
    limits.check_links(archive, links)
    _check_other_systems(archive, dict.fromkeys(entry.name for entry in entries), set(links), leaves)


def _check_other_systems(archive: str, names: Iterable[str], links: Set[str], leaves: Set[str]) -> None:
    """Refuse *names* that make more than a mess where they are one on another system; *leaves* are no directories.

    :raises HostileArchiveError: if one of *links* is among them, or bsdtar takes them for one everywhere.
    """
    # Where a link has another member's name, that one is written through it.
    folded_links = {limits.folded(name): name for name in links}
    folded = {name: limits.folded(name) for name in names} if links else {}
    for name, plain in folded.items():
        if folded_links.get(plain, name) != name:
            raise limits.hostile(archive, name, f"on another system it is one with the link {folded_links[plain]!r}")
    for below, link in limits.beneath_files(set(folded_links), folded.values()):
        raise limits.hostile(archive, folded_links[link], f"on another system {below!r} lies beneath this link")
    if all(map(str.isascii, names)):
        return
    from unicodedata import normalize  # Few archives need it.

    composed: dict[str, str] = {}
    for name in names:
        first = composed.setdefault(normalize("NFC", name), name)
        if first != name:
            raise limits.hostile(archive, name, f"by Unicode it is one with {first!r}, and bsdtar unpacks it as such")
    for below, leaf in limits.beneath_files({normalize("NFC", leaf) for leaf in leaves}, composed):
        raise limits.hostile(archive, composed[below], f"by Unicode it lies beneath {composed[leaf]!r}, a file or link")


def _check_top(archive: str, entries: Sequence[Entry]) -> None:
    loose = [entry.name for entry in entries if "/" not in entry.name and entry.kind is not Kind.DIRECTORY]
    tops = loose or sorted({entry.name.partition("/")[0] for entry in entries})
    if loose or len(tops) != 1:
        found = _some(repr(name) for name in tops) or "no member at all"
        raise ArchiveError(
            f"{archive}: a source distribution holds one top-level directory and nothing beside it; this one has "
            f"{found}{' beside it' if loose else ''}",
            remedy="Pack the sources in one directory, {name}-{version}, as 'python -m build --sdist' does.",
        )
