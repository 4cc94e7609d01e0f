"""Ways to pack that are worth a try where only the archive differs, and what shows how it was packed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Callable

from packaging.version import Version

from ...comparison.model import Verdict
from . import imitations
from .attempts import GOOD_ENOUGH, BuildCandidate, RebuildAttempt, RebuildTrial, best_of
from .backend_facts import PYTHON, facts_of, fitting
from .candidates import OLDEST, BuildClues, candidates, pythons_of_then
from .time_zones import zone_of
from .traits import traits

_TIMES, _MODES, _HEADERS = {"Z002"}, ({"Z003"}, {"T003"}), {"T008"}
"""Codes of passes that remove such differences."""
_ZONE = "TZ"


def improved(
    first: RebuildTrial,
    clues: Callable[[RebuildTrial], BuildClues],
    build: Callable[[BuildCandidate], RebuildTrial | None],
    most: int,
) -> tuple[RebuildTrial, tuple[RebuildAttempt, ...]]:
    """Return the build that fits best, and up to *most* others that were tried after the *first*.

    :param clues: gives what there is to find out from, with a build in place of the first.
    :param build: builds a candidate and compares; None if that fails.
    """
    best = first
    tried: tuple[RebuildAttempt, ...] = ()
    if first.comparison.verdict not in GOOD_ENOUGH:
        best, tried = best_of(first, islice(candidates(clues(first)), most), build)
    if best.comparison.verdict != Verdict.NORMALIZED or len(tried) >= most:
        return best, tried
    before = [one.change for one in tried if one.is_kept]
    exact = (replace(one, change=", ".join([*before, one.change])) for one in to_the_byte(clues(best)))
    last, more = best_of(best, islice(exact, most - len(tried)), build, (Verdict.IDENTICAL,))
    if last is not best:
        tried = tuple(replace(one, is_kept=False) for one in tried)
    return last, (*tried, *more)


def to_the_byte(clues: BuildClues) -> Iterator[BuildCandidate]:
    """Yield ways to build by which the archives may be the same, too, where normalizing makes them the same.

    Each removes one kind of difference, so there are none where several kinds differ: another build would not do.
    """
    nodes = clues.comparison.walk() if clues.comparison else ()
    codes = {code for node in nodes if not node.children for code in node.passes}
    if codes == _TIMES and _ZONE not in clues.how.given:
        zone = zone_of(clues.there.times, clues.here.times)
        if zone:
            yield BuildCandidate(f"{_ZONE}={zone}", clues.how.with_variables({_ZONE: zone}))
    if codes in _MODES and imitations.MODES not in clues.how.given:
        modes = imitations.modes(clues.there.modes, clues.here.modes)
        if modes:
            yield BuildCandidate(f"{imitations.MODES}={modes}", clues.how.with_variables({imitations.MODES: modes}))
    if codes == _HEADERS:
        yield from _by_packer(clues)


def _by_packer(clues: BuildClues) -> Iterator[BuildCandidate]:
    """Yield a build by the nearest Python whose tarfile writes headers as they are."""
    shown, made = traits(clues.there), traits(clues.here)
    facts = facts_of(PYTHON, clues.there.kind)
    differ = [fact.trait for fact in facts if shown.get(fact.trait) != made.get(fact.trait)]
    for python in pythons_of_then(clues, OLDEST):
        if differ and fitting(facts, shown, [Version(python.short)]):
            why = ", ".join(f"{trait}: {shown.get(trait, 'none')}" for trait in differ)
            yield BuildCandidate(f"Python {python.short} ({why})", replace(clues.how, python=python))
            return
