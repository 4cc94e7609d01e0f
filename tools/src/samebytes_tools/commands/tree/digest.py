"""One digest of a tree: that of its canonical tar (``docs/reference/tree-digest.md``)."""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from samebytes.archive.entry import Kind
from samebytes.archive.tar_writer import write_tar
from samebytes.errors import ArchiveError, UsageError

from ...reporting.save import output
from .walk import walk


class Digest(NamedTuple):
    """The digest of a tree, and what is in the tree."""

    root: Path
    sha256: str
    """Of the canonical tar, in hexadecimal."""
    size: int
    """Of that tar, in bytes."""
    files: int
    directories: int
    links: int
    tar: Path | None = None
    """Where the tar was written to, if it was."""


def digest(root: Path, tar: Path | None = None) -> Digest:
    """Return the digest of all that is in the directory *root*; *root*'s own name, mode and time do not count.

    :param tar: where the canonical tar is written to.
    :raises UsageError: if *root* is not a directory, or *tar* is in it.
    :raises ArchiveError: if something cannot be read, has a name that is not UTF-8, or changes meanwhile.
    :raises OutputError: if *tar* cannot be written; what was there before still is.
    """
    # Resolved: the tar would be in the tree by a link, too.
    if tar is not None and Path(os.path.realpath(tar)).is_relative_to(os.path.realpath(root)):
        raise UsageError(
            f"{tar}: is in the tree that is digested, and would change it", remedy="Write the tar to another directory."
        )
    nodes = walk(root)
    for node in nodes:
        try:
            # Checked for all before the first byte of the tar is written.
            node.name.encode()
            node.target.encode()
        except UnicodeEncodeError:
            raise ArchiveError(
                f"{node.path!r}: its name, or the target of the link, is not UTF-8",
                remedy="Rename it: a digest that is the same everywhere needs names that are.",
            ) from None
    with nullcontext() if tar is None else output(tar) as file:
        sink = _Hashing(file)
        write_tar(cast(BinaryIO, sink), [node.entry for node in nodes])
    kinds = [node.kind for node in nodes]
    files, directories, links = (kinds.count(kind) for kind in (Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK))
    return Digest(root, sink.state.hexdigest(), sink.size, files, directories, links, tar)


class _Hashing:
    """Hashes what is written, and passes it on to *sink* if there is one."""

    def __init__(self, sink: IO[bytes] | None) -> None:
        self._sink = sink
        self.state = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.state.update(data)
        self.size += len(data)
        if self._sink is not None:
            self._sink.write(data)
        return len(data)
