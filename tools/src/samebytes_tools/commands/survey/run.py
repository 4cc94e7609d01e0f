"""The loop of a run: claim, examine, record, until nothing is left.

Whatever ends it, what was recorded stays, what was not is claimed again, by this runner's next life or another one.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Callable

from samebytes.errors import Interrupted

from .executors import Executor, Outcome
from .model import Examination, State, Target
from .store.queue import LEASE, Claim
from .store.store import Store

__all__ = ["ATTEMPTS", "Event", "Runner", "work"]

ATTEMPTS = 10
"""How many runners may die in the middle of a package before it is taken for the reason."""

_LOG = 64_000
"""Characters of a traceback that are kept."""


@dataclass(frozen=True)
class Runner:
    """Who works, and what it knows of time."""

    name: str
    """That no other runner has, in this life or another."""
    clock: Callable[[], float]
    """Gives the time in seconds since 1970."""
    lease: float = LEASE
    """Seconds for which a package is held; half of them may pass without a sign."""
    turn: float = 0.5
    """Seconds to wait for results before looking around."""


@dataclass(frozen=True)
class Event:
    """What a run tells of itself, again and again."""

    left: int
    """How many packages are yet to be examined."""
    current: tuple[Target, ...]
    """What is being examined here."""
    finished: Examination | None = None
    """What was just recorded."""
    waits_for: Sequence[tuple[str, str, float]] = ()
    """What other runners hold, where there is nothing else to do: name, runner, and until when."""


def work(store: Store, run: str, executor: Executor, runner: Runner) -> Generator[Event, None, None]:
    """Examine what is left of *run*, several at once, and yield what happens, at every turn.

    It is over when nothing is left: what other runners hold is waited for, and taken over from dead ones. When the
    caller closes this generator, or an exception passes through, what is being examined is ended and given back.
    """
    shift = _Shift(store, run, executor, runner)
    try:
        while shift.begin() or store.left(run):
            yield from shift.turn()
    finally:
        executor.close()
        store.give_back(runner.name)


class _Shift:
    """What one runner is at."""

    def __init__(self, store: Store, run: str, executor: Executor, runner: Runner) -> None:
        self._store, self._run, self._executor, self._runner = store, run, executor, runner
        self._busy: dict[Target, float] = {}
        self._hold_at = 0.0

    def begin(self) -> bool:
        """Begin with as many as can be examined at once, and tell whether any is being examined."""
        while len(self._busy) < self._executor.slots:
            now = self._runner.clock()
            claim = self._store.claim(self._run, self._runner.name, now, self._runner.lease)
            if claim is None:
                break
            if claim.attempts > ATTEMPTS:
                self._store.record(self._given_up(claim, now))
                continue
            self._busy[claim.target] = now
            self._executor.submit(claim.target)
        return bool(self._busy)

    def turn(self) -> Iterator[Event]:
        """Wait a little, record what is done, and yield what happened."""
        done = self._executor.done(self._runner.turn)
        now = self._runner.clock()
        if self._busy and now >= self._hold_at:
            self._store.hold(self._runner.name, now + self._runner.lease)
            self._hold_at = now + self._runner.lease / 4
        for target, outcome in done:
            found = self._recorded(target, outcome)
            yield self._event(found)
        if not done:
            yield self._event()

    def _recorded(self, target: Target, outcome: Outcome) -> Examination:
        began = self._busy[target]
        if isinstance(outcome, BaseException):
            if isinstance(outcome, (Interrupted, KeyboardInterrupt, SystemExit)):
                raise outcome
            outcome = _failed(target, began, self._runner.clock() - began, outcome)
        found = replace(outcome, name=target.name, run=self._run, asked=target.version, rank=target.rank)
        self._store.record(found)
        del self._busy[target]
        return found

    def _given_up(self, claim: Claim, now: float) -> Examination:
        reason = f"{claim.attempts - 1} runners died while they examined it"
        one = Examination(claim.target.name, claim.target.version, State.FAILED, int(now), 0.0, reason)
        return replace(one, run=self._run, asked=claim.target.version, rank=claim.target.rank)

    def _event(self, found: Examination | None = None) -> Event:
        left = self._store.left(self._run)
        idle = [] if self._busy or found else self._store.holders(self._run, self._runner.clock())
        return Event(left, tuple(self._busy), found, idle)


def _failed(target: Target, began: float, seconds: float, error: BaseException) -> Examination:
    """Return what is recorded of an examination that did not come to its end, for no fault of the package's."""
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return Examination(target.name, target.version, State.FAILED, int(began), seconds, reason, log=told[-_LOG:])
