"""Any tree up to the path length that the system allows is copied, measured and removed, or refused with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.building import memory
from samebytes_tools.building.enter_memory import fill
from samebytes_tools.building.source import tree_digest
from samebytes_tools.building.source_copy import copy_source
from samebytes_tools.commands.check.working_copy import lay_out
from samebytes_tools.commands.survey.sandbox import confined
from samebytes_tools.reporting.save import save_tree
from samebytes_tools.variations.environments import LONG_AGO, varied_environment
from samebytes_tools.variations.workspace import STRANGER
from samebytes_tools.vcs import repository
from support.deep_trees import DEPTH, deep, last

from samebytes.backend import fixed
from samebytes.errors import UsageError

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX"),
    pytest.mark.slow("walks 1100 directories whose paths are long"),
]

BEYOND = 5000
"""Directories; deeper than a path can lead."""


def test_a_source_tree_is_copied(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        os.utime(last(tree).parent, (1000, 1000))
        (tree / "d").chmod(0o555)
        copy = copy_source(tree, tmp_path / "d/copy")
        assert last(copy).read_bytes() == last(tree).read_bytes()
        assert last(copy).parent.stat().st_mtime == 1000
        assert (copy / "d").stat().st_mode & 0o777 == 0o755
        assert tree_digest(copy) == tree_digest(tree)


def test_a_source_tree_whose_copy_has_too_long_a_path(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        there = tmp_path.joinpath("d", *["x" * 250] * 8)
        there.mkdir(parents=True)
        with pytest.raises(UsageError, match="File name too long") as caught:
            copy_source(tree, there / "copy")
    assert "TMPDIR" in caught.value.remedy


@pytest.mark.parametrize("applied", [(), ("mtimes", "umask", "file-order"), ("owner",)])
def test_the_trees_of_both_builds(applied: tuple[str, ...], tmp_path: Path) -> None:
    if "owner" in applied and os.geteuid() != 0:
        pytest.skip("needs root")
    with deep(tmp_path / "d/tree") as tree:
        environment = varied_environment(tmp_path / "d/root", "project", applied, {"PATH": os.environ["PATH"]})
        lay_out(tree, environment)
        found = last(environment.tree).stat()
        assert (found.st_mtime < LONG_AGO + 1000.125 * (DEPTH + 1)) == ("mtimes" in applied)
        assert (found.st_uid == STRANGER) == ("owner" in applied)


def test_a_tree_is_held_in_memory(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        (tmp_path / "d/copy").mkdir()
        fill(tree, tmp_path / "d/copy")
        assert last(tmp_path / "d/copy").read_bytes() == last(tree).read_bytes()
        assert memory._size(tree) == 4096 * (DEPTH + 1) + 8192


def test_a_git_directory_is_copied(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree/.git") as directory:
        (directory / "config").touch()
        repository.copy(directory, tmp_path / "d/tree/copy")
        assert last(tmp_path / "d/tree/copy").read_bytes() == last(directory).read_bytes()


def test_what_a_build_left_is_copied(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        save_tree(tree, tmp_path / "d/saved")
        assert last(tmp_path / "d/saved").read_bytes() == last(tree).read_bytes()


def test_what_a_survey_wrote_is_measured(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        flat = confined._size(str(tree / "d"))
        last(tree).write_bytes(b"x" * 5_000_000)
        assert confined._size(str(tree / "d")) >= flat + 4_900_000


@pytest.mark.parametrize("depth", [DEPTH, BEYOND])
def test_a_tree_is_removed(depth: int, tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree", depth) as tree:
        (tmp_path / "d/other").mkdir()
        (tmp_path / "d/other/file").touch()
        (tree / "link").symlink_to(tmp_path / "d/other")
        (tree / "d/d").chmod(0o555)
        fixed.remove(tree)
        assert not tree.exists()
        assert (tmp_path / "d/other/file").exists()


def test_a_link_in_place_of_a_tree_is_not_followed(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        (tmp_path / "d/link").symlink_to(tree)
        fixed.remove(tmp_path / "d/link")
        assert last(tree).exists()


def test_the_commands_end_with_a_documented_status(tmp_path: Path) -> None:
    with deep(tmp_path / "d/tree") as tree:
        (tree / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = ["."]\n'
        )
        (tree / "x.py").write_text("def build_sdist(directory, config=None):\n    raise SystemExit(3)\n")
        (tmp_path / "d/tmp").mkdir()
        # The backend fails, once it has the copy.
        for command in (["build"], ["check"], ["tree", "digest"]):
            done = subprocess.run(
                [sys.executable, "-m", "samebytes", *command, str(tree)],
                env={**os.environ, "TMPDIR": str(tmp_path / "d/tmp"), "PYTHONPATH": os.pathsep.join(sys.path)},
                cwd=tmp_path / "d",
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode in (0, 2, 4, 7), done.stderr
            assert "RecursionError" not in done.stdout + done.stderr
            assert list((tmp_path / "d/tmp").iterdir()) == []
