"""What a bisection shows decides the cause, where the bytes show none or another one."""

from __future__ import annotations

import pytest
from samebytes_tools.commands.check.attribution import CAUSES, MOMENT, decided, variations_of
from samebytes_tools.commands.check.bisect import Attribution
from samebytes_tools.commands.check.facts import DifferingFact
from samebytes_tools.commands.check.subject import (
    FROM_SDIST,
    SDIST,
    WHEEL,
    BisectionResult,
    CheckOutcome,
    CheckResult,
    WayResult,
)
from samebytes_tools.comparison.causes.table import UNKNOWN, by_code
from samebytes_tools.comparison.model import (
    ComparedFile,
    Comparison,
    Difference,
    Evidence,
    Finding,
    NodeKind,
    Verdict,
)
from samebytes_tools.variations.variations import NAMES

from samebytes.artifact.layout import ArtifactKind

WHAT = Evidence("line 1", b"a", b"b")


def difference(*codes: str, name: str = "demo/about.txt", kind: NodeKind = NodeKind.TEXT, **more: object) -> Difference:
    return Difference(name, kind, "differs", (), tuple(Finding(code, WHAT) for code in codes), **more)  # type: ignore[arg-type]


def named(
    node: Difference, *variations: str, aspect: str = "contents", kind: str = WHEEL, name: str = "demo-1.whl"
) -> list[str]:
    """Return the codes that *node* has after the bisection found *variations* for one member and aspect."""
    member = "" if node.kind is NodeKind.CONTAINER else node.name.removeprefix("demo-1/")
    facts = frozenset({DifferingFact(kind, member, aspect)})
    found = tuple(Attribution((each,), facts) for each in variations if each != MOMENT)
    bisection = BisectionResult(found, facts if MOMENT in variations else frozenset(), frozenset(), 3)
    file = ComparedFile(f"out/{name}", "0", 1)
    comparison = Comparison(file, file, ArtifactKind.WHEEL, Verdict.DIFFERENT, (node,))
    (changed,) = decided(kind, comparison, bisection).differences
    return [finding.code for each in changed.walk() for finding in each.findings]


def test_every_variation_decides_a_cause() -> None:
    assert set(CAUSES) == {*NAMES, MOMENT}
    for codes in CAUSES.values():
        assert [by_code(code).code for code in codes] == list(codes)
        assert UNKNOWN not in codes


@pytest.mark.parametrize("variation", CAUSES)
def test_what_the_bytes_leave_open_is_decided(variation: str) -> None:
    assert named(difference(UNKNOWN), variation) == [CAUSES[variation][0]]


@pytest.mark.parametrize("variation", NAMES)
def test_what_the_bytes_show_more_exactly_stays(variation: str) -> None:
    for code in CAUSES[variation]:
        assert named(difference(code, UNKNOWN), variation) == [code]


def test_what_contradicts_the_bisection_goes() -> None:
    assert named(difference("D008"), "file-order") == ["D009"]
    assert named(difference("D013", "D008"), "host") == ["D004"]


def test_of_several_variations_each_has_its_cause() -> None:
    assert named(difference(UNKNOWN), "host", "user") == ["D004", "D003"]
    assert named(difference("D003"), "host", "user") == ["D003", "D004"]
    assert named(difference("D003", UNKNOWN), "host", "user") == ["D003", "D004"]


def test_a_moment_leaves_what_the_bytes_show() -> None:
    """Variations may show in the same place as what changes by itself, and are not looked for there."""
    assert named(difference("D004", UNKNOWN), MOMENT) == ["D004", "D030"]
    # An order of threads looks like that of a set.
    assert named(difference("D008"), MOMENT) == ["D030"]
    assert named(difference("D005"), MOMENT) == ["D005"]


def test_what_is_unknown_beside_a_moment_is_no_variation_that_the_bytes_show() -> None:
    assert named(difference("D001", "D005", UNKNOWN), MOMENT) == ["D001", "D005"]
    node = difference("D001", "D005", children=(difference(UNKNOWN, name="part"),))
    assert named(node, MOMENT) == ["D001", "D005", "D005"]


def test_children_are_decided_too() -> None:
    node = difference(name="demo/x.json", kind=NodeKind.JSON, children=(difference(UNKNOWN, name="a.b"),))
    assert named(node, "terminal") == ["D029"]


def test_members_and_containers_have_the_aspects_that_they_show() -> None:
    modes = difference(UNKNOWN, kind=NodeKind.CONTAINER, passes=("Z003",))
    assert named(modes, "umask", aspect="mode") == ["D010"]
    assert named(modes, "mtimes", aspect="time") == [UNKNOWN]
    lone = difference(UNKNOWN, kind=NodeKind.MISSING)
    assert named(lone, "leftovers", aspect="presence") == ["D020"]
    assert named(lone, "leftovers") == [UNKNOWN]
    release = difference(UNKNOWN, name="release", kind=NodeKind.MEMBER)
    assert named(difference(UNKNOWN), "time", aspect="mode") == [UNKNOWN]
    facts = frozenset({DifferingFact(WHEEL, "", "name")})
    file = ComparedFile("x.whl", "0", 1)
    comparison = Comparison(file, file, ArtifactKind.WHEEL, Verdict.DIFFERENT, (release,))
    found = BisectionResult((Attribution(("time",), facts),), frozenset(), frozenset(), 1)
    assert decided(WHEEL, comparison, found).causes == ("D005",)


def test_members_of_sdists_are_found_without_their_directory() -> None:
    node = difference(UNKNOWN, name="demo-1/about.txt")
    assert named(node, "host", kind=SDIST, name="demo-1.tar.gz") == ["D004"]


def test_a_wheel_from_the_sdist_differs_as_that_of_the_tree() -> None:
    facts = frozenset({DifferingFact(WHEEL, "demo/about.txt", "contents")})
    file = ComparedFile("demo-1.whl", "0", 1)
    comparison = Comparison(file, file, ArtifactKind.WHEEL, Verdict.DIFFERENT, (difference(UNKNOWN),))
    found = BisectionResult((Attribution(("host",), facts),), frozenset(), frozenset(), 1)
    assert decided(FROM_SDIST, comparison, found).causes == ("D004",)
    # Nothing is known of it.
    assert decided(SDIST, comparison, found) is comparison


def test_what_nothing_was_found_for_stays_as_it_is() -> None:
    assert named(difference(UNKNOWN, "D008")) == [UNKNOWN, "D008"]


def by_clock(*codes: str) -> list[str]:
    """Return what is named of a member that differs by the moment, and not while the clock stands still."""
    node = difference(*codes)
    facts = frozenset({DifferingFact(WHEEL, node.name, "contents")})
    file = ComparedFile("out/demo-1.whl", "0", 1)
    comparison = Comparison(file, file, ArtifactKind.WHEEL, Verdict.DIFFERENT, (node,))
    bisection = BisectionResult((), facts, frozenset(), 1, facts)
    ways = (WayResult("as is", (CheckOutcome(WHEEL, comparison=comparison),)),)
    result = CheckResult("demo", "3.11.7", ways=ways, bisection=bisection)
    assert variations_of(result)(comparison, node) == ("time",)
    (changed,) = decided(WHEEL, comparison, bisection).differences
    return [finding.code for finding in changed.findings]


def test_the_clock_leaves_what_the_bytes_show_in_other_lines() -> None:
    """Since each build differs there, no other variation is looked for in that member."""
    assert by_clock("D001", "D004", "D005") == ["D001", "D004", "D005"]
    assert by_clock("D005", "D010", "D012") == ["D005", "D010", "D012"]
    # While the clock stands still all is the same, so an order is not by chance.
    assert by_clock("D005", "D008") == ["D005", "D008"]
    assert by_clock(UNKNOWN) == ["D005"]
    assert by_clock("D004") == ["D004", "D005"]


def test_an_order_beside_what_is_by_chance_stays_open() -> None:
    """It may be by a set, by a listing, or by chance as well; alone in its member, it is by chance."""
    assert named(difference("D008"), MOMENT) == ["D030"]
    assert named(difference(UNKNOWN, "D008"), MOMENT) == ["D030", UNKNOWN]
    assert named(difference("D005", "D009"), MOMENT) == ["D005", UNKNOWN]
    assert named(difference("D005", "D008"), MOMENT, "hash-seed") == ["D005", "D008"]
