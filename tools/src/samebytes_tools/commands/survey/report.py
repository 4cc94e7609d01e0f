"""Runs of a survey as lines for people: how far it is, what became of each package, and of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from samebytes.console.style import Style, harmless

from .model import (
    DIFFERS,
    KINDS,
    NOT_BUILT,
    SAME,
    SHORT,
    WAYS,
    Examination,
    Headline,
    Rebuild,
    RebuildTally,
    Run,
    State,
    Tally,
)
from .run import Event

_NAMED = 6


class Pace(NamedTuple):
    """How fast it goes."""

    total: int
    """Packages of the run."""
    done_here: int
    """By this runner."""
    seconds: float
    """Since it began."""

    def rate(self) -> float:
        """Return packages in an hour."""
        return 3600 * self.done_here / self.seconds if self.seconds > 0 else 0.0


def progress_line(event: Event, pace: Pace) -> str:
    """Return how far the run is: rate, remaining time, and what is being examined."""
    parts = [f"{pace.total - event.left:,}/{pace.total:,}"]
    if pace.done_here:
        parts.append(f"{pace.rate():,.0f} an hour" if pace.rate() >= 10 else f"{pace.rate():.1f} an hour")
        parts.append(f"{duration(event.left * pace.seconds / pace.done_here)} left")
    if event.current:
        return f"{', '.join(parts)}: {_names([target.name for target in event.current])}"
    if event.waits_for:
        return f"{', '.join(parts)}: waits for other runners' {_names([name for name, *_ in event.waits_for])}"
    waits = ": waits for workers" if event.left and event.finished is None else ""
    return ", ".join(parts) + waits


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def duration(seconds: float) -> str:
    """Return *seconds* roughly, in one unit that fits."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def finished_line(one: Examination, event: Event, pace: Pace, style: Style) -> str:
    """Return what became of one package, in all ways."""
    place = style.dim(f"{pace.total - event.left:>{len(str(pace.total))}}/{pace.total}")
    title = f"{place} {style.bold(harmless(one.name))} {harmless(one.version)}".rstrip()
    after = style.dim(f"({duration(one.seconds)})")
    if one.state is not State.EXAMINED:
        reason = f": {harmless(one.reason)}" if one.reason else ""
        return f"{title}: {style.bad(one.state.value)}{reason} {after}"
    # "dated" alone: what it is short for has a comma in it.
    tried = {each.way for each in one.artifacts}
    ways = [f"{SHORT.get(way, way).rpartition(', ')[2]} {_state(one, way, style)}" for way in WAYS if way in tried]
    files = [f"{each.kind} {_rebuilt(each, style)}" for each in one.rebuilds]
    parts = [", ".join(ways), f"published {', '.join(files)}" if files else ""]
    return f"{title}: {'; '.join(filter(None, parts))} {after}"


def _rebuilt(one: Rebuild, style: Style) -> str:
    shown = {"identical": style.good, "same after normalization": style.notable}
    return shown.get(one.state, style.bad)(one.state)


def _state(one: Examination, way: str, style: Style) -> str:
    """Return what the artifacts of *way* are together; kinds are named where they are not alike."""
    states = {each.kind: each.state for each in one.artifacts if each.way == way}
    shown = {SAME: style.good, DIFFERS: style.notable, NOT_BUILT: style.bad}
    worst = next(state for state in (NOT_BUILT, DIFFERS, SAME) if state in states.values())
    kinds = [kind for kind in KINDS if states.get(kind) == worst]
    some = f" ({', '.join(kinds)})" if len(kinds) < len(states) else ""
    return shown[worst](worst) + some


def summary_lines(headline: Headline, run: Run, style: Style) -> Iterator[str]:
    """Yield what a run found: how many packages are the same, by way."""
    width = max(len(SHORT.get(way, way)) for way in WAYS)
    for way in WAYS:
        tally = headline.tally(way, run=run.id)
        if tally != Tally():
            yield f"{SHORT.get(way, way):<{width}}  {_tally(tally, style)}"
    rebuilt = headline.rebuilt(run=run.id)
    if rebuilt.tried:
        yield f"{'published':<{width}}  {_rebuilt_tally(rebuilt, style)}"


def _rebuilt_tally(tally: RebuildTally, style: Style) -> str:
    parts = [f"{tally.identical:,} identical", f"{tally.normalized:,} the same after normalization"]
    parts += [f"{tally.different:,} differ", f"{tally.not_rebuilt:,} not rebuilt"]
    share = f" ({100 * (tally.share or 0.0):.1f} % could be rebuilt)"
    return ", ".join(parts) + style.dim(share)


def _tally(tally: Tally, style: Style) -> str:
    share = "" if tally.share is None else f" ({100 * tally.share:.1f} % of what could be built)"
    parts = [f"{tally.same:,} same", f"{tally.differs:,} differ", f"{tally.not_built:,} could not be built"]
    return ", ".join(parts) + style.dim(share)
