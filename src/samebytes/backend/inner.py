"""The inner backend, called in a child interpreter (D2)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Callable, NamedTuple

from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing

from ..errors import BackendError
from . import OPTIONAL
from .config import Backend

_CHILD = str(Path(__file__).with_name("child.py"))

LEISURE, PATIENCE = 10.0, 0.5
"""Seconds that a child has to end when nothing more is asked of it, and when it is terminated, before it is killed."""

BROKE_PEP_517 = "That is an error of the backend (PEP 517): report it there, or try another release of it."
"""What to do where a hook returns what it must not."""


class Process(NamedTuple):
    """How the child is started."""

    python: str
    """The interpreter."""
    environ: Mapping[str, str]
    """Its whole environment."""
    umask: int = -1
    """Its umask; -1 keeps the caller's."""
    inherit: tuple[str, ...] = ()
    """What is not pinned in the child (``Config.inherit``)."""
    prefix: tuple[str, ...] = ()
    """A command that the child's own is given to (fixed paths)."""
    start: Callable[..., Any] | None = None
    """What starts the child: takes what ``_Own`` takes, returns what has its ``wait`` and ``terminate``."""


class Hooks(ABC):
    """The hooks of one backend for one source tree, and what they may return (PEP 517)."""

    role = "backend"
    """What messages call it."""
    advice = "Its output says why: does the same build with another front end fail alike?"
    """The remedy where a hook fails."""
    output = ""
    """Where its output is, said after what failed."""

    def __init__(self, source: Path, backend: Backend, python: str) -> None:
        """Start nothing yet.

        :param source: the source tree as the backend sees it.
        :raises BackendError: if ``backend-path`` leads out of the tree.
        """
        self._source, self._backend = source, backend
        self.warn: Callable[[str], None] = lambda _: None
        try:
            self._caller = BuildBackendHookCaller(
                str(source), backend.name, backend.path or None, runner=self._run, python_executable=python
            )
        except ValueError as error:
            raise BackendError(
                f"backend-path {list(backend.path)!r} is not usable: {error}",
                remedy="Name directories inside the source tree, relative to it (PEP 517).",
            ) from None

    def call(self, hook: str, *args: Any) -> Any:
        """Call *hook* with *args*, as PEP 517 orders them, and return what it returns.

        :raises pyproject_hooks.UnsupportedOperation: if the backend does (PEP 517, ``build_sdist``).
        :raises BackendError: for everything else that goes wrong in it.
        """
        extra = {"_allow_fallback": False} if hook.startswith("prepare_") else {}
        try:
            return getattr(self._caller, hook)(*args, **extra)
        except BackendUnavailable as error:
            raise self._unavailable(error.traceback or str(error)) from None
        except HookMissing:
            raise self._error(f"has no hook {hook}", "Use a backend, or a release of it, that has this hook.") from None
        except (AttributeError, ValueError, FileNotFoundError) as error:  # the latter two where it left no result
            what = f"could not be called: {error}" if isinstance(error, AttributeError) else f"gave no result in {hook}"
            raise self._error(f"{what}{self.output}", self.advice) from None
        except subprocess.CalledProcessError as error:
            raise self._error(f"{ending(error.returncode)} in {hook}{self.output}", self.advice) from None

    def requires(self, kind: str, config_settings: Any) -> list[str]:
        """Return what the backend requires for a build, beyond ``[build-system] requires``.

        :param kind: ``"wheel"``, ``"sdist"`` or ``"editable"``.
        :raises BackendError: if it fails, or returns anything but a list of strings.
        """
        hook = f"get_requires_for_build_{kind}"
        lines = self.call(hook, config_settings)
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise self._wrong(hook, lines, "that is not a list of strings")
        return lines

    def artifact(self, hook: str, seen: str, real: Path, config_settings: Any) -> Path:
        """Call ``build_wheel``, ``build_sdist`` or ``build_editable``, and return the file that it wrote.

        :param seen: the directory that it writes to, as it sees it.
        :param real: the same as this process sees it.
        :raises BackendError: if it fails, names no file, or names one that is not there or not of the right kind.
        """
        name = self._named(hook, seen, config_settings)
        suffix = ".tar.gz" if hook == "build_sdist" else ".whl"
        if name.endswith(".zip"):
            raise self._wrong(hook, name, "zip sdists are not supported", "Let it make a .tar.gz (setuptools: gztar).")
        if os.path.basename(name) != name or not name.endswith(suffix):
            raise self._wrong(hook, name, f"that is not the name of a {suffix} file")
        if not (real / name).is_file():
            there = ", ".join(sorted(os.listdir(real))) or "nothing"
            raise self._wrong(hook, name, f"it did not write that file: it wrote {there}")
        return real / name

    def metadata(self, hook: str, seen: str, real: Path, config_settings: Any) -> Path:
        """Call a ``prepare_metadata_`` hook, and return the directory that it made; as :meth:`artifact` says."""
        name = self._named(hook, seen, config_settings)
        if os.path.basename(name) != name or not name.endswith(".dist-info") or not (real / name).is_dir():
            raise self._wrong(hook, name, "that is not the name of a .dist-info directory that it made")
        return real / name

    def _named(self, hook: str, seen: str, config_settings: Any) -> str:
        """Call *hook* with the directory *seen*, and return the name that it returned; a whole path is warned of."""
        name = self.call(hook, seen, config_settings)
        if not isinstance(name, str):
            raise self._wrong(hook, name, "that is not a file name")
        directory, last = os.path.split(name)
        if not os.path.isabs(name) or os.path.realpath(directory) != os.path.realpath(seen):
            return name
        self.warn(f"the {self.role} {self._backend.name!r} returned a path from {hook}, and not just {last!r}")
        return last

    @abstractmethod
    def _run(self, cmd: Sequence[str], cwd: object = None, extra_environ: Mapping[str, str] | None = None) -> None:
        """Run *cmd* as pyproject-hooks asks for it: in the source tree, with more variables.

        :raises subprocess.CalledProcessError: if it fails.
        """

    def _error(self, what: str, remedy: str) -> BackendError:
        return BackendError(f"the {self.role} {self._backend.name!r} {what}", remedy=remedy)

    def _unavailable(self, trace: str) -> BackendError:
        return self._error(
            f"cannot be imported: {self._shown(trace)}",
            f"Is the package that brings {self._backend.package!r} listed in [build-system] requires, and is the name "
            "in build-backend right?",
        )

    def _shown(self, trace: str) -> str:
        """Return the last line of *trace*, for reports of many builds."""
        return (trace.strip().splitlines() or [""])[-1].strip()

    def _wrong(self, hook: str, returned: object, why: str, remedy: str = BROKE_PEP_517) -> BackendError:
        return self._error(f"returned {returned!r} from {hook}, but {why}", remedy)


class Inner(Hooks):
    """The inner backend of one source tree, to be closed, so that no process is left behind."""

    role = "inner backend"
    advice = "samebytes only calls it: the same build without samebytes should fail alike."
    output = "; its output is above"

    def __init__(self, source: Path, backend: Backend, process: Process, cwd: Path) -> None:
        """Start nothing yet.

        :param source: the source tree as the child sees it.
        :param cwd: the source tree as this process sees it.
        """
        super().__init__(source, backend, process.python)
        self._cwd = cwd
        self._process = process
        self._child: _Child | None = None
        self._hooks: frozenset[str] | None = None

    def close(self) -> None:
        """End the child if it is still waiting."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def hooks(self) -> frozenset[str]:
        """Return the names of the optional hooks that the inner backend has; asked once.

        :raises BackendError: if it cannot be imported.
        """
        if self._hooks is None:
            path = [os.path.normpath(os.path.join(self._source, part)) for part in self._backend.path]
            reply = self._started().ask({"do": "probe", "name": self._backend.name, "path": path, "hooks": OPTIONAL})
            if "hooks" not in reply:
                self.close()
                raise self._unavailable(reply.get("error", "The process ended before it could report why."))
            self._hooks = frozenset(reply["hooks"])
        return self._hooks

    def _run(self, cmd: Sequence[str], cwd: object = None, extra_environ: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 (pyproject-hooks names it; the child is there already)
        """Do what pyproject-hooks asks of a runner, in the child that may be waiting already."""
        child, self._child = self._started(), None
        request = {"do": "call", "argv": list(cmd[1:]), "environ": dict(extra_environ or {})}
        status = child.ask(request, is_last=True)
        if status:
            raise subprocess.CalledProcessError(status, cmd)

    def _started(self) -> _Child:
        if self._child is None:
            self._child = _Child(self._process, self._cwd)
        return self._child

    def _shown(self, trace: str) -> str:
        return f"\n{trace.strip()}"


def ending(status: int) -> str:
    """Return how a process ended, in words."""
    return f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"


class _Child:
    """One child process and the two pipes to it."""

    def __init__(self, process: Process, cwd: Path) -> None:
        options = json.dumps({"inherit": process.inherit})
        with ExitStack() as ours, ExitStack() as theirs:
            try:
                to_read, self._to = os.pipe()
                theirs.callback(os.close, to_read)
                ours.callback(os.close, self._to)
                self._from, to_write = os.pipe()
                ours.callback(os.close, self._from)
                theirs.callback(os.close, to_write)
                numbers, inherit = _inheritable(to_read, to_write)
                command = [*process.prefix, process.python, _CHILD, *numbers, options]
                self._running = (process.start or _Own)(
                    command, cwd=cwd, environ=process.environ, umask=process.umask, **inherit
                )
            except OSError as error:
                raise BackendError(
                    f"the interpreter {process.python} cannot be run: {error.strerror}",
                    remedy="Was its environment removed during the build? Build again.",
                ) from None
            self._hang_up = ours.pop_all().close

    def ask(self, request: Mapping[str, Any], *, is_last: bool = False) -> Any:
        """Send *request* and return the reply, or nothing if the child ended instead; to the last, its exit status.

        The child does not outlive an interruption.
        """
        try:
            with suppress(OSError):  # EPIPE, or on Windows EINVAL: the child ended, as no reply or its status shows
                os.write(self._to, json.dumps(request).encode() + b"\n")
            if is_last:
                self._hang_up()
                return self._running.wait()
            with os.fdopen(os.dup(self._from), encoding="utf-8") as replies:
                return json.loads(replies.readline() or "{}")
        except BaseException:
            self.close(0.0)
            raise

    def close(self, patience: float = LEISURE) -> None:
        """Hang up; a child that waits for requests ends then, and another one is ended."""
        self._hang_up()
        try:
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(patience)
        finally:
            self._running.terminate()


class _Own(subprocess.Popen[bytes]):
    """A child in the process group of the front end, which Ctrl-C reaches with it."""

    def __init__(self, command: Sequence[str], *, environ: Mapping[str, str], umask: int, **options: Any) -> None:
        if umask >= 0 and os.name != "nt":
            options["umask"] = umask
        sys.stdout.flush()
        super().__init__(command, env=dict(environ), stdin=subprocess.DEVNULL, **options)

    def terminate(self) -> None:
        """End the child, and all that it started where that can be seen (Linux): ask, and then do not ask."""
        if self.poll() is not None:
            return
        below: set[int] = set()
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            below.update(*map(_below, (self.pid, *below)))
            self.send_signal(number)
            for pid in below:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.wait(PATIENCE)


def _below(pid: int) -> set[int]:
    """Return the processes that *pid* started, and those that they did (proc(5)); none where that cannot be seen."""
    found: set[int] = set()
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text("ascii").split()):
                found |= {child, *_below(child)}
    return found


def _inheritable(*ends: int) -> tuple[list[str], dict[str, Any]]:
    """Return how the child learns the pipe *ends*, and what makes Popen pass them on."""
    if sys.platform == "win32":
        import msvcrt

        handles = [msvcrt.get_osfhandle(end) for end in ends]
        for handle in handles:
            os.set_handle_inheritable(handle, True)
        return [str(handle) for handle in handles], {"close_fds": False}
    return [str(end) for end in ends], {"pass_fds": ends}
