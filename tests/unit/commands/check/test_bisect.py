"""Finding the variation, with builds that are functions."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from samebytes_tools.commands.check.bisect import Attribution, confirmed, search
from samebytes_tools.commands.check.facts import DifferingFact

NAMES = tuple(string.ascii_lowercase[:19])


def fact(name: str) -> DifferingFact:
    return DifferingFact("wheel", name, "contents")


class Build:
    """A build whose facts each need some variations; it counts how often it is made."""

    def __init__(self, needs: dict[str, str]) -> None:
        self.needs, self.builds = needs, 0

    def __call__(self, applied: frozenset[str]) -> frozenset[DifferingFact]:
        self.builds += 1
        return frozenset(fact(member) for member, needed in self.needs.items() if set(needed) <= applied)

    def found(self) -> tuple[tuple[Attribution, ...], frozenset[DifferingFact]]:
        everything = self(frozenset(NAMES))
        self.builds = 0
        return search(NAMES, everything, self)


@pytest.mark.parametrize("name", NAMES)
def test_one_name_is_found_by_two_builds_a_halving(name: str) -> None:
    build = Build({"module": name})
    assert build.found() == ((Attribution((name,), frozenset({fact("module")})),), frozenset())
    assert build.builds <= 10


def test_several_variations_each_with_its_own_facts() -> None:
    build = Build({"one": "b", "two": "s", "both": "s", "three": "a"})
    assert build.found()[0] == (
        Attribution(("a",), frozenset({fact("three")})),
        Attribution(("b",), frozenset({fact("one")})),
        Attribution(("s",), frozenset({fact("two"), fact("both")})),
    )


@pytest.mark.parametrize("pair", ["as", "ab", "jk", "rs"])
def test_what_takes_two_together(pair: str) -> None:
    build = Build({"module": pair})
    assert build.found() == ((Attribution(tuple(pair), frozenset({fact("module")})),), frozenset())


def test_nothing_differs() -> None:
    build = Build({})
    assert build.found() == ((), frozenset())
    assert build.builds == 0


def test_what_never_comes_again_is_unexplained() -> None:
    once = frozenset({fact("chance")})
    never: Callable[[frozenset[str]], frozenset[DifferingFact]] = lambda _: frozenset()  # noqa: E731
    assert search(NAMES, once, never) == ((), once)


def test_a_single_variation_needs_no_further_build() -> None:
    build = Build({"module": "a"})
    assert search(("a",), frozenset({fact("module")}), build)[0] == (Attribution(("a",), frozenset({fact("module")})),)
    assert build.builds == 0


def test_what_differs_by_the_time_that_went_by_is_attributed_to_nothing() -> None:
    """A minute ends while it is searched, so that all builds from then on have another one than the first."""
    build = Build({"module": "c"})

    def later(applied: frozenset[str]) -> frozenset[DifferingFact]:
        found = build(applied)
        return found | {fact("minute")} if build.builds > 3 else found

    build.builds = 3
    facts = later(frozenset(NAMES))
    build.builds = 0
    attributions, _ = search(NAMES, facts, later)
    assert sum(fact("minute") in each.facts for each in attributions) > 1
    kept, late = confirmed(attributions, lambda: later(frozenset()))
    assert kept == (Attribution(("c",), frozenset({fact("module")})),)
    assert late == {fact("minute")}


def test_one_more_build_is_made_only_where_something_differs_by_several_variations() -> None:
    once = (Attribution(("a",), frozenset({fact("one")})), Attribution(("b",), frozenset({fact("two")})))
    assert confirmed(once, lambda: pytest.fail("built")) == (once, frozenset())
    # They may both make the difference.
    twice = (*once, Attribution(("c",), frozenset({fact("one")})))
    assert confirmed(twice, frozenset) == (twice, frozenset())
