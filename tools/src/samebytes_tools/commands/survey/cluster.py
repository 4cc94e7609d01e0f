"""A Dask cluster: calls on its workers, of which some may be lost on the way."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import CancelledError
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any, Callable

from samebytes.errors import ClusterError, MissingExtraError

from .executors import taken

SILENCE = 30.0
"""Seconds that a scheduler may say nothing to whoever comes."""

_LOOK = 1.0
"""Seconds between two looks of a worker at whether its work is still wanted."""

_AGAIN = "Start it again, and the same command goes on where it was."

Call = Callable[[Any, threading.Event], Any]


class Cluster:
    """Calls of one function on the workers of the scheduler at an address; each worker needs samebytes only.

    What a lost worker was at is done by another one; after some losses (Dask's ``allowed-failures``) the call is taken
    for the reason, and its outcome is Dask's exception.
    """

    def __init__(self, address: str, call: Call, *, jobs: int | None = None) -> None:
        """*jobs* limits how many calls are made at once.

        :raises MissingExtraError: without ``distributed``.
        :raises ClusterError: if there is no scheduler.
        """
        distributed = _distributed()
        self._address, self._call, self._jobs = address, call, jobs
        try:
            # Not set as default: the caller may have a client of its own.
            self._client = distributed.Client(address, timeout=SILENCE, name="samebytes", set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"no scheduler answers at {address}: {' '.join(str(error).split()) or type(error).__name__}",
                remedy="Start one with 'dask scheduler', and name the address that it says, such as tcp://HOST:8786.",
            ) from None
        # An Event of Dask's by this name says to the workers of this cluster that nobody waits.
        self._unwanted = f"samebytes-{uuid.uuid4()}"
        self._finished: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
        self._pending: dict[str, Any] = {}

    @property
    def slots(self) -> int:
        """How many calls the workers make at once, as of now."""
        self._check()
        try:
            threads = int(sum(self._client.nthreads().values()))
        except OSError:
            raise self._lost() from None
        return threads if self._jobs is None else min(threads, self._jobs)

    def submit(self, argument: Any) -> None:
        """Let a worker call the function with *argument*."""
        key = f"{self._unwanted}-{uuid.uuid4()}"
        # pure=False: Dask would give the result of an equal call that was made before.
        future = self._client.submit(on_worker, self._call, argument, self._unwanted, key=key, pure=False)
        self._pending[key] = future
        # Should the worker be lost before its result is here, the call is made once more, and waited for: in a thread
        # of its own, for all callbacks share one.
        future.add_done_callback(
            lambda done: threading.Thread(target=self._fetch, args=(argument, done), daemon=True).start()
        )

    def done(self, timeout: float) -> list[tuple[Any, Any]]:
        """Wait for at most *timeout* seconds until anything is done, and return arguments with results or exceptions.

        :raises ClusterError: if the scheduler is gone.
        """
        found = taken(self._finished, timeout)
        self._check()
        # Dask cancels every future when its scheduler goes.
        kept = [pair for pair in found if not isinstance(pair[1], CancelledError)]
        if found and not kept:
            raise self._lost()
        return kept

    def close(self) -> None:
        """Let workers end what they are at, and forget the cluster."""
        with suppress(OSError, CancelledError):  # the scheduler may be gone
            if self._pending and self._client.status == "running":
                _distributed().Event(self._unwanted, client=self._client).set()
                self._client.cancel(list(self._pending.values()))
        self._client.close()

    def _fetch(self, argument: Any, future: Any) -> None:
        """Wait for the result or the exception of *future*, which the cluster may forget then."""
        try:
            outcome = future.result()
        except BaseException as error:
            outcome = error
        self._finished.put((argument, outcome))
        self._pending.pop(future.key, None)

    def _check(self) -> None:
        if self._client.status in ("closed", "closing"):
            raise self._lost()

    def _lost(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self._address} is gone", remedy=_AGAIN)


def _distributed() -> Any:
    try:
        # By name, for it is an extra, and type checkers need not have it.
        return import_module("distributed")
    except ImportError:
        raise MissingExtraError(
            "a cluster needs Dask, which is not installed", remedy="Run: pip install 'samebytes[cluster]'"
        ) from None


def on_worker(call: Call, argument: Any, unwanted: str) -> Any:
    """Return what *call* returns for *argument*; it is asked to stop when nobody wants it any more."""
    stop, over = threading.Event(), threading.Event()
    distributed = _distributed()
    flag = distributed.Event(unwanted, client=distributed.get_client())
    watch = threading.Thread(target=_watch, args=(flag, stop, over), daemon=True)
    watch.start()
    try:
        return call(argument, stop)
    finally:
        over.set()


def _watch(flag: Any, stop: threading.Event, over: threading.Event) -> None:
    while not over.wait(_LOOK):
        if flag.is_set():
            stop.set()
            return
