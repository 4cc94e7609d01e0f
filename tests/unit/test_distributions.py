"""The two distributions: one version, and what each brings into an environment."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import samebytes_tools

import samebytes
from samebytes.commands import extensions, main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
CORE = Path(samebytes.__file__).parent

MOST_FILES = 90
MOST_LINES = 11_973
"""What ``pip install samebytes`` may bring: it is a build requirement of strangers, who are to be able to read it."""


def project(path: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(path.read_text("utf-8"))["project"]
    return found


def test_both_have_one_version_and_require_just_that_of_one_another() -> None:
    version = samebytes.__version__
    assert samebytes_tools.__version__ == version
    tools, core = project(ROOT / "tools" / "pyproject.toml"), project(ROOT / "pyproject.toml")
    assert f"samebytes=={version}" in list(tools["dependencies"])  # type: ignore[call-overload]
    extras = core["optional-dependencies"]
    assert isinstance(extras, dict)
    assert extras["tools"] == [f"samebytes-tools=={version}"]
    for extra in ("attestations", "cluster", "signing"):
        assert extras[extra] == [f"samebytes-tools[{extra}]=={version}"]


def test_the_core_has_three_dependencies_at_most() -> None:
    dependencies = project(ROOT / "pyproject.toml")["dependencies"]
    assert isinstance(dependencies, list)
    names = {re.split(r"[^\w-]", line)[0] for line in dependencies}
    assert names <= {"packaging", "pyproject-hooks", "tomli"}


def test_the_core_stays_small() -> None:
    files = [path for path in CORE.rglob("*.py") if "__pycache__" not in path.parts]
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
    assert len(files) < MOST_FILES
    assert lines < MOST_LINES


def test_the_entry_points_are_those_for_plain_files() -> None:
    found = project(ROOT / "tools" / "pyproject.toml")["entry-points"]
    assert found == {extensions.GROUP: samebytes_tools.COMMANDS}


def test_every_command_is_registered() -> None:
    added = extensions.installed()
    assert {*added, "normalize", "doctor"} >= set(main.COMMANDS)
    assert set(added) <= set(main.COMMANDS)


@pytest.mark.parametrize("command", [name for name in main.COMMANDS if name not in ("normalize", "check", "doctor")])
def test_without_the_tools_a_command_says_how_to_install_them(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "installed", dict)
    assert main.main([command, "x"]) == 9
    assert "pip install 'samebytes[tools]'" in capsys.readouterr().err


def test_without_the_tools_check_takes_archives_and_refuses_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from support.artifacts import wheel

    monkeypatch.setattr(main, "installed", dict)
    path = wheel(tmp_path / "dist")
    assert main.main(["check", str(path)]) == 1
    assert path.name in capsys.readouterr().out
    (tmp_path / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    assert main.main(["check", str(tmp_path)]) == 9
    assert "pip install 'samebytes[tools]'" in capsys.readouterr().err


def test_without_the_tools_the_help_lists_what_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "installed", dict)
    assert main.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "  normalize " in out
    assert "  survey " not in out
    listed = "compare, build, verify, install, tree, survey, wrap, unwrap, completion"
    assert f"with samebytes-tools (pip install 'samebytes[tools]'):\n  {listed}\n" in out
