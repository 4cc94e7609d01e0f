"""The files, directories and links of a tree on disk, in one order."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import CHUNK_SIZE, Entry, Kind
from samebytes.errors import ArchiveError, UsageError

from .directories import Directories, open_expected

_DEEPEST = 256
"""Components of a name: twice those that a wheel may have. Each directory is opened from the top, so that the work
grows by the square of its depth."""


class Node(NamedTuple):
    """A file, directory or link in a tree."""

    name: str
    """Relative to the tree's top, separated by ``/``."""
    path: str
    kind: Kind
    stat: os.stat_result
    """Of the thing itself, not of what a link points to."""
    target: str = ""
    """Where a symbolic link points, as stored."""

    @property
    def mode(self) -> int:
        """Permission bits, 0 to 0o7777; those of a link have no meaning and count as 0o777."""
        return 0o777 if self.kind is Kind.SYMLINK else stat.S_IMODE(self.stat.st_mode)

    @property
    def entry(self) -> Entry:
        """The node as a member of an archive, its time in whole seconds."""
        found = Entry(self.name, self.kind, self.mode, self.stat.st_mtime_ns // 1_000_000_000, target=self.target)
        return found._replace(content=_OnDisk(self)) if self.kind is Kind.FILE else found


class _OnDisk:
    """The contents of a file in the tree."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def size(self) -> int:
        return self._node.stat.st_size

    def chunks(self) -> Iterator[bytes]:
        try:
            with os.fdopen(open_expected(self._node.path, self._node.stat), "rb") as file:
                yield from iter(lambda: file.read(CHUNK_SIZE), b"")
        except OSError as error:
            raise unreadable(self._node.path, error) from error


def unreadable(path: str, error: OSError) -> ArchiveError:
    """Return the error for something in a tree that cannot be read."""
    remedy = "Run as the tree's owner, or make it readable."
    if error.errno == errno.ENAMETOOLONG:
        remedy = "Name a directory nearer to it, by a shorter path; or remove it, as Python cannot read it either."
    return ArchiveError(f"{path}: cannot be read: {error.strerror or error}", remedy=remedy)


def walk(top: Path) -> tuple[Node, ...]:
    """Return all that is in the directory *top*, without itself: each directory, what is in it, then the next name.

    Names are sorted by their bytes, one directory's at a time: all of a directory has to be together, because GNU tar
    sets a directory's time when it leaves it. Links are not followed.

    :raises UsageError: if *top* is not a directory.
    :raises ArchiveError: if something in it cannot be read, or is neither file, directory nor link.
    """
    if not top.is_dir():
        what = "is not a directory" if os.path.lexists(top) else "there is no such directory"
        raise UsageError(f"{top}: {what}", remedy="Name the directory that the packages are installed in.")
    found: list[Node] = []
    pending = [""]
    try:
        with Directories(top) as directories:
            while pending:
                prefix = pending.pop()
                if prefix.count("/") >= _DEEPEST:
                    raise ArchiveError(
                        f"{top}: has directories in one another, {_DEEPEST} deep and more: {prefix[:60]}...",
                        remedy="Remove them: no package has more than some twenty.",
                    )
                above = directories.path(prefix[:-1])
                nodes = [_node(directories, prefix, above, entry) for entry in directories.scan(prefix[:-1])]
                found += nodes
                # A list and not recursion: a tree may be deeper than Python's stack.
                pending += [f"{node.name}/" for node in nodes if node.kind is Kind.DIRECTORY]
    except OSError as error:
        raise unreadable(error.filename or os.fspath(top), error) from error
    # By parts: as a whole, "a-b" comes before "a/b", and in between what is in "a".
    return tuple(sorted(found, key=lambda node: os.fsencode(node.name).split(b"/")))


def _node(directories: Directories, prefix: str, above: str, entry: os.DirEntry[str]) -> Node:
    found = entry.stat(follow_symlinks=False)
    name, path = prefix + entry.name, os.path.join(above, entry.name)
    if stat.S_ISREG(found.st_mode):
        return Node(name, path, Kind.FILE, found)
    if stat.S_ISDIR(found.st_mode):
        return Node(name, path, Kind.DIRECTORY, found)
    if stat.S_ISLNK(found.st_mode):
        # Stored as it is: where it leads may not be there yet, or be outside.
        return Node(name, path, Kind.SYMLINK, found, directories.link_target(name))
    raise ArchiveError(
        f"{path}: is neither a file, a directory nor a symbolic link",
        remedy="Remove it: pipes, sockets and devices have no place among installed packages.",
    )
