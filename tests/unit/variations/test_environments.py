"""The two worlds: what each variation changes, and that nothing else does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.variations import disorder, variations
from samebytes_tools.variations.environments import LONG_AGO, Place, lay_out, place, remove
from samebytes_tools.variations.variations import NAMES, STRANGER, ground, obstacles, obstacles_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/home/me", "TZ": "Asia/Tokyo", "CFLAGS": "-O2", "VIRTUAL_ENV": "/v"}


@pytest.fixture
def pristine(tmp_path: Path) -> Path:
    tree = tmp_path / "pristine"
    for name in ("a.py", "b.py", "sub/c.py", ".git/HEAD"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o744)
    (tree / "link").symlink_to("a.py")
    return tree


def made(tmp_path: Path, pristine: Path, *applied: str) -> Place:
    where = place(tmp_path / "root", "project", applied, ENVIRON)
    lay_out(pristine, where)
    return where


def modes(tree: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in tree.iterdir() if not path.is_symlink()}


def test_the_first_world(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine)
    assert modes(where.tree) == {"a.py": 0o644, "b.py": 0o644, "sub": 0o755, ".git": 0o755, "run": 0o755}
    assert (where.tree / "link").readlink() == Path("a.py")
    assert (where.tree / "a.py").stat().st_mtime == (pristine / "a.py").stat().st_mtime
    assert where.tree.name == "project"
    assert where.variables["TZ"] == "UTC"
    assert where.variables["CFLAGS"] == "-O2"
    assert "VIRTUAL_ENV" not in where.variables
    assert where.prefix == ()
    assert Path(where.variables["HOME"]).is_dir()
    assert list(where.temp.iterdir()) == []


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
    "processors": set(),
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
    first, second = (place(tmp_path, "project", applied, ENVIRON) for applied in ([], [name]))
    assert set(first.variables) == set(second.variables)
    assert {key for key, value in first.variables.items() if second.variables[key] != value} == VARIABLES[name]
    assert (first.tree != second.tree) == (name == "build-path")
    assert (first.temp != second.temp) == (first.environment != second.environment) == (name == "temp")
    assert (first.umask != second.umask) == (name == "umask")
    assert bool(second.prefix) == (name in {"host", "processors"})
    assert first.shares_with(second)  # two of them are needed for places that have nothing in common
    assert not first.shares_with(place(tmp_path, "project", ["build-path", "temp"], ENVIRON))


def test_a_clock_that_is_moved(tmp_path: Path) -> None:
    library = tmp_path / "libfaketime.so.1"
    library.touch()
    there = place(tmp_path, "project", ["time"], {**ENVIRON, "LIBFAKETIME": str(library), "LD_PRELOAD": "other.so"})
    assert there.variables["LD_PRELOAD"] == f"other.so {library}"
    assert there.variables["FAKETIME"] == f"+{variations.CLOCK_MOVED}"
    assert there.is_later
    assert not place(tmp_path, "project", [], ENVIRON).is_later


def test_umask_goes_for_the_tree_too(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine, "umask")
    assert modes(where.tree) == {"a.py": 0o600, "b.py": 0o600, "sub": 0o700, ".git": 0o700, "run": 0o700}


def test_times_are_old_and_each_is_another(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine, "mtimes")
    times = [(where.tree / name).stat().st_mtime for name in ("a.py", "b.py", "run", "sub", "sub/c.py")]
    assert len(set(times)) == 5
    assert all(LONG_AGO <= moment < LONG_AGO + 10000 for moment in times)


def test_files_are_written_in_reverse(tmp_path: Path, pristine: Path) -> None:
    on = ground(True, os.environ)
    if not on.keeps_order:
        pytest.skip("no file system here lists files in the order in which they were written")
    root = Path(on.directory, f"samebytes-test-{os.getpid()}")
    try:
        orders = []
        for applied in ((), ("file-order",)):
            where = place(root, "project", applied, ENVIRON)
            lay_out(pristine, where)
            orders.append(os.listdir(where.tree))
        assert orders[0] == orders[1][::-1]
    finally:
        remove(root)


def test_files_are_shown_in_reverse(tmp_path: Path, pristine: Path) -> None:
    program = disorder.find(tmp_path, os.environ)
    if not program:
        pytest.skip("needs disorderfs, and the right to mount")
    for number in range(12):
        (pristine / f"{number:02d}").touch()
    where = place(tmp_path / "root", "project", ["file-order"], ENVIRON, program)
    try:
        lay_out(pristine, where)
        lay_out(pristine, where)
        shown, behind = os.listdir(where.tree), os.listdir(where.temp.parent / "behind")
        assert shown == behind[::-1]
        (where.tree / "made").touch()
        assert (where.temp.parent / "behind" / "made").is_file()
    finally:
        remove(tmp_path / "root")
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert not (tmp_path / "root").exists()


def test_an_exported_tree_has_no_repository(tmp_path: Path, pristine: Path) -> None:
    assert not (made(tmp_path, pristine, "checkout").tree / ".git").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_tree_that_is_given_away(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine, "owner")
    assert {path.lstat().st_uid for path in [where.tree, *where.tree.rglob("*")]} == {STRANGER}


def test_a_world_is_laid_out_anew(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine)
    (where.tree / "left").touch()
    (where.temp / "left").touch()
    (where.tree / "sub").chmod(0o500)
    lay_out(pristine, where)
    assert not (where.tree / "left").exists()
    assert not (where.temp / "left").exists()


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("host", "import socket; print(socket.gethostname())", variations.OTHER_HOST),
        ("processors", "import os; print(len(os.sched_getaffinity(0)))", "1"),
    ],
)
def test_programs_see_another_host_and_fewer_processors(name: str, code: str, expected: str, tmp_path: Path) -> None:
    why = obstacles(ground(False, os.environ), os.environ).get(name)
    if why:
        pytest.skip(why)
    prefix = place(tmp_path, "project", [name], ENVIRON).prefix
    done = subprocess.run([*prefix, sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
    assert socket.gethostname() != variations.OTHER_HOST


def test_what_the_source_does_not_allow(tmp_path: Path) -> None:
    assert obstacles_of(tmp_path) == {"checkout": "the source is no git checkout"}
    (tmp_path / ".git").mkdir()
    (tmp_path / "Cargo.toml").touch()
    assert obstacles_of(tmp_path) == {"time": "libfaketime lets cargo hang"}


def test_what_this_machine_does_not_allow(tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path), "LIBFAKETIME": str(tmp_path / "none.so")}
    found = obstacles(variations.Ground(tmp_path, False), nothing)
    assert found["checkout"] == "git is not here (install the package git)"
    assert found["time"].startswith(
        "libfaketime is not here (install the package libfaketime); the second build begins more than 2 seconds later"
    )
    assert found["file-order"].startswith(f"{tmp_path} lists files in an order of its own")
    assert set(found) <= set(NAMES)
