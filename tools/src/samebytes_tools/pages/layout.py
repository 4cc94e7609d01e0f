"""What stands where on a page about comparisons: what matters first, each piece of evidence once, filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..comparison.causes.table import by_code
from ..comparison.model import Comparison, Difference, NodeKind
from ..reporting.overview import alike, codes_of, parts


class SectionGroup(NamedTuple):
    """Differences that show one evidence."""

    first: Difference
    others: Sequence[Difference]
    codes: Sequence[str]


class PageSection(NamedTuple):
    """What there is to show of one comparison."""

    comparison: Comparison
    number: int
    """On the page, from 1 on."""
    groups: Sequence[SectionGroup]
    """Of what normalizing leaves."""
    following: Sequence[Difference]
    """Of that, what has no cause of its own, for it follows from others."""
    again: Sequence[Difference]
    """Of that, what another section has shown already."""
    removed: Sequence[Difference]
    """What normalizing removes."""
    head: str = ""
    """What it is a section on, beside the name of the files, such as the kind of an artifact."""


class PageFilter(NamedTuple):
    """A choice of what is shown."""

    mark: str
    """The class of what is shown then; of ours, so that it may stand in a style sheet."""
    label: str
    number: int


def page_sections(comparisons: Iterable[Comparison]) -> list[PageSection]:
    """Return a section for each of *comparisons*, in their order."""
    seen: set[object] = set()
    found = []
    for number, comparison in enumerate(comparisons, start=1):
        left, removed = parts(comparison)
        following = [node for node in left if _follows(node)]
        groups = alike(node for node in left if not _follows(node))
        new = [
            SectionGroup(group[0], group[1:], codes_of(group[0])) for key, group in groups.items() if key not in seen
        ]
        again = [node for key, group in groups.items() if key in seen for node in group]
        seen.update(groups)
        found.append(PageSection(comparison, number, new, following, again, removed))
    return found


def _follows(node: Difference) -> bool:
    """Return whether *node* has no cause, for it follows from others; not what only one side has."""
    return not codes_of(node) and node.kind not in (NodeKind.MISSING, NodeKind.MEMBER)


def cause_filters(comparisons: Iterable[Comparison]) -> list[PageFilter]:
    """Return a filter for each cause of what normalizing leaves; none if there is no choice."""
    nodes = [node for one in comparisons for node in parts(one)[0]]
    counts = Counter(code for node in nodes for code in codes_of(node))
    found = [PageFilter(code, f"{code} {by_code(code).name}", number) for code, number in sorted(counts.items())]
    return found if len(found) > 1 else []


def named_filters(names: Iterable[str]) -> list[PageFilter]:
    """Return a filter for each of *names*, of our own; none if there is no choice."""
    found = [PageFilter(mark(name), name, number) for name, number in Counter(names).items()]
    return found if len(found) > 1 else []


def mark(name: str) -> str:
    """Return *name*, one of ours, as a class."""
    return f"is-{name.replace(' ', '-')}"
