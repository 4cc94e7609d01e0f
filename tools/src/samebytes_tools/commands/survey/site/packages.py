"""A package's page: the newest examination in full, the others as a line each."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ....comparison.causes.causes import Cause
from ....comparison.model import Evidence
from ....reporting.evidence import Parted, parted
from ..model import KINDS, WAYS, Artifact, CauseHit, Examination, Run, State
from . import addresses
from .causes import cause_of
from .results import NONE, Outcome, Standing, letters_in, outcome_of, standing, state_label, told, way_outcomes
from .texts import cut

MOST_PLACES = 3
"""Places of a cause that are shown."""
MOST_HISTORY = 100
LOG_LINES, LOG_WIDTH = 60, 240
NO_ADDRESS = "https://ADDRESS.OF.THIS.SITE"
"""Stands in snippets for what the site was not told; the script puts in where the page came from."""


class Cell(NamedTuple):
    """What became of one artifact."""

    outcome: Outcome
    artifact: Artifact | None


class Place(NamedTuple):
    """Where a cause was found, and what stands there in the one and the other."""

    member: str
    where: str
    left: Parted
    right: Parted
    seen: Sequence[str]
    """In what: the way, and its kinds."""


class Told(NamedTuple):
    """A cause that hits the package."""

    cause: Cause
    ways: Sequence[str]
    places: Sequence[Place]
    more: int


class Event(NamedTuple):
    """A line of the history."""

    examination: Examination
    run: Run | None
    outcomes: Sequence[Outcome]
    standing: Standing
    label: str
    codes: Sequence[str]


class Package(NamedTuple):
    """All that the page says."""

    newest: Examination
    run: Run | None
    standing: Standing
    label: str
    grid: Sequence[tuple[str, Sequence[Cell]]]
    """For each way, a cell for each kind."""
    reasons: Sequence[str]
    """Why something was not built or not compared."""
    causes: Sequence[Told]
    log: Sequence[str]
    commands: str
    snippets: Sequence[tuple[str, str]]
    history: Sequence[Event]
    older: int
    """How many more examinations there are than the history shows."""


def package(history: Sequence[Examination], runs: Mapping[str, Run], address: str) -> Package:
    """Return what the page of a package says; *history* is the newest first, and has one at least."""
    newest = history[0]
    events = [_event(one, runs) for one in history[:MOST_HISTORY]]
    return Package(
        newest,
        events[0].run,
        events[0].standing,
        events[0].label,
        _grid(newest.artifacts),
        list(dict.fromkeys(one.reason for one in newest.artifacts if one.reason)),
        list(_causes(newest.artifacts)),
        _tail(newest.log),
        _commands(newest, events[0].run),
        _snippets(newest.name, address),
        events,
        len(history) - len(events),
    )


def _event(one: Examination, runs: Mapping[str, Run]) -> Event:
    letters = letters_in(one.artifacts)
    found = standing(one.state, letters)
    codes = sorted({hit.code for artifact in one.artifacts for hit in artifact.causes})
    return Event(one, runs.get(one.run), way_outcomes(letters), found, state_label(one.state, found), codes)


def _grid(artifacts: Iterable[Artifact]) -> list[tuple[str, list[Cell]]]:
    found = {(one.way, one.kind): Cell(outcome_of(told(one)), one) for one in artifacts}
    return [(way, [found.get((way, kind), Cell(NONE, None)) for kind in KINDS]) for way in WAYS]


def _causes(artifacts: Iterable[Artifact]) -> Iterable[Told]:
    """Yield each cause with its places; what several artifacts have alike is one place."""
    found: dict[str, dict[CauseHit, dict[str, list[str]]]] = {}
    for artifact in artifacts:
        for hit in artifact.causes:
            alike = CauseHit(hit.code, 0, hit.member, hit.where, hit.left, hit.right)
            seen = found.setdefault(hit.code, {}).setdefault(alike, {})
            seen.setdefault(artifact.way, []).append(artifact.kind)
    for code in sorted(found):
        hits = found[code]
        ways = [way for way in WAYS if any(way in seen for seen in hits.values())]
        places = [_place(hit, seen) for hit, seen in list(hits.items())[:MOST_PLACES]]
        yield Told(cause_of(code), ways, places, len(hits) - len(places))


def _place(hit: CauseHit, seen: Mapping[str, Sequence[str]]) -> Place:
    left, right = parted(Evidence(hit.where, _bytes(hit.left), _bytes(hit.right)))
    told = [f"{way}: {', '.join(dict.fromkeys(kinds))}" for way, kinds in seen.items()]
    return Place(hit.member, hit.where, left, right, told)


def _bytes(text: str) -> bytes:
    return cut(text).encode("utf-8", "surrogatepass")


def _tail(log: str) -> list[str]:
    """Return the last lines of *log*, none of them endless."""
    return [cut(line, LOG_WIDTH) for line in log.splitlines()[-LOG_LINES:]]


def _commands(newest: Examination, run: Run | None) -> str:
    """Return what to type to see the same."""
    tool = f"samebytes[tools]=={run.tool}" if run else "samebytes[tools]"
    what = shlex.quote(f"{newest.name}=={newest.version}" if newest.version else newest.name)
    lines = [f"pip install {shlex.quote(tool)}"]
    if newest.state not in (State.UNKNOWN, State.NO_SDIST, State.UNAVAILABLE):
        lines.append(f"samebytes check --normalized {what}")
        lines.append(f"samebytes survey run --store again.sqlite --packages {what}")
    return "\n".join(lines)


def _snippets(name: str, address: str) -> list[tuple[str, str]]:
    """Return the badge, linked to the page, for READMEs."""
    base = address or NO_ADDRESS
    image, page = addresses.absolute(base, addresses.badge(name)), addresses.absolute(base, addresses.package(name))
    return [
        ("Markdown", f"[![Reproducible builds]({image})]({page}.html)"),
        ("reStructuredText", f".. image:: {image}\n   :target: {page}.html\n   :alt: Reproducible builds"),
    ]
