"""Runs of a survey by real processes, which are killed, two at a time, and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.model import Target
from samebytes_tools.commands.survey.store.store import Store
from support import survey_work, surveys

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes"),
]

PATIENCE = 120.0
SUPPORT = Path(survey_work.__file__).parents[1]

PROGRAM = """
import signal, sys, time
from pathlib import Path
from samebytes.commands.main import _interruption
from samebytes.errors import Interrupted, signals_raise
from samebytes_tools.commands.survey.executors import Local
from samebytes_tools.commands.survey.run import Runner, work
from samebytes_tools.commands.survey.store.store import Store
from support import survey_work, surveys

signal.signal(signal.SIGINT, signal.default_int_handler)
path, name, jobs = sys.argv[1:]
with signals_raise(_interruption), Store(Path(path)) as store:
    events = work(store, surveys.run().id, Local(int(jobs), survey_work.linger), Runner(name, time.time, lease=1.0, turn=0.05))
    try:
        for event in events:
            if event.finished:
                print(event.finished.name, flush=True)
    except (KeyboardInterrupt, Interrupted):
        sys.exit(130)
    finally:
        events.close()
"""


def start(
    store: Path, name: str, *, way: str = "threads", jobs: int = 2, seconds: float = 0.1
) -> subprocess.Popen[str]:
    """Start a runner, which prints the name of each package that it recorded."""
    environ = {
        **os.environ,
        survey_work.DIARY: str(store.with_suffix(".diary")),
        survey_work.SECONDS: str(seconds),
        "PYTHONPATH": os.pathsep.join([str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    command = [sys.executable, "-c", PROGRAM, str(store), name, str(jobs)]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(tmp_path: Path, number: int) -> tuple[Path, list[str]]:
    """Return a store with a run of so many packages, and their names."""
    path, names = tmp_path / "survey.sqlite", [f"package-{place:02}" for place in range(number)]
    with Store(path) as store:
        store.begin(surveys.run(), [Target(name) for name in names])
    return path, names


def recorded(path: Path) -> list[str]:
    """Return the names of the packages that are recorded."""
    with Store(path) as store:
        return [one.name for one in store.examinations(surveys.run().id)]


def check_end(path: Path, names: Sequence[str]) -> None:
    """See that every package is there once, and that nothing is left."""
    assert recorded(path) == sorted(names)
    with Store(path) as store:
        assert store.left(surveys.run().id) == 0
        assert store.runs()[0].ended is not None


def test_killed_again_and_again(tmp_path: Path) -> None:
    """What is recorded is never examined again; what was not is, and nothing is missing."""
    path, names = begun(tmp_path, 12)
    diary, lives = path.with_suffix(".diary"), 0
    known: list[str] = []
    while len(known) < 9:
        process = start(path, f"life-{lives}")
        assert process.stdout is not None
        for _ in range(1 + lives % 3):  # it dies after its first, second, third package
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=PATIENCE)
        before, known, lives = known, recorded(path), lives + 1
        assert set(before) < set(known)
    begun_before = survey_work.diary(diary, "begin")
    process = start(path, "last")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert set(out.split()) == set(names) - set(known)
    check_end(path, names)
    begun_after = survey_work.diary(diary, "begin")
    assert [name for name in known if begun_after[name] != begun_before[name]] == []


def test_two_runners_share_the_work(tmp_path: Path) -> None:
    path, names = begun(tmp_path, 16)
    both = [start(path, name) for name in ("one", "two")]
    said = [process.communicate(timeout=PATIENCE) for process in both]
    assert [(process.returncode, err) for process, (_, err) in zip(both, said)] == [(0, ""), (0, "")]
    shares = [out.split() for out, _ in said]
    assert sorted([*shares[0], *shares[1]]) == names
    assert set(survey_work.diary(path.with_suffix(".diary"), "begin").values()) == {1}
    check_end(path, names)


def test_one_takes_over_from_another_that_was_killed(tmp_path: Path) -> None:
    path, names = begun(tmp_path, 6)
    victim = start(path, "victim", seconds=1000)
    diary = path.with_suffix(".diary")
    wait_for(diary, "begin", 2)
    heir = start(path, "heir")
    victim.kill()
    victim.communicate(timeout=PATIENCE)
    out, err = heir.communicate(timeout=PATIENCE)
    assert (heir.returncode, err, sorted(out.split())) == (0, "", names)
    check_end(path, names)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_everything_back(number: signal.Signals, tmp_path: Path) -> None:
    path, _ = begun(tmp_path, 4)
    process = start(path, "one", seconds=1000)
    diary = path.with_suffix(".diary")
    wait_for(diary, "begin", 2)
    process.send_signal(number)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "")
    assert survey_work.diary(diary, "stop") == {"package-00": 1, "package-01": 1}
    with Store(path) as store:
        assert store.holders(surveys.run().id, 0.0) == []
        claim = store.claim(surveys.run().id, "next", time.time())
        assert claim is not None
        assert (claim.target.name, claim.attempts) == ("package-00", 1)


def wait_for(diary: Path, what: str, number: int) -> None:
    """Return once the diary says *what* of so many packages."""
    end = time.monotonic() + PATIENCE
    while len(survey_work.diary(diary, what)) < number:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_many_processes_may_make_a_store_at_once(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from samebytes_tools.commands.survey.store.store import Store; Store(Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", program, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    assert [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in processes] == [("", 0)] * 8
    with Store(tmp_path) as store:
        assert store.runs() == []
