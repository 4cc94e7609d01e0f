"""The help texts: there for every command, and readable at 80 columns."""

from __future__ import annotations

import re

import pytest

from samebytes.commands import main as cli

CALLS = [[], *([command] for command in cli.COMMANDS)]


@pytest.fixture(params=CALLS, ids=lambda call: call[0] if call else "samebytes")
def help_text(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The help of each command, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.main([*request.param, "--help"]) == 0
    return capsys.readouterr().out


def test_fits_80_columns(help_text: str) -> None:
    assert [line for line in help_text.splitlines() if len(line) > 80] == []


def test_has_examples_and_exit_statuses(help_text: str) -> None:
    assert re.search(r"^examples?:\n  samebytes ", help_text, re.MULTILINE)
    assert re.search(r"^exit status:\n  0 +fine\n", help_text, re.MULTILINE)


def test_explains_itself_and_every_option(help_text: str) -> None:
    description = help_text.split("\n\n")[1]
    assert description.endswith(".")
    # An option without a help text is a line that ends where its name does, with none indented below it.
    for option in re.finditer(r"^  (-\S.*)\n(.*)", help_text, re.MULTILINE):
        assert re.search(r"\S {2,}\S", option[1]) or option[2].startswith(" " * 12), option[0]


def test_verbosity_is_on_every_command(help_text: str) -> None:
    if "COMMAND" not in help_text.splitlines()[0]:
        assert re.search(r"^  -v, --verbose ", help_text, re.MULTILINE)
        assert re.search(r"^  -q, --quiet ", help_text, re.MULTILINE)


def test_the_overview_lists_every_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli.main(["--help"])
    text = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert re.search(rf"^  {command}  +[a-z].+[^.]$", text, re.MULTILINE), command
