"""A variation that makes a difference decides its cause, where the bytes leave it open or show another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...comparison.causes.table import UNKNOWN
from ...comparison.model import Comparison, Difference, NodeKind
from .facts import DifferingFact, top_directory
from .subject import FROM_SDIST, WHEEL, BisectionResult, CheckResult

__all__ = ["CAUSES", "MOMENT", "decided", "variations_of"]

MOMENT = "the moment"
"""Stands for that nothing was varied, and the builds differ all the same."""

_ENVIRONMENT = "D027"
"""Any variation may show in environment variables that are written out."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    "build-path": ("D001", "D003", "D017", _ENVIRONMENT),
    "temp": ("D002", "D001", "D017", _ENVIRONMENT),
    "home": ("D028", "D003", _ENVIRONMENT),
    "user": ("D003", _ENVIRONMENT),
    "host": ("D004", _ENVIRONMENT),
    "umask": ("D010",),
    "owner": ("D012", "D003", "D016"),
    "mtimes": ("D011",),
    "file-order": ("D009",),
    "timezone": ("D007", "D005", _ENVIRONMENT),
    "locales": ("D006", "D005", _ENVIRONMENT),
    "hash-seed": ("D008", _ENVIRONMENT),
    "time": ("D005", "D011", "D018", "D016", _ENVIRONMENT),
    "processors": ("D021", _ENVIRONMENT),
    "parallelism": ("D021", _ENVIRONMENT),
    "terminal": ("D029", _ENVIRONMENT),
    "exec-path": (_ENVIRONMENT, "D001"),
    "leftovers": ("D031", "D020"),
    "checkout": ("D016", "D005"),
    MOMENT: ("D030", "D002", "D005", "D011", "D018"),
}
"""By variation the code of the cause that it decides, and others that the bytes may show more exactly."""

_BY_CLOCK = ("time", MOMENT)
"""Stands for that nothing was varied but the time that went by."""


def _varied(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variations that *names* stand for."""
    return names[:1] if names == _BY_CLOCK else names


_ORDERS = frozenset({"D008", "D009"})
"""What an order by chance looks like."""

_PRESENCE = {"leftovers": ("D020", "D031")}
"""The same, for members that only one side has."""

_ASPECTS = {
    "Z001": "order",
    "T001": "order",
    "Z002": "time",
    "T002": "time",
    "Z003": "mode",
    "T003": "mode",
    "T004": "owner",
}
"""What the passes are about that nodes of the container are of."""


def decided(kind: str, comparison: Comparison, bisection: BisectionResult) -> Comparison:
    """Return *comparison*, of artifacts of *kind*, with the causes that *bisection* shows."""
    found = _by_place(kind, bisection)
    if not found:
        return comparison
    top = top_directory(Path(comparison.left.path).name)
    return replace(comparison, differences=tuple(_decided(node, top, found) for node in comparison.differences))


def variations_of(result: CheckResult) -> Callable[[Comparison, Difference], tuple[str, ...]]:
    """Return what gives the variations that a bisection has shown a difference at the top of a comparison to be by."""
    outcomes = result.ways[0].outcomes if result.ways else ()
    bisection = result.bisection
    places = [(one.comparison, _by_place(one.kind, bisection)) for one in outcomes if one.comparison and bisection]

    def variations(comparison: Comparison, node: Difference) -> tuple[str, ...]:
        found = next((found for one, found in places if one is comparison), {})
        top = top_directory(Path(comparison.left.path).name)
        groups = map(_varied, _found(node, top, found))
        return tuple(dict.fromkeys(name for names in groups for name in names))

    return variations


_Places = Mapping[tuple[str, str], Sequence[tuple[str, ...]]]
"""By member and aspect the variations that it differs by; those in one tuple make a difference together."""


def _by_place(kind: str, bisection: BisectionResult) -> _Places:
    everything = [(each.names, each.facts) for each in bisection.attributions]
    everything += [((MOMENT,), bisection.by_moment - bisection.by_clock), (_BY_CLOCK, bisection.by_clock)]
    built = {fact.artifact for _, facts in everything for fact in facts}
    # A bisection builds no wheel from the sdist where that of the tree differs.
    artifact = WHEEL if kind == FROM_SDIST and kind not in built else kind
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for names, facts in everything:
        for fact in facts:
            if fact.artifact == artifact:
                found.setdefault(_place(fact), []).append(names)
                # Members together, for a node of the container is about all of them.
                found.setdefault(("", fact.aspect), []).append(names)
    return found


def _place(fact: DifferingFact) -> tuple[str, str]:
    return (fact.member, "contents" if fact.aspect == "kind" else fact.aspect)


def _decided(node: Difference, top: str, found: _Places) -> Difference:
    return _attributed(node, _found(node, top, found), _PRESENCE if node.kind is NodeKind.MISSING else None)


def _found(node: Difference, top: str, found: _Places) -> Sequence[tuple[str, ...]]:
    """Return the variations in *found* that *node*, at the top of a tree, is by."""
    if node.kind is NodeKind.CONTAINER:
        aspects = {_ASPECTS[code] for code in node.passes if code in _ASPECTS}
        return [names for aspect in aspects for names in found.get(("", aspect), ())]
    member = node.name.removeprefix(top)
    if node.kind is NodeKind.MISSING:
        return found.get((member, "presence"), ())
    if node.kind is NodeKind.MEMBER and node.name == "release":
        return found.get(("", "name"), ())
    aspect = "mode" if node.kind is NodeKind.MEMBER else "contents"
    # Under another version the same member has another name.
    return found.get((member, aspect)) or found.get((member, "presence"), ())


def _attributed(
    node: Difference, variations: Sequence[tuple[str, ...]], special: Mapping[str, tuple[str, ...]] | None = None
) -> Difference:
    """Return *node* with causes that *variations* make possible, at least one of each."""
    named = _codes(node)
    if not variations or not named:
        return node
    table = {**CAUSES, **(special or {})}
    groups = [tuple(code for name in _varied(names) for code in table[name]) for names in dict.fromkeys(variations)]
    shown = {code for group in groups for code in group}
    possible = set(shown)
    # Of what changes by itself nothing else can be known: variations may show in the same place. An order is by chance
    # as well, but not where all is the same while the clock stands still.
    if {(MOMENT,), _BY_CLOCK} & set(variations):
        possible |= named - {UNKNOWN} - (_ORDERS if (MOMENT,) in variations else set())
    missing = list(dict.fromkeys(group[0] for group in groups if named.isdisjoint(group)))
    # Not what only a moment lets stand, of which the bisection knows nothing.
    instead = (missing or sorted(named & shown))[0]
    changed = _replaced(node, possible, instead)
    # An order beside what is by chance for certain may be so, too, or by a variation that cannot be seen there.
    if (MOMENT,) in variations and named - _ORDERS:
        hidden = _ORDERS - shown
        changed = _replaced(_replaced(node, possible | hidden, instead), (named | possible) - hidden, UNKNOWN)
    first = next(finding for each in node.walk() for finding in each.findings)
    lacking = [code for code in missing if code not in _codes(changed)]
    return replace(changed, findings=(*changed.findings, *(replace(first, code=code) for code in lacking)))


def _codes(node: Difference) -> set[str]:
    return {finding.code for each in node.walk() for finding in each.findings}


def _replaced(node: Difference, possible: set[str], instead: str) -> Difference:
    """Return *node* with every cause that is not among *possible* replaced."""
    findings = dict.fromkeys(one if one.code in possible else replace(one, code=instead) for one in node.findings)
    children = tuple(_replaced(child, possible, instead) for child in node.children)
    return replace(node, findings=tuple(findings), children=children)
