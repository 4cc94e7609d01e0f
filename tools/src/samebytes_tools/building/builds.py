"""Calls of a project's build backend, by the hooks of PEP 517, and what they need to be installed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import site
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyproject_hooks import BackendUnavailable, BuildBackendHookCaller, HookMissing, UnsupportedOperation

from samebytes.errors import SamebytesError

from . import isolated, processes
from .interpreters import Python, environment
from .isolated import Environment, Installed
from .requirements import without_samebytes

_TAIL = 25
"""How many lines of a log are told of a failure."""

_OURS = ("samebytes", "packaging", "pyproject_hooks")
"""What the wrapping backend imports wherever it runs, beyond the standard library (and tomli before Python 3.11)."""


class BuildFailure(SamebytesError):
    """A build to be checked could not be made."""

    exit_status = 2

    def __init__(self, message: str, *, remedy: str = "", log: Path | None = None, is_late: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.log, self.is_late = log, is_late

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that the build said."""
        if self.log is None or not self.log.is_file():
            return ()
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - (1 << 16)))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return tuple(line for line in lines if line.strip())[-_TAIL:]


@dataclass(frozen=True)
class Hooks:
    """The backend of a source tree, as a front end sees it."""

    backend: str
    path: tuple[str, ...]
    requires: tuple[str, ...]
    needs_samebytes: bool
    """Whether samebytes itself is the backend, or is to be put in front of it."""


@dataclass(frozen=True)
class BuildEnvironment:
    """What a backend sees of the machine, and where its build requirements are installed."""

    variables: Mapping[str, str]
    """All environment variables."""
    umask: int
    virtual_environment: Path
    prefix: tuple[str, ...] = ()
    """A command that the backend's own is given to."""


@dataclass
class Yard:
    """Build environments of one interpreter for one source: whatever is installed, all get the same of it."""

    python: Python
    isolation: bool
    scratch: Path
    """A private directory."""
    environ: Mapping[str, str]
    stop: threading.Event
    timeout: float | None = None
    """Seconds that one build, or one call of pip, may take."""
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    installed: dict[str, Installed] = field(default_factory=dict)
    """What pip chose, by name; every environment gets that."""
    _made: dict[Path, Environment] = field(default_factory=dict)
    _asked: dict[Path, set[str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def build(self, hooks: Hooks, kind: str, where: BuildEnvironment, tree: Path, out: Path, log: Path) -> Path:
        """Build the *kind* (``"sdist"`` or ``"wheel"``) of *tree* into *out* and return the file.

        :raises BuildFailure: for everything that can go wrong in there.
        """
        outfit = self._outfit(where, hooks)
        if self.isolation and hooks.needs_samebytes:
            self._lend(outfit, log)
        self._provide(outfit, hooks.requires, log)
        call = _Call(self, hooks, where, tree, outfit, log)
        further = call(f"get_requires_for_build_{kind}", dict(self.config_settings))
        if not isinstance(further, list) or not all(isinstance(line, str) for line in further):
            raise BuildFailure(f"{hooks.backend} returned {further!r} as what it requires, no list of strings", log=log)
        self._provide(outfit, further, log)
        out.mkdir(parents=True, exist_ok=True)
        name = call(f"build_{kind}", str(out), dict(self.config_settings))
        return _checked(name, kind, out, hooks, log)

    def _outfit(self, where: BuildEnvironment, hooks: Hooks) -> Environment:
        """Return the virtual environment of *where*, made if it is not there yet."""
        with self._lock:
            paths = [str(self._own())] if hooks.needs_samebytes else []
            if not self.isolation:
                return _as_it_is(self.python, [self.environ.get("PYTHONPATH", ""), *paths])
            root = where.virtual_environment
            if root not in self._made:
                root.parent.mkdir(parents=True, exist_ok=True)
                made = environment(self.python, root)
                scripts = str(Path(made.python).parent)
                variables = {"PATH": scripts, "VIRTUAL_ENV": str(root), "PYTHONPATH": ""}
                self._made[root] = Environment(made.python, root, variables)
                self._asked[root] = set()
            return self._made[root]

    def _own(self) -> Path:
        """Return a directory with copies of samebytes and what it needs, and nothing else."""
        own = self.scratch / "own"
        if not own.is_dir():
            own.mkdir()
            for name in _OURS:
                found = importlib.util.find_spec(name)
                if found is not None and found.origin is not None:
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(Path(found.origin).parent, own / name, ignore=ignored)
        return own

    def _lend(self, made: Environment, log: Path) -> None:
        """Let *made* import this samebytes, after all that is installed there."""
        for packages in (*made.root.glob("lib/*/site-packages"), *made.root.glob("Lib/site-packages")):
            (packages / "samebytes-that-checks.pth").write_text(f"{self._own()}\n", encoding="utf-8")
        if self.python.minor < (3, 11):
            self._provide(made, ["tomli>=2"], log)

    def _provide(self, outfit: Environment, lines: Sequence[str], log: Path) -> None:
        """Install what *lines* require, of the very releases that other environments have."""
        if not self.isolation:
            return
        with self._lock:
            asked = self._asked[outfit.root]
            wanted = [line for line in without_samebytes(lines) if line not in asked]
            if wanted:
                self._install(outfit, wanted, log)
                asked.update(wanted)

    def _install(self, outfit: Environment, lines: Sequence[str], log: Path) -> None:
        requirements, report, pins = self.scratch / "requirements.txt", self.scratch / "report.json", self.pins()
        requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [*isolated.pip_of(outfit), "install", "--no-input", "--no-warn-script-location"]
        command += ["--disable-pip-version-check", "--report", str(report), "-c", str(pins), "-r", str(requirements)]
        environ = {**self.environ, "PYTHONPATH": ""}  # what lies there is not installed
        self.run(command, "pip, which installs what the build requires,", self.scratch, environ, log)
        for one in isolated.installed_in(json.loads(report.read_text(encoding="utf-8"))):
            self.installed.setdefault(one.name, one)

    def pins(self) -> Path:
        """Return a file that constrains pip to what it chose so far."""
        pins = self.scratch / "pins.txt"
        pins.write_text("".join(f"{_pin(one)}\n" for one in self.installed.values()), encoding="utf-8")
        return pins

    def run(
        self,
        command: Sequence[str],
        what: str,
        cwd: Path,
        environ: Mapping[str, str],
        log: Path,
        umask: int = -1,
    ) -> None:
        """Run *command* to its good end.

        :raises BuildFailure: if the end is another, or does not come.
        """
        try:
            status = processes.run(
                command, cwd=cwd, environ=environ, log=log, stop=self.stop, timeout=self.timeout, umask=umask
            )
        except processes.TooLate:
            raise BuildFailure(
                f"{what} took longer than {self.timeout:g} seconds and was ended",
                remedy="--timeout gives it longer, if it is only slow.",
                log=log,
                is_late=True,
            ) from None
        except OSError as error:
            raise BuildFailure(f"{command[0]} cannot be run: {error.strerror}", log=log) from None
        if status:
            how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
            raise BuildFailure(f"{what} {how}", remedy="What it said last is below; --logs DIR keeps all.", log=log)


class _Call:
    """Calls hooks in a build environment."""

    def __init__(
        self, yard: Yard, hooks: Hooks, where: BuildEnvironment, tree: Path, outfit: Environment, log: Path
    ) -> None:
        self._yard, self._hooks, self._where, self._outfit, self._log = yard, hooks, where, outfit, log
        self._tree, self._hook = tree, ""

    def __call__(self, hook: str, *arguments: Any) -> Any:
        """Return what *hook* does.

        :raises BuildFailure: if it fails.
        """
        self._hook, log, name = hook, self._log, self._hooks.backend
        try:
            caller = BuildBackendHookCaller(
                str(self._tree), name, self._hooks.path or None, self._run, self._outfit.python
            )
            return getattr(caller, hook)(*arguments)
        except UnsupportedOperation as error:
            raise BuildFailure(f"{name} says that it cannot do {hook} here: {_last_line(error)}", log=log) from None
        except BackendUnavailable as error:
            raise BuildFailure(
                f"{name} cannot be imported: {_last_line(error)}",
                remedy="Is the package that brings it among [build-system] requires?",
                log=log,
            ) from None
        except HookMissing:
            raise BuildFailure(f"{name} has no hook {hook}", log=log) from None
        except (ValueError, AttributeError, FileNotFoundError) as error:
            raise BuildFailure(f"{name} could not be called: {error}", log=log) from None

    def _run(self, cmd: Sequence[str], cwd: object = None, extra_environ: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 (pyproject-hooks names it; it is the tree)
        variables = {**self._where.variables, **self._outfit.variables, **(extra_environ or {})}
        variables["PATH"] = os.pathsep.join([self._outfit.variables["PATH"], self._where.variables["PATH"]])
        what = f"{self._hooks.backend} in {self._hook}"
        command = [*self._where.prefix, *cmd]
        self._yard.run(command, what, self._tree, variables, self._log, self._where.umask)


def _as_it_is(python: Python, paths: Sequence[str]) -> Environment:
    """Return the interpreter's own environment, for builds without isolation; what users installed is in it too."""
    variables = {
        "PATH": str(Path(python.executable).parent),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUSERBASE": site.getuserbase(),  # HOME is another there
    }
    return Environment(python.executable, Path(), variables)


def _pin(one: Installed) -> str:
    return f"{one.name} @ {one.url}" if one.is_direct else f"{one.name}=={one.version}"


def _checked(name: object, kind: str, out: Path, hooks: Hooks, log: Path) -> Path:
    """Return the file in *out* that the backend says it wrote."""
    suffix = ".whl" if kind == "wheel" else ".tar.gz"
    if not isinstance(name, str) or os.path.basename(name) != name or not name.endswith(suffix):
        raise BuildFailure(f"{hooks.backend} returned {name!r}, which is not the name of a {suffix} file", log=log)
    if not (out / name).is_file():
        raise BuildFailure(f"{hooks.backend} returned {name!r}, but did not write that file", log=log)
    return out / name


def _last_line(error: Any) -> str:
    """Return the last line of the traceback that an error of pyproject-hooks carries."""
    lines = [line.strip() for line in str(error.traceback or error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
