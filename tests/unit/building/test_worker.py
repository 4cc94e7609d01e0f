"""Workers: what they are asked and tell, and that nothing of them is left (real processes)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building.worker import run_worker
from support.processes import import_path, is_running, linux_only, pid_in, wait_for

from samebytes.errors import BackendError

HELP = """
import os, subprocess, sys, time
from pathlib import Path
from samebytes_tools.building.worker import begin

request, tell = begin()
def say(**message): tell(message)

def compiler():  # one that does not end when it is asked to
    child = subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; echo $$ >pid.new; mv pid.new pid; sleep 60"])
    while not Path("pid").exists(): time.sleep(0.01)
    return child
"""


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory where workers run, and in the end their compilers' grave."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    if (tmp_path / "pid").exists() and is_running(int((tmp_path / "pid").read_text())):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def run(code: str, request: object = None, hear: Any = None) -> tuple[int, list[Mapping[str, Any]]]:
    """Run a worker that does *code*; return its exit status and what it told."""
    heard: list[Mapping[str, Any]] = []
    command = [sys.executable, "-c", HELP + code]
    status = run_worker(command, {**os.environ, **import_path()}, request, hear or heard.append)
    return status, heard


@pytest.mark.usefixtures("inside")
def test_request_messages_and_status() -> None:
    request = {"path": "caf\udcff\u00e9", "long": "x" * 200_000}
    status, heard = run("say(step='one'); say(got=request); sys.exit(3)", request)
    assert status == 3
    assert heard == [{"step": "one"}, {"got": request}]


@pytest.mark.usefixtures("inside")
def test_what_is_no_message_is_passed_over() -> None:
    """A sitecustomize may print anything."""
    noise = "import os; os.write(1, b'hello\\n17\\n\\xff\\n[1]\\n'); os.write(1, b'{}\\n')"
    heard: list[Mapping[str, Any]] = []
    assert run_worker([sys.executable, "-c", noise], os.environ, None, heard.append) == 0
    assert heard == [{}]


@pytest.mark.usefixtures("inside")
def test_a_worker_that_ends_before_it_is_asked() -> None:
    assert run_worker(["false"], os.environ, "x" * 1_000_000, print) == 1


@pytest.mark.usefixtures("inside")
def test_its_programs_read_nothing() -> None:
    code = "say(read=subprocess.run(['cat'], capture_output=True, timeout=20).stdout.decode())"
    assert run(code, "a secret") == (0, [{"read": ""}])


@linux_only
@pytest.mark.parametrize(
    ("end", "status"),
    [("", 0), ("sys.exit(5)", 5), ("os.kill(os.getpid(), 9)", -9)],
    ids=["returns", "fails", "is killed"],
)
def test_no_compiler_outlives_the_worker(end: str, status: int, inside: Path) -> None:
    assert run(f"compiler(); say(step='compiling'); {end}") == (status, [{"step": "compiling"}])
    assert not is_running(pid_in(inside / "pid"))


@linux_only
def test_no_worker_outlives_an_interruption(inside: Path) -> None:
    def interrupted(message: Mapping[str, Any]) -> None:
        (inside / "worker").write_text(str(message["worker"]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("compiler(); say(worker=os.getpid()); time.sleep(60)", hear=interrupted)
    assert not is_running(pid_in(inside / "pid"))
    assert not is_running(pid_in(inside / "worker"))


ASKER = """
import os, sys
from samebytes.errors import BackendError
from samebytes_tools.building.worker import run_worker
run_worker([sys.executable, "-c", sys.argv[1]], os.environ, None, print)
"""


@linux_only
def test_a_worker_does_not_outlive_the_one_that_asked(inside: Path) -> None:
    work = HELP + "Path('worker').write_text(str(os.getpid())); compiler(); time.sleep(60)"
    command = [sys.executable, "-c", ASKER, work]
    with subprocess.Popen(command, env={**os.environ, **import_path()}) as asker:
        worker, compiler = pid_in(inside / "worker"), pid_in(inside / "pid")
        assert is_running(worker)
        asker.kill()
    wait_for(lambda: not is_running(worker), "the worker's end")
    wait_for(lambda: not is_running(compiler), "the compiler's end")


@linux_only
def test_a_terminals_interrupt_reaches_this_process_alone(inside: Path) -> None:
    """It goes to the whole foreground group; the worker is no member, and is ended in order."""
    status, heard = run("say(group=os.getpgrp(), pid=os.getpid(), session=os.getsid(0))")
    (told,) = heard
    assert status == 0
    assert told["group"] == told["pid"] == told["session"]


@linux_only
def test_a_worker_that_takes_too_long_is_ended_with_all_that_it_started(inside: Path) -> None:
    command = [sys.executable, "-c", HELP + "compiler(); time.sleep(60)"]
    with pytest.raises(BackendError, match="longer than 3 seconds") as caught:
        run_worker(command, {**os.environ, **import_path()}, None, print, limit=3)
    assert "--timeout" in caught.value.remedy
    assert not is_running(pid_in(inside / "pid"))


@pytest.mark.usefixtures("inside")
def test_a_worker_that_is_in_time_knows_nothing_of_a_limit() -> None:
    heard: list[Mapping[str, Any]] = []
    command = [sys.executable, "-c", HELP + "say(step='one')"]
    assert run_worker(command, {**os.environ, **import_path()}, None, heard.append, limit=60) == 0
    assert heard == [{"step": "one"}]
