"""Compiles sources as soon as they are there, while others are still being unpacked, so that no processor waits."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from pathlib import Path
from types import TracebackType

from .compiled_cache import CachedSource, CompiledCache
from .compiler import Compiled, Compiler, Wanted, Workers, size_of

_TURN = 0.5
"""Seconds: on Windows, Ctrl-C is noticed only between two turns of waiting."""


class CompilerAhead(Compiler):
    """A compiler that is given sources before it is asked for what becomes of them; a context, at whose end it stops.

    What it is asked for beyond them is compiled then. The bytes depend on neither.

    :param executable: the interpreter's path.
    :param mode: ``checked-hash`` or ``unchecked-hash`` (PEP 552).
    :param jobs: how many processes compile at a time.
    :param cache: where compiled modules are kept; None for nowhere.
    """

    def __init__(
        self, executable: str | Path, mode: str = "checked-hash", jobs: int = 1, cache: CompiledCache | None = None
    ) -> None:
        super().__init__(executable, mode, jobs)
        self.cache = cache
        self._asking = threading.Lock()
        self._workers = Workers(self._executable, self._flags)
        self._changed = threading.Condition()
        self._queue: list[tuple[int, int, Wanted]] = []
        self._known: set[Wanted] = set()
        self._found: dict[Wanted, Compiled] = {}
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._is_over = False

    def __enter__(self) -> CompilerAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._workers.set()  # which ends what they are at
        with self._changed:
            self._queue.clear()
            self._is_over = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._workers.close()

    def recall(self, sources: Sequence[CachedSource]) -> None:
        """Take from the cache what it has of *sources*, the modules of one wheel; the rest is compiled when asked for.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        if self.cache is None or not sources:
            return
        with self._asking:
            interpreter = self.interpreter
        found = self.cache.recalled(sources, f"{interpreter}\n{self._flags}")
        with self._changed:
            self._known.update(found)
            self._found.update(found)

    def keep(self) -> None:
        """Write into the cache what it did not have."""
        if self.cache is not None:
            self.cache.keep(self.compile)

    def begin(self, wanted: Iterable[Wanted]) -> None:
        """Compile *wanted* in other threads, those that are known already once."""
        with self._changed:
            for one in wanted:
                if one not in self._known:
                    self._known.add(one)
                    # The largest first, so that no process is left with much to do at the end.
                    heappush(self._queue, (-size_of(one.source), len(self._known), one))
            while len(self._threads) < min(self._jobs, len(self._known)):
                # Not waited for at the end of the process: after a signal, nobody waits for what hangs.
                thread = threading.Thread(target=self._work, name="samebytes-compile", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify_all()

    def compile(self, wanted: Sequence[Wanted]) -> list[Compiled]:
        """Return what became of each of *wanted*, in their order.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        self.begin(wanted)
        with self._changed:
            for one in wanted:
                while one not in self._found:
                    if self._error is not None:
                        raise self._error
                    self._changed.wait(_TURN)
            return [self._found[one] for one in wanted]

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_over:
                    self._changed.wait()
                if self._is_over or self._error is not None:
                    return
                one = heappop(self._queue)[2]
            try:
                compile_ = self._workers.compile
                found = compile_(one) if self.cache is None else self.cache.compiled(one, compile_)
            except BaseException as error:  # for the thread that asks
                with self._changed:
                    self._error = self._error or error
                    self._changed.notify_all()
                return
            with self._changed:
                self._found[one] = found
                self._changed.notify_all()
