"""Work that is done side by side, and whose results come in the order in which it was given."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments; with ``in_processes``, such as can be pickled."""

Then = Callable[[Any], None]


class Ordered:
    """Calls functions, several at once where that pays, and hands on what they return, in order.

    A context manager: threads and processes that it started end with it. At most ``jobs`` + 1 calls are in flight, so
    that memory is bounded. What a helper that died has left undone is done here.
    """

    def __init__(self, jobs: int, worthwhile: int, *, in_processes: bool = False) -> None:
        """Start nothing yet.

        :param jobs: how many calls are made at once.
        :param worthwhile: how much is done here before helpers are started, for less does not pay; in the unit of
            :meth:`put`'s *size*.
        """
        self._jobs = jobs
        self._worthwhile = worthwhile
        self._in_processes = in_processes
        self._seen = self._expected = 0
        self._pool: Executor | None = None
        self._pending: deque[tuple[Call, Future[Any], Then]] = deque()

    def __enter__(self) -> Ordered:
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def expect(self, size: int) -> None:
        """Say how much is going to come, where that is known, so that helpers start with the first of it."""
        self._expected += size

    def put(self, call: Call, then: Then, size: int) -> None:
        """Call the function, and call *then* with what it returns: at once or later, after those before it."""
        self._seen += size
        if self._pool is None and self._jobs > 1 and max(self._seen, self._expected) > self._worthwhile:
            self._pool = _helpers(self._jobs, self._in_processes)
        if self._pool is None:
            self.drain()
            then(_made(call))
            return
        try:
            self._pending.append((call, self._pool.submit(_made, call), then))
        except RuntimeError:  # BrokenExecutor is one: where a helper has died, no more work is taken
            self._give_up_helpers()
            self.put(call, then, 0)
            return
        self._settle(self._jobs + 1)

    def drain(self) -> None:
        """Wait until all is done and handed on."""
        self._settle(0)

    def _settle(self, most: int) -> None:
        while len(self._pending) > most:
            call, future, then = self._pending.popleft()
            then(self._result(call, future))

    def _result(self, call: Call, future: Future[Any]) -> Any:
        from concurrent.futures import BrokenExecutor

        try:
            return future.result()
        except BrokenExecutor:
            self._give_up_helpers()
            return _made(call)

    def _give_up_helpers(self) -> None:
        """Go on alone: whatever killed a helper would kill the next one."""
        self._jobs = 1
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None


def _made(call: Call) -> Any:
    function, arguments = call
    return function(*arguments)


def _helpers(jobs: int, in_processes: bool) -> Executor | None:
    """Start threads or processes; None where the system has no processes."""
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    if not in_processes:
        return ThreadPoolExecutor(jobs, "samebytes")
    from multiprocessing import get_context

    try:
        # A fork of a process with threads may hang, so each starts anew.
        return ProcessPoolExecutor(jobs, get_context("spawn"))
    except (ImportError, NotImplementedError, OSError):
        return None
