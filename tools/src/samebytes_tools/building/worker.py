"""A process that does work for this one: it is given a request, and tells of steps and results, a line of JSON each.

The worker leads a session and so a process group of its own. That group, the compilers in it included, outlives
neither the work nor this process: its end is seen to here, and by the worker's own watch over its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from samebytes.errors import BackendError

from .processes import end, signalled

Say = Callable[[Mapping[str, Any]], None]


def run_worker(
    command: Sequence[str], environ: Mapping[str, str], request: object, hear: Say, *, limit: float = 0.0
) -> int:
    """Run *command*, give it *request*, hand every object that it sends to *hear*, and return its exit status.

    Nothing of the worker's process group is left then, nor when an exception (a signal's) passes through here.

    :param limit: the seconds after which it is ended; 0 for no limit.
    :raises BackendError: if it was ended so.
    """
    worker = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environ),
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    alarm = _Alarm(worker, limit)
    try:
        with contextlib.suppress(BrokenPipeError):  # it ended; its exit status says so
            worker.stdin.write(json.dumps(request) + "\n")
            worker.stdin.flush()
        for line in worker.stdout:
            message = _message(line)
            if message is not None:
                hear(message)
        _await(worker)
    finally:
        alarm.cancel()
        end(worker)
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.close()
        worker.stdout.close()
    if alarm.rang:
        raise BackendError(
            f"the build took longer than {limit:g} seconds, and was ended",
            remedy="Does it hang, or wait for an answer? If it is only slow, give it more with --timeout.",
        )
    return worker.returncode


class _Alarm:
    """Ends a worker's process group when its time is over."""

    def __init__(self, worker: subprocess.Popen[str], limit: float) -> None:
        self.rang = False
        self._worker = worker
        self._timer = threading.Timer(limit, self._ring) if limit > 0 else None
        if self._timer:
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """Let it not ring any more."""
        if self._timer:
            self._timer.cancel()
            self._timer.join()

    def _ring(self) -> None:
        self.rang = True
        if sys.platform == "win32":
            self._worker.kill()
        else:
            signalled(self._worker.pid, signal.SIGKILL)


def begin() -> tuple[Any, Say]:
    """Return what this process, a worker, was asked to do, and the function that tells of it.

    From now on it ends when the asking process does. Standard input is empty, and standard output is what standard
    error is: what is started here holds neither end of the conversation.
    """
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
    os._exit(1)


def _message(line: str) -> Mapping[str, Any] | None:
    """Return the object in *line*; None for anything else that was printed, by a sitecustomize for example."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _await(worker: subprocess.Popen[str]) -> None:
    """Wait for the end of *worker*, if possible without reaping it: a zombie keeps its group's number.

    macOS can wait so only from Python 3.13 on.
    """
    if sys.platform in ("win32", "darwin"):
        worker.wait()
    else:
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
