"""``samebytes wrap`` and ``unwrap`` as commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from samebytes.commands.main import main

PLAIN = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    path = tmp_path / "pyproject.toml"
    path.write_text(PLAIN)
    return path


def test_wrap_reports_what_it_did_and_what_is_next(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wrap"]) == 0
    assert capsys.readouterr() == (
        "pyproject.toml: hatchling.build builds through samebytes (undo: samebytes unwrap)\nnext: python -m build\n",
        "",
    )
    assert '"samebytes.backend"' in project.read_text()


def test_unwrap_reports_what_it_did_and_what_is_next(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["wrap"])
    capsys.readouterr()
    assert main(["unwrap"]) == 0
    assert capsys.readouterr() == ("pyproject.toml: hatchling.build builds by itself\nnext: python -m build\n", "")
    assert project.read_text() == PLAIN


def test_wrapping_what_is_wrapped_is_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["wrap"])
    before = project.read_bytes()
    capsys.readouterr()
    assert main(["wrap"]) == 0
    out = "pyproject.toml: is wrapped already: hatchling.build builds through samebytes; nothing to do\n"
    assert capsys.readouterr() == (out, "")
    assert project.read_bytes() == before


def test_unwrapping_what_is_not_wrapped_is_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unwrap"]) == 0
    assert (
        capsys.readouterr().out == "pyproject.toml: is not wrapped: hatchling.build builds by itself; nothing to do\n"
    )
    assert project.read_text() == PLAIN


@pytest.mark.parametrize("verb", ["wrap", "unwrap"])
def test_diff_writes_nothing_and_prints_only_the_patch(
    verb: str, project: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    if verb == "unwrap":
        main(["wrap", "-q"])
    project.write_bytes(project.read_bytes().replace(b"\n", b"\r\n"))
    before = project.read_bytes()
    assert main([verb, "--diff"]) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -1,")
    assert b'\n+requires = ["hatchling"' in out
    assert b'"samebytes.backend"\r\n' in out
    assert b"would build" in err
    assert project.read_bytes() == before


def test_a_project_elsewhere_is_named_in_what_comes_next(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = project.parent / "a project"
    there.mkdir()
    shutil.move(project, there)
    assert main(["wrap", "a project"]) == 0
    out = capsys.readouterr().out
    assert "(undo: samebytes unwrap 'a project')\nnext: python -m build 'a project'\n" in out


def test_a_file_that_is_made_and_removed_is_reported(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.rename(project.with_name("setup.py"))
    assert main(["wrap"]) == 0
    assert capsys.readouterr().out.startswith("pyproject.toml: created: setuptools.build_meta:__legacy__ builds")
    assert main(["unwrap", "--diff"]) == 0
    assert "would be removed" in capsys.readouterr().err
    assert main(["unwrap"]) == 0
    assert "is removed, because wrap created it" in capsys.readouterr().out
    assert not project.exists()


def test_quiet_prints_nothing_and_verbose_shows_the_change(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wrap", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["unwrap", "-v"]) == 0
    assert capsys.readouterr().out.startswith("--- a/pyproject.toml\n")


def test_a_missing_requirement_is_noted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text(PLAIN.replace("hatchling.build", "samebytes.backend"))
    assert main(["wrap"]) == 0
    assert 'note: [build-system] requires does not name "samebytes"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("[build-system", 3, "pyproject.toml: line 1, column 14: is not valid TOML"),
        (PLAIN + "[project]\nname = 'installer'\n", 3, "installer must not be wrapped"),
    ],
)
def test_errors_have_their_status_and_a_hint(
    text: str, status: int, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_text(text)
    assert main(["wrap"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "hint: " in err
    assert project.read_text() == text


def test_a_layout_that_does_not_come_back_is_noted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text('[build-system]\nbackend-path = ["."]\nrequires = []\nbuild-backend = "b"\n')
    assert main(["wrap", "--diff"]) == 0
    assert "note: unwrap will restore these settings, but not the layout" in capsys.readouterr().err
    assert main(["wrap", "-q"]) == 0
    assert main(["unwrap"]) == 0
    assert "note: backend-path is put next to build-backend" in capsys.readouterr().out


def test_help_names_the_patch_tools(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wrap", "--help"]) == 0
    assert "'patch -p1' and 'git apply'" in capsys.readouterr().out
