"""Copies of git repositories: git answers in them as in the original, which does not get to know of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from samebytes_tools.building.source_copy import copy_source
from samebytes_tools.vcs.repository import checkout, listed, tracks
from support.conditions import git
from support.projects import write_tree

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def nobodys_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two projects with a tag, one commit after it."""
    root = write_tree(tmp_path / "repository", {"one/setup.py": "", "two/setup.py": "", ".gitignore": "ignored\n"})
    git("init", "--quiet", cwd=root)
    commit(root)
    git("tag", "--annotate", "--message", "It", "v1.2", cwd=root)
    write_tree(root, {"one/more.py": ""})
    commit(root)
    return root


def commit(root: Path) -> None:
    git("add", "--all", cwd=root)
    git("commit", "--quiet", "--message", "All of it", cwd=root, date="2021-03-04T05:06:07+00:00")


def asked(tree: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", tree, *words], capture_output=True, text=True, check=True).stdout.strip()


def answers(tree: Path) -> list[str]:
    """What backends ask git for: version, state, files."""
    return [
        asked(tree, "describe", "--tags", "--dirty", "--long"),
        asked(tree, "status", "--porcelain"),
        asked(tree, "ls-files", "--full-name", ":/"),
        asked(tree, "log", "-1", "--format=%H %ct"),
        # Plumbing does not look for itself whether a file with another time is another file.
        asked(tree, "diff-files", "--name-only"),
    ]


def assert_copied(source: Path, target: Path) -> Path:
    before = answers(source)
    copy = copy_source(source, target)
    assert answers(copy) == before
    assert answers(source) == before
    return copy


def test_a_repository(repository: Path, tmp_path: Path) -> None:
    write_tree(repository, {"one/changed.py": "", "two/setup.py": "changed", "ignored": ""})
    copy = assert_copied(repository, tmp_path / "copy")
    assert (copy / "ignored").exists()


def test_files_that_git_tracks_and_others(repository: Path, tmp_path: Path) -> None:
    write_tree(repository, {"one/\u00e4 b.py": "", "one/sub/new.txt": "", "one/ignored": ""})
    tracked = {"setup.py", "more.py"}
    assert listed(repository / "one") == (tracked, {"\u00e4 b.py", "sub/new.txt", "ignored"})
    git("add", "one/sub", cwd=repository)
    assert listed(repository / "one")[0] == tracked | {"sub/new.txt"}
    assert listed(write_tree(tmp_path / "elsewhere", {"setup.py": ""})) == (set(), set())


def test_a_project_in_a_repository_comes_with_all_of_it(repository: Path, tmp_path: Path) -> None:
    copy = assert_copied(repository / "one", tmp_path / "copy")
    assert copy == tmp_path / "copy" / "one"
    assert asked(copy, "rev-parse", "--show-toplevel") == str(tmp_path / "copy")


def test_objects_are_borrowed(repository: Path, tmp_path: Path) -> None:
    copy_source(repository, tmp_path / "copy")
    objects = tmp_path / "copy/.git/objects"
    assert [path.name for path in objects.rglob("*") if path.is_file()] == ["alternates"]


def test_the_copy_can_be_written_to_and_the_original_does_not_change(repository: Path, tmp_path: Path) -> None:
    before = state(repository / ".git")
    copy = copy_source(repository, tmp_path / "copy")
    write_tree(copy, {"new.py": ""})
    commit(copy)
    asked(copy, "tag", "v2")
    asked(copy, "gc", "--quiet")
    assert state(repository / ".git") == before
    assert asked(copy, "describe", "--tags") == "v2"


def state(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_worktree(repository: Path, tmp_path: Path) -> None:
    git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), "v1.2", cwd=repository)
    answers(tmp_path / "side")  # git status writes what it sees into the index
    before = state(repository / ".git")
    copy = copy_source(tmp_path / "side" / "two", tmp_path / "copy")
    assert answers(copy)[0].startswith("v1.2-0-g")
    assert asked(copy, "rev-parse", "--abbrev-ref", "HEAD") == "side"
    assert state(repository / ".git") == before
    assert str(tmp_path / "copy") not in asked(repository, "worktree", "list")
    assert answers(copy) == answers(tmp_path / "side" / "two")


def test_a_worktree_of_a_bare_repository(repository: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--bare", str(repository), str(tmp_path / "bare.git"))
    git("worktree", "add", "--quiet", str(tmp_path / "side"), "-b", "side", cwd=tmp_path / "bare.git")
    assert_copied(tmp_path / "side", tmp_path / "copy")


@pytest.fixture
def outer(repository: Path, tmp_path: Path) -> Path:
    """A repository that has the other one for a submodule."""
    root = write_tree(tmp_path / "outer", {"setup.py": ""})
    git("init", "--quiet", cwd=root)
    allowed = ("-c", "protocol.file.allow=always")
    git(*allowed, "submodule", "--quiet", "add", str(repository), "part", cwd=root)
    commit(root)
    return root


@pytest.mark.parametrize("project", ["part", "part/one"])
def test_a_submodule(project: str, outer: Path, tmp_path: Path) -> None:
    copy = assert_copied(outer / project, tmp_path / "copy")
    assert answers(copy)[0].startswith("v1.2-1-g")


def test_a_repository_with_a_submodule(outer: Path, tmp_path: Path) -> None:
    asked(outer, "tag", "v3")
    copy = assert_copied(outer, tmp_path / "copy")
    assert asked(copy, "ls-files", "--recurse-submodules").splitlines()[-1] == "setup.py"
    assert answers(copy / "part") == answers(outer / "part")
    assert asked(copy / "part", "rev-parse", "--show-toplevel") == str(copy / "part")


def test_a_shallow_clone(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth", "1", repository.as_uri(), str(clone))
    asked(clone, "tag", "v5")
    assert_copied(clone, tmp_path / "copy")


def test_a_locked_index_stays_behind(repository: Path, tmp_path: Path) -> None:
    (repository / ".git/index.lock").touch()
    copy = copy_source(repository, tmp_path / "copy")
    assert not (copy / ".git/index.lock").exists()


def test_hooks_stay_behind(repository: Path, tmp_path: Path) -> None:
    write_tree(repository / ".git", {"hooks/post-commit": "#!/bin/sh\ntouch ran\n"})
    (repository / ".git/hooks/post-commit").chmod(0o755)
    copy = copy_source(repository, tmp_path / "copy")
    commit(write_tree(copy, {"new.py": ""}))
    assert not (copy / "ran").exists()


def test_a_file_that_points_nowhere(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"setup.py": "", ".git": "gitdir: ../gone\n"})
    copy = copy_source(tree, tmp_path / "copy")
    assert (copy / ".git").read_text() == "gitdir: ../gone\n"


def test_a_directory_above_that_does_not_track_the_project(repository: Path) -> None:
    write_tree(repository, {"ignored/setup.py": ""})
    assert checkout(repository / "ignored") is None
    assert checkout(repository / "one") == repository
    assert checkout(repository) is None, "it is copied as it is"


def test_what_is_tracked(repository: Path) -> None:
    assert tracks(repository / "one")
    assert tracks(repository / "one/setup.py")
    assert not tracks(repository / "one/ignored")


def test_without_git(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    copy = copy_source(repository / "one", tmp_path / "copy")
    assert copy == tmp_path / "copy"
    assert sorted(path.name for path in copy.iterdir()) == ["more.py", "setup.py"]
