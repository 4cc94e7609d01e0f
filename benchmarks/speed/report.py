"""What was measured, as tables to read and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from contenders import CANONICAL, Contender
from inputs import Input
from measure import Ratio, Series, median, ratio
from synthetic import MEGABYTE
from targets import Results, Target, by_input, per_member

SCHEMA_VERSION = 1


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the first of them a heading, in columns; all but the first column are aligned to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def inputs_table(sources: Iterable[Input]) -> str:
    """Return what was measured on."""
    rows = [("input", "bytes", "SHA-256", "file")]
    rows += [(one.name, f"{one.size:,}", one.sha256, one.path.name) for one in sources]
    return table(rows)


def contenders_table(field: Iterable[Contender]) -> str:
    """Return what each contender is."""
    width = max(len(one.name) for one in field)
    return "\n".join(f"{one.name.ljust(width)}  {one.what}" for one in field)


def measured_table(series: Sequence[Series]) -> str:
    """Return every contender on every input: medians, and wall and CPU time over those of canonical samebytes."""
    results = by_input(series)
    heading = (
        "input, contender",
        "rounds",
        "wall ms",
        "CPU ms",
        "peak MB",
        "out bytes",
        "wall / samebytes",
        "CPU / samebytes",
    )
    rows: list[tuple[str, ...]] = [heading]
    for one in series:
        if one.runs:
            rows.append(_measured(one, results[one.source, CANONICAL]))
        elif not one.missing.startswith("not for "):
            rows.append((f"{one.source}, {one.contender}", "0", *("-",) * 6))
    return table(rows)


def _measured(one: Series, ours: Series) -> tuple[str, ...]:
    return (
        f"{one.source}, {one.contender}",
        str(len(one.runs)),
        f"{1000 * median(one, 'wall'):.0f}",
        f"{1000 * median(one, 'cpu'):.0f}",
        f"{median(one, 'peak') / MEGABYTE:.1f}",
        f"{median(one, 'size'):,.0f}",
        spread(ratio(ours, one, "wall")),
        spread(ratio(ours, one, "cpu")),
    )


def spread(found: Ratio | None) -> str:
    """Return a ratio with its extremes."""
    return f"{found.median:.2f} ({found.low:.2f}-{found.high:.2f})" if found else "-"


def missing_lines(series: Iterable[Series]) -> list[str]:
    """Return who could not be measured on what, and why."""
    left = [one for one in series if one.missing and not one.missing.startswith("not for ")]
    return [f"{one.source}, {one.contender}: {one.missing}" for one in left]


def members_lines(results: Results) -> list[str]:
    """Return what a further member costs."""
    peaks = dict(per_member(results, "peak"))
    return [
        f"up to {count:,} members: {1e6 * seconds:.0f} us and {peaks[count]:,.0f} bytes of memory for each further one"
        for count, seconds in per_member(results, "wall")
    ]


def targets_table(targets: Iterable[Target], results: Results) -> str:
    """Return each target with what was measured and whether it is met."""
    rows = [("what", "target", "measured", "met")]
    for target in targets:
        value = target.measured(results)
        bound = f"{'>=' if target.at_least else '<='} {target.bound:g} {target.unit}"
        shown = "-" if value is None else f"{value:.2f} {target.unit}"
        rows.append(
            (target.text, bound, shown, "not measured" if value is None else "yes" if target.met(value) else "NO")
        )
    return table(rows)


def document(
    sources: Iterable[Input], series: Iterable[Series], targets: Iterable[Target], facts: Mapping[str, object]
) -> dict[str, object]:
    """Return everything, for a machine: each run of each series, too."""
    series = list(series)
    results = by_input(series)
    return {
        "schema_version": SCHEMA_VERSION,
        "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
        **facts,
        "inputs": [
            {"name": one.name, "file": one.path.name, "size": one.size, "sha256": one.sha256} for one in sources
        ],
        "series": [
            {
                "input": one.source,
                "contender": one.contender,
                "missing": one.missing or None,
                "runs": [run._asdict() for run in one.runs],
            }
            for one in series
        ],
        "targets": [_target(target, target.measured(results)) for target in targets],
    }


def _target(target: Target, value: float | None) -> dict[str, object]:
    met = None if value is None else target.met(value)
    return {
        "text": target.text,
        "at_least": target.at_least,
        "bound": target.bound,
        "unit": target.unit,
        "measured": value,
        "met": met,
    }


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write *content* to *path*."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
