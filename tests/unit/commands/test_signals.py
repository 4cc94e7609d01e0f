"""A signal in the middle of the work: nothing half done, no stray file (real processes)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.artifacts import wheel
from support.processes import import_path, is_running, linux_only, wait_for
from support.projects import SMALL_BACKEND, write_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals between processes")

# A shell's background jobs have SIGINT ignored, nohup's have SIGHUP, and perhaps this very test run is one: the program
# must not inherit that.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from samebytes.commands.main import main
sys.exit(main())
"""
PATIENCE = 60.0


BOTH = pytest.mark.parametrize(
    ("number", "status"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow("the same commands once more, with another signal")),
        (signal.SIGTERM, 143),
    ],
)

STARTED: list[subprocess.Popen[str]] = []
"""By the test that is running."""
HANGING_PIDS: dict[int, str] = {}
"""What those have started, and when that was: a number may become another's."""


@pytest.fixture(autouse=True)
def nothing_goes_on() -> Iterator[None]:
    """End what has survived a test that fails: it may be at work for ever."""
    STARTED.clear()
    HANGING_PIDS.clear()
    yield
    for process in STARTED:
        if process.poll() is None:
            process.kill()
    for pid, moment in HANGING_PIDS.items():
        if is_running(pid) and began(pid) == moment:
            os.kill(pid, signal.SIGKILL)


def began(pid: int) -> str:
    """Return when a process began, in the kernel's units (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two wheels that take long enough for a signal to come in the middle."""
    directory, noise = tmp_path_factory.mktemp("large"), os.urandom(40_000_000)
    return [wheel(directory, name, {f"{name}/data.bin": noise}) for name in ("one", "two")]


def start(scratch: Path, *arguments: object, program: str = PROGRAM, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start samebytes with temporary files in *scratch*."""
    scratch.mkdir()
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environ = {**os.environ, **import_path(), "TMPDIR": str(scratch)}
    process = subprocess.Popen(command, cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    STARTED.append(process)
    return process


def wait_for_temporary(scratch: Path, process: subprocess.Popen[str]) -> None:
    """Return once a result is being written."""
    wait_until(lambda: any(path.is_file() and path.stat().st_size for path in scratch.rglob("*")), process)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return once *condition* holds, while *process* is running."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def stamps(directory: Path) -> list[tuple[str, int, int]]:
    """Return what shows whether the files in *directory* are the same, and as they were."""
    return sorted((path.name, path.stat().st_ino, path.stat().st_mtime_ns) for path in directory.iterdir())


def assert_ended(process: subprocess.Popen[str], status: int, *, steps: bool = False) -> None:
    """Demand that *process* ends with *status*, an error in two lines, and nothing else; after its *steps*, if any."""
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (status, ""), err
    *before, error, hint = err.splitlines()
    assert error.startswith("samebytes: error: ")
    assert hint.startswith("  hint: ")
    assert steps or not before
    assert "Traceback" not in err


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_midway(
    number: signal.Signals, status: int, in_place: bool, large: list[Path], tmp_path: Path
) -> None:
    source, output = tmp_path / "in", tmp_path / ("in" if in_place else "out")
    source.mkdir()
    paths = [Path(shutil.copy(one, source)) for one in large]
    found = stamps(source)
    process = start(tmp_path / "tmp", "normalize", *paths, "--jobs=2", *([] if in_place else ["-o", output]))
    wait_for_temporary(tmp_path / "tmp", process)
    process.send_signal(number)
    process.send_signal(number)
    assert_ended(process, status)
    assert stamps(source) == found
    assert in_place or list(output.iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_ignored_interrupts_stay_ignored(large: list[Path], tmp_path: Path) -> None:
    """As under nohup, and in a shell's background jobs."""
    (tmp_path / "in").mkdir()
    path = Path(shutil.copy(large[0], tmp_path / "in"))
    program = PROGRAM.replace("signal.default_int_handler", "signal.SIG_IGN")
    process = start(tmp_path / "tmp", "normalize", path, program=program)
    wait_for_temporary(tmp_path / "tmp", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert "normalized" in out
    assert list((tmp_path / "in").iterdir()) == [path]


# Stands for whatever never ends, or not soon: the reader or a pass of a file that nobody foresaw.
HANGING = """
import pathlib, {module} as module
def hang(*_, **__):
    pathlib.Path({mark!r}).touch()
    while True:
        pass
module.{name} = hang
"""


def hanging(module: str, name: str, mark: Path) -> str:
    """Return the program with a function of the *module* that touches *mark* and then never returns."""
    return HANGING.format(module=module, name=name, mark=str(mark)) + PROGRAM


@BOTH
@pytest.mark.parametrize(
    "command", ["normalize", "normalize --json", "normalize -o out", "check", "compare", "install"]
)
@pytest.mark.parametrize(
    ("module", "function"),
    [("samebytes.archive.zip_reader", "read_directory"), ("samebytes.artifact.layout", "check_dist_info")],
)
def test_a_signal_ends_what_would_never_end(
    module: str, function: str, command: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    """Whether it is the main thread that is at work or another one, and whatever has been made by then."""
    source, mark = tmp_path / "in", tmp_path / "hangs"
    source.mkdir()
    paths = [wheel(source, name, {f"{name}.py": b"pass\n"}) for name in ("one", "two")]
    found = stamps(source)
    words = [*command.replace("out", str(tmp_path / "out")).split(), *paths]
    words += ["--target", tmp_path / "target"] if command == "install" else []
    process = start(tmp_path / "tmp", *words, program=hanging(module, function, mark))
    wait_until(mark.exists, process)
    process.send_signal(number)
    assert_ended(process, status)
    assert stamps(source) == found
    left = [path for place in ("out", "target", "tmp") for path in (tmp_path / place).rglob("*")]
    assert left == []


def test_a_target_that_is_being_replaced_is_waited_for(tmp_path: Path) -> None:
    """A disk may take its time to sync: a temporary file beside the target would stay."""
    path, mark = wheel(tmp_path, files={"demo.py": b"pass\n"}), tmp_path / "syncs"
    slow = f"""
import os, pathlib, time
usual = os.fsync
def fsync(file):
    pathlib.Path({str(mark)!r}).touch()
    time.sleep(2)
    usual(file)
os.fsync = fsync
"""
    process = start(tmp_path / "tmp", "normalize", path, program=slow + PROGRAM)
    wait_until(mark.exists, process)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.count("\n")) == (143, 2)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([path.name, "syncs", "tmp"])


# A build that does not care for signals, and a process of it that does not either, and has all of its files open.
DEAF = """
import os, signal, subprocess, sys, time
def hang():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
    with open({mark!r} + ".new", "w") as file:
        file.write(f"{{os.getpid()}} {{child.pid}}")
    os.replace({mark!r} + ".new", {mark!r})
    while True:
        time.sleep(1)
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "{backend}"
{path}
[tool.samebytes]
build-backend = "small_backend"
backend-path = ["backend"]
"""
WRAPPED = PYPROJECT.format(backend="samebytes.backend", path="")
PLAIN = PYPROJECT.format(backend="small_backend", path='backend-path = ["backend"]')
VARYING = SMALL_BACKEND + "\nMEMBERS['small.py'] = f'{time.time()}'\n"
WHERE = {
    "import": "\nhang()\n",
    "get_requires": "\ndef get_requires_for_build_wheel(*_): hang()\n",
    "build": "\ndef build_wheel(*_): hang()\n",
}
HOOKS = """
import signal, sys
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from samebytes import backend
if hasattr(backend, "get_requires_for_build_wheel"):
    backend.get_requires_for_build_wheel()
backend.build_wheel(sys.argv[1])
"""


def deaf(root: Path, where: str, mark: Path, pyproject: str = WRAPPED) -> Path:
    """Write a project whose backend hangs in *where*, and return its tree."""
    text = SMALL_BACKEND + DEAF.format(mark=str(mark)) + WHERE[where]
    return write_tree(root, {"pyproject.toml": pyproject, "backend/small_backend.py": text})


def wait_for_deaf(mark: Path, process: subprocess.Popen[str]) -> list[int]:
    """Wait until the build hangs, and return the numbers of its processes."""
    wait_until(mark.exists, process)
    pids = [int(number) for number in mark.read_text().split()]
    HANGING_PIDS.update({pid: began(pid) for pid in pids})
    return pids


def assert_gone(pids: list[int]) -> None:
    """Demand that these processes end, which a busy system may take a moment for."""
    wait_for(lambda: not any(map(is_running, pids)), f"the end of {pids}")


@linux_only
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, -2), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("where", WHERE)
def test_a_hook_ends_a_build_that_ignores_signals(
    where: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    """The front end's own process: status -2 is how Python ends after KeyboardInterrupt."""
    mark = tmp_path / "hangs"
    process = start(tmp_path / "tmp", tmp_path, program=HOOKS, cwd=deaf(tmp_path / "tree", where, mark))
    pids = wait_for_deaf(mark, process)
    process.send_signal(number)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)  # it ends, so nobody else has its output open
    assert process.returncode == status
    assert_gone(pids)
    assert list((tmp_path / "tmp").iterdir()) == []


@linux_only
@pytest.mark.slow("each of many commands builds, and waits for what ignores signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["build -w -n", "check -w -n --vary=-all", "check -w -n --vary=-all,umask -j3"])
@pytest.mark.parametrize("where", WHERE)
def test_a_command_ends_a_build_that_ignores_signals(
    where: str, command: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    mark = tmp_path / "hangs"
    tree = deaf(tmp_path / "tree", where, mark, WRAPPED if command.startswith("build") else PLAIN)
    output = ["-o", tmp_path / "out"] if command.startswith("build") else []
    process = start(tmp_path / "tmp", *command.split(), *output, tree)
    pids = wait_for_deaf(mark, process)
    process.send_signal(number)
    process.send_signal(number)
    assert_ended(process, status, steps=True)
    assert_gone(pids)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "out").exists()


# What is no Python, but may be named as one: it says nothing, and its child has all of its files open.
SILENT = """#!/bin/sh
trap "" TERM INT HUP
sleep 600 &
echo "$$ $!" >{mark}.new
mv {mark}.new {mark}
wait
sleep 600
"""


@linux_only
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("ends", ["at once", "as a worker"])
def test_an_interpreter_that_ignores_signals(number: signal.Signals, status: int, ends: str, tmp_path: Path) -> None:
    """Either before it is known what it compiles to, or when another process of it is started to compile."""
    mark, python, first = tmp_path / "hangs", tmp_path / "python", ""
    if ends == "as a worker":  # the first one is asked for its tag only
        first = f'if [ ! -e "{tmp_path}/asked" ]; then touch "{tmp_path}/asked"; exec "{sys.executable}" "$@"; fi\n'
    python.write_text(SILENT.format(mark=mark).replace("\n", f"\n{first}", 1))
    python.chmod(0o755)
    site = tmp_path / "site"
    site.mkdir()
    for name in ("one.py", "two.py"):
        (site / name).write_text("pass\n")
    found = stamps(site)
    process = start(tmp_path / "tmp", "tree", "fix", site, "--python", python, "-j2")
    pids = wait_for_deaf(mark, process)
    process.send_signal(number)
    assert_ended(process, status)
    assert_gone(pids)
    assert stamps(site) == found
    assert list((tmp_path / "tmp").iterdir()) == []


@BOTH
@pytest.mark.parametrize(
    ("words", "module", "function"),
    [
        ("build -w -n -o out tree", "samebytes.archive.zip_reader", "read_directory"),
        ("check -w -n --vary=-all tree", "samebytes_tools.commands.check.twice", "compare_files"),
        ("check -w -n --vary=-all -j3 tree", "samebytes_tools.commands.check.attempts", "lay_out"),
        ("check -w -n --vary=-all --normalized tree", "samebytes.archive.zip_reader", "read_directory"),
        ("verify --source tree in/one-1.0-py3-none-any.whl", "samebytes.archive.zip_reader", "read_directory"),
        ("tree fix site", "samebytes_tools.commands.tree.fix", "fix"),
        ("tree digest site", "samebytes_tools.commands.tree.digest", "digest"),
        ("survey run --packages one==1.0 --store store", "samebytes_tools.commands.survey.command", "examine_here"),
    ],
)
def test_a_signal_ends_other_commands(
    words: str, module: str, function: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    """Of those that build, too, whatever a thread of theirs does."""
    mark, place = tmp_path / "hangs", tmp_path / "place"
    write_tree(place / "tree", {"pyproject.toml": PLAIN, "backend/small_backend.py": VARYING})
    for name in ("in", "site"):
        (place / name).mkdir()
    wheel(place / "in", "one", {"one.py": b"pass\n"})
    (place / "site" / "one.py").write_text("pass\n")
    found = sorted(place.rglob("*"))
    process = start(tmp_path / "tmp", *words.split(), program=hanging(module, function, mark), cwd=place)
    wait_until(mark.exists, process)
    process.send_signal(number)
    assert_ended(process, status, steps=True)
    assert sorted(path for path in place.rglob("*") if path.name != "store") == found
    assert list((tmp_path / "tmp").iterdir()) == []


# A signal that comes while an object is deleted: Python lets no exception out of there.
DELETES = """
import os, signal, sys, time
from samebytes.{module} import {name} as usual
import samebytes.{module} as module
class Deleted:
    def __del__(self):
        os.kill(os.getpid(), {number})
        for _ in range(1000):
            pass
def deletes(*given, **named):
    Deleted()
    while True:
        time.sleep(0.01)
module.{name} = deletes
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_an_object_is_deleted(number: signal.Signals, status: int, tmp_path: Path) -> None:
    path = wheel(tmp_path, files={"demo.py": b"pass\n"})
    text = DELETES.format(module="artifact.opening", name="open_archive", number=int(number))
    process = start(tmp_path / "tmp", "compare", path, path, program=text + PROGRAM)
    assert_ended(process, status)


# Where the machine is slow, it is sent once more before the hook has returned that asked for that.
EARLY = """
import threading
class Early(threading.Timer):
    is_first = True
    def start(self):
        if not Early.is_first:
            return super().start()
        Early.is_first = False
        self.function(*self.args)
        for _ in range(1000):
            pass
threading.Timer = Early
"""


def test_a_signal_is_not_lost_where_python_reports_what_it_let_out_of_nothing(tmp_path: Path) -> None:
    path = wheel(tmp_path, files={"demo.py": b"pass\n"})
    text = DELETES.format(module="artifact.opening", name="open_archive", number=int(signal.SIGTERM))
    process = start(tmp_path / "tmp", "compare", path, path, program=EARLY + text + PROGRAM)
    assert_ended(process, 143)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, -2), (signal.SIGTERM, 143)])
def test_a_signal_while_a_hook_deletes_an_object(number: signal.Signals, status: int, tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": WRAPPED, "backend/small_backend.py": SMALL_BACKEND})
    text = DELETES.format(module="passes.pipeline", name="rewrite", number=int(number))
    process = start(tmp_path / "tmp", tmp_path, program=text + HOOKS, cwd=tree)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, err
    assert list((tmp_path / "tmp").iterdir()) == []
