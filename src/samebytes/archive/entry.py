"""What an archive is to samebytes: entries in an order, each with its contents, whatever container they came from.

Values here are named tuples and not dataclasses: they are immutable and slotted on Python 3.9 too, and importing them
costs a build nothing.
"""

from __future__ import annotations

import enum
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Callable, NamedTuple, Protocol

from ..errors import ArchiveError

CHUNK_SIZE = 1 << 18
"""How many bytes are held at once of one member's contents."""


class Container(str, enum.Enum):
    """What holds the entries; the value is how files of that form are called."""

    ZIP = "zip"
    TAR_GZ = "tar.gz"

    def __str__(self) -> str:
        return self.value


class Kind(enum.Enum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


class Content(Protocol):
    """The bytes of a file, readable any number of times while the archive is open."""

    @property
    def size(self) -> int:
        """The number of bytes, as the archive declares it."""

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the start, in pieces of at most a few CHUNK_SIZE.

        :raises ArchiveError: if the contents are not what the archive declares (size, CRC, end of stream).
        """


class Data:
    """Contents held in memory, for small files that samebytes wrote or rewrote."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        if self.data:
            yield self.data


class Streamed(NamedTuple):
    """Contents that a function gives piece by piece, anew each time."""

    size: int
    chunks: Callable[[], Iterator[bytes]]


class Written(NamedTuple):
    """What a writer knows of a member once it is written."""

    name: str
    size: int
    sha256: bytes
    """The digest of the contents, 32 bytes; that of nothing for directories and links."""
    packed_size: int
    """The bytes that the member's contents take in the container (zip), or ``size`` (tar)."""
    packed_crc: int
    """CRC-32 of those packed bytes (zip), by which two ways to compress can be compared; 0 for tar."""


class Measured:
    """Passes the contents of an entry on, and keeps account of them."""

    def __init__(self, entry: Entry, *, with_crc: bool = True) -> None:
        self.entry = entry
        self.size = self.crc = 0
        self._with_crc = with_crc
        self._sha256 = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        """Give the contents.

        :raises ArchiveError: if they have not the size that they declare, which is in the member's header already.
        """
        for chunk in self.entry.content.chunks():
            self.size += len(chunk)
            if self._with_crc:
                self.crc = zlib.crc32(chunk, self.crc)
            self._sha256.update(chunk)
            yield chunk
        if self.size != self.entry.content.size:
            raise ArchiveError(
                f"{self.entry.name!r}: gave {self.size} bytes instead of {self.entry.content.size}",
                remedy="The input has changed while it was read: run samebytes again.",
            )

    def written(self, packed_size: int, packed_crc: int) -> Written:
        """Return what is known of the member once all its contents were passed on."""
        return Written(self.entry.name, self.size, self._sha256.digest(), packed_size, packed_crc)


class Deferred(NamedTuple):
    """Contents that are made when everything before them is written, for they depend on it (RECORD)."""

    make: Callable[[Sequence[Written]], bytes]

    @property
    def size(self) -> int:
        """Not known yet; the writer asks :attr:`make`."""
        return 0

    def chunks(self) -> Iterator[bytes]:
        raise RuntimeError("these contents are made by the writer, from what it has written")


class Owner(NamedTuple):
    """Who owns a tar member."""

    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""


class Packed(NamedTuple):
    """The bytes that a member's contents take in the archive that it comes from."""

    deflated: bool
    """Compressed by deflate; else they are the contents."""
    size: int
    chunks: Callable[[], Iterator[bytes]]
    """Gives them piece by piece. Whether they stand for the contents is only known once these were read."""

    def crc(self) -> int:
        """Return their CRC-32, equal where two members are compressed alike."""
        crc = 0
        for piece in self.chunks():
            crc = zlib.crc32(piece, crc)
        return crc


class Aspect(enum.Enum):
    """What of a container's form a reader looks at, and the canonical writer decides."""

    ZIP_TIMES = "times in a zip's headers"
    ZIP_MODES = "modes and file types in a zip's headers"
    ZIP_VERSIONS = "versions, system and internal attributes in a zip's headers"
    ZIP_EXTRA_FIELDS = "extra fields of a zip's members"
    ZIP_COMMENTS = "comments on a zip and its members"
    ZIP_FLAGS = "flags and data descriptors of a zip's members"
    ZIP64 = "where a zip has ZIP64 structures"
    ZIP_LAYOUT = "the order of a zip's members"
    TAR_HARD_LINKS = "hard links in a tar"
    TAR_HEADERS = "the headers of a tar's members"
    TAR_END = "what fills up and ends a tar"
    GZIP_HEADER = "gzip's header"


class Deviation(NamedTuple):
    """In what a container deviates from the canonical form: what a reader notes, and no writer reproduces."""

    aspect: Aspect
    detail: str
    """In one line, what was found."""


class Entry(NamedTuple):
    """One member of an archive."""

    name: str
    """Separated by ``/``, without a trailing one."""
    kind: Kind
    mode: int
    """Permission bits, 0 to 0o7777; the file type is ``kind``."""
    mtime: float
    """Seconds since 1970-01-01 UTC; a zip's times, which have no zone, are read as UTC."""
    content: Content = Data(b"")
    """Empty for directories and links."""
    target: str = ""
    """Where a symbolic link points, as stored."""
    owner: Owner = Owner()
    """Always the default for zip."""
    deviations: tuple[Deviation, ...] = ()
    packed: Packed | None = None
    """Zip: how ``content`` lies in the input; None where it was made anew."""

    @property
    def name_bytes(self) -> bytes:
        """What members are sorted by: the name in UTF-8, also where it is not text (a zip's may not be)."""
        return self.name.encode("utf-8", "surrogateescape")

    def holding(self, content: Content) -> Entry:
        """Return the entry with other contents."""
        # How the old ones were compressed says nothing of them.
        return self._replace(content=content, packed=None)

    def settled(self, written: Sequence[Written]) -> Entry:
        """Return the entry with contents that are :class:`Deferred` made, now that all before them is *written*."""
        return self.holding(Data(self.content.make(tuple(written)))) if isinstance(self.content, Deferred) else self


class Archive(NamedTuple):
    """Entries in the container's own order; readable while the reader's context is open."""

    name: str
    """The file name, for messages."""
    entries: tuple[Entry, ...]
    deviations: tuple[Deviation, ...] = ()
    """Those of the container itself."""


def read_all(content: Content) -> bytes:
    """Return the whole of *content*; for small members only."""
    return b"".join(content.chunks())


def opened(path: Path) -> BinaryIO:
    """Return an archive's file, open.

    :raises ArchiveError: if it cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        problem = f"{path}: cannot be opened: {error.strerror or error}"
        raise ArchiveError(problem, remedy="Give the path of a readable file.") from error
    if file.seekable():
        return file
    file.close()
    raise ArchiveError(f"{path}: cannot be opened: it is a pipe", remedy="Copy what comes out of it into a file.")
