"""What can be varied between two builds of one source, and whether it can be on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from samebytes.console import programs

from . import disorder

ENTER = str(Path(__file__).with_name("enter_environment.py"))
"""The program that gives the second build another host name and fewer processors."""

OTHER_HOST = "a-host-of-another-name"

STRANGER = 12345
"""A user and a group that nobody here is."""

ROOM_NEEDED = 4 << 30
"""Bytes free that a file system in memory must have before builds are put on it."""


@dataclass(frozen=True)
class Variation:
    """One thing that differs between the two worlds."""

    name: str
    first: str
    """What the first world has, in a few words; as the second, where the variation is switched off."""
    second: str
    why: str
    """Who has it otherwise, or what it brings to light."""
    alias: str = ""
    """What reprotest calls it, if that is not the name."""


ALL = (
    Variation(
        "build-path", "a short path", "a long one, four directories deeper", "paths in compiled code", "build_path"
    ),
    Variation(
        "temp", "a short TMPDIR", "a longer one, and the build environment in it", "temporary names in what is built"
    ),
    Variation("home", "an empty HOME", "another one", "configuration and caches of the one who builds"),
    Variation("user", "USER is ada", "USER is somebody-else", "names in generated files", "user_group"),
    Variation("host", "this host's name", f"the host name {OTHER_HOST}", "names in generated files", "domain_host"),
    Variation("umask", "022", "077, for the files of the tree too", "modes of members"),
    Variation("owner", "you own the tree", "uid and gid 12345 do", "owners of members"),
    Variation("mtimes", "as in the source", "2017, each file another, with fractions", "times of members"),
    Variation(
        "file-order",
        "files written in the order of their names",
        "in the reverse, or shown so by disorderfs",
        "order of members",
        "fileordering",
    ),
    Variation("timezone", "TZ=UTC", "13 hours and 45 minutes west", "local times"),
    Variation("locales", "C.UTF-8", "another that is installed, or plain C", "sorting, messages, encodings"),
    Variation("hash-seed", "PYTHONHASHSEED=1", "PYTHONHASHSEED=4242", "order of sets"),
    Variation("time", "now", "400 days and some hours later", "dates; needs libfaketime"),
    Variation("processors", "all processors", "one", "order in which parallel steps end", "num_cpus"),
    Variation("parallelism", "MAKEFLAGS and its like say 1", "they say 3", "order in which parallel steps end"),
    Variation("terminal", "80 columns, dumb", "201 columns, colours", "texts that are laid out for a terminal"),
    Variation("exec-path", "PATH as it is", "an empty directory at its end", "PATH in generated files", "exec_path"),
    Variation("leftovers", "a fresh tree", "one in which it was built before", "stale build/, dist/, .egg-info"),
    Variation("checkout", "a git checkout", "the files alone, without .git", "versions and lists of files from git"),
)
"""In the order in which they are listed."""

NAMES = tuple(variation.name for variation in ALL)

BY_NAME = {variation.name: variation for variation in ALL}

ALIASES = {variation.alias: variation.name for variation in ALL if variation.alias}


@dataclass(frozen=True)
class Ground:
    """The directory that the worlds lie in."""

    directory: Path
    keeps_order: bool
    """Whether its directories are listed in an order that follows from that in which they were filled."""
    disorderfs: str = ""
    """The program that shows them in another order; empty if it is not needed, or not to be had."""


def ground(wanted: bool, environ: Mapping[str, str]) -> Ground:
    """Return where to build: the temporary directory, or memory if only that keeps the order, and that is *wanted*."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if not wanted or _keeps_order(temporary):
        return Ground(temporary, wanted)
    memory = Path("/dev/shm")
    if _is_roomy(memory) and _keeps_order(memory):
        return Ground(memory, True)
    return Ground(temporary, False, disorder.find(temporary, environ))


def _keeps_order(directory: Path) -> bool:
    """Find out by trying."""
    names = [f"{number:02d}" for number in range(20)]
    listed = []
    for order in (names, names[::-1]):
        with tempfile.TemporaryDirectory(prefix="samebytes-", dir=directory) as trial:
            for name in order:
                Path(trial, name).touch()
            listed.append(os.listdir(trial))
    return listed[0] != listed[1]


def _is_roomy(directory: Path) -> bool:
    if sys.platform == "win32" or not directory.is_dir() or not os.access(directory, os.W_OK):
        return False
    facts = os.statvfs(directory)
    runs_nothing = facts.f_flag & getattr(os, "ST_NOEXEC", 8)
    return not runs_nothing and facts.f_bavail * facts.f_frsize >= ROOM_NEEDED


def obstacles(on: Ground, environ: Mapping[str, str]) -> dict[str, str]:
    """Return why variations cannot be applied on this machine, by their names."""
    return dict(_obstacles(on, environ))


def _obstacles(on: Ground, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if os.name == "nt":
        yield "umask", "Windows has none"
    if not _can_give_away(on.directory):
        yield "owner", "only root may give files away"
    if not _can_enter({"host": OTHER_HOST}):
        yield "host", "the kernel allows no UTS namespace"
    if sys.platform != "linux":
        yield "processors", f"there is no processor affinity on {sys.platform}"
    elif len(os.sched_getaffinity(0)) < 2:
        yield "processors", "there is only one"
    if not on.keeps_order and not on.disorderfs:
        yield (
            "file-order",
            f"{on.directory} lists files in an order of its own, and {programs.missing('disorderfs')}",
        )
    if not moved_clock(environ):
        later = "the second build begins more than 2 seconds later, that is all"
        yield "time", f"{programs.missing('libfaketime')}; {later}"
    if programs.find("git", environ) is None:
        yield "checkout", programs.missing("git")


def _can_give_away(directory: Path) -> bool:
    """Find out by trying: root of a user namespace may not (user_namespaces(7))."""
    if sys.platform == "win32":
        return False
    with tempfile.NamedTemporaryFile(prefix="samebytes-", dir=directory) as trial:
        try:
            os.chown(trial.name, STRANGER, STRANGER)
        except OSError:
            return False
    return True


def _can_enter(options: Mapping[str, object]) -> bool:
    command = [sys.executable, "-I", "-S", ENTER, json.dumps(options), sys.executable, "-I", "-S", "-c", ""]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def obstacles_of(tree: Path) -> dict[str, str]:
    """Return why variations cannot be applied to the source *tree*, by their names."""
    found = {}
    if not (tree / ".git").exists():
        found["checkout"] = "the source is no git checkout"
    if any((tree / place).is_file() for place in ("Cargo.toml", "rust/Cargo.toml", "src/Cargo.toml")):
        found["time"] = "libfaketime lets cargo hang"
    return found


def moved_clock(environ: Mapping[str, str], steady_sleep: Path | None = None) -> dict[str, str]:
    """Return the variables that move the clock; none without libfaketime.

    :param steady_sleep: the library that must come before it, so that programs can sleep.
    """
    library = programs.find("libfaketime", environ)
    if library is None:
        return {}
    return {
        "LD_PRELOAD": " ".join(str(each) for each in (environ.get("LD_PRELOAD"), steady_sleep, library) if each),
        "FAKETIME": f"+{CLOCK_MOVED}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # What it does to waits on that clock lets threads spin (ten times as long on one processor).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


CLOCK_MOVED = 400 * 86400 + 5 * 3600 + 7 * 60
"""Seconds: another year, month, day, hour and minute."""


def other_locale() -> str:
    """Return a locale other than C.UTF-8 that this machine has; C where there is no other."""
    try:
        done = subprocess.run(["locale", "-a"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return "C"
    names = done.stdout.decode("ascii", "replace").split()
    others = [name for name in names if name.lower() not in {"c", "posix", "c.utf8", "c.utf-8"}]
    foreign = [name for name in others if not name.startswith("en_")]
    return next(iter([*foreign, *others]), "C")
