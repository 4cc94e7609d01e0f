"""Which run a runner works for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from samebytes_tools.commands.survey.model import NOT_REBUILT, State, Target
from samebytes_tools.commands.survey.run import MISSED, join, like_the_last, missed
from samebytes_tools.commands.survey.store.store import Store
from support import surveys

from samebytes.errors import UsageError

ONE, TWO = surveys.run(1), surveys.run(2)
TARGETS = [Target("alpha"), Target("beta", "2.0")]


@pytest.fixture
def store(tmp_path: Path, opened: Callable[[Path], Store]) -> Store:
    """A store with a run that has both targets left."""
    found = opened(tmp_path)
    assert join(found, ONE, TARGETS, new=False) == ONE
    return found


def end(store: Store) -> None:
    store.record(surveys.examination("alpha", ONE))
    store.record(surveys.examination("beta", ONE, asked="2.0"))


def test_the_same_command_goes_on(store: Store) -> None:
    store.record(surveys.examination("alpha", ONE))
    assert join(store, TWO, list(reversed(TARGETS)), new=False).id == ONE.id
    assert join(store, TWO, [], new=False).id == ONE.id
    assert [run.id for run in store.runs()] == [ONE.id]


def test_the_same_command_after_the_end_changes_nothing(store: Store) -> None:
    end(store)
    assert join(store, TWO, TARGETS, new=False).id == ONE.id
    assert store.left(ONE.id) == 0
    assert [run.id for run in store.runs()] == [ONE.id]


def test_another_list_after_the_end_is_another_run(store: Store) -> None:
    end(store)
    assert join(store, TWO, [Target("gamma")], new=False) == TWO
    assert store.left(TWO.id) == 1


def test_another_run_when_it_is_wanted(store: Store) -> None:
    assert join(store, TWO, TARGETS, new=True) == TWO
    assert (store.left(ONE.id), store.left(TWO.id)) == (2, 2)


def test_another_list_before_the_end_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="a run with 2 packages left, and it is for other packages") as caught:
        join(store, TWO, [Target("gamma")], new=False)
    assert "--new" in caught.value.remedy


def test_another_kind_of_work_is_another_run(store: Store) -> None:
    verifying = replace(TWO, verifies=True)
    with pytest.raises(UsageError, match="with 2 packages left, and it does not rebuild published files") as caught:
        join(store, verifying, TARGETS, new=False)
    assert "--new" in caught.value.remedy
    end(store)
    assert join(store, verifying, TARGETS, new=False) == verifying
    with pytest.raises(UsageError, match="with 2 packages left, and it rebuilds published files"):
        join(store, surveys.run(3), TARGETS, new=False)
    # Without names, it is gone on with as it was begun.
    assert join(store, surveys.run(3), [], new=False).verifies


@pytest.mark.parametrize("change", [{"tool": "0.2.0"}, {"canonical_form": 2}])
def test_what_another_version_began_is_not_gone_on_with(store: Store, change: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"that samebytes 0\.1\.0 began") as caught:
        join(store, replace(TWO, **change), [], new=False)  # type: ignore[arg-type]
    assert "--new" in caught.value.remedy


def test_nothing_to_do(tmp_path: Path, store: Store, opened: Callable[[Path], Store]) -> None:
    end(store)
    for found, new in ((store, False), (store, True), (opened(tmp_path / "empty.sqlite"), False)):
        with pytest.raises(UsageError, match="nothing is left to examine in ") as caught:
            join(found, TWO, [], new=new)
        assert "--packages or --top" in caught.value.remedy
    assert [run.id for run in store.runs()] == [ONE.id]


@pytest.mark.parametrize("state", State)
def test_what_was_missed_is_examined_once_more(state: State, store: Store) -> None:
    store.record(surveys.examination("alpha", ONE))
    store.record(surveys.examination("beta", ONE, asked="2.0", state=state))
    assert missed(store, TWO) == ([Target("beta", "2.0", 7)] if state in MISSED else [])


def test_what_was_had_later_was_not_missed(store: Store) -> None:
    store.record(surveys.examination("alpha", ONE, state=State.UNAVAILABLE))
    store.record(surveys.examination("beta", ONE, asked="2.0"))
    join(store, TWO, [Target("alpha")], new=True)
    store.record(surveys.examination("alpha", TWO))
    assert missed(store, TWO) == []


def test_nothing_was_missed_before_the_end(store: Store) -> None:
    store.record(surveys.examination("alpha", ONE, state=State.UNAVAILABLE))
    assert missed(store, TWO) == []


def test_what_was_missed_by_rebuilding_is_rebuilt_once_more(store: Store) -> None:
    """Whatever is known of the same package from a run that built it twice."""
    end(store)
    verifying = replace(TWO, builds=False, verifies=True)
    assert join(store, verifying, TARGETS, new=False) == verifying
    store.record(surveys.examination("alpha", verifying, state=State.UNAVAILABLE, artifacts=()))
    store.record(surveys.examination("beta", verifying, asked="2.0", artifacts=()))
    again = like_the_last(store, surveys.run(3))
    assert (again.builds, again.verifies) == (False, True)
    assert missed(store, again) == [Target("alpha", "", 7)]
    assert missed(store, surveys.run(3)) == []


def test_a_store_without_runs_decides_nothing(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    assert like_the_last(opened(tmp_path / "empty.sqlite"), ONE) == ONE


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("could not be downloaded: demo-1.0.tar.gz: the download has the sha256 1, but the index records 2", True),
        ("/files/demo.whl is not there (404), though the index lists it", True),
        ("/simple/flit-core/ cannot be reached: no answer within 60 seconds", True),
        ("/files/x answers 503 Service Unavailable", True),
        ("/files/x ended after 1,000 of 23,456 bytes", True),
        ("the build ended with status 1: error: no such header", False),
        ("it is for cp27, and samebytes rebuilds for CPython 3", False),
        ("", False),
    ],
)
def test_a_package_of_which_a_published_file_was_missed_is_rebuilt_once_more(
    store: Store, reason: str, again: bool
) -> None:
    end(store)
    verifying = replace(TWO, builds=False, verifies=True)
    join(store, verifying, [Target("alpha", "", 7)], new=False)
    rebuilds = (surveys.rebuild("alpha"), replace(surveys.rebuild("alpha", "sdist", NOT_REBUILT), reason=reason))
    store.record(surveys.examination("alpha", verifying, artifacts=(), rebuilds=rebuilds))
    fresh = replace(surveys.run(3), builds=False, verifies=True)
    assert missed(store, fresh) == ([Target("alpha", "", 7)] if again else [])
    # Another kind of run has not missed it.
    assert missed(store, surveys.run(3)) == []


def test_ways_are_of_the_run(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    """Whoever goes on with it, or tries again what failed, need not repeat them."""
    in_own_ways = {**ONE.machine, "ways": "as is"}
    found = opened(tmp_path)
    assert join(found, replace(ONE, machine=in_own_ways), TARGETS, new=False).as_is
    assert join(found, TWO, [], new=False).as_is
    with pytest.raises(UsageError, match="and builds as is only"):
        join(found, TWO, TARGETS, new=False)
    assert like_the_last(found, TWO).as_is
    end(found)
    assert join(found, TWO, TARGETS, new=False) == TWO
    assert not like_the_last(found, surveys.run(3)).as_is
