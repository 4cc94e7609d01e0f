"""The process that builds one package of a survey, in the sandbox; it reports in JSON, an object a line.

``step`` while it goes on, ``backend``, ``row`` for each way as soon as it is done, or ``rebuild`` for each published
file; in the end ``result``, ``error`` (what is wrong with the package) or ``bug``.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samebytes.console import exit_status
from samebytes.errors import SamebytesError

from .job import Say, build
from .rebuild_job import rebuild


def main() -> int:
    """Do what this process is asked for, and return the exit status."""
    request, say = begin()
    os.umask(0o022)
    warnings.simplefilter("ignore")  # releases of pyproject-hooks repeat what backends warn of
    Path(os.environ["HOME"]).mkdir(parents=True, exist_ok=True)
    try:
        work = rebuild if "release" in request else build
        work(request, os.environ, time.time, say)
    except SamebytesError as error:
        # What is wrong with the package is a result: the status is for what is wrong with us.
        say({"error": error.message})
    except Exception as error:  # reported by the process over there
        traceback.print_exc()
        say({"bug": f"{type(error).__name__}: {error}"})
        return exit_status.UNEXPECTED
    return exit_status.FINE


def begin() -> tuple[Any, Say]:
    """Return what this process, a worker, was asked to do, and the function that reports what becomes of it.

    From now on it ends when the asking process does. Standard input is empty, and standard output is what standard
    error is: what is started here holds neither end of the conversation.
    """
    # Not inheritable (PEP 446), so that no build gets hold of them.
    watched, answers = os.dup(0), os.fdopen(os.dup(1), "w", encoding="ascii")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    with open(watched, encoding="utf-8", closefd=False) as requests:
        request = json.loads(requests.readline())
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()

    def say(message: Mapping[str, Any]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    return request, say


def _end_with(watched: int) -> None:
    """Wait until *watched* is closed at its other end, then end this process and its group."""
    os.read(watched, 1)
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    # Not sys.exit(), which in a thread ends that thread alone.
    os._exit(1)
