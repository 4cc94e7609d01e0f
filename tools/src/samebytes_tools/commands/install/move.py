"""Moves a tree that is complete to where it belongs: all of it, or nothing."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.backend.fixed import remove
from samebytes.backend.lock import take
from samebytes.errors import OutputError

from ..tree.plan import hashed


class _Moved(NamedTuple):
    source: Path
    target: Path


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


@contextmanager
def private_stage(anchor: Path) -> Iterator[Path]:
    """Give a new directory in *anchor* that only this user can look into; whatever is in it at the end is removed.

    So are those that killed processes have left. After an error *anchor* has the times that it had.

    :raises OutputError: if it cannot be created.
    """
    was = anchor.stat()
    stage = anchor / f".samebytes-{os.urandom(8).hex()}.tmp"
    new = stage.with_suffix(".new")
    lock = None
    try:
        try:
            _remove_abandoned(anchor)
            new.mkdir(mode=0o700)
            lock = _lock(new)
            new.rename(stage)  # it has its name only when it is locked, or another install might remove it
        except OSError as error:
            raise OutputError(
                f"{anchor}: cannot be written to: {error.strerror or error}",
                remedy="Make it writable, or install somewhere else. Nothing was changed.",
            ) from error
        yield stage
    except BaseException:
        remove(new)
        remove(stage)
        _restore_times({anchor: was})
        raise
    else:
        remove(stage)
    finally:
        if lock is not None:
            os.close(lock)


def _remove_abandoned(anchor: Path) -> None:
    """Remove the private directories that no process has locked: the system releases the locks of those that end."""
    for stage in anchor.glob(".samebytes-*.tmp"):
        lock = _lock(stage) if stage.is_dir() and not stage.is_symlink() else None
        if lock is not None:
            remove(stage)
            os.close(lock)


def _lock(directory: Path) -> int | None:
    """Lock *directory*, and return the descriptor that holds the lock; None if another has it, or there are none."""
    if sys.platform == "win32":  # where no directory can be opened
        return None
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        take(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def move_in(stage: Path, anchor: Path, top: Path, date: int) -> None:
    """Move everything in *stage* into *anchor*; what fails or is interrupted is undone.

    Directories that are not there yet are moved whole. Those that are, from *top* on, get the *date* if something was
    moved into them. Metadata directories come last: what a killed process leaves behind is not taken for installed.

    :raises OutputError: if something is in the way, or cannot be moved.
    """
    done: list[_Moved] = []
    times: dict[Path, os.stat_result] = {}
    try:
        for step in sorted(_steps(stage, anchor), key=lambda step: (step.target.name.endswith(".dist-info"), step)):
            if os.path.lexists(step.target):
                if _is_same_file(step.source, step.target):
                    continue  # a namespace's __init__.py, which another project has, too
                raise OutputError(
                    f"{step.target}: is in the way, and was not a moment ago",
                    remedy="Check whether something else is installing there, and try again.",
                )
            times.setdefault(step.target.parent, step.target.parent.stat())
            done.append(step)  # before it is done: an interruption may come right after
            step.source.rename(step.target)
        for directory in times:
            if directory == top or top in directory.parents:
                os.utime(directory, (date, date))
    except BaseException as error:
        for step in reversed(done):
            with suppress(OSError):
                if not os.path.lexists(step.source):
                    step.target.rename(step.source)
        _restore_times(times)
        if isinstance(error, OSError):
            raise OutputError(
                f"{error.filename2 or error.filename}: cannot be put in place: {error.strerror or error}",
                remedy="Make it writable, or install somewhere else. All is as it was.",
            ) from error
        raise


def _steps(source: Path, target: Path) -> Iterator[_Moved]:
    for child in source.iterdir():
        place = target / child.name
        if child.is_dir() and place.is_dir():
            yield from _steps(child, place)
        else:
            yield _Moved(child, place)


def _is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths are of files with the same bytes and executable bit; what links point to never is."""
    here, there = one.lstat(), other.lstat()
    if not stat.S_ISREG(here.st_mode) or not stat.S_ISREG(there.st_mode):
        return False
    if (here.st_size, here.st_mode & stat.S_IXUSR) != (there.st_size, there.st_mode & stat.S_IXUSR):
        return False
    return hashed(os.fspath(one), "sha256") == hashed(os.fspath(other), "sha256")


def _restore_times(times: dict[Path, os.stat_result]) -> None:
    for directory, was in times.items():
        with suppress(OSError):
            os.utime(directory, ns=(was.st_atime_ns, was.st_mtime_ns))
