"""``samebytes build``: what is wrong with the request is told before anything is copied."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.reproducible_build.command import settings_of
from support.projects import small_project

from samebytes.commands.main import main


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; and a TMPDIR where nothing may be left."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    return small_project(tmp_path / "tree")


def test_settings_are_those_of_python_m_build() -> None:
    given = ["a=1", "b", "c=", "a=2=3", "d=x", "a=4", "=5"]
    assert settings_of(given) == {"a": ["1", "2=3", "4"], "b": "", "c": "", "d": "x", "": "5"}


REFUSED = {
    "no tree": (["nowhere"], 2, "nowhere is not a directory"),
    "a file": (["tree/pyproject.toml"], 2, "is not a directory"),
    "no project": (["tree/backend"], 2, "neither pyproject.toml nor setup.py"),
    "an output that is a file": (["tree", "-o", "tree/pyproject.toml"], 2, "pyproject.toml is not a directory"),
    "no constraints": (["tree", "--build-constraint", "c.txt"], 2, "c.txt does not exist"),
    "nowhere to write the lock to": (["tree", "--lock", "no/pylock.toml"], 2, "the directory of no/pylock.toml"),
    "no lock": (["tree", "--locked", "pylock.toml"], 3, "the lock file pylock.toml cannot be read"),
    "two ways to pin": (["tree", "--locked", "a", "--build-constraint", "b"], 2, "exclude each other"),
    "a lock without isolation": (["tree", "-n", "--lock", "x"], 2, "--lock has no meaning with --no-isolation"),
    "constraints without isolation": (["tree", "-n", "--build-constraint", "x"], 2, "--build-constraint has no"),
    "no check with isolation": (["tree", "-x"], 2, "--skip-dependency-check has no meaning without"),
    "quiet and verbose": (["tree", "-q", "-v"], 2, "not allowed with"),
}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("case", REFUSED)
def test_requests_without_sense(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, status, message = REFUSED[case]
    assert main(["build", *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("samebytes: error: ")
    assert message in err
    assert "hint: " in err
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps current directories")
def test_a_current_directory_that_is_gone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tree / "gone"
    gone.mkdir()
    os.chdir(gone)  # the fixture goes back
    gone.rmdir()
    assert main(["build", ".."]) == 2
    assert "the current directory does not exist" in capsys.readouterr().err


def test_a_malformed_date(tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert main(["build", str(tree)]) == 3
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_a_malformed_pyproject(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "pyproject.toml").write_text("[")
    assert main(["build", str(tree)]) == 3
    assert "pyproject.toml is not valid TOML" in capsys.readouterr().err
