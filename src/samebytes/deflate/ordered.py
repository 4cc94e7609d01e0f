"""Work that is done side by side, and whose results come in the order in which it was given."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from .child import Call, Child


Then = Callable[[Any], None]


class Ordered:
    """Calls functions, several at once where that pays, and hands on what they return, in order.

    A context manager: threads and processes that it started end with it. At most ``jobs`` + 1 calls are in flight, so
    that memory is bounded. What a helper that died has left undone is done here.
    """

    in_processes = False
    """Whether child processes do the work, for it holds the interpreter; else threads do."""

    def __init__(self, jobs: int, worthwhile: int) -> None:
        """Start nothing yet.

        :param jobs: how many calls are made at once.
        :param worthwhile: how much there is to do before helpers are started, for less does not pay; in the unit of
            :meth:`put`'s *size*.
        """
        self.jobs = jobs
        self._worthwhile = worthwhile
        self._seen = self._expected = 0
        self._threads: ThreadPoolExecutor | None = None
        self._children: _Children | None = None
        self._pending: deque[tuple[Future[Any], Then]] = deque()

    def __enter__(self) -> Ordered:
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.clear()
        if self._children is not None:
            self._children.end()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None

    def expect(self, size: int) -> None:
        """Say how much is going to come, where that is known, so that helpers start with the first of it."""
        self._expected += size

    def put(self, call: Call, then: Then, size: int) -> None:
        """Call the function, and call *then* with what it returns: at once or later, after those before it."""
        self._seen += size
        if self.jobs == 1 or max(self._seen, self._expected) <= self._worthwhile:
            then(_made(call))
            return
        # One call more than there are helpers is kept waiting, so that none is idle while results are handed on.
        self._settle(self.jobs)
        try:
            if self._threads is None:
                from concurrent.futures import ThreadPoolExecutor

                self._threads = ThreadPoolExecutor(self.jobs, "samebytes")
                self._children = _Children() if self.in_processes else None
            make = _made if self._children is None else self._children.made
            self._pending.append((self._threads.submit(make, call), then))
        except RuntimeError:  # There can be no more threads: the system has a limit.
            self.jobs = 1
            self.drain()
            then(_made(call))

    def drain(self) -> None:
        """Wait until all is done and handed on."""
        self._settle(0)

    def _settle(self, most: int) -> None:
        while len(self._pending) > most:
            future, then = self._pending.popleft()
            then(future.result())


class _Children:
    """As many child processes as there are threads that let them work."""

    def __init__(self) -> None:
        self._all: list[Child] = []
        self._idle: list[Child] = []
        self._given_up = self._over = False

    def made(self, call: Call) -> Any:
        """Return what *call* returns, made by a child if that is possible, else here."""
        from .child import ChildDied

        if not self._given_up:
            try:
                child = self._any()
                result = child.made(call)
            except ChildDied:
                self._given_up = True  # Whatever killed this one would kill the next one.
            else:
                self._idle.append(child)
                return result
        return None if self._over else _made(call)

    def end(self) -> None:
        """End them all, at work or not: nobody waits any more for what they are making."""
        self._over = True
        for child in self._all:
            child.end()

    def _any(self) -> Child:
        from .child import Child

        try:
            return self._idle.pop()
        except IndexError:
            child = Child()
        self._all.append(child)
        if self._over:
            child.end()
        return child


def _made(call: Call) -> Any:
    function, arguments = call
    return function(*arguments)
