"""All packages as rows of a table, and its static pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..model import Summary
from .results import NOT_YET, Outcome, Standing, letters_of, standing, state_label, way_outcomes

ROWS = 200
"""How many are on a page."""


class Row(NamedTuple):
    """A package, as the table shows it."""

    name: str
    version: str
    rank: int | None
    backend: str
    is_pure: bool | None
    started: int
    """When it was examined, in seconds since 1970-01-01 UTC."""
    letters: str
    standing: Standing
    label: str
    """The standing's, or why there is none."""
    causes: tuple[str, ...]

    @property
    def ways(self) -> Sequence[Outcome]:
        return way_outcomes(self.letters)


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


def rows_of(summaries: Iterable[Summary]) -> list[Row]:
    """Return all packages by rank, those without one last, by name."""
    rows = [_row(summary) for summary in summaries]
    rows.sort(key=lambda row: (row.rank is None, row.rank or 0, row.name))
    return rows


def _row(summary: Summary) -> Row:
    letters = letters_of(summary)
    found = standing(summary.state, letters)
    return Row(
        summary.name,
        summary.version,
        summary.rank,
        summary.backend,
        summary.is_pure,
        summary.started,
        letters,
        found,
        state_label(summary.state, found),
        summary.causes,
    )


def ordered(rows: Sequence[Row], order: Order) -> Sequence[Row]:
    """Return *rows*, which are by rank, in another *order*."""
    if order is NAME:
        return sorted(rows, key=lambda row: row.name)
    if order is PENDING:
        return [row for row in rows if row.standing is NOT_YET]
    return rows


def pages(rows: Sequence[Any]) -> Iterator[Page]:
    """Yield the static pages of *rows*, of whatever kind: one page at least."""
    last = max(1, -(-len(rows) // ROWS))
    for number in range(1, last + 1):
        at = (number - 1) * ROWS
        yield Page(number, last, at + 1, rows[at : at + ROWS], len(rows))


def near(number: int, last: int) -> list[int]:
    """Return the pages to link from page *number*: the first, the last, those around it; 0 where some are left out."""
    wanted = sorted({1, 2, last - 1, last, *range(number - 2, number + 3)} & set(range(1, last + 1)))
    found: list[int] = []
    for one in wanted:
        if found and one > found[-1] + 1:
            found.append(0)
        found.append(one)
    return found
