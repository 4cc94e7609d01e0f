"""Runs a program in a sandbox, hands on its answers, and watches what it takes: time, memory, room, processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from samebytes.errors import Interrupted

Hear = Callable[[Mapping[str, Any]], None]

_TURN = 0.2
"""Seconds between looks at what the program takes."""

# A program that never ends its line must not fill the memory of this process.
_LONGEST_LINE = 4 << 20
_MOST_SAID = 64 << 20
_MOST_DIGITS = 18
_TAIL = 1 << 16
_PATIENCE = 10.0
"""Seconds for what was ended to be gone."""

_LITTLE = 1 << 20
"""Bytes left that count as none."""


@dataclass(frozen=True)
class Limits:
    """How much a program, with all that it starts, may take."""

    seconds: float = 3600.0
    memory: int = 6 << 30
    """Bytes in memory, files there not counted."""
    room: int = 6 << 30
    """Bytes of all files."""
    processes: int = 1000


@dataclass(frozen=True)
class End:
    """How a program ended."""

    status: int
    over: str = ""
    """The limit that it was ended for, in words."""
    memory: int | None = None
    """Of its largest process, in bytes; None where that cannot be seen."""
    tail: str = ""
    """What it said last to standard error."""


def run(
    command: Sequence[str],
    request: object,
    *,
    environ: Mapping[str, str],
    temp: str,
    is_private: bool,
    limits: Limits,
    hear: Hear,
    stop: threading.Event | None = None,
) -> End:
    """Run *command*, give it *request* in a line of JSON, and hand each object that it says in a line to *hear*.

    :param temp: the directory for its files, as it sees it.
    :param is_private: whether that is a file system of its own, as large as may be written.
    :param stop: once it is set, the program is ended.
    :raises Interrupted: if *stop* was set.
    """
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        # A directory that the sandbox has, too.
        cwd="/",
        start_new_session=True,
    )
    # Each in a thread: a pipe that nobody reads would stop the program.
    said, tail = _Lines(process.stdout, hear), _Tail(process.stderr)
    watch = _Watch(process.pid, limits, temp, is_private=is_private)
    try:
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        over = _await(process, watch, said, stop)
    finally:
        _end(process, watch.seen, is_private=is_private)
        said.join(_PATIENCE)  # what was never seen, and is in no namespace, may hold the other ends
        tail.join(_PATIENCE)
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.close()
    return End(process.returncode, over, watch.memory or None, tail.text)


def _await(process: subprocess.Popen[bytes], watch: _Watch, said: _Lines, stop: threading.Event | None) -> str:
    """Wait for the end of *process*, or for a limit, and say which."""
    while True:
        over = watch.look() or said.wrong
        if over or process.poll() is not None:
            return over
        if stop is not None and stop.is_set():
            raise Interrupted("stopped", remedy="Run the command again.")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TURN)


def _end(process: subprocess.Popen[bytes], seen: set[psutil.Process], *, is_private: bool) -> None:
    """End it with everything below it, and what was *seen* there before and goes on without its parents.

    With the first process of a sandbox, all in there end at once, by the kernel, however many they are.
    """
    if process.poll() is None:
        _kill(_below(process.pid, is_first_only=is_private))
        if sys.platform != "win32":
            process.terminate()  # one that supervises clears up; bubblewrap just ends
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
        # SIGKILL also to one that ignores the first signal.
        process.kill()
        process.wait()
    _kill(seen)


def _kill(processes: Iterable[psutil.Process]) -> None:
    for one in processes:
        with contextlib.suppress(psutil.Error):  # it ended; its number may be another's by now, which psutil sees
            one.kill()


class _Lines(threading.Thread):
    """Reads what a program says that nobody trusts."""

    def __init__(self, pipe: Any, hear: Hear) -> None:
        super().__init__(daemon=True)
        self._pipe, self._hear = pipe, hear
        self.wrong = ""
        self.start()

    def run(self) -> None:
        total = 0
        while True:
            # Longer lines come in pieces, which are no JSON and are passed over.
            line = self._pipe.readline(_LONGEST_LINE)
            total += len(line)
            if not line:
                break
            if total > _MOST_SAID:
                # Read on and thrown away until it is ended: it must not block on the pipe.
                self.wrong = f"it said more than {_MOST_SAID >> 20} MiB"
                continue
            try:
                message = json.loads(line, parse_int=_integer)
            except (ValueError, RecursionError):
                continue  # it is not what the worker says: a build found the pipe
            if isinstance(message, dict):
                self._hear(message)
        self._pipe.close()


def _integer(digits: str) -> int:
    """Return an integer, 0 for one of so many digits that Python before 3.11 would take a while."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 0


class _Tail(threading.Thread):
    """Keeps the end of what a program says."""

    def __init__(self, pipe: Any) -> None:
        super().__init__(daemon=True)
        self._pipe, self._kept = pipe, b""
        self.start()

    def run(self) -> None:
        for piece in iter(lambda: self._pipe.read1(_TAIL), b""):
            self._kept = (self._kept + piece)[-_TAIL:]
        self._pipe.close()

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")


class _Watch:
    """Looks at what a process and all below it take."""

    def __init__(self, pid: int, limits: Limits, temp: str, *, is_private: bool) -> None:
        self._pid, self._limits, self._temp, self._is_private = pid, limits, temp, is_private
        self._deadline = time.monotonic() + limits.seconds
        self.memory = 0
        self.seen: set[psutil.Process] = set()

    def look(self) -> str:
        """Return which limit is passed, or nothing."""
        if time.monotonic() > self._deadline:
            return f"it took longer than {self._limits.seconds:g} seconds"
        processes = _below(self._pid)
        if not self._is_private:  # who loses its parent is not found below any more
            self.seen.update(processes)
        if len(processes) > self._limits.processes:
            return f"it had more than {self._limits.processes} processes"
        if sum(map(self._resident, processes)) > self._limits.memory:
            return f"it took more than {self._limits.memory >> 20} MiB of memory"
        if self._is_full(processes):
            return f"it wrote more than {self._limits.room >> 20} MiB"
        return ""

    def _resident(self, process: psutil.Process) -> int:
        """Return how much *process* has in memory, and note it."""
        try:
            size: int = process.memory_info().rss
        except psutil.Error:  # it ended meanwhile, or is another user's
            return 0
        self.memory = max(self.memory, size)
        return size

    def _is_full(self, processes: Sequence[psutil.Process]) -> bool:
        if not self._is_private:
            return _size(self._temp) > self._limits.room
        for one in processes:
            with contextlib.suppress(OSError):
                # The sandbox's file system, seen from outside; bubblewrap's first process is not in there.
                usage = shutil.disk_usage(f"/proc/{one.pid}/root{self._temp}")
                # A tmpfs rounds up to whole pages, so it may be a little larger; another file system is far larger.
                if usage.total <= self._limits.room * 1.01:
                    return usage.free < _LITTLE
        return False


def _size(directory: str) -> int:
    """Return how many bytes the files below *directory* take, as far as they stay while it is counted."""
    total, directories = 0, [directory]
    for folder in directories:  # not by recursion: what a package makes may be deeper than Python's stack
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += _taken(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        directories.append(entry.path)
    return total


def _taken(facts: os.stat_result) -> int:
    if sys.platform == "win32":  # which does not say how many blocks a file has
        return facts.st_size
    # Blocks of 512 bytes, whatever the file system's are (stat(2)).
    return facts.st_blocks * 512


def _below(pid: int, *, is_first_only: bool = False) -> list[psutil.Process]:
    """Return all processes that *pid* and those that it started have started; or those of itself only."""
    try:
        return psutil.Process(pid).children(recursive=not is_first_only)
    except psutil.Error:  # it ended meanwhile
        return []
