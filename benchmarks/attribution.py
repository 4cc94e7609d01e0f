"""Which causes ``samebytes check --bisect`` names for projects with one fault each, and whether its remedies help.

    python benchmarks/attribution.py [--write] [--results FILE] [NAME ...]

Prints the table of docs/explanation/attributed.md; with --write it is put there, with today's date. NAME is a part of a
fault's name; with --results, the others are as they were when they ran last. Exits with status 1 if a
cause is wrong. The projects are in tests/support/fault_projects.py.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests")

from support.fault_projects import FAULTS, Fault  # noqa: E402 - found only now
from support.fault_runs import FaultResult, document, missing, read, run, table  # noqa: E402

PAGE = ROOT / "docs" / "explanation" / "attributed.md"


def main() -> int:
    """Run the faults that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    parser.add_argument(
        "--results", metavar="FILE", type=Path, help="keep results there, and take those of others from there"
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="a part of a fault's name; all if none is given")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.names or any(name in fault.name for name in options.names)]
    held = read(options.results) if options.results and options.results.is_file() else {}
    for result in _results(chosen):
        held[result.fault.name] = result
        if options.results:
            options.results.write_text(document(held.values()), encoding="utf-8")
    results = [held[fault.name] for fault in FAULTS if fault.name in held]
    made = f"{_summary(results)}\n\n{table(results)}"
    print(made)
    if options.write:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- begin -->\n")
        tail = rest.partition("<!-- end -->")[2]
        PAGE.write_text(f"{head}<!-- begin -->\n\n{made}\n<!-- end -->{tail}", encoding="utf-8")
    return 1 if any(each.is_wrong for each in results) else 0


def _results(faults: Sequence[Fault]) -> Iterator[FaultResult]:
    for number, fault in enumerate(faults, 1):
        lacking = missing(fault)
        if lacking:
            print(f"{fault.name}: left out, for {', '.join(lacking)} is missing", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="samebytes-fault-") as directory:
            result = run(fault, Path(directory))
        print(f"{number}/{len(faults)} {fault.name}: {' '.join(result.codes)}: {result.verdict}", file=sys.stderr)
        yield result


def _summary(results: Sequence[FaultResult]) -> str:
    counts = Counter(each.verdict for each in results)
    others = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()) if verdict != "right")
    today = datetime.datetime.now(datetime.timezone.utc).date()
    others = f", {others}" if others else ""
    return f"{counts['right']} of {len(results)} right{others}; {today}, CPython {platform.python_version()}."


if __name__ == "__main__":
    sys.exit(main())
