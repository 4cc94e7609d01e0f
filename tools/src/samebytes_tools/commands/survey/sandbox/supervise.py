"""Run a command and leave nothing of it: processes that it let go of become this one's, and are ended with it (Linux).

This file is run by its path and imports only the standard library. The arguments are the command, whose exit status is
this program's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def children(pid: int) -> list[int]:
    """Return the numbers of the processes that *pid* started, or was given."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == pid and fields[0] not in "ZX":
            found.append(int(stat.parent.name))
    return found


def end_all(pid: int, leader: int) -> None:
    """End all processes below *pid*; each one that ends gives its own to this process (Linux).

    Where nobody's children can be seen (macOS): the processes of the group that *leader* leads.
    """
    if sys.platform == "win32":
        return
    if sys.platform != "linux":
        if not leader:
            return  # it was not started
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter where only zombies are left
            os.killpg(leader, signal.SIGKILL)
        return
    # Processes that fork faster than they are ended would keep it here for good.
    for _ in range(1000):
        alive = children(pid)
        if not alive:
            return
        for one in alive:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break


def main() -> None:
    """Run the command, and clear up after it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        # Else what loses its parent goes to init, where it is not found (prctl(2)).
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        # SIGTERM and not SIGKILL: there is something to clear up.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    leader, is_ended = 0, False

    def end(*_: object) -> None:
        # While the command is being started, it runs already and its number is not known: it would be left.
        nonlocal is_ended
        is_ended = True
        if leader:
            sys.exit(143)  # 128 + 15, as shells report it; by an exception, so that `finally` is run.

    signal.signal(signal.SIGTERM, end)
    try:
        process = subprocess.Popen(sys.argv[1:], start_new_session=True)
        leader = process.pid
        if is_ended:
            sys.exit(143)
        status = process.wait()
    finally:
        # A second one must not interrupt the clearing up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_all(os.getpid(), leader)
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
