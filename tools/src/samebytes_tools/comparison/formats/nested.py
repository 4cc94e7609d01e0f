"""Archives in archives: opened by the same strict readers, and compared member by member."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from samebytes.archive.entry import Archive, Content
from samebytes.archive.gzip import gunzip
from samebytes.archive.tar_reader import open_sdist
from samebytes.archive.zip_reader import open_zip
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError, SamebytesError
from samebytes.passes.container import CONTAINER

from .. import container, contents
from ..allowance import Allowance
from ..causes.table import explained
from ..members import MemberPair, compare_entries
from ..model import Difference, NodeKind
from ..nearby import FileContent, file_of, scratch
from ..observations import Nature, Observation, OfNature, TextPair
from ..opened import Opened, passed
from .tar_layout import below_one_directory, without_directory

__all__ = ["DEEPEST", "LARGEST", "look"]

DEEPEST = 3
"""How many archives may lie in one another."""

LARGEST = 128 << 20
"""Bytes of an archive in an archive that is looked into."""

LARGEST_MOVED = 8 << 20
"""Bytes of a tar file, unpacked, that is written anew for its layout: each header of it takes microseconds."""

LARGEST_CONTENTS = 1 << 30
"""Bytes that it may hold."""

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b\x08"
"""A local file header's signature (APPNOTE, 4.3.7); gzip's ID1, ID2 and CM for deflate (RFC 1952, 2.3.1)."""

_GZIP_HEAD, _FEXTRA, _FNAME = 10, 0x04, 0x08
"""Bytes of a gzip header without optional fields, and two of its flags (RFC 1952, 2.3.1)."""

_USTAR_AT = 257
"""Where a tar header has its magic (POSIX, pax: "ustar Interchange Format")."""

_RULES = tuple(one for one in CONTAINER if one.code not in ("Z001", "T001"))
"""Order is compared here, by both sides."""

Compare = Callable[[MemberPair], Difference]


def look(member: MemberPair, compare_contents: Compare) -> Difference | None:
    """Return how two archives differ that are the contents of *member*, or None if they cannot be read as such.

    :param compare_contents: compares what lies in them
    :raises ArchiveError: if the contents cannot be read from the archive that they lie in.
    """
    head = member.head()
    if not head.startswith((_ZIP, _GZIP)):
        return None
    # The same limit stops an archive that holds itself (a quine).
    if member.depth >= DEEPEST or max(member.left.size, member.right.size) > LARGEST:
        member.note(f"{member.name}: not looked into: too large, or too deep in other archives")
        return None
    with scratch(member.name) as directory:
        one, other = file_of(member.left, directory), file_of(member.right, directory)
        try:
            if not head.startswith(_ZIP):
                return _gzips(member, one, other, directory, compare_contents)
            with open_zip(one) as left, open_zip(other) as right:
                sides = (
                    _opened(one, left, ArtifactKind.WHEEL, member),
                    _opened(other, right, ArtifactKind.WHEEL, member),
                )
                return _archives(member, *sides, compare_contents)
        except SamebytesError as error:
            # What is wrong with an archive in the archive is no reason to give up the rest.
            member.note(f"{member.name}: not looked into: {error.message}")
            return None


def _gzips(member: MemberPair, left: Path, right: Path, directory: Path, compare_contents: Compare) -> Difference:
    plain = [_unpacked(path, directory, member.clues.allowance) for path in (left, right)]
    if all(map(_is_tar, plain)):
        try:
            return _tars(member, left, right, compare_contents)
        except SamebytesError:
            if max(path.stat().st_size for path in plain) > LARGEST_MOVED:
                raise
            # Most likely for a layout that no sdist may have.
            heads = tuple(_heads(left, right, member))
            left, right = (below_one_directory(path) for path in plain)
            return _tars(member, left, right, compare_contents, heads)
    children = list(_heads(left, right, member))
    held = FileContent(plain[0]), FileContent(plain[1])
    if not _are_equal(*held):
        name = member.name[: -len(".gz")] if member.name.endswith(".gz") else f"{member.name}, unpacked"
        children.append(compare_contents(member.inside(name, *held)))
        return Difference(member.name, NodeKind.ARCHIVE, "holds another file", children=tuple(children))
    summary = "the same file, compressed otherwise"
    if children:
        return Difference(member.name, NodeKind.ARCHIVE, summary, children=tuple(children))
    sizes = (b"%d bytes" % content.size for content in (member.left, member.right))
    seen = OfNature(Nature.COMPRESSION, *sizes)
    return explained(member.name, NodeKind.ARCHIVE, summary, seen, "gzip data", member.clues)


class _GzipHead(NamedTuple):
    """What the header of a gzip file holds (RFC 1952, 2.3)."""

    time: int
    """In seconds since 1970; 0 for none."""
    name: bytes
    effort: bytes
    """XFL and OS: how hard the compressor tried, and on which system."""
    more: bytes
    """Flags and other fields."""


def _heads(left: Path, right: Path, member: MemberPair) -> Iterator[Difference]:
    """Give a node for each thing that differs in the headers of two gzip files."""
    one, other = _head(left), _head(right)
    found: list[tuple[str, Observation]] = []
    if one.time != other.time:
        times = (container.moment(each.time).encode() if each.time else b"" for each in (one, other))
        found.append(("time", OfNature(Nature.GZIP_TIME, *times)))
    if one.name != other.name:
        is_on_both = bool(one.name and other.name)
        names = one.name, other.name
        found.append(("file name", TextPair(*names) if is_on_both else OfNature(Nature.ARCHIVE_HEADER, *names)))
    if one.effort != other.effort:
        found.append(
            ("effort and system", OfNature(Nature.COMPRESSION, one.effort.hex().encode(), other.effort.hex().encode()))
        )
    # A name on one side only is a flag, too.
    if one.more != other.more and bool(one.name) == bool(other.name):
        found.append(("more", OfNature(Nature.ARCHIVE_HEADER, one.more.hex().encode(), other.more.hex().encode())))
    for what, seen in found:
        yield explained(f"gzip header, {what}", NodeKind.CONTAINER, "not the same", seen, "gzip header", member.clues)


def _head(path: Path) -> _GzipHead:
    with path.open("rb") as file:
        data = file.read(_GZIP_HEAD + (1 << 16))
    flags, at = data[3], _GZIP_HEAD
    # FEXTRA has its size before it (RFC 1952, 2.3.1.1).
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    extra = data[_GZIP_HEAD:at]
    name = data[at : data.find(b"\0", at)] if flags & _FNAME else b""
    return _GzipHead(int.from_bytes(data[4:8], "little"), name, data[8:10], bytes([flags]) + extra)


def _unpacked(path: Path, directory: Path, allowance: Allowance) -> Path:
    target = Path(tempfile.mkdtemp(dir=directory), "nested")
    with path.open("rb") as source, target.open("wb") as file:

        def write(data: bytes) -> None:
            allowance.unpack(len(data))
            file.write(data)

        sink: Any = SimpleNamespace(write=write)
        gunzip(source, sink, path.name, source_size=path.stat().st_size)
    return target


def _are_equal(left: Content, right: Content) -> bool:
    return left.size == right.size and all(one == other for one, other in zip(left.chunks(), right.chunks()))


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        # By magic, as .gz may hold any file.
        file.seek(_USTAR_AT)
        return file.read(5) == b"ustar"


def _opened(path: Path, archive: Archive, kind: ArtifactKind, member: MemberPair) -> Opened:
    """Return an archive of any layout as the container's comparison wants it, with no name of a release.

    Of its *kind* only the container counts: no rule here reads what only wheels or sdists have.
    """
    total = sum(entry.content.size for entry in archive.entries)
    if total > LARGEST_CONTENTS:
        raise ArchiveError(f"it holds {total} bytes", remedy="Unpack both, and compare what is in them.")
    member.clues.allowance.unpack(total)
    return passed(path, archive, kind, "", _RULES)


def _tars(
    member: MemberPair, left: Path, right: Path, compare_contents: Compare, heads: tuple[Difference, ...] = ()
) -> Difference:
    with open_sdist(left) as one, open_sdist(right) as other:
        sides = _opened(left, one, ArtifactKind.SDIST, member), _opened(right, other, ArtifactKind.SDIST, member)
        node = _archives(member, *sides, compare_contents, heads)
    return without_directory(node)


def _archives(
    member: MemberPair, left: Opened, right: Opened, compare_contents: Compare, heads: tuple[Difference, ...] = ()
) -> Difference:
    inside = (_without_passes(each) for each in _differences(member, left, right, compare_contents))
    found = (*heads, *inside)
    if not found:
        sizes = (b"%d bytes" % content.size for content in (member.left, member.right))
        seen, summary = OfNature(Nature.COMPRESSION, *sizes), "the same members, compressed otherwise"
        return explained(member.name, NodeKind.ARCHIVE, summary, seen, "", member.clues)
    count = len(found)
    return Difference(member.name, NodeKind.ARCHIVE, f"{count} thing{'s' * (count != 1)} in it differ", children=found)


def _differences(member: MemberPair, left: Opened, right: Opened, compare_contents: Compare) -> Iterator[Difference]:
    clues = member.clues
    read = contents.read(left, right, {})
    yield from container.compare(left, right, read, clues)
    for key in dict.fromkeys([*left.files, *right.files]):
        one, other = left.files.get(key), right.files.get(key)
        yield from compare_entries(key, one, other, left.kind, clues, is_nested=True)
        pair = read.pairs.get(key)
        if pair is not None and not pair.equal:
            yield compare_contents(member.inside(key, pair.left.content, pair.right.content))


def _without_passes(node: Difference) -> Difference:
    """Return *node* without passes: the normalizer does not change what lies in an archive's archives."""
    return replace(node, passes=(), children=tuple(_without_passes(child) for child in node.children))
