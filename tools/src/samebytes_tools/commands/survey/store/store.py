"""The store of a survey: one SQLite file with every run, what became of every package, and what is yet to be done.

Several runners of one machine may use it at once. Whoever is ended in the middle of something leaves it whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from samebytes.errors import StoreError

from ..model import Examination, Headline, Hit, Run, Summary, Target
from . import overview, queue, rows
from .database import connect, telling, transaction

__all__ = ["NAME", "Store"]

NAME = "samebytes-survey.sqlite"
"""What a store is called in a directory."""


class Store:
    """An open store; every method raises StoreError if the file is damaged, full, or held by others for long."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Open the store at *path*, or NAME in it if it is a directory; it is made if it is not there.

        :param make: without, it has to be there.
        :raises StoreError: if it is none, damaged, of a newer version, or cannot be read and written.
        """
        self.path = path / NAME if path.is_dir() else path
        if not make and not self.path.exists():
            raise StoreError(
                f"there is no store at {self.path}", remedy="'samebytes survey run' makes one; --store names another."
            )
        self._connection = connect(self.path)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was done is in it."""
        with telling(self.path):
            self._connection.close()

    # What a runner writes.

    def begin(self, run: Run, targets: Iterable[Target]) -> None:
        """Write down *run* and what it is to examine, in that order."""
        with self._writing() as connection:
            queue.fill(connection, _insert_run(connection, run), targets)

    def claim(self, run: str, runner: str, now: float, lease: float = queue.LEASE) -> queue.Claim | None:
        """Let *runner* hold the next package that nobody holds at *now*, for *lease* seconds; None if there is none."""
        with self._writing() as connection:
            return queue.claim(connection, self._key(run), runner, now, lease)

    def hold(self, runner: str, until: float) -> None:
        """Let *runner* hold what it holds until then, in seconds since 1970."""
        with self._writing() as connection:
            queue.hold(connection, runner, until)

    def give_back(self, runner: str) -> None:
        """Let others have what *runner* holds."""
        with self._writing() as connection:
            queue.give_back(connection, runner)

    def record(self, one: Examination) -> bool:
        """Write *one* down, which ends the claim to it; tell whether it was new. The first of two counts.

        The run ends with the last one.


        :raises StoreError: if its run does not have it.
        """
        with self._writing() as connection:
            run = self._key(one.run)
            if _is_recorded(connection, run, one):
                return False
            if not _unqueue(connection, run, one):
                asked = f"{one.name}{'==' + one.asked if one.asked else ''}"
                raise StoreError(f"{self.path}: run {one.run} does not have {asked}", remedy="Begin another run.")
            rows.insert(connection, rows.Words(connection), run, one)
            self.finish(one.run, int(one.started + one.seconds))
            return True

    def add(self, one: Examination) -> bool:
        """Write down *one*, that another store has, asked for here or not; tell whether anything of it was new.

        :raises StoreError: if this store has another examination in its place.
        """
        with self._writing() as connection:
            run = self._key(one.run)
            rest = "WHERE e.run = ? AND p.name = ? AND e.asked = ?"
            for known in rows.load(connection, rest, run, rows.writable(one.name), rows.writable(one.asked)):
                return self._add_log(connection, known, one)
            _unqueue(connection, run, one)
            rows.insert(connection, rows.Words(connection), run, one)
            return True

    def _add_log(self, connection: sqlite3.Connection, known: Examination, one: Examination) -> bool:
        """Add the log of *one* to *known*, which has to be the same but for that."""
        if replace(known, log="") != replace(one, log="") or (known.log and one.log and known.log != one.log):
            raise StoreError(f"{self.path} has another examination of {one.name} in run {one.run}")
        if known.log or not one.log:
            return False
        rows.insert_log(connection, known, one.log)
        return True

    def add_run(self, run: Run) -> bool:
        """Write down *run*, that another store has, and not yet that it ended; tell whether it was new.

        :raises StoreError: if this store has another run of its id.
        """
        with self._writing() as connection:
            known = next((one for one in self.runs() if one.id == run.id), None)
            if known is None:
                _insert_run(connection, replace(run, ended=None))
            elif replace(known, ended=None) != replace(run, ended=None):
                raise StoreError(f"{self.path} has another run {run.id}")
            return known is None

    def finish(self, run: str, ended: int) -> bool:
        """Write down when *run* ended, unless that was written or something is left; tell whether it was new."""
        with self._writing() as connection:
            key = self._key(run)
            if queue.left(connection, key):
                return False
            query = "UPDATE run SET ended = ? WHERE key = ? AND ended IS NULL"
            return connection.execute(query, (ended, key)).rowcount == 1

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Let all that is done within be done as a whole or not at all, and nobody else write meanwhile."""
        with self._writing():
            yield

    # What is yet to be done.

    def left(self, run: str) -> int:
        """Return how many packages are yet to be examined, held or not."""
        with telling(self.path):
            return queue.left(self._connection, self._key(run))

    def targets(self, run: str) -> list[Target]:
        """Return what *run* was to examine, by name and version."""
        with telling(self.path):
            return queue.targets(self._connection, self._key(run))

    def holders(self, run: str, now: float) -> list[tuple[str, str, float]]:
        """Return the names of packages that are held at *now*, by whom, and until when."""
        with telling(self.path):
            return queue.holders(self._connection, self._key(run), now)

    # What reports read.

    def runs(self) -> list[Run]:
        """Return all runs, the oldest first."""
        query = "SELECT id, started, tool, canonical_form, machine, ended FROM run ORDER BY started, id"
        with telling(self.path):
            return [_run(row) for row in self._connection.execute(query)]

    def newest(self) -> Iterator[Summary]:
        """Yield the newest examination of each package, by name."""
        with telling(self.path):
            yield from overview.summaries(self._connection)

    def headline(self) -> Headline:
        """Return the numbers of all packages' newest examinations, and of each run."""
        with telling(self.path):
            return overview.headline(self._connection)

    def hit_by(self, code: str) -> Iterator[Hit]:
        """Yield where the newest examinations found the cause *code*, by name of the package."""
        with telling(self.path):
            yield from overview.hits(self._connection, code)

    def history(self, name: str, *, logs: bool = True) -> Iterator[Examination]:
        """Yield all examinations of the package *name*, the newest first."""
        with telling(self.path):
            rest = "WHERE p.name = ? ORDER BY e.started DESC, e.key DESC"
            yield from rows.load(self._connection, rest, rows.writable(name), logs=logs)

    def examinations(self, run: str, *, logs: bool = True) -> Iterator[Examination]:
        """Yield all examinations of *run*, by name and the version that was asked for."""
        with telling(self.path):
            yield from rows.load(self._connection, "WHERE r.id = ? ORDER BY p.name, e.asked", run, logs=logs)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that is read within be of one moment, whatever runners write meanwhile; do not write in it."""
        with telling(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with telling(self.path), transaction(self._connection):
            yield self._connection

    def _key(self, run: str) -> int:
        row = self._connection.execute("SELECT key FROM run WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise StoreError(f"{self.path} has no run {run}", remedy="Begin it first.")
        return int(row[0])


def _insert_run(connection: sqlite3.Connection, run: Run) -> int:
    machine = json.dumps(dict(run.machine), sort_keys=True)
    cursor = connection.execute(
        "INSERT INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?)",
        (run.id, run.started, run.ended, run.tool, run.canonical_form, machine),
    )
    return int(cursor.lastrowid or 0)


def _run(row: tuple[Any, ...]) -> Run:
    identity, started, tool, form, machine, ended = row
    return Run(identity, started, tool, form, json.loads(machine), ended)


def _unqueue(connection: sqlite3.Connection, run: int, one: Examination) -> bool:
    """Take *one* from what is to be done, and tell whether it was there."""
    query = "DELETE FROM queue WHERE run = ? AND asked = ? AND package = (SELECT key FROM package WHERE name = ?)"
    return connection.execute(query, (run, rows.writable(one.asked), rows.writable(one.name))).rowcount == 1


def _is_recorded(connection: sqlite3.Connection, run: int, one: Examination) -> bool:
    query = """
        SELECT 1 FROM examination e JOIN package p ON p.key = e.package WHERE e.run = ? AND p.name = ? AND e.asked = ?
    """
    return connection.execute(query, (run, *map(rows.writable, (one.name, one.asked)))).fetchone() is not None
