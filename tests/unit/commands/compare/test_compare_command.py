from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from support.artifacts import TIMES, sdist, wheel
from support.schemas import assert_valid

from samebytes import __version__
from samebytes.commands import main as cli
from samebytes.console.style import Style

LATER = ((2024, 1, 2, 3, 4, 6),)
NAME = "demo-1.0-py3-none-any.whl"
ONE = {"demo/__init__.py": b"ROOT = '/tmp/one/src'\n", "demo/data.bin": bytes(range(256))}
OTHER = {"demo/__init__.py": b"ROOT = '/home/bob/src'\n", "demo/data.bin": bytes(range(255)) + b"\0"}


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


class Console:
    """Runs the command line and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> int:
        status = cli.main(["compare", *map(str, arguments)])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self) -> Any:
        document = json.loads(self.out)
        assert_valid(document, "compare")
        return document


@pytest.fixture
def compare(capsys: pytest.CaptureFixture[str]) -> Console:
    return Console(capsys)


def wheels(one: Any = None, other: Any = None, **more: Any) -> tuple[Path, Path]:
    return wheel(Path("a"), files=one), wheel(Path("b"), files=other, **more)


# Verdicts and exit statuses


def test_identical(compare: Console) -> None:
    assert compare(*wheels()) == 0
    assert compare.out == f"{NAME}: identical\n"
    assert compare.err == ""


def test_verbose_tells_of_identical_files_too(compare: Console) -> None:
    assert compare(*wheels(), "-v") == 0
    assert "sha256" in compare.out


def test_same_after_normalization(compare: Console) -> None:
    pair = wheels(times=LATER)
    assert compare(*pair) == 1
    assert compare.out.splitlines()[0] == f"{NAME}: same after normalization"
    assert "Z002 member times" in compare.out
    assert "\nD011 member-times: 1 difference\n" in compare.out
    assert compare(*pair, "--accept", "normalized") == 0
    assert compare(*pair, "--accept", "payload") == 0


def test_different(compare: Console) -> None:
    pair = wheels(ONE, OTHER)
    for accept in ("identical", "normalized", "payload"):
        assert compare(*pair, "--accept", accept) == 1
    lines = compare.out.splitlines()
    assert lines[0] == f"{NAME}: different"
    assert "├─ demo/__init__.py: 1 line differs" in lines
    assert "│      left  ROOT = '/tmp/one/src'\\n" in lines
    assert any(line.startswith("D001 build-path: ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_sdists(compare: Console) -> None:
    assert compare(sdist(Path("a")), sdist(Path("b"), files={"setup.py": b"# other\n"})) == 1
    assert compare.out.splitlines()[0] == "demo-1.0.tar.gz: different"


def test_quiet_says_nothing(compare: Console) -> None:
    assert compare(*wheels(ONE, OTHER), "-q") == 1
    assert compare.out == compare.err == ""


def test_colour_where_it_is_wanted(compare: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = wheels(ONE, OTHER)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert compare(*pair) == 1
    assert Style(colour=True).bad("tmp/one") in compare.out
    monkeypatch.setenv("NO_COLOR", "1")
    assert compare(*pair) == 1
    assert "\x1b" not in compare.out


def test_hostile_contents_stay_text(compare: Console) -> None:
    evil = b"\x1b]0;owned\x07\xe2\x80\xae<script>\n"
    assert compare(*wheels({"demo/x.py": b"a\n"}, {"demo/x.py": evil})) == 1
    assert all(line.isprintable() for line in compare.out.splitlines())
    assert "]0;owned" in compare.out
    assert "\\u202e<script>" in compare.out


# Directories


def directories() -> None:
    wheels(ONE, OTHER)
    sdist(Path("a"))
    sdist(Path("b"))
    wheel(Path("a"), "lone")


def test_directories_are_compared_by_name(compare: Console) -> None:
    directories()
    assert compare("a", "b") == 1
    lines = compare.out.splitlines()
    assert lines[:3] == [
        f"{NAME}: different",
        "demo-1.0.tar.gz: identical",
        "lone-1.0-py3-none-any.whl: only on the left side",
    ]
    assert lines[-1] == "3 pairs: 1 identical, 1 different, 1 only on the left side."
    assert compare("a", "b", "--accept", "payload") == 1


def test_a_broken_file_does_not_stop_the_others(compare: Console) -> None:
    directories()
    Path("b/demo-1.0.tar.gz").write_bytes(b"broken")
    assert compare("a", "b") == 4
    assert "demo-1.0.tar.gz: cannot be compared" in compare.out
    assert f"{NAME}: different" in compare.out
    assert compare.err.startswith("samebytes: error: ")
    assert "hint" in compare.err
    assert compare("a", "b", "--json") == 4
    document = compare.json()
    broken = document["pairs"][1]
    assert broken["comparison"] is None
    assert broken["error"]["class"] == "ArchiveError"
    assert document["exit_status"] == 4


# JSON


def test_json(compare: Console) -> None:
    directories()
    assert compare("a", "b", "--json") == 1
    document = compare.json()
    assert document["accept"] == "identical"
    names = [(pair["name"], pair["left"], pair["right"]) for pair in document["pairs"]]
    assert names[2] == ("lone-1.0-py3-none-any.whl", str(Path("a/lone-1.0-py3-none-any.whl")), None)
    assert document["pairs"][0]["comparison"]["verdict"] == "different"
    assert "D001" in [cause["code"] for cause in document["causes"]]
    assert compare.out.isascii()


# HTML


def test_html(compare: Console) -> None:
    directories()
    assert compare("a", "b", "--html", "report.html") == 1
    page = Path("report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<section") >= 4
    assert "only on the left side" in page
    assert "ROOT = &#39;/<mark>tmp/one</mark>/src" in page
    assert f"{NAME}: different" in compare.out
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_html_tells_of_errors(compare: Console) -> None:
    directories()
    Path("b/demo-1.0.tar.gz").write_bytes(b"broken")
    assert compare("a", "b", "--html", "report.html", "-q") == 4
    assert "cannot be compared" in Path("report.html").read_text("utf-8")


def test_html_and_json_go_together(compare: Console) -> None:
    assert compare(*wheels(ONE, OTHER), "--html", "report.html", "--json") == 1
    assert compare.json()["pairs"][0]["comparison"]["verdict"] == "different"
    assert Path("report.html").is_file()


def test_html_replaces_only_when_it_is_whole(compare: Console) -> None:
    Path("report.html").write_text("before")
    assert compare("a", "b", "--html", "report.html") == 2
    assert Path("report.html").read_text() == "before"


def test_html_in_no_directory(compare: Console) -> None:
    assert compare(*wheels(), "--html", "gone/report.html") == 2
    assert "there is no such directory" in compare.err
    assert "Make it first" in compare.err


def test_html_over_an_input(compare: Console) -> None:
    one, other = wheels()
    before = other.read_bytes()
    assert compare(one, other, "--html", other) == 2
    assert "is to be compared and to be written" in compare.err
    assert other.read_bytes() == before


# Bad input


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["gone.whl", f"b/{NAME}"], 2, "gone.whl: there is no such file or directory"),
        ([f"a/{NAME}", "b/demo-1.0.tar.gz"], 2, "of different kinds"),
        (["readme.txt", "readme.txt"], 4, "neither a wheel"),
        ([f"a/{NAME}"], 2, "the following arguments are required: B"),
        ([f"a/{NAME}", f"b/{NAME}", "--accept", "most"], 2, "invalid choice"),
    ],
)
def test_bad_input(compare: Console, arguments: list[str], status: int, said: str) -> None:
    directories()
    Path("readme.txt").write_text("x")
    assert compare(*arguments) == status
    assert said in compare.err
    assert "hint: " in compare.err


# diffoscope

FAKE = """\
#!{python}
import pathlib, sys
out, left, right = sys.argv[-3], pathlib.Path(sys.argv[-2]), pathlib.Path(sys.argv[-1])
assert left.read_bytes()[:255] == right.read_bytes()[:255] == bytes(range(255)), "not the members"
pathlib.Path(out.partition("=")[2]).write_text("--- %s\\n+++ %s\\n\\x1b[2J\\n" % (left, right))
sys.exit({status})
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program called diffoscope, in PATH; the test writes it."""
    if os.name == "nt":
        pytest.skip("diffoscope does not run on Windows")
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory / "diffoscope"


def write(fake: Path, status: int) -> None:
    fake.write_text(FAKE.format(python=sys.executable, status=status))
    fake.chmod(0o755)


def test_diffoscope_is_shown_below_the_member(compare: Console, fake: Path) -> None:
    write(fake, 1)
    assert compare(*wheels(ONE, OTHER), "--diffoscope") == 1
    lines = compare.out.splitlines()
    at = lines.index("│  └─ diffoscope: what diffoscope says")
    assert lines[at + 1 : at + 4] == ["│       --- A/data.bin", "│       +++ B/data.bin", "│       \\x1b[2J"]
    assert compare.out.count("diffoscope:") == 1, "text files are not handed over"


def test_diffoscope_goes_into_every_report(compare: Console, fake: Path) -> None:
    write(fake, 1)
    assert compare(*wheels(ONE, OTHER), "--diffoscope", "--json", "--html", "report.html") == 1
    members = {each["name"]: each for each in compare.json()["pairs"][0]["comparison"]["differences"]}
    assert members["demo/data.bin"]["children"][-1]["detail"][0] == "--- A/data.bin"
    assert "what diffoscope says" in Path("report.html").read_text("utf-8")


def test_diffoscope_that_fails_is_reported_and_the_rest_goes_on(compare: Console, fake: Path) -> None:
    write(fake, 2)
    assert compare(*wheels(ONE, OTHER), "--diffoscope") == 1
    assert "diffoscope failed with status 2" in compare.out
    assert "D001 build-path" in compare.out


def test_diffoscope_that_is_missing(compare: Console, fake: Path) -> None:
    assert compare(*wheels(ONE, OTHER), "--diffoscope") == 9
    assert "--diffoscope needs the program diffoscope, and there is none in PATH" in compare.err
    assert "pip install diffoscope" in compare.err
    assert compare.out == ""


def test_diffoscope_is_not_asked_where_nothing_needs_it(compare: Console, fake: Path) -> None:
    write(fake, 1)
    assert compare(*wheels(times=(TIMES[0],)), "--diffoscope") == 1
    assert "diffoscope" not in compare.out


# Markdown and annotations


def test_markdown_and_annotations_are_written(compare: Console) -> None:
    assert compare(*wheels(ONE, OTHER), "--markdown", "report.md", "--annotations", "annotations") == 1
    assert compare.out.startswith(f"{NAME}: different\n")
    text = Path("report.md").read_text("utf-8")
    assert text.startswith(f"### samebytes {__version__} compare: 1 pair: 1 different.\n")
    assert "| D001 build-path | `demo/__init__.py` |" in text
    (line,) = Path("annotations").read_text("utf-8").splitlines()
    assert line.startswith(f"::error title={NAME}%3A different::D001 build-path: demo/__init__.py%0A")


def test_markdown_is_printed_in_place_of_the_text_and_annotations_after_it(compare: Console) -> None:
    assert compare(*wheels(ONE, OTHER), "--markdown", "-", "--annotations", "-") == 1
    *lines, last = compare.out.splitlines()
    assert lines[0].startswith("### samebytes")
    assert not [line for line in lines if line.startswith("::")]
    assert last.startswith("::error ")


def test_what_is_accepted_is_a_notice(compare: Console) -> None:
    assert compare(*wheels(times=LATER), "--accept", "normalized", "--annotations", "-") == 0
    assert compare.out.splitlines()[-1].startswith("::notice ")
    assert compare(*wheels(), "--annotations", "-") == 0
    assert "::" not in compare.out


def test_a_summary_goes_on_below_what_is_there(compare: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = Path("summary.md")
    summary.write_text("| before |\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert compare(*wheels(times=LATER), "--markdown", summary) == 1
    assert summary.read_text("utf-8").startswith("| before |\n\n### samebytes")
    # Any other file is written anew.
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert compare(*wheels(times=LATER), "--markdown", summary) == 1
    assert summary.read_text("utf-8").startswith("### samebytes")


@pytest.mark.parametrize("option", ["--markdown", "--annotations"])
def test_reports_that_cannot_be_written_are_refused_at_once(compare: Console, option: str) -> None:
    pair = wheels()
    assert compare(*pair, option, "no/where") == 2
    assert "there is no such directory" in compare.err
    assert compare(*pair, option, "-", "--json") == 2
    assert f"--json and {option} - are both to be printed" in compare.err
    assert compare(*pair, option, pair[0]) == 2
    assert "is to be compared and to be written" in compare.err
