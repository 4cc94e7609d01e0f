"""The page on a survey's data says what is so."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.model import State, Target
from samebytes_tools.commands.survey.store.schema import APPLICATION
from samebytes_tools.commands.survey.store.store import Store
from support import surveys

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "survey-data.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")


@pytest.fixture
def shell(tmp_path: Path) -> sqlite3.Connection:
    """A shell of SQL on a store with one package."""
    with Store(tmp_path) as store:
        store.begin(surveys.run(), [Target("alpha")])
        store.record(surveys.examination("alpha", surveys.run()))
        return sqlite3.connect(store.path)


def test_every_table_is_there_and_no_other(shell: sqlite3.Connection) -> None:
    section = PAGE.read_text("utf-8").partition("## The store")[2]
    told = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, re.MULTILINE)
    with closing(shell):
        known = {name for (name,) in shell.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = [row[1] for row in shell.execute("PRAGMA table_info (outcome)")]
    assert {name for row in told for name in re.findall(r"\w+", row)} == known
    view = section.partition("The view `outcome`")[2].partition("```")[0]
    assert re.findall(r"`(\w+)`", view) == columns


def test_the_query_works(shell: sqlite3.Connection) -> None:
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    with closing(shell):
        assert shell.execute(query).fetchall() == [
            ("as is", "setuptools", 1, 0),
            ("as is with SOURCE_DATE_EPOCH set", "setuptools", 1, 0),
            ("hook", "setuptools", 1, 1),
            ("normalized", "setuptools", 1, 0),
            ("samebytes build", "setuptools", 1, 1),
        ]


def test_every_state_is_explained() -> None:
    told = re.findall(r"^\| `([a-z ]+)` \|", PAGE.read_text("utf-8").partition("has a `state`")[2], re.MULTILINE)
    assert told[: len(State)] == [state.value for state in State]
    assert f"{APPLICATION:#x}" in PAGE.read_text("utf-8")
