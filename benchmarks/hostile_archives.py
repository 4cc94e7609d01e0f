"""What hostile files cost: makes them, runs the commands that read them, and writes the table of kinds.

    python benchmarks/hostile_archives.py [--kind TEXT] [--write docs/explanation/hostile.md]

Needs samebytes and samebytes-tools in the running interpreter, and Linux. Each command runs in a child of this process
that has everything loaded, so that what it takes is what the file costs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import hostile  # noqa: E402

REFUSED = 4
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"


class Row(NamedTuple):
    """What became of one kind."""

    kind: hostile.Kind
    size: int
    taken: dict[str, hostile.Taken]

    def shown(self) -> str:
        """Return the row of the table."""
        refused = sum(each.status == REFUSED for each in self.taken.values())
        bounded = sum(each.is_bounded for each in self.taken.values())
        cpu = max(each.cpu for each in self.taken.values())
        memory = max(each.memory for each in self.taken.values())
        what = "wheel" if self.kind.filename == hostile.WHEEL else "sdist"
        cells = (self.kind.name, what, f"{self.size:,}", len(self.taken), refused, bounded)
        return f"| {' | '.join(map(str, cells))} | {cpu:.2f} s | {memory / 1e6:.0f} MB |"


def main() -> int:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kind", default="", help="only kinds with this text in their names")
    parser.add_argument("--write", type=Path, help="the document in whose table the rows are replaced")
    options = parser.parse_args()
    rows = []
    for kind in hostile.KINDS:
        if options.kind in kind.name:
            rows.append(Row(kind, *hostile.measured(kind)))
            print(rows[-1].shown(), flush=True)
    over = [row.kind.name for row in rows if not all(each.is_bounded for each in row.taken.values())]
    print(f"{len(rows)} kinds, {len(over)} over a bound: {', '.join(over)}")
    if options.write:
        before, _, rest = options.write.read_text(encoding="utf-8").partition(BEGIN)
        old, _, after = rest.partition(END)
        options.write.write_text(f"{before}{BEGIN}{table(rows, old)}{END}{after}", encoding="utf-8")
    return 0


def table(rows: list[Row], old: str) -> str:
    """Return the table of *rows*, and of what *old* has of other kinds, with what all of them come to."""
    head = "| kind | file | bytes | tried | refused | bounded | CPU, most | memory, most |\n" + "|---" * 8 + "|\n"
    shown = {line.split(" | ")[0]: line for line in [*old.splitlines(), *(row.shown() for row in rows)]}
    lines = [shown[f"| {kind.name}"] for kind in hostile.KINDS if f"| {kind.name}" in shown]
    counts = [sum(int(line.split(" | ")[column]) for line in lines) for column in (3, 4, 5)]
    total = " | ".join(f"**{count}**" for count in counts)
    return head + "".join(f"{line}\n" for line in lines) + f"| **all {len(lines)} kinds** | | | {total} | | |\n"


if __name__ == "__main__":
    sys.exit(main())
