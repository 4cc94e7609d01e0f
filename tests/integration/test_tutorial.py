"""The tutorial, followed from top to bottom: its files are written, its commands run, and what it shows comes out.

A block of ``sh`` is run, and the block of ``text`` or ``diff`` behind it is its output, standard error included. A
line ``NAME`` in backquotes and with a colon says that the block below it is that file. ``<!-- exits 1 -->`` above a
block says with which status its last command ends; all others end with 0.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.conditions import kept_variables
from support.workshop import PROJECT, Workshop

PAGE = PROJECT / "docs" / "tutorial" / "first-release.md"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(sys.platform != "linux", reason="the page says that it is for Linux"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

COMMAND, FILE, OUTPUT = "command", "file", "output"
_BLOCK = re.compile(r"(?:(?P<above>[^\n]+)\n+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_STATE = "trap 'export -p > {state}; pwd > {place}' EXIT; . {state}\n"
"""Variables and the current directory of one block are those of the next one."""

VARYING = {
    "digest": r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])",
    "blob": r"(?<=index )[0-9a-f]{7,}\.\.[0-9a-f]{7,}",
    "moment": r"(?!2020-02-02 00:00:00)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+|Z)?",
    "bytes": r"[\d,]+ bytes",
    "members": r"\d+ members",
    "installer": r"(?<=  installer )(?:uv|pip) \d[\w.]*",
    "setuptools": r"(?<=setuptools )\d[\w.]*|(?<=setuptools==)\d[\w.]*",
    "python": r"\d\.\d+\.\d+(?:rc\d+|[ab]\d+)?(?=, linux-)|(?<=\(Python )\d\.\d+\.\d+(?:rc\d+|[ab]\d+)?(?=\))",
    "machine": r"(?<=linux-)\w+",
}
"""What is another on each machine and day. Of digests it is held that those that are equal on the page are equal."""
DIRECTORY = "/home/ada/first"
"""Where the page says that it all happened."""


class Step(NamedTuple):
    kind: str
    about: str
    """The name of a file; the status of a command."""
    text: str
    line: int


class Mismatch(AssertionError):
    """What came out is not what the page shows."""


def steps(page: str) -> Iterator[Step]:
    """Give what the page says to do and shows, from top to bottom."""
    for found in _BLOCK.finditer(page):
        above, language = found["above"] or "", found["language"]
        line = page.count("\n", 0, found.start("text")) + 1
        name = re.fullmatch(r"`([^`]+)`:", above)
        status = re.fullmatch(r"<!-- exits (\d+) -->", above)
        if name:
            yield Step(FILE, name[1], found["text"], line)
        elif language == "sh":
            yield Step(COMMAND, status[1] if status else "0", found["text"], line)
        elif language in ("text", "diff"):
            yield Step(OUTPUT, "", found["text"], line)
        else:
            raise AssertionError(f"line {line}: a block of {language} that is neither a file, a command nor an output")


class Shell:
    """Runs one block after another, as in one terminal."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        self.state, self.place, self.work = root / "state", root / "place", root / "work"
        (root / "home").mkdir()
        self.work.mkdir()
        self.place.write_text(f"{self.work}\n", "utf-8")
        self.state.touch()
        known = kept_variables()
        path = os.pathsep.join([str(Path(sys.executable).parent), known["PATH"]])  # the python3 that runs this test
        self.variables = {**known, "PATH": path, "HOME": str(root / "home"), **variables}

    @property
    def directory(self) -> Path:
        """Where the next block begins."""
        return Path(self.place.read_text("utf-8").rstrip("\n"))

    def run(self, text: str) -> tuple[int, str]:
        """Run a block that ends at its first failure, and return its status and what it printed."""
        before = _STATE.format(state=shlex.quote(str(self.state)), place=shlex.quote(str(self.place)))
        done = subprocess.run(
            ["sh", "-e", "-c", before + text],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            umask=0o022,
            check=False,
        )
        return done.returncode, done.stdout.replace(str(self.work), DIRECTORY)


def follow(page: str, shell: Shell) -> Iterator[tuple[Step, str]]:
    """Do what *page* says; give each output that it shows, and what came out."""
    printed = ""
    for step in steps(page):
        if step.kind == FILE:
            (shell.directory / step.about).write_text(step.text, "utf-8")
        elif step.kind == COMMAND:
            status, printed = shell.run(step.text)
            if str(status) != step.about:
                raise Mismatch(f"line {step.line}: ended with {status}:\n{printed}")
        else:
            yield step, printed


def compare(shown: str, printed: str, digests: dict[str, str]) -> None:
    """Hold an output that the page shows against what came out; *digests* are those of the page that are known so far.

    :raises Mismatch: they are not the same
    """
    found = re.fullmatch(_pattern(shown), _stripped(printed))
    if found is None:
        raise Mismatch(f"shown:\n{shown}\ncame out:\n{printed}")
    for digest, real in zip(re.findall(VARYING["digest"], shown), found.groups()):
        if digests.setdefault(digest, real) != real:
            raise Mismatch(f"{digest} stands for {digests[digest]} and for {real}")
    if len(set(digests.values())) != len(digests):
        raise Mismatch(f"two digests of the page are one:\n{shown}\ncame out:\n{printed}")


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _pattern(shown: str) -> str:
    """Return a regular expression for what *shown* stands for: ``...`` for any lines, and each digest is a group."""
    lines = [r"(?:.*\n)*?" if line == "..." else f"{_line(line)}\n" for line in _stripped(shown).splitlines()]
    return "".join(lines)


def _line(line: str) -> str:
    varying = "|".join(f"(?P<{name}>{pattern})" for name, pattern in VARYING.items())
    pattern, end = "", 0
    for found in re.finditer(varying, line):
        what = f"({VARYING['digest']})" if found.lastgroup == "digest" else VARYING[str(found.lastgroup)]
        pattern += re.escape(line[end : found.start()]) + (what if found.lastgroup == "digest" else f"(?:{what})")
        end = found.end()
    return pattern + re.escape(line[end:])


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell of somebody who has told git their name."""
    variables = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        variables.update({f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.org"})
    return Shell(tmp_path, variables)


@pytest.mark.long
@pytest.mark.network
def test_what_the_tutorial_shows_comes_out(shell: Shell, workshop: Workshop) -> None:
    shell.variables.update(workshop.index(shell.variables))
    digests: dict[str, str] = {}
    for step, printed in follow(PAGE.read_text("utf-8"), shell):
        try:
            compare(step.text, printed, digests)
        except Mismatch as error:
            raise Mismatch(f"line {step.line}: {error}") from None


def shown() -> list[Step]:
    return [step for step in steps(PAGE.read_text("utf-8")) if step.kind == OUTPUT]


def test_the_page_shows_something_for_most_commands() -> None:
    found = list(steps(PAGE.read_text("utf-8")))
    assert len(shown()) > sum(step.kind == COMMAND for step in found) / 2
    assert len([step for step in found if step.kind == FILE]) > 2


@pytest.mark.parametrize("step", shown() if PAGE.is_file() else [], ids=lambda step: f"line-{step.line}")
def test_every_line_that_is_shown_counts(step: Step) -> None:
    """The control: what comes out as shown passes; with another word in any one line, it does not."""
    lines = step.text.splitlines()
    compare(step.text, step.text, {})
    for number, line in enumerate(lines):
        if line != "...":
            other = "\n".join([*lines[:number], f"{line} otherwise", *lines[number + 1 :]])
            with pytest.raises(Mismatch):
                compare(step.text, other, {})


def test_digests_vary_but_not_which_are_equal() -> None:
    one, two, three = ("1" * 64, "2" * 64, "3" * 64)
    known: dict[str, str] = {}
    compare(f"{one} a\n{two} b\n{one} c\n", f"{two} a\n{three} b\n{two} c\n", known)
    assert known == {one: two, two: three}
    with pytest.raises(Mismatch, match="stands for"):
        compare(f"{one} d\n", f"{three} d\n", known)
    with pytest.raises(Mismatch, match="are one"):
        compare(f"{three} d\n", f"{three} d\n", known)
    with pytest.raises(Mismatch, match="stands for"):
        compare(f"{one} a\n{one} b\n", f"{one} a\n{two} b\n", {})


def test_one_block_goes_on_where_the_last_one_ended(shell: Shell) -> None:
    page = "```sh\nmkdir sub\ncd sub\nexport A=b\n```\n\n`f`:\n\n```text\nin it\n```\n\n"
    page += "```sh\ncat f; echo $A; pwd\n```\n\n```text\nin it\nb\n/home/ada/first/sub\n```\n"
    ((step, printed),) = follow(page, shell)
    compare(step.text, printed, {})


@pytest.mark.parametrize("block", ["```sh\nfalse\ntrue\n```\n", "<!-- exits 1 -->\n```sh\ntrue\n```\n"])
def test_another_status_is_noticed(block: str, shell: Shell) -> None:
    with pytest.raises(Mismatch, match="ended with"):
        list(follow(block, shell))
