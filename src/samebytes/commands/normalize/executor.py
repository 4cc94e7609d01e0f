"""Work done in threads, with its results in order and one flag that stops all of it.

concurrent.futures would do the same, but importing it costs every run 7 ms.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Callable, Optional, TypeVar

PATIENCE = 0.3
"""Seconds that threads have for what they are doing when all is to end: a signal is to end the process in one."""

Item = TypeVar("Item")
Result = TypeVar("Result")
_Outcome = tuple[Optional[Result], Optional[BaseException]]


def in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
    stop: threading.Event,
    patience: float | None = None,
) -> Generator[Result, None, None]:
    """Yield the result of *work* for each of *items*, in their order; it is done in so many *threads* at once.

    When the generator is closed or an error is raised, *stop* is set: no further item is begun, and *work*, which is to
    look at it, ends what it is doing. The generator ends when all threads have, or after *patience*, in seconds: what
    is still at work then ends with the process.
    """
    pending: list[SimpleQueue[_Outcome[Result]]] = [SimpleQueue() for _ in items]
    left = deque(zip(items, pending))

    def share() -> None:
        while left and not stop.is_set():
            with suppress(IndexError):  # another thread has taken the last one
                item, outcome = left.popleft()
                try:
                    outcome.put((work(item), None))
                except BaseException as error:  # for the thread that waits
                    outcome.put((None, error))

    names = [f"samebytes-{number}" for number in range(threads)]
    started = [threading.Thread(target=share, name=name, daemon=patience is not None) for name in names]
    try:
        for thread in started:
            thread.start()
        for each in pending:
            yield _awaited(each)
    finally:
        stop.set()
        for thread in started:
            with suppress(RuntimeError):  # a signal may come before it has started, and that cannot be joined
                thread.join(None if patience is None else patience / threads)


def _awaited(pending: SimpleQueue[_Outcome[Result]]) -> Result:
    """Return the result once it is there, or raise the error that came up instead."""
    while True:
        # In short turns, for on Windows Ctrl-C is noticed only between them.
        with suppress(Empty):
            result, error = pending.get(timeout=0.5)
            if error is not None:
                raise error
            return result  # type: ignore[return-value]
