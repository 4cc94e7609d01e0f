"""What a build requires, installed by uv or by pip into an environment that is kept, of which builds get copies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from samebytes.artifact.layout import fold
from samebytes.backend.inner import ending
from samebytes.errors import BackendError

from . import pip_settings, uv, virtualenvs
from .filled import Filled, FilledEnvironments, present
from .uv import Unsuitable
from .virtualenvs import InstalledDistribution, VirtualEnvironment

Run = Callable[[Sequence[str], str, Mapping[str, str]], int]
"""Runs a command with environment variables and returns its exit status; the text is what it is, for messages."""


@dataclass(frozen=True)
class Needed:
    """What is to be installed."""

    lines: tuple[str, ...]
    """Of a requirements file."""
    are_hashed: bool = False
    """Whether all has hashes (``--require-hashes``)."""
    constraint: Path | None = None
    held: tuple[Filled, ...] = ()
    """What was copied into the environment before."""

    @property
    def named(self) -> str:
        """What they are, for messages."""
        return ", ".join(line.partition(" --hash")[0] for line in self.lines if not line.startswith("-"))


@dataclass(frozen=True)
class RequirementInstaller:
    """How it is done for one interpreter."""

    python: str
    work: Path
    """A private directory."""
    seen: Path
    """The path that it has for what is run."""
    variables: Mapping[str, str]
    filled: FilledEnvironments
    run: Run
    check: Callable[[], None]
    """Raises if all is to end."""
    compiles: bool = True
    """Whether uv compiles all modules; pip does."""

    def by_uv(self, needed: Needed) -> Filled:
        """Return an environment that uv has filled.

        :raises Unsuitable: if there is none, it is too old, fails, or would not do what pip does.
        """
        tool = uv.find(self.variables)
        try:
            settings = pip_settings.read(self.variables)
        except ValueError as error:
            raise Unsuitable(str(error)) from None
        options = uv.options_for(settings, self.variables)
        own = [needed.constraint] if needed.constraint else []
        uv.demand_unhashed(needed.lines, [*own, *settings.get("constraint", "").split()])
        # One for each time: paths in a lock are relative to it, and other threads have theirs.
        self.work.mkdir(parents=True, exist_ok=True)
        lock, requirements, pins = (self.seen / name for name in ("pylock.toml", "requirements.txt", "pins.txt"))
        (self.work / requirements.name).write_text("\n".join(needed.lines) + "\n", encoding="utf-8")
        # pip keeps what is there already if that will do.
        (self.work / pins.name).write_text("\n".join(present(needed.held)) + "\n", encoding="utf-8")
        constraints = [pins, *own]
        self._uv(
            uv.resolving(tool, self.python, requirements, constraints, lock, options),
            "resolve",
            needed,
            options.variables,
        )
        archives = uv.resolved(self.work / lock.name, self.seen)
        if needed.are_hashed:
            archives = _of_hashes(archives, needed.lines)
        held = tuple(one for each in needed.held for one in each.installed)

        def fill(where: VirtualEnvironment) -> Filled:
            self._create(where)
            what = requirements if needed.are_hashed else lock
            command = uv.filling(tool, where, what, options, compiles=self.compiles, are_hashed=needed.are_hashed)
            self._uv(command, "install", needed, options.variables)
            return Filled(where, _without(uv.installed(where, archives), held), str(tool))

        key = (str(tool), self.python, _identified(archives), _identified(held), needed.are_hashed and needed.lines)
        return self.filled.get(key, fill, self.check)

    def by_pip(self, needed: Needed) -> Filled:
        """Return an environment that pip has filled.

        :raises SamebytesError: if it fails.
        """

        def fill(where: VirtualEnvironment) -> Filled:
            self._create(where)
            for each in needed.held:
                if not each.copy_to(where, self.check):
                    raise BackendError("what was installed before is no longer as it was", remedy="Build again.")
            return Filled(
                where, tuple(install(where, needed, self.work, self.run, self.seen)), virtualenvs.pip_version(where)
            )

        constraint = needed.constraint.read_text(encoding="utf-8") if needed.constraint else ""
        held = tuple(_identified(each.installed) for each in needed.held)
        # All variables, for pip reads many.
        settings = tuple(sorted(self.variables.items()))
        key = ("pip", self.python, needed.lines, needed.are_hashed, constraint, held, settings)
        return self.filled.get(key, fill, self.check)

    def _create(self, where: VirtualEnvironment) -> None:
        if self.run(virtualenvs.creation(self.python, where.root), "venv", self.variables):
            raise no_environment(self.python)

    def _uv(self, command: Sequence[str], verb: str, needed: Needed, variables: Mapping[str, str]) -> None:
        """Run uv.

        :raises Unsuitable: if it does not run, or fails.
        """
        try:
            status = self.run(command, "uv", variables)
        except BackendError as error:
            # What took all the time that there is leaves none to pip.
            if getattr(error, "is_late", False):
                raise
            raise Unsuitable(error.message) from None
        if status:
            raise Unsuitable(f"uv could not {verb} {needed.named}: it {ending(status)}")


def install(
    where: VirtualEnvironment, needed: Needed, work: Path, run: Run, seen: Path | None = None
) -> list[InstalledDistribution]:
    """Let pip install into *where*, and return what it did.

    :param work: a directory; *seen* is its path for programs that run in *where*, if that is another.
    :raises SamebytesError: if pip fails.
    """
    requirements, report, seen = "build-requirements.txt", "pip-report.json", seen or work
    work.mkdir(parents=True, exist_ok=True)
    (work / requirements).write_text("\n".join(needed.lines) + "\n", encoding="utf-8")
    # --no-input: a prompt for a password would wait for an answer nobody sees.
    command = [*virtualenvs.pip_of(where), "install", "--no-input", "--no-warn-script-location"]
    command += ["--disable-pip-version-check", *(["--require-hashes"] if needed.are_hashed else [])]
    command += ["--constraint", str(needed.constraint)] if needed.constraint else []
    command += ["--report", str(seen / report), "-r", str(seen / requirements)]
    if run(command, "pip", {}):
        raise not_installed("pip", needed)
    # From pip's report, as only that has addresses and hashes.
    return virtualenvs.installed_in(json.loads((work / report).read_text(encoding="utf-8")))


def not_installed(what: str, needed: Needed, why: str = "") -> BackendError:
    """Return the error where *what* did not install what is *needed*."""
    remedy = "Are they spelled right, and is the index or --find-links directory that has them configured?"
    if needed.are_hashed:
        remedy = "If something is missing, lock anew with --lock; if a hash is wrong, find out why first."
    return BackendError(f"{what} could not install the build requirements {needed.named}{why}", remedy=remedy)


def no_environment(python: str) -> BackendError:
    """Return the error where the interpreter *python* made no virtual environment."""
    return BackendError(
        f"no virtual environment could be made with {python}",
        remedy="Is its venv module complete (Debian: python3-venv)? Else build with --no-isolation.",
    )


def _identified(installed: Sequence[InstalledDistribution]) -> tuple[tuple[object, ...], ...]:
    """Return what distinguishes *installed* from others."""
    return tuple((one.name, one.version, one.url, tuple(sorted(one.hashes.items()))) for one in installed)


def _without(
    installed: Sequence[InstalledDistribution], held: Sequence[InstalledDistribution]
) -> tuple[InstalledDistribution, ...]:
    names = {fold(one.name) for one in held}
    return tuple(one for one in installed if fold(one.name) not in names)


def _of_hashes(archives: Sequence[InstalledDistribution], lines: Sequence[str]) -> tuple[InstalledDistribution, ...]:
    """Return those of *archives* that the hashes in *lines* allow.

    :raises Unsuitable: if these are not of all projects that the lines name, and of no others.
    """
    allowed = set(re.findall(r"--hash=(\S+)", " ".join(lines)))
    kept = tuple(one for one in archives if {f"{name}:{digest}" for name, digest in one.hashes.items()} & allowed)
    names = {fold(re.split(r"[^\w.-]", line)[0]) for line in lines if not line.startswith("-")}
    if {fold(one.name) for one in kept} != names or names != {fold(one.name) for one in archives}:
        raise Unsuitable("uv resolved something else than what is locked")
    return kept
