"""What a run has yet to examine: who holds which package, and for how long.

A runner that was killed gives nothing back. What it held is claimed again when its time is over; whoever is alive puts
that off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from ..model import Target
from .rows import key_of, writable

__all__ = ["LEASE", "Claim", "claim", "fill", "give_back", "hold", "holders", "left", "targets"]

LEASE = 60.0
"""Seconds for which a package is held; who holds it says so again long before they are over."""


class Claim(NamedTuple):
    """A package that a runner holds."""

    target: Target
    attempts: int
    """How many runners began with it, this one among them."""


def fill(connection: sqlite3.Connection, run: int, targets: Iterable[Target]) -> None:
    """Put *targets* into the queue of the run with the key *run*, in their order; one given twice comes once."""
    connection.executemany(
        "INSERT OR IGNORE INTO queue (run, place, package, asked, rank) VALUES (?, ?, ?, ?, ?)",
        (
            (run, place, key_of(connection, "package", name=target.name), writable(target.version), target.rank)
            for place, target in enumerate(targets)
        ),
    )


def claim(connection: sqlite3.Connection, run: int, runner: str, now: float, lease: float) -> Claim | None:
    """Let *runner* hold the first package that nobody holds, until *now* and *lease* seconds; within a transaction."""
    row = connection.execute(
        "SELECT q.place, p.name, q.asked, q.rank, q.attempts FROM queue q JOIN package p ON p.key = q.package"
        " WHERE q.run = ? AND q.held_until <= ? ORDER BY q.place LIMIT 1",
        (run, now),
    ).fetchone()
    if row is None:
        return None
    place, name, asked, rank, attempts = row
    connection.execute(
        "UPDATE queue SET runner = ?, held_until = ?, attempts = attempts + 1 WHERE run = ? AND place = ?",
        (runner, now + lease, run, place),
    )
    return Claim(Target(name, asked, rank), attempts + 1)


def hold(connection: sqlite3.Connection, runner: str, until: float) -> None:
    """Let *runner* hold what it holds until then."""
    connection.execute("UPDATE queue SET held_until = ? WHERE runner = ?", (until, runner))


def give_back(connection: sqlite3.Connection, runner: str) -> None:
    """Let others have what *runner* holds, as if it had not begun."""
    connection.execute(
        "UPDATE queue SET runner = NULL, held_until = 0, attempts = attempts - 1 WHERE runner = ?", (runner,)
    )


def holders(connection: sqlite3.Connection, run: int, now: float) -> list[tuple[str, str, float]]:
    """Return the names of packages that are held now, by whom, and until when."""
    return connection.execute(
        "SELECT p.name, q.runner, q.held_until FROM queue q JOIN package p ON p.key = q.package"
        " WHERE q.run = ? AND q.held_until > ? ORDER BY q.place",
        (run, now),
    ).fetchall()


def left(connection: sqlite3.Connection, run: int) -> int:
    """Return how many packages are yet to be examined, held or not."""
    (number,) = connection.execute("SELECT count(*) FROM queue WHERE run = ?", (run,)).fetchone()
    return int(number)


def targets(connection: sqlite3.Connection, run: int) -> list[Target]:
    """Return what was to be examined in the run with the key *run*, done or not, by name and version."""
    query = """
        SELECT p.name, t.asked, t.rank
        FROM (
            SELECT package, asked, rank FROM queue WHERE run = ?
            UNION ALL SELECT package, asked, rank FROM examination WHERE run = ?
        ) t JOIN package p ON p.key = t.package ORDER BY p.name, t.asked
    """
    return [Target(*row) for row in connection.execute(query, (run, run))]
