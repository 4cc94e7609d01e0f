"""Programs that sleep while their clock is moved."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from samebytes_tools.variations.moved_clock import CLOCK_MOVED, build_steady_sleep, moved_clock

SLEEPER = """
import subprocess, sys, time
before = time.monotonic()
time.sleep(0.2)
print(time.monotonic() - before)
# One that closes its pipes first, so that its end must be waited for.
subprocess.run([sys.executable, "-c", "import os, time; os.closerange(0, 3); time.sleep(0.2)"], timeout=60, check=True)
print(time.time())
"""


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    library = build_steady_sleep(tmp_path, os.environ)
    found = moved_clock(os.environ, library)
    if not library or not found:
        pytest.skip("needs cc and libfaketime")
    return found


def test_programs_sleep_while_their_clock_is_moved(clock: dict[str, str]) -> None:
    command = [sys.executable, "-c", SLEEPER]
    done = subprocess.run(command, env={**os.environ, **clock}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    slept, moment = map(float, done.stdout.split())
    assert slept >= 0.2
    assert moment > time.time() + CLOCK_MOVED / 2


def test_without_a_compiler(tmp_path: Path) -> None:
    assert build_steady_sleep(tmp_path, {"PATH": str(tmp_path)}) is None


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    assert build_steady_sleep(tmp_path, {"PATH": str(tmp_path)}) is None


def test_a_directory_that_cannot_be_preloaded_from(tmp_path: Path) -> None:
    directory = tmp_path / "two words"
    directory.mkdir()
    assert build_steady_sleep(directory, os.environ) is None
    assert list(directory.iterdir()) == []
