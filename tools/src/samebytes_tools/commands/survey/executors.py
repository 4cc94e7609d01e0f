"""Who examines packages: threads of this process, or anybody else who takes targets and brings results.

An executor knows nothing of stores, and a store nothing of executors; ``run`` has both.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Callable, Protocol, TypeVar, Union

from .model import Examination, Target

Work = Callable[[Target, threading.Event], Examination]
"""Examines a package; once the event is set it ends what it started, and raises Interrupted."""

Outcome = Union[Examination, BaseException]
"""What became of a target; an exception is never the package's doing."""

T = TypeVar("T")


class Executor(Protocol):
    """Where targets are examined."""

    @property
    def slots(self) -> int:
        """How many it examines at once, as of now; 0 while there is nobody."""

    def submit(self, target: Target) -> None:
        """Begin with *target*, at once or soon."""

    def done(self, timeout: float) -> list[tuple[Target, Outcome]]:
        """Wait for at most *timeout* seconds until anything is done, and return what is, each once."""

    def close(self) -> None:
        """End what is being done, and come back when nothing is left of it."""


class Local:
    """So many threads of this process: what a package's builds do, they do in processes of their own."""

    def __init__(self, jobs: int, work: Work) -> None:
        self.slots = jobs
        self._work = work
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(jobs, "examine")
        self._finished: SimpleQueue[tuple[Target, Outcome]] = SimpleQueue()

    def submit(self, target: Target) -> None:
        future = self._pool.submit(self._work, target, self._stop)
        future.add_done_callback(lambda done: self._finished.put((target, done.exception() or done.result())))

    def done(self, timeout: float) -> list[tuple[Target, Outcome]]:
        return taken(self._finished, timeout)

    def close(self) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True)


def taken(finished: SimpleQueue[T], timeout: float) -> list[T]:
    """Return all that is in *finished*, after waiting for the first of it for at most *timeout* seconds."""
    found = []
    try:
        found.append(finished.get(timeout=timeout))
        while True:
            found.append(finished.get_nowait())
    except Empty:
        return found
