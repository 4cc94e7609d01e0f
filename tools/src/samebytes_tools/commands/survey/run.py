"""A run: which one a runner works for, and the loop of claiming, examining and recording, until nothing is left.

Whatever ends it, what was recorded stays, what was not is claimed again, by this runner's next life or another one.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Callable

from samebytes.errors import Interrupted, UsageError

from .executors import Executor, Outcome
from .model import Examination, Run, State, Target
from .rebuilds import is_missed
from .store.queue import LEASE
from .store.store import Store

# Runners die for reasons of their own, such as a machine that is turned off.
ATTEMPTS = 10
"""How many runners may die in the middle of a package before it is taken for the reason."""

_LOG = 64_000
"""Characters of a traceback that are kept."""


MISSED = (State.UNAVAILABLE, State.FAILED)
"""What says nothing of a package: the index, or samebytes itself, was in trouble."""


def like_the_last(store: Store, fresh: Run) -> Run:
    """Return *fresh*, to do what the newest run of *store* does; as it is if there is none."""
    newest = max(store.runs(), key=lambda run: (run.started, run.id), default=fresh)
    ways = {"ways": newest.machine["ways"]} if newest.as_is else {}
    return replace(fresh, builds=newest.builds, verifies=newest.verifies, machine={**fresh.machine, **ways})


def missed(store: Store, fresh: Run) -> list[Target]:
    """Return what was missed when a run last did what *fresh* does, as it was asked for; nothing while one is left.

    That is a whole package, or one of which a published file, or what its rebuild needed, could not be downloaded.
    """
    with store.whole():
        runs = store.runs()
        if any(store.left(run.id) for run in runs):
            return []
        alike = {run.id for run in runs if run.work == fresh.work}
        found = []
        for one in store.newest():
            # Most were had, and need no look at all that is known of them; of published files each is looked at.
            if fresh.verifies or one.run not in alike or one.state in MISSED:
                history = store.history(one.name, logs=False)
                newest = next((each for each in history if each.run in alike), None)
                if newest is not None and (newest.state in MISSED or any(map(is_missed, newest.rebuilds))):
                    found.append(Target(newest.name, newest.asked, newest.rank))
        return found


def join(store: Store, fresh: Run, targets: Sequence[Target], *, new: bool) -> Run:
    """Return the run to work for: the newest of *store* if it is for *targets*, or they are empty; else *fresh*.

    So the same command, given again, goes on where it was, and changes nothing when that was the end.

    :param new: whether *fresh* is to be begun anyhow.
    :raises UsageError: if the newest has something left and is for something else, or there is nothing to do.
    """
    with store.whole():
        newest = max(store.runs(), key=lambda run: (run.started, run.id), default=None)
        if not new and newest is not None:
            left, known = store.left(newest.id), store.targets(newest.id)
            same = {(one.name, one.version) for one in targets} == {(one.name, one.version) for one in known}
            does_same = newest.work == fresh.work
            if left:
                what = f"{store.path} has a run with {left:,} packages left"
                _check(newest, fresh, what, same=same or not targets, does_same=does_same or not targets)
            if left or (same and does_same):
                return newest
        if not targets:
            raise UsageError(
                f"nothing is left to examine in {store.path}", remedy="Name packages with --packages or --top."
            )
        store.begin(fresh, targets)
        return fresh


def _check(newest: Run, fresh: Run, what: str, *, same: bool, does_same: bool) -> None:
    """Refuse to go on with the *newest* run unless it is for the *same*, and of this version of samebytes."""
    if not does_same:
        raise UsageError(
            f"{what}, and it {'rebuilds' if newest.verifies else 'does not rebuild'} published files"
            f"{', and builds as is only' if newest.as_is else ', and builds in all ways' if newest.builds else ''}",
            remedy="Name no packages to go on with it as it was begun, or begin another with --new.",
        )
    if not same:
        raise UsageError(
            f"{what}, and it is for other packages than those that are named",
            remedy="Name none to go on with it, or begin another with --new.",
        )
    if (newest.tool, newest.canonical_form) != (fresh.tool, fresh.canonical_form):
        raise UsageError(
            f"{what}, that samebytes {newest.tool} began, and this is {fresh.tool}",
            remedy="Go on with that version, or begin another run with --new.",
        )


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
    """Where a run is, again and again."""

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
        """Begin with as many as can be examined at once, and return whether any is being examined."""
        while len(self._busy) < self._executor.slots:
            now = self._runner.clock()
            claim = self._store.claim(self._run, self._runner.name, now, self._runner.lease)
            if claim is None:
                break
            if claim.attempts > ATTEMPTS:
                # Nobody comes to an end with it, so the package itself may be what kills runners.
                reason = f"{claim.attempts - 1} runners died while they examined it"
                self._recorded(claim.target, self._failed(claim.target, now, reason))
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
        """Record what came of *target*; an error is recorded as ours, but for those that end the run."""
        if isinstance(outcome, BaseException):
            # Not recorded, so that the package is examined again.
            if isinstance(outcome, (Interrupted, KeyboardInterrupt, SystemExit)):
                raise outcome
            trace = "".join(traceback.format_exception(type(outcome), outcome, outcome.__traceback__))
            reason = f"{type(outcome).__name__}: {outcome}".splitlines()[0]
            outcome = self._failed(target, self._busy[target], reason, trace[-_LOG:])
        # From the target, not from the worker: a package's code could make that report anything.
        found = replace(outcome, name=target.name, run=self._run, asked=target.version, rank=target.rank)
        self._store.record(found)
        self._busy.pop(target, None)
        return found

    def _failed(self, target: Target, began: float, reason: str, log: str = "") -> Examination:
        seconds = self._runner.clock() - began
        return Examination(target.name, target.version, State.FAILED, int(began), seconds, reason, log)

    def _event(self, found: Examination | None = None) -> Event:
        left = self._store.left(self._run)
        idle = [] if self._busy or found else self._store.holders(self._run, self._runner.clock())
        return Event(left, tuple(self._busy), found, idle)
