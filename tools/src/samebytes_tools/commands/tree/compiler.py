"""Compiles sources with any CPython, many at a time, to bytes that no clock, order or number of processes decides."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from samebytes.artifact import marshal_writer
from samebytes.artifact.pyc import FLAGS
from samebytes.errors import UsageError

__all__ = ["Compiled", "Compiler", "Wanted"]

_WORKER = Path(__file__).with_name("compile_worker.py")
_RULE = Path(marshal_writer.__file__).parent
"""Where the rule lies by which the worker writes code: ``marshal_writer.py``, and what that imports."""
_PATIENCE = 2.0
"""Seconds that what is no Python, and says something else, is given to end."""
_REMEDY = "Name a CPython from 3.8 to 3.14, the one that is to import what is compiled."


class Wanted(Protocol):
    """A compiled module that there is to be."""

    @property
    def source(self) -> Path:
        """Where the source lies now."""

    @property
    def filename(self) -> str:
        """Where it will lie: ``co_filename``."""

    @property
    def optimize(self) -> int:
        """0, 1 or 2."""


class Compiled(NamedTuple):
    """What became of it."""

    data: bytes
    """The whole ``.pyc``; empty if there is none."""
    problem: str = ""
    """Why there is none, in one line."""


class _Died(Exception):
    """A worker ended while something was asked of it."""


class _Worker:
    """A process of the target's interpreter.

    Its environment is ours without all that is Python's, its hash seed is fixed, and it imports from the standard
    library only. (``-I`` would do the same, but for the seed.)
    """

    def __init__(self, executable: str, environ: Mapping[str, str]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        clean = {name: value for name, value in environ.items() if not name.upper().startswith("PYTHON")}
        try:
            self._process = subprocess.Popen(
                [executable, "-s", "-S", "-B", "-W", "ignore", str(_WORKER), str(_RULE)],
                env={**clean, "PYTHONHASHSEED": "0"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
            )
        except OSError as error:
            self._said.close()
            raise UsageError(f"{executable} cannot be run: {error.strerror}", remedy=_REMEDY) from None
        try:
            self.tag = self._answer()[1].decode()
        except _Died:
            said = self._last_line()
            self.close()
            raise UsageError(f"{executable} does not compile for us: {said}", remedy=_REMEDY) from None

    def compile(self, wanted: Wanted, flags: int) -> Compiled:
        """Return what becomes of *wanted*.

        :raises _Died: if the process ends over it.
        """
        assert self._process.stdin is not None
        texts = (str(wanted.source), wanted.filename)
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        sized = [len(part).to_bytes(4, "little") + part for part in parts]
        try:
            self._process.stdin.write(bytes((wanted.optimize, flags)) + b"".join(sized))
            self._process.stdin.flush()
        except OSError:
            raise _Died from None
        kind, content = self._answer()
        return Compiled(content) if kind == b"P" else Compiled(b"", content.decode())

    def close(self) -> str:
        """Let the process end, and return how it did; once more changes nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except OSError:  # What is left to write has nobody to read it.
            pass
        self._process.stdout.close()
        status = self._process.wait()
        self._said.close()
        return f"signal {-status}" if status < 0 else f"status {status}"

    def kill(self) -> None:
        self._process.kill()

    def _answer(self) -> tuple[bytes, bytes]:
        assert self._process.stdout is not None
        head = self._process.stdout.read(5)
        if len(head) < 5 or head[:1] not in b"HPE":
            raise _Died
        size = int.from_bytes(head[1:], "little")
        content = self._process.stdout.read(size)
        if len(content) < size:
            raise _Died
        return head[:1], content

    def _last_line(self) -> str:
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:  # Whatever it is, it waits for what does not come.
            self._process.kill()
            self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


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
        self._tag = ""

    @property
    def tag(self) -> str:
        """As in the names of compiled modules: ``cpython-311``.

        :raises UsageError: if the interpreter cannot be run, or is none whose code is known.
        """
        if not self._tag:
            worker = _Worker(self._executable, os.environ)
            self._tag = worker.tag
            worker.close()
        return self._tag

    def compile(self, wanted: Sequence[Wanted]) -> list[Compiled]:
        """Return what became of each of *wanted*, in their order.

        A source that does not compile, cannot be read or is the end of the interpreter is a result like others.

        :raises UsageError: if the interpreter cannot be run, or is none whose code is known.
        """
        # The largest first, so that no process is left with much to do at the end.
        order = sorted(range(len(wanted)), key=lambda index: _size(wanted[index].source), reverse=True)
        return _Run(self._executable, self._flags, wanted, order).results(min(self._jobs, len(wanted)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # The worker will say so.
        return 0


class _Run:
    """One run of several workers, each with a thread that feeds it."""

    def __init__(self, executable: str, flags: int, wanted: Sequence[Wanted], order: Sequence[int]) -> None:
        self._executable = executable
        self._flags = flags
        self._wanted = wanted
        self._left = iter(order)
        self._found: dict[int, Compiled] = {}
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._is_over = False

    def results(self, jobs: int) -> list[Compiled]:
        with ThreadPoolExecutor(max(jobs, 1)) as pool:
            try:
                for done in [pool.submit(self._feed) for _ in range(jobs)]:
                    done.result()
            finally:
                self._stop()
        return [self._found[index] for index in range(len(self._wanted))]

    def _stop(self) -> None:
        """End what still runs: nothing, but for an exception in one of the threads or a signal's in this."""
        with self._lock:
            self._is_over = True
            for worker in self._workers:
                worker.kill()

    def _feed(self) -> None:
        worker = self._started()
        try:
            for index in self._next():
                try:
                    self._found[index] = worker.compile(self._wanted[index], self._flags)
                except _Died:
                    self._ended(worker)
                    self._found[index] = self._alone(self._wanted[index])
                    worker = self._started()
        finally:
            self._ended(worker)

    def _next(self) -> Iterator[int]:
        while True:
            with self._lock:
                index = None if self._is_over else next(self._left, None)
            if index is None:
                return
            yield index

    def _alone(self, wanted: Wanted) -> Compiled:
        """Compile what a worker ended over in a process of its own: what was before it may have been the reason."""
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
            self._workers.add(worker)
            if self._is_over:
                worker.kill()
        return worker

    def _ended(self, worker: _Worker) -> str:
        with self._lock:
            self._workers.discard(worker)
        return worker.close()
