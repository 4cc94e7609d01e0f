"""The overview in numbers: which share of what is the same, in each way, now and over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ..model import KINDS, WAYS, WHOLE, Headline, Run, State, Tally

MOST_BACKENDS = 20
MOST_RUNS = 60
"""So many of the newest are in the chart."""

LEFT, RIGHT, TOP, BOTTOM = 9.0, 97.0, 20.0, 220.0
"""Where the chart's points are: in per cent of the width, so that text is never scaled, and in pixels of the height."""

STATES = {
    State.EXAMINED: "examined",
    State.NOT_BUILT: "could not be built",
    State.NO_SDIST: "have no sdist",
    State.UNKNOWN: "are unknown to the index",
    State.UNAVAILABLE: "could not be downloaded",
    State.OVER_LIMIT: "went over a limit",
    State.FAILED: "made samebytes fail",
}

_PLURALS = {"sdist": "Sdists", "wheel": "Wheels", "wheel from sdist": "Wheels from sdists", WHOLE: "Packages"}


class Line(NamedTuple):
    """A line of the table of shares."""

    name: str
    filter: str
    """What leads from it to the packages, such as ``kind=pure``; empty if nothing does."""
    tallies: Sequence[Tally]
    """One for each way."""

    @property
    def packages(self) -> int:
        """How many came out at all, as they are, those that could not be built included."""
        return self.tallies[0].built + self.tallies[0].not_built


class RunLine(NamedTuple):
    """A run in the chart, and in the table of its numbers."""

    run: Run
    tallies: Sequence[Tally]
    """Of whole packages, one for each way."""


class Point(NamedTuple):
    """A point of the chart."""

    x: float
    y: float
    share: float


def groups(headline: Headline) -> dict[str, list[Line]]:
    """Return the table of shares: by artifact, by what is in the wheel, by backend."""

    def line(
        name: str, wanted: str = "", kind: str = WHOLE, backend: str | None = None, is_pure: bool | None = None
    ) -> Line:
        tallies = [headline.tally(way, kind, backend=backend, is_pure=is_pure) for way in WAYS]
        return Line(name or "unknown", wanted, tallies)

    names = {one.backend for one in headline.counts if not one.run}
    backends = [line(name, f"backend={quote(name)}", backend=name) for name in names]
    found = {
        "By artifact": [line(_PLURALS[kind], kind=kind) for kind in (*KINDS, WHOLE)],
        "By what is in the wheel; whole packages": [
            line("Pure Python", "kind=pure", is_pure=True),
            line("With extension modules", "kind=extension", is_pure=False),
        ],
        "By build backend; whole packages": sorted(backends, key=lambda each: (-each.packages, each.name))[
            :MOST_BACKENDS
        ],
    }
    return {title: [each for each in lines if each.packages] for title, lines in found.items()}


def over_time(headline: Headline, runs: Sequence[Run]) -> list[RunLine]:
    """Return the shares of the newest runs in which something was built, the oldest first."""
    lines = [RunLine(run, [headline.tally(way, run=run.id) for way in WAYS]) for run in runs]
    return [line for line in lines if any(tally.built for tally in line.tallies)][-MOST_RUNS:]


def points(lines: Sequence[RunLine], way: int) -> list[Point]:
    """Return where the chart of two runs or more has points for a way: where something was built in it."""
    step = (RIGHT - LEFT) / (len(lines) - 1)
    shares = [line.tallies[way].share for line in lines]
    return [
        Point(round(LEFT + step * at, 2), round(BOTTOM - (BOTTOM - TOP) * share, 1), share)
        for at, share in enumerate(shares)
        if share is not None
    ]


def shares(headline: Headline) -> Iterator[dict[str, Any]]:
    """Give the shares of the newest examinations for programs: of all, of each backend and nature, of every kind."""
    backends = sorted({one.backend for one in headline.counts if not one.run})
    groups: list[dict[str, Any]] = [{}, {"is_pure": True}, {"is_pure": False}, *({"backend": one} for one in backends)]
    for group in groups:
        for kind in (*KINDS, WHOLE):
            for way in WAYS:
                tally = headline.tally(way, kind, **group)
                numbers = {"same": tally.same, "differs": tally.differs, "could_not_be_built": tally.not_built}
                yield {"way": way, "kind": kind, **group, **numbers}
