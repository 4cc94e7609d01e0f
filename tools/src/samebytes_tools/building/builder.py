"""Builds of source trees by their own backends, and what that needs: virtual environments, processes, one log.

Commands say what is built, by which interpreter, with which releases of the build requirements and in which
environment; how, is here.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, Callable, Protocol

import pyproject_hooks

from samebytes.artifact.layout import is_source_tree
from samebytes.backend.config import Backend, load
from samebytes.backend.fixed import remove
from samebytes.backend.inner import Hooks
from samebytes.errors import BackendError, OutputError, SamebytesError, UsageError

from . import installing, pylock, virtualenvs
from .copied_installs import is_possible
from .filled import Filled, FilledEnvironments
from .installers import AUTO, PIP, UV
from .installing import Needed, RequirementInstaller
from .processes import CommandRunner, TooLate
from .requirements import demand, without_samebytes
from .uv import Unsuitable
from .virtualenvs import InstalledDistribution, VirtualEnvironment

_TAIL = 25
"""How many lines of a log are reported of a failure."""

_LENT = ("samebytes", "packaging", "pyproject_hooks")
"""What the wrapping backend imports wherever it runs, beyond the standard library (and tomli before Python 3.11)."""

_NO_ROOM = 1 << 20
"""Bytes left on a disk that count as none."""


class BuildError(BackendError):
    """Something could not be built, or what it requires could not be installed."""

    def __init__(self, message: str, *, remedy: str = "", log: Path | None = None, is_late: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.log, self.is_late = log, is_late

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines of the log."""
        if self.log is None or not self.log.is_file():
            return ()
        with self.log.open("rb") as file:
            # A log may be large.
            file.seek(max(0, self.log.stat().st_size - (1 << 16)))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return tuple(line for line in lines if line.strip())[-_TAIL:]


@dataclass(frozen=True)
class Project:
    """What a source tree says of its own build (PEP 518)."""

    backend: Backend
    requires: tuple[str, ...]
    needs_samebytes: bool = False
    """Whether the backend is samebytes itself."""


@dataclass(frozen=True)
class BuildEnvironment:
    """What a command sees of the machine."""

    variables: Mapping[str, str]
    """All environment variables."""
    umask: int = -1
    """-1 for that of this process."""
    prefix: tuple[str, ...] = ()
    """A command that the command's own is given to."""
    import_path: str = ""
    """A directory that is first on PYTHONPATH for the hooks of a project's own backend."""


@dataclass(frozen=True)
class InstallPolicy:
    """Whether build requirements are installed, and which releases of them."""

    isolation: bool = True
    check_installed: bool = False
    """Without isolation: whether to look first if all is installed."""
    installer: str = AUTO
    """What installs them: AUTO, PIP or UV."""
    constraint: Path | None = None
    """A file of constraints (``--constraint``)."""
    locked: tuple[pylock.Locked, ...] | None = None
    """What is installed instead of what is required."""
    lockable: bool = False
    """Whether what has no hash, and so cannot be locked, is an error."""
    same_everywhere: bool = False
    """Whether every virtual environment gets the releases that were chosen for the first that needed them."""


class Caller(Protocol):
    """Calls the hooks of one build."""

    def requires(self, kind: str, config_settings: Any) -> list[str]:
        """Return what the backend requires beyond ``[build-system] requires``."""

    def build(self, hook: str, config_settings: Any) -> Path:
        """Return the file that *hook* wrote."""


def project_of(tree: Path) -> Project:
    """Return what a front end would read in *tree*.

    :raises SamebytesError: if it is not a source tree, or its configuration is malformed.
    """
    if not is_source_tree(tree):
        raise UsageError(
            f"{tree.name} is not a source tree: it has neither pyproject.toml nor setup.py",
            remedy="Name a source tree, or an sdist of one.",
        )
    config = load(tree)
    if config.wrapped:
        return Project(Backend("samebytes.backend"), config.requires, needs_samebytes=True)
    return Project(config.backend, config.requires)


@dataclass
class Builder:
    """Builds with one interpreter; remembers what it installed where."""

    python: str
    policy: InstallPolicy
    scratch: Path
    """A private directory."""
    environment: BuildEnvironment
    """For pip and venv; hooks are called in the environment that each build is given."""
    # Passed in, as running the interpreter for it takes time.
    minor: tuple[int, int] = sys.version_info[:2]
    """The version of the interpreter."""
    scratch_seen: Path | None = None
    """The path that *scratch* has in that environment, where it is another."""
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[str], None] = lambda _: None
    """Takes the steps of the work."""
    advice: str = "Its output says why: does the same build without samebytes fail alike?"
    """The remedy where a hook fails."""
    filled: FilledEnvironments | None = None
    """What was installed for other builds of the run, and may be copied; None: nothing is shared with others."""
    installed: list[InstalledDistribution] = field(default_factory=list)
    """What was chosen; a name is there twice where two environments needed different releases."""
    installers: list[str] = field(default_factory=list)
    """What installed that: ``uv 0.7.0``."""
    _own_filled: FilledEnvironments | None = None
    _steps: dict[tuple[frozenset[str], frozenset[str]], Filled] = field(default_factory=dict)
    """By the requirements that an environment had, and what was installed then: what was copied."""
    _held: dict[Path, list[Filled] | None] = field(default_factory=dict)
    """By the virtual environments that there are: what was copied into them; None if anything was not copied."""
    _answers: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By backend and kind what the backend answered last."""
    _asked: dict[Path, set[str]] = field(default_factory=dict)
    """By the virtual environments that there are: the requirements that they have."""
    # Reentrant: virtual_environment calls provide, by _lend.
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def build(
        self,
        kind: str,
        caller: Caller,
        requires: Sequence[str],
        where: VirtualEnvironment,
        log: CommandRunner,
        answer: list[str] | None = None,
    ) -> Path:
        """Install what the project, and then its backend, require; build an artifact of *kind* and return its file.

        :param requires: the project's ``[build-system] requires``.
        :param answer: what the backend requires beyond, where it need not be asked.
        :raises BuildError: for everything that can go wrong in that.
        """
        settings = dict(self.config_settings) or None
        try:
            self.provide(where, requires, log)
            # After the first: the hook that is asked runs in the environment with these (PEP 517).
            self.provide(where, caller.requires(kind, settings) if answer is None else answer, log)
            self.report(f"Building the {kind}")
            return caller.build(f"build_{kind}", settings)
        except pyproject_hooks.UnsupportedOperation as error:
            raise BuildError(
                f"the backend says that it cannot build the {kind} here (UnsupportedOperation): {_last_line(error)}",
                remedy="An sdist often needs the repository. Build a git clone, or only the wheel (--wheel).",
                log=log.log,
            ) from None
        except BackendError as error:
            # It has its log and remedy already.
            if isinstance(error, BuildError):
                raise
            raise BuildError(error.message, remedy=error.remedy, log=log.log) from None

    def build_own(
        self,
        kind: str,
        project: Project,
        tree: Path,
        given: BuildEnvironment,
        root: Path,
        out: Path,
        log: CommandRunner,
        *,
        asks: bool = True,
    ) -> Path:
        """Build *tree* with the project's own backend, as front ends do, and return the file in *out*.

        :param root: where the virtual environment is, or is to be.
        :param asks: whether the backend is asked what it requires beyond, even if it answered in another build.
        :raises BuildError: for everything that can go wrong in that.
        """
        where = self.virtual_environment(root, log, lend=project.needs_samebytes)
        out.mkdir(parents=True, exist_ok=True)
        caller = _ProjectHooks(project.backend, tree, given, where, out, log, self.advice)
        key = project.backend.name, kind
        path = self.build(kind, caller, project.requires, where, log, None if asks else self._answers.get(key))
        self._answers.setdefault(key, caller.answer)
        return path

    def virtual_environment(
        self, root: Path, log: CommandRunner, real: Path | None = None, *, lend: bool = False
    ) -> VirtualEnvironment:
        """Return the virtual environment *root*, made if it is not there; without isolation, the interpreter's own.

        :param real: its path as this process sees it, where that is another.
        :param lend: whether this samebytes is to be importable in it.
        :raises BuildError: if it cannot be made.
        """
        with self._lock:
            if not self.policy.isolation:
                own = [str(self._copies())] if lend else []
                path, importable = (self.environment.variables.get(name, "") for name in ("PATH", "PYTHONPATH"))
                return virtualenvs.as_it_is(self.python, path, os.pathsep.join(filter(None, [importable, *own])))
            found = virtualenvs.at(root, real or root)
            if root not in self._asked:
                self.report("Creating a virtual environment")
                found.real.parent.mkdir(parents=True, exist_ok=True)
                with _with_log(log):
                    if self._run(virtualenvs.creation(self.python, root), "venv", {}, log=log):
                        raise installing.no_environment(self.python)
                self._asked[root] = set()
            if lend:
                self._lend(found, log)
            return found

    def asked(self, where: VirtualEnvironment) -> frozenset[str]:
        """Return the requirements that were installed into *where* so far."""
        return frozenset(self._asked.get(where.root, ()))

    def discard(self, where: VirtualEnvironment) -> None:
        """Remove a virtual environment, so that the next one at its path is new."""
        if self.policy.isolation:
            del self._asked[where.root]
            self._held.pop(where.root, None)
            remove(where.real)

    def provide(self, where: VirtualEnvironment, lines: Sequence[str], log: CommandRunner) -> None:
        """Let *where* have what the requirement *lines* ask for, by the policy.

        :raises SamebytesError: if it cannot be had.
        """
        with self._lock:
            asked = self._asked.get(where.root, set())
            wanted = [line for line in without_samebytes(lines) if line not in asked]
            if not self.policy.isolation:
                if self.policy.check_installed:
                    demand(wanted, self.python)
            elif wanted and self.policy.locked is not None:
                pylock.demand(wanted, self.policy.locked)
                # A lock is of all requirements together, so the second call finds them installed.
                if not asked:
                    locked = tuple(line for one in self.policy.locked for line in one.lines)
                    self._bring(where, Needed(locked, are_hashed=True), log)
            elif wanted:
                step = frozenset(asked), frozenset(wanted)
                # Without the policy, others may be chosen a moment later; that is left to the installer.
                known = self._steps.get(step) if self.policy.same_everywhere else None
                if known is None or not self._copied(known, where, log):
                    found = self._bring(where, Needed(tuple(wanted), constraint=self.constraint()), log)
                    if found is not None:
                        self._steps[step] = found
            asked.update(wanted)

    def _copied(self, filled: Filled, where: VirtualEnvironment, log: CommandRunner) -> bool:
        """Copy what was installed elsewhere into *where*, and return whether that was possible."""
        held = self._held.setdefault(where.root, [])
        is_done = filled.copy_to(where, log.check)
        if is_done and held is not None:
            held.append(filled)
        return is_done

    def constraint(self) -> Path | None:
        """Return a file that constrains pip to what the policy allows."""
        if not self.policy.same_everywhere:
            return self.policy.constraint
        path = self.scratch / "pins.txt"
        path.write_text(
            "".join(
                f"{one.name} @ {one.url}\n" if one.is_direct else f"{one.name}=={one.version}\n"
                for one in self.installed
            ),
            encoding="utf-8",
        )
        return path

    def _bring(self, where: VirtualEnvironment, needed: Needed, log: CommandRunner) -> Filled | None:
        """Install what is *needed* into *where*; return what was copied, None if pip installed there itself.

        :raises SamebytesError: if it cannot be installed.
        """
        self.report(f"Installing {needed.named}")
        with _with_log(log):
            filled = self._fill(where, needed, log)
            if filled is not None and self._copied(filled, where, log):
                found, by = filled.installed, filled.installer
            else:
                # In place; another release of what is there is removed, for one.
                filled, self._held[where.root] = None, None
                run_pip = partial(self._run, log=log)
                found = tuple(installing.install(where, needed, self.scratch, run_pip, self.scratch_seen))
                by = virtualenvs.pip_version(where)
        if self.policy.lockable:
            pylock.demand_hashes(found)
        known = {(one.name, one.version) for one in self.installed}
        self.installed += [one for one in found if (one.name, one.version) not in known]
        self.installers += [by] if by not in self.installers else []
        return filled

    def _fill(self, where: VirtualEnvironment, needed: Needed, log: CommandRunner) -> Filled | None:
        """Return an environment that has what is *needed*, to be copied; None where pip is to install it in place."""
        held, wants_uv = self._held.get(where.root, []), self.policy.installer == UV
        # Of one build or two, each process imports a small part of all modules.
        is_many = self.policy.same_everywhere
        is_shared = self.filled is not None or is_many
        filled = (
            self.filled
            or self._own_filled
            or FilledEnvironments(self.scratch / "filled", (self.scratch_seen or self.scratch) / "filled")
        )
        self._own_filled = filled
        if held is None or not is_possible(where, filled.longest):
            if wants_uv:
                raise BackendError(
                    f"uv cannot fill {where.root}: what it installs is copied there, which is not possible",
                    remedy="Set TMPDIR to a short path without blanks, or let pip do it: --installer pip.",
                )
            return None
        run_any = partial(self._run, log=log)
        variables = {**self.environment.variables, "PYTHONPATH": ""}
        work, seen = (each / "installing" for each in (self.scratch, self.scratch_seen or self.scratch))
        how = RequirementInstaller(self.python, work, seen, variables, filled, run_any, log.check, is_many)
        needed = replace(needed, held=tuple(held))
        if self.policy.installer != PIP:
            try:
                return how.by_uv(needed)
            except Unsuitable as error:
                if wants_uv:
                    raise BackendError(error.message, remedy=error.remedy) from None
                if not error.is_missing:
                    log.note(f"samebytes: pip installs the build requirements: {error.message}")
        # In place, it is faster where no other build needs the same.
        return how.by_pip(needed) if is_shared else None

    def _run(
        self,
        command: Sequence[str],
        what: str,
        variables: Mapping[str, str],
        *,
        log: CommandRunner,
    ) -> int:
        """Run an installer or venv and return its exit status; what lies on PYTHONPATH is not installed.

        Paths in pip's configuration (PIP_FIND_LINKS) are relative to the current directory.

        :param variables: its environment variables; empty for those of this builder.
        """
        variables = {**(variables or self.environment.variables), "PYTHONPATH": ""}
        given = replace(self.environment, variables=variables)
        return run(command, what, cwd=None, given=given, log=log)

    def _copies(self) -> Path:
        """Return a directory with copies of samebytes and what it imports, and nothing else."""
        # Not the directory that it is installed in: all else there would be importable, too.
        copies = self.scratch / "samebytes-that-checks"
        if not copies.is_dir():
            copies.mkdir()
            for name in _LENT:
                found = importlib.util.find_spec(name)
                if found is not None and found.origin is not None:
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(Path(found.origin).parent, copies / name, ignore=ignored)
        return copies

    def _lend(self, where: VirtualEnvironment, log: CommandRunner) -> None:
        """Let *where* import this samebytes, after all that is installed there."""
        for packages in (*where.real.glob("lib/*/site-packages"), *where.real.glob("Lib/site-packages")):
            # A .pth line comes after site-packages on sys.path, so the project's own requirements go first.
            (packages / "samebytes-that-checks.pth").write_text(f"{self._copies()}\n", encoding="utf-8")
        # By pip and not lent: it has compiled parts for one version of Python.
        if self.minor < (3, 11):
            self.provide(where, ["tomli>=2"], log)


@contextmanager
def _with_log(log: CommandRunner) -> Iterator[None]:
    """Give errors the log."""
    try:
        yield
    except BackendError as error:
        if isinstance(error, BuildError):
            raise
        raise BuildError(error.message, remedy=error.remedy, log=log.log) from None


class _ProjectHooks(Hooks):
    """A project's own backend, as it stands."""

    def __init__(
        self,
        backend: Backend,
        tree: Path,
        given: BuildEnvironment,
        where: VirtualEnvironment,
        out: Path,
        log: CommandRunner,
        advice: str,
    ) -> None:
        super().__init__(tree, backend, where.python)
        self._given, self._where, self._out, self._log, self.advice = given, where, out, log, advice
        self.warn = lambda text: log.note(f"samebytes: warning: {text}")
        self.answer: list[str] = []
        """What the backend required beyond, once it was asked."""

    def requires(self, kind: str, config_settings: Any) -> list[str]:
        self.answer = super().requires(kind, config_settings)
        return self.answer

    def build(self, hook: str, config_settings: Any) -> Path:
        return self.artifact(hook, str(self._out), self._out, config_settings)

    def _run(self, cmd: Sequence[str], cwd: object = None, extra_environ: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 (pyproject-hooks names it; it is the tree)
        variables = {**self._where.added_to(self._given.variables), **(extra_environ or {})}
        import_path = filter(None, [self._given.import_path, variables.get("PYTHONPATH", "")])
        variables["PYTHONPATH"] = os.pathsep.join(import_path)
        given = replace(self._given, variables=variables)
        status = run(cmd, f"the backend {self._backend.name!r}", cwd=self._source, given=given, log=self._log)
        if status:
            raise CalledProcessError(status, cmd)


def run(command: Sequence[str], what: str, *, cwd: Path | None, given: BuildEnvironment, log: CommandRunner) -> int:
    """Run *command* in an environment and return its exit status.

    :param what: what it is, for messages.
    :raises BuildError: if it takes too long, or cannot be started.
    """
    try:
        return log.run([*given.prefix, *command], cwd=cwd, environ=given.variables, umask=given.umask)
    except TooLate:
        raise BuildError(
            f"{what} took longer than {log.seconds:g} seconds and was ended",
            remedy="Does it hang, or wait for an answer? If it is only slow, --timeout gives it more time.",
            log=log.log,
            is_late=True,
        ) from None
    except OSError as error:
        raise BuildError(
            f"{command[0]} cannot be run: {error.strerror}", remedy="Is it still there, and executable?", log=log.log
        ) from None


@contextmanager
def without_warnings_of_backends() -> Iterator[None]:
    """Suppress what backends warn of: newer releases of pyproject-hooks hand that on to this process."""
    category = getattr(pyproject_hooks, "BuildBackendWarning", None)
    with warnings.catch_warnings():
        if category is not None:
            warnings.filterwarnings("ignore", category=category)
        yield


@contextmanager
def explained(private: Path, log: CommandRunner, show: Callable[[Path], None]) -> Iterator[None]:
    """Show the log of what fails, and report it as lack of room where the disk of *private* is, or was, full.

    :raises OutputError: for the latter.
    """
    try:
        yield
    except (SamebytesError, OSError):
        # Shown before it is removed together with *private*.
        if log.log is not None and log.log.is_file():
            show(log.log)
        if _ran_full(private, log.log):
            raise OutputError(
                f"there was no room left for the build in {private.parent}",
                remedy="Free some space there, or set TMPDIR to a directory on another disk.",
            ) from None
        raise


def _ran_full(private: Path, log: Path | None) -> bool:
    """Return whether the disk is full, or was when pip, a compiler or a linker wanted to write."""
    # Both: temporary files that are removed after a failure give room again.
    return is_full(private) or says_full(log)


def is_full(directory: Path) -> bool:
    """Return whether there is no room on the disk of *directory*."""
    return shutil.disk_usage(directory).free < _NO_ROOM


def says_full(log: Path | None) -> bool:
    """Return whether a program reported in *log* that there is no room."""
    if log is None or not log.is_file():
        return False
    # strerror(3)'s text, as compilers, linkers and pip print it.
    wanted = os.strerror(errno.ENOSPC).encode()
    with log.open("rb") as file:
        return any(wanted in line for line in file)


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
