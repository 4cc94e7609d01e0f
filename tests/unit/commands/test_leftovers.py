"""Whatever fails: no temporary file and no open descriptor is left, and no process."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from samebytes_tools.building.processes import CommandRunner
from support.artifacts import wheel
from support.processes import import_path, is_running, linux_only, pid_in
from support.projects import SMALL_BACKEND, write_tree

from samebytes.backend import hooks
from samebytes.commands.main import main
from samebytes.errors import SamebytesError

pytestmark = linux_only

OURS = '[build-system]\nrequires = []\nbuild-backend = "samebytes.backend"\n[tool.samebytes]\n'
FINE = OURS + 'build-backend = "small_backend"\nbackend-path = ["backend"]\n'

FAILING = {
    "a path out of the tree": (OURS + 'build-backend = "small_backend"\nbackend-path = ["../.."]\n', ""),
    "no such backend": (OURS + 'build-backend = "there_is_none"\n', ""),
    "a backend that wraps itself": (OURS + 'build-backend = "samebytes.backend"\n', ""),
    "a malformed table": (FINE + "fixed-paths = 3\n", ""),
    "an unknown code": (FINE + 'enable = ["X999"]\n', ""),
    "malformed TOML": ("[build-system\n", ""),
    "a backend that cannot be imported": (FINE, "\n1 / 0\n"),
    "a backend that raises": (FINE, "\ndef build_wheel(*_): 1 / 0\n"),
    "a backend that ends": (FINE, "\ndef build_wheel(*_): os._exit(3)\n"),
    "a backend that ends at once": (FINE, "\nos._exit(3)\n"),
    "a backend that kills itself": (FINE, "\ndef build_wheel(*_): os.kill(os.getpid(), 9)\n"),
    "a backend that returns nothing": (FINE, "\ndef build_wheel(*_): pass\n"),
    "a backend that writes nothing": (FINE, "\ndef build_wheel(*_): return WHEEL_NAME\n"),
    "a backend that writes no wheel": (
        FINE,
        "\ndef build_wheel(d, *_):\n    open(os.path.join(d, WHEEL_NAME), 'w').close()\n    return WHEEL_NAME\n",
    ),
    "a backend that closes its directory": (
        FINE,
        "\nimport tempfile\nfor name in ('a', 'a/b'): os.mkdir(os.path.join(tempfile.gettempdir(), name))\n"
        "os.chmod(os.path.join(tempfile.gettempdir(), 'a'), 0)\n1 / 0\n",
    ),
}

CALLS = ("build_wheel", "build_sdist", "available", "get_requires_for_build_wheel", "prepare_metadata_for_build_wheel")


def project(root: Path, name: str) -> Path:
    pyproject, extra = FAILING[name]
    return write_tree(root, {"pyproject.toml": pyproject, "backend/small_backend.py": SMALL_BACKEND + extra})


def descriptors() -> dict[str, str]:
    gc.collect()
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists them
            found[path.name] = os.readlink(path)
    return found


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "temp"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


@pytest.mark.parametrize("name", FAILING)
def test_a_hook_that_fails(name: str, tmp_path: Path, temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project(tmp_path / "tree", name))
    (tmp_path / "out").mkdir()
    before = descriptors()
    failed = 0
    for call in CALLS:
        is_open = call == "available"  # for the hook that comes after it
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                hooks.available() if call == "available" else hooks.call(call, str(tmp_path / "out"))
            except SamebytesError:
                failed, is_open = failed + 1, False
        if not is_open:
            assert list(temp.iterdir()) == [], call
    assert failed
    assert list(temp.iterdir()) == []
    assert descriptors() == before


@pytest.mark.slow("builds each project twice")
@pytest.mark.parametrize("name", FAILING)
def test_a_command_that_fails(name: str, tmp_path: Path, temp: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tree = project(tmp_path / "tree", name)
    # One is open for good from the first command on: to the process that ends commands if this one dies.
    CommandRunner(tmp_path / "log").run([sys.executable, "-c", ""], cwd=None, environ=os.environ)
    before = descriptors()
    assert main(["build", str(tree), "-w", "-n", "-q", "-o", str(tmp_path / "out")]) >= 2
    assert main(["check", str(tree), "-w", "-n", "-q", "--vary=-all"]) >= 1
    capfd.readouterr()
    assert list(temp.iterdir()) == []
    assert descriptors() == before


@pytest.mark.parametrize("name", FAILING)
def test_a_front_ends_process_that_fails(name: str, tmp_path: Path, temp: Path) -> None:
    code = "from samebytes import backend; hasattr(backend, 'build_editable'); backend.build_wheel('.')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project(tmp_path / "tree", name), env={**os.environ, **import_path()},
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode
    assert list(temp.iterdir()) == []


@pytest.mark.slow("starts a command for each of many archives")
def test_archives_that_fail(tmp_path: Path, temp: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Cut off at many places, as large as to need a temporary file."""
    whole = wheel(tmp_path, files={"demo/data.bin": os.urandom(9_000_000), "demo/a.py": b"a = 1\n"}).read_bytes()
    path = tmp_path / "cut" / "demo-1.0-py3-none-any.whl"
    path.parent.mkdir()
    before = descriptors()
    for at in range(0, len(whole), len(whole) // 20):
        for damaged in (whole[:at], whole[:at] + bytes(64) + whole[at + 64 :]):
            path.write_bytes(damaged)
            assert main(["normalize", str(path), "-q"]) >= 2
            assert path.read_bytes() == damaged
    capfd.readouterr()
    assert list(temp.iterdir()) == []
    assert list(path.parent.iterdir()) == [path]
    assert descriptors() == before


WAITING = "\ndef build_wheel(*_):\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
"""
HOOK = PROGRAM + "from samebytes import backend; {}backend.build_wheel('.')"
BUILD = PROGRAM + "from samebytes.commands.main import main; sys.exit(main(['build', '-w', '-n', '-o', '{}', '.']))"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("way", ["hook", "probed hook", "build", "probe"])
def test_a_signal_in_the_middle(number: signal.Signals, way: str, tmp_path: Path, temp: Path) -> None:
    waits = WAITING if way != "probe" else "\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    pid = tmp_path / "pid"
    waits = waits.replace("'pid'", repr(str(pid)))
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": FINE, "backend/small_backend.py": SMALL_BACKEND + waits})
    asks = "hasattr(backend, 'build_editable'); " if way.startswith("prob") else ""
    code = BUILD.format(tmp_path / "out") if way == "build" else HOOK.format(asks)
    environ = {**os.environ, **import_path()}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tree, env=environ, stderr=subprocess.DEVNULL)
    try:
        child = pid_in(pid)
        assert list(temp.iterdir())
        process.send_signal(number)
        assert process.wait(60)
    finally:
        process.kill()
    assert not is_running(child)
    assert list(temp.iterdir()) == []
