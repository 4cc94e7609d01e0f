"""What scripts and people count on: exit statuses that stay, help that fits, colours where they are wanted."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest
from support.artifacts import wheel
from support.error_classes import CLASSES
from support.parsers import commands
from support.processes import import_path

from samebytes import errors
from samebytes.commands import main as cli
from samebytes.console import exit_status

STATUSES = {
    0: "fine",
    1: "a check has findings",
    2: "a wrong command line, a missing file, or a source that cannot be built",
    3: "the configuration or SOURCE_DATE_EPOCH is malformed",
    4: "an input is not a supported archive, is damaged or hostile",
    5: "RECORD is missing or contradicts its wheel",
    6: "a signature or attestation is invalid, or would become so",
    7: "the build backend failed",
    8: "a result could not be written",
    9: "the command needs an extra or a program that is not installed",
    10: "done, but a wrong RECORD was rebuilt",
    11: "two encoders of the compressed stream disagree",
    12: "the package index cannot be reached or understood",
    13: "the store of a survey is damaged, newer, or cannot be written",
    14: "the cluster cannot be reached, or was lost",
    70: "a bug in samebytes",
    130: "interrupted (SIGINT)",
    141: "broken pipe: the reader of the output closed it",
    143: "terminated (SIGTERM)",
}
"""Stable: a number that is here never means something else. New ones may be added."""

OF_ERRORS = {
    "ArchiveError": 4,
    "BackendError": 7,
    "ClusterError": 14,
    "ConfigError": 3,
    "EncoderError": 11,
    "HostileArchiveError": 4,
    "IndexFailure": 12,
    "Interrupted": 130,
    "MissingExtraError": 9,
    "OutputError": 8,
    "RecordError": 5,
    "SamebytesError": 2,
    "SignatureError": 6,
    "StoreError": 13,
    "UsageError": 2,
}


def test_statuses_mean_what_they_always_meant() -> None:
    assert {number: exit_status.MEANINGS.get(number) for number in STATUSES} == STATUSES
    assert {name: getattr(errors, name).exit_status for name in OF_ERRORS} == OF_ERRORS


def test_new_statuses_and_errors_are_pinned_too() -> None:
    assert set(exit_status.MEANINGS) == set(STATUSES)
    assert set(CLASSES) == set(OF_ERRORS)


CALLS = [words for words, _ in commands(cli.parser())]


@pytest.mark.parametrize("words", CALLS, ids=lambda words: " ".join(words) or "samebytes")
@pytest.mark.parametrize("columns", ["80", "0", ""])
def test_every_help_fits_80_columns(
    words: tuple[str, ...], columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.main([*words, "--help"]) == 0
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert re.search(r"^exit status:\n  0 +fine\n", text, re.MULTILINE)


def test_verbs_have_help_of_their_own() -> None:
    """The control of the list of calls: it has commands of commands."""
    assert ("tree", "fix") in CALLS


def on_a_terminal(arguments: list[str], directory: Path, more: dict[str, str]) -> str:
    """Return all that the command writes to a pseudo-terminal of 80 columns."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    leader, follower = pty.openpty()
    unwanted = ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    environ = {name: value for name, value in os.environ.items() if name not in unwanted}
    with subprocess.Popen(
        [sys.executable, "-m", "samebytes", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        cwd=directory,
        env={**environ, **import_path(), "TERM": "xterm", **more},
    ) as process:
        os.close(follower)
        said = b""
        while True:
            select.select([leader], [], [])
            try:
                chunk = os.read(leader, 1 << 16)
            except OSError:  # Linux: nobody has the other end any more
                break
            if not chunk:
                break
            said += chunk
        process.wait()
    os.close(leader)
    return said.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*m")

TERMINALS = {
    "a terminal": ({}, True),
    "NO_COLOR": ({"NO_COLOR": "1"}, False),
    "an empty NO_COLOR": ({"NO_COLOR": ""}, True),
    "NO_COLOR is the stronger": ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    "a dumb terminal": ({"TERM": "dumb"}, False),
    "a dumb terminal, forced": ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
}


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
@pytest.mark.parametrize("case", TERMINALS)
@pytest.mark.parametrize("command", ["finding", "error"])
def test_colour_on_a_terminal(case: str, command: str, tmp_path: Path) -> None:
    more, coloured = TERMINALS[case]
    name = wheel(tmp_path).name
    arguments = ["normalize", "--check", name] if command == "finding" else ["normalize", "no.whl"]
    said = on_a_terminal(arguments, tmp_path, more)
    assert ("demo" if command == "finding" else "no.whl") in said
    assert bool(COLOUR.search(said)) is coloured


PIPES = {
    "a pipe": ({}, False),
    "FORCE_COLOR": ({"FORCE_COLOR": "1"}, True),
    "both": ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
}


@pytest.mark.parametrize("case", PIPES)
def test_colour_in_a_pipe(case: str, tmp_path: Path) -> None:
    more, coloured = PIPES[case]
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "samebytes", "normalize", "--check", wheel(tmp_path).name],
        cwd=tmp_path,
        env={**environ, **import_path(), "TERM": "xterm", **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert bool(COLOUR.search(done.stdout)) is coloured


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_help_keeps_to_the_terminals_width(tmp_path: Path) -> None:
    said = on_a_terminal(["check", "--help"], tmp_path, {"COLUMNS": "80"})
    assert "usage: samebytes check" in said
    assert [line for line in said.splitlines() if len(line) > 80] == []
