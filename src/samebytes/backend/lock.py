"""One build of a source tree at a time: two would write into the same ``build`` directory."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Callable

from ..errors import BackendError

PATIENCE = 600.0
"""Seconds: longer than nearly all builds take, and not for ever, for the other one may hang."""

_HELD = "SAMEBYTES_TREE_HELD"


@contextmanager
def only_build(
    source: Path, seen: Path, child: MutableMapping[str, str], warn: Callable[[str], None]
) -> Iterator[None]:
    """Wait until no other samebytes builds the tree *source*, then hold it; the lock is on the directory itself.

    A build of the same tree that this build starts does not wait for it: *child*, its environment, shows the lock and
    the tree's path there, *seen*.
    Where directories cannot be locked (Windows, some network file systems) there is no lock. Whoever may read the tree
    may lock it: another user is not waited for.

    :raises BackendError: after PATIENCE.
    """
    if child.get(_HELD) == str(source) or sys.platform == "win32":
        yield
        return
    handle = os.open(source, os.O_RDONLY)
    try:
        _acquire(handle, source, warn)
        child[_HELD] = str(seen)
        yield
    finally:
        os.close(handle)


def take(descriptor: int) -> None:
    """Lock the open file or directory *descriptor*; the lock is released when it is closed, or its process ends.

    :raises BlockingIOError: if another process has locked it.
    :raises OSError: if there are no such locks here: on Windows, on some network file systems.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOTSUP, "Windows locks no directories")
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _acquire(handle: int, source: Path, warn: Callable[[str], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    waiting = False
    while True:
        try:
            take(handle)
            return
        except BlockingIOError:
            if not _is_ours(handle):
                warn(f"another user has locked {source}: not waiting for that")
                return
            if not waiting:
                warn(f"another build of {source} is running: waiting for it")
                waiting = True
            if time.monotonic() > deadline:
                raise BackendError(
                    f"another build of {source} has been running for {PATIENCE / 60:.0f} minutes",
                    remedy="End it, or build a copy of the tree.",
                ) from None
            time.sleep(0.05)  # flock(2) that waits cannot be given an end
        except OSError:
            return  # no locks on this file system


def _is_ours(handle: int) -> bool:
    """Return whether a process of our user holds the lock of the open directory; True where that cannot be known."""
    number = str(os.fstat(handle).st_ino)
    holders = []
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            _, kind, _, _, process, file, *_ = line.split()  # proc_locks(5)
            # By the inode alone: of btrfs, the device there is not that of stat(2).
            if kind == "FLOCK" and file.rpartition(":")[2] == number:
                holders.append(Path(f"/proc/{process}").stat().st_uid)
    return not holders or Path("/proc/self").stat().st_uid in holders
