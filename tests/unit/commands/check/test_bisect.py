"""Finding the variation, with worlds that are functions."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from samebytes_tools.commands.check.bisect import Blame, Found, search
from samebytes_tools.commands.check.facts import Fact

NAMES = tuple(string.ascii_lowercase[:19])


def fact(name: str) -> Fact:
    return Fact("wheel", name, "contents")


class World:
    """A build whose facts each need some variations; it counts how often it is made."""

    def __init__(self, needs: dict[str, str]) -> None:
        self.needs, self.builds = needs, 0

    def __call__(self, applied: frozenset[str]) -> frozenset[Fact]:
        self.builds += 1
        return frozenset(fact(member) for member, needed in self.needs.items() if set(needed) <= applied)

    def found(self) -> Found:
        everything = self(frozenset(NAMES))
        self.builds = 0
        return search(NAMES, everything, self)


@pytest.mark.parametrize("culprit", NAMES)
def test_one_culprit_is_found_by_two_builds_a_halving(culprit: str) -> None:
    world = World({"module": culprit})
    assert world.found() == Found((Blame((culprit,), frozenset({fact("module")})),))
    assert world.builds <= 10


def test_several_culprits_each_with_its_own_facts() -> None:
    world = World({"one": "b", "two": "s", "both": "s", "three": "a"})
    assert world.found().blames == (
        Blame(("a",), frozenset({fact("three")})),
        Blame(("b",), frozenset({fact("one")})),
        Blame(("s",), frozenset({fact("two"), fact("both")})),
    )


@pytest.mark.parametrize("pair", ["as", "ab", "jk", "rs"])
def test_what_takes_two_together(pair: str) -> None:
    world = World({"module": pair})
    assert world.found() == Found((Blame(tuple(pair), frozenset({fact("module")})),))


def test_nothing_differs() -> None:
    world = World({})
    assert world.found() == Found()
    assert world.builds == 0


def test_what_never_comes_again_is_unexplained() -> None:
    once = frozenset({fact("chance")})
    never: Callable[[frozenset[str]], frozenset[Fact]] = lambda _: frozenset()  # noqa: E731
    assert search(NAMES, once, never) == Found((), once)


def test_a_single_variation_needs_no_further_build() -> None:
    world = World({"module": "a"})
    assert search(("a",), frozenset({fact("module")}), world).blames == (Blame(("a",), frozenset({fact("module")})),)
    assert world.builds == 0
