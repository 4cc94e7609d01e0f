"""``[tool.samebytes.check]``: read strictly, by trees alone, and the command line has the last word."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.check.settings import KEYS, settings_of
from samebytes_tools.commands.check.subject import ACCEPTABLE
from samebytes_tools.variations.variations import NAMES
from support.artifacts import sdist
from support.leaky import PYPROJECT, leaky_project

from samebytes.backend.config import load
from samebytes.commands.main import main
from samebytes.errors import ConfigError

EVERYTHING = frozenset(NAMES)


def tree(root: Path, table: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").write_text(f"{PYPROJECT}\n{table}\n", "utf-8")
    return root


def test_without_the_table_all_is_as_ever(tmp_path: Path) -> None:
    for directory in (tmp_path, tree(tmp_path / "tree", "")):
        found = settings_of(directory)
        assert found.accept == "identical"
        assert (found.choice.wanted, found.choice.demanded) == (EVERYTHING, frozenset())


def test_each_key_is_the_option_of_that_name(tmp_path: Path) -> None:
    table = '[tool.samebytes.check]\naccept = "payload"\nvary = ["-umask", "-mtimes,-temp"]\nrequire = ["locale"]'
    found = settings_of(tree(tmp_path, table))
    assert found.accept == "payload"
    assert found.choice.wanted == EVERYTHING - {"umask", "mtimes", "temp"}
    assert found.choice.demanded == {"locales"}
    # The backend reads the same file, and lets that be.
    assert load(tmp_path).backend.name == "leaky_backend"


@pytest.mark.parametrize(
    ("vary", "require", "wanted", "demanded"),
    [
        (["-time"], [], EVERYTHING - {"umask", "time"}, set()),
        (["all"], [], EVERYTHING, {"time"}),
        (["-all,+home"], [], {"home"}, {"home"}),
        ([], ["umask"], EVERYTHING, {"time", "umask"}),
    ],
)
def test_the_command_line_wins(
    vary: list[str], require: list[str], wanted: set[str], demanded: set[str], tmp_path: Path
) -> None:
    table = '[tool.samebytes.check]\nvary = ["-umask"]\nrequire = ["time"]'
    found = settings_of(tree(tmp_path, table), vary, require)
    assert (found.choice.wanted, found.choice.demanded) == (wanted, demanded)


def test_what_is_less_strict_by_it_is_said(tmp_path: Path) -> None:
    """Whoever checks a tree of others is not to take their choice for his."""
    of = tree(tmp_path, '[tool.samebytes.check]\naccept = "payload"\nvary = ["-umask,-temp"]\nrequire = ["time"]')
    start = "[tool.samebytes.check] of the tree"
    left_out = f"leaves out 2 of {len(NAMES)} variations"
    assert settings_of(of).note == f"{start} accepts payload and {left_out}"
    assert settings_of(of, accept="normalized").note == f"{start} {left_out}"
    assert settings_of(of, ["all"]).note == f"{start} accepts payload"
    assert settings_of(of, ["-umask,-temp"], accept="identical").note == ""
    assert settings_of(of, ["all"], accept="identical").note == ""
    assert settings_of(tree(tmp_path, "")).note == ""


WRONG = {
    'acept = "payload"': ("[tool.samebytes.check] has the unknown key 'acept'", "accept"),
    'accept = "different"': ("[tool.samebytes.check] accept is 'different'", "'normalized'"),
    "accept = true": ("[tool.samebytes.check] accept is True", "'normalized'"),
    'vary = "-time"': ("[tool.samebytes.check] vary must be a list of strings, not '-time'", 'vary = ["..."]'),
    "require = [1]": ("[tool.samebytes.check] require must be a list of strings, not [1]", 'require = ["..."]'),
    'vary = ["-tine"]': ("vary names what cannot be varied: '-tine' is not the name of a variation", "'time'"),
    'require = ["weather"]': ("require names what cannot be varied: 'weather' is not", "check --list"),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_an_error_with_a_remedy(line: str, tmp_path: Path) -> None:
    message, remedy = WRONG[line]
    with pytest.raises(ConfigError) as caught:
        settings_of(tree(tmp_path, f"[tool.samebytes.check]\n{line}"))
    assert caught.value.message.startswith(str(tmp_path / "pyproject.toml"))
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_it_has_to_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tool\.samebytes\.check must be a table, not 1"):
        settings_of(tree(tmp_path, "[tool.samebytes]\ncheck = 1"))


def test_there_are_no_other_keys() -> None:
    assert KEYS == ("accept", "require", "vary")
    assert ACCEPTABLE == ("identical", "normalized", "payload")


def test_an_error_in_it_is_one_of_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tree(tmp_path / "tree", "[tool.samebytes.check]\nacept = 1")
    assert main(["check", "-n", "-q", str(wrong)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"samebytes: error: {wrong}: ")
    assert "hint: Did you mean 'accept'?" in error


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_a_tree_is_checked_by_it_and_a_release_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Held by what is varied of each, and by what is accepted of it."""
    source = leaky_project(tmp_path / "tree", [])
    table = '\n[tool.samebytes.check]\naccept = "payload"\nvary = ["-all", "+home"]\n'
    (source / "pyproject.toml").write_text(PYPROJECT + table, "utf-8")
    files = {str(path.relative_to(source)): path.read_bytes() for path in source.rglob("*") if path.is_file()}
    release = sdist(tmp_path, "leaky", files)
    options = ["-n", "-w", "-q", "--json"]
    found = []
    for arguments in ([str(source)], ["--accept", "normalized", "--vary=-all", str(source)]):
        assert main(["check", *options, *arguments]) == 0
        (result,) = json.loads(capsys.readouterr().out)["results"]
        found.append((result["accept"], result["varied"]))
        assert bool(result["notes"]) == (result["accept"] == "payload")
    assert main(["check", *options, "--vary=-all", "--build", str(release)]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    found.append((result["accept"], result["varied"]))
    assert found == [("payload", ["home"]), ("normalized", []), ("identical", [])]
