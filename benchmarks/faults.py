"""What is lost when a run is killed, the disk is full, or the system refuses: every kind of fault, at random moments.

    python benchmarks/faults.py [--tries N] [--seed N] [KIND ...]

Prints the table of docs/explanation/faults.md, and exits with status 1 if anything was lost. Needs samebytes with its
tools in the running interpreter, and Linux; kinds that mount a small file system need root.

A fault is a function that makes one try in an empty directory; KINDS names them. What counts as lost stands in each: a
file that is neither as it was nor as it is to be, a leftover that the next run does not remove, a run that fails though
it can do its work, an exit status that is not documented.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

DATE = "1600000000"
DOCUMENTED = frozenset((*range(15), 130, 141, 143))
"""The statuses of docs/reference/command-line.md; 70 is a bug's."""
State = dict[str, tuple[int, int, str]]


class Try(NamedTuple):
    """What one try came to."""

    hit: bool
    """Whether the fault came while there was something to do, and not before or after."""
    lost: str = ""
    """What was lost; empty if nothing."""


Fault = Callable[[Path, random.Random], Try]


def main() -> int:
    """Try, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="words of the kinds to try (default: all)")
    parser.add_argument("--tries", type=int, default=20, help="of each kind (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments and sizes (default: 0)")
    options = parser.parse_args()
    total = 0
    print("| fault | tries | hit | lost |\n|---|--:|--:|--:|")
    for name, fault in KINDS.items():
        if options.kinds and not all(word in name for word in options.kinds):
            continue
        tries = [one_try(fault, random.Random(f"{name} {options.seed} {number}")) for number in range(options.tries)]
        lost = [each.lost for each in tries if each.lost]
        total += len(lost)
        print(f"| {name} | {len(tries)} | {sum(each.hit for each in tries)} | {len(lost)} |", flush=True)
        for text in lost[:5]:
            print(f"{name}: {text}", file=sys.stderr, flush=True)
    return 1 if total else 0


def one_try(fault: Fault, dice: random.Random) -> Try:
    """Make one try in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="samebytes-faults-") as name:
        return fault(Path(name), dice)


# What the tries have in common


def command(*arguments: object) -> list[str]:
    """Return the command line of samebytes with these arguments."""
    return [sys.executable, "-m", "samebytes", *map(str, arguments)]


def finished(*arguments: object, limits: Mapping[int, int] | None = None) -> tuple[int, str]:
    """Run samebytes to its end, under *limits* (of :mod:`resource`), and return its status and messages."""

    def limit() -> None:
        for kind, most in (limits or {}).items():
            resource.setrlimit(kind, (most, most))

    environ = {**os.environ, "SOURCE_DATE_EPOCH": DATE}
    done = subprocess.run(
        command(*arguments), env=environ, capture_output=True, text=True, check=False, preexec_fn=limit
    )
    return done.returncode, done.stderr.strip()


def killed(dice: random.Random, longest: float, *arguments: object) -> bool:
    """Start samebytes, kill it at a random moment within *longest* seconds, and return whether it still ran."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": DATE}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command(*arguments), env=environ, stdout=quiet, stderr=quiet, start_new_session=True)
    with suppress(subprocess.TimeoutExpired):
        process.wait(dice.uniform(0.2, 1.1) * longest)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def state(top: Path) -> State:
    """Return mode, time and digest of all that is in *top*, without what a run keeps apart while it works."""
    found = {}
    for path in sorted(top.rglob("*")):
        if not any(part.startswith(".samebytes-") for part in path.relative_to(top).parts):
            status = path.lstat()
            data = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
            found[path.relative_to(top).as_posix()] = (stat.S_IMODE(status.st_mode), status.st_mtime_ns, data)
    return found


def strays(top: Path) -> list[str]:
    """Return what a run has left of its own."""
    return [path.name for path in top.rglob(".samebytes-*")]


def timeless(found: State) -> dict[str, tuple[int, str]]:
    """Return a state without times, which directories get last."""
    return {name: (mode, data) for name, (mode, _, data) in found.items()}


def first_difference(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    """Return the first name in which two states differ, or nothing."""
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            return f"{name}: {found.get(name)} instead of {expected.get(name)}"
    return ""


def wheel(directory: Path, name: str, modules: int = 40) -> Path:
    """Write a wheel with a package of some modules, one large file, a command and a namespace that others have, too."""
    files = {f"{name}/m{number}.py": b"x = %d\n" % number for number in range(modules)}
    files |= {f"{name}/__init__.py": b"def main(): pass\n", f"{name}/data.bin": random.Random(name).randbytes(300_000)}
    files |= {"space/__init__.py": b"", f"space/{name}.py": b""}
    info = f"{name}-1.0.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: faults\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {name}:main\n".encode()
    rows = [f"{member},sha256={digest_of(data)},{len(data)}\n" for member, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    path = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in files.items():
            archive.writestr(zipfile.ZipInfo(member, (2020, 9, 13, 12, 26, 40)), data)
    return path


def digest_of(data: bytes) -> str:
    """Return a digest as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@contextmanager
def small_disk(directory: Path, size: int) -> Iterator[None]:
    """Mount a file system of *size* bytes at *directory*."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "samebytes-faults", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


# samebytes install


class Prepared(NamedTuple):
    """Made once: the wheels, and what installing them gives."""

    directory: Path
    one: Path
    two: Path
    only_one: State
    both: State
    only_two: State
    seconds: float
    """How long one run takes here."""


@cache
def prepared() -> Prepared:
    """Return what the tries of install and tree fix begin with."""
    directory = Path(tempfile.mkdtemp(prefix="samebytes-faults-"))
    import atexit

    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    one, two = wheel(directory, "one"), wheel(directory, "two")
    assert install(one, directory / "one")[0] == 0
    shutil.copytree(directory / "one", directory / "both")
    assert install(two, directory / "both")[0] == 0
    began = time.monotonic()
    assert install(two, directory / "two")[0] == 0
    seconds = time.monotonic() - began
    one_tree, both, two_tree = (state(directory / name) for name in ("one", "both", "two"))
    return Prepared(directory, one, two, one_tree, both, two_tree, seconds)


def install(source: Path, top: Path, limits: Mapping[int, int] | None = None) -> tuple[int, str]:
    """Install a wheel."""
    return finished(
        "install", "-q", source, "--target", top, "--layout", "/app", "--executable", "/usr/bin/python3", limits=limits
    )


def kill_install(directory: Path, dice: random.Random, *, there: bool) -> Try:
    """Kill an install. What was there is as it was; a new tree is not there or whole; the next install completes it."""
    start = prepared()
    top = directory / "site"
    if there:
        shutil.copytree(start.directory / "one", top)
    before, after = (start.only_one, start.both) if there else ({}, start.only_two)
    options = ("--target", top, "--layout", "/app", "--executable", "/usr/bin/python3")
    hit = killed(dice, start.seconds, "install", "-q", start.two, *options)
    found = state(top) if top.exists() else {}
    if not there and found and found != after:
        return Try(hit, f"part of a tree: {first_difference(found, after)}")
    for name, facts in timeless(before).items():
        if timeless(found).get(name) != facts:
            return Try(hit, f"{name} is not as it was")
    if (top / "two-1.0.dist-info").exists():
        lost = first_difference(timeless(found), timeless(after))
        return Try(hit, lost and f"installed, and not whole: {lost}")
    status, messages = install(start.two, top)
    if status:
        return Try(hit, f"the next install fails: {messages}")
    return Try(hit, first_difference(state(top), after) or " ".join(strays(directory)))


def refused_install(directory: Path, top: Path, limits: Mapping[int, int] | None = None) -> Try:
    """Install where the system refuses something: all of it is done, or nothing, with a documented status."""
    start = prepared()
    before = state(directory)
    status, messages = install(start.two, top, limits)
    if status == 0:
        return Try(False, first_difference(state(top), start.both if before else start.only_two))
    if status not in DOCUMENTED or status == 1:
        return Try(True, f"status {status}: {messages[-300:]}")
    return Try(True, first_difference(state(directory), before) or " ".join(strays(directory)))


def full_install(directory: Path, dice: random.Random) -> Try:
    """Install onto a disk that is full at some moment."""
    prepared()
    with small_disk(directory, dice.randrange(4096, 650_000)):
        return refused_install(directory, directory / "site")


def install_with_small_files(directory: Path, dice: random.Random) -> Try:
    """Install where files may not be as large as they are."""
    return refused_install(directory, directory / "site", {resource.RLIMIT_FSIZE: dice.randrange(500, 320_000)})


def install_with_few_descriptors(directory: Path, dice: random.Random) -> Try:
    """Install with few file descriptors."""
    return refused_install(directory, directory / "site", {resource.RLIMIT_NOFILE: dice.randrange(6, 20)})


def read_only_install(directory: Path, dice: random.Random) -> Try:
    """Install onto a read-only file system, into a new place or into a tree."""
    start = prepared()
    there = dice.random() < 0.5
    with small_disk(directory, 8_000_000):
        if there:
            shutil.copytree(start.directory / "one", directory / "site")
        subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
        return refused_install(directory, directory / "site")


def installs_at_once(directory: Path, dice: random.Random) -> Try:
    """Install eight wheels that share a namespace by eight processes into one place."""
    names = [f"p{dice.randrange(10**6)}x{number}" for number in range(8)]
    top = directory / "site"
    if dice.random() < 0.5:
        top.mkdir()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": DATE}
    running = [
        subprocess.Popen(
            command("install", "-q", wheel(directory, name, 3), "--target", top),
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    messages = [process.communicate()[1] for process in running]
    failed = [text for process, text in zip(running, messages) if process.returncode]
    missing = [
        name for name in names if not (top / name / "m2.py").is_file() or not (top / f"space/{name}.py").is_file()
    ]
    return Try(True, " ".join([*failed, *missing, *strays(directory)]))


# samebytes tree fix


def spoilt(directory: Path) -> tuple[Path, State]:
    """Return a tree that has to be fixed, and what it is to be."""
    tree = Path(shutil.copytree(prepared().directory / "both", directory / "tree"))
    for number, path in enumerate(sorted(tree.rglob("*"))):
        if path.suffix == ".pyc":
            path.write_bytes(b"old")
        elif path.is_file() and path.name != "RECORD":
            path.chmod(0o600 if number % 3 else 0o700)
    for path in sorted(tree.rglob("*")):
        os.utime(path, (1, 1))
    for name in ("one", "two"):
        (tree / f"{name}-1.0.dist-info" / "INSTALLER").write_bytes(b"pip\n")
        record = tree / f"{name}-1.0.dist-info" / "RECORD"
        lines = [line for line in record.read_text("utf-8").splitlines(keepends=True) if "INSTALLER" not in line]
        record.write_text("".join(lines[::-1]), "utf-8")
    expected = Path(shutil.copytree(tree, directory / "expected"))
    assert fix(expected)[0] == 0
    return tree, state(expected)


def fix(tree: Path, limits: Mapping[int, int] | None = None) -> tuple[int, str]:
    """Fix a tree."""
    return finished("tree", "fix", "-q", tree, "--layout", "/app", limits=limits)


def assess_fix(hit: bool, tree: Path, before: State, after: State, repair: Callable[[], object] = lambda: None) -> Try:
    """Look at a tree whose fixing was ended: each file is as it was or as it is to be, and another run completes it."""
    for name, (_, _, data) in state(tree).items():
        if data not in (before.get(name, after.get(name, (0, 0, "")))[2], after.get(name, (0, 0, ""))[2]):
            return Try(hit, f"{name} is neither old nor new")
    gone = [name for name in after if name in before and not (tree / name).exists()]
    if gone:
        return Try(hit, f"{gone[0]} is gone")
    repair()
    status, messages = fix(tree)
    if status:
        return Try(hit, f"the next run fails: {messages}")
    return Try(hit, first_difference(state(tree), after) or " ".join(strays(tree)))


def kill_fix(directory: Path, dice: random.Random) -> Try:
    """Kill tree fix."""
    tree, after = spoilt(directory)
    before = state(tree)
    hit = killed(dice, prepared().seconds, "tree", "fix", "-q", tree, "--layout", "/app")
    return assess_fix(hit, tree, before, after)


def limited_fix(directory: Path, limits: Mapping[int, int]) -> Try:
    """Fix a tree under limits."""
    tree, after = spoilt(directory)
    before = state(tree)
    status, messages = fix(tree, limits)
    if status not in DOCUMENTED or status == 1:
        return Try(True, f"status {status}: {messages[-300:]}")
    return assess_fix(status != 0, tree, before, after)


def fix_with_small_files(directory: Path, dice: random.Random) -> Try:
    """Fix a tree where files may not be as large as they are."""
    return limited_fix(directory, {resource.RLIMIT_FSIZE: dice.randrange(10, 12_000)})


def fix_with_few_descriptors(directory: Path, dice: random.Random) -> Try:
    """Fix a tree with few file descriptors."""
    return limited_fix(directory, {resource.RLIMIT_NOFILE: dice.randrange(6, 20)})


def full_fix(directory: Path, dice: random.Random) -> Try:
    """Fix a tree on a disk that is full at some moment."""
    elsewhere = directory / "elsewhere"
    elsewhere.mkdir()
    source, after = spoilt(elsewhere)
    before = state(source)
    disk = directory / "disk"
    disk.mkdir()
    with small_disk(disk, 8_000_000):
        tree = Path(shutil.copytree(source, disk / "tree"))
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(bytes(max(0, free - dice.randrange(0, 9000))))
        status, messages = fix(tree)
        if status not in DOCUMENTED or status == 1:
            return Try(True, f"status {status}: {messages[-300:]}")
        return assess_fix(status != 0, tree, before, after, filler.unlink)


# What is written: normalize, build, verify


class Job(NamedTuple):
    """A command that writes one file."""

    arguments: tuple[object, ...]
    target: Path
    before: bytes | None
    """What is there; None if nothing is."""
    after: bytes
    seconds: float
    """How long one run takes here."""


PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """
import base64, hashlib, os, zipfile

def row(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\\n"

def build_wheel(directory, settings=None, metadata=None):
    info = "built-1.0.dist-info"
    files = {"built.py": b"x = 1\\n", "data.bin": open("data.bin", "rb").read()}
    files[f"{info}/METADATA"] = b"Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n"
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: faults\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/RECORD"] = ("".join(row(*each) for each in files.items()) + f"{info}/RECORD,,\\n").encode()
    with zipfile.ZipFile(os.path.join(directory, "built-1.0-py3-none-any.whl"), "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return "built-1.0-py3-none-any.whl"
"""


class Sources(NamedTuple):
    """Made once: a wheel and a tree, and what becomes of them."""

    directory: Path
    wheel: Path
    canonical: bytes
    tree: Path
    built: Path
    record: Path
    seconds: Mapping[str, float]


@cache
def sources() -> Sources:
    """Return what the tries of commands that write files begin with."""
    directory = Path(tempfile.mkdtemp(prefix="samebytes-faults-"))
    import atexit

    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    tree = directory / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (tree / "backend.py").write_text(BACKEND, "utf-8")
    (tree / "data.bin").write_bytes(random.Random("data").randbytes(300_000))
    path, record = wheel(directory, "one"), directory / "record.json"
    canonical = directory / "canonical" / path.name
    built = directory / "built" / "built-1.0-py3-none-any.whl"
    seconds = {}
    for name, arguments in {
        "normalize": ("normalize", "-q", path, "-o", canonical.parent),
        "build": ("build", "-q", "-w", tree, "-o", built.parent, "--provenance", record),
        "verify": ("verify", "-q", built, "--from", record, "--source", tree, "-o", directory / "verified"),
    }.items():
        began = time.monotonic()
        status, messages = finished(*arguments)
        assert status == 0, messages
        seconds[name] = time.monotonic() - began
    return Sources(directory, path, canonical.read_bytes(), tree, built, record, seconds)


def job(name: str, directory: Path) -> Job:
    """Return how *name* is done in *directory*."""
    start = sources()
    seconds = start.seconds[name.partition(" ")[0]]
    if name == "normalize":
        path = Path(shutil.copy(start.wheel, directory))
        return Job(("normalize", "-q", path), path, path.read_bytes(), start.canonical, seconds)
    out = directory / "out"
    if name == "normalize -o":
        return Job(("normalize", "-q", start.wheel, "-o", out), out / start.wheel.name, None, start.canonical, seconds)
    target, built = out / start.built.name, start.built.read_bytes()
    if name == "build":
        return Job(("build", "-q", "-w", start.tree, "-o", out), target, None, built, seconds)
    arguments = ("verify", "-q", start.built, "--from", start.record, "--source", start.tree, "-o", out)
    return Job(arguments, target, None, built, seconds)


def started(
    arguments: tuple[object, ...], temp: Path, limits: Mapping[int, int] | None = None
) -> subprocess.Popen[str]:
    """Start samebytes with temporary files in *temp*."""
    environ = {**os.environ, "SOURCE_DATE_EPOCH": DATE, "TMPDIR": str(temp)}

    def limit() -> None:
        for kind, most in (limits or {}).items():
            resource.setrlimit(kind, (most, most))

    quiet, line = subprocess.DEVNULL, command(*arguments)
    return subprocess.Popen(line, env=environ, stdout=quiet, stderr=subprocess.PIPE, text=True, preexec_fn=limit)  # noqa: PLW1509 (one thread)


def written(work: Job, hit: bool, *, strays_in: tuple[Path, ...] = (), temp: Path) -> Try:
    """Look at the file: it is as it was, or as it is to be, and another run makes it so."""
    found = work.target.read_bytes() if work.target.exists() else None
    if found not in (work.before, work.after):
        return Try(hit, f"{work.target.name} is neither old nor new")
    left = [path.name for directory in strays_in for path in directory.rglob("*samebytes-*")]
    if left:
        return Try(hit, f"left: {' '.join(left)}")
    _, messages = (process := started(work.arguments, temp)).communicate()
    if process.returncode or work.target.read_bytes() != work.after:
        return Try(hit, f"the next run fails: {messages}")
    return Try(hit)


def signalled(name: str, number: signal.Signals) -> Fault:
    """Return the fault that *number* ends *name* at a random moment; SIGKILL lets nobody remove what is temporary."""

    def fault(directory: Path, dice: random.Random) -> Try:
        (temp := directory / "temp").mkdir()
        work = job(name, directory)
        process = started(work.arguments, temp)
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.2, 1.1) * work.seconds)
        process.send_signal(number)
        messages = process.communicate()[1]
        if process.returncode not in (*DOCUMENTED, -number):
            return Try(True, f"status {process.returncode}: {messages[-300:]}")
        looked_at = () if number == signal.SIGKILL else (directory,)
        return written(work, process.returncode != 0, strays_in=looked_at, temp=temp)

    return fault


def limited(name: str, kind: int, least: int, most: int) -> Fault:
    """Return the fault that *name* runs under a limit of the system."""

    def fault(directory: Path, dice: random.Random) -> Try:
        (temp := directory / "temp").mkdir()
        work = job(name, directory)
        process = started(work.arguments, temp, {kind: dice.randrange(least, most)})
        messages = process.communicate()[1]
        if process.returncode not in DOCUMENTED or process.returncode == 1:
            return Try(True, f"status {process.returncode}: {messages[-300:]}")
        return written(work, process.returncode != 0, strays_in=(directory,), temp=temp)

    return fault


def no_room(name: str, *, read_only: bool = False) -> Fault:
    """Return the fault that the disk of the target is full, or read-only."""

    def fault(directory: Path, dice: random.Random) -> Try:
        temp, disk, filler = directory / "temp", directory / "disk", directory / "disk" / "filler"
        temp.mkdir()
        disk.mkdir()
        with small_disk(disk, 2_000_000):
            work = job(name, disk)
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            filler.write_bytes(bytes(0 if read_only else max(0, free - dice.randrange(0, 350_000))))
            if read_only:
                subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            process = started(work.arguments, temp)
            messages = process.communicate()[1]
            if read_only:
                subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            if process.returncode not in DOCUMENTED or process.returncode == 1:
                return Try(True, f"status {process.returncode}: {messages[-300:]}")
            filler.unlink()
            return written(work, process.returncode != 0, strays_in=(directory,), temp=temp)

    return fault


def replaced_meanwhile(directory: Path, dice: random.Random) -> Try:
    """Put another file in the place of the one that is normalized, at a random moment; that one is never lost."""
    (temp := directory / "temp").mkdir()
    (beside := directory / "beside").mkdir()
    work = job("normalize", directory)
    other = wheel(beside, "one", 7)
    given = other.read_bytes()
    process = started(work.arguments, temp)
    with suppress(subprocess.TimeoutExpired):
        process.wait(dice.uniform(0.2, 1.1) * work.seconds)
    other.replace(work.target)
    messages = process.communicate()[1]
    found = work.target.read_bytes()
    hit = process.returncode == 8
    if found == given and (hit or process.returncode == 0):
        return Try(hit, "" if hit == ("since it was read" in messages) else messages[-300:])
    shutil.copy(work.target, beside / "found.whl")
    other.write_bytes(given)
    status, messages = finished("normalize", "-q", other)
    return Try(hit, "" if status == 0 and other.read_bytes() == found else f"the other file is lost: {messages[-300:]}")


BY_COMMAND: dict[str, Callable[[str], Fault]] = {
    "killed": lambda name: signalled(name, signal.SIGKILL),
    "SIGTERM": lambda name: signalled(name, signal.SIGTERM),
    "disk full": no_room,
    "read-only": lambda name: no_room(name, read_only=True),
    "files limited (`RLIMIT_FSIZE`)": lambda name: limited(name, resource.RLIMIT_FSIZE, 500, 320_000),
    "few descriptors (`RLIMIT_NOFILE`)": lambda name: limited(name, resource.RLIMIT_NOFILE, 5, 12),
}

WRITING: dict[str, Fault] = {
    "`normalize` in place, the file replaced meanwhile": replaced_meanwhile,
    **{
        f"`{name}`{' in place' if name == 'normalize' else ''}, {what}": make(name)
        for name in ("normalize", "normalize -o", "build", "verify -o")
        for what, make in BY_COMMAND.items()
    },
}


KINDS: dict[str, Fault] = {
    "`install` into a new place, killed": lambda directory, dice: kill_install(directory, dice, there=False),
    "`install` into a tree, killed": lambda directory, dice: kill_install(directory, dice, there=True),
    "`install`, disk full": full_install,
    "`install`, files limited (`RLIMIT_FSIZE`)": install_with_small_files,
    "`install`, few descriptors (`RLIMIT_NOFILE`)": install_with_few_descriptors,
    "`install`, read-only": read_only_install,
    "`install`, eight at once into one place": installs_at_once,
    "`tree fix`, killed": kill_fix,
    "`tree fix`, disk full": full_fix,
    "`tree fix`, files limited (`RLIMIT_FSIZE`)": fix_with_small_files,
    "`tree fix`, few descriptors (`RLIMIT_NOFILE`)": fix_with_few_descriptors,
    **WRITING,
}

if __name__ == "__main__":
    sys.exit(main())
