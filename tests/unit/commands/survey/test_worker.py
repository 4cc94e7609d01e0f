"""The process that builds one package: what it is asked and reports, and that it ends with whoever asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.commands.survey import job
from support.processes import import_path, is_running, linux_only, pid_in, wait_for
from support.surveyed import sdist

BEGIN = """
import os, subprocess, sys, time
from pathlib import Path
from samebytes_tools.commands.survey.worker import begin

request, say = begin()
"""


def worker(code: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, **import_path()},
        start_new_session=True,
    )


def asked(code: str, tmp_path: Path, request: object) -> tuple[int, list[Any]]:
    """Return the exit status of a worker that does *code*, and what it reported."""
    with worker(code, tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        assert process.stdout is not None
        said = [json.loads(line) for line in process.stdout]
        process.wait()
        process.stdin.close()
    return process.returncode, said


def test_request_messages_and_status(tmp_path: Path) -> None:
    request = {"path": "caf\udcff\u00e9", "long": "x" * 200_000}
    code = "print('on the way'); say({'step': 'one'}); say({'got': request}); sys.exit(3)"
    assert asked(code, tmp_path, request) == (3, [{"step": "one"}, {"got": request}])


def test_its_programs_read_nothing_and_do_not_report(tmp_path: Path) -> None:
    code = "say({'read': subprocess.run(['cat'], stdout=subprocess.PIPE, timeout=20).stdout.decode()})\n"
    code += "subprocess.run(['echo', '{}'])"
    assert asked(code, tmp_path, "a secret") == (0, [{"read": ""}])


@linux_only
def test_it_ends_with_whoever_asked(tmp_path: Path) -> None:
    """And so does what it started, even if that does not end when it is asked to."""
    code = """
child = subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; echo $$ >pid.new; mv pid.new pid; sleep 60"])
time.sleep(60)
"""
    with worker(code, tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        child = pid_in(tmp_path / "pid")
        process.stdin.close()
        wait_for(lambda: not is_running(process.pid), "the worker's end")
        wait_for(lambda: not is_running(child), "the end of its child")


def test_an_interpreter_that_does_not_answer_is_no_fault_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is under load, it may take longer than it has: the package was not tried then."""
    monkeypatch.setattr(job, "describe", lambda _: None)
    request = {"sdist": str(sdist(tmp_path)), "seconds": 1, "is_private": False, "installer": "pip"}
    said: list[Any] = []
    with pytest.raises(RuntimeError, match="does not answer what it is"):
        job.build(request, os.environ, time.time, said.append)
    assert [list(one) for one in said] == [["backend"]]
