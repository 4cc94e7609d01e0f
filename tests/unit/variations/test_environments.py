"""The two build environments: what each variation changes, and that nothing else does."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.variations.environments import varied_environment
from samebytes_tools.variations.moved_clock import CLOCK_MOVED, PYTHON_CLOCK
from samebytes_tools.variations.variations import NAMES, OTHER_HOST
from samebytes_tools.variations.workspace import Workspace, obstacles, obstacles_of, workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/home/me", "TZ": "Asia/Tokyo", "CFLAGS": "-O2", "VIRTUAL_ENV": "/v"}


VARIABLES = {
    "build-path": set(),
    "temp": {"TMPDIR"},
    "home": {"HOME"},
    "user": {"USER", "LOGNAME"},
    "host": set(),
    "umask": set(),
    "owner": set(),
    "mtimes": set(),
    "file-order": set(),
    "timezone": {"TZ"},
    "locales": {"LANG", "LC_ALL"},
    "hash-seed": {"PYTHONHASHSEED"},
    "processors": {"PYTHON_CPU_COUNT"},
    "parallelism": {
        "MAKEFLAGS",
        "CARGO_BUILD_JOBS",
        "CMAKE_BUILD_PARALLEL_LEVEL",
        "MAX_JOBS",
        "NPY_NUM_BUILD_JOBS",
    },
    "terminal": {"COLUMNS", "LINES", "TERM"},
    "exec-path": {"PATH"},
    "leftovers": set(),
    "checkout": set(),
}


def test_every_variation_has_its_row() -> None:
    assert set(VARIABLES) | {"time"} == set(NAMES)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variation_changes_its_own_variables_alone(name: str, tmp_path: Path) -> None:
    first, second = (varied_environment(tmp_path, "project", applied, ENVIRON) for applied in ([], [name]))
    assert set(first.variables) == set(second.variables)
    assert {key for key, value in first.variables.items() if second.variables[key] != value} == VARIABLES[name]
    assert (first.tree != second.tree) == (name == "build-path")
    assert (first.temp != second.temp) == (first.virtual_environment != second.virtual_environment) == (name == "temp")
    assert (first.umask != second.umask) == (name == "umask")
    assert bool(second.prefix) == (name in {"host", "processors"})
    assert first.shares_with(second)  # two of them are needed for places that have nothing in common
    assert not first.shares_with(varied_environment(tmp_path, "project", ["build-path", "temp"], ENVIRON))


def test_a_clock_that_is_moved(tmp_path: Path) -> None:
    there = varied_environment(tmp_path, "project", ["time"], {**ENVIRON, "LD_PRELOAD": "other.so"})
    if not there.is_later:
        pytest.skip("needs libfaketime")
    assert re.fullmatch(r"other\.so /\S+/libfaketime\.so\.1", there.variables["LD_PRELOAD"])
    assert there.variables["FAKETIME"] == f"+{CLOCK_MOVED}"
    assert there.import_path == ""
    assert not varied_environment(tmp_path, "project", [], ENVIRON).is_later


def test_a_clock_that_is_moved_in_python_alone(tmp_path: Path) -> None:
    environ = {**ENVIRON, "LIBFAKETIME": os.devnull}
    first, second = (varied_environment(tmp_path, "project", applied, environ) for applied in ([], ["time"]))
    assert second.import_path == str(PYTHON_CLOCK)
    assert first.import_path == ""
    assert not second.is_later  # other programs' is not
    changed = {key for key, value in second.variables.items() if first.variables.get(key) != value}
    assert changed == {"SAMEBYTES_CLOCK"}


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("host", "import socket; print(socket.gethostname())", OTHER_HOST),
        ("processors", "import os; print(len(os.sched_getaffinity(0)))", "1"),
    ],
)
def test_programs_see_another_host_and_fewer_processors(name: str, code: str, expected: str, tmp_path: Path) -> None:
    why = obstacles(workspace(os.environ, keep_order=False), os.environ).get(name)
    if why:
        pytest.skip(why)
    prefix = varied_environment(tmp_path, "project", [name], ENVIRON).prefix
    done = subprocess.run([*prefix, sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
    assert socket.gethostname() != OTHER_HOST


def test_what_the_source_does_not_allow(tmp_path: Path) -> None:
    assert {name: each.why for name, each in obstacles_of(tmp_path).items()} == {
        "checkout": "the source is not a git checkout"
    }
    (tmp_path / ".git").mkdir()
    (tmp_path / "Cargo.toml").touch()
    assert {name: each.why for name, each in obstacles_of(tmp_path).items()} == {"time": "libfaketime lets cargo hang"}


def test_what_this_machine_does_not_allow(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path), "LIBFAKETIME": str(tmp_path / "none.so")}
    found = obstacles(Workspace(tmp_path, False), nothing)
    assert found["checkout"].why == "git is not installed (install the package git)"
    assert found["time"].why == (
        "libfaketime is not installed (install the package libfaketime); for programs other than Python, the second build "
        "begins more than 2 seconds later, that is all"
    )
    assert found["time"].is_partial
    assert found["file-order"].why.startswith(f"{tmp_path} lists files in an order of its own")
    assert set(found) <= set(NAMES)


def test_directories_can_be_told_by_how_much_longer_their_paths_are() -> None:
    """Where only the length of a path remains, as that of a search path that was overwritten."""
    first, second = (varied_environment(Path("/dev/shm/x"), "demo-1.0", names, {}) for names in ((), NAMES))
    pairs = [
        (first.tree, second.tree),
        (first.temp, second.temp),
        (first.virtual_environment, second.virtual_environment),
    ]
    assert len({len(str(longer)) - len(str(shorter)) for shorter, longer in pairs}) == len(pairs)
