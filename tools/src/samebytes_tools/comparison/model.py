"""What a comparison finds: a verdict, and a tree of differences with their causes."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from samebytes.artifact.layout import ArtifactKind


class Verdict(enum.Enum):
    """How equal two things are; each one holds for all that come before it, too."""

    IDENTICAL = "identical"
    """The files are the same, byte for byte."""
    NORMALIZED = "same after normalization"
    """``samebytes normalize`` with one date makes them the same bytes, and takes away no mode that one side alone
    has and somebody planted (setuid, or that everybody may write one of the files), nor what readers disagree on."""
    PAYLOAD = "same payload"
    """What they install is the same: names, contents, executable bits and links; their metadata's meaning too, for
    which only WHEEL's Generator does not count."""
    DIFFERENT = "different"


class NodeKind(enum.Enum):
    """What a difference is in, and how it was looked at."""

    CONTAINER = "container"
    """The archive itself: order, times, modes, owners, headers, compression; one node for each pass's code."""
    MEMBER = "member"
    """A member; its children or its detail show what it is."""
    MISSING = "missing"
    """A member, field, row, section or key that only one side has."""
    TEXT = "text"
    METADATA = "metadata"
    RECORD = "record"
    PYC = "pyc"
    ELF = "elf"
    MACHO = "macho"
    STRINGS = "strings"
    """A binary file, by the texts in it."""
    JSON = "json"
    ARCHIVE = "archive"
    """An archive in the archive."""
    HEX = "hex"


@dataclass(frozen=True)
class Evidence:
    """The very bytes that differ."""

    where: str
    """``line 12``, ``offset 0x40``, ``field Generator``, ``section .comment``; empty for the whole member."""
    left: bytes
    """An excerpt of at most :data:`.excerpts.EXCERPT` bytes; empty if there is nothing on this side."""
    right: bytes


@dataclass(frozen=True)
class Finding:
    """Why there is a difference, as far as the bytes show it."""

    code: str
    """Of a cause, such as ``D001`` (``causes.by_code``)."""
    evidence: Evidence


@dataclass(frozen=True)
class Difference:
    """A node in the tree of differences."""

    name: str
    """Of the member, section, field, row or key; of the pass for NodeKind.CONTAINER."""
    kind: NodeKind
    summary: str
    """One line: what differs."""
    detail: tuple[str, ...] = ()
    """Lines to show: a unified diff, a window of bytes in hexadecimal; bounded."""
    findings: tuple[Finding, ...] = ()
    passes: tuple[str, ...] = ()
    """Codes of the normalizer's passes that remove this difference; nothing if none does."""
    children: tuple[Difference, ...] = ()

    def walk(self) -> Iterator[Difference]:
        """Give this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class ComparedFile:
    """One of the two things that were compared."""

    path: str
    sha256: str
    """In hexadecimal."""
    size: int
    """In bytes."""


Place = tuple[str, str, str]
"""A member, without the directory that all of an sdist is in; the node below it, or nothing; and where in that."""


@dataclass(frozen=True)
class KnownBuild:
    """What is known of the build that one side came from; every text may be empty for unknown."""

    paths: tuple[str, ...] = ()
    """Source tree and build environment."""
    temps: tuple[str, ...] = ()
    """Directories for temporary files."""
    user: str = ""
    host: str = ""
    dates: tuple[int, ...] = ()
    """Seconds since 1970-01-01 UTC that its clock or files may have shown."""
    file_dates: tuple[int, int] = (0, 0)
    """From when to when its files are, where they are of a time that nothing else is of."""
    owner: str = ""
    """The number of who owns its files, where that is nobody else's."""
    commit: str = ""
    """That of the checkout, in hexadecimal."""
    timezone: str = ""
    locale: str = ""
    umask: int | None = None
    hash_seed: str = ""
    left_over: frozenset[str] = frozenset()
    """Members that differ for what an earlier build left in the tree: another build has shown it."""
    by_chance: frozenset[str] = frozenset()
    """Members that differ from build to build with nothing varied: another build has shown it."""
    by_clock: frozenset[str] = frozenset()
    """Members that do so only while the clock goes on."""
    orders: Mapping[Place, str] = field(default_factory=dict)
    """By place the code of what an order there is by, as other builds have shown."""
    home: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables."""
    interpreter: str = ""
    """The prefix of the Python that it was built with; empty where that is the system's."""
    is_listed_backwards: bool = False
    """Whether files were listed in the reverse of the order that the other build was given."""
    tracked: frozenset[str] = frozenset()
    """Files of the source tree that git tracks, of a build that could ask git."""
    untracked: frozenset[str] = frozenset()
    """Other files of the source tree, of such a build."""
    columns: int = 0
    """The width of the terminal, in characters; 0 for unknown."""


UNKNOWN_BUILD = KnownBuild()

KnownBuilds = tuple[KnownBuild, KnownBuild]
"""What is known of the builds that the left and the right side came from."""

UNKNOWN_BUILDS: KnownBuilds = (UNKNOWN_BUILD, UNKNOWN_BUILD)


_OF_THE_REST = {
    Verdict.IDENTICAL: "identical",
    Verdict.NORMALIZED: "the same after normalization",
    Verdict.PAYLOAD: "the same payload",
    Verdict.DIFFERENT: "different",
}


@dataclass(frozen=True)
class Comparison:
    """What became of comparing two archives of one kind, or two trees."""

    left: ComparedFile
    right: ComparedFile
    kind: ArtifactKind | None
    """None for trees of files."""
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What could not be looked at, and why, such as a missing library; one line each."""
    excluded: int = 0
    """How many members were left out because somebody asked for it; the verdict is on the rest."""

    @property
    def judgement(self) -> str:
        """The verdict in words, which is on the rest where something was left out."""
        if not self.excluded:
            return self.verdict.value
        members = "1 member" if self.excluded == 1 else f"{self.excluded:,} members"
        return f"the rest is {_OF_THE_REST[self.verdict]} ({members} excluded)"

    def walk(self) -> Iterator[Difference]:
        """Give every difference, at any depth."""
        for difference in self.differences:
            yield from difference.walk()

    @property
    def causes(self) -> tuple[str, ...]:
        """The codes of all causes found, each once, in the codes' order."""
        return tuple(sorted({finding.code for each in self.walk() for finding in each.findings}))
