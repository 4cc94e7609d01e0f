"""Which run a runner works for: the newest of a store, or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from samebytes.backend.config import CANONICAL_FORM
from samebytes.errors import UsageError

from .model import Run, State, Target
from .store.store import Store

__all__ = ["MISSED", "begun", "join", "missed"]

MISSED = (State.UNAVAILABLE, State.FAILED)
"""What says nothing of a package: the index, or samebytes itself, was in trouble."""


def begun(identity: str, started: int, tool: str, machine: Mapping[str, str]) -> Run:
    """Return a run that begins: by samebytes *tool*, on *machine*, at *started* (in seconds since 1970)."""
    return Run(identity, started, tool, CANONICAL_FORM, machine)


def missed(store: Store) -> list[Target]:
    """Return what was missed when it was examined last, as it was asked for; nothing while a run is unfinished."""
    with store.whole():
        if any(store.left(run.id) for run in store.runs()):
            return []
        again = [one.name for one in store.newest() if one.state in MISSED]
        newest = [next(store.history(name, logs=False)) for name in again]
        return [Target(one.name, one.asked, one.rank) for one in newest]


def join(store: Store, fresh: Run, targets: Sequence[Target], *, new: bool) -> Run:
    """Return the run to work for: the newest of *store* if it is for *targets*, or they are empty; else *fresh*.

    So the same command, given again, goes on where it was, and changes nothing when that was the end.

    :param new: whether *fresh* is to be begun anyhow.
    :raises UsageError: if the newest has something left and is for something else, or there is nothing to do.
    """
    with store.whole():
        newest = max(store.runs(), key=lambda run: (run.started, run.id), default=None)
        left = 0 if newest is None else store.left(newest.id)
        if not new and newest is not None:
            if left:
                _check(store, newest, fresh, targets, left)
                return newest
            if _are_same(targets, store.targets(newest.id)):
                return newest
        if not targets:
            raise UsageError(
                f"nothing is left to examine in {store.path}", remedy="Name packages with --packages or --top."
            )
        store.begin(fresh, targets)
        return fresh


def _check(store: Store, newest: Run, fresh: Run, targets: Sequence[Target], left: int) -> None:
    what = f"{store.path} has a run with {left:,} packages left"
    if targets and not _are_same(targets, store.targets(newest.id)):
        raise UsageError(
            f"{what}, and it is for other packages than those that are named",
            remedy="Name none to go on with it, or begin another with --new.",
        )
    if (newest.tool, newest.canonical_form) != (fresh.tool, fresh.canonical_form):
        raise UsageError(
            f"{what}, that samebytes {newest.tool} began, and this is {fresh.tool}",
            remedy="Go on with that version, or begin another run with --new.",
        )


def _are_same(targets: Sequence[Target], others: Sequence[Target]) -> bool:
    return {(one.name, one.version) for one in targets} == {(one.name, one.version) for one in others}
