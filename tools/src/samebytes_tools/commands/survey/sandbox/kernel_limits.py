"""Run a command within limits that the kernel holds, from its first moment on (setrlimit(2)).

This file is run by its path and imports only the standard library. Arguments: how many tasks (processes and threads)
there may be in all, how large the memory of each process may be and how large a file, in bytes, then ``namespace`` or
``machine`` (is the command in a namespace of its own?), and the command.

The number of tasks is counted for each user of a user namespace, and since Linux 5.14 those outside do not count. What
the users of a namespace have together counts for the user who made it. Where the command is in no namespace of its own,
what its user runs already is added to the number. No limit on tasks binds root outside of all namespaces.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FILES = 4096
"""How many files each process may have open."""


def tasks_of(user: int) -> int:
    """Return how many threads the processes of *user* have (Linux)."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = status.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue  # it ended meanwhile
        # Uid has four numbers: the real one, the effective, the saved, and that for files (proc(5)).
        values = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if values.get("Uid", "").split()[:1] == [str(user)]:
            found += int(values["Threads"])
    return found


def limit(tasks: int, memory: int, size: int, *, is_namespace: bool) -> None:
    """Lower the limits of this process, and of all that it starts: none of them can raise them again."""
    if sys.platform == "win32":
        return  # it has no such limits
    import resource

    # No core dumps: they would count as what a build wrote.
    wanted = {"CORE": 0, "FSIZE": size, "NOFILE": FILES}
    if sys.platform == "linux":
        wanted |= {"AS": memory, "NPROC": tasks + (0 if is_namespace else tasks_of(os.getuid()))}
    for name, most in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        # Never raised: that takes a privilege (setrlimit(2)).
        both = [most if now == resource.RLIM_INFINITY else min(most, now) for now in resource.getrlimit(kind)]
        resource.setrlimit(kind, (both[0], both[1]))


def main() -> None:
    """Lower the limits and become the command."""
    tasks, memory, size, place, *command = sys.argv[1:]
    limit(int(tasks), int(memory), int(size), is_namespace=place == "namespace")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
