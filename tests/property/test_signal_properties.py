"""A signal may come at any moment: at whatever line the work is, it ends with status 143, and nothing is left behind.

Each run is of one command, and gets SIGTERM at one line of ours, or of the libraries that make temporary files and
processes; which lines, is drawn. SAMEBYTES_MOMENTS=100 takes a hundred times as many.
"""

from __future__ import annotations

import json
import linecache
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import samebytes_tools
from support import moments as served
from support.artifacts import wheel
from support.processes import import_path, linux_only
from support.projects import SMALL_BACKEND, write_tree

import samebytes
from samebytes import errors

pytestmark = [linux_only, pytest.mark.slow("starts many processes")]

TIMES = int(os.environ.get("SAMEBYTES_MOMENTS", "1"))
"""How many times the usual number of moments are tried."""
MOMENTS = 12
"""That usual number, for each command."""

PLACES = [f"{Path(package.__file__).parent}{os.sep}" for package in (samebytes, samebytes_tools)]
PLACES += [str(module.__file__) for module in (tempfile, subprocess)]

COMMAND = "import sys; from samebytes.commands.main import main; sys.exit(main({}))"
HOOK = """
from samebytes import backend
hasattr(backend, "build_editable")
backend.build_wheel({!r})
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "{}"\n{}\n'
PATH = 'backend-path = ["backend"]'
WRAPPED = PYPROJECT.format("samebytes.backend", f'[tool.samebytes]\nbuild-backend = "small_backend"\n{PATH}')
ONE, TWO = "in/one-1.0-py3-none-any.whl", "in/two-1.0-py3-none-any.whl"
PROGRAMS = {
    "normalize": COMMAND.format(["normalize", ONE, TWO, "-o", "out"]),
    "normalize in place": COMMAND.format(["normalize", ONE, "-j1"]),
    "check": COMMAND.format(["check", "in"]),
    "compare": COMMAND.format(["compare", ONE, TWO]),
    "install": COMMAND.format(["install", ONE, "--target", "out"]),
    "tree fix": COMMAND.format(["tree", "fix", "site", "-j2"]),
    "tree digest": COMMAND.format(["tree", "digest", "site"]),
    "wrap": COMMAND.format(["wrap", "plain"]),
    "build": COMMAND.format(["build", "wrapped", "-w", "-n", "-o", "out"]),
    "check of a source": COMMAND.format(["check", "plain", "-w", "-n", "--vary=-all"]),
    "hook": f"import os; os.chdir('wrapped'){HOOK.format('../there')}",
}
"""What is run, in a directory that :func:`laid_out` has filled."""


class Run(NamedTuple):
    """What became of a run."""

    status: int
    sent: bool
    """Whether there was a signal: where threads race, a line may be run less often than once before."""
    lines: list[tuple[str, int, int]]
    before: dict[str, bytes | None]
    after: dict[str, bytes | None]
    printed: str


class Server:
    """The process whose forks are the runs."""

    def __init__(self, root: Path) -> None:
        self._root = root
        command = [sys.executable, "-B", str(served.__file__)]
        environ = {**os.environ, **import_path()}
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, program: str, at: tuple[str, int, int] | None) -> Run:
        """Run *program* in the directory that all runs have, and return what became of it."""
        place, output = self._root / "place", self._root / "output"
        shutil.rmtree(place, ignore_errors=True)
        output.unlink(missing_ok=True)
        laid_out(place)
        before = contents(place)
        request = {"program": program, "at": at, "cwd": str(place), "output": str(output)}
        request["environ"] = {"TMPDIR": str(place / "tmp"), "HOME": str(self._root)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        status, sent, seen = json.loads(self._process.stdout.readline())
        return Run(status, sent, seen, before, contents(place), output.read_text())

    def close(self) -> None:
        with self._process:
            pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("moments"))
    yield server
    server.close()


def laid_out(place: Path) -> None:
    """Make the directory *place*, with all that the programs read."""
    (place / "tmp").mkdir(parents=True)
    for name in ("in", "there"):
        (place / name).mkdir()
    wheel(place / "in", "one", {"one.py": b"pass\n"})
    wheel(place / "in", "two", {"two.py": b"pass\n", "more.py": b""})
    write_tree(place / "site", {"one.py": "pass\n", "sub/two.py": "pass\n"})
    for name, text in (("plain", PYPROJECT.format("small_backend", PATH)), ("wrapped", WRAPPED)):
        write_tree(place / name, {"pyproject.toml": text, "backend/small_backend.py": SMALL_BACKEND})


def contents(place: Path) -> dict[str, bytes | None]:
    """Return the files and directories in *place*, with their bytes."""
    return {str(path.relative_to(place)): path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_signal_at_any_line_leaves_nothing(name: str, server: Server) -> None:
    """What is there afterwards is what was there before, or what there is after the whole work; nothing between."""
    demand(name, server, PLACES, MOMENTS)


@pytest.mark.parametrize("name", ["hook", "build", "check of a source", "tree fix"])
def test_no_process_and_no_directory_is_lost_while_it_is_made(name: str, server: Server) -> None:
    """The moments between that it is there and that anybody knows of it."""
    demand(name, server, [str(module.__file__) for module in (tempfile, subprocess)], MOMENTS // 2)


def demand(name: str, server: Server, places: Sequence[str], moments: int) -> None:
    """Run a program with signals at lines of the files in *places*, and look at what is left."""
    server.run(PROGRAMS[name], None)  # it imports more than those that follow
    whole = server.run(PROGRAMS[name], None)
    assert whole.status in (0, 1), whole.printed
    # Sorted by where the packages are in what they belong to: which lines are drawn is not to depend on where that is.
    lines = [
        line
        for place in places
        for line in sorted(line for line in whole.lines if line[0].startswith(place))
        if is_interruptible(*line[:2])
    ]
    assert len(lines) > 20
    draw, sent = random.Random(f"{name} {os.environ.get('SAMEBYTES_SEED', '')}"), 0
    chosen = draw.sample(lines, min(TIMES * moments, len(lines)))
    for file, line, times in chosen:
        at = (file, line, draw.randint(1, times))
        run = server.run(PROGRAMS[name], at)
        sent += run.sent
        # Between the probe for hooks and the call of one, the front end's handlers count again, and a session is kept:
        # what SIGTERM does by default lets no code run.
        if name == "hook" and run.status == -15 and file == errors.__file__:
            continue
        # In a few functions, the signal is put off a little: the process may be done with all before it comes.
        assert run.status in ((143, -15) if run.sent else (0, 1)), (at, run.printed)
        assert run.status != -15 or run.after == whole.after, at
        assert "Traceback" not in run.printed, at
        assert left(run, whole) == [], at
    assert 2 * sent > len(chosen)


def is_interruptible(file: str, line: int) -> bool:
    """Return whether a signal may be handled on this *line*, as it is not on that of a "try:".

    Python does nothing there (NOP), so it looks for no signal and has no handler of errors; only a trace function can
    raise there.
    """
    return linecache.getline(file, line).strip() != "try:"


def left(run: Run, whole: Run) -> list[str]:
    """Return the files and directories that are neither as they were nor as they are after the *whole* work."""
    found = run.after
    return [
        path
        for path in found.keys() | run.before.keys()
        if found.get(path, "") not in (run.before.get(path, ""), whole.after.get(path, ""))
    ]
