"""One digest of a tree: that of its canonical tar (``docs/reference/tree-digest.md``)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from samebytes.archive.atomic import replacing
from samebytes.archive.entry import Entry, Kind
from samebytes.archive.tar_writer import write_tar
from samebytes.errors import ArchiveError, UsageError

from .walk import Node, walk


class Digest(NamedTuple):
    """What a tree is."""

    root: Path
    sha256: str
    """Of the canonical tar, in hexadecimal."""
    size: int
    """The bytes of that tar."""
    files: int
    directories: int
    links: int
    tar: Path | None = None
    """Where the tar was written to, if it was."""


def digest(root: Path, tar: Path | None = None) -> Digest:
    """Return the digest of all that lies in the directory *root*; *root*'s own name, mode and time do not count.

    :param tar: where the canonical tar is written to.
    :raises UsageError: if *root* is no directory, or *tar* lies in it.
    :raises ArchiveError: if something cannot be read, has a name that is not UTF-8, or changes meanwhile.
    :raises OutputError: if *tar* cannot be written; what was there before still is.
    """
    if tar is not None and _lies_in(tar, root):
        raise UsageError(
            f"{tar}: lies in the tree that is digested, and would change it",
            remedy="Write the tar to another directory.",
        )
    nodes = walk(root)
    entries = [_entry(node) for node in nodes]
    if tar is None:
        sink = _Hashing()
        write_tar(cast(BinaryIO, sink), entries)
    else:
        with replacing(tar) as file:
            sink = _Hashing(file)
            write_tar(cast(BinaryIO, sink), entries)
    kinds = [node.kind for node in nodes]
    files, directories, links = (kinds.count(kind) for kind in (Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK))
    return Digest(root, sink.state.hexdigest(), sink.size, files, directories, links, tar)


def _lies_in(path: Path, directory: Path) -> bool:
    top = os.path.realpath(directory)
    return os.path.commonpath([top, os.path.realpath(path)]) == top


def _entry(node: Node) -> Entry:
    try:
        node.name.encode()
        node.target.encode()
    except UnicodeEncodeError:
        raise ArchiveError(
            f"{node.path!r}: its name, or where it points, is not UTF-8",
            remedy="Rename it: a digest that is the same everywhere needs names that are.",
        ) from None
    return node.entry


class _Hashing:
    """What is written is hashed, and passed on if there is somewhere to."""

    def __init__(self, sink: IO[bytes] | None = None) -> None:
        self._sink = sink
        self.state = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.state.update(data)
        self.size += len(data)
        if self._sink is not None:
            self._sink.write(data)
        return len(data)
