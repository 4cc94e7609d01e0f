"""What a survey of many packages takes: the store's size, its queries, the site, and how long all of an index would be.

    python benchmarks/survey_scale.py [--packages N] [--directory DIR] [--site]
    python benchmarks/survey_scale.py --plan STORE --projects N [--processors N]

The first makes up examinations (tests/support/synthetic_survey.py: their shares are drawn, not measured), writes them
into a store as a runner does, all in one transaction, and takes the time of what reports ask. ``--site`` builds the
site too, and tells how many bytes its pages have. Times are the processor's, of one core.

The second reads what a real run took, and says what as many packages as an index has would take on machines of that
kind: the mean of seconds (times the processors that a job had) is what counts, for the longest are part of the bill.
Needs samebytes in the running interpreter.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from samebytes_tools.commands.survey.model import Examination, Run, Target
from samebytes_tools.commands.survey.store.store import Store
from samebytes_tools.comparison.causes import table
from support import synthetic_survey

DAY = 86_400


def main() -> int:
    """Measure, or plan, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--packages", type=int, default=100_000)
    parser.add_argument("--directory", type=Path, help="where the store and the site go, and stay")
    parser.add_argument("--site", action="store_true", help="build the site too")
    parser.add_argument("--plan", metavar="STORE", type=Path)
    parser.add_argument("--projects", type=int, help="for the plan: how many packages there are")
    parser.add_argument("--jobs", type=int, default=1, help="for the plan: how many packages the run examined at once")
    parser.add_argument("--processors", type=int, default=1, help="for the plan: how many its machine has")
    options = parser.parse_args()
    if options.plan:
        plan(options)
    elif options.directory:
        options.directory.mkdir(parents=True, exist_ok=True)
        measure(options, options.directory)
    else:
        with tempfile.TemporaryDirectory(prefix="samebytes-bench-") as name:
            measure(options, Path(name))
    return 0


def measure(options: argparse.Namespace, directory: Path) -> None:
    """Write a store in *directory*, ask it, and build its site."""
    (run,) = synthetic_survey.runs(1)
    with Store(directory) as store:
        taken = timed(lambda: fill(store, run, options.packages))
        print(f"{options.packages:,} packages written in {taken:.1f} s, in one transaction")
        taken = timed(lambda: record_one_by_one(store))
        print(f"one package claimed and recorded, as a runner does, in {taken * 1000 / 100:.1f} ms (of 100)")
    size = store.path.stat().st_size
    print(f"the store has {size / 1e6:.0f} MB: {size / options.packages / 1000:.2f} kB a package")
    with Store(directory) as store:
        for name, query in queries(store).items():
            print(f"{name:<40} {timed(query):8.3f} s")
        if options.site:
            site(store, directory / "site")


def fill(store: Store, run: Run, number: int) -> None:
    """Put so many examinations into *store*."""
    store.begin(run, (Target(synthetic_survey.name_of(rank), "", rank) for rank in range(1, number + 1)))
    with store.whole():
        for one in synthetic_survey.examinations(number, [run]):
            store.add(one)


def record_one_by_one(store: Store) -> None:
    """Claim and record 100 packages, each in its own transactions."""
    run = synthetic_survey.runs(2)[1]
    found = {one.name: one for one in synthetic_survey.examinations(100, [run])}
    store.begin(run, map(Target, found))
    while (claim := store.claim(run.id, "runner", 0.0)) is not None:
        store.record(found[claim.target.name])


def queries(store: Store) -> dict[str, Callable[[], object]]:
    """Return what the site and a runner ask, by name."""
    middle = synthetic_survey.name_of(500)
    return {
        "the newest of every package": lambda: exhaust(store.newest()),
        "the headline": store.headline,
        "one package's history": lambda: exhaust(store.history(middle)),
        "where every cause was found": lambda: exhaust(one for cause in table.ALL for one in store.hit_by(cause.code)),
        "every examination, with everything": lambda: exhaust(
            one for run in store.runs() for one in store.examinations(run.id)
        ),
    }


def exhaust(rows: Iterable[object]) -> None:
    """Read all of *rows*."""
    for _ in rows:
        pass


def timed(what: Callable[[], object]) -> float:
    """Return the processor's seconds that *what* takes: others may share this machine."""
    began = time.process_time()
    what()
    return time.process_time() - began


def site(store: Store, directory: Path) -> None:
    """Build the site, and tell what it weighs."""
    from samebytes_tools.commands.survey.site import write_site

    taken = timed(lambda: write_site(store, directory, report=lambda _: None))
    pages = [path.stat().st_size for path in directory.rglob("*.html")]
    files = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    print(f"the site: {taken:.0f} s, {len(files):,} files, {sum(files) / 1e6:.0f} MB")
    median, most = statistics.median(pages) / 1000, max(pages) / 1000
    print(f"its {len(pages):,} pages: {median:.1f} kB in the median, {most:.0f} kB at most")
    for name in ("index.html", "packages.html", "packages/index.html"):
        if (directory / name).is_file():
            print(f"{name}: {(directory / name).stat().st_size / 1000:.0f} kB")


def plan(options: argparse.Namespace) -> None:
    """Print what all packages of an index would take, by what the runs in a store took."""
    with Store(options.plan, make=False) as store:
        found = [one for run in store.runs() for one in store.examinations(run.id, logs=False)]
    share = options.processors / options.jobs
    seconds = [one.seconds * share for one in found]
    mean = statistics.fmean(seconds)
    print(f"{len(found):,} examinations: {mean:.0f} processor-seconds each in the mean", end="")
    print(f", {statistics.median(seconds):.0f} in the median, {max(seconds):.0f} at most")
    print(f"the most memory of one process: {max(map(memory, found), default=0) / 1e9:.2f} GB")
    if not options.projects:
        return
    total = options.projects * mean
    print(f"{options.projects:,} packages x {mean:.0f} s = {total / DAY:,.0f} processor-days")
    for machines, processors in ((1, 64), (10, 16), (100, 8)):
        days = total / (machines * processors) / DAY
        print(f"  on {machines} machines of {processors} processors: {days:,.1f} days")


def memory(one: Examination) -> int:
    """Return the bytes of its largest process, 0 if they are not known."""
    return one.memory or 0


if __name__ == "__main__":
    sys.exit(main())
