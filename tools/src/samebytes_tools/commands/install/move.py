"""Moves a tree that is complete to where it belongs: all of it, or nothing, whatever else is installed meanwhile."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable, NamedTuple

from samebytes.backend.lock import take
from samebytes.errors import OutputError

from ..tree.plan import hashed
from .stage import is_planted, restore_times

_PATIENCE = 60.0
"""Seconds for which an install waits for others to move what they have made."""
# Others have the lock for moments, of which nobody needs to hear.
_SILENCE = 1.0
"""Seconds after which it reports that it waits."""
_ATTEMPTS = 100

_EXISTS = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR})
"""What POSIX' link and rename report where there is something already."""


class _Step(NamedTuple):
    source: Path
    target: Path


class _Known(NamedTuple):
    """A file or directory that was moved, or is about to be."""

    path: str
    device: int
    inode: int
    is_directory: bool


class _AppearedError(Exception):
    """A directory is there now, of another install: the steps are others."""


def move_in(
    stage: Path, anchor: Path, top: Path, date: int, check: Callable[[], None], warn: Callable[[str], None]
) -> tuple[Path, ...]:
    """Move everything in *stage* into *anchor*; what fails or is interrupted is undone.

    Directories that are not there yet are moved whole. Those that are, from *top* on, get the *date* if something was
    moved into them; returned are those that cannot, because they are another user's. Metadata directories come last:
    what a killed process leaves behind is not taken for installed. Other installs wait meanwhile.

    :param check: raises an error if something was installed that rules this out.
    :param warn: gets why nothing goes on.
    :raises OutputError: if something is in the way, or cannot be moved.
    """
    for _ in range(_ATTEMPTS):
        there = top.is_dir()
        with _locked(top if there else stage / top.relative_to(anchor), warn) as is_current:
            # It came, or was replaced, while this waited.
            if there != top.is_dir() or (there and not is_current()):
                continue
            check()
            try:
                return _move(stage, anchor, top, date, there=there)
            except _AppearedError:
                continue
    raise OutputError(
        f"{top}: other processes create and remove what is in it all the time",
        remedy="Check what they are, and try again. All is as it was.",
    )


@contextmanager
def _locked(directory: Path, warn: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Lock *directory*, and give a function that returns whether it still is what is called so.

    An install has the lock while it moves what it has made, so for moments. Everyone who can read a directory can lock
    it for good; then the work goes on without: what could be lost is only a file that both installs have, if the other
    one fails.
    """
    try:
        if sys.platform == "win32":  # where no directory can be opened
            raise OSError
        # The directory itself and not a lock file, which would have to be left behind.
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        yield directory.is_dir
        return
    try:
        _wait_for(descriptor, lambda: warn(f"another process has locked {directory}: waiting for it"))
        yield lambda: directory.is_dir() and os.path.samestat(os.fstat(descriptor), directory.stat())
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, report: Callable[[], None]) -> None:
    """Lock the open directory, or go on without after a while."""
    waited, pause = 0.0, 0.005
    while waited < _PATIENCE:
        try:
            take(descriptor)
        except BlockingIOError:
            if waited < _SILENCE <= waited + pause:
                report()
            time.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 0.1)
        except OSError:  # there are no such locks here
            return
        else:
            return


def _move(stage: Path, anchor: Path, top: Path, date: int, *, there: bool) -> tuple[Path, ...]:
    done: list[_Known] = []
    times: dict[Path, os.stat_result] = {}
    try:
        steps = sorted(_steps(stage, anchor), key=lambda step: (step.target.name.endswith(".dist-info"), step))
        if not there and top.is_dir():  # since the check, by an install that had no reason to wait for this one
            raise _AppearedError
        while steps:
            step = steps.pop(0)
            # Before the first step into it, for undoing.
            times.setdefault(step.target.parent, step.target.parent.stat())
            known, is_first = _known(step), not done
            done += known  # before it is done: an interruption may come right after
            try:
                is_moved = _put(step)
            except _AppearedError:
                if is_first:  # from the beginning, for what is there now has to be checked first
                    raise
                # What was moved stays: undone, it would be in neither place when this is tried again.
                is_moved, steps[:0] = False, sorted(_steps(step.source, step.target))
            if not is_moved:
                del done[-len(known) :]  # it is not ours to remove
                # A killed run may have put it there, and not have got to the times of what it is in.
                times.update((path, path.stat()) for path in _between(top, step.target) if path not in times)
        return tuple(path for path in times if (path == top or top in path.parents) and not set_time(path, date))
    # Also of Ctrl-C: either all is there or nothing (D9).
    except BaseException as error:
        _undo(done)
        restore_times(times)
        if isinstance(error, OSError):
            raise OutputError(
                f"{error.filename2 or error.filename or top}: cannot be put in place: {error.strerror or error}",
                remedy="Make it writable, or install somewhere else. All is as it was.",
            ) from error
        raise


def _between(top: Path, path: Path) -> Iterator[Path]:
    """Yield the directories that *path* is in, up to *top*."""
    while path not in (top, path.parent):
        path = path.parent
        yield path


def set_time(directory: Path, date: int) -> bool:
    """Give *directory* the time *date*, and return whether that is allowed: only its owner may do it (POSIX, utimes).

    :raises OSError: if something else prevents it.
    """
    try:
        os.utime(directory, (date, date))
    except PermissionError:
        return False
    return True


def _steps(source: Path, target: Path) -> Iterator[_Step]:
    for child in source.iterdir():
        place = target / child.name
        # Into it, as others may have files there; what is not there yet is moved whole, in one step.
        if child.is_dir() and place.is_dir() and not is_planted(place):
            yield from _steps(child, place)
        else:
            yield _Step(child, place)


def _known(step: _Step) -> list[_Known]:
    """Return what a step moves, directories before what is in them, by the paths that it will have."""
    status = step.source.lstat()
    found = [_Known(os.fspath(step.target), status.st_dev, status.st_ino, stat.S_ISDIR(status.st_mode))]
    pending = [(os.fspath(step.source), found[0].path)] if found[0].is_directory else []
    while pending:
        source, target = pending.pop()
        with os.scandir(source) as children:
            for child in children:
                status = child.stat(follow_symlinks=False)
                place = os.path.join(target, child.name)
                found.append(_Known(place, status.st_dev, status.st_ino, stat.S_ISDIR(status.st_mode)))
                if found[-1].is_directory:
                    pending.append((child.path, place))
    return found


def _put(step: _Step) -> bool:
    """Move a file or a directory, and return whether it was: the same file may be there already.

    Nothing is replaced, even if it came a moment ago. (An empty directory is, by one with contents.)

    :raises _AppearedError: if a directory is to be put where one is now.
    :raises OutputError: if something else is there.
    """
    try:
        if step.source.is_dir():
            step.source.rename(step.target)
        else:
            _link(step)
    except OSError as error:
        # ENOTDIR may also be of a parent.
        if error.errno not in _EXISTS or not os.path.lexists(step.target):
            raise
        if _is_same_file(step.source, step.target):
            return False  # a namespace's __init__.py, which another project has, too
        if step.source.is_dir() and step.target.is_dir() and not is_planted(step.target):
            raise _AppearedError from error
        raise OutputError(
            f"{step.target}: is in the way, and was not a moment ago",
            remedy="Check whether something else is installing there, and try again.",
        ) from error
    return True


def _link(step: _Step) -> None:
    """Move a file to a name that nothing has: rename would replace what has it."""
    try:
        # link(2) never replaces; renameat2 with RENAME_NOREPLACE is Linux alone, and not in Python.
        os.link(step.source, step.target)
    except FileExistsError:
        raise
    except OSError:  # the file system has no hard links; or the reason comes up again
        os.close(os.open(step.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            step.source.replace(step.target)
        except BaseException:
            with suppress(OSError):
                if step.source.exists():
                    step.target.unlink()
            raise
    else:
        step.source.unlink()


def _undo(done: list[_Known]) -> None:
    """Remove what was moved, and nothing that others have put in the same directories."""
    for path, device, inode, is_directory in reversed(done):
        with suppress(OSError):
            status = os.lstat(path)
            # By inode: the name may be of somebody else's file by now.
            if (status.st_dev, status.st_ino) == (device, inode):
                (os.rmdir if is_directory else os.unlink)(path)


def _is_same_file(one: Path, other: Path) -> bool:
    """Return whether two paths are of files with the same bytes and executable bit; what links point to never is."""
    here, there = one.lstat(), other.lstat()
    if not stat.S_ISREG(here.st_mode) or not stat.S_ISREG(there.st_mode):
        return False
    if (here.st_size, here.st_mode & stat.S_IXUSR) != (there.st_size, there.st_mode & stat.S_IXUSR):
        return False
    return hashed(os.fspath(one), "sha256", here) == hashed(os.fspath(other), "sha256", there)
