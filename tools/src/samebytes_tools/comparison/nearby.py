"""Contents that are looked at more than once: unpacked once, into memory or, if they are large, into files."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from samebytes.archive.entry import CHUNK_SIZE, Content, Data, read_all
from samebytes.errors import OutputError

__all__ = ["FileContent", "file_of", "near", "scratch", "stream_of"]

HELD = 4 << 20
"""Bytes of contents that are held in memory."""

LARGEST = 256 << 20
"""Bytes of contents that are put into a file; of larger ones little more is looked at than where they part."""


class FileContent:
    """The contents of a file on disk."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the start."""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk


@contextmanager
def near(name: str, *contents: Content) -> Iterator[tuple[Content, ...]]:
    """Yield *contents* of the member *name* so that reading them again costs little.

    :raises ArchiveError: if they cannot be read.
    :raises OutputError: if they cannot be put into a temporary directory.
    """
    most = max(content.size for content in contents)
    if most <= HELD:
        yield tuple(content if isinstance(content, Data) else Data(read_all(content)) for content in contents)
    elif most > LARGEST or all(isinstance(content, (Data, FileContent)) for content in contents):
        yield contents
    else:
        with scratch(name) as directory:
            yield tuple(FileContent(file_of(content, directory)) for content in contents)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Yield a temporary directory for what the member *name* unpacks to.

    :raises OutputError: if there is no room in it, or it cannot be made.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
            yield Path(directory)
    except OSError as error:
        raise OutputError(
            f"{name}: cannot be copied to a temporary directory: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory with more.",
        ) from error


def file_of(content: Content, directory: Path) -> Path:
    """Return a file with *content*, which is called ``nested``: a new one in *directory*, unless it is one already.

    :raises ArchiveError: if it cannot be read.
    """
    if isinstance(content, FileContent):
        return content.path
    path = Path(tempfile.mkdtemp(dir=directory), "nested")
    with path.open("wb") as file:
        for chunk in content.chunks():
            file.write(chunk)
    return path


def stream_of(name: str, content: Content, stack: ExitStack) -> IO[bytes]:
    """Return *content* of the member *name* as a file to seek in, which *stack* closes.

    :raises ArchiveError: if it cannot be read.
    :raises OutputError: if it cannot be put into a temporary directory.
    """
    if isinstance(content, Data):
        return io.BytesIO(content.data)
    return stack.enter_context(file_of(content, stack.enter_context(scratch(name))).open("rb"))
