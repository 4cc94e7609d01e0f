"""Which variation is it? Group testing: halves of those that remain, down to single ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Callable

from .facts import DifferingFact

Probe = Callable[[frozenset[str]], frozenset[DifferingFact]]
"""Builds with only these variations, and returns what is then other than without any."""


@dataclass(frozen=True)
class Attribution:
    """What differs, and by which variation."""

    names: tuple[str, ...]
    """One variation; more if it takes them together."""
    facts: frozenset[DifferingFact]


def search(
    names: Sequence[str], facts: frozenset[DifferingFact], probe: Probe
) -> tuple[tuple[Attribution, ...], frozenset[DifferingFact]]:
    """Return which of *names* each of *facts* is due to, by a few builds; and the facts that came back under none."""
    found = _search(tuple(names), facts, probe) if facts else []
    found.sort(key=lambda attribution: [names.index(name) for name in attribution.names])
    return tuple(found), facts - {fact for attribution in found for fact in attribution.facts}


def confirmed(
    attributions: Sequence[Attribution], again: Callable[[], frozenset[DifferingFact]]
) -> tuple[tuple[Attribution, ...], frozenset[DifferingFact]]:
    """Return *attributions* without what differs with nothing varied as well, and that.

    What differs by several variations, each by itself, may differ by the time that went by instead: what is the same in
    two builds within one minute, or by chance now and then, differs in all that come later, whatever is varied in them.

    :param again: builds with nothing varied once more, and returns what differs; called only where that may be so.
    """
    facts = [fact for attribution in attributions for fact in attribution.facts]
    late = again() if len(facts) > len(set(facts)) else frozenset()
    left = (replace(each, facts=each.facts - late) for each in attributions)
    return tuple(each for each in left if each.facts), late


def _search(names: tuple[str, ...], facts: frozenset[DifferingFact], probe: Probe) -> list[Attribution]:
    # No build proves a single name: its half was built just before, and that is what *facts* are of.
    if len(names) < 2:
        return [Attribution(names, facts)] if names else []
    middle = len(names) // 2
    halves = [(half, probe(frozenset(half))) for half in (names[:middle], names[middle:])]
    # Both halves may hit: differences are independent of one another more often than not.
    hits = [(half, seen) for half, seen in halves if seen]
    if not hits:
        return _together(names, facts, probe)
    return [attribution for half, seen in hits for attribution in _search(half, seen, probe)]


def _together(names: tuple[str, ...], facts: frozenset[DifferingFact], probe: Probe) -> list[Attribution]:
    """Leave out what is not needed for a difference that no half of *names* makes."""
    seen = probe(frozenset(names))
    if not seen:
        return []
    # One pass, not all subsets: the number of builds stays linear, at the price of a set that may not be the only one.
    for name in names:
        fewer = tuple(one for one in names if one != name)
        without = probe(frozenset(fewer))
        if without:
            names, seen = fewer, without
    # The smaller set may show other facts than the whole did; what it shows is better than nothing.
    return [Attribution(names, seen & facts or seen)]
