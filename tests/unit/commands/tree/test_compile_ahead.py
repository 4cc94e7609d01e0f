"""Compiling before it is asked for: the same results, every error and an end at any time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.commands.tree import compiler as compiling
from samebytes_tools.commands.tree.compile_ahead import CompilerAhead
from samebytes_tools.commands.tree.compiler import Compiler, Wanted

from samebytes.errors import UsageError


def sources(directory: Path, count: int = 12) -> list[Wanted]:
    texts = [f"x = {number}\n" * (number + 1) for number in range(count)]
    texts[3] = "def broken(:\n"
    for number, text in enumerate(texts):
        (directory / f"m{number}.py").write_text(text, encoding="utf-8")
    return [Wanted(directory / f"m{number}.py", f"/final/m{number}.py") for number in range(count)]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("begun", [0, 5, 12])
def test_the_results_are_the_same(jobs: int, begun: int, tmp_path: Path) -> None:
    wanted = sources(tmp_path)
    expected = Compiler(sys.executable).compile(wanted)
    assert [bool(one.problem) for one in expected] == [number == 3 for number in range(len(wanted))]
    with CompilerAhead(sys.executable, jobs=jobs) as ahead:
        for one in wanted[:begun]:
            ahead.begin([one, one])
        # More than is asked for, too.
        assert ahead.compile(wanted[2:]) == expected[2:]
        assert ahead.compile(wanted[::-1]) == expected[::-1]
        assert ahead.tag == Compiler(sys.executable).tag


def test_what_is_begun_is_read_then(tmp_path: Path) -> None:
    """It is done at once, not where it is asked for: the source may be gone by then."""
    (one,) = sources(tmp_path, 4)[:1]
    expected = Compiler(sys.executable).compile([one])
    with CompilerAhead(sys.executable) as ahead:
        ahead.begin([one])
        while not ahead._found:
            time.sleep(0.01)
        one.source.unlink()
        assert ahead.compile([one]) == expected


def test_nothing_is_started_for_nothing() -> None:
    with CompilerAhead("/nowhere/python") as ahead:
        ahead.begin([])
        assert ahead.compile([]) == []


def test_no_interpreter_is_an_error_where_it_is_asked_for(tmp_path: Path) -> None:
    with CompilerAhead("/nowhere/python", jobs=2) as ahead:
        ahead.begin(sources(tmp_path))
        with pytest.raises(UsageError, match="cannot be run"):
            ahead.compile(sources(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_an_error_ends_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    made = compiling._Worker.__init__

    def init(self: compiling._Worker, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]
        started.append(self._process)

    monkeypatch.setattr(compiling._Worker, "__init__", init)
    ahead = CompilerAhead(sys.executable, jobs=2)
    os.mkfifo(tmp_path / "pipe.py")  # nobody writes into it: who reads it waits
    with pytest.raises(KeyboardInterrupt):
        interrupted(ahead, Wanted(tmp_path / "pipe.py", "/final/pipe.py"), started)
    assert [process.poll() is not None for process in started] == [True]
    assert not any(thread.is_alive() for thread in ahead._threads)


def interrupted(ahead: CompilerAhead, wanted: Wanted, started: list[Any]) -> None:
    with ahead:
        ahead.begin([wanted])
        while not started:
            time.sleep(0.01)
        raise KeyboardInterrupt
