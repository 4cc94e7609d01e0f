"""Tables of many packages, page by page: all of them, and those that a cause hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ....comparison.causes.cause import Cause
from ....comparison.causes.table import by_code
from ..model import KINDS, WAYS, Hit, Summary
from .results import NOT_YET, Result, result_of

ROWS = 200
"""How many are on a page."""


class ListingRow(NamedTuple):
    """A package, as the table shows it."""

    summary: Summary
    result: Result


class Order(NamedTuple):
    """One of the orders in which there are static pages."""

    key: str
    title: str
    heading: str


RANK = Order("rank", "Packages by rank", "Packages")
NAME = Order("name", "Packages by name", "Packages")
PENDING = Order("not-yet", "Packages not reproducible yet", "Not reproducible yet")
ORDERS = (RANK, NAME, PENDING)


class Page(NamedTuple):
    """One static page of many."""

    number: int
    last: int
    first_row: int
    """From 1."""
    rows: Sequence[Any]
    total: int
    """Rows on all pages."""

    @property
    def near(self) -> list[int]:
        """The pages to link to: the first, the last, those around it; 0 where some are left out."""
        around = range(self.number - 2, self.number + 3)
        found: list[int] = []
        for one in sorted({1, 2, self.last - 1, self.last, *around} & set(range(1, self.last + 1))):
            found += [0, one] if found and one > found[-1] + 1 else [one]
        return found


def pages(rows: Sequence[Any]) -> Iterator[Page]:
    """Give the static pages of *rows*, of whatever kind: one page at least."""
    last = max(1, -(-len(rows) // ROWS))
    for number in range(1, last + 1):
        at = (number - 1) * ROWS
        yield Page(number, last, at + 1, rows[at : at + ROWS], len(rows))


def rows_of(summaries: Iterable[Summary]) -> list[ListingRow]:
    """Return all packages by rank, those without one last, by name."""
    rows = [ListingRow(summary, result_of(summary)) for summary in summaries]
    return sorted(rows, key=lambda row: (row.summary.rank is None, row.summary.rank or 0, row.summary.name))


def ordered(rows: Sequence[ListingRow], order: Order) -> Sequence[ListingRow]:
    """Return *rows*, which are by rank, in another *order*."""
    if order is NAME:
        return sorted(rows, key=lambda row: row.summary.name)
    return [row for row in rows if row.result.standing is NOT_YET] if order is PENDING else rows


class Struck(NamedTuple):
    """A package that a cause hits."""

    name: str
    version: str
    kinds: Sequence[Sequence[str]]
    """For each way, the kinds of artifacts that it hits."""
    member: str
    """Where it was found first."""
    where: str


class Found(NamedTuple):
    """A cause, and how many packages it hits."""

    cause: Cause
    packages: int
    by_way: Sequence[int]


def cause_of(code: str) -> Cause:
    """Return the cause with *code*; of a code that a newer samebytes wrote, what can be said of it."""
    try:
        return by_code(code)
    except KeyError:
        remedy = "Update samebytes."
        return Cause(code, "of a newer samebytes", "This samebytes does not know it.", remedy, lambda *_: False)


def struck(hits: Iterable[Hit]) -> Iterator[Struck]:
    """Give the packages of *hits*, which come by package."""
    for (name, version), group in groupby(hits, key=lambda hit: (hit.name, hit.version)):
        some = list(group)
        kinds = [[kind for kind in KINDS if any((hit.way, hit.kind) == (way, kind) for hit in some)] for way in WAYS]
        yield Struck(name, version, kinds, some[0].cause.member, some[0].cause.where)


def found(cause: Cause, packages: Sequence[Struck]) -> Found:
    """Return how many *packages* the cause hits, in all and in each way."""
    return Found(cause, len(packages), [sum(1 for one in packages if one.kinds[at]) for at in range(len(WAYS))])
