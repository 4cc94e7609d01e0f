"""How many files differ between two installs of the same wheels, by whom they are installed; and how long that takes.

    python benchmarks/install_table.py WHEELS [--runs N] [--python PYTHON]

WHEELS is a directory with wheels; ``--fetch`` lets pip fill it with the 30 of the table first. Each way installs twice
into the same path, in two worlds that differ in umask, hash seed, time zone, temporary directory, number of processes,
the order of wheels and the second of the day. A file differs if its contents, mode or time (in whole seconds) do, or
if it is there once. pip, uv, installer and samebytes are those of the interpreter that runs this.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

PURE = (
    "boto3",
    "botocore",
    "certifi",
    "charset-normalizer",
    "click",
    "colorama",
    "fsspec",
    "idna",
    "importlib-metadata",
    "jinja2",
    "packaging",
    "platformdirs",
    "pluggy",
    "pydantic",
    "pygments",
    "python-dateutil",
    "requests",
    "setuptools",
    "six",
    "typing-extensions",
    "urllib3",
)
EXTENSIONS = (
    "cffi",
    "cryptography",
    "lxml",
    "markupsafe",
    "msgpack",
    "numpy",
    "pandas",
    "pillow",
    "pydantic-core",
    "pyyaml",
)
DATE = "1600000000"


class World(NamedTuple):
    """What must not matter."""

    name: str
    umask: int
    environ: dict[str, str]
    jobs: int
    reverse: bool


WORLDS = (
    World("one", 0o022, {"PYTHONHASHSEED": "1", "TZ": "UTC"}, 1, reverse=False),
    World("two", 0o077, {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C"}, 4, reverse=True),
)


class Way(NamedTuple):
    """One way to install."""

    name: str
    commands: Callable[[Sequence[str], str, World], list[list[str]]]
    date: bool = False
    """Whether SOURCE_DATE_EPOCH is set."""


def pip(wheels: Sequence[str], target: str, _: World) -> list[list[str]]:
    quiet = ["-q", "--disable-pip-version-check", "--root-user-action", "ignore"]
    return [[sys.executable, "-m", "pip", "install", *quiet, "--no-index", "--no-deps", "--target", target, *wheels]]


def uv(wheels: Sequence[str], target: str, _: World) -> list[list[str]]:
    command = ["-m", "uv", "pip", "install", "-q", "--no-index", "--no-deps", "--compile-bytecode", "--python"]
    return [[sys.executable, *command, sys.executable, "--target", target, *wheels]]


def fix(_: Sequence[str], target: str, world: World) -> list[list[str]]:
    options = ["-q", f"-j{world.jobs}", "--executable", sys.executable]
    return [[sys.executable, "-m", "samebytes", "tree", "fix", target, *options]]


def samebytes(wheels: Sequence[str], target: str, world: World) -> list[list[str]]:
    return [[sys.executable, "-m", "samebytes", "install", "-q", f"-j{world.jobs}", "--target", target, *wheels]]


PIP_FIXED = Way("pip, then `samebytes tree fix`", lambda *given: pip(*given) + fix(*given))
UV_FIXED = Way("uv, then `samebytes tree fix`", lambda *given: uv(*given) + fix(*given))
WAYS = (
    Way("pip", pip),
    Way("pip with SOURCE_DATE_EPOCH", pip, date=True),
    Way("uv with bytecode", uv),
    PIP_FIXED._replace(date=True),
    UV_FIXED._replace(date=True),
    Way("`samebytes install`", samebytes, date=True),
)
TIMED = (Way("pip", pip), Way("uv with bytecode", uv), Way("`samebytes install`", samebytes))


def run(way: Way, wheels: Sequence[str], target: Path, world: World, scratch: Path) -> float:
    """Install, and return the seconds that it took."""
    temporary = scratch / f"tmp-{world.name}"
    temporary.mkdir(exist_ok=True)
    environ = {**os.environ, **world.environ, "TMPDIR": str(temporary)}
    environ.pop("SOURCE_DATE_EPOCH", None)
    if way.date:
        environ["SOURCE_DATE_EPOCH"] = DATE
    ordered = sorted(wheels, reverse=world.reverse)
    start = time.perf_counter()
    for command in way.commands(ordered, str(target), world):
        subprocess.run(
            command, env=environ, check=True, preexec_fn=lambda: os.umask(world.umask) and None, stderr=subprocess.PIPE
        )
    return time.perf_counter() - start


def facts(top: Path) -> dict[str, tuple[object, ...]]:
    """Return what counts of everything in *top*, by name."""
    found: dict[str, tuple[object, ...]] = {}
    for path in top.rglob("*"):
        status = path.lstat()
        data = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[path.relative_to(top).as_posix()] = (status.st_mode, int(status.st_mtime), data)
    return found


def differing(one: dict[str, tuple[object, ...]], other: dict[str, tuple[object, ...]]) -> tuple[int, int, int]:
    """Return how many names there are, how many differ in anything, and how many in contents."""
    names = set(one) | set(other)
    unlike = {name for name in names if one.get(name) != other.get(name)}
    contents = {name for name in unlike if name not in one or name not in other or one[name][2] != other[name][2]}
    return len(names), len(unlike), len(contents)


def installed_twice(way: Way, wheels: Sequence[str], scratch: Path) -> list[dict[str, tuple[object, ...]]]:
    found = []
    target = scratch / "site"
    for world in WORLDS:
        run(way, wheels, target, world, scratch)
        found.append(facts(target))
        shutil.rmtree(target)
        time.sleep(1.1)  # the next one is at another second
    return found


def timings(ways: Sequence[Way], wheels: Sequence[str], scratch: Path, runs: int) -> dict[str, float]:
    """Return the median seconds of each way, their runs taken in turn."""
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    world = WORLDS[0]._replace(jobs=os.cpu_count() or 1)
    for number in range(runs):
        for place, way in enumerate(ways):
            # Nothing is removed between runs: ext4 is slow to give out inodes that were freed a moment ago.
            taken[way.name].append(run(way, wheels, scratch / f"timed-{number}-{place}", world, scratch))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def fetch(directory: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-d",
        str(directory),
    ]
    subprocess.run([*command, *PURE, *EXTENSIONS], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--fetch", action="store_true", help="fill the directory first")
    parser.add_argument("--runs", type=int, default=5, help="for the times; 0 for none")
    args = parser.parse_args()
    if args.fetch:
        fetch(args.wheels)
    wheels = [str(path.resolve()) for path in args.wheels.glob("*.whl")]
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        print(f"{len(wheels)} wheels\n")
        print("| installed by | files and directories | differ | in contents |\n|---|--:|--:|--:|")
        fixed = []
        for way in WAYS:
            found = installed_twice(way, wheels, scratch)
            print(f"| {way.name} | {' | '.join(f'{number:,}' for number in differing(*found))} |", flush=True)
            if "fix" in way.name:
                fixed.append(found[0])
        count = f"{differing(*fixed)[1]:,}"
        print(f"\npip, then tree fix, against uv, then tree fix: {count} differ\n")
        if args.runs:
            seconds = timings(TIMED, wheels, scratch, args.runs)
            own = seconds["`samebytes install`"]
            for name, taken in seconds.items():
                print(f"{name}: {taken:.2f} s (samebytes install takes {own / taken:.2f} times as long)")


if __name__ == "__main__":
    main()
