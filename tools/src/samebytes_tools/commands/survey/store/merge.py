"""Stores made apart become one: runs are known by their ids, and what is there already is left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, Protocol

from samebytes.errors import StoreError

from ..model import Examination, Run
from .store import Store


class MergedSource(Protocol):
    """What runs and examinations come from: a store, or an exported document."""

    @property
    def path(self) -> Path: ...

    def runs(self) -> list[Run]: ...

    def examinations(self, run: str) -> Iterator[Examination]: ...


class Merged(NamedTuple):
    """How much was new."""

    runs: int
    examinations: int


def merge(store: Store, source: MergedSource) -> Merged:
    """Add what *source* has and *store* has not, as a whole or not at all.

    What a run has left to do is not taken over: it is its own store's.

    :raises StoreError: if they contradict each other.
    """
    reading: AbstractContextManager[None] = source.snapshot() if isinstance(source, Store) else nullcontext()
    runs = examinations = 0
    with reading, store.whole():
        for run in source.runs():
            try:
                is_new = store.add_run(run)
                examinations += sum(store.add(one) for one in source.examinations(run.id))
                # Last: a run is over here only if nothing of it is left in this store.
                ends = run.ended is not None and store.finish(run.id, run.ended)
                runs += is_new or ends
            except StoreError as error:
                raise StoreError(
                    f"{source.path} contradicts what is there: {error.message}", remedy=error.remedy
                ) from None
    return Merged(runs, examinations)
