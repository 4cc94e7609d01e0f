"""Further builds of what the first did not give: with what is tried, in which order, and which of them fits best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Callable, NamedTuple

from ...comparison.model import Comparison, Difference, Verdict
from .remake import Made, Recovered

ATTEMPTS = 3
"""How many further builds there may be, unless ``--attempts`` says otherwise."""

GOOD_ENOUGH = (Verdict.IDENTICAL, Verdict.NORMALIZED)
"""Verdicts after which no other release is tried: what is left is the container, and dates."""

_ORDER = tuple(Verdict)


@dataclass(frozen=True)
class BuildCandidate:
    """A way to build that is worth a try."""

    change: str
    """What is done otherwise than in the first build, in words."""
    how: Recovered


@dataclass(frozen=True)
class RebuildAttempt:
    """A candidate that was tried."""

    change: str
    verdict: Verdict | None
    """None if it could not be built."""
    is_kept: bool = False
    """Whether it fits best of all."""


class RebuildTrial(NamedTuple):
    """A build, and how it compares with what was published."""

    how: Recovered
    made: Made
    comparison: Comparison


def best_of(
    first: RebuildTrial,
    candidates: Iterable[BuildCandidate],
    build: Callable[[BuildCandidate], RebuildTrial | None],
    enough: Collection[Verdict] = GOOD_ENOUGH,
) -> tuple[RebuildTrial, tuple[RebuildAttempt, ...]]:
    """Return the build that fits best, the earliest of several that do, and what was tried besides the *first*.

    :param build: builds a candidate and compares; None if that fails, for it was only a try.
    :param enough: verdicts after which no more candidates are asked for.
    """
    best, attempts, kept = first, [], -1
    for candidate in candidates:
        if best.comparison.verdict in enough:
            break
        trial = build(candidate)
        attempts.append(RebuildAttempt(candidate.change, trial.comparison.verdict if trial else None))
        if trial is not None and _distance(trial.comparison) < _distance(best.comparison):
            best, kept = trial, len(attempts) - 1
    if kept >= 0:
        attempts[kept] = replace(attempts[kept], is_kept=True)
    return best, tuple(attempts)


def _distance(comparison: Comparison) -> tuple[int, int]:
    """Return how far two artifacts are from being equal: by the verdict, then by the differences that matter."""
    return _ORDER.index(comparison.verdict), sum(1 for _ in _lasting(comparison.differences))


def _lasting(nodes: Iterable[Difference]) -> Iterator[Difference]:
    """Yield the innermost differences that normalizing does not remove."""
    for node in nodes:
        if node.children:
            yield from _lasting(node.children)
        elif not node.passes:
            yield node


def notes(first: Verdict, attempts: Iterable[RebuildAttempt]) -> Iterator[str]:
    """Yield what is to be noted of *attempts* that there were beside the *first* build."""
    tried = list(attempts)
    for one in tried:
        if one.is_kept and one.verdict is not None:
            yield f"built again with {one.change}: {one.verdict.value}; the first build gave: {first.value}"
    rest = [one for one in tried if not one.is_kept]
    if rest:
        shown = "; ".join(f"{one.change} ({one.verdict.value if one.verdict else 'does not build'})" for one in rest)
        fits = "fits less" if len(rest) < len(tried) else "fits no better than the first build"
        yield f"tried, and {fits}: {shown}"
