"""Commands with an end, and nothing that outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from samebytes_tools.building import processes
from samebytes_tools.building.processes import CommandRunner, TooLate
from samebytes_tools.variations.moved_clock import CLOCK_MOVED, moved_clock
from support.processes import import_path, is_running, linux_only, pid_in, wait_for

from samebytes.errors import Interrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(999)"])
with open(sys.argv[1], "w") as file:
    file.write(str(child.pid))
"""
"""Leaves a child that does not mind being asked to end."""


def start(
    code: str,
    tmp_path: Path,
    *arguments: str,
    stop: threading.Event | None = None,
    seconds: float | None = None,
    umask: int = -1,
) -> int:
    runner = CommandRunner(tmp_path / "log", stop=stop, seconds=seconds)
    return runner.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, environ=os.environ, umask=umask)


def test_status_log_directory_and_umask(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd()); print('%o' % os.umask(0), file=sys.stderr); sys.exit(7)"
    assert start(code, tmp_path, umask=0o027) == 7
    assert start("print('more')", tmp_path) == 0
    said = (tmp_path / "log").read_text().split()
    assert sorted(said) == sorted([str(tmp_path.resolve()), "27", "more"])


def test_a_signal_is_told_as_a_negative_status(tmp_path: Path) -> None:
    assert start("import os; os.kill(os.getpid(), 9)", tmp_path) == -9


def assert_child_is_ended(code: str, tmp_path: Path) -> None:
    """Demand that the child of *code* ends with it, by itself or because it is too late."""
    assert start(code, tmp_path, str(tmp_path / "pid")) == 0
    assert not is_running(pid_in(tmp_path / "pid"))
    with pytest.raises(TooLate):
        start(code + "\nchild.wait()", tmp_path, str(tmp_path / "late"), seconds=1.0)
    assert not is_running(pid_in(tmp_path / "late"))


@linux_only
def test_children_do_not_outlive_the_command(tmp_path: Path) -> None:
    assert start(CHILD, tmp_path, str(tmp_path / "pid")) == 0
    assert not is_running(pid_in(tmp_path / "pid"))


@linux_only
def test_where_the_system_cannot_be_asked_without_reaping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS before Python 3.13, where ``os`` has no ``waitid``."""
    monkeypatch.delattr(os, "waitid")
    assert start("import os; os.kill(os.getpid(), 9)", tmp_path) == -9
    assert_child_is_ended(CHILD, tmp_path)


@linux_only
def test_too_late(tmp_path: Path) -> None:
    with pytest.raises(TooLate):
        start(CHILD + "\nchild.wait()", tmp_path, str(tmp_path / "pid"), seconds=1.0)
    assert not is_running(pid_in(tmp_path / "pid"))


IN_A_GROUP = CHILD.replace('"import signal,', '"import os; os.setpgid(0, 0); import signal,')


@linux_only
def test_children_in_process_groups_of_their_own_do_not_outlive_it(tmp_path: Path) -> None:
    """As those of a shell with job control (``set -m``)."""
    code = IN_A_GROUP + "\nimport os\nwhile os.getpgid(child.pid) != child.pid: pass\n"
    assert_child_is_ended(code, tmp_path)


@linux_only
def test_what_runs_can_be_ended_by_another_thread(tmp_path: Path) -> None:
    """And nothing is started any more: an event that is set stops both."""
    stop, other = threading.Event(), threading.Event()
    runner = CommandRunner(tmp_path / "log", stop=stop)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); open('ready', 'w').write('1'); time.sleep(600)"
    running = runner.start([sys.executable, "-c", code], cwd=tmp_path, environ=os.environ)
    pid_in(tmp_path / "ready")
    processes.kill_all(other)
    assert running._process.poll() is None
    stop.set()
    processes.kill_all(stop)
    assert running._process.poll() == -9
    with pytest.raises(Interrupted):
        runner.start([sys.executable, "-c", ""], cwd=tmp_path, environ=os.environ)
    assert running.wait() == -9
    assert running not in processes._running


@linux_only
def test_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Thread(target=lambda: (pid_in(tmp_path / "pid"), stop.set()), daemon=True).start()
    with pytest.raises(Interrupted):
        start(CHILD + "\nchild.wait()", tmp_path, str(tmp_path / "pid"), stop=stop)
    wait_for(lambda: not is_running(pid_in(tmp_path / "pid")), "the end of the child")


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        CommandRunner(tmp_path / "log").run([str(tmp_path / "nothing")], cwd=tmp_path, environ={})


@linux_only
def test_a_moved_clock_leaves_nothing_in_memory(tmp_path: Path) -> None:
    clock = moved_clock(os.environ)
    if "FAKETIME" not in clock:
        pytest.skip("needs libfaketime")
    code = "import os, sys, time; print(os.getpid(), time.time()); sys.stdout.flush(); "
    code += "os.execv(sys.executable, [sys.executable, '-c', 'import subprocess; subprocess.run([\"true\"])'])"
    environ = {**os.environ, **clock}
    command = [sys.executable, "-c", code]
    assert CommandRunner(tmp_path / "log").run(command, cwd=tmp_path, environ=environ) == 0
    pid, moment = (tmp_path / "log").read_text().split()
    assert float(moment) > time.time() + CLOCK_MOVED / 2
    assert [name for name in os.listdir("/dev/shm") if name.endswith(f"_{pid}")] == []


def test_the_own_group_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        start("pass", tmp_path)
        assert other.poll() is None
    finally:
        other.communicate()


def test_without_a_log_it_prints_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    assert CommandRunner().run([sys.executable, "-c", code], cwd=tmp_path, environ=os.environ) == 0
    printed = capfd.readouterr()
    assert (printed.out, sorted(printed.err.split())) == ("", ["err", "out"])


def test_commands_read_nothing(tmp_path: Path) -> None:
    assert start("import sys; sys.exit(len(sys.stdin.read()))", tmp_path) == 0


@linux_only
def test_the_time_is_that_of_all_commands_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of the test's own, for how long a command takes depends on the machine."""
    now = [0.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    runner = CommandRunner(tmp_path / "log", seconds=1.0)
    for now[0] in (0.0, 0.9):
        assert runner.run([sys.executable, "-c", ""], cwd=tmp_path, environ=os.environ) == 0
    now[0] = 1.1
    with pytest.raises(TooLate):
        runner.run([sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, environ=os.environ)


@linux_only
def test_a_command_that_is_terminated(tmp_path: Path) -> None:
    running = CommandRunner(tmp_path / "log").start(
        [sys.executable, "-c", CHILD + "\nchild.wait()", str(tmp_path / "pid")], cwd=tmp_path, environ=os.environ
    )
    child = pid_in(tmp_path / "pid")
    running.terminate()
    assert not is_running(child)
    assert running.wait() < 0


ASKER = """
import os, sys
from pathlib import Path
from samebytes_tools.building.processes import CommandRunner
Path("asker").write_text(str(os.getpid()))
CommandRunner(Path("log")).run([sys.executable, "-c", sys.argv[1], "pid"], cwd=Path(), environ=os.environ)
"""


@linux_only
@pytest.mark.parametrize("child", [CHILD, IN_A_GROUP], ids=["in the command's group", "in a group of its own"])
def test_nothing_outlives_a_process_that_is_killed(tmp_path: Path, child: str) -> None:
    """Neither the command, nor what it started, nor what watches over them."""
    command = [sys.executable, "-c", ASKER, child + "\nchild.wait()"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **import_path()}) as asker:
        started = pid_in(tmp_path / "pid")
        wait_for(lambda: child == CHILD or os.getpgid(started) == started, "its process group")
        below = [int(pid) for pid in Path(f"/proc/{asker.pid}/task/{asker.pid}/children").read_text().split()]
        assert len(below) == 2
        asker.kill()
    wait_for(lambda: not any(map(is_running, [started, *below])), "their end")


@linux_only
def test_a_terminals_interrupt_reaches_this_process_alone(tmp_path: Path) -> None:
    """It goes to the whole foreground group; commands are no members, and are ended in order."""
    code = "import os, sys; print(os.getpid() == os.getpgrp() == os.getsid(0))"
    assert start(code, tmp_path) == 0
    assert (tmp_path / "log").read_text() == "True\n"
