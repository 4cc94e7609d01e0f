"""What a run has yet to examine: who holds which package, and for how long.

A runner that was killed gives nothing back. What it held is claimed again when its time is over; whoever is alive puts
that off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from ..model import Examination, Target
from .database import Database
from .rows import key_of, writable

LEASE = 60.0
"""Seconds for which a package is held; who holds it says so again long before they are over."""


class Claim(NamedTuple):
    """A package that a runner holds."""

    target: Target
    attempts: int
    """How many runners began with it, this one among them."""


class Queue(Database):
    """The queues of all runs in a store."""

    def claim(self, run: str, runner: str, now: float, lease: float = LEASE) -> Claim | None:
        """Let *runner* hold the next package that nobody holds at *now*, for *lease* seconds; None if there is none."""
        with self._writing() as connection:
            key = self._key(run)
            row = connection.execute(
                "SELECT q.place, p.name, q.asked, q.rank, q.attempts FROM queue q JOIN package p ON p.key = q.package"
                " WHERE q.run = ? AND q.held_until <= ? ORDER BY q.place LIMIT 1",
                (key, now),
            ).fetchone()
            if row is None:
                return None
            # Looked up and taken in one transaction, so that no two runners get one package.
            place, name, asked, rank, attempts = row
            connection.execute(
                "UPDATE queue SET runner = ?, held_until = ?, attempts = attempts + 1 WHERE run = ? AND place = ?",
                (runner, now + lease, key, place),
            )
            return Claim(Target(name, asked, rank), attempts + 1)

    def hold(self, runner: str, until: float) -> None:
        """Let *runner* hold what it holds until then, in seconds since 1970."""
        with self._writing() as connection:
            connection.execute("UPDATE queue SET held_until = ? WHERE runner = ?", (until, runner))

    def give_back(self, runner: str) -> None:
        """Let others have what *runner* holds, as if it had not begun."""
        # An attempt counts only if the runner died over it.
        query = "UPDATE queue SET runner = NULL, held_until = 0, attempts = attempts - 1 WHERE runner = ?"
        with self._writing() as connection:
            connection.execute(query, (runner,))

    def holders(self, run: str, now: float) -> list[tuple[str, str, float]]:
        """Return the names of packages that are held at *now*, by whom, and until when."""
        query = """
            SELECT p.name, q.runner, q.held_until FROM queue q JOIN package p ON p.key = q.package
            WHERE q.run = ? AND q.held_until > ? ORDER BY q.place
        """
        with self._reading() as connection:
            return connection.execute(query, (self._key(run), now)).fetchall()

    def left(self, run: str) -> int:
        """Return how many packages are yet to be examined, held or not."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM queue WHERE run = ?"
            return int(connection.execute(query, (self._key(run),)).fetchone()[0])

    def targets(self, run: str) -> list[Target]:
        """Return what *run* was to examine, done or not, by name and version."""
        query = """
            SELECT p.name, t.asked, t.rank
            FROM (
                SELECT package, asked, rank FROM queue WHERE run = :run
                UNION ALL SELECT package, asked, rank FROM examination WHERE run = :run
            ) t JOIN package p ON p.key = t.package ORDER BY p.name, t.asked
        """
        with self._reading() as connection:
            return [Target(*row) for row in connection.execute(query, {"run": self._key(run)})]


def fill(connection: sqlite3.Connection, run: int, targets: Iterable[Target]) -> None:
    """Put *targets* into the queue of the run with the key *run*, in their order; one given twice comes once."""
    connection.executemany(
        "INSERT OR IGNORE INTO queue (run, place, package, asked, rank) VALUES (?, ?, ?, ?, ?)",
        (
            (run, place, key_of(connection, "package", name=one.name), writable(one.version), one.rank)
            for place, one in enumerate(targets)
        ),
    )


def strike(connection: sqlite3.Connection, run: int, one: Examination) -> bool:
    """Take *one* from what is to be done, and return whether it was there."""
    query = "DELETE FROM queue WHERE run = ? AND asked = ? AND package = (SELECT key FROM package WHERE name = ?)"
    return connection.execute(query, (run, writable(one.asked), writable(one.name))).rowcount == 1
