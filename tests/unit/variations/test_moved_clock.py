"""The clock of the second build: moved for all programs, for Python and for gcc; and programs that sleep meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from samebytes_tools.variations.moved_clock import (
    CLOCK_MOVED,
    PYTHON_CLOCK,
    frozen_clock,
    is_moved,
    movable_alone,
    moved_clock,
    prepare_clock,
)

SLEEPER = """
import subprocess, sys, time
before = time.monotonic()
time.sleep(0.2)
print(time.monotonic() - before)
# One that closes its pipes first, so that its end must be waited for.
subprocess.run([sys.executable, "-c", "import os, time; os.closerange(0, 3); time.sleep(0.2)"], timeout=60, check=True)
print(time.time())
"""


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    found = moved_clock(os.environ, prepare_clock(tmp_path, os.environ))
    if "steady_sleep" not in found.get("LD_PRELOAD", ""):
        pytest.skip("needs cc and libfaketime")
    return found


def test_programs_sleep_while_their_clock_is_moved(clock: dict[str, str]) -> None:
    command = [sys.executable, "-c", SLEEPER]
    done = subprocess.run(command, env={**os.environ, **clock}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    slept, moment = map(float, done.stdout.split())
    assert slept >= 0.2
    assert moment > time.time() + CLOCK_MOVED / 2


@pytest.mark.parametrize("libfaketime", [{}, {"LIBFAKETIME": os.devnull}])
def test_without_a_compiler_or_with_one_that_fails(libfaketime: dict[str, str], tmp_path: Path) -> None:
    made, programs = tmp_path / "made", tmp_path / "programs"
    for directory in (made, programs):
        directory.mkdir()
    environ = {"PATH": str(programs), **libfaketime}
    assert list(prepare_clock(made, environ).iterdir()) == []
    compiler = programs / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    assert list(prepare_clock(made, environ).iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize(("platform", "runs"), [("linux", True), ("darwin", False)])
def test_no_compiler_of_macos_is_run_for_nothing(
    platform: str, runs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is none, ``/usr/bin/cc`` opens a window; where there is, it is clang."""
    made = tmp_path / "made"
    made.mkdir()
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\n: > '{tmp_path}/ran'\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(sys, "platform", platform)
    prepare_clock(made, {"PATH": str(tmp_path), "LIBFAKETIME": os.devnull})
    assert (tmp_path / "ran").exists() == runs


def test_a_directory_that_cannot_be_preloaded_from(clock: dict[str, str], tmp_path: Path) -> None:
    assert clock
    directory = tmp_path / "two words"
    directory.mkdir()
    assert list(prepare_clock(directory, os.environ).iterdir()) == []


def test_a_library_that_does_not_move_the_clock_is_not_used(tmp_path: Path) -> None:
    """The package on PyPI is for any machine, by its name, and has a library for one."""
    library = tmp_path / "libfaketime.so.1"
    library.write_bytes(b"\x7fELF of another machine")
    environ = {**os.environ, "LIBFAKETIME": str(library)}
    assert not is_moved(environ)
    assert "LD_PRELOAD" not in moved_clock(environ)
    assert movable_alone(environ).startswith("Python")


WITHOUT = {**os.environ, "LIBFAKETIME": os.devnull}

READINGS = """
import json, logging, pickle, sys, time
from datetime import date, datetime, timezone
class Later(datetime): pass
def stamp(moment): return datetime(*moment[:6]).replace(tzinfo=timezone.utc).timestamp()
def naive(moment): return moment.replace(tzinfo=timezone.utc).timestamp()
record = logging.Formatter().formatTime(logging.makeLogRecord({"created": 86400.0}))[:19]
print(json.dumps({
    "moved": {
        "time": time.time(),
        "time_ns": time.time_ns() / 1e9,
        "localtime": stamp(time.localtime()),
        "gmtime": stamp(time.gmtime(None)),
        "ctime": stamp(time.strptime(time.ctime())),
        "asctime": stamp(time.strptime(time.asctime())),
        "strftime": stamp(time.strptime(time.strftime("%Y-%m-%d %H:%M:%S"), "%Y-%m-%d %H:%M:%S")),
        "now": naive(datetime.now()),
        "now(tz)": datetime.now(timezone.utc).timestamp(),
        "now(tz=)": datetime.now(tz=timezone.utc).timestamp(),
        "utcnow": naive(datetime.utcnow()),
        "datetime.today": naive(datetime.today()),
        "date.today": naive(datetime.combine(date.today(), datetime.now().time())),
        "subclass": naive(Later.now()),
        **({"clock_gettime": time.clock_gettime(time.CLOCK_REALTIME)} if hasattr(time, "clock_gettime") else {}),
    },
    "given": [stamp(time.localtime(5)), stamp(time.gmtime(5)), time.ctime(5), time.strftime("%Y", time.gmtime(5))],
    "as ever": [type(Later.now()) is Later, type(Later.utcnow()) is Later, type(datetime.now()) is datetime,
                pickle.loads(pickle.dumps(time.time)) is time.time, record,
                [place for place in sys.path if "python_clock" in place]],
    "monotonic": time.monotonic(),
}))
"""


def python(code: str, variables: dict[str, str], *options: str, path: str = "") -> str:
    environ = {
        **WITHOUT,
        "TZ": "UTC",
        **variables,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PYTHON_CLOCK), path])),
    }
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_python_s_own_clock_is_moved_in_all_its_functions() -> None:
    variables = moved_clock(WITHOUT)
    read = json.loads(python(READINGS, variables, "-W", "ignore"))
    for name, moment in read["moved"].items():
        assert abs(moment - time.time() - CLOCK_MOVED) < 3600, name
    assert read["given"] == [5.0, 5.0, "Thu Jan  1 00:00:05 1970", "1970"]
    assert read["as ever"] == [True, True, True, True, "1970-01-02 00:00:00", []]
    assert abs(read["monotonic"] - time.monotonic()) < 3600


def test_python_s_own_clock_stands_still() -> None:
    code = "import time; from datetime import datetime as d; print([time.time_ns(), d.utcnow(), time.ctime()])"
    variables = frozen_clock(WITHOUT)
    assert python(code, variables, "-W", "ignore") == python(code, variables, "-W", "ignore")
    assert "2031, 2, 3, 4, 5, 6" in python(code, variables, "-W", "ignore")


def test_the_processes_that_a_build_starts_have_that_clock_too() -> None:
    code = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; print(time.time())'], check=True)"
    )
    assert float(python(code, moved_clock(WITHOUT))) > time.time() + CLOCK_MOVED / 2


def test_another_sitecustomize_is_imported_as_ever(tmp_path: Path) -> None:
    code = "import sys; print(getattr(sys, 'seen', None), sys.modules['sitecustomize'].__file__)"
    assert python(code, moved_clock(WITHOUT)).startswith("None ")
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.seen = 'seen'\n", "utf-8")
    assert python(code, moved_clock(WITHOUT), path=str(tmp_path)) == f"seen {tmp_path / 'sitecustomize.py'}\n"


def compiled_date(environ: dict[str, str], directory: Path, name: str = "date.c") -> str:
    (directory / name).write_text("const char *date = __DATE__ __TIME__;\n", "ascii")
    command = ["gcc", "-S", "-o", "-", str(directory / name)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.skipif(sys.platform != "linux", reason="clang is called gcc elsewhere")
def test_gcc_gets_a_later_date_and_nothing_else_does(tmp_path: Path) -> None:
    clock = moved_clock(WITHOUT, prepare_clock(tmp_path, WITHOUT))
    assert set(clock) == {"SAMEBYTES_CLOCK", "COMPILER_PATH"}  # SOURCE_DATE_EPOCH would reach the project itself
    year = time.gmtime(time.time() + CLOCK_MOVED).tm_year
    environ = {name: value for name, value in {**WITHOUT, **clock}.items() if name != "SOURCE_DATE_EPOCH"}
    assert f" {year}" in compiled_date(environ, tmp_path)
    # What the project says is not hidden.
    assert "Jan  1 1970" in compiled_date({**environ, "SOURCE_DATE_EPOCH": "5"}, tmp_path)
    assert "COMPILER_PATH" not in moved_clock(
        WITHOUT, prepare_clock(tmp_path / "x", {**WITHOUT, "COMPILER_PATH": "/x"})
    )


def test_no_name_of_a_day_is_the_same_on_the_later_one_in_any_time_zone() -> None:
    """The zone may take a day back, or give one."""
    days = CLOCK_MOVED // 86400
    assert {(days + shift) % 7 for shift in (-1, 0, 1, 2)}.isdisjoint({0})
