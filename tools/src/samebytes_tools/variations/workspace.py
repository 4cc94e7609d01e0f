"""Where two builds can take place on this machine, and what of all that could be varied cannot be varied here."""

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
from .locales import other_locale
from .moved_clock import movable_alone
from .variations import OTHER_HOST, Obstacle

ENTER = str(Path(__file__).with_name("enter_environment.py"))
"""The program that gives the second build another host name and fewer processors."""

STRANGER = 12345
"""A user and a group that do not exist on this machine."""

_ROOM_NEEDED = 4 << 30
"""Bytes free that a file system in memory must have before builds are put on it."""


@dataclass(frozen=True)
class Workspace:
    """The directory in which both builds take place."""

    directory: Path
    keeps_order: bool
    """Whether its directories are listed in an order that follows from that in which they were filled."""
    disorderfs: str = ""
    """The program that shows them in another order; empty if it is not needed, or not to be had."""


def workspace(environ: Mapping[str, str], *, keep_order: bool) -> Workspace:
    """Return where to build: the directory for temporary files, or a file system in memory.

    :param keep_order: whether directories are to be listed in an order that follows from that in which they were
        filled. Only for that, and only where the directory for temporary files does not, memory is used.
    """
    # Resolved, as compilers record real paths: /tmp is a link on macOS, and no name of it would be found in them.
    temporary = Path(tempfile.gettempdir()).resolve()
    if not keep_order or _keeps_order(temporary):
        return Workspace(temporary, keep_order)
    # Where Linux has a tmpfs for POSIX shared memory (shm_overview(7)).
    memory = Path("/dev/shm")
    if _is_roomy(memory) and _keeps_order(memory):
        return Workspace(memory, True)
    return Workspace(temporary, False, disorder.find(temporary, environ))


def _keeps_order(directory: Path) -> bool:
    """Return whether two directories in *directory*, filled in opposite orders, are listed differently."""
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
    # Containers mount it so, and builds run what they compile. Python has that constant on Linux alone.
    runs_nothing = facts.f_flag & getattr(os, "ST_NOEXEC", 8)
    return not runs_nothing and facts.f_bavail * facts.f_frsize >= _ROOM_NEEDED


def obstacles(where: Workspace, environ: Mapping[str, str]) -> dict[str, Obstacle]:
    """Return why variations cannot be applied on this machine, by their names."""
    return dict(_obstacles(where, environ))


def _obstacles(where: Workspace, environ: Mapping[str, str]) -> Iterator[tuple[str, Obstacle]]:
    # Elsewhere, packages have other names, or are not to be had.
    packages = {program.name: program.package for program in programs.ALL} if sys.platform == "linux" else {}
    if packages:
        packages["locale"] = "locales-all"
    if os.name == "nt":
        yield "umask", Obstacle("Windows has none")
    if not _can_give_away(where.directory):
        # POSIX: _POSIX_CHOWN_RESTRICTED.
        yield "owner", Obstacle("only root may give files away", brief="needs root", advice="run this as root")
    if not _can_enter({"host": OTHER_HOST}):
        yield "host", Obstacle("the kernel allows no UTS namespace")
    if sys.platform != "linux":
        yield "processors", Obstacle(f"there is no processor affinity on {sys.platform}")
    # Not os.cpu_count(): containers and taskset(1) allow fewer than there are.
    elif len(os.sched_getaffinity(0)) < 2:
        yield "processors", Obstacle("there is only one", brief="there is only one")
    if not where.keeps_order and not where.disorderfs:
        why = f"{where.directory} lists files in an order of its own, and {programs.missing('disorderfs')}"
        yield "file-order", Obstacle(why, packages.get("disorderfs", ""))
    if other_locale() == "C":
        brief = "only C is installed here"
        yield "locales", Obstacle(brief, packages.get("locale", ""), brief, is_partial=True)
    whose = movable_alone(environ)
    if whose:
        library = programs.find("libfaketime", environ)
        missing = f"{library} does not move a clock here" if library else programs.missing("libfaketime")
        later = "begins more than 2 seconds later, that is all"
        why = f"{missing}; for programs other than {whose}, the second build {later}"
        brief = f"only that of {whose} is moved"
        yield "time", Obstacle(why, packages.get("libfaketime", ""), brief, is_partial=True)
    if programs.find("git", environ) is None:
        yield "checkout", Obstacle(programs.missing("git"), packages.get("git", ""))


def _can_give_away(directory: Path) -> bool:
    """Return whether a file can be given to another user; root of a user namespace may not (user_namespaces(7))."""
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
        # Tried rather than looked up: seccomp, AppArmor and sysctls all forbid namespaces, each elsewhere.
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def obstacles_of(tree: Path) -> dict[str, Obstacle]:
    """Return why variations cannot be applied to the source *tree*, by their names."""
    found = {}
    # A file in worktrees and submodules (gitrepository-layout(5)).
    if not (tree / ".git").exists():
        found["checkout"] = Obstacle("the source is not a git checkout", advice="check a clone")
    # Where projects with maturin or setuptools-rust have it.
    if any((tree / place).is_file() for place in ("Cargo.toml", "rust/Cargo.toml", "src/Cargo.toml")):
        found["time"] = Obstacle(
            "libfaketime lets cargo hang", brief="only that of Python is moved, for cargo", is_partial=True
        )
    return found
