"""The private directory in which a tree is made complete, before anything of it is put in place."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from samebytes.backend.lock import take
from samebytes.errors import OutputError

# 64 random bits: nobody can make such a directory beforehand.
_NAME = re.compile(r"\.samebytes-[0-9a-f]{16}\.tmp")
_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_IN_USE = stat.S_ISVTX
"""The mode's bit of a directory that was locked; for its owner, it has no other meaning."""
_ATTEMPTS = 100
"""How often another process may be faster; each time it has done some of its work."""


def anchor_of(target: Path) -> Path:
    """Return *target* if it is there, else the nearest directory above it that is.

    :raises OutputError: if something else than a directory is in the way.
    """
    while not target.is_dir():
        if os.path.lexists(target):
            raise OutputError(
                f"{target}: is not a directory, and things are to be installed in it",
                remedy="Remove it, or install into another place. Nothing was changed.",
            )
        target = target.parent
    return target


def is_planted(path: Path) -> bool:
    """Return whether *path* is a link of somebody else than this user and the owner of the directory that it is in.

    Where several may write, such a link could lead to what only this user may change (proc_sys_fs(5),
    ``protected_symlinks``).

    :raises OSError: if there is nothing.
    """
    found = path.lstat()
    if sys.platform == "win32" or not stat.S_ISLNK(found.st_mode):
        return False
    # The rule of the kernel's own protection, which not every system has on.
    return found.st_uid not in (os.geteuid(), path.parent.stat().st_uid)


@contextmanager
def private_stage(anchor: Path) -> Iterator[Path]:
    """Give a new directory in *anchor* that only this user can look into; whatever is in it at the end is removed.

    So are those that killed processes of this user have left. After an error *anchor* has the times that it had.

    :raises OutputError: if it cannot be created.
    """
    lock = made = None
    tried: list[Path] = []  # before they are created: an interruption may come right after
    try:
        try:
            was = now = anchor.stat()
            remove_abandoned(anchor)
            lock = _created(anchor, tried)
            made = anchor.stat()
        except OSError as error:
            raise OutputError(
                f"{anchor}: cannot be written to: {error.strerror or error}",
                remedy="Make it writable, or install somewhere else. Nothing was changed.",
            ) from error
        yield tried[-1]
        _remove(tried)
    except BaseException:
        with suppress(OSError):
            now = anchor.stat()
        _remove(tried)
        # Making and removing it has changed the time of *anchor*.
        if tried:  # what others have changed there meanwhile stays as it is
            restore_times({anchor: was if made is None or now.st_mtime_ns == made.st_mtime_ns else now})
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _remove(stages: list[Path]) -> None:
    for stage in stages:
        # The error that led here counts more than one of clearing up.
        shutil.rmtree(stage, ignore_errors=True)


def restore_times(times: dict[Path, os.stat_result]) -> None:
    """Give directories the times that they had, as far as that is allowed."""
    for directory, was in times.items():
        with suppress(OSError):
            # In nanoseconds: floats would round what is given back.
            os.utime(directory, ns=(was.st_atime_ns, was.st_mtime_ns))


def _created(anchor: Path, tried: list[Path]) -> int | None:
    """Create a directory with a name that nobody could know, and return the descriptor that has it locked, if any.

    :param tried: has its path at the end, and at any time that of what has to be removed.
    :raises OSError: if it cannot be created.
    """
    for _ in range(_ATTEMPTS):
        tried[:] = [anchor / f".samebytes-{os.urandom(8).hex()}.tmp"]
        stage = tried[0]
        # No exist_ok: what is there is somebody else's.
        stage.mkdir(mode=0o700)
        if sys.platform == "win32":  # where no directory can be opened
            return None
        try:
            # Locked as long as this process lives; by that others see that it is not abandoned.
            lock = os.open(stage, os.O_RDONLY | _DIRECTORY)
        except FileNotFoundError:  # another install took it for abandoned, in the moment before it is locked
            continue
        try:
            take(lock)
        except BlockingIOError:  # another install has it, and removes it
            os.close(lock)
            continue
        except OSError:  # there are no such locks here; nor will anyone else take one
            os.close(lock)
            return None
        # It may have been removed between making and locking it.
        if _is_at(lock, stage):
            with suppress(OSError):
                os.fchmod(lock, 0o700 | _IN_USE)
            return lock
        os.close(lock)
    raise OSError(None, "something removes what is created there")


def remove_abandoned(anchor: Path) -> bool:
    """Remove this user's private directories that no process has locked: the system unlocks those of what has ended.

    Not where root is in a directory of somebody else, who could have given such a name to something of root's.

    :returns: whether there was one that had been locked: not one that is just being made.
    :raises OSError: if *anchor* cannot be read.
    """
    if sys.platform == "win32" or (os.geteuid() == 0 and anchor.stat().st_uid != 0):
        return False
    found = False
    for name in filter(_NAME.fullmatch, os.listdir(anchor)):
        with suppress(OSError):
            lock = os.open(anchor / name, os.O_RDONLY | _DIRECTORY)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    take(lock)
                    if _is_at(lock, anchor / name):
                        found = found or bool(os.fstat(lock).st_mode & _IN_USE)
                        shutil.rmtree(anchor / name, ignore_errors=True)
            finally:
                os.close(lock)
    return found


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether *path* is that of the open directory."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
