"""The loop of a run: what is recorded of what goes wrong with samebytes itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Callable

import pytest
from samebytes_tools.commands.survey.executors import Local, Work
from samebytes_tools.commands.survey.model import Examination, State, Target
from samebytes_tools.commands.survey.run import ATTEMPTS, Event, Runner, work
from samebytes_tools.commands.survey.store.store import Store
from support import survey_work, surveys

from samebytes.errors import Interrupted

RUN = surveys.run().id


class Clock:
    """A clock that goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def events(store: Store, task: Work, *names: str, jobs: int = 2) -> list[Event]:
    """Run *task* for *names* to the end."""
    store.begin(surveys.run(), [Target(name, rank=7) for name in names])
    return list(work(store, RUN, Local(jobs, task), Runner("tester", Clock(), turn=0.05)))


@pytest.fixture
def store(tmp_path: Path, opened: Callable[[Path], Store], monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv(survey_work.DIARY, str(tmp_path / "diary"))
    return opened(tmp_path)


def test_everything_is_recorded_with_its_run_and_rank(store: Store) -> None:
    finished = [event.finished for event in events(store, survey_work.linger, "alpha", "beta") if event.finished]
    assert {(one.name, one.run, one.rank) for one in finished} == {("alpha", RUN, 7), ("beta", RUN, 7)}
    assert sorted(store.examinations(RUN), key=lambda one: one.name) == sorted(finished, key=lambda one: one.name)
    assert store.runs()[0].ended is not None


def test_events_tell_what_is_left(store: Store) -> None:
    told = events(store, survey_work.linger, "alpha", "beta", "gamma", jobs=1)
    assert [event.left for event in told if event.finished] == [2, 1, 0]


def test_an_error_of_ours_is_recorded_and_the_run_goes_on(store: Store) -> None:
    events(store, survey_work.fail, "error", "alpha")
    (error,) = store.history("error")
    assert (error.state, error.reason) == (State.FAILED, "ValueError: it cannot be")
    assert "support/survey_work.py" in error.log
    assert [one.state for one in store.history("alpha")] == [State.EXAMINED]


def test_a_package_that_runners_die_of_is_given_up(store: Store) -> None:
    store.begin(surveys.run(), [Target("deadly", "1.0")])
    for life in range(ATTEMPTS):
        assert store.claim(RUN, f"life-{life}", 1000.0 * life, 60)
    list(work(store, RUN, Local(1, survey_work.linger), Runner("wise", Clock(), turn=0.05)))
    (deadly,) = store.history("deadly")
    assert (deadly.state, deadly.reason) == (State.FAILED, f"{ATTEMPTS} runners died while they examined it")


def test_closing_midway_ends_the_work_and_gives_it_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(survey_work.SECONDS, "1000")
    store.begin(surveys.run(), [Target("alpha"), Target("beta")])
    going = work(store, RUN, Local(2, survey_work.linger), Runner("tester", Clock(), turn=0.05))
    assert next(going).current == (Target("alpha"), Target("beta"))
    going.close()
    assert store.holders(RUN, 0.0) == []
    assert store.left(RUN) == 2


def test_what_others_hold_is_waited_for(store: Store) -> None:
    store.begin(surveys.run(), [Target("alpha")])
    assert store.claim(RUN, "other", 1_800_000_000.0, 60)
    going = work(store, RUN, Local(1, survey_work.linger), Runner("tester", Clock(), turn=0.05))
    waiting = next(going)
    assert [(name, runner) for name, runner, _ in waiting.waits_for] == [("alpha", "other")]
    store.record(surveys.examination("alpha", surveys.run()))
    assert [event.left for event in going][-1:] in ([], [0])
    assert survey_work.diary(Path(store.path.parent / "diary"), "begin") == {}


def test_an_interrupt_within_the_work_ends_the_run(store: Store) -> None:
    def interrupted(target: Target, stop: threading.Event) -> Examination:
        raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        events(store, interrupted, "alpha")
    assert store.left(RUN) == 1
    assert store.holders(RUN, 0.0) == []
