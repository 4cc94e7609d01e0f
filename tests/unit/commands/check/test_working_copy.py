"""The trees of both builds: what each variation changes of the files, and that nothing else does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.check.working_copy import lay_out, remove
from samebytes_tools.variations import disorder
from samebytes_tools.variations.environments import LONG_AGO, VariedEnvironment, varied_environment
from samebytes_tools.variations.workspace import STRANGER, workspace

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


def made(tmp_path: Path, pristine: Path, *applied: str) -> VariedEnvironment:
    where = varied_environment(tmp_path / "root", "project", applied, ENVIRON)
    lay_out(pristine, where)
    return where


def modes(tree: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in tree.iterdir() if not path.is_symlink()}


def test_the_first_build(tmp_path: Path, pristine: Path) -> None:
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


def test_umask_goes_for_the_tree_too(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine, "umask")
    assert modes(where.tree) == {"a.py": 0o600, "b.py": 0o600, "sub": 0o700, ".git": 0o700, "run": 0o700}


def test_times_are_old_and_each_is_another(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine, "mtimes")
    times = [(where.tree / name).stat().st_mtime for name in ("a.py", "b.py", "run", "sub", "sub/c.py")]
    assert len(set(times)) == 5
    assert all(LONG_AGO <= moment < LONG_AGO + 10000 for moment in times)


def test_times_are_old_below_a_directory_that_is_called_git(tmp_path: Path, pristine: Path) -> None:
    """Git's own files are those of the tree: its temporary directory may lie in another repository."""
    where = made(tmp_path / "other/.git/tmp", pristine, "mtimes")
    assert (where.tree / "a.py").stat().st_mtime < LONG_AGO + 10000
    assert (where.tree / ".git/HEAD").stat().st_mtime == (pristine / ".git/HEAD").stat().st_mtime


def test_files_are_written_in_reverse(tmp_path: Path, pristine: Path) -> None:
    on = workspace(os.environ, keep_order=True)
    if not on.keeps_order:
        pytest.skip("no file system here lists files in the order in which they were written")
    root = Path(on.directory, f"samebytes-test-{os.getpid()}")
    try:
        orders = []
        for applied in ((), ("file-order",)):
            where = varied_environment(root, "project", applied, ENVIRON)
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
    where = varied_environment(tmp_path / "root", "project", ["file-order"], ENVIRON, program)
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


def test_a_tree_is_laid_out_anew(tmp_path: Path, pristine: Path) -> None:
    where = made(tmp_path, pristine)
    (where.tree / "left").touch()
    (where.temp / "left").touch()
    (where.tree / "sub").chmod(0o500)
    lay_out(pristine, where)
    assert not (where.tree / "left").exists()
    assert not (where.temp / "left").exists()
