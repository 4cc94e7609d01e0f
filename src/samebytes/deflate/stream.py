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
from typing import Callable, NamedTuple

from . import providers
from .ordered import Ordered
from .providers import Choice, Provider

SEGMENT_SIZE = 1 << 20
"""Bytes of contents in each segment but the last, which has 1 to SEGMENT_SIZE of them (none for no contents)."""

WINDOW_SIZE = 1 << 15
"""How many bytes before a segment prime its compression: all that deflate can refer back to."""

WORTHWHILE = 1 << 21
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
        # A view, as slicing bytes would copy them once more.
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


# Choosing takes some milliseconds; threads that need the answer at the same time wait for one of them to find it.
_choosing = threading.Lock()


def chosen() -> Choice:
    """Return who makes the stream in this process, found out at the first call."""
    with _choosing:
        return _chosen()


@cache
def _chosen() -> Choice:
    return providers.choose(providers.candidates())


_compared: set[Provider] = set()
"""Those that our own encoder was compared with in this process, on contents of its own."""


class Encoder(Ordered):
    """Encodes tasks, several at once where that pays, and hands on what they became in the order of the tasks."""

    def __init__(self, jobs: int = 1, provider: Provider | None = None) -> None:
        """Start nothing yet.

        :param jobs: how many segments are encoded at once.
        :param provider: None for the one that is chosen here.
        """
        super().__init__(jobs, WORTHWHILE)
        self._provider = provider

    def __enter__(self) -> Encoder:
        return self

    def encode(self, task: Task, then: Then) -> None:
        """Encode *task*, and call *then* with the result, at once or in a later call, after those before it.

        :raises EncoderError: if the provider does not encode as our own encoder does.
        """
        if self._provider is None:
            self._provider = chosen().provider
        provider = self._provider
        self.in_processes = provider.in_processes
        # Empty files would prove nothing.
        contents = next((segment.data for segment in task if segment.data), b"")
        if contents and provider not in _compared:
            providers.cross_check(provider, contents)
            _compared.add(provider)
        self.put((_encoded, (provider.encode, task)), then, sum(len(segment.data) for segment in task))


def _encoded(encode: Callable[[bytes, bytes, bool], bytes], task: Task) -> list[bytes]:
    return [encode(*segment) for segment in task]


def compress(chunks: Iterable[bytes], encoder: Encoder) -> Iterator[bytes]:
    """Give the canonical stream of *chunks*, a segment at a time; how they are cut has no influence on it."""
    ready: deque[bytes] = deque()
    for segment in segments(chunks):
        encoder.encode([segment], ready.extend)
        while ready:
            yield ready.popleft()
    encoder.drain()
    yield from ready
