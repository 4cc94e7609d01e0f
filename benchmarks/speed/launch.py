"""Run commands one after another and print what they took: wall and CPU seconds, and the peak of memory in bytes.

    python -I -S launch.py COMMAND [ARGUMENT ...] [--then-- COMMAND ...]

A process of its own, for two reasons. On Linux a program's peak of memory begins with that of the process which
started it (the kernel keeps the old image's peak through exec), so whoever starts it has to be small: this is an
interpreter with next to nothing loaded. And only a process without other children can tell what these took.
"""

from __future__ import annotations

import os
import sys
import time

THEN = "--then--"
KIBIBYTE = 1 if sys.platform == "darwin" else 1024
"""ru_maxrss is in kibibytes, except on macOS, where it is in bytes."""


def main() -> int:
    """Run them all, or as many as succeed; return the exit status of the last."""
    cpu, peak, started = 0.0, 0, time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    for command in commands(sys.argv[1:]):
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
        _, status, usage = os.wait4(child, 0)
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss * KIBIBYTE)
        if status:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    print(time.perf_counter() - started, cpu, peak)
    return 0


def commands(arguments: list[str]) -> list[list[str]]:
    """Cut *arguments* into commands."""
    found: list[list[str]] = [[]]
    for argument in arguments:
        if argument == THEN:
            found.append([])
        else:
            found[-1].append(argument)
    return found


if __name__ == "__main__":
    sys.exit(main())
