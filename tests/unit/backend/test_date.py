"""Where the date comes from (D5), with real git repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from samebytes.artifact.layout import RESERVED_DATE_FILE as DATE_FILE
from samebytes.backend.date import resolve
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import ConfigError

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
COMMITTED = 1_600_000_000


def git(*arguments: str, cwd: Path) -> None:
    identity = {f"GIT_{role}_{part}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "1500000000 +0000", "GIT_COMMITTER_DATE": f"{COMMITTED} +0300"}
    subprocess.run(["git", *arguments], cwd=cwd, env={**ENVIRON, **identity, **dates}, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    git("init", "-q", cwd=tmp_path)
    git("add", "-A", cwd=tmp_path)
    git("commit", "-qm", "one", cwd=tmp_path)
    return tmp_path


def test_the_environment_comes_first(tmp_path: Path) -> None:
    dated = resolve(tmp_path, 5, {"SOURCE_DATE_EPOCH": "1234"})
    assert (dated.seconds, dated.given, dated.record) == (1234, True, False)


def test_then_the_projects_number(tmp_path: Path) -> None:
    dated = resolve(tmp_path, 5, {})
    assert (dated.seconds, dated.given) == (5, True)


def test_else_the_constant_which_nobody_gave(tmp_path: Path) -> None:
    dated = resolve(tmp_path, None, {})
    assert (dated.seconds, dated.given) == (DEFAULT_DATE, False)


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", " 1", "99999999999999", "1700000000000"])
def test_a_malformed_environment_is_an_error_that_shows_it(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, None, {"SOURCE_DATE_EPOCH": value})
    assert repr(value) in str(caught.value) or value.strip() in str(caught.value)


@needs_git
def test_vcs_is_the_committers_date_of_head(repository: Path) -> None:
    dated = resolve(repository, "vcs", ENVIRON)
    assert (dated.seconds, dated.given, dated.record) == (COMMITTED, True, True)


@needs_git
def test_vcs_of_a_parent_that_does_not_track_the_tree_is_refused(repository: Path) -> None:
    tree = repository / "vendored"
    tree.mkdir()
    (tree / "pyproject.toml").write_text("")
    with pytest.raises(ConfigError, match="tracks neither"):
        resolve(tree, "vcs", ENVIRON)


@needs_git
def test_vcs_without_a_repository_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a git repository") as caught:
        resolve(tmp_path, "vcs", ENVIRON)
    assert "SOURCE_DATE_EPOCH" in caught.value.remedy


@needs_git
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root, to give the tree away")
def test_vcs_in_somebody_elses_repository_is_an_error(repository: Path) -> None:
    for path in [repository, *repository.rglob("*")]:
        os.chown(path, 12345, 12345)
    with pytest.raises(ConfigError, match="dubious ownership"):
        resolve(repository, "vcs", ENVIRON)


def test_vcs_without_git_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="git cannot be run"):
        resolve(tmp_path, "vcs", {"PATH": str(tmp_path)})


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_vcs_in_an_sdists_tree_reads_the_recorded_date(tmp_path: Path, end: bytes) -> None:
    """With the line end that a checkout of the unpacked sdist on Windows gives it, too."""
    (tmp_path / DATE_FILE).write_bytes(b"1700000000" + end)
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.1\n")
    assert resolve(tmp_path, "vcs", {"PATH": ""}).seconds == 1700000000


def test_the_recorded_date_counts_only_beside_pkg_info(tmp_path: Path) -> None:
    (tmp_path / DATE_FILE).write_text("1700000000\n")
    with pytest.raises(ConfigError):
        resolve(tmp_path, "vcs", {"PATH": str(tmp_path)})


def test_a_malformed_recorded_date_is_an_error(tmp_path: Path) -> None:
    (tmp_path / DATE_FILE).write_text("yesterday\n")
    (tmp_path / "PKG-INFO").write_text("")
    with pytest.raises(ConfigError, match="yesterday"):
        resolve(tmp_path, "vcs", {"PATH": ""})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("node: abc\nnode-date: 2024-05-01T12:00:00+02:00\n", 1714557600),
        ("node-date: 2024-05-01T10:00:00Z\n", 1714557600),
    ],
)
def test_vcs_reads_what_git_archive_wrote(tmp_path: Path, text: str, seconds: int) -> None:
    (tmp_path / ".git_archival.txt").write_text(text)
    assert resolve(tmp_path, "vcs", {"PATH": ""}).seconds == seconds


@pytest.mark.parametrize("text", ["node-date: $Format:%cI$\n", "nothing\n"])
def test_an_unsubstituted_archival_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git_archival.txt").write_text(text)
    with pytest.raises(ConfigError, match="git cannot be run"):
        resolve(tmp_path, "vcs", {"PATH": str(tmp_path)})


@pytest.mark.parametrize("text", ["node-date: 2024-05-01T12:00:00\n", "node-date: 2024-15-01T12:00:00Z\n"])
def test_an_archival_date_without_zone_or_sense_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git_archival.txt").write_text(text)
    with pytest.raises(ConfigError, match="node-date"):
        resolve(tmp_path, "vcs", {"PATH": ""})
