"""Which causes ``samebytes check --bisect`` names for projects with one fault each, and whether its remedies help.

    python benchmarks/attribution.py [--write] [NAME ...]

Prints the table of docs/explanation/attributed.md; with --write it is put there, with today's date. NAME is a part of a
fault's name. Exits with status 1 if a cause is wrong. The projects are in tests/support/fault_projects.py.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests")

from support.fault_projects import FAULTS, Fault  # noqa: E402 - found only now
from support.fault_runs import FaultResult, missing, run, table  # noqa: E402

PAGE = ROOT / "docs" / "explanation" / "attributed.md"


def main() -> int:
    """Run the faults that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table of all faults into the page")
    parser.add_argument("names", metavar="NAME", nargs="*", help="a part of a fault's name; all if none is given")
    options = parser.parse_args()
    if options.write and options.names:
        parser.error("--write is for all faults")
    chosen = [fault for fault in FAULTS if not options.names or any(name in fault.name for name in options.names)]
    results = list(_results(chosen))
    counts = Counter(each.verdict for each in results)
    print(table(results), _summary(counts, len(results)), sep="\n")
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        made = f"{_summary(counts, len(results))}\n\n{table(results)}"
        # Not a pattern's replacement, in which backslashes have a meaning.
        head, _, rest = text.partition("<!-- begin -->\n")
        tail = rest.partition("<!-- end -->")[2]
        PAGE.write_text(f"{head}<!-- begin -->\n\n{made}\n<!-- end -->{tail}", encoding="utf-8")
    return 1 if counts["wrong"] else 0


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


def _summary(counts: Counter[str], total: int) -> str:
    others = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()) if verdict != "right")
    python = re.sub(r"\s.*", "", platform.python_version())
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return f"{counts['right']} of {total} right{', ' if others else ''}{others}; {today}, CPython {python}."


if __name__ == "__main__":
    sys.exit(main())
