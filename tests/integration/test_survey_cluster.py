"""A survey on a Dask cluster: a real scheduler, two worker processes on the loopback interface, and what kills them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from samebytes_tools.commands.survey import cluster
from samebytes_tools.commands.survey.model import State, Target
from samebytes_tools.commands.survey.store.store import Store
from support import survey_work, surveys
from support.dask_cluster import PATIENCE, Cluster

from samebytes.commands.main import main
from samebytes.errors import MissingExtraError

pytest.importorskip("distributed", reason="needs samebytes[cluster]")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes"),
]

ALLOWED = "1"
"""How many workers a task may lose before Dask gives it up."""

PROGRAM = """
import signal, sys, time
from pathlib import Path
from samebytes.commands.main import _interruption
from samebytes.errors import Interrupted, SamebytesError, signals_raise
from samebytes_tools.commands.survey.cluster import Cluster
from samebytes_tools.commands.survey.run import Runner, work
from samebytes_tools.commands.survey.store.store import Store
from support import survey_work, surveys

signal.signal(signal.SIGINT, signal.default_int_handler)
path, address, task = sys.argv[1:]
with signals_raise(_interruption), Store(Path(path)) as store:
    executor = Cluster(address, getattr(survey_work, task))
    events = work(store, surveys.run().id, executor, Runner("submitter", time.time, turn=0.05))
    try:
        for event in events:
            if event.finished:
                print(event.finished.name, flush=True)
    except (KeyboardInterrupt, Interrupted):
        sys.exit(130)
    except SamebytesError as error:
        sys.exit(f"{error.exit_status} {error}")
    finally:
        events.close()
"""


class Surveying(Cluster):
    """A cluster whose workers take some seconds for each package, and a run for it."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self.store, self.diary = directory / "survey.sqlite", directory / "diary"
        environ = {
            survey_work.DIARY: str(self.diary),
            survey_work.SECONDS: str(seconds),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": ALLOWED,
        }
        super().__init__(directory, environ)

    def submitter(self, task: str = "linger") -> subprocess.Popen[str]:
        """Start what claims, submits and records."""
        return self.start("-c", PROGRAM, str(self.store), self.address, task, stderr=subprocess.PIPE)

    def begun(self, number: int) -> list[str]:
        """Begin a run of so many packages, and return their names."""
        names = [f"package-{place:02}" for place in range(number)]
        with Store(self.store) as store:
            store.begin(surveys.run(), [Target(name) for name in names])
        return names

    def diary_of(self, what: str) -> dict[str, int]:
        """Return how often the diary says *what* of each package."""
        return dict(survey_work.diary(self.diary, what))


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Surveying]:
    """A cluster where every package takes forever."""
    made = Surveying(tmp_path, 1000.0)
    yield made
    made.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Surveying]:
    made = Surveying(tmp_path, 0.3)
    yield made
    made.close()


def test_a_worker_is_killed_midway(quick: Surveying) -> None:
    """Nothing is lost, and nothing is there twice."""
    names = quick.begun(24)
    victim, _ = quick.worker(), quick.worker()
    submitter = quick.submitter()
    quick.wait_for(lambda: len(quick.diary_of("end")) >= 6)
    victim.kill()
    out, err = submitter.communicate(timeout=PATIENCE)
    assert submitter.returncode == 0, err
    assert sorted(out.split()) == names
    with Store(quick.store) as store:
        found = list(store.examinations(surveys.run().id))
        assert store.left(surveys.run().id) == 0
    assert [(one.name, one.state) for one in found] == [(name, State.EXAMINED) for name in names]
    # What was recorded was not done again: only what the killed worker was at, or had not yet handed over.
    begun = quick.diary_of("begin")
    assert sorted(begun) == names
    assert sum(begun.values()) <= len(names) + 4


def test_a_package_that_workers_die_of(quick: Surveying) -> None:
    """Dask gives it up after some, and it is recorded; the others are examined."""
    with Store(quick.store) as store:
        store.begin(surveys.run(), [Target("alpha"), Target("deadly"), Target("omega")])
    for _ in range(int(ALLOWED) + 2):
        quick.worker()
    submitter = quick.submitter("deadly")
    _, err = submitter.communicate(timeout=PATIENCE)
    assert submitter.returncode == 0, err
    with Store(quick.store) as store:
        found = {one.name: one for one in store.examinations(surveys.run().id)}
    assert {name: one.state for name, one in found.items()} == {
        "alpha": State.EXAMINED,
        "deadly": State.FAILED,
        "omega": State.EXAMINED,
    }
    assert found["deadly"].reason.startswith("KilledWorker: ")
    assert quick.diary_of("begin")["deadly"] == int(ALLOWED) + 1


def test_a_worker_may_come_later(quick: Surveying) -> None:
    names = quick.begun(3)
    submitter = quick.submitter()
    quick.worker()
    out, err = submitter.communicate(timeout=PATIENCE)
    assert (submitter.returncode, err, sorted(out.split())) == (0, "", names)


def test_an_interrupt_ends_the_work_on_the_workers(slow: Surveying) -> None:
    slow.begun(3)
    slow.worker()
    submitter = slow.submitter()
    slow.wait_for(lambda: len(slow.diary_of("begin")) == 2)
    submitter.send_signal(signal.SIGINT)
    out, err = submitter.communicate(timeout=PATIENCE)
    assert (submitter.returncode, out, err) == (130, "", "")
    slow.wait_for(lambda: len(slow.diary_of("stop")) == 2)
    with Store(slow.store) as store:
        assert store.holders(surveys.run().id, 0.0) == []
        assert store.left(surveys.run().id) == 3


def test_the_scheduler_is_killed(slow: Surveying) -> None:
    slow.begun(2)
    slow.worker()
    submitter = slow.submitter()
    slow.wait_for(lambda: len(slow.diary_of("begin")) == 2)
    slow.scheduler.kill()
    _, err = submitter.communicate(timeout=PATIENCE)
    assert submitter.returncode == 1
    assert f"14 the scheduler at {slow.address} is gone" in err
    assert "goes on where it was" in err
    with Store(slow.store) as store:
        assert store.holders(surveys.run().id, 0.0) == []


def test_there_is_no_scheduler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "SILENCE", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        command = ["survey", "run", "--packages", "idna", "--store", str(tmp_path), "--scheduler", address]
        assert main(command) == 14
        err = capsys.readouterr().err
        assert f"no scheduler answers at {address}" in err
        assert "dask scheduler" in err


def test_dask_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError) as caught:
        cluster.Cluster("tcp://127.0.0.1:1", survey_work.linger)
    assert "samebytes[cluster]" in caught.value.remedy
