"""Shares over time as a chart: places for the template to draw, in per cent across, so that text is never scaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LEFT, RIGHT = 9.0, 97.0
"""Where the first and the last point stand, in per cent of the width."""
TOP, BOTTOM = 20.0, 220.0
"""Where 100 % and 0 % are, in pixels."""
LABELS = 3
"""At most so many dates are written below: as many as a phone has room for."""


class Point(NamedTuple):
    x: float
    y: float


class Line(NamedTuple):
    """One of several lines, told apart by its number."""

    name: str
    points: Sequence[Point]
    newest: float | None

    @property
    def segments(self) -> Sequence[tuple[Point, Point]]:
        return list(zip(self.points, self.points[1:]))


class Label(NamedTuple):
    x: float
    text: str
    anchor: str


class Chart(NamedTuple):
    lines: Sequence[Line]
    labels: Sequence[Label]
    levels: Sequence[tuple[float, int]]
    """Where a grid line is, and what it stands for."""


def chart(dates: Sequence[str], shares: Sequence[tuple[str, Sequence[float | None]]]) -> Chart:
    """Return the chart of some lines: the name of each, and a share for each of *dates*, from 0 to 1, or None."""
    places = [_x(at, len(dates)) for at in range(len(dates))]
    lines = [
        Line(
            name,
            [Point(x, _y(share)) for x, share in zip(places, values) if share is not None],
            next((share for share in reversed(values) if share is not None), None),
        )
        for name, values in shares
    ]
    levels = [(_y(level / 100), level) for level in (0, 25, 50, 75, 100)]
    return Chart(lines, _labels(dates, places), levels)


def _x(at: int, number: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * at / (number - 1), 2) if number > 1 else 50.0


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def _labels(dates: Sequence[str], places: Sequence[float]) -> list[Label]:
    last = len(dates) - 1
    steps = min(LABELS, len(dates)) - 1
    chosen = [round(last * step / steps) for step in range(steps + 1)] if steps > 0 else [*range(len(dates))]
    anchors = {0: "start", last: "end"} if last > 0 else {}
    return [Label(places[at], dates[at], anchors.get(at, "middle")) for at in chosen]
