"""``samebytes survey``: what is refused, what is written, and what is told."""

from __future__ import annotations

import argparse
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.commands.survey.command import _executor, _size
from samebytes_tools.commands.survey.model import Target
from samebytes_tools.commands.survey.store.store import NAME, Store
from support import surveys
from support.processes import modules_loaded_by
from support.schemas import assert_valid

from samebytes.commands.main import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("idna\nthree words here\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "top.json").write_text('{"rows": [{"project": "idna"}]}')
    (tmp_path / "notes.sqlite").write_text("buy milk and no database at all")
    return tmp_path


def filled(path: Path) -> None:
    """Make a store at *path* with a complete run of alpha and beta."""
    with Store(path) as store:
        store.begin(surveys.run(), [Target("alpha"), Target("beta")])
        for name in ("alpha", "beta"):
            store.record(surveys.examination(name, surveys.run()))


REFUSED = {
    "nothing to do": (["run"], 2, "nothing is left to examine in", "--packages or --top"),
    "a malformed line": (
        ["run", "--packages", "list.txt"],
        2,
        "list.txt, line 2: 'three words here' is neither",
        "NAME==VERSION",
    ),
    "a malformed name": (["run", "--packages", "a b"], 2, "--packages: 'a b' is neither NAME nor", "NAME==VERSION"),
    "a missing list": (["run", "--packages", "no.txt"], 2, "there is no file no.txt", "Name a package"),
    "a list that is no text": (["run", "--packages", "latin.txt"], 2, "latin.txt is not text in UTF-8", "another file"),
    "too many": (["run", "--top", "1001"], 2, "the bundled list has 1,000 projects, not 1,001", "--top-file"),
    "more than the file has": (["run", "--top", "2", "--top-file", "top.json"], 2, "top.json has 1 projects", "longer"),
    "a missing top file": (["run", "--top-file", "no.json"], 2, "no.json cannot be read", "another file"),
    "a top file that is none": (["run", "--top-file", "list.txt"], 2, "list.txt is not a list of", "top-pypi-packages"),
    "ways to build, and no builds": (
        ["run", "--as-is", "--verify-only", "--packages", "idna"],
        2,
        "--verify-only builds nothing twice, and --as-is says how to",
        "Leave one of them away",
    ),
    "a retry of what is named": (
        ["run", "--retry", "--top", "1"],
        2,
        "--retry names its packages itself",
        "no packages",
    ),
    "nothing to retry": (["run", "--retry"], 2, "nothing is left to examine in", "--packages or --top"),
    "both kinds of work": (["run", "--verify", "--verify-only"], 2, "not allowed with argument", "--help"),
    "an operator of two lines": (["run", "--operator", "a\nb"], 2, "it is to be one line of 200", "--help"),
    "no number": (["run", "--top", "0"], 2, "'0' is not a number from 1", "--help"),
    "no size": (["run", "--memory", "much"], 2, "'much' is not a size", "--help"),
    "no time": (["run", "--timeout", "-1"], 2, "--timeout", "--help"),
    "no store to run in": (
        ["run", "--top", "1", "--store", "notes.sqlite"],
        13,
        "is not a SQLite database",
        "another file",
    ),
    "nothing to export": (["export"], 13, f"there is no store at {NAME}", "--store"),
    "nothing to show": (
        ["site", "-o", "site", "--store", "no.sqlite"],
        13,
        "there is no store at no.sqlite",
        "--store",
    ),
    "nothing to merge": (["merge", "all.sqlite", "no.sqlite"], 13, "there is no store at no.sqlite", "--store"),
    "no document": (["merge", "all.sqlite", "top.json"], 13, "top.json is not a survey of schema version 1", "export"),
}


@pytest.mark.parametrize(("arguments", "status", "message", "remedy"), REFUSED.values(), ids=REFUSED)
def test_bad_input(
    arguments: list[str], status: int, message: str, remedy: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["survey", *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert remedy in err


def test_without_a_verb_it_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey"]) == 2
    assert "run" in capsys.readouterr().err


def test_a_complete_run_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(here)
    assert main(["survey", "run", "--packages", "beta", "alpha"]) == 0
    out, err = capsys.readouterr()
    assert err == "the run is complete: 2 packages; --new begins another\n"
    assert out.splitlines() == [
        "as is            0 same, 2 differ, 0 could not be built (0.0 % of what could be built)",
        "as is, dated     0 same, 2 differ, 0 could not be built (0.0 % of what could be built)",
        "normalized       0 same, 2 differ, 0 could not be built (0.0 % of what could be built)",
        "hook             2 same, 0 differ, 0 could not be built (100.0 % of what could be built)",
        "samebytes build  2 same, 0 differ, 0 could not be built (100.0 % of what could be built)",
    ]
    assert main(["survey", "run", "-q", "--packages", "beta", "alpha"]) == 0
    assert capsys.readouterr() == ("", "")


def test_what_is_exported_can_be_merged(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(here)
    assert main(["survey", "export", "--json", "survey.json"]) == 0
    assert main(["survey", "export"]) == 0
    out = capsys.readouterr().out
    assert out == (here / "survey.json").read_text("utf-8")
    assert_valid(json.loads(out), "survey")
    assert "log" not in json.loads(out)["examinations"][0]
    assert main(["survey", "export", "--logs"]) == 0
    assert "building alpha" in json.loads(capsys.readouterr().out)["examinations"][0]["log"]
    assert main(["survey", "merge", "all.sqlite", "survey.json", "."]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "survey.json: new runs: 1, examinations: 2",
        ".: new runs: 0, examinations: 2",  # their logs
    ]


def test_a_site_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:

    filled(here)
    assert main(["survey", "site", "-o", "site"]) == 0
    assert capsys.readouterr().out.startswith("site: 2 packages, ")
    assert "alpha" in (here / "site" / "index.html").read_text("utf-8") + "".join(
        path.read_text("utf-8") for path in (here / "site").rglob("*.json")
    )


def test_what_a_run_is_for_goes_to_its_workers() -> None:
    """Whoever goes on with it names nothing, and a cluster's workers are other processes."""
    how = {"timeout": 9.0, "memory": 1, "output": 1, "no_sandbox": False, "installer": "auto"}
    args = argparse.Namespace(cache=None, jobs=1, scheduler=None, **how)
    for builds, verifies, ways in ((True, False, "as is"), (True, True, ""), (False, True, "")):
        run = replace(surveys.run(), builds=builds, verifies=verifies)
        executor = _executor(args, replace(run, machine={**run.machine, "ways": ways} if ways else run.machine))
        (conditions,) = pickle.loads(pickle.dumps(executor._work)).args  # type: ignore[attr-defined]
        assert (conditions.builds, conditions.verifies, conditions.as_is) == (builds, verifies, bool(ways))


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("2K", 2048), ("500M", 500 << 20), ("1.5g", 3 << 29), ("6GiB", 6 << 30), ("1TB", 1 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert _size(text) == size


def test_it_loads_nothing_that_only_an_extra_brings() -> None:
    """Every command's help imports it."""
    loaded = modules_loaded_by("from samebytes.commands.main import main; main(['survey', '--help'])")
    assert "samebytes_tools.commands.survey.command" in loaded
    assert not {"jinja2", "distributed", "build", "sqlite3"} & loaded
