"""Commands run to their end: each leads a session, of which nothing is left when it is done, late or unwanted.

Nor when this process ends, in whatever way: a process of its own watches over that.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from samebytes.errors import Interrupted

from . import watchdog
from .watchdog import signalled

# SIGTERM first: gcc and others remove their temporary files on it. Windows has no SIGKILL.
_PATIENCE = ((signal.SIGTERM, 0.5), (getattr(signal, "SIGKILL", signal.SIGTERM), 5.0))
"""Signals, and the seconds that processes are given to end."""

_LONGEST_TURN = 0.05
"""Seconds between two looks at a command that has been running for a while."""

_STDERR = 2

_WATCHDOG = watchdog.__file__


class TooLate(Exception):
    """A command did not end within the time that was given."""


class CommandRunner:
    """Runs commands: what they print goes to one log, and none goes on after a moment, or once that is asked for."""

    def __init__(
        self, log: Path | None = None, *, stop: threading.Event | None = None, seconds: float | None = None
    ) -> None:
        """Begin to count.

        :param log: what is appended to; None for standard error.
        :param stop: once it is set, the command that is running is ended.
        :param seconds: the time that all commands together may take from now on; None for as long as they want.
        """
        self.log, self.seconds = log, seconds
        self._stop = stop or threading.Event()
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def run(self, command: Sequence[str], *, cwd: Path | None, environ: Mapping[str, str], umask: int = -1) -> int:
        """Run *command* and return its exit status, or the negative number of the signal that ended it.

        :param cwd: the directory to run it in; None for the current one.
        :raises TooLate: if the time is over.
        :raises Interrupted: if it was stopped.
        :raises OSError: if it cannot be started.
        """
        return self.start(command, cwd=cwd, environ=environ, umask=umask).wait()

    def check(self) -> None:
        """Raise an error if all is to end.

        :raises Interrupted: if it was stopped.
        """
        if self._stop.is_set():
            raise _stopped()

    def note(self, line: str) -> None:
        """Write *line* where what commands print goes."""
        with self._sink() as sink:
            os.write(sink, f"{line}\n".encode())

    @contextlib.contextmanager
    def _sink(self) -> Iterator[int]:
        # Else what was written before appears after the output of the command.
        sys.stderr.flush()
        if self.log is None:
            yield _STDERR
        else:
            # Appended to: several processes write at once, and O_APPEND keeps them from overwriting one another.
            with self.log.open("ab") as file:
                yield file.fileno()

    def start(
        self, command: Sequence[str], *, cwd: Path | None, environ: Mapping[str, str], umask: int = -1, **handles: Any
    ) -> Running:
        """Start *command*; whoever does that waits for it.

        :param handles: what :class:`subprocess.Popen` takes for handing files over.
        :raises OSError: if it cannot be started.
        :raises Interrupted: if all was stopped before.
        """
        self.check()
        options: dict[str, Any] = dict(handles)
        # Not preexec_fn, which is unsafe with threads; the parameter is new in Python 3.9.
        if umask >= 0 and os.name != "nt":
            options["umask"] = umask
        with self._sink() as sink:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environ),
                # What asks for input fails then, rather than waits unseen.
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                **options,
            )
        _watchdog.watch(process.pid)
        return Running(process, self._stop, self._deadline, moves_clock="FAKETIME" in environ)


class Running:
    """A command that was started."""

    def __init__(
        self, process: subprocess.Popen[bytes], stop: threading.Event, deadline: float | None, *, moves_clock: bool
    ) -> None:
        self._process, self._stop, self._deadline, self._moves_clock = process, stop, deadline, moves_clock
        self._is_over = False
        _running.add(self)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit status; nothing of its session is left then.

        :param timeout: the seconds that it is given; None for as long as all commands have.
        :raises subprocess.TimeoutExpired: if that is over.
        :raises TooLate: if the time of all commands is over.
        :raises Interrupted: if it was stopped.
        """
        # Short at first: many commands, such as git's, take milliseconds.
        turn, start = 0.001, time.monotonic()
        try:
            while not self._is_over and not _has_ended(self._process):
                if self._stop.wait(turn):
                    raise _stopped()
                if self._deadline is not None and time.monotonic() > self._deadline:
                    raise TooLate
                if timeout is not None and time.monotonic() > start + timeout:
                    raise subprocess.TimeoutExpired(self._process.args, timeout)
                turn = min(2 * turn, _LONGEST_TURN)
        finally:
            # Also after a normal end: what a build left running is not to go on.
            self.terminate()
        return self._process.returncode

    def terminate(self) -> None:
        """End the command and all that it started."""
        # Its exit status does not say so: where asking for that reaps it, what it started may still run.
        if not self._is_over:
            self._is_over = True
            _end(self._process)
            _watchdog.forget(self._process.pid)
            _running.discard(self)
            if self._moves_clock:
                _forget_clock(self._process.pid)

    def kill_if(self, stop: threading.Event) -> None:
        """End all of it at once, from another thread than the one that waits for it, if *stop* is what stops it."""
        # Another check in this process has a stop of its own.
        if self._stop is stop:
            _end(self._process, _PATIENCE[1:])


def kill_all(stop: threading.Event) -> None:
    """End at once what runners that were given *stop*, which is set, have running still."""
    for running in list(_running):
        running.kill_if(stop)


def at_death(name: str, command: Sequence[str] | None) -> None:
    """Let *command* be run if this process is killed from now on (POSIX); None: no longer.

    :param name: what it is about.
    """
    _watchdog.run_then(name, command)


def _stopped() -> Interrupted:
    return Interrupted("stopped", remedy="Run the command again.")


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether *process* has ended, if possible without reaping it: a zombie keeps its group's number.

    macOS can be asked so only from Python 3.13 on; a number that is free again is not given away so soon.
    """
    if sys.platform in ("win32", "darwin") or not hasattr(os, "waitid"):
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:  # another thread has ended it, and reaped it
        return True


def _end(process: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]] = _PATIENCE) -> None:
    """End all processes of the session that *process* leads: ask them to, then do not ask; and reap it."""
    if sys.platform == "win32":
        # TerminateProcess ends one process; what that started goes on.
        process.terminate()
        process.wait()
        return
    for number, patience in signals:
        signalled(process.pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            # Those that one process has started since the last look are still there when it has ended.
            again = number if number == signal.SIGKILL else 0
            if process.poll() is not None and not signalled(process.pid, again):
                return
            time.sleep(0.01)


def _forget_clock(leader: int) -> None:
    """Remove what libfaketime shares between processes: it stays if their leader became another program, or was ended.

    The names are libfaketime's; processes that the leader starts use the leader's.
    """
    for name in (f"faketime_shm_{leader}", f"sem.faketime_sem_{leader}"):
        Path("/dev/shm", name).unlink(missing_ok=True)


class _Watchdog:
    """The process that ends what is still running when this one ends; started with the first command (POSIX)."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def watch(self, leader: int) -> None:
        """End the session that *leader* leads when this process ends."""
        if os.name == "posix":
            self._send(f"+{leader}\n")

    def forget(self, leader: int) -> None:
        """Leave the session of *leader*, which has ended, alone: its number may become another's."""
        if os.name == "posix":
            self._send(f"-{leader}\n")

    def run_then(self, name: str, command: Sequence[str] | None) -> None:
        """Run *command* when this one ends; None: no longer."""
        if os.name == "posix":
            self._send(json.dumps({name: command}) + "\n")

    def _send(self, line: str) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):  # without it, all goes on
            if self._process is None:
                command = [sys.executable, "-I", "-S", _WATCHDOG]
                nothing = subprocess.DEVNULL
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True, bufsize=0
                )
                atexit.register(self._close)
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode("ascii"))

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


_watchdog = _Watchdog()
_running: set[Running] = set()
