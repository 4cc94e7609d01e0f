"""End sessions that are still running when the process that started them is gone (POSIX).

This file is run by its path, and imports only the standard library. Lines on standard input are the numbers of
sessions' leaders, with a plus while they are running and with a minus when they have ended; and JSON objects, of a name
and the command that is to be run then, or null if it no longer is. The end of the input is that of the other process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator

_PATIENCE = 5.0
"""Seconds in which processes end that are killed; those that may not be killed do not."""
_LONGEST = 60.0
"""Seconds that a command may take."""


def signalled(leader: int, number: int) -> bool:
    """Send *number* to all processes of the session that *leader* leads, and return whether there are any.

    Where a session's processes cannot be seen (macOS): to those of its process group.
    """
    if sys.platform == "win32":
        return False
    try:
        # Beside the loop below: in one step for all of the group.
        os.killpg(leader, number)
        found = True
    except (ProcessLookupError, PermissionError):  # macOS forbids it where only zombies are left
        found = False
    if sys.platform != "linux":
        return found
    members = list(_session(leader))
    for pid in members:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    return bool(members)


def _session(leader: int) -> Iterator[int]:
    """Yield the processes of the session that *leader* leads (Linux, proc(5)), but for those that have ended."""
    # A shell with job control gives each job a group of its own; the session stays.
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        # It ended in the meantime.
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123
            # After the last ")": the name before it may hold spaces and parentheses (proc(5)).
            state, _, _, session, *_ = stat.read().rpartition(b")")[2].split()
            if int(session) == leader and state not in (b"Z", b"X"):
                yield int(pid)


def main() -> None:
    """Read until the other end is closed, then end what is left."""
    leaders: set[int] = set()
    commands: dict[str, list[str] | None] = {}
    # The pipe is closed however the other process ends, by SIGKILL too.
    for line in sys.stdin:
        if line.startswith("{"):
            # Imported late, as are others below: few processes need them.
            import json

            commands.update(json.loads(line))
        else:
            (leaders.add if line.startswith("+") else leaders.discard)(int(line[1:]))
    if sys.platform != "win32":
        deadline = time.monotonic() + _PATIENCE
        # No SIGTERM: nobody is left to wait for what it would do. Again, for what they have started meanwhile.
        while [leader for leader in leaders if signalled(leader, signal.SIGKILL)] and time.monotonic() < deadline:
            time.sleep(0.01)
    for command in filter(None, commands.values()):
        import subprocess

        nothing = subprocess.DEVNULL
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=_LONGEST, check=False)


if __name__ == "__main__":
    main()
