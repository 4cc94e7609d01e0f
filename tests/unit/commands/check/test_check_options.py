"""``samebytes check``: what goes together, and what an argument is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from samebytes_tools.commands.check.command import _is_source
from support.artifacts import wheel
from support.projects import small_project

from samebytes.commands.main import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a project in ``tree`` and a wheel in ``dist``; and a TMPDIR where nothing may be left."""
    for name in ("tmp", "dist"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    wheel(tmp_path / "dist")
    small_project(tmp_path / "tree")
    return tmp_path


REFUSED = {
    "nothing": ([], "there is nothing to check"),
    "a tree and an archive": (["tree", "dist"], "dist is an archive, and others are sources to build"),
    "a directory of neither": (["tmp"], "tmp: no pyproject.toml or setup.py is in it, which a source tree has, and no"),
    "a wheel of a directory of neither": (["tmp", "--wheel"], "tmp: no pyproject.toml or setup.py is in it"),
    "a date for a tree": (["tree", "--date", "2020-01-01"], "--date has no meaning for a source"),
    "a pass for a tree": (["tree", "--disable", "W002"], "--disable has no meaning for a source"),
    "variations of an archive": (["dist", "--vary=-umask"], "--vary has no meaning for an archive"),
    "bisecting an archive": (["dist", "--bisect"], "--bisect has no meaning for an archive"),
    "an archive that may differ": (["dist", "--accept", "normalized"], "--accept has no meaning for an archive"),
    "an unknown variation": (["tree", "--vary=+weather"], "'+weather' is not the name of a variation"),
    "an unknown variation that is required": (["tree", "--require", "weather"], "'weather' is not the name of a"),
    "a variation required of an archive": (["dist", "--require=time"], "--require has no meaning for an archive"),
    "no time": (["tree", "--timeout", "0"], "'0' is not a number of seconds"),
    "no number": (["tree", "--timeout", "soon"], "'soon' is not a number of seconds"),
    "nowhere to write the page to": (
        ["tree", "--html", "no/page.html"],
        f"{Path('no', 'page.html')}: there is no such directory",
    ),
    "nowhere to write the XML to": (
        ["tree", "--junit", "no/x.xml"],
        f"{Path('no', 'x.xml')}: there is no such directory",
    ),
    "nowhere to write the summary to": (
        ["tree", "--markdown", "no/x.md"],
        f"{Path('no', 'x.md')}: there is no such directory",
    ),
    "two documents to print": (["tree", "--annotations", "-", "--json"], "are both to be printed"),
    "annotations of an archive": (["dist", "--annotations", "-"], "--annotations has no meaning for an archive"),
    "a file to keep things in": (["tree", "--keep", "tree/pyproject.toml"], "pyproject.toml is not a directory"),
    "an index that is none": (["idna"], "is not reached by http"),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("case", REFUSED)
def test_requests_without_sense(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "ftp://index.example")
    arguments, message = REFUSED[case]
    assert main(["check", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.removeprefix("downloading\n").startswith("samebytes: error: ")
    assert message in err
    assert "hint: " in err
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("text", "build", "expected"),
    [
        ("tree", False, True),
        ("dist", False, False),
        ("dist/demo-1.0-py3-none-any.whl", False, False),
        ("tree/pyproject.toml", True, True),
        ("idna", False, True),
        ("idna==3.10", False, True),
        ("missing-1.0.tar.gz", False, False),
        ("no/such/file", False, False),
        ("tree", None, False),
        ("idna", None, False),
    ],
)
def test_what_is_to_be_built(text: str, build: bool | None, expected: bool) -> None:
    assert _is_source(text, build=build) is expected


@pytest.mark.usefixtures("here")
def test_archives_are_checked_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "dist"]) == 1
    assert f"{Path('dist', 'demo-1.0-py3-none-any.whl')}: Z" in capsys.readouterr().out
    assert main(["normalize", "--check", "dist"]) == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("option", ["--vary=+time", "--require=time"])
def test_what_is_required_and_missing_is_an_error_before_any_build(
    option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBFAKETIME", "/nonexistent")
    assert main(["check", option, "tree"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "time cannot be varied here: libfaketime is not installed" in err
    assert "hint: " in err


@pytest.mark.usefixtures("here")
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_a_source_does_not_allow_is_an_error_of_that_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--vary=-all", "--require=checkout", "tree"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "checkout cannot be varied here: the source is not a git checkout" in err
    assert "hint: " in err


def test_the_list_needs_nothing_to_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--list"]) == 0
    assert "hash-seed: order of sets\n    1st: PYTHONHASHSEED=1\n" in capsys.readouterr().out
