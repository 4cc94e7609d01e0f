"""What a survey finds out: values that a runner makes, the store keeps, and reports read."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...comparison.model import Verdict
from ..check.subject import AS_IS, BUILD, DATED, FROM_SDIST, HOOK, NORMALIZED, SDIST, WHEEL

WAYS = (AS_IS, DATED, NORMALIZED, HOOK, BUILD)
"""All ways, in the order in which they are shown. Each is built, or normalized, by itself: none stands for another.

DATED came later than the others: the first examinations do not have it."""

SHORT = {DATED: "as is, dated"}
"""Ways that have a shorter name where room is little."""

KINDS = (SDIST, WHEEL, FROM_SDIST)

WHOLE = "package"
"""In counts: all kinds of a package together. It is the same if all are, and not built if one could not be built."""

SAME, DIFFERS, NOT_BUILT = "same", "differs", "could not be built"
"""The states of an artifact, or of a whole package."""


PURE_WHEEL, PLATFORM_WHEEL = "pure wheel", "platform wheel"
PUBLISHED = (PURE_WHEEL, SDIST, PLATFORM_WHEEL)
"""Kinds of published files, at most one of which is rebuilt of each release."""

NOT_REBUILT = "not rebuilt"
"""The state of a published file that could not be built again; else it is a ``comparison.model.Verdict``'s value."""


class State(enum.Enum):
    """What became of examining one package."""

    EXAMINED = "examined"
    """Something was built: see the artifacts."""
    NOT_BUILT = "could not be built"
    """Nothing could be built as it is."""
    NO_SDIST = "has no sdist"
    """The index has the release, or the project, but no sdist of it."""
    UNKNOWN = "unknown to the index"
    UNAVAILABLE = "could not be downloaded"
    """Deleted, of another hash than recorded, or the index gave nothing useful."""
    OVER_LIMIT = "over a limit"
    """Ended for its time, memory or output."""
    FAILED = "failed"
    """samebytes itself did not come to an end with it: to be looked into."""


@dataclass(frozen=True)
class Target:
    """A package that a run is to examine."""

    name: str
    """Normalized, as PEP 503 says."""
    version: str = ""
    """Empty for the newest that has an sdist and is neither yanked nor a pre-release."""
    rank: int | None = None
    """Its place in the list of the most downloaded, from 1."""


@dataclass(frozen=True)
class Run:
    """One run of the survey, on one machine or on many: every examination belongs to one."""

    id: str
    """A UUID, so that stores made apart can be joined."""
    started: int
    """In seconds since 1970-01-01 UTC."""
    tool: str
    """The version of samebytes."""
    canonical_form: int
    machine: Mapping[str, str]
    """What :func:`.sandbox.machine.described` returns: ``python``, ``platform`` and the like; no host name.

    And ``ways``, "as is", if packages are built in no other.
    """
    ended: int | None = None
    builds: bool = True
    """Whether it builds each package twice."""
    verifies: bool = False
    """Whether it rebuilds published files."""
    operator: str = ""
    """Who runs it, as that is to be published; empty if nobody said."""

    @property
    def as_is(self) -> bool:
        """Whether packages are built in their own ways alone: AS_IS and DATED."""
        return self.machine.get("ways") == AS_IS

    @property
    def work(self) -> tuple[bool, bool, bool]:
        """What it does; the same for two runs that can be gone on with alike."""
        return self.builds, self.as_is, self.verifies


@dataclass(frozen=True)
class Sdist:
    """What was built."""

    file: str
    sha256: str
    """In hexadecimal."""
    size: int
    """In bytes."""
    uploaded: str = ""
    """As the index has it (RFC 3339), or empty."""
    yanked: bool = False


@dataclass(frozen=True)
class Requirement:
    """A distribution that the builds had; both had the same."""

    name: str
    version: str
    sha256: str = ""


@dataclass(frozen=True)
class CauseHit:
    """One cause of a difference, in one artifact."""

    code: str
    """Such as ``D001`` (``comparison.causes.by_code``)."""
    count: int
    """In how many places."""
    member: str
    """The first member in which it was found, with what is below it after ``" > "``."""
    where: str
    """Where in there."""
    left: str
    """What stands there in the first, as text; at most 200 characters."""
    right: str


@dataclass(frozen=True)
class Artifact:
    """One kind of artifact, built twice in one way."""

    way: str
    """One of WAYS."""
    kind: str
    """One of KINDS."""
    state: str
    """SAME, DIFFERS or NOT_BUILT."""
    verdict: str = ""
    """A ``comparison.model.Verdict``'s value; empty if it could not be built or not be compared."""
    reason: str = ""
    """Why it could not be built or compared, in a line."""
    file: str = ""
    """The name of the first."""
    size: int = 0
    """Of the first, in bytes."""
    sha256: tuple[str, str] = ("", "")
    causes: tuple[CauseHit, ...] = ()


@dataclass(frozen=True)
class Rebuild:
    """A published file of a release, built again from the release's sdist, and compared."""

    kind: str
    """One of PUBLISHED."""
    file: str
    state: str
    """A ``comparison.model.Verdict``'s value, or NOT_REBUILT."""
    sha256: str = ""
    """Of what was published, in hexadecimal."""
    rebuilt: str = ""
    """The SHA-256 of what was built; empty if nothing was."""
    size: int = 0
    """Of what was published, in bytes."""
    uploaded: str = ""
    """As the index has it (RFC 3339), or empty."""
    reason: str = ""
    """Why it could not be rebuilt, in a line."""
    seconds: float = 0.0
    """That it took."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How it was rebuilt: an in-toto Statement (``building.provenance``); empty if it was not."""
    notes: tuple[str, ...] = ()
    """That what differs has no meaning, if so; what could not be known, and what was done instead."""
    causes: tuple[CauseHit, ...] = ()
    """Of differences; left is what was published."""


@dataclass(frozen=True)
class Examination:
    """What became of one package in one run."""

    name: str
    """Normalized, as PEP 503 says."""
    version: str
    """Empty if it was not found out."""
    state: State
    started: int
    """In seconds since 1970-01-01 UTC."""
    seconds: float
    reason: str = ""
    """Why there is nothing more, in a line."""
    log: str = ""
    """What was said last, by whatever failed; bounded."""
    memory: int | None = None
    """Of its largest process, in bytes."""
    rank: int | None = None
    sdist: Sdist | None = None
    backend: str = ""
    """The distribution that has the backend, such as ``setuptools``; ``in-tree`` for a backend in the sdist."""
    backend_version: str = ""
    is_pure: bool | None = None
    """Whether the wheel is for any platform; None if there is none."""
    requirements: tuple[Requirement, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    rebuilds: tuple[Rebuild, ...] = ()
    """Of published files, in the order of PUBLISHED."""
    varied: tuple[str, ...] = ()
    not_varied: Mapping[str, str] = field(default_factory=dict)
    """What could not be varied, and why."""
    notes: tuple[str, ...] = ()
    run: str = ""
    """Its run's id."""
    asked: str = ""
    """The version that was asked for; empty for the newest."""


@dataclass(frozen=True)
class Summary:
    """The newest examination of a package, as a row of a table."""

    name: str
    version: str
    rank: int | None
    state: State
    backend: str
    is_pure: bool | None
    started: int
    """In seconds since 1970-01-01 UTC."""
    run: str
    outcomes: Mapping[str, Mapping[str, str]]
    """By way and kind: the verdict of what differs (DIFFERS if it could not be compared), else the artifact's state."""
    causes: tuple[str, ...]
    """Codes of all that differs, in order, each once."""


@dataclass(frozen=True)
class Count:
    """How many artifacts of a kind came out in one way, of packages that are alike."""

    run: str
    """The id of a run; empty for the newest examination of each package."""
    way: str
    kind: str
    """One of KINDS, or WHOLE."""
    backend: str
    is_pure: bool | None
    state: str
    """SAME, DIFFERS or NOT_BUILT."""
    number: int


@dataclass(frozen=True)
class RebuildCount:
    """How many published files of a kind came out in one state."""

    run: str
    """The id of a run; empty for the newest rebuild of each package."""
    kind: str
    state: str
    """As ``Rebuild.state``."""
    number: int


@dataclass(frozen=True)
class RebuildTally:
    """How many published files came out how."""

    identical: int = 0
    normalized: int = 0
    different: int = 0
    """In their payload or only in what normalizing does not touch."""
    not_rebuilt: int = 0

    @property
    def tried(self) -> int:
        """How many there are."""
        return self.identical + self.normalized + self.different + self.not_rebuilt

    @property
    def share(self) -> float | None:
        """The part that is identical, or the same after normalization, of all that were tried; None if none was."""
        return (self.identical + self.normalized) / self.tried if self.tried else None


@dataclass(frozen=True)
class Tally:
    """How many came out how."""

    same: int = 0
    differs: int = 0
    not_built: int = 0

    @property
    def built(self) -> int:
        """How many could be built."""
        return self.same + self.differs

    @property
    def share(self) -> float | None:
        """The part that is the same of what could be built; None if nothing could."""
        return self.same / self.built if self.built else None


_REBUILT = {
    Verdict.IDENTICAL.value: "identical",
    Verdict.NORMALIZED.value: "normalized",
    NOT_REBUILT: "not_rebuilt",
}


@dataclass(frozen=True)
class Headline:
    """What a survey has to say in numbers."""

    packages: int
    """How many were ever built twice, or were to be."""
    states: Mapping[State, int]
    """What became of them, the newest time."""
    counts: tuple[Count, ...]
    """Of the newest examination of each package, and of each run."""
    rebuilds: tuple[RebuildCount, ...] = ()
    """Of the newest rebuilds of each package, and of each run."""

    def rebuilt(self, kind: str = "", *, run: str = "") -> RebuildTally:
        """Return how many published files, of one *kind* or of all, came out how."""
        numbers = dict.fromkeys(("identical", "normalized", "different", "not_rebuilt"), 0)
        for one in self.rebuilds:
            if one.run == run and kind in ("", one.kind):
                numbers[_REBUILT.get(one.state, "different")] += one.number
        return RebuildTally(**numbers)

    def tally(
        self, way: str, kind: str = WHOLE, *, run: str = "", backend: str | None = None, is_pure: bool | None = None
    ) -> Tally:
        """Return how many came out how: of all packages, or of those with a *backend*, or which are pure or are not."""
        found = {SAME: 0, DIFFERS: 0, NOT_BUILT: 0}
        for one in self._alike.get((run, way, kind), ()):
            if backend in (None, one.backend) and is_pure in (None, one.is_pure):
                found[one.state] += one.number
        return Tally(found[SAME], found[DIFFERS], found[NOT_BUILT])

    @cached_property
    def _alike(self) -> dict[tuple[str, str, str], list[Count]]:
        """The counts by run, way and kind: reports ask for hundreds of tallies, and a long survey has many runs."""
        found: dict[tuple[str, str, str], list[Count]] = {}
        for one in self.counts:
            found.setdefault((one.run, one.way, one.kind), []).append(one)
        return found


@dataclass(frozen=True)
class Hit:
    """A place where a cause was found."""

    name: str
    version: str
    way: str
    kind: str
    cause: CauseHit
