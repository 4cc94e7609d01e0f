"""How many processors there are for this process; the one place that asks."""

from __future__ import annotations

import os
import sys


def available() -> int:
    """Return on how many processors this process may run: at least 1."""
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if sys.platform not in ("win32", "darwin"):
        return len(os.sched_getaffinity(0)) or 1  # a container or taskset may leave it fewer than there are
    return os.cpu_count() or 1
