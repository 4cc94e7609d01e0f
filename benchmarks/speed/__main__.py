"""How fast samebytes is, beside its peers and beside what the work takes at the least, on real wheels and sdists.

    python benchmarks/speed [--rounds N] [--only NAME ...] [--members] [--large] [--json FILE] [--charts DIR]

Fetches the inputs, makes an environment with samebytes and the peers, measures everything in turn, and prints tables:
who was measured, what each took, and which targets are met. Needs a POSIX system, a package index, and for
strip-nondeterminism apt and root. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import quiet
import report
import synthetic
from chart import Chart, Group, Row, draw
from contenders import (
    CANONICAL,
    FLOOR,
    KEEP,
    REPAIRWHEEL,
    RETAR,
    ROOT,
    STRIP,
    WHEEL,
    ZIP_REWRITE,
    Contender,
    contenders,
    has_keep,
    install,
    install_strip_nondeterminism,
    unfit,
    versions,
)
from inputs import PUBLISHED, Input, fetch
from measure import Series, compete, ratio
from targets import Results, all_targets, by_input


def main() -> int:
    """Measure and tell."""
    options = _options()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    cores = _pin(options.jobs)
    programs = install(work / "environment", str(options.samebytes))
    field = contenders(programs, options.jobs)
    sources = _sources(options, work / "inputs")
    facts = {
        "versions": versions(programs),
        "jobs": options.jobs,
        "cores_used": cores,
        "rounds": options.rounds,
        "cores_free_before": _free(options.jobs),
    }
    print(report.contenders_table(field), "", report.inputs_table(sources), "", facts, "", sep="\n", flush=True)
    series = _measured(options, sources, field, programs)
    facts["cores_free_after"] = _free(options.jobs)
    _tell(series)
    if options.json:
        report.write_json(options.json, report.document(sources, series, all_targets(), facts))
    if options.charts:
        write_charts(options.charts, sources, by_input(series))
    return 0


def _options() -> argparse.Namespace:
    default = Path(tempfile.gettempdir(), "samebytes-speed")
    parser = argparse.ArgumentParser(prog="python benchmarks/speed", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: 5; 2 for who is slow)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these inputs only, such as numpy")
    parser.add_argument("--members", action="store_true", help="also wheels of 10 to 50,000 members")
    parser.add_argument("--large", action="store_true", help="also a wheel of 1 GB and an sdist of 300 MB (minutes)")
    parser.add_argument("--jobs", type=int, default=2, help="cores that samebytes may use, and all run on (default: 2)")
    parser.add_argument("--samebytes", default=ROOT, type=Path, help="what to install (default: this tree)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--charts", type=Path, metavar="DIR", help="draw the ratios there")
    parser.add_argument("--work", type=Path, default=default, help="where inputs and environment are kept")
    return parser.parse_args()


def _pin(jobs: int) -> int:
    """Confine this process and its children to *jobs* cores, where that can be done; return how many there are."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:jobs])
    return len(os.sched_getaffinity(0))


def _free(jobs: int) -> float:
    """Return how many cores are free, and warn if others use them."""
    free: float = round(quiet.free_cores(jobs), 2)
    if free < jobs * quiet.ENOUGH:
        print(f"the machine is busy: of {jobs} cores {free} are free; the figures will mislead", file=sys.stderr)
    return free


def _sources(options: argparse.Namespace, directory: Path) -> list[Input]:
    directory.mkdir(parents=True, exist_ok=True)
    sources = [fetch(one, directory) for one in PUBLISHED if not options.only or one.name in options.only]
    if options.members:
        sources += synthetic.many_members(directory)
    if options.large:
        sources += synthetic.large(directory)
    return sources


def _measured(
    options: argparse.Namespace, sources: Sequence[Input], field: Sequence[Contender], programs: Path
) -> list[Series]:
    strip_missing, keep = install_strip_nondeterminism(), has_keep(programs)
    series: list[Series] = []
    for source in sources:
        print(f"measuring {source.name}", file=sys.stderr, flush=True)
        published = any(one.name == source.name for one in PUBLISHED)
        reasons = {one.name: unfit(one, source, strip_missing, keep) for one in field}
        fit = [one for one in field if not reasons[one.name] and (published or one.name in (CANONICAL, KEEP, FLOOR))]
        series += [Series(source.name, name, (), reason) for name, reason in reasons.items() if reason]
        series += compete(source, fit, options.rounds, options.work)
    return series


def _tell(series: Sequence[Series]) -> None:
    results = by_input(series)
    parts = [report.measured_table(series), *report.missing_lines(series), "", *report.members_lines(results), ""]
    print("\n".join(parts))
    print(report.targets_table(all_targets(), results))


def write_charts(directory: Path, sources: Iterable[Input], results: Results) -> None:
    """Draw who takes how many times as long as canonical samebytes, and as samebytes that keeps streams."""
    sources = list(sources)
    _write_chart(
        directory / "speed-canonical.svg",
        "Compressing anew: time of others, relative to samebytes normalize",
        CANONICAL,
        _groups(sources, results, CANONICAL, (WHEEL, ZIP_REWRITE, REPAIRWHEEL, RETAR)),
    )
    _write_chart(
        directory / "speed-keep.svg",
        "Copying streams: time of others, relative to samebytes normalize --deflate keep",
        KEEP,
        _groups(sources, results, KEEP, (STRIP, FLOOR)),
    )


def _write_chart(path: Path, title: str, ours: str, groups: tuple[Group, ...]) -> None:
    if not groups:
        return
    subtitle = "Median of the rounds (dot), smallest to largest (line). Right of 1, samebytes is faster."
    axis = f"wall time divided by that of {ours} (logarithmic)"
    path.write_text(draw(Chart(title, subtitle, axis, ours, groups)), encoding="utf-8")


def _groups(sources: Iterable[Input], results: Results, ours: str, others: Sequence[str]) -> tuple[Group, ...]:
    groups = []
    for source in sources:
        rows = tuple(_rows(source.name, results, ours, others))
        if rows:
            groups.append(Group(f"{source.name}, {_readable(source.size)}", rows))
    return tuple(groups)


def _rows(source: str, results: Results, ours: str, others: Sequence[str]) -> list[Row]:
    own = results.get((source, ours))
    found = [(name, ratio(own, results[source, name], "wall")) for name in others if own and (source, name) in results]
    return [Row(name, one) for name, one in found if one is not None]


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
