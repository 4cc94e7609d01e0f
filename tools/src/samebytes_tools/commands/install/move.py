"""Moves a tree that is complete to where it belongs: all of it, or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.backend.fixed import remove
from samebytes.backend.lock import take
from samebytes.errors import OutputError


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
                f"{target}: is no directory, and things are to be installed in it",
                remedy="Remove it, or install into another place. Nothing was changed.",
            )
        target = target.parent
    return target


@contextmanager
def private_stage(anchor: Path) -> Iterator[Path]:
    """Give a new directory in *anchor* that only this user can look into; whatever is in it at the end is removed.

    So are those that processes have left which were killed. After an error *anchor* has the times that it had.

    :raises OutputError: if it cannot be made.
    """
    was = anchor.stat()
    stage = anchor / f".samebytes-{os.urandom(8).hex()}.tmp"
    lock = None
    try:
        try:
            _remove_abandoned(anchor)
            lock = _made(stage)
        except OSError as error:
            raise OutputError(
                f"{anchor}: cannot be written to: {error.strerror or error}",
                remedy="Make it writable, or install somewhere else. Nothing was changed.",
            ) from error
        yield stage
    except BaseException:
        remove(stage.with_suffix(".new"))
        remove(stage)
        _restore_times({anchor: was})
        raise
    else:
        remove(stage)
    finally:
        _unlock(lock)


def _made(stage: Path) -> int | None:
    """Make a directory, and return its lock; it has its name only when it is locked."""
    new = stage.with_suffix(".new")
    new.mkdir(mode=0o700)
    lock = _lock(new)
    new.rename(stage)
    return lock


def _remove_abandoned(anchor: Path) -> None:
    """Remove the private directories that no process has locked: the system lets go the locks of those that end."""
    for stage in anchor.glob(".samebytes-*.tmp"):
        lock = _lock(stage) if stage.is_dir() and not stage.is_symlink() else None
        if lock is not None:
            remove(stage)
            _unlock(lock)


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


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def move_in(stage: Path, anchor: Path, top: Path, date: int) -> None:
    """Move everything in *stage* into *anchor*; what fails or is interrupted is undone.

    Directories that are not there yet are moved whole. Those that are, from *top* on, get the *date* if something was
    moved into them. Metadata directories come last: what an ended process leaves behind is not taken for installed.

    :raises OutputError: if something is in the way, or cannot be moved.
    """
    done: list[_Moved] = []
    times: dict[Path, os.stat_result] = {}
    try:
        for step in sorted(_steps(stage, anchor), key=lambda step: (step.target.name.endswith(".dist-info"), step)):
            _demand_free(step.target)
            times.setdefault(step.target.parent, step.target.parent.stat())
            done.append(step)  # before it is done: an interruption may come right after
            step.source.rename(step.target)
        for directory in times:
            if directory == top or top in directory.parents:
                os.utime(directory, (date, date))
    except BaseException as error:
        _undo(done)
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


def _demand_free(target: Path) -> None:
    if os.path.lexists(target):
        raise OutputError(f"{target}: is in the way, and was not a moment ago", remedy="Is something else installing?")


def _undo(done: list[_Moved]) -> None:
    for step in reversed(done):
        with suppress(OSError):
            if not os.path.lexists(step.source):
                step.target.rename(step.source)


def _restore_times(times: dict[Path, os.stat_result]) -> None:
    for directory, was in times.items():
        with suppress(OSError):
            os.utime(directory, ns=(was.st_atime_ns, was.st_mtime_ns))
