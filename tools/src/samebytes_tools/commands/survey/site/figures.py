"""The headline: which share of what is the same, in each way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..model import KINDS, WAYS, WHOLE, Count, Headline, Run, State, Tally
from .chart import Chart, chart
from .texts import day

MOST_BACKENDS = 20
MOST_RUNS = 60
"""So many of the newest are in the chart."""

STATES = {
    State.EXAMINED: "examined",
    State.NOT_BUILT: "could not be built",
    State.NO_SDIST: "have no sdist",
    State.UNKNOWN: "are unknown to the index",
    State.UNAVAILABLE: "could not be downloaded",
    State.OVER_LIMIT: "went over a limit",
    State.FAILED: "made samebytes fail",
}

PLURALS = {"sdist": "sdists", "wheel": "wheels", "wheel from sdist": "wheels from sdists", WHOLE: "packages"}


class Line(NamedTuple):
    """A line of the table of shares."""

    name: str
    packages: int
    """How many came out at all, as they are, those that could not be built included."""
    tallies: Sequence[Tally]
    """One for each way."""
    key: str = ""
    """What a filter calls it."""


class Group(NamedTuple):
    title: str
    lines: Sequence[Line]


class Step(NamedTuple):
    """A way, and what it gives."""

    way: str
    whole: Tally
    kinds: Mapping[str, Tally]


class RunLine(NamedTuple):
    run: Run
    tallies: Sequence[Tally]


def steps(headline: Headline) -> list[Step]:
    """Return what each way gives, in all."""
    now = of_run(headline, "")
    return [Step(way, now.tally(way), {kind: now.tally(way, kind) for kind in KINDS}) for way in WAYS]


def groups(headline: Headline) -> list[Group]:
    """Return the table of shares: by artifact, by what is in the wheel, by backend."""
    now = of_run(headline, "")
    kinds = [_line(now, PLURALS[kind].capitalize(), kind=kind) for kind in (*KINDS, WHOLE)]
    natures = [
        _line(now, "Pure Python", "pure", is_pure=True),
        _line(now, "With extension modules", "extension", is_pure=False),
    ]
    backends = [_line(now, name, name, backend=name) for name in sorted({one.backend for one in now.counts})]
    backends.sort(key=lambda line: (-line.packages, line.name))
    found = [
        Group("By artifact", kinds),
        Group("By what is in the wheel; whole packages", natures),
        Group("By build backend; whole packages", backends[:MOST_BACKENDS]),
    ]
    return [Group(group.title, [line for line in group.lines if line.packages]) for group in found]


def _line(headline: Headline, name: str, key: str = "", kind: str = WHOLE, **group: str | bool | None) -> Line:
    tallies = tallies_of(headline, kind, **group)
    first = tallies[0]
    return Line(name or "unknown", first.same + first.differs + first.not_built, tallies, key)


def tallies_of(headline: Headline, kind: str, **group: str | bool | None) -> list[Tally]:
    """Return the tally of each way; *group* may name a ``backend``, and whether it ``is_pure``."""
    some = [one for one in headline.counts if all(getattr(one, name) == value for name, value in group.items())]
    alike = Headline(headline.packages, headline.states, tuple(some))
    return [alike.tally(way, kind) for way in WAYS]


def states(headline: Headline) -> list[tuple[str, int]]:
    """Return what became of how many packages, in words."""
    return [(told, headline.states[state]) for state, told in STATES.items() if headline.states.get(state)]


def over_time(headline: Headline, runs: Sequence[Run]) -> tuple[Chart, list[RunLine]]:
    """Return the chart of whole packages, and its numbers, of the newest runs in which something was built."""
    parts = _by_run(headline)
    lines = [RunLine(run, [parts[run.id].tally(way, run=run.id) for way in WAYS]) for run in runs if run.id in parts]
    lines = [line for line in lines if any(tally.share is not None for tally in line.tallies)][-MOST_RUNS:]
    shares = [(way, [line.tallies[at].share for line in lines]) for at, way in enumerate(WAYS)]
    return chart([day(line.run.started) for line in lines], shares), lines


def of_run(headline: Headline, run: str) -> Headline:
    """Return *headline* with the counts of one run alone, which makes each tally as much faster."""
    return _by_run(headline).get(run, Headline(headline.packages, headline.states, ()))


def _by_run(headline: Headline) -> dict[str, Headline]:
    counts: dict[str, list[Count]] = {}
    for one in headline.counts:
        counts.setdefault(one.run, []).append(one)
    return {run: Headline(headline.packages, headline.states, tuple(some)) for run, some in counts.items()}
