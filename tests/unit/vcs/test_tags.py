"""Which tag of a repository is that of a release, and what becomes of repositories and commits that are gone."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest
from samebytes_tools.vcs import tags
from samebytes_tools.vcs.clone import clone, patient
from support.conditions import git
from support.projects import write_tree

from samebytes.backend import git as backend_git
from samebytes.errors import UsageError

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.mark.parametrize(
    "tag",
    [
        *("1.0", "v1.0", "V1.0", "v.1.0", "1.0.0", "r1.0", "release-1.0", "release/1.0", "rel_1_0", "REL_1_0"),
        *("release-v1.0", "version-1.0", "releases/v1.0", "1-0"),
    ],
)
def test_tags_of_a_release(tag: str) -> None:
    others = ["v1.1", "1.0.1", "1.0-1", "v11.0", "v1.0rc1", "1.0.dev0", "v0.1.0", "latest", "main", "2020-01-01", "v"]
    assert tags.of_release([*others, tag], "demo", "1.0") == [tag]


@pytest.mark.parametrize("tag", ["demo-1.0", "demo-v1.0", "demo/v1.0", "Demo_1.0", "demo@1.0", "demo==1.0", "demo1.0"])
def test_a_tag_that_names_the_project_says_more(tag: str) -> None:
    """A repository may have several projects, each with tags of its own."""
    assert tags.of_release(["v1.0", "other-1.0", "demo-extra-1.0", "other/v1.0", tag], "demo", "1.0") == [tag]


def test_a_tag_of_another_project_is_none() -> None:
    assert tags.of_release(["other-1.0", "other/1.0", "pkg@1.0"], "demo", "1.0") == []


@pytest.mark.parametrize(
    ("version", "tag"),
    [("1.0rc1", "v1.0-rc.1"), ("1.0.post1", "1.0-1"), ("2024.6", "2024.06"), ("0.1a2", "v0.1-alpha2"), ("0", "v0")],
)
def test_versions_are_compared_as_versions(version: str, tag: str) -> None:
    """PEP 440, "Normalization"."""
    assert tags.of_release([tag, "v9"], "demo", version) == [tag]


def test_what_is_no_version_has_no_tag() -> None:
    """File names from before PEP 440 have others."""
    assert tags.of_release(["v1.0", "banana", "demo-banana"], "demo", "banana") == []


def test_names_with_digits() -> None:
    assert tags.of_release(["2to3-1.0", "v1.0"], "2to3", "1.0") == ["2to3-1.0"]
    assert tags.of_release(["h2-4.0", "h2/v3.0"], "h2", "3.0") == ["h2/v3.0"]


def test_several_that_are_alike() -> None:
    assert tags.of_release(["v1.0", "1.0", "x1.0"], "demo", "1.0") == ["1.0", "v1.0"]


def test_tags_that_nobody_would_write_cost_nothing() -> None:
    assert tags.of_release(["1" * 100_000, "v" * 100_000 + "1.0", "1." * 90, "-1.0" * 40], "demo", "1.0") == []


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = write_tree(tmp_path / "origin", {"setup.py": ""})
    git("init", "--quiet", cwd=root)
    for message in ("One", "Two"):
        git("commit", "--quiet", "--allow-empty", "--message", message, cwd=root, date="2024-01-01T00:00:00Z")
        git("tag", message, cwd=root)
    git("tag", "--annotate", "--message", "It", "annotated", "One", cwd=root)
    return root


def commit_of(root: Path, ref: str) -> str:
    return backend_git.git(root, "rev-parse", f"{ref}^{{commit}}", environ=os.environ).strip()


@needs_git
def test_tags_name_commits(repository: Path) -> None:
    found = tags.of_repository(str(repository))
    assert found == {name: commit_of(repository, name) for name in ("One", "Two", "annotated")}
    assert found["One"] == found["annotated"] != found["Two"]
    assert tags.date_of(repository, found["One"]) == 1704067200


def test_a_server_that_lists_what_is_no_tag() -> None:
    """A form feed ends a line for Python, and not for git (2.39), which checks no name that it only lists."""
    commit = "12" * 20
    lines = [f"{commit}\trefs/tags/v2.0", f"{commit}\trefs/tags/a\f--output=x\trefs/tags/v1.0", "--help\trefs/tags/v3"]
    lines += [f"{commit}\tHEAD", f"{'34' * 20}\trefs/tags/it", f"{commit}\trefs/tags/it^{{}}", ""]
    assert tags.named_in("\n".join(lines)) == {"v2.0": commit, "it": commit}


@needs_git
def test_a_commit_is_no_option_of_git(repository: Path) -> None:
    git("update-ref", "refs/tags/--output=lost", "HEAD", cwd=repository)
    tags.date_of(repository, "--output=lost")
    assert not (repository / "lost").exists()


@needs_git
def test_a_repository_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be reached") as caught:
        tags.of_repository(str(tmp_path / "none"))
    assert "--source" in caught.value.remedy


@needs_git
def test_a_commit_that_no_branch_has_any_more(repository: Path, tmp_path: Path) -> None:
    """As after a tag was moved: hosts go on to give it to those who know its hash."""
    lost = commit_of(repository, "Two")
    git("tag", "--delete", "Two", cwd=repository)
    git("reset", "--quiet", "--hard", "One", cwd=repository)
    assert clone(repository.as_uri(), lost, tmp_path / "tree") == lost
    with pytest.raises(UsageError, match="git cannot fetch the source"):
        clone(repository.as_uri(), "12" * 20, tmp_path / "other")


@needs_git
def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It accepts the connection, and that is all; what a user has set counts."""
    assert patient({})["GIT_HTTP_LOW_SPEED_TIME"] == "300"
    assert patient({"GIT_HTTP_LOW_SPEED_TIME": "7"})["GIT_HTTP_LOW_SPEED_TIME"] == "7"
    monkeypatch.setenv("GIT_HTTP_LOW_SPEED_TIME", "1")
    monkeypatch.delenv("GIT_HTTP_LOW_SPEED_LIMIT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/demo.git"
        with pytest.raises(UsageError, match="cannot be reached"):
            tags.of_repository(address)
        with pytest.raises(UsageError, match="git cannot fetch"):
            clone(address, "main", tmp_path / "tree")
