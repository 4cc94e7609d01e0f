"""Ratios as a chart: one row for each contender on each input, on a logarithmic axis, as SVG written by hand.

A dot is the median, the line through it goes from the smallest to the largest ratio. Colours follow the reader's light
or dark scheme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from measure import Ratio

WIDTH = 820
LEFT, RIGHT, TOP = 270, 130, 82
ROW, HEADING, BOTTOM = 24, 34, 58
TICKS = (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32)

STYLE = """\
  <style>
    svg { color-scheme: light dark }
    .back { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #57606a } .grid { stroke: #d0d7de }
    .one { stroke: #57606a } .mark { fill: #0a58b5 } .line { stroke: #0a58b5 } .slow { fill: #b54708 }
    .slowline { stroke: #b54708 }
    text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
    .title { font-size: 17px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 13px }
    .number { font-variant-numeric: tabular-nums }
    @media (prefers-color-scheme: dark) {
      .back { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9da7b3 } .grid { stroke: #30363d }
      .one { stroke: #9da7b3 } .mark { fill: #6cb6ff } .line { stroke: #6cb6ff } .slow { fill: #f0a35e }
      .slowline { stroke: #f0a35e }
    }
  </style>"""


class Row(NamedTuple):
    """A contender on an input."""

    label: str
    ratio: Ratio


class Group(NamedTuple):
    """An input, and who was measured on it."""

    heading: str
    rows: tuple[Row, ...]


class Chart(NamedTuple):
    """What is drawn, and how it is told to who cannot see it."""

    title: str
    subtitle: str
    axis: str
    ours: str
    """Whom the ratios are to: the line at 1."""
    groups: tuple[Group, ...]


def draw(chart: Chart) -> str:
    """Return *chart* as an SVG document."""
    rows = [row for group in chart.groups for row in group.rows]
    ticks = _ticks(rows)
    bottom = TOP + sum(HEADING + ROW * len(group.rows) for group in chart.groups)
    height = bottom + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="title desc">',
        f'  <title id="title">{escape(chart.title)}</title>',
        f'  <desc id="desc">{escape(description(chart))}</desc>',
        STYLE,
        f'  <rect class="back" width="{WIDTH}" height="{height}" rx="6"/>',
        _text(16, 28, chart.title, "ink title"),
        _text(16, 50, chart.subtitle, "soft small"),
        *_axis(ticks, bottom, chart),
        *_groups(chart.groups, ticks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def description(chart: Chart) -> str:
    """Return in words what the chart shows."""
    told = [
        f"{group.heading}: " + ", ".join(f"{row.label} {_number(row.ratio.median)}" for row in group.rows)
        for group in chart.groups
    ]
    return f"{chart.subtitle} {chart.axis}. {'; '.join(told)}."


def _ticks(rows: Sequence[Row]) -> list[float]:
    """Return the ticks from the last one below every ratio to the first one above; 1 is among them."""
    low = min(1.0, *(row.ratio.low for row in rows))
    high = max(1.0, *(row.ratio.high for row in rows))
    first = max(tick for tick in TICKS if tick <= low or tick == TICKS[0])
    last = min(tick for tick in TICKS if tick >= high or tick == TICKS[-1])
    return [tick for tick in TICKS if first <= tick <= last]


def _place(value: float, ticks: Sequence[float]) -> float:
    share = math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _axis(ticks: Sequence[float], bottom: float, chart: Chart) -> Iterator[str]:
    for tick in ticks:
        x = _place(tick, ticks)
        kind, wide = ("one", 2) if tick == 1 else ("grid", 1)
        yield f'  <line class="{kind}" x1="{x}" y1="{TOP - 4}" x2="{x}" y2="{bottom + 6}" stroke-width="{wide}"/>'
        yield _text(x, bottom + 24, f"{tick:g}", "ink small number", "middle")
    yield _text(_place(1, ticks), TOP - 11, chart.ours, "ink small", "middle")
    yield _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, bottom + 46, chart.axis, "soft small", "middle")


def _groups(groups: Sequence[Group], ticks: Sequence[float]) -> Iterator[str]:
    y = TOP
    for group in groups:
        y += HEADING
        yield _text(16, y - 8, group.heading, "ink head")
        for row in group.rows:
            yield from _row(row, y + ROW / 2, ticks)
            y += ROW


def _row(row: Row, y: float, ticks: Sequence[float]) -> Iterator[str]:
    low, middle, high = (_place(value, ticks) for value in (row.ratio.low, row.ratio.median, row.ratio.high))
    slow = row.ratio.median < 1
    line, mark = ("slowline", "slow") if slow else ("line", "mark")
    yield _text(LEFT - 14, y + 5, row.label, "ink", "end")
    yield f'  <line class="{line}" x1="{low}" y1="{y}" x2="{high}" y2="{y}" stroke-width="3" stroke-linecap="round"/>'
    yield f'  <circle class="{mark}" cx="{middle}" cy="{y}" r="6"/>'
    yield _text(WIDTH - RIGHT + 18, y + 5, f"{_number(row.ratio.median)} times", "ink number")


def _number(value: float) -> str:
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'  <text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
