"""The canonical deflate stream: the one compressed form that samebytes gives any contents.

It is what stock zlib emits, raw (RFC 1951), at level 6, memLevel 8 and the default strategy, for the contents cut into
segments of 1 MiB. Each segment is compressed alone, primed with the 32 KiB before it, and ends in exactly one sync
flush (an empty stored block); the last one is finished instead. Together the segments are one ordinary stream. They
may be compressed side by side and by whatever gives these very bytes: nobody sees it in the result.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Callable, NamedTuple

from . import providers
from .providers import Choice, Provider

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

SEGMENT_SIZE = 1 << 20
"""Bytes of contents in each segment but the last, which has 1 to SEGMENT_SIZE of them (none for no contents)."""

WINDOW_SIZE = 1 << 15
"""How many bytes before a segment prime its compression: all that deflate can refer back to."""

WORTHWHILE = 3 << 19
"""How many bytes are encoded before others are started to help: for less it does not pay."""


class Segment(NamedTuple):
    """A stretch of contents, and what its encoding depends on."""

    data: bytes
    window: bytes
    """The WINDOW_SIZE bytes before it, or all that there are."""
    last: bool


Task = Sequence[Segment]
"""Segments that are encoded one after another: one of a large file, or the whole of some small ones."""

Then = Callable[[Sequence[bytes]], None]
"""Takes what became of the segments of a task."""


def segments(chunks: Iterable[bytes]) -> Iterator[Segment]:
    """Cut *chunks* anew into segments; a full one is held back until more follows it, for the last one is another."""
    window = b""
    pending = bytearray()
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            if len(pending) == SEGMENT_SIZE:
                yield Segment(bytes(pending), window, False)
                window = bytes(pending[-WINDOW_SIZE:])
                pending.clear()
            taken = rest[: SEGMENT_SIZE - len(pending)]
            pending += taken
            rest = rest[len(taken) :]
    yield Segment(bytes(pending), window, True)


_choosing = threading.Lock()


def chosen() -> Choice:
    """Return who makes the stream in this process, found out at the first call."""
    with _choosing:
        return _chosen()


@cache
def _chosen() -> Choice:
    return providers.choose(providers.by_zlib())


_compared: set[Provider] = set()
"""Those that our own encoder was compared with in this process, on contents of its own."""


class Encoder:
    """Encodes tasks, several at once where that pays, and hands on what they became in the order of the tasks.

    A context manager: threads and processes that it started end with it. At most ``jobs`` + 1 tasks are in flight, so
    that memory is bounded. Helpers that die leave their tasks to this process.
    """

    def __init__(self, jobs: int = 1, provider: Provider | None = None) -> None:
        """Start nothing yet.

        :param jobs: how many segments are encoded at once.
        :param provider: None for the one that is chosen here.
        """
        self._jobs = jobs
        self._provider = provider
        self._seen = 0
        self._pool: Executor | None = None
        self._pending: deque[tuple[Task, Future[list[bytes]], Then]] = deque()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def put(self, task: Task, then: Then) -> None:
        """Encode *task*, and call *then* with the result, at once or in a later call, after those before it.

        :raises EncoderError: if the provider does not encode as our own encoder does.
        """
        provider = self._settled_provider(task)
        self._seen += sum(len(segment.data) for segment in task)
        if self._pool is None and self._jobs > 1 and self._seen > WORTHWHILE:
            self._pool = _helpers(provider, self._jobs)
        if self._pool is None:
            self.drain()
            then(_encoded(provider.encode, task))
            return
        try:
            self._pending.append((task, self._pool.submit(_encoded, provider.encode, task), then))
        except RuntimeError:  # BrokenExecutor is one; where a helper has died no more are taken
            self._give_up_helpers()
            self.put(task, then)
            return
        self._settle(self._jobs + 1)

    def drain(self) -> None:
        """Wait until everything given is encoded and handed on."""
        self._settle(0)

    def _settle(self, most: int) -> None:
        while len(self._pending) > most:
            task, future, then = self._pending.popleft()
            then(self._result(task, future))

    def _result(self, task: Task, future: Future[list[bytes]]) -> list[bytes]:
        from concurrent.futures import BrokenExecutor

        try:
            return future.result()
        except BrokenExecutor:
            self._give_up_helpers()
            return _encoded(self._settled_provider(task).encode, task)

    def _give_up_helpers(self) -> None:
        """Go on alone: whatever killed a helper would kill the next one."""
        self._jobs = 1
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None

    def _settled_provider(self, task: Task) -> Provider:
        if self._provider is None:
            self._provider = chosen().provider
        if self._provider not in _compared and task and task[0].data:
            providers.cross_check(self._provider, task[0].data)
            _compared.add(self._provider)
        return self._provider


def _encoded(encode: Callable[[bytes, bytes, bool], bytes], task: Task) -> list[bytes]:
    return [encode(*segment) for segment in task]


def _helpers(provider: Provider, jobs: int) -> Executor | None:
    """Start threads or processes, whichever run *provider* side by side; None where the system has no processes."""
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    if not provider.in_processes:
        return ThreadPoolExecutor(jobs, "samebytes-encoder")
    from multiprocessing import get_context

    try:
        # A fork of a process with threads may hang, so each starts anew.
        return ProcessPoolExecutor(jobs, get_context("spawn"))
    except (ImportError, NotImplementedError, OSError):
        return None


def compress(chunks: Iterable[bytes], encoder: Encoder) -> Iterator[bytes]:
    """Give the canonical stream of *chunks*, a segment at a time; how they are cut has no influence on it."""
    ready: deque[bytes] = deque()
    for segment in segments(chunks):
        encoder.put([segment], ready.extend)
        while ready:
            yield ready.popleft()
    encoder.drain()
    yield from ready
