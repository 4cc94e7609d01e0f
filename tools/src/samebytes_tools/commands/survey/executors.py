"""Who examines packages: threads of this process, or anybody else who takes targets and brings results.

An executor knows nothing of stores, and a store nothing of executors; ``run`` has both.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Callable, Protocol, TypeVar, Union

from .model import Examination, Target

Work = Callable[[Target, threading.Event], Examination]
"""Examines a package; once the event is set it ends what it started, and raises Interrupted."""

Outcome = Union[Examination, BaseException]
"""What became of a target; an exception is never the package's doing."""

PATIENCE = 2.0
"""Seconds that threads have to end what they started; one that hangs then ends with the process."""

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
        self._threads: list[threading.Thread] = []
        self._finished: SimpleQueue[tuple[Target, Outcome]] = SimpleQueue()

    def submit(self, target: Target) -> None:
        # No pool: the interpreter would wait for its threads at the end, also for one that hangs.
        thread = threading.Thread(target=self._examine, args=(target,), name=f"samebytes-{target.name}", daemon=True)
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()

    def _examine(self, target: Target) -> None:
        try:
            outcome: Outcome = self._work(target, self._stop)
        except BaseException as error:  # for the thread that waits
            outcome = error
        self._finished.put((target, outcome))

    def done(self, timeout: float) -> list[tuple[Target, Outcome]]:
        return taken(self._finished, timeout)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            with suppress(RuntimeError):  # a signal may come before it has started, and that cannot be joined
                thread.join(PATIENCE / len(self._threads))  # PATIENCE is for all of them together


def taken(finished: SimpleQueue[T], timeout: float) -> list[T]:
    """Return all that is in *finished*, after waiting for the first of it for at most *timeout* seconds."""
    found = []
    try:
        found.append(finished.get(timeout=timeout))
        while True:
            found.append(finished.get_nowait())
    except Empty:
        return found
