"""What ``samebytes check`` builds, how, and what comes of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from samebytes.errors import SamebytesError

from ...building.filled import FilledEnvironments
from ...building.installers import AUTO
from ...building.interpreters import Python
from ...building.virtualenvs import InstalledDistribution
from ...comparison import model
from ...reporting.readers import Reader
from ...variations.variations import NAMES, Obstacle, VariationChoice, not_varied
from ...variations.workspace import Workspace
from .bisect import Attribution
from .facts import DifferingFact

SDIST, WHEEL, FROM_SDIST = "sdist", "wheel", "wheel from sdist"
"""Kinds of artifacts: the second is built from the tree."""

AS_IS, NORMALIZED, HOOK = "as is", "normalized", "hook"
"""Ways: as the project stands; that, normalized; with samebytes' hooks in front of the project's backend."""

DATED = "as is with SOURCE_DATE_EPOCH set"
"""A further way: as the project stands, with one date in both environments."""

ACCEPTABLE = ("identical", "normalized", "payload")
"""What ``--accept`` takes: how equal two builds have to be, each level holding for those before it, too."""

BUILD = "samebytes build"
"""A further way: by the command that owns the whole build and fixes its paths."""


class Form(enum.Enum):
    """What a subject is."""

    TREE = "tree"
    SDIST = "sdist"
    NAME = "name"
    """On the package index."""


@dataclass(frozen=True)
class Subject:
    """A source to build, by one interpreter."""

    text: str
    """As it was asked for."""
    form: Form
    python: Python | None
    error: SamebytesError | None = None
    """What is wrong with it already, such as a missing interpreter."""
    slug: str = ""
    """A name for its files and the steps of its work, which no other subject has."""
    accept: str | None = None
    """What it says itself, one of ACCEPTABLE; None for what the options say."""
    choice: VariationChoice | None = None
    """The variations that it wants itself; None for those of the context."""
    note: str = ""
    """What is to be said of these."""


@dataclass(frozen=True)
class CheckOptions:
    """How to check."""

    kinds: tuple[str, ...] = (SDIST, WHEEL, FROM_SDIST)
    normalized: bool = False
    bisect: bool = False
    accept: str = "identical"
    """One of ACCEPTABLE."""
    isolation: bool = True
    installer: str = AUTO
    """What installs build requirements."""
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    """Seconds for one build."""
    jobs: int = 1
    keep: Path | None = None
    """A directory for what is built."""
    logs: Path | None = None
    """A directory for all that builds print."""
    builder: tuple[str, ...] = ()
    """The command that is ``samebytes``, for building by ``samebytes build`` too; empty for not doing so."""
    gives_up: bool = False
    """Whether no more is built of a source of which the first build, as is, gave nothing."""
    dated: bool = False
    """Whether it is built as it stands with SOURCE_DATE_EPOCH set, too."""


@dataclass(frozen=True)
class CheckContext:
    """What a check needs of the process that asks for it."""

    environ: Mapping[str, str]
    workspace: Workspace
    vary: frozenset[str]
    """What is wanted and can be varied on this machine."""
    left_out: Mapping[str, Obstacle]
    """What is wanted but cannot be varied on this machine, and why."""
    download: Callable[[str, Python, Path], tuple[Path, tuple[str, ...]]]
    """Fetches the sdist of a name, or NAME==VERSION, for an interpreter into a directory; it, and notes on the choice
    are returned."""
    clock: Callable[[], float]
    """Returns the time in seconds since 1970."""
    report: Callable[[str], None] = lambda _: None
    """Takes the steps of the work, from several threads."""
    on_way: Callable[[WayResult], None] = lambda _: None
    """Takes what came of each way as soon as it is there."""
    required: frozenset[str] = frozenset()
    """Variations without which a check is an error."""
    obstacles: Mapping[str, Obstacle] = field(default_factory=dict)
    """What cannot be varied on this machine, wanted or not."""
    filled: FilledEnvironments | None = None
    """What was installed for other sources of the same run."""


@dataclass(frozen=True)
class BuiltFile:
    """One file that was built."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Failure:
    """Why something could not be built."""

    message: str
    remedy: str = ""
    tail: tuple[str, ...] = ()
    """The last lines of what the build printed."""
    log: str = ""
    """All of it."""
    is_late: bool = False
    """Whether it was ended because it took too long."""


@dataclass(frozen=True)
class CheckOutcome:
    """What became of one kind of artifact: two of it, or a failure."""

    kind: str
    pair: tuple[BuiltFile, BuiltFile] | None = None
    failure: Failure | None = None
    comparison: model.Comparison | None = None
    """Why the two differ; None if they are the same, or could not be compared."""
    note: str = ""
    """Why they could not be compared."""

    @property
    def is_same(self) -> bool:
        """Whether there are two files of one name with the same bytes."""
        return self.pair is not None and self.pair[0] == self.pair[1]

    def is_accepted(self, accept: str) -> bool:
        """Return whether two files of one name are as equal as *accept*, one of ACCEPTABLE, asks for."""
        if self.is_same or self.pair is None or self.comparison is None:
            return self.is_same
        # Another version or tag is another release, whatever is in it.
        names = {file.name for file in self.pair}
        accepted = ACCEPTABLE[1 : ACCEPTABLE.index(accept) + 1]
        return len(names) == 1 and self.comparison.verdict.name.lower() in accepted


@dataclass(frozen=True)
class WayResult:
    """What became of all kinds of artifacts, built in one way."""

    name: str
    """AS_IS, DATED, NORMALIZED, HOOK or BUILD."""
    outcomes: tuple[CheckOutcome, ...]


@dataclass(frozen=True)
class BisectionResult:
    """What ``--bisect`` found."""

    attributions: tuple[Attribution, ...]
    by_moment: frozenset[DifferingFact]
    """What differs though nothing but the moment was varied: the clock, or chance."""
    unexplained: frozenset[DifferingFact]
    builds: int
    """How many it took."""
    by_clock: frozenset[DifferingFact] = frozenset()
    """What of by_moment is the same while the clock stands still; nothing where it cannot be stopped."""


@dataclass(frozen=True)
class CheckResult:
    """What became of one subject; *error* is set if nothing could be built at all."""

    source: str
    python: str
    """The interpreter's version."""
    error: SamebytesError | None = None
    ways: tuple[WayResult, ...] = ()
    """As is, and then whatever else was asked for."""
    applied: tuple[str, ...] = ()
    left_out: Mapping[str, Obstacle] = field(default_factory=dict)
    bisection: BisectionResult | None = None
    requirements: tuple[InstalledDistribution, ...] = ()
    installer: str = ""
    """What installed these: ``uv 0.7.0``."""
    notes: tuple[str, ...] = ()
    kept: Path | None = None
    accept: str = "identical"
    """How equal what was built as it stands has to be, one of ACCEPTABLE."""
    reader: Reader = Reader.MAINTAINER
    """Who can do something about it."""

    @property
    def is_same(self) -> bool:
        """Whether all that was built as it stands is the same, whatever is accepted."""
        return replace(self, accept="identical").status == 0

    @property
    def not_varied(self) -> str:
        """What was not varied, in one line; empty if everything was, or nothing was built."""
        by_choice = [name for name in NAMES if name not in {*self.applied, *self.left_out}]
        return not_varied(self.left_out, by_choice) if self.ways else ""

    @property
    def status(self) -> int:
        """0 if all is as equal as is accepted, 1 if something differs more, 2 if something could not be built."""
        if self.error is not None or not self.ways:
            return 2
        outcomes = self.ways[0].outcomes
        # Before "differs": what could not be built was not compared either, so 1 would promise too much.
        if any(outcome.failure is not None for outcome in outcomes):
            return 2
        return 0 if all(outcome.is_accepted(self.accept) for outcome in outcomes) else 1
