"""What builds cost by pip and by uv: processor time of a command and all that it starts, on real packages.

    python benchmarks/installers.py [-n ROUNDS] [--command build|check|verify|survey]... [NAME==VERSION...]

Each command runs with ``--installer pip`` and ``--installer uv`` in turn, on the same files, in the same minute; the
figure is the ratio, for a processor that others use counts slower. ``list`` is ``verify`` of all packages by one
command. The index and pip's configuration are those of whoever runs it; uv's cache is filled by a build before.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from samebytes_tools.building.source import unpack
from samebytes_tools.index import releases

PACKAGES = (
    "idna==3.10",
    "click==8.1.8",
    "attrs==24.2.0",
    "iniconfig==2.0.0",
    "six==1.17.0",
    "toolz==1.0.0",
    "tomlkit==0.13.2",
    "findpython==0.6.2",
)
"""flit (2), hatchling (2), setuptools (2), poetry and pdm."""

INSTALLERS = ("pip", "uv")


def cost(words: Sequence[str], accepted: Sequence[int]) -> float:
    """Return the seconds of processor time that ``samebytes`` with *words* takes, with all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "samebytes", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in accepted:
        raise SystemExit(f"{' '.join(words)}: exit status {done.returncode}\n{done.stdout[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def runs(command: str, packages: Sequence[str], private: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what *command* is measured on: a name, and the words after ``samebytes``."""
    if command == "survey":
        # Outside of the sandbox, whose processes are not counted. A store for each time, or the second run would find
        # the first one's.
        store = tempfile.mkdtemp(dir=private)
        names = packages[:3]
        yield (
            f"{len(names)} together",
            ["survey", "run", "--no-sandbox", "--store", f"{store}/s.sqlite", "--packages", *names],
        )
        return
    if command == "list":
        wanted = private / "requirements.txt"
        wanted.write_text("\n".join(packages) + "\n")
        yield f"{len(packages)} together", ["verify", "--jobs", "1", "-r", str(wanted)]
        return
    for package in packages:
        if command == "verify":
            yield package, ["verify", package]
            continue
        tree = private / package
        if not tree.is_dir():
            sdist, _ = releases.sdist(package, ".".join(map(str, sys.version_info[:3])), private, os.environ)
            aside = private / f"{package}-sdist"
            aside.mkdir()
            unpack(sdist, aside).rename(tree)
        yield package, [command, str(tree), *(["-o", str(private / "out")] if command == "build" else [])]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--rounds", type=int, default=1)
    parser.add_argument("--command", action="append", choices=("build", "check", "verify", "list", "survey"))
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    args = parser.parse_args()
    print("| command | package | pip | uv | ratio |\n|---|---|--:|--:|--:|", flush=True)
    for command in args.command or ("build", "check", "verify", "list"):
        ratios = []
        with tempfile.TemporaryDirectory(prefix="samebytes-installers-") as directory:
            for name, _ in list(runs(command, args.packages, Path(directory))):
                seconds: dict[str, list[float]] = {one: [] for one in INSTALLERS}
                for _ in range(args.rounds):
                    for installer in INSTALLERS:
                        words = next(
                            words for other, words in runs(command, args.packages, Path(directory)) if other == name
                        )
                        seconds[installer].append(cost([*words, "--installer", installer], (0, 1)))
                by_pip, by_uv = (statistics.median(seconds[one]) for one in INSTALLERS)
                ratios.append(by_uv / by_pip)
                print(f"| {command} | {name} | {by_pip:.2f} | {by_uv:.2f} | {ratios[-1]:.2f} |", flush=True)
        print(f"| {command} | median | | | {statistics.median(ratios):.2f} |", flush=True)


if __name__ == "__main__":
    main()
