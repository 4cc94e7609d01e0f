"""What the shim costs: a small project's ``python -m build --wheel`` with and without it, pair by pair.

    python benchmarks/hook_overhead.py [--pairs N] [--isolated N]

Needs samebytes, ``build`` and setuptools in the running interpreter; isolated builds also need a package index. Each
figure is the median over pairs of runs that follow one another directly, so that the machine's ups and downs hit
both alike. CPU time is that of the whole tree of processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"{more}]
build-backend = "{backend}"

[project]
name = "small"
version = "1.0"
"""
INNER = '\n[tool.samebytes]\nbuild-backend = "setuptools.build_meta"\n'


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=15, help="pairs of builds without isolation (default: 15)")
    parser.add_argument("--isolated", type=int, default=3, help="pairs of isolated builds (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samebytes-bench-") as name:
        directory = Path(name)
        bare, wrapped = projects(directory)
        print("importing samebytes.backend beyond bare Python:")
        pairs("  ", [sys.executable, "-c", "import samebytes.backend"], [sys.executable, "-c", ""], options.pairs)
        print("python -m build --no-isolation --wheel, wrapped beyond bare:")
        command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(directory / "out")]
        short = [*command, "--no-isolation"]
        pairs("  ", [*short, str(wrapped)], [*short, str(bare)], options.pairs)
        if options.isolated:
            print("python -m build --wheel (isolated), wrapped beyond bare:")
            wheel = own_wheel(directory)
            os.environ["PIP_FIND_LINKS"] = str(wheel)
            pairs("  ", [*command, str(wrapped)], [*command, str(bare)], options.isolated)
    return 0


def projects(directory: Path) -> tuple[Path, Path]:
    """Make the same small project twice, without and with samebytes."""
    trees = []
    for name, backend, more, rest in (
        ("bare", "setuptools.build_meta", "", ""),
        ("wrapped", "samebytes.backend", ', "samebytes"', INNER),
    ):
        tree = directory / name
        (tree / "small").mkdir(parents=True)
        (tree / "small" / "__init__.py").write_text("answer = 42\n")
        (tree / "pyproject.toml").write_text(PYPROJECT.format(backend=backend, more=more) + rest)
        trees.append(tree)
    return trees[0], trees[1]


def own_wheel(directory: Path) -> Path:
    """Make a wheel of this tree's samebytes, for isolated environments to find."""
    wheelhouse = directory / "wheelhouse"
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheelhouse), str(root)]
    subprocess.run(command, check=True)
    return wheelhouse


def pairs(indent: str, ours: list[str], theirs: list[str], number: int) -> None:
    """Run the two commands in turn, after a warm-up of both, and print the medians of differences and ratios."""
    for command in (ours, theirs):
        measure(command)
    results = [(measure(ours), measure(theirs)) for _ in range(number)]
    for index, what in enumerate(("wall", "CPU")):
        differences = [1000 * (a[index] - b[index]) for a, b in results]
        ratios = [a[index] / b[index] for a, b in results]
        print(
            f"{indent}{what}: {statistics.median(differences):+.0f} ms, ratio {statistics.median(ratios):.3f} "
            f"(pairs from {min(ratios):.3f} to {max(ratios):.3f})"
        )


def measure(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of *command*, which starts without what an earlier build left."""
    tree = Path(command[-1])
    for left in ("build", "small.egg-info"):
        shutil.rmtree(tree / left, ignore_errors=True)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
