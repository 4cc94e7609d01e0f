"""Every command with streams, descriptors, directories and variables that are not as usual.

It ends with the status that it has elsewhere, or the documented one with a message; never as a bug, nor as a finding
that there is not, nor in the interpreter's own words.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.artifacts import sdist, wheel
from support.parsers import commands, subcommands
from support.processes import import_path

from samebytes.commands.main import parser
from samebytes.console import exit_status

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")]

SCRIPT = "import sys\nfrom samebytes.commands.main import main\nsys.exit(main())\n"
"""What installers write as the command ``samebytes``."""

FORMS: dict[str, list[str]] = {
    "": ["--help"],
    "nonsense": ["nonsense"],
    "normalize": ["normalize", "--json", "-o", "OUT", "WHEEL"],
    "check": ["check", "SDIST", "WHEEL"],
    "compare": ["compare", "--html", "OUT/report.html", "WHEEL", "SAME"],
    "build": ["build", "-n", "SRC"],
    "verify": ["verify", "WHEEL"],
    "install": ["install", "--target", "OUT/target", "WHEEL"],
    "tree fix": ["tree", "fix", "--check", "SITE"],
    "tree digest": ["tree", "digest", "SITE"],
    "survey run": ["survey", "run", "--packages", "nothing", "--store", "OUT/store"],
    "survey export": ["survey", "export", "--store", "OUT/store"],
    "survey merge": ["survey", "merge", "OUT/store", "OUT/other"],
    "survey site": ["survey", "site", "-o", "OUT/site", "--store", "OUT/store"],
    "wrap": ["wrap", "--diff", "SRC"],
    "unwrap": ["unwrap", "--diff", "SRC"],
    "doctor": ["doctor"],
    "completion": ["completion", "bash"],
}
"""The cheapest that each command does, by its name."""


@dataclass(frozen=True)
class Condition:
    """What is unusual about a process."""

    closed: tuple[int, ...] = ()
    streams: Mapping[int, str] = field(default_factory=dict)
    """Descriptor -> "full" or "pipe", a pipe whose reader is gone."""
    files: int = 0
    """How many may be open."""
    has_directory: bool = True
    without: tuple[str, ...] = ()
    """Variables."""
    environ: Mapping[str, bytes] = field(default_factory=dict)


CONDITIONS = {
    "no stdin": Condition(closed=(0,)),
    "no stdout": Condition(closed=(1,)),
    "no stderr": Condition(closed=(2,)),
    "no streams": Condition(closed=(0, 1, 2)),
    "stdout full": Condition(streams={1: "full"}),
    "stderr full": Condition(streams={2: "full"}),
    "stdout unread": Condition(streams={1: "pipe"}),
    "stderr unread": Condition(streams={2: "pipe"}),
    "unbuffered, full": Condition(streams={1: "full"}, environ={"PYTHONUNBUFFERED": b"1"}),
    "unbuffered, unread": Condition(streams={1: "pipe"}, environ={"PYTHONUNBUFFERED": b"1"}),
    "8 files": Condition(files=8),
    "20 files": Condition(files=20),
    "no directory": Condition(has_directory=False),
    "no home": Condition(without=("HOME", "XDG_CACHE_HOME", "USER", "LOGNAME")),
    "no TMPDIR": Condition(environ={"TMPDIR": b"/nonexistent/directory"}),
    "no UTF-8": Condition(environ={"HOME": b"/\xff", "COLUMNS": b"\xff", "LC_ALL": b"C", "TMPDIR": b"/tmp/\xff"}),
}


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote; None for what went to a stream that nobody can read."""

    status: int
    out: str | None
    err: str | None


class Bench:
    """Runs commands on files that are there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        (root / "samebytes").write_text(SCRIPT)
        made = {"WHEEL": wheel(root / "in"), "SDIST": sdist(root / "in")}
        same = root / "same" / made["WHEEL"].name
        same.parent.mkdir()
        shutil.copy(made["WHEEL"], same)
        source, site = root / "src", root / "site"
        source.mkdir()
        (source / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "none"\n')
        site.mkdir()
        (site / "file").write_text("x")
        self._names = {**made, "SAME": same, "SRC": source, "SITE": site}
        self._count = 0
        self._usual: dict[str, Ended] = {}

    def usual(self, form: str) -> Ended:
        """Return how a command of :data:`FORMS` ends where nothing is unusual."""
        if form not in self._usual:
            self._usual[form] = self.run(FORMS[form], Condition())
        return self._usual[form]

    def run(self, words: list[str], condition: Condition, around: Sequence[str] = ()) -> Ended:
        self._count += 1
        private = self._root / f"run{self._count}"
        (private / "cwd").mkdir(parents=True)
        (private / "out").mkdir()
        names = {**self._names, "OUT": private / "out"}
        parts = [word.partition("/") for word in words]
        command = [*around, sys.executable, str(self._root / "samebytes")]
        command += [
            f"{names[head]}{slash}{tail}" if head in names else head + slash + tail for head, slash, tail in parts
        ]
        environ: dict[str, str | bytes] = {**os.environ, **import_path(), "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
        environ.update(condition.environ)
        handles = {number: self._stream(private, number, condition) for number in (1, 2)}
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=handles[1],
            stderr=handles[2],
            cwd=private / "cwd",
            env={name: value for name, value in environ.items() if name not in condition.without},  # type: ignore[misc]
            preexec_fn=lambda: prepare(condition, private / "cwd"),  # noqa: PLW1509
        )
        for handle in handles.values():
            os.close(handle)
        status = process.wait(timeout=120)
        out, err = (
            None if number in condition.streams or number in condition.closed else self._read(private / str(number))
            for number in (1, 2)
        )
        return Ended(status, out, err)

    @staticmethod
    def _stream(private: Path, number: int, condition: Condition) -> int:
        kind = condition.streams.get(number)
        if kind == "full":
            return os.open("/dev/full", os.O_WRONLY)
        if kind == "pipe":
            reading, writing = os.pipe()
            os.close(reading)
            return writing
        return os.open(private / str(number), os.O_WRONLY | os.O_CREAT)

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text("utf-8", "replace")


def prepare(condition: Condition, directory: Path) -> None:
    """Make this process, a child, what *condition* says."""
    import resource  # which Windows has not

    for number in condition.closed:
        os.close(number)
    if not condition.has_directory:
        directory.rmdir()
    if condition.files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (condition.files, condition.files))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def test_every_command_is_among_them() -> None:
    leaves = {" ".join(words) for words, one in commands(parser()) if not subcommands(one)}
    assert leaves == set(FORMS) - {"", "nonsense"}


def written(condition: Condition, usual: Ended) -> int:
    """Return the status of a command whose output goes where *condition* says."""
    if 1 not in condition.streams or not usual.out or usual.status > exit_status.FINDINGS:
        return usual.status
    return 8 if condition.streams[1] == "full" else exit_status.BROKEN_PIPE


KINDS = (
    ("no stdin", "no stdout", "no stderr", "no streams"),
    ("stdout full", "stdout unread", "unbuffered, full", "unbuffered, unread"),
    ("stderr full", "stderr unread"),
    ("8 files", "20 files"),
    ("no directory", "no home", "no TMPDIR", "no UTF-8"),
)
"""Conditions that are alike."""


def test_every_condition_is_of_a_kind() -> None:
    assert sorted(name for names in KINDS for name in names) == sorted(CONDITIONS)


def pairs() -> Iterator[object]:
    """Give every condition with every command; each command has one of each kind in the gate, in turn."""
    for number, form in enumerate(FORMS):
        for names in KINDS:
            for name in names:
                in_turn = name == names[number % len(names)]
                yield pytest.param(name, form, marks=[] if in_turn else pytest.mark.broad("the rest of the product"))


@pytest.mark.parametrize(("name", "form"), list(pairs()))
def test_it_ends_as_documented(bench: Bench, name: str, form: str) -> None:
    condition, usual = CONDITIONS[name], bench.usual(form)
    found = bench.run(FORMS[form], condition)
    if condition.files:
        assert found.status in exit_status.MEANINGS
        assert found.status != exit_status.UNEXPECTED
        assert found.status != exit_status.FINDINGS or usual.status == exit_status.FINDINGS
    else:
        assert found.status == written(condition, usual)
    said = found.err or ""
    assert "Exception ignored" not in said
    assert "samebytes: bug" not in said
    assert "Traceback" not in said or form == "build"  # which hands on what the backend prints
    if found.err is not None and found.status not in (0, exit_status.FINDINGS, exit_status.BROKEN_PIPE):
        assert "samebytes: error" in said
    if found.out is not None and not condition.files and usual.status == 0 and form not in ("doctor", "survey run"):
        assert found.out.count("\n") == (usual.out or "").count("\n")


NOTHING_WRITABLE = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--remount-ro", "/dev"]
"""Runs a command where there is no place for temporary files either; the devices can be used."""

WRITING = {
    "normalize": 8,
    "compare": 8,
    "build": 2,
    "verify": 2,
    "install": 8,
    "tree fix": 8,
    "survey run": 13,
}
"""The statuses of commands that write, where nothing can be written."""


@pytest.mark.parametrize("form", WRITING)
def test_where_nothing_can_be_written(bench: Bench, form: str) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap")
    found = bench.run(FORMS[form], Condition(), around=NOTHING_WRITABLE)
    assert found.status == WRITING[form], found
    assert "samebytes: error: " in (found.err or "")
    assert "Traceback" not in (found.err or "")


ODD: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "directory": lambda path: path.mkdir(),
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "null": lambda path: path.symlink_to("/dev/null"),
    "loop": lambda path: path.symlink_to(path.name),
    "socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "dangling": lambda path: path.symlink_to("nowhere"),
    "unnameable": lambda _: None,
}
"""What is no file, by what makes it."""

OF_INPUTS = {
    "normalize": ["normalize", "-o", "OUT"],
    "check": ["check"],
    "compare": ["compare", "WHEEL"],
    "build": ["build", "-n", "-o", "OUT"],
    "verify": ["verify"],
    "install": ["install", "--target", "OUT/target"],
    "tree fix": ["tree", "fix", "--check"],
    "tree digest": ["tree", "digest"],
    "survey export": ["survey", "export", "--store"],
    "wrap": ["wrap", "--diff"],
}


NAMES = ("odd-1.0-py3-none-any.whl", "odd-1.0.tar.gz")
UNNAMEABLE = ("x" * 300 + ".whl", "d/" * 3000 + "x.tar.gz", "\udcff-1.0-py3-none-any.whl")


def odd_inputs() -> Iterator[object]:
    """Give every kind by every name to every command; each command has each kind by one name in the gate, in turn."""
    for row, command in enumerate(OF_INPUTS):
        for column, kind in enumerate(ODD):
            names = UNNAMEABLE if kind == "unnameable" else NAMES
            for number, name in enumerate(names):
                marks = [] if number == (row + column) % len(names) else pytest.mark.broad("the same by another name")
                yield pytest.param(command, kind, name, marks=marks, id=f"{command}-{kind}-{number}")


@pytest.mark.parametrize(("command", "kind", "name"), list(odd_inputs()))
def test_what_is_no_file_is_refused(bench: Bench, tmp_path: Path, command: str, kind: str, name: str) -> None:
    """At once: a FIFO is not waited for, and a device not read to its end."""
    if kind != "unnameable":
        ODD[kind](tmp_path / name)
    found = bench.run([*OF_INPUTS[command], str(tmp_path / name)], Condition())
    if kind == "directory" and command in ("tree digest", "tree fix", "normalize", "check"):
        return  # it is one
    assert found.status in (2, 3, 4, 7, 12, 13), found
    assert "samebytes: error" in (found.err or "")
    assert "Traceback" not in (found.err or "")
