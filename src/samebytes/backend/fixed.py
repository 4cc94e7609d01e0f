"""Fixed paths (D2): every build on every machine at the same place, so that no path can make a difference.

In a mount namespace of its own, a build sees a private directory there, whatever other builds run. Where the kernel
does not allow that, the directory itself is locked; where it cannot be locked, the build runs at a random path.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Callable, NamedTuple

from .lock import take

PLACE = Path("/tmp/samebytes")
"""Where builds take place, on every machine alike."""

IN_USE = "SAMEBYTES_FIXED_PATHS"
"""Set in the environment of what runs there, so that a build inside a build goes elsewhere."""

PATIENCE = 5.0
"""Seconds to wait for the place when it has to be locked."""

_LOCK = ".lock"
"""What is locked where there are no mount namespaces; it marks the place as samebytes' own."""

_ENTER = str(Path(__file__).with_name("enter.py"))


class Place(NamedTuple):
    """Where a build takes place."""

    root: Path
    """The path that the build sees."""
    private: Path
    """The same directory as seen from here."""
    prefix: tuple[str, ...] = ()
    """A command that the build's own is given to."""

    @property
    def is_fixed(self) -> bool:
        """Whether it is where every build takes place."""
        return self.root == PLACE


@contextmanager
def place(private: Path, environ: Mapping[str, str], warn: Callable[[str], None]) -> Iterator[Place]:
    """Yield a place whose contents are those of *private*, an existing empty directory, and fixed if that can be.

    *private* itself, with one warning, is the place where nothing better is to be had.
    """
    if _runs_nothing(private):
        warn(f"programs in {private.parent} may not be run (noexec), and many builds need that: set TMPDIR")
    why = _why_not(environ)
    here = None if why else mounted(private)
    if here is not None:
        yield here
        return
    why = why or _why_not_without_mounts()
    lock = None if why else _lock()
    if lock is None:
        warn_of(why or "another build is there, and the kernel allows no mount namespace", warn)
        yield Place(private, private)
        return
    with lock:
        _clear(PLACE)
        try:
            yield Place(PLACE, PLACE)
        finally:
            _clear(PLACE)


def hook_place(
    private: Path, trees: Mapping[str, Path], environ: Mapping[str, str], warn: Callable[[str], None]
) -> Place:
    """Return a place for a hook, which owns neither the source tree nor the environment: *trees* are mounted in it.

    :param trees: the names that directories are to have in the place.
    """
    why = _why_not(environ)
    here = None if why else mounted(private, trees)
    if here is None:
        warn_of(why or "the kernel allows no mount namespace", warn)
    return here or Place(private, private)


def warn_of(reason: str, warn: Callable[[str], None]) -> None:
    """Warn, once, why the paths are not fixed."""
    warn(f"not building at the fixed path {PLACE}: {reason}; paths that prefix maps do not reach may differ")


def mounted(private: Path, trees: Mapping[str, Path] = MappingProxyType({})) -> Place | None:
    """Return the place with *private* mounted on it and *trees* in it, or None if the kernel does not allow that."""
    if not sys.platform.startswith("linux"):
        return None
    for name in trees:
        (private / name).mkdir(exist_ok=True)
    mounts = [[str(private), str(PLACE)], *([str(path), str(PLACE / name)] for name, path in trees.items())]
    prefix = (sys.executable, "-I", "-S", _ENTER, json.dumps(mounts))
    attempt = [*prefix, sys.executable, "-I", "-S", "-c", ""]
    done = subprocess.run(attempt, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Place(PLACE, private, prefix) if done.returncode == 0 else None


def remove(directory: Path) -> None:
    """Remove *directory* with all that is in it, read-only directories too."""
    shutil.rmtree(directory, ignore_errors=True)
    if not directory.is_dir():
        return
    for folder, names, _ in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)


def _why_not(environ: Mapping[str, str]) -> str:
    """Return what is wrong with the place, or nothing; make it if it is not there.

    Who owns it could move away what is mounted on it. What others have there would be hidden by that: a program that
    runs from there, for example, such as the interpreter.
    """
    if sys.platform == "win32":
        return "there are no fixed paths on Windows"
    if environ.get(IN_USE):
        return "this build runs inside one that is there"
    try:
        _make()
        found = PLACE.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return "it is not a directory"
        if found.st_uid not in (os.getuid(), 0):
            return "it belongs to another user"
        names = os.listdir(PLACE)
    except OSError as error:
        return f"it cannot be used ({error.strerror})"
    return "" if not names or _LOCK in names else "it holds files that are not samebytes'"


def _make() -> None:
    try:
        PLACE.mkdir()
    except FileExistsError:
        return
    PLACE.chmod(0o755)  # whatever the umask


def _why_not_without_mounts() -> str:
    """Return why the place itself cannot be built in, or nothing."""
    found = PLACE.lstat()
    if sys.platform == "win32" or found.st_uid != os.getuid():
        return "it belongs to another user, and the kernel allows no mount namespace"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "others may write to it, and the kernel allows no mount namespace"
    return "programs there may not be run (noexec)" if _runs_nothing(PLACE) else ""


def _runs_nothing(directory: Path) -> bool:
    if sys.platform != "linux":  # elsewhere Python does not know which flag it is
        return False
    return bool(os.statvfs(directory).f_flag & os.ST_NOEXEC)


def _lock() -> IO[Any] | None:
    """Take the place itself, if it is free within PATIENCE."""
    try:
        lock = (PLACE / _LOCK).open("a", encoding="ascii")
    except OSError:
        return None
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            take(lock.fileno())
        except OSError:
            if time.monotonic() > deadline:
                lock.close()
                return None
            time.sleep(0.05)
        else:
            return lock


def _clear(directory: Path) -> None:
    """Empty the place of what this build, or one that was killed, left there."""
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove(path)
        elif path.name != _LOCK:
            path.unlink()
