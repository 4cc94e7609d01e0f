"""What git is run for: a commit that is cloned, and a tree that becomes a checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from samebytes_tools.vcs.checkout import make_checkout
from samebytes_tools.vcs.clone import clone
from support.projects import write_tree

from samebytes.backend.git import git
from samebytes.errors import UsageError

COMMIT = "9d4f6c6aa90daee73ddd0fc2de60c11c8efdbf22"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def committed(directory: Path) -> str:
    write_tree(directory, {"a.py": "a", "sub/b.py": "b", "ignored.pyc": "c", ".gitignore": "*.pyc\n"})
    make_checkout(directory, os.environ)
    return git(directory, "rev-parse", "HEAD", environ=os.environ).strip()


@needs_git
def test_a_checkout_has_one_commit_wherever_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = committed(tmp_path / "one")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    write_tree(tmp_path, {".gitconfig": "[core]\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n"})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert committed(tmp_path / "two") == first == COMMIT
    files = git(tmp_path / "two", "ls-files", environ=os.environ).split()
    assert files == [".gitignore", "a.py", "ignored.pyc", "sub/b.py"]
    assert git(tmp_path / "two", "log", "--format=%cI %an", environ=os.environ) == "2020-02-02T00:00:00+00:00 Nobody\n"


@needs_git
def test_a_checkout_that_git_refuses(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with pytest.raises(UsageError, match=r"tree cannot be made a git checkout: .*nothing to commit") as caught:
        make_checkout(tmp_path / "tree", os.environ)
    assert caught.value.remedy


@needs_git
def test_a_clone_of_a_tag_with_all_of_the_history(tmp_path: Path) -> None:
    commit = committed(tmp_path / "origin")
    git(tmp_path / "origin", "tag", "v1", environ=os.environ)
    assert clone(str(tmp_path / "origin"), "v1", tmp_path / "tree") == commit
    assert (tmp_path / "tree/sub/b.py").read_text() == "b"


@needs_git
@pytest.mark.parametrize(("where", "ref"), [("origin", "v2"), ("origin", "--help"), ("nowhere", "v1")])
def test_what_cannot_be_cloned(where: str, ref: str, tmp_path: Path) -> None:
    committed(tmp_path / "origin")
    with pytest.raises(UsageError, match=rf"git cannot fetch the source from .*{where}: fatal: ") as caught:
        clone(str(tmp_path / where), ref, tmp_path / "tree")
    assert "Is the address right" in caught.value.remedy


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for run in (lambda: make_checkout(tmp_path, os.environ), lambda: clone(str(tmp_path), "v1", tmp_path / "tree")):
        with pytest.raises(UsageError, match="git cannot be run: No such file") as caught:
            run()
        assert caught.value.remedy == "Install the package git."
