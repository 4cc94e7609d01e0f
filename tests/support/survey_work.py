"""Work for runners, in place of examining: short, and each beginning of it leaves a line in a file.

It is called in other processes, so it is found by its name, and what it needs is in the environment.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from samebytes_tools.commands.survey.model import Examination, Target

from samebytes.errors import Interrupted

from . import surveys

DIARY, SECONDS = "SURVEY_WORK_DIARY", "SURVEY_WORK_SECONDS"


def linger(target: Target, stop: threading.Event) -> Examination:
    """Take a while, and find what could have been found; note the beginning and the end."""
    note(f"begin {target.name}")
    if stop.wait(float(os.environ.get(SECONDS, "0"))):
        note(f"stop {target.name}")
        raise Interrupted("stopped")
    note(f"end {target.name}")
    return surveys.examination(target.name, surveys.run(), started=int(time.time()))


def fail(target: Target, stop: threading.Event) -> Examination:
    """Fail if the package is called error."""
    if target.name == "error":
        raise ValueError("it cannot be\nbut it is")
    return linger(target, stop)


def deadly(target: Target, stop: threading.Event) -> Examination:
    """End this process if the package is called deadly."""
    if target.name == "deadly":
        note("begin deadly")
        os.kill(os.getpid(), signal.SIGKILL)
    return linger(target, stop)


def note(text: str) -> None:
    """Add a line to the diary; short lines are written whole, whoever else writes."""
    with Path(os.environ[DIARY]).open("a", encoding="utf-8") as diary:
        diary.write(f"{text}\n")


def diary(path: Path, what: str) -> Counter[str]:
    """Return how often the diary at *path* says *what* of each package."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return Counter(line.split()[1] for line in lines if line.split()[0] == what)
