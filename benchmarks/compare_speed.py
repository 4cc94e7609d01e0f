"""What comparing two large wheels costs, beside hashing their contents and beside diffoscope.

    python benchmarks/compare_speed.py WHEEL [--rounds N] [--diffoscope PROGRAM]

Makes a copy of WHEEL in which one member differs (a line is added to the largest text, and its row in RECORD is
brought in line), and compares the two. Each round runs the contenders one after another; ratios are of wall times in
one round, and their median is printed with the least and the greatest. Needs samebytes in the running interpreter.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

CONTENTS = Path(__file__).parent / "speed" / "peers" / "contents.py"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--diffoscope", help="the program to run beside (default: leave it out)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samebytes-bench-") as name:
        one, other = Path(name, "a", options.wheel.name), Path(name, "b", options.wheel.name)
        for path in (one, other):
            path.parent.mkdir()
        one.write_bytes(options.wheel.read_bytes())
        print(f"{options.wheel.name}, {one.stat().st_size:,} bytes; {changed(one, other)} differs")
        report(contenders(one, other, options.diffoscope), options.rounds)
    return 0


def changed(source: Path, target: Path) -> str:
    """Write *source* to *target* with a line more in its largest text; return the name of that member."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        record = next(name for name in old.namelist() if name.endswith(".dist-info/RECORD"))
        texts = [info for info in old.infolist() if info.filename.endswith(".py")]
        member = max(texts, key=lambda info: info.file_size).filename
        contents = old.read(member) + b"# another line\n"
        digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).decode().rstrip("=")
        row = f"{member},sha256={digest},{len(contents)}"
        rows = [row if line.startswith(f"{member},") else line for line in old.read(record).decode().splitlines()]
        replaced = {member: contents, record: "\n".join([*rows, ""]).encode()}
        for info in old.infolist():
            new.writestr(info, replaced.get(info.filename) or old.read(info))
    return member


def contenders(one: Path, other: Path, diffoscope: str | None) -> dict[str, list[list[str]]]:
    """Return the commands of each contender."""
    found = {
        "hash both": [[sys.executable, str(CONTENTS), str(path)] for path in (one, other)],
        "samebytes compare": [[sys.executable, "-m", "samebytes", "compare", str(one), str(other)]],
    }
    if diffoscope:
        found["diffoscope"] = [[diffoscope, str(one), str(other)]]
    return found


def report(commands: dict[str, list[list[str]]], rounds: int) -> None:
    """Run *rounds*, and print each contender's ratio to hashing both."""
    ratios: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        times = {}
        for name, each in commands.items():
            start = time.perf_counter()
            for command in each:
                run(command)
            times[name] = time.perf_counter() - start
        for name, seconds in times.items():
            ratios[name].append(seconds / times["hash both"])
    for name, found in ratios.items():
        spread = f"{min(found):.2f}-{max(found):.2f}"
        print(f"{name:18} {statistics.median(found):7.2f} times hashing both ({spread})")


def run(command: list[str]) -> None:
    """Run *command*, whose findings are no failure."""
    status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
    if status not in (0, 1):
        raise SystemExit(f"{' '.join(command)} failed ({status})")


if __name__ == "__main__":
    sys.exit(main())
