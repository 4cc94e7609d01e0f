"""Archives in archives: opened by the same strict readers, and compared member by member."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from samebytes.archive.entry import CHUNK_SIZE, Archive, Content, Entry, Kind
from samebytes.archive.gzip import gunzip
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import ArchiveError, OutputError, SamebytesError
from samebytes.passes.container import CONTAINER
from samebytes.passes.model import Context
from samebytes.passes.pipeline import run

from .. import container, contents
from ..causes.clues import findings_of
from ..members import Member, compare_contents, missing, other_nature
from ..model import Difference
from ..model import Kind as Nature
from ..opened import Opened, declared

__all__ = ["DEEPEST", "LARGEST", "compare"]

DEEPEST = 3
"""How many archives may lie in one another."""

LARGEST = 128 << 20
"""Bytes of an archive in an archive that is looked into."""

LARGEST_CONTENTS = 1 << 30
"""Bytes that it may hold."""

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b\x08"
_RULES = tuple(one for one in CONTAINER if one.code not in ("Z001", "T001"))
_TAR_MAGIC_AT = 257


def compare(member: Member, head: bytes) -> Difference | None:
    """Return how two archives differ that are the contents of *member*, or None if they are none that can be read.

    *head* is what both begin with.

    :raises ArchiveError: if the contents cannot be read from the archive that they lie in.
    """
    if not head.startswith((_ZIP, _GZIP)):
        return None
    if member.depth >= DEEPEST or max(member.left.size, member.right.size) > LARGEST:
        member.note(f"{member.name}: not looked into: too large, or too deep in other archives")
        return None
    try:
        return _looked_into(member, head)
    except OSError as error:
        raise OutputError(
            f"{member.name}: cannot be copied to a temporary directory: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory with more.",
        ) from error


def _looked_into(member: Member, head: bytes) -> Difference | None:
    with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
        paths = [_copied(content, Path(directory, side)) for side, content in (("l", member.left), ("r", member.right))]
        try:
            if head.startswith(_ZIP):
                return _zips(member, paths[0], paths[1])
            return _gzips(member, paths[0], paths[1], Path(directory))
        except SamebytesError as error:
            member.note(f"{member.name}: not looked into: {error.message}")
            return None


def _copied(content: Content, directory: Path) -> Path:
    directory.mkdir()
    path = directory / "nested"
    with path.open("wb") as file:
        for chunk in content.chunks():
            file.write(chunk)
    return path


def _zips(member: Member, left: Path, right: Path) -> Difference:
    from samebytes.archive.zip_reader import open_zip

    with open_zip(left) as one, open_zip(right) as other:
        return _archives(member, _opened(one, "wheel", left), _opened(other, "wheel", right))


def _gzips(member: Member, left: Path, right: Path, scratch: Path) -> Difference:
    from samebytes.archive.tar_reader import open_sdist

    plain = [_unpacked(path, scratch / f"{path.parent.name}.plain") for path in (left, right)]
    if all(_is_tar(path) for path in plain):
        with open_sdist(left) as one, open_sdist(right) as other:
            return _archives(member, _opened(one, "sdist"), _opened(other, "sdist"))
    return _single(member, _FileContent(plain[0]), _FileContent(plain[1]), left, right)


def _unpacked(path: Path, target: Path) -> Path:
    with path.open("rb") as source, target.open("wb") as sink:
        gunzip(source, sink, path.name, source_size=path.stat().st_size, always_allowed=LARGEST_CONTENTS)
    return target


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(_TAR_MAGIC_AT)
        return file.read(5) == b"ustar"


def _single(member: Member, left: Content, right: Content, one: Path, other: Path) -> Difference:
    """Return how two compressed files differ: what is compressed, or the compression."""
    name = member.name[: -len(".gz")] if member.name.endswith(".gz") else f"{member.name}, unpacked"
    if contents.digests_of(left).sha256 != contents.digests_of(right).sha256:
        inner = compare_contents(member._replace(key=name, name=name, left=left, right=right, depth=member.depth + 1))
        return Difference(member.name, Nature.ARCHIVE, "holds another file", children=(inner,))
    heads = one.read_bytes()[:10], other.read_bytes()[:10]
    code = "D005" if heads[0][4:8] != heads[1][4:8] else "D013"
    findings = findings_of((code,), *heads, "gzip header")
    return Difference(member.name, Nature.ARCHIVE, "the same file, compressed otherwise", (), findings)


def _opened(archive: Archive, kind: str, zip_path: Path | None = None) -> Opened:
    """Return an archive of any layout as the container's comparison wants it, with no name of a release."""
    total = sum(entry.content.size for entry in archive.entries)
    if total > LARGEST_CONTENTS:
        raise ArchiveError(f"it holds {total} bytes", remedy="Unpack both and compare what is in them.")
    outcomes = run(archive, Context(DEFAULT_DATE, kind), _RULES)
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    kept = {entry.name for entry in outcomes[-1].archive.entries}
    files = {entry.name: entry for entry in archive.entries if entry.name in kept or entry.kind is not Kind.DIRECTORY}
    normal = {entry.name: entry for entry in outcomes[-1].archive.entries}
    headers, comment = declared(zip_path, archive) if zip_path else ({}, b"")
    return Opened(kind, archive, "", files, normal, changes, headers, comment)


def _archives(member: Member, left: Opened, right: Opened) -> Difference:
    found = tuple(_without_passes(each) for each in _differences(member, left, right))
    if not found:
        findings = findings_of(("D013",), b"%d bytes" % member.left.size, b"%d bytes" % member.right.size, "")
        return Difference(member.name, Nature.ARCHIVE, "the same members, compressed otherwise", (), findings)
    count = len(found)
    return Difference(member.name, Nature.ARCHIVE, f"{count} thing{'s' * (count != 1)} in it differ", children=found)


def _differences(member: Member, left: Opened, right: Opened) -> Iterator[Difference]:
    ordered = container.order(left, right)
    if ordered is not None:
        yield ordered
    yield from container.deviations(left, right, member.clues.worlds)
    read = contents.read(left, right, {})
    repacked = container.repacked(read.pairs.values())
    if repacked is not None:
        yield repacked
    for key in dict.fromkeys([*left.files, *right.files]):
        one, other = left.files.get(key), right.files.get(key)
        if one is None or other is None:
            yield from _alone(key, one, other)
            continue
        nature = other_nature(one, other, left.kind)
        if nature is not None:
            yield nature
        pair = read.pairs.get(key)
        if pair is not None and not pair.equal:
            yield compare_contents(
                member._replace(key=key, name=key, left=one.content, right=other.content, depth=member.depth + 1)
            )


def _alone(key: str, left: Entry | None, right: Entry | None) -> Iterator[Difference]:
    for side, entry in (("left", left), ("right", right)):
        if entry is not None:
            yield missing(key, entry, side, "nested")


def _without_passes(node: Difference) -> Difference:
    """Return *node* without passes: the normalizer does not change what lies in an archive's archives."""
    return replace(node, passes=(), children=tuple(_without_passes(child) for child in node.children))


class _FileContent:
    """The contents of a file on disk."""

    __slots__ = ("_path", "size")

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            yield from _pieces(file)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_SIZE):
        yield chunk
