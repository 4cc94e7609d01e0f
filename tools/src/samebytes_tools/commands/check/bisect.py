"""Which variation is it? Group testing: halves of those that remain, down to single ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from .facts import Fact

Probe = Callable[[frozenset[str]], frozenset[Fact]]
"""Builds with only these variations, and gives what is then other than without any."""


@dataclass(frozen=True)
class Blame:
    """What differs by what."""

    names: tuple[str, ...]
    """One variation; more if it takes them together."""
    facts: frozenset[Fact]


@dataclass(frozen=True)
class Found:
    """The result of a search."""

    blames: tuple[Blame, ...] = ()
    unexplained: frozenset[Fact] = frozenset()
    """What differed once, and under no variation again."""


def search(names: Sequence[str], facts: frozenset[Fact], probe: Probe) -> Found:
    """Find out which of *names* each of *facts* is due to, by a few builds."""
    blames = _sorted(_search(tuple(names), facts, probe), names) if facts else []
    explained = frozenset(fact for blame in blames for fact in blame.facts)
    return Found(tuple(blames), facts - explained)


def _search(names: tuple[str, ...], facts: frozenset[Fact], probe: Probe) -> list[Blame]:
    if len(names) < 2:
        return [Blame(names, facts)] if names else []
    middle = len(names) // 2
    halves = [(half, probe(frozenset(half))) for half in (names[:middle], names[middle:])]
    hits = [(half, seen) for half, seen in halves if seen]
    if not hits:
        return _together(names, facts, probe)
    return [blame for half, seen in hits for blame in _search(half, seen, probe)]


def _together(names: tuple[str, ...], facts: frozenset[Fact], probe: Probe) -> list[Blame]:
    """Leave out what is not needed for a difference that no half of *names* makes."""
    seen = probe(frozenset(names))
    if not seen:
        return []
    for name in names:
        fewer = tuple(one for one in names if one != name)
        without = probe(frozenset(fewer))
        if without:
            names, seen = fewer, without
    return [Blame(names, seen & facts or seen)]


def _sorted(blames: Sequence[Blame], names: Sequence[str]) -> list[Blame]:
    return sorted(blames, key=lambda blame: [names.index(name) for name in blame.names])
