"""``samebytes wrap --check``: is the project wrapped, and would its build accept the configuration?"""

from __future__ import annotations

from pathlib import Path

import pytest

from samebytes.commands.main import main

PLAIN = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
WRAPPED = """\
[build-system]
requires = ["hatchling", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "hatchling.build"
"""
UNNAMED = WRAPPED.replace(', "samebytes"', "")

CASES = {
    "wrapped": (WRAPPED, 0, "pyproject.toml: hatchling.build builds through samebytes\n"),
    "plain": (
        PLAIN,
        1,
        "pyproject.toml: hatchling.build does not build through samebytes (to change that: samebytes wrap)\n",
    ),
    "not required": (
        UNNAMED,
        1,
        'pyproject.toml: [build-system] requires does not name "samebytes": add it, or isolated builds will not find '
        "it\n",
    ),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path / "pyproject.toml"


@pytest.mark.parametrize("case", CASES)
def test_the_finding_and_its_status(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, status, output = CASES[case]
    project.write_text(text, "utf-8")
    assert main(["wrap", "--check"]) == status
    assert capsys.readouterr() == (output, "")
    assert project.read_text("utf-8") == text


@pytest.mark.parametrize("case", CASES)
def test_quiet_reports_it_by_the_status_alone(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, status, _ = CASES[case]
    project.write_text(text, "utf-8")
    assert main(["wrap", "--check", "-q"]) == status
    assert capsys.readouterr() == ("", "")


def test_what_wrap_leaves_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text(PLAIN, "utf-8")
    assert main(["wrap", "-q"]) == 0
    assert main(["wrap", "--check"]) == 0


def test_a_setting_that_there_is_not_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text(WRAPPED + 'no-such-setting = "x"\n', "utf-8")
    assert main(["wrap", "--check"]) == 3
    output = capsys.readouterr().err
    assert "no-such-setting" in output
    assert "hint: " in output


def test_check_and_diff_exclude_each_other(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text(PLAIN, "utf-8")
    assert main(["wrap", "--check", "--diff"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err
    assert main(["unwrap", "--check"]) == 2
