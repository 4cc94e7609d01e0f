"""What is seen to differ, each kind of thing as a type: what formats and containers hand to the table of causes.

An observation has the values of both sides and what its nature is, never a guess at the reason: :mod:`.causes.table`
decides that. *left* and *right* are what a report shows as evidence.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple, Union

from samebytes.artifact.layout import ArtifactKind


class Nature(enum.Enum):
    """What a :class:`OfNature` is about."""

    # Of archives
    MEMBER_MODE = enum.auto()
    MEMBER_OWNER = enum.auto()
    EXECUTABLE = enum.auto()
    """Whether a file can be executed."""
    GZIP_TIME = enum.auto()
    COMPRESSION = enum.auto()
    """How, or by what, the same contents were compressed."""
    ARCHIVE_HEADER = enum.auto()
    """What an archive's writer chose: attributes, versions, paddings, comments."""
    RECORD_MISMATCH = enum.auto()
    """A row of RECORD and the file that it is about, or their presence."""
    # Of contents
    LINE_ENDS = enum.auto()
    GENERATED_LINE_ENDS = enum.auto()
    """Those of a text that backends write, not the project."""
    BACKEND_SPELLING = enum.auto()
    """The same metadata, written in another way."""
    COMPILER = enum.auto()
    """A program that made the file, with its version."""
    BUILD_ID = enum.auto()
    """A linker's id (``NT_GNU_BUILD_ID``, ``LC_UUID``) of what is otherwise the same."""
    DEPLOYMENT_TARGET = enum.auto()
    """The oldest release of macOS that a file is for."""
    SIGNATURE = enum.auto()
    """By whom, when or how a file was signed."""
    # Of words in texts; KNOWN: it is a value that the build is known to have had
    KNOWN_PATH = enum.auto()
    KNOWN_TEMPORARY_PATH = enum.auto()
    TEMPORARY_NAME = enum.auto()
    USER = enum.auto()
    HOST = enum.auto()
    PROCESSORS = enum.auto()
    LOCALE = enum.auto()
    TIME_ZONE = enum.auto()
    MOMENT = enum.auto()
    VCS_VERSION = enum.auto()
    # Of what further builds or known values show
    HOME = enum.auto()
    RANDOM = enum.auto()
    COUNTER = enum.auto()
    VARIABLES = enum.auto()
    """Several environment variables, with their names."""
    TERMINAL = enum.auto()


class OfNature(NamedTuple):
    """A difference of which nothing but its nature and the two values matters."""

    nature: Nature
    left: bytes = b""
    right: bytes = b""


class Unexplained(NamedTuple):
    """A difference of which nothing is known but the bytes."""

    left: bytes = b""
    right: bytes = b""


class Window(NamedTuple):
    """Bytes of two binary contents from one offset on, where they begin to differ."""

    left: bytes
    right: bytes
    is_all: bool
    """Whether nothing differs behind them."""


class TextPair(NamedTuple):
    """Two pieces of text from one place, to be compared word by word."""

    left: bytes
    right: bytes
    is_location: bool = False
    """Whether any path in them is where something was built, as in debug information."""


class PathPair(NamedTuple):
    """Two absolute paths at one place of two texts."""

    left: str
    right: str
    is_location: bool


class DigestPair(NamedTuple):
    """Two SHA-256 digests, in hexadecimal, at one place of two texts."""

    left: str
    right: str


class Reordered(NamedTuple):
    """The same elements in another order."""

    left: bytes
    right: bytes
    elements: Sequence[str] = ()
    """What they are in the left order, where it may matter that they are names of files."""
    others: Sequence[str] = ()
    """The same in the right order."""
    is_listing: bool = False
    """Whether they are files for certain."""


class MemberTime(NamedTuple):
    """A file's modification time, wherever it is kept."""

    left: bytes
    right: bytes
    shift: float = 0.0
    """By how many seconds it and most members' times differ; 0 if it differs by another number, or there is none."""


class LoneMember(NamedTuple):
    """A member that is on one side only, where the other side's evidence is empty."""

    left: bytes
    right: bytes
    key: str
    kind: ArtifactKind | None
    """The archive's; None where it lies in another."""


class LoneLines(NamedTuple):
    """Lines of a text that only one side has."""

    left: bytes
    right: bytes
    name: str = ""
    """What the text is called; empty where that is not known."""


class LoneLine(NamedTuple):
    """One of them, without quotes and blanks around it."""

    text: bytes
    name: str = ""
    """What the text is called that has it."""


class FieldValues(NamedTuple):
    """The values of a field in a header block (METADATA, WHEEL), a line each; both sides have the field."""

    left: bytes
    right: bytes
    field: str
    """Its name in lower case."""


class JsonValue(NamedTuple):
    """A value in a JSON document."""

    left: bytes
    right: bytes
    path: str
    """Keys, as in ``metadata.timestamp``."""
    is_sbom: bool


class SearchPaths(NamedTuple):
    """Where a file lets the loader look for libraries (``DT_RPATH``, ``DT_RUNPATH``; ``LC_RPATH``)."""

    left: bytes
    right: bytes
    paths: tuple[Sequence[str], Sequence[str]]
    """On each side those that the other has not."""


class Libraries(NamedTuple):
    """Which libraries a file needs, and an ELF file's own name (``DT_NEEDED``, ``DT_SONAME``; ``LC_LOAD_DYLIB``)."""

    left: bytes
    right: bytes
    names: tuple[Sequence[str], Sequence[str]]
    """On each side those that the other has not."""


class Padding(NamedTuple):
    """How many zeros stand where a longer search path was overwritten in place."""

    left: bytes
    right: bytes
    difference: int
    """The left number less the right one."""


Observation = Union[
    OfNature,
    Unexplained,
    Window,
    TextPair,
    Reordered,
    MemberTime,
    LoneMember,
    LoneLines,
    FieldValues,
    JsonValue,
    SearchPaths,
    Libraries,
    Padding,
]
"""What formats and containers report."""

Part = Union[Observation, PathPair, DigestPair, LoneLine]
"""What observations are taken apart into where no cause is shown by the whole."""


def on_side(text: bytes, is_left: bool) -> tuple[bytes, bytes]:
    """Return the evidence for something that only one side has."""
    return (text, b"") if is_left else (b"", text)
