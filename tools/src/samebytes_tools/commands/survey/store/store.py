"""The store of a survey: one SQLite file with every run, what became of every package, and what is yet to be done.

Several runners of one machine may use it at once. Whoever is ended in the middle of something leaves it whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from samebytes.errors import StoreError

from ..model import Examination, Run, Target
from . import rows
from .overview import Overview
from .queue import Queue, fill, strike

NAME = "samebytes-survey.sqlite"
"""What a store is called in a directory."""

_APART = "One of the two was changed, or both went on with copies of one store: keep them apart."


class Store(Queue, Overview):
    """An open store; every method raises StoreError if the file is damaged, full, or held by others for long."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Open the store at *path*, or NAME in it if it is a directory; it is made if it is not there.

        :param make: without, it has to be there.
        :raises StoreError: if it is not a store, damaged, of a newer version, or cannot be read and written.
        """
        path = path / NAME if path.is_dir() else path
        if not make and not path.exists():
            raise StoreError(
                f"there is no store at {path}", remedy="'samebytes survey run' makes one; --store names another."
            )
        super().__init__(path)

    def begin(self, run: Run, targets: Iterable[Target]) -> None:
        """Write down *run* and what it is to examine, in that order."""
        with self._writing() as connection:
            fill(connection, _insert_run(connection, run), targets)

    def record(self, one: Examination) -> bool:
        """Write *one* down, which ends the claim to it, and return whether it was new. The first of two counts.

        The run ends with the last one.

        :raises StoreError: if its run does not have it.
        """
        with self._writing() as connection:
            run = self._key(one.run)
            if any(self._known(run, one)):
                return False
            if not strike(connection, run, one):
                asked = f"{one.name}{'==' + one.asked if one.asked else ''}"
                raise StoreError(f"{self.path}: run {one.run} does not have {asked}", remedy="Begin another run.")
            rows.insert(connection, run, one)
            self.finish(one.run, int(one.started + one.seconds))
            return True

    def add(self, one: Examination) -> bool:
        """Write down *one*, that another store has, asked for here or not; return whether anything of it was new.

        :raises StoreError: if this store has another examination in its place.
        """
        with self._writing() as connection:
            run = self._key(one.run)
            for known in self._known(run, one):
                if replace(known, log="") != replace(one, log="") or (known.log and one.log and known.log != one.log):
                    raise StoreError(
                        f"{self.path} has another examination of {one.name} in run {one.run}", remedy=_APART
                    )
                if one.log and not known.log:
                    rows.insert_log(connection, known, one.log)
                return bool(one.log and not known.log)
            strike(connection, run, one)
            rows.insert(connection, run, one)
            return True

    def _known(self, run: int, one: Examination) -> Iterator[Examination]:
        """Give what is in the place of *one* in the run with the key *run*, if anything is."""
        rest = "WHERE e.run = ? AND p.name = ? AND e.asked = ?"
        return rows.load(self._connection, rest, run, rows.writable(one.name), rows.writable(one.asked))

    def add_run(self, run: Run) -> bool:
        """Write down *run*, that another store has, and not yet that it ended; return whether it was new.

        :raises StoreError: if this store has another run of its id.
        """
        with self._writing() as connection:
            known = next((one for one in self.runs() if one.id == run.id), None)
            if known is None:
                _insert_run(connection, replace(run, ended=None))
            elif replace(known, ended=None) != replace(run, ended=None):
                raise StoreError(f"{self.path} has another run {run.id}", remedy=_APART)
            return known is None

    def finish(self, run: str, ended: int) -> bool:
        """Write down when *run* ended, unless that was written or something is left; return whether it was new."""
        with self._writing() as connection:
            if self.left(run):
                return False
            query = "UPDATE run SET ended = ? WHERE id = ? AND ended IS NULL"
            return connection.execute(query, (ended, run)).rowcount == 1

    def runs(self) -> list[Run]:
        """Return all runs, the oldest first."""
        query = """
            SELECT id, started, tool, canonical_form, machine, ended, builds, verifies, operator FROM run
            ORDER BY started, id
        """
        with self._reading() as connection:
            return [
                Run(identity, started, tool, form, json.loads(machine), ended, bool(builds), bool(verifies), operator)
                for identity, started, tool, form, machine, ended, builds, verifies, operator in connection.execute(
                    query
                )
            ]

    def history(self, name: str, *, logs: bool = True) -> Iterator[Examination]:
        """Give all examinations of the package *name*, the newest first."""
        with self._reading() as connection:
            rest = "WHERE p.name = ? ORDER BY e.started DESC, e.key DESC"
            yield from rows.load(connection, rest, rows.writable(name), logs=logs)

    def examinations(self, run: str, *, logs: bool = True) -> Iterator[Examination]:
        """Give all examinations of *run*, by name and the version that was asked for."""
        with self._reading() as connection:
            yield from rows.load(connection, "WHERE r.id = ? ORDER BY p.name, e.asked", run, logs=logs)


def _insert_run(connection: sqlite3.Connection, run: Run) -> int:
    cursor = connection.execute(
        "INSERT INTO run (id, started, ended, tool, canonical_form, machine, builds, verifies, operator)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(run.id, run.started, run.ended, run.tool, run.canonical_form),
            *(json.dumps(dict(run.machine), sort_keys=True), run.builds, run.verifies, rows.writable(run.operator)),
        ),
    )
    return int(cursor.lastrowid or 0)
