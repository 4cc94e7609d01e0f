"""Stores that cannot be used: what is told, and what to do."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.model import Target
from samebytes_tools.commands.survey.store import database
from samebytes_tools.commands.survey.store.schema import MIGRATIONS
from samebytes_tools.commands.survey.store.store import Store
from support import surveys

from samebytes.errors import StoreError


def refused(path: Path) -> StoreError:
    """Return the error that opening the store at *path* gives."""
    with pytest.raises(StoreError) as caught:
        Store(path).close()
    assert str(path) in caught.value.message
    assert caught.value.remedy
    return caught.value


def test_what_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy milk, and many other things that are no database\n" * 9)
    assert "not a SQLite database" in refused(path).message
    assert path.read_text().startswith("buy milk")


def test_another_programs_database(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (address TEXT)")
    before = path.read_bytes()
    assert "of another program" in refused(path).message
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version(tmp_path: Path) -> None:
    Store(tmp_path).close()
    path = tmp_path / "samebytes-survey.sqlite"
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    error = refused(path)
    assert f"version {len(MIGRATIONS) + 1}" in error.message
    assert "newer" in error.remedy


def test_a_damaged_store(tmp_path: Path) -> None:
    path = tmp_path / "survey.sqlite"
    with Store(path) as store:
        store.begin(surveys.run(), [Target(f"package-{number}") for number in range(500)])
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="malformed") as caught, Store(path) as store:
        store.runs()
    assert ".recover" in caught.value.remedy


def test_a_truncated_store(tmp_path: Path) -> None:
    path = tmp_path / "survey.sqlite"
    with Store(path) as store:
        store.begin(surveys.run(), [Target(f"package-{number}") for number in range(500)])
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match=r"malformed|not a database") as caught, Store(path) as store:
        store.runs()
    assert "damaged" in caught.value.remedy


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no directory" in refused(tmp_path / "missing" / "survey.sqlite").message


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a directory that nobody can write to")
def test_a_directory_where_nobody_can_write() -> None:
    error = refused(Path("/proc/survey.sqlite"))
    assert "You have to be able to write" in error.remedy


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_may_not_be_written(tmp_path: Path) -> None:
    Store(tmp_path).close()
    path = tmp_path / "samebytes-survey.sqlite"
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StoreError) as caught, Store(path) as store:
            store.begin(surveys.run(), [])
    finally:
        tmp_path.chmod(0o755)
    assert "You have to be able to write" in caught.value.remedy


def test_a_store_that_is_locked_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    with Store(tmp_path) as store:
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as caught:
            store.begin(surveys.run(), [])
        other.close()
    assert "Another program holds the store" in caught.value.remedy


def test_an_error_midway_leaves_nothing_half_done(tmp_path: Path) -> None:
    def targets():  # type: ignore[no-untyped-def]
        yield Target("alpha")
        raise RuntimeError("the list breaks off")

    with Store(tmp_path) as store:
        with pytest.raises(RuntimeError):
            store.begin(surveys.run(), targets())
        assert store.runs() == []


def test_mistakes_in_our_sql_are_no_errors_of_the_user(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin(surveys.run(), [])
        with pytest.raises(sqlite3.IntegrityError):
            store.begin(surveys.run(), [])


def test_a_store_of_before_rebuilds_is_read_and_gone_on_with(tmp_path: Path) -> None:
    """Its rows were written by the statements of then."""
    path = tmp_path / "survey.sqlite"
    old = database.connect(path, steps=MIGRATIONS[:2])
    run = surveys.run()
    old.execute(
        "INSERT INTO run VALUES (1, ?, ?, NULL, ?, ?, ?)",
        (run.id, run.started, run.tool, run.canonical_form, '{"platform": "Linux", "python": "3.11.2"}'),
    )
    old.execute("INSERT INTO package VALUES (1, 'alpha'), (2, 'beta')")
    old.execute("INSERT INTO queue (run, place, package, asked) VALUES (1, 0, 2, '')")
    words = ["examined", "setuptools", "", "[]", "{}", "as is", "wheel", "same", "identical", "alpha-1.0.whl"]
    old.executemany("INSERT INTO word (text) VALUES (?)", [(word,) for word in words])
    key = {word: number for number, word in enumerate(words, 1)}
    old.execute(
        "INSERT INTO examination VALUES (1, 1, 1, '', NULL, '1.0', 1, 5, 2.0, NULL, '', NULL, NULL, NULL, NULL, NULL,"
        " 2, 3, 1, 4, 5, '[]')"
    )
    row = [key[word] for word in ("as is", "wheel", "same", "identical")]
    old.execute(
        "INSERT INTO artifact VALUES (1, 0, ?, ?, ?, ?, '', ?, 3, ?, NULL)", (*row, key["alpha-1.0.whl"], b"a" * 32)
    )
    old.close()
    with Store(path) as store:
        assert store.runs() == [run]
        (alpha,) = store.history("alpha")
        assert (alpha.artifacts[0].sha256, alpha.rebuilds) == (("61" * 32,) * 2, ())
        assert (store.headline().tally("as is").same, store.headline().rebuilt().tried) == (1, 0)
        verified = replace(surveys.run(2), builds=False, verifies=True)
        store.begin(verified, [Target("alpha")])
        assert store.record(surveys.examination("alpha", verified, rebuilds=(surveys.rebuild("alpha"),), artifacts=()))
        assert store.record(surveys.examination("beta", run))
        assert (store.headline().tally("as is").same, store.headline().rebuilt().identical) == (1, 1)


def test_each_version_of_the_tables_leads_to_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "survey.sqlite"
    for version in range(len(MIGRATIONS) + 1):
        connection = database.connect(path, steps=MIGRATIONS[:version])
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        connection.close()
    with Store(path) as store:
        store.begin(surveys.run(), [Target("alpha")])
        assert store.record(surveys.examination("alpha", surveys.run()))
    with closing(sqlite3.connect(":memory:")) as fresh, closing(sqlite3.connect(path)) as migrated:
        for statement in chain.from_iterable(MIGRATIONS):
            fresh.execute(statement)
        query = "SELECT sql FROM sqlite_master ORDER BY name"
        assert migrated.execute(query).fetchall() == fresh.execute(query).fetchall()
