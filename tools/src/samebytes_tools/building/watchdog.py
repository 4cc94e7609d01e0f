"""End process groups that are still running when the process that started them is gone (POSIX).

This file is run by its path and imports only the standard library. Lines on standard input are the numbers of groups,
with a plus while they are running and with a minus when they have ended. The end of the input is that of the other
process.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Read until the other end is closed, then end what is left."""
    groups: set[int] = set()
    # The pipe is closed however the other process ends, by SIGKILL too.
    for line in sys.stdin:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    if sys.platform != "win32":
        for group in groups:
            try:
                # No SIGTERM: nobody is left to wait for what it would do.
                os.killpg(group, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass


if __name__ == "__main__":
    main()
