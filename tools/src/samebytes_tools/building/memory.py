"""A source tree in memory, where directories are listed in one order on every machine: by name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.backend import fixed
from samebytes.backend.fixed import Place

_ENTER = str(Path(__file__).with_name("enter_memory.py"))

NOT_ALLOWED = 125
"""The exit status of that program where it ran nothing."""

_MIB = 1 << 20

_ROOM_TO_BUILD = 64 * _MIB
"""Bytes beyond twice the tree's that a build gets at least."""

_BLOCK = 4096

_CGROUPS = Path("/sys/fs/cgroup")


class MemoryPlace(NamedTuple):
    """A place whose source tree is in memory."""

    place: Place
    holder: int
    """The process that keeps it there."""

    def is_full(self) -> bool:
        """Return whether the tree takes almost all memory that it may."""
        if sys.platform == "win32":
            return False
        with suppress(OSError):
            facts = os.statvfs(f"/proc/{self.holder}/root{self.place.root}/src")
            return facts.f_bavail * 10 < facts.f_blocks
        return False


@contextmanager
def in_memory(here: Place, report: Callable[[str], None]) -> Iterator[MemoryPlace | None]:
    """Yield the place with a copy of its directory ``src`` in memory, as what is run there sees it.

    The directory itself stays as it is. Without a mount namespace, None is yielded; and if there is too little memory
    or the kernel forbids something, which is reported.
    """
    if not here.prefix:
        yield None
        return
    # Half, as tmpfs takes by default; compilers need the rest.
    size, needed = available() // 2, 2 * _size(here.private / "src") + _ROOM_TO_BUILD
    if size < needed:
        report(f"in memory it needs {needed // _MIB} MiB, and {size // _MIB} MiB can be had")
        yield None
        return
    words = [*here.prefix, sys.executable, "-I", "-S", _ENTER, "hold", fixed._ENTER, str(here.root / "src"), str(size)]
    pipe = subprocess.PIPE
    # A session of its own: Ctrl-C would end it, and with it the tree, before the build.
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as holder:
        try:
            joined = _joined(here, holder)
            if joined is None:
                _, errors = holder.communicate()  # it ends now
                report(errors.decode("utf-8", "replace").strip() or "mount namespaces cannot be entered")
            yield MemoryPlace(joined, holder.pid) if joined else None
        # Also of KeyboardInterrupt: a holder that is left would keep its memory.
        except BaseException:
            holder.kill()
            raise


def _joined(here: Place, holder: subprocess.Popen[bytes]) -> Place | None:
    """Return the place with what enters the namespace of *holder*; None if it has none, or lets nobody in."""
    assert holder.stdout is not None
    # Empty where it ended without.
    if holder.stdout.readline() != b"ready\n":
        return None
    prefix = (sys.executable, "-I", "-S", _ENTER, "join", str(holder.pid), str(here.private), str(here.root))
    command = [shutil.which("true") or sys.executable, "--version"]
    git = shutil.which("git")
    if git and (here.private / "src" / ".git" / "index").is_file():
        command = [git, "update-index", "-q", "--refresh"]  # it holds the times of the files on disk
    done = subprocess.run(
        [*prefix, *command], cwd=here.private / "src", stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return None if done.returncode == NOT_ALLOWED else here._replace(prefix=prefix)


def _size(directory: Path) -> int:
    """Return the bytes that the files below *directory* take in memory, in whole blocks, each name with one."""
    total, directories = 0, [str(directory)]
    for folder in directories:  # not os.walk, which recurses before Python 3.12
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                total += _BLOCK
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.path)
                else:
                    total += -(-entry.stat(follow_symlinks=False).st_size // _BLOCK) * _BLOCK
    return total


def available() -> int:
    """Return the bytes of memory that programs can have now, by the whole system and by our control groups."""
    # kB are KiB there (proc(5)).
    found = re.search(r"^MemAvailable: +(\d+) kB$", _text(Path("/proc/meminfo")), re.MULTILINE)
    rooms = [int(found[1]) << 10 if found else 0]
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        # No controllers: version 2 of control groups, where one hierarchy has all (cgroups(7)).
        if "memory" in controllers.split(",") or not controllers:
            top = _CGROUPS / ("memory" if controllers else "")
            group = top / path.lstrip("/")
            # A limit of any ancestor holds, too.
            rooms += [_left(directory) for directory in (group, *group.parents) if directory.is_relative_to(top)]
    return max(0, min(rooms))


def _left(group: Path) -> int:
    """Return the bytes that a control group may still take, with what it could give back (cgroups(7))."""
    # Version 2, then version 1.
    for limit, usage in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        most, now = _text(group / limit).strip(), _text(group / usage).strip()
        # Without a limit, version 2 has the word "max".
        if most.isdigit() and now.isdigit():
            # The page cache counts as used, but is given back first.
            cached = re.search(r"^(?:total_)?inactive_file (\d+)$", _text(group / "memory.stat"), re.MULTILINE)
            return int(most) - int(now) + (int(cached[1]) if cached else 0)
    return sys.maxsize


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace")
    return ""
