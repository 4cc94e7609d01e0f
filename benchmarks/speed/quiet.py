"""Whether the machine has as many cores to spare as are to be measured: a busy one makes parallel work look slow."""

from __future__ import annotations

import os
import threading
import time
import zlib

ENOUGH = 0.9
"""The least share of the cores that has to be free for figures of parallel work to mean something."""

_TURNS = 10


def free_cores(jobs: int) -> float:
    """Return how many times as much *jobs* threads compress as one does, just now."""
    data = os.urandom(1 << 19) + b"some text that repeats itself " * (1 << 15)
    alone = _seconds(1, data)
    return jobs * alone / _seconds(jobs, data)


def _seconds(number: int, data: bytes) -> float:
    threads = [threading.Thread(target=_compress, args=(data,)) for _ in range(number)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _compress(data: bytes) -> None:
    for _ in range(_TURNS):
        zlib.compressobj(6).compress(data)
