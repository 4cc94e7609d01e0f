"""Work done in threads, with its results in order and one flag that stops all of it.

concurrent.futures would do the same, but importing it costs every run 7 ms.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from typing import Callable, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Pending(Generic[Result]):
    """A result that is not there yet."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def fill(self, work: Callable[[Item], Result], item: Item) -> None:
        """Do *work* on *item*, and keep what comes of it, errors included, for the thread that waits."""
        try:
            self._results.append(work(item))
        except BaseException as error:
            self._error = error
        finally:
            self._over.set()

    def wait(self) -> Result:
        """Return the result once it is there, or raise the error that came up instead."""
        # In short turns, for on Windows Ctrl-C is noticed only between them.
        while not self._over.wait(timeout=0.5):
            pass
        if self._error is not None:
            raise self._error
        return self._results[0]


def in_order(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int, stop: threading.Event
) -> Generator[Result, None, None]:
    """Yield the result of *work* for each of *items*, in their order; it is done in so many *threads* at once.

    When the generator is closed or an error is raised, *stop* is set: no further item is begun, and *work*, which is to
    look at it, ends what it is doing. The generator ends when all threads have.
    """
    pending: list[_Pending[Result]] = [_Pending() for _ in items]
    left = deque(zip(items, pending))

    def share() -> None:
        while not stop.is_set():
            try:
                item, result = left.popleft()
            except IndexError:
                return
            result.fill(work, item)

    started = [threading.Thread(target=share, name=f"samebytes-{number}") for number in range(threads)]
    try:
        for thread in started:
            thread.start()
        for result in pending:
            yield result.wait()
    finally:
        stop.set()
        for thread in started:
            if thread.ident is not None:  # a signal may come before all are started
                thread.join()
