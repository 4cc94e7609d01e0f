"""What a program in the sandbox reports is read within bounds, and nothing of it goes on afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samebytes_tools.commands.survey import examine, findings
from samebytes_tools.commands.survey.model import Examination, State
from samebytes_tools.commands.survey.sandbox import confined, sandbox
from samebytes_tools.commands.survey.sandbox.confined import End, Limits
from support.examples import examples
from support.processes import is_running, linux_only, pid_in, wait_for

GOOD = {"row": {"artifacts": [{"way": "as is", "kind": "wheel", "state": "same", "sha256": ["a", "b"]}]}}


def heard(code: str, tmp_path: Path, **more: Any) -> tuple[End, list[Mapping[str, Any]]]:
    """Return how a program ended, and what was understood of what it reported."""
    found: list[Mapping[str, Any]] = []
    end = confined.run(
        more.pop("command", [sys.executable, "-c", code]),
        {"request": 1},
        environ=os.environ,
        temp=str(tmp_path),
        is_private=False,
        limits=more.pop("limits", Limits(seconds=60)),
        hear=found.append,
    )
    return end, found


@pytest.mark.parametrize(
    "line",
    [
        "b'[' * 1_000_000",
        "b'{\"a\":' * 500_000",
        "b'\\xff\\xfe{}'",
        "b'x' * (9 << 20)",
        "b'9' * 1_000_000",
        "b'{\"size\": ' + b'9' * 1_000_000 + b'}'",
        "b'[1, 2]'",
        "b'\"\\\\ud800\"'",
        "b'\\0'",
    ],
)
def test_what_is_no_report_ends_nothing(line: str, tmp_path: Path) -> None:
    """The next report is heard."""
    code = f"import sys; out = sys.stdout.buffer; out.write({line} + b'\\n'); out.write(b'{{\"step\": \"last\"}}\\n')"
    end, found = heard(code, tmp_path)
    assert (end.status, end.over) == (0, "")
    assert found[-1] == {"step": "last"}


def test_reports_without_end_are_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_MOST_SAID", 1 << 20)
    end, found = heard("import os\nwhile True: os.write(1, b'{\"step\": \"' + b'x' * 65536 + b'\"}\\n')", tmp_path)
    assert end.over == "it said more than 1 MiB"
    assert len(found) <= 16


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**30) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["row", "step", "backend", "result", "error", "bug", "artifacts", "other"])
FIELDS = st.sampled_from(["way", "kind", "state", "sha256", "causes", "size", "name", "path", "log", "late", "notes"])
MESSAGES = st.dictionaries(NAMES, TREES | st.dictionaries(FIELDS, TREES, max_size=5), max_size=4)


@pytest.mark.slow("tries hundreds of generated reports")
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages=st.lists(MESSAGES, max_size=5))
def test_any_report_is_a_row_of_that_package(messages: list[dict[str, Any]]) -> None:
    """Whatever fields there are and of whatever type, what is understood can be stored."""
    answers = examine._Answers(None)
    for message in [*messages, GOOD]:
        answers.hear(json.loads(json.dumps(message)))
    state, reason, log = answers.outcome(End(0), 1 << 20, "")
    found = answers.completed(Examination("p", "1", State.FAILED, 0, 0.0), ())
    assert isinstance(state, State)
    for text in (reason, log, found.backend, *found.notes, *found.varied, *(one.file for one in found.artifacts)):
        text.encode()
        assert len(text) <= findings.LONGEST_LOG
    assert found.artifacts
    assert all(type(one.size) is int for one in found.artifacts)


def test_reports_do_not_add_up_without_end() -> None:
    answers = examine._Answers(None)
    for _ in range(3 * findings.MOST):
        answers.hear(GOOD)
        answers.hear({f"unknown{_}": "x"})
    assert len(answers._artifacts) == findings.MOST
    assert answers._others == {}


ORPHAN = """
import os, subprocess, sys, time
middle = subprocess.Popen([sys.executable, "-c", '''
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)", sys.argv[1]], start_new_session=True)
time.sleep(3)
''', sys.argv[1]])
middle.wait()
print('{"step": "done"}', flush=True)
"""


@pytest.mark.parametrize(
    "ends_by_itself", [True, pytest.param(False, marks=pytest.mark.slow("a process is waited for that does not end"))]
)
def test_a_process_that_lost_its_parents_is_ended_too(ends_by_itself: bool, tmp_path: Path) -> None:
    """Where there is neither a namespace nor a supervisor, as on macOS and Windows: it was seen before."""
    path = tmp_path / "pid"
    code = ORPHAN if ends_by_itself else f"{ORPHAN}time.sleep(600)"
    command = [sys.executable, "-c", code, str(path)]
    end, found = heard("", tmp_path, command=command, limits=Limits(seconds=60 if ends_by_itself else 20))
    assert found == [{"step": "done"}]
    assert bool(end.over) is not ends_by_itself
    pid = pid_in(path)
    wait_for(lambda: not is_running(pid) if sys.platform == "linux" else not psutil.pid_exists(pid))


@linux_only
def test_all_in_a_sandbox_end_at_once(tmp_path: Path) -> None:
    """They end with the first process, however many they are; none has to be looked for."""
    box = sandbox.find(os.environ, sandbox.readable(os.environ))
    if not box.program:
        pytest.skip(box.why_not)
    token = f"token-{os.getpid()}-{time.monotonic_ns()}"
    code = f"""
import os, time
for _ in range(100):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)  # {token}
print('{{"step": "begun"}}', flush=True)
time.sleep(600)
"""
    limits = Limits(seconds=60, processes=50, room=1 << 20)
    command = box.command([sys.executable, "-c", code], readable=sandbox.readable(os.environ), given={}, limits=limits)
    end = confined.run(
        command, {}, environ=os.environ, temp="/tmp", is_private=True, limits=limits, hear=lambda _: None
    )
    assert end.over == "it had more than 50 processes"
    alive = subprocess.run(["pgrep", "-f", token], capture_output=True, check=False)
    assert alive.stdout == b""
