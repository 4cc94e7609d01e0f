"""How many files differ between two installs of the same wheels, by whom they are installed; and how long that takes.

    python benchmarks/install_table.py WHEELS [--fetch] [--runs N] [--no-table]

WHEELS is a directory with wheels; ``--fetch`` lets pip fill it with the 30 of the table first. Each way installs twice
into the same path, in two environments that differ in umask, hash seed, time zone, temporary directory, number of
processes, the order of wheels and the second of the day. A file differs if its contents, mode or time (in whole
seconds) do, or if it is there once. pip, uv, installer and samebytes are those of the interpreter that runs this.

The times are of installs into new places, taken in turn (``--ways`` names those to take), and of compiling the modules
of all wheels by compileall and by samebytes, results written. ``chrt -r 10`` before the command keeps other work away
from the processors; processor time is less disturbed by such work than time that passes.
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
from collections.abc import Callable, Sequence
from importlib.util import cache_from_source
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


class Conditions(NamedTuple):
    """What must not matter."""

    name: str
    umask: int
    environ: dict[str, str]
    jobs: int
    reverse: bool


BOTH = (
    Conditions("one", 0o022, {"PYTHONHASHSEED": "1", "TZ": "UTC"}, 1, reverse=False),
    Conditions("two", 0o077, {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C"}, 4, reverse=True),
)


class Way(NamedTuple):
    """One way to install."""

    name: str
    commands: Callable[[Sequence[str], str, Conditions], list[list[str]]]
    date: bool = False
    """Whether SOURCE_DATE_EPOCH is set."""
    canonical: bool = False
    """Whether what comes out should be the one canonical tree."""


def pip(wheels: Sequence[str], target: str, _: Conditions) -> list[list[str]]:
    quiet = ["-q", "--disable-pip-version-check", "--root-user-action", "ignore"]
    return [[sys.executable, "-m", "pip", "install", *quiet, "--no-index", "--no-deps", "--target", target, *wheels]]


def uv(wheels: Sequence[str], target: str, _: Conditions) -> list[list[str]]:
    command = ["-m", "uv", "pip", "install", "-q", "--no-index", "--no-deps", "--compile-bytecode", "--python"]
    return [[sys.executable, *command, sys.executable, "--target", target, *wheels]]


def fix(_: Sequence[str], target: str, conditions: Conditions) -> list[list[str]]:
    options = ["-q", f"-j{conditions.jobs}", "--executable", sys.executable]
    return [[sys.executable, "-m", "samebytes", "tree", "fix", target, *options]]


def samebytes(wheels: Sequence[str], target: str, conditions: Conditions) -> list[list[str]]:
    return [[sys.executable, "-m", "samebytes", "install", "-q", f"-j{conditions.jobs}", "--target", target, *wheels]]


def cached(wheels: Sequence[str], target: str, conditions: Conditions) -> list[list[str]]:
    scratch = Path(target).parent
    key = scratch / "cache-key"
    if not key.exists():
        key.touch(0o600)
        key.write_bytes(os.urandom(32))
    (command,) = samebytes(wheels, target, conditions)
    return [[*command, "--cache", str(scratch / "cache"), "--cache-key", str(key)]]


WAYS = (
    Way("pip", pip),
    Way("pip with SOURCE_DATE_EPOCH", pip, date=True),
    Way("uv with bytecode", uv),
    Way("pip, then `samebytes tree fix`", lambda *given: pip(*given) + fix(*given), date=True, canonical=True),
    Way("uv, then `samebytes tree fix`", lambda *given: uv(*given) + fix(*given), date=True, canonical=True),
    Way("`samebytes install`", samebytes, date=True, canonical=True),
)
CACHED = Way("`samebytes install --cache`", cached)
TIMED = (Way("pip", pip), Way("uv with bytecode", uv), Way("`samebytes install`", samebytes), CACHED)


class Seconds(NamedTuple):
    """How long something took."""

    elapsed: float
    processor: float
    """Of all its processes, which what else runs on the machine changes less."""


def run(way: Way, wheels: Sequence[str], target: Path, conditions: Conditions, scratch: Path) -> Seconds:
    """Install, and return how long that took."""
    temporary = scratch / f"tmp-{conditions.name}"
    temporary.mkdir(exist_ok=True)
    environ = {**os.environ, **conditions.environ, "TMPDIR": str(temporary)}
    environ.pop("SOURCE_DATE_EPOCH", None)
    if way.date:
        environ["SOURCE_DATE_EPOCH"] = DATE
    ordered = sorted(wheels, reverse=conditions.reverse)
    start, before = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    for command in way.commands(ordered, str(target), conditions):
        subprocess.run(
            command,
            env=environ,
            check=True,
            preexec_fn=lambda: os.umask(conditions.umask) and None,
            stderr=subprocess.PIPE,
        )
    used = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
    return Seconds(time.perf_counter() - start, used)


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
    for conditions in BOTH:
        run(way, wheels, target, conditions, scratch)
        found.append(facts(target))
        shutil.rmtree(target)
        time.sleep(1.1)  # the next one is at another second
    return found


def timings(ways: Sequence[Way], wheels: Sequence[str], scratch: Path, runs: int) -> dict[str, list[Seconds]]:
    """Return the seconds of each way, their runs taken in turn."""
    taken: dict[str, list[Seconds]] = {way.name: [] for way in ways}
    conditions = BOTH[0]._replace(jobs=os.cpu_count() or 1)
    if CACHED in ways:
        run(CACHED, wheels, scratch / "full", conditions, scratch)
    for number in range(runs):
        for place, way in enumerate(ways):
            # Nothing is removed between runs: ext4 is slow to give out inodes that were freed a moment ago.
            taken[way.name].append(run(way, wheels, scratch / f"timed-{number}-{place}", conditions, scratch))
    return taken


def compiling(wheels: Sequence[str], scratch: Path, runs: int) -> dict[str, list[float]]:
    """Return the seconds that compiling all modules takes by compileall and by samebytes, as many processes each."""
    from samebytes_tools.commands.tree.compiler import Compiler, Wanted

    plain, jobs = scratch / "plain", os.cpu_count() or 1
    subprocess.run(
        [sys.executable, "-m", "samebytes", "install", "-q", "--pyc", "none", "--target", plain, *wheels], check=True
    )
    taken: dict[str, list[float]] = {"compileall": [], "samebytes": []}
    for number in range(runs):
        ours, theirs = (Path(shutil.copytree(plain, scratch / f"{name}-{number}")) for name in taken)
        start = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "compileall",
            "-q",
            "-j",
            str(jobs),
            "--invalidation-mode",
            "checked-hash",
            str(theirs),
        ]
        subprocess.run(command, check=True)
        taken["compileall"].append(time.perf_counter() - start)
        start = time.perf_counter()
        wanted = [Wanted(path, str(path), 0) for path in ours.rglob("*.py")]
        for source, compiled in zip(wanted, Compiler(sys.executable, jobs=jobs).compile(wanted)):
            target = Path(cache_from_source(source.filename))
            target.parent.mkdir(exist_ok=True)
            temporary = target.with_suffix(".new")
            temporary.write_bytes(compiled.data)
            temporary.replace(target)
        taken["samebytes"].append(time.perf_counter() - start)
    return taken


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
    parser.add_argument("--ways", nargs="+", choices=[way.name.strip("`") for way in TIMED], help="of the times")
    parser.add_argument("--no-table", dest="table", action="store_false", help="take the times only")
    args = parser.parse_args()
    if args.fetch:
        fetch(args.wheels)
    wheels = [str(path.resolve()) for path in args.wheels.glob("*.whl")]
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        print(f"{len(wheels)} wheels\n")
        if args.table:
            table(wheels, scratch)
        if args.runs:
            wanted = [way for way in TIMED if args.ways is None or way.name.strip("`") in args.ways]
            times(wanted, wheels, scratch, args.runs)


def table(wheels: Sequence[str], scratch: Path) -> None:
    print("| installed by | files and directories | differ | in contents |\n|---|--:|--:|--:|")
    one_form = []
    for way in WAYS:
        found = installed_twice(way, wheels, scratch)
        print(f"| {way.name} | {' | '.join(f'{number:,}' for number in differing(*found))} |", flush=True)
        if way.canonical:
            one_form.append(found[0])
    others = [differing(one_form[0], other)[1] for other in one_form[1:]]
    print(f"\nagainst pip, then tree fix: uv, then tree fix: {others[0]:,} differ; samebytes install: {others[1]:,}\n")


def times(ways: Sequence[Way], wheels: Sequence[str], scratch: Path, runs: int) -> None:
    seconds = timings(ways, wheels, scratch, runs)
    for name, taken in seconds.items():
        pairs = list(zip(seconds["`samebytes install`"], taken))
        elapsed, used = ([own[field] / other[field] for own, other in pairs] for field in (0, 1))
        median = statistics.median(one.elapsed for one in taken)
        print(f"{name}: {median:.2f} s; samebytes install takes {spread(elapsed)} times as long,")
        print(f"    and {spread(used)} times the processor time")
    compiled = compiling(wheels, scratch, runs)
    ratios = [own / other for own, other in zip(compiled["samebytes"], compiled["compileall"])]
    print(f"compiling: samebytes takes {spread(ratios)} times as long as compileall")


def spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
