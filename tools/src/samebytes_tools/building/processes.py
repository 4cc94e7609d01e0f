"""Commands with an end: each leads a process group, of which nothing is left when it is done, late or not wanted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samebytes.errors import Interrupted

_PATIENCE = ((signal.SIGTERM, 2.0), (getattr(signal, "SIGKILL", signal.SIGTERM), 5.0))
"""Signals, and the seconds that processes are given to end."""

_TURN = 0.05


class TooLate(Exception):
    """The command took longer than it was given."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environ: Mapping[str, str],
    log: Path,
    stop: threading.Event,
    timeout: float | None = None,
    umask: int = -1,
) -> int:
    """Run *command*, append what it says to *log*, and return its exit status.

    :param stop: once it is set, the command is ended.
    :param timeout: in seconds.
    :raises TooLate: after so many seconds.
    :raises Interrupted: if *stop* was set.
    :raises OSError: if it cannot be started.
    """
    options = {"umask": umask} if umask >= 0 and os.name != "nt" else {}
    with log.open("ab") as sink:
        process = subprocess.Popen(  # type: ignore[call-overload]
            list(command),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            **options,
        )
    try:
        _await(process, stop, None if timeout is None else time.monotonic() + timeout)
    finally:
        end(process)
        if "FAKETIME" in environ:
            _forget_clock(process.pid)
    status: int = process.returncode
    return status


def _await(process: subprocess.Popen[bytes], stop: threading.Event, deadline: float | None) -> None:
    while not _has_ended(process):
        if stop.wait(_TURN):
            raise Interrupted("stopped")
        if deadline is not None and time.monotonic() > deadline:
            raise TooLate


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether it has, if possible without reaping it: as long as it is a zombie, its group's number is its own.

    macOS can tell without reaping only from Python 3.13 on.
    """
    if sys.platform in ("win32", "darwin"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def end(process: subprocess.Popen[Any]) -> None:
    """End all processes of the group that *process* leads: ask them to, then do not ask; and reap it."""
    if sys.platform == "win32":
        process.terminate()
        process.wait()
        return
    for number, patience in _PATIENCE:
        signalled(process.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if process.poll() is not None and not signalled(process.pid, 0):
                return
            time.sleep(0.01)


def _forget_clock(leader: int) -> None:
    """Remove what libfaketime shares between processes: it stays if their leader became another program, or was ended.

    The names are libfaketime's; processes that the leader starts use the leader's.
    """
    for name in (f"faketime_shm_{leader}", f"sem.faketime_sem_{leader}"):
        Path("/dev/shm", name).unlink(missing_ok=True)


def signalled(group: int, number: int) -> bool:
    """Send *number* to the process group; tell whether there is one. (macOS forbids it where only zombies are left.)"""
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
