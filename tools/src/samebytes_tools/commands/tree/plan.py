"""What is to be changed in a tree, collected before anything is."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import CHUNK_SIZE, Kind

from .directories import open_expected
from .walk import Node, unreadable


class TreeChange(NamedTuple):
    """A change of something in a tree; in a check, one that would be made."""

    rule: str
    """A key of :data:`RULES`."""
    name: str
    """In the tree; ``.`` for its top."""
    detail: str


RULES = {
    "record-verified": "RECORD contradicted the files",
    "bytecode": "compiled modules made canonical",
    "orphan": "compiled modules that nothing imports removed",
    "script": "generated scripts put into one wording",
    "venv-path": "the environment's own path put where another was",
    "installer": "INSTALLER made the same",
    "direct-url": "direct_url.json with a path of this machine removed",
    "uv-cache": "uv's own notes removed",
    "leftover": "files that a killed run had not put in place removed",
    "headers": "C headers moved to where they are the same",
    "record": "RECORD written anew, in order",
    "mode": "modes made 0644 or 0755",
    "mtime": "modification times set to the date",
}
"""What each rule does, by the name that reports use."""


class Plan:
    """The tree as it is, and as it is to be."""

    def __init__(self, root: Path, nodes: Iterable[Node], digests: Mapping[str, tuple[bytes, int]]) -> None:
        self.root = root
        self.nodes = {node.name: node for node in nodes}
        self.writes: dict[str, bytes] = {}
        self.removed: set[str] = set()
        self.changes: list[TreeChange] = []
        self.notes: list[TreeChange] = []
        self._digests = dict(digests)

    def file(self, name: str) -> Node | None:
        """Return the file called *name*, None if there is none."""
        node = self.nodes.get(name)
        return node if node is not None and node.kind is Kind.FILE else None

    def names(self) -> set[str]:
        """Return the names of the files that there will be, links included."""
        files = {name for name, node in self.nodes.items() if node.kind is not Kind.DIRECTORY}
        return (files | set(self.writes)) - self.removed

    def read(self, name: str) -> bytes:
        """Return the contents of a file as they are.

        :raises ArchiveError: if it cannot be read.
        """
        try:
            with os.fdopen(open_expected(self.nodes[name].path, self.nodes[name].stat), "rb") as file:
                return file.read()
        except OSError as error:
            raise unreadable(self.nodes[name].path, error) from error

    def digest(self, name: str) -> tuple[bytes, int]:
        """Return the SHA-256 digest and the size that the file *name* will have.

        :raises ArchiveError: if it cannot be read.
        """
        if name in self.writes:
            data = self.writes[name]
            return hashlib.sha256(data).digest(), len(data)
        if name not in self._digests:
            self._digests[name] = hashed(self.nodes[name].path, "sha256", self.nodes[name].stat)
        return self._digests[name]

    def write(self, rule: str, name: str, data: bytes, detail: str) -> None:
        """Plan that the file *name* holds *data*, unless it does already."""
        # The size first: most that differ are not read then.
        if self.file(name) is not None and self.nodes[name].stat.st_size == len(data) and self.read(name) == data:
            return
        self.writes[name] = data
        self.changes.append(TreeChange(rule, name, detail))

    def remove(self, rule: str, name: str, detail: str) -> None:
        """Plan to remove the file or empty directory *name*."""
        if name not in self.removed:
            self.removed.add(name)
            self.changes.append(TreeChange(rule, name, detail))

    def remove_emptied(self) -> None:
        """Plan to remove the directories in which nothing is left, and ``__pycache__`` directories without anything."""
        stay = (set(self.nodes) | {each for name in self.writes for each in with_parents(name)}) - self.removed
        left = Counter(posixpath.dirname(name) for name in stay)
        emptied = {posixpath.dirname(name) for name in self.removed}
        directories = [name for name, node in self.nodes.items() if node.kind is Kind.DIRECTORY]
        # The deepest first, as one that becomes empty may empty the one above.
        for name in sorted(directories, key=lambda name: name.count("/"), reverse=True):
            # Other empty directories may be there on purpose.
            if not left[name] and (name in emptied or posixpath.basename(name) == "__pycache__"):
                self.remove("orphan", name, "removed: it is empty")
                left[posixpath.dirname(name)] -= 1
                emptied.add(posixpath.dirname(name))

    def note(self, rule: str, name: str, detail: str) -> None:
        """Note something that is worth knowing, but is not changed."""
        self.notes.append(TreeChange(rule, name, detail))


def hashed(path: str, algorithm: str, expected: os.stat_result) -> tuple[bytes, int]:
    """Return the digest and size of the file *expected*.

    :raises ArchiveError: if it cannot be read, or there is another now.
    """
    state = hashlib.new(algorithm)
    size = 0
    try:
        with os.fdopen(open_expected(path, expected), "rb") as file:
            while chunk := file.read(CHUNK_SIZE):
                state.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    return state.digest(), size


def with_parents(name: str) -> Iterator[str]:
    """Yield *name* and the directories above it, without the tree's top."""
    while name:
        yield name
        name = posixpath.dirname(name)


def beneath(directory: str, name: str) -> bool:
    """Return whether *name* is in *directory*; the empty one is the tree's top."""
    return not directory or name.startswith(f"{directory}/")


def joined(directory: str, name: str) -> str:
    """Return *name*, which counts from *directory*, as it counts from the tree's top, without needless ``..``."""
    # By the text alone, as in RECORD; links are not asked.
    return posixpath.normpath(posixpath.join(directory, name))


def relative(directory: str, name: str) -> str:
    """Return *name*, which counts from the tree's top, as it counts from *directory*: what :func:`joined` takes."""
    if beneath(directory, name):  # as most are, and relpath takes its time
        return name[len(directory) + 1 :] if directory else name
    return posixpath.relpath(f"/{name}", f"/{directory}")
