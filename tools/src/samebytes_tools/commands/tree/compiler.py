"""Compiles sources with any CPython, many at a time, to bytes that no clock, order or number of processes decides."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.artifact import marshal_writer
from samebytes.artifact.pyc import FLAGS
from samebytes.commands.normalize.executor import in_order
from samebytes.errors import UsageError

_WORKER = Path(__file__).with_name("compile_worker.py")
_RULE = Path(marshal_writer.__file__).parent
"""The directory of the rule by which the worker writes code: ``marshal_writer.py``, and what that imports."""
_PATIENCE = 2.0
"""Seconds that a program which is not a Python, and answers something else, is given to end."""
_REMEDY = "Name another with --python: a CPython from 3.8 to 3.14, the one that is to import what is compiled."


class Wanted(NamedTuple):
    """A compiled module to make."""

    source: Path
    """Where the source is now."""
    filename: str
    """Where it will be: ``co_filename``, which tracebacks show."""
    optimize: int = 0
    """0, 1 or 2."""


class Compiled(NamedTuple):
    """The compiled module, or why there is none."""

    data: bytes
    """The whole ``.pyc``; empty if there is none."""
    problem: str = ""
    """Why there is none, in one line."""
    source: bytes = b""
    """The SHA-256 of what was compiled."""


class Compiler:
    """Compiles for one interpreter.

    :param executable: the interpreter's path.
    :param mode: ``checked-hash`` or ``unchecked-hash`` (PEP 552).
    :param jobs: how many processes compile at a time.
    """

    def __init__(self, executable: str | Path, mode: str = "checked-hash", jobs: int = 1) -> None:
        self._executable = str(executable)
        self._flags = FLAGS[mode]
        self._jobs = jobs
        # Asked for when it is needed: starting an interpreter takes time.
        self._interpreter = ""

    @property
    def tag(self) -> str:
        """As in the names of compiled modules: ``cpython-311``.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        return self.interpreter.partition("\n")[0]

    @property
    def interpreter(self) -> str:
        """The tag, and in further lines what tells apart interpreters that make different code.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        if not self._interpreter:
            # In a process that ends here: those that compile belong to the threads that start them.
            worker = _Worker(self._executable, os.environ)
            try:
                self._interpreter = worker.greeting()
                worker.close()
            finally:
                worker.kill()
        return self._interpreter

    def compile(self, wanted: Sequence[Wanted]) -> list[Compiled]:
        """Return what became of each of *wanted*, in their order.

        A source that does not compile, cannot be read or makes the interpreter end is a result like others.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        # The largest first, so that no process is left with much to do at the end.
        order = sorted(range(len(wanted)), key=lambda index: size_of(wanted[index].source), reverse=True)
        workers = Workers(self._executable, self._flags)
        try:
            found = in_order(lambda index: workers.compile(wanted[index]), order, min(self._jobs, len(wanted)), workers)
            # To its end: what ends by itself when it is deleted can swallow a signal.
            results = dict(zip(order, list(found)))
        finally:
            workers.close()
        return [results[index] for index in range(len(wanted))]


def size_of(path: Path) -> int:
    """Return the size of a source in bytes; 0 if it cannot be read, which the worker will report."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


class Workers(threading.Event):
    """Processes of one interpreter, of which each thread takes one; setting the event kills them.

    So neither an error in one thread nor a signal has to wait for what the others compile.

    :param executable: the interpreter's path.
    :param flags: of the compiled modules (PEP 552).
    """

    def __init__(self, executable: str, flags: int) -> None:
        super().__init__()
        self._executable = executable
        self._flags = flags
        self._lock = threading.Lock()
        self._running: set[_Worker] = set()
        self._idle: list[_Worker] = []

    def compile(self, wanted: Wanted) -> Compiled:
        """Return what becomes of *wanted*, by a process that no other thread has meanwhile.

        :raises UsageError: if the interpreter cannot be run, or its code is not known.
        """
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        worker = idle or self._started()
        try:
            found = worker.compile(wanted, self._flags)
        except _Died:
            self._ended(worker)
            if self.is_set():
                raise
            return self._alone(wanted)
        with self._lock:
            self._idle.append(worker)
        return found

    def _alone(self, wanted: Wanted) -> Compiled:
        """Compile what a worker died of in a new process: what it had compiled before may have been the cause."""
        worker = self._started()
        try:
            return worker.compile(wanted, self._flags)
        except _Died:
            return Compiled(b"", f"the interpreter ended with {self._ended(worker)} when it compiled this alone")
        finally:
            self._ended(worker)

    def _started(self) -> _Worker:
        worker = _Worker(self._executable, os.environ)
        with self._lock:
            self._running.add(worker)
            if self.is_set():
                worker.kill()
        worker.greeting()
        return worker

    def _ended(self, worker: _Worker) -> str:
        with self._lock:
            self._running.discard(worker)
        return worker.close()

    def set(self) -> None:
        super().set()
        with self._lock:
            for worker in self._running:
                worker.kill()

    def close(self) -> None:
        """End all processes and wait for them; no thread may use them any more."""
        for worker in self._running:
            worker.close()


class _Died(Exception):
    """A worker ended while it was asked for something."""


class _Worker:
    """A process of the target's interpreter.

    Its environment is ours without all that is Python's, its hash seed is fixed, and it imports from the standard
    library only. (``-I`` would do the same, but for the seed.)
    """

    def __init__(self, executable: str, environ: Mapping[str, str]) -> None:
        self._executable = executable
        # A file and not a pipe, which nobody reads and which would fill.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        clean = {name: value for name, value in environ.items() if not name.upper().startswith("PYTHON")}
        try:
            self._process = subprocess.Popen(
                # -W: SyntaxWarnings of what is compiled are not ours to show. -B: the rule's own directory stays as it
                # is.
                [executable, "-s", "-S", "-B", "-W", "ignore", str(_WORKER), str(_RULE)],
                env={**clean, "PYTHONHASHSEED": "0"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                # Ctrl-C is for this process, which ends its workers in order.
                start_new_session=True,
            )
        except OSError as error:
            self._stderr.close()
            raise UsageError(f"{executable} cannot be run: {error.strerror}", remedy=_REMEDY) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def greeting(self) -> str:
        """Return what the process says first: which bytecode it makes.

        :raises UsageError: if it says something else, or nothing.
        """
        try:
            return self._answer()[1].decode()
        except _Died:
            reason = self._last_line()
            self.close()
            raise UsageError(f"{self._executable} does not compile for us: {reason}", remedy=_REMEDY) from None

    def compile(self, wanted: Wanted, flags: int) -> Compiled:
        """Return what becomes of *wanted*.

        :raises _Died: if the process ends over it.
        """
        parts = [text.encode("utf-8", "surrogatepass") for text in (str(wanted.source), wanted.filename)]
        sized = [len(part).to_bytes(4, "little") + part for part in parts]
        try:
            self._requests.write(bytes((wanted.optimize, flags)) + b"".join(sized))
            self._requests.flush()
        except OSError:
            raise _Died from None
        kind, content = self._answer()
        return Compiled(content[32:], source=content[:32]) if kind == b"P" else Compiled(b"", content.decode())

    def close(self) -> str:
        """Let the process end, and return how it did; once more changes nothing."""
        try:
            self._requests.close()
        except OSError:  # The process ended before it read everything.
            pass
        self._answers.close()
        status = self._ended()
        self._stderr.close()
        return f"signal {-status}" if status < 0 else f"status {status}"

    def kill(self) -> None:
        """End the process with all that it started, if it has not ended."""
        if self._process.poll() is None:
            if sys.platform != "win32":
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()

    def _ended(self) -> int:
        """Wait for the end, and return the exit status."""
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:  # Whatever it is, it waits for what does not come.
            self.kill()
            return self._process.wait()

    def _answer(self) -> tuple[bytes, bytes]:
        head = self._answers.read(5)
        # Any program can be named as the interpreter.
        if len(head) < 5 or head[:1] not in b"HPE":
            raise _Died
        size = int.from_bytes(head[1:], "little")
        content = self._answers.read(size)
        if len(content) < size:
            raise _Died
        return head[:1], content

    def _last_line(self) -> str:
        self._ended()
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
