"""A SQLite file as a store of surveys: opened, made, brought up to date, and its errors with what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from samebytes.archive.atomic import real_path
from samebytes.errors import StoreError

from .schema import APPLICATION, MIGRATIONS

PATIENCE = 60.0
"""Seconds to wait for another process's transaction; each is short."""

_ATTEMPTS = 100
"""To change the mode of the journal, while others do."""

_HEADER = b"SQLite format 3\x00"

Self = TypeVar("Self", bound="Database")


class Database:
    """An open store; every method raises StoreError if the file is damaged, full, or held by others for long."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was done is in it."""
        with explained(self.path):
            self._connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that is read within be of one moment, whatever runners write meanwhile; do not write in it."""
        with self._reading() as connection:
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Do all that is within as a whole or not at all, while nobody else writes."""
        with self._writing():
            yield

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path), transaction(self._connection):
            yield self._connection

    def _key(self, run: str) -> int:
        row = self._connection.execute("SELECT key FROM run WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise StoreError(f"{self.path} has no run {run}", remedy="Begin it first.")
        return int(row[0])


def connect(path: Path, *, steps: tuple[tuple[str, ...], ...] = MIGRATIONS) -> sqlite3.Connection:
    """Return a connection to the store at *path*, which is made if it is not there, and brought up to date.

    :raises StoreError: if it is not a store, damaged, of a newer version, or cannot be read and written.
    :raises OutputError: if another user planted what is there (``real_path``).
    """
    _refuse_others(path)
    with explained(path):
        # Transactions are begun explicitly; statements outside of one are their own.
        # Python's own way of beginning transactions differs by version and statement.
        connection = sqlite3.connect(str(path), timeout=PATIENCE, isolation_level=None)
        try:
            _prepare(connection, path, steps)
        except BaseException:
            connection.close()
            raise
    return connection


def _refuse_others(path: Path) -> None:
    """Refuse what is not a SQLite file before SQLite takes it for one: an empty file is a new store to it."""
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no directory {path.parent}", remedy="Make it first, or name another place.")
    real_path(path)
    if path.exists() and not path.is_file():  # a FIFO would be waited for
        raise StoreError(f"{path}: is not a regular file", remedy="Name another place with --store.")
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", remedy="Name another store.") from None
    if head not in (b"", _HEADER):
        raise StoreError(
            f"{path} is not a store of a survey: it is not a SQLite database",
            remedy="Name another file: samebytes makes it, and calls it samebytes-survey.sqlite in a directory.",
        )


def _prepare(connection: sqlite3.Connection, path: Path, steps: tuple[tuple[str, ...], ...]) -> None:
    # Off by default, for each connection (SQLite documentation, "Foreign Key Support").
    connection.execute("PRAGMA foreign_keys = ON")
    _check(connection, path, steps)
    _log_ahead(connection)
    # What was recorded took minutes, so it is on the disk before the next begins, even if the power fails.
    connection.execute("PRAGMA synchronous = FULL")
    if _version(connection) < len(steps):
        with transaction(connection):
            _migrate(connection, steps)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Let writers not wait for readers (WAL); SQLite does not wait for others who are at the same, so this does."""
    for attempt in range(_ATTEMPTS):
        if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == _ATTEMPTS - 1:
                raise
            with transaction(connection):  # this waits for them
                pass


def _check(connection: sqlite3.Connection, path: Path, steps: tuple[tuple[str, ...], ...]) -> None:
    connection.execute("BEGIN")  # all of one moment: another process may be making the store
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        version = _version(connection)
    finally:
        connection.execute("COMMIT")
    # A new file has 0 there.
    if application != APPLICATION and not is_new:
        raise StoreError(f"{path} is a database of another program", remedy="Name another file: samebytes makes it.")
    if version > len(steps):
        raise StoreError(
            f"{path} is a store of version {version}, and this samebytes knows versions up to {len(steps)}",
            remedy="Use the samebytes that wrote it, or a newer one.",
        )


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection, steps: tuple[tuple[str, ...], ...]) -> None:
    """Do the steps that were not done; asked again in here, for another process may have been quicker."""
    for number, statements in enumerate(steps[_version(connection) :], _version(connection) + 1):
        for statement in statements:
            connection.execute(statement)
        # PRAGMA takes no parameters.
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do what is within as a whole or not at all; no other process writes meanwhile.

    Within another transaction, it is part of that.
    """
    if connection.in_transaction:
        yield
        return
    # Locked at once: a transaction that only becomes a writer later can fail with SQLITE_BUSY without waiting.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back itself after some errors, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors within as StoreErrors that say what to do.

    A mistake of ours in SQL stays what it is: it is nothing that a user could fix.
    """
    try:
        yield
    except sqlite3.Error as error:
        remedy = _remedy(str(error))
        if not remedy:
            raise
        raise StoreError(f"{path}: {error}", remedy=remedy) from error


def _remedy(message: str) -> str:
    """Return what to do; empty for what should not happen. (SQLite's codes are in no exception before Python 3.11.)"""
    if "malformed" in message or "not a database" in message:
        return (
            "The store is damaged. Put a copy back, or save what can be read: "
            "sqlite3 STORE .recover | sqlite3 NEW-STORE"
        )
    # SQLite's English messages, which are not translated.
    if "full" in message:
        return "Free some space there, and run it again: what was recorded is safe."
    if "locked" in message or "busy" in message:
        return "Another program holds the store for long: end it, or wait. A store is for the runners of one machine."
    if any(word in message for word in ("readonly", "unable to open", "disk I/O", "permission")):
        return "You have to be able to write to the store and its directory. Copy it to where you can."
    return ""
