"""All kinds of artifacts of one source, built in one of the two environments, in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from samebytes.backend.config import Backend
from samebytes.errors import SamebytesError
from samebytes.passes.pipeline import Stop

from ...building.builder import BuildEnvironment, Builder, BuildError, InstallPolicy, Project, project_of
from ...building.interpreters import Python
from ...building.processes import CommandRunner
from ...building.source import unpack
from ...building.virtualenvs import InstalledDistribution
from ...variations.environments import VariedEnvironment
from .build_command import BuildCommand, no_sdist
from .progress import BISECTING, PLANNED, BuildProgress, described, number_of_builds
from .subject import BUILD, FROM_SDIST, HOOK, SDIST, WHEEL, CheckContext, CheckOptions
from .working_copy import lay_out

GAP = 2.1
"""Seconds from the end of one build to the beginning of the next, for the clock to count as another (zip's: 2)."""

ADVICE = "The last lines of its output are below; --logs DIR keeps all."
"""What to do about a build that failed by itself."""

UNPACKED = "from-sdist"
"""Where an sdist is unpacked, in the directory for temporary files."""

Files = dict[str, Path]
"""What was built, by kind."""

Failures = dict[str, BuildError]


@dataclass(frozen=True)
class Attempt:
    """What was built in one environment, in one way, and what failed."""

    environment: VariedEnvironment
    started: float
    """Seconds since 1970."""
    files: Files
    failures: Failures
    seconds: float = 0.0
    """How long it took."""


class Attempts:
    """Builds one source as often as that is asked for, each time from a fresh copy of it."""

    def __init__(
        self,
        pristine: tuple[Path, Path],
        python: Python,
        options: CheckOptions,
        context: CheckContext,
        stop: Stop,
        private: Path,
    ) -> None:
        """Make the directories ``logs`` and ``scratch`` in *private*; the first build makes ``out``.

        :param pristine: a directory that stays as it is, and where in it the source tree is.
        :param stop: once it is set, what is running is ended.
        :raises SamebytesError: if it is not a source tree.
        """
        self._pristine, self._within = pristine
        self._options, self._context, self._stop = options, context, stop
        self._project = project_of(self._pristine / self._within)
        self.logs, self.out, self.scratch = private / "logs", private / "out", private / "scratch"
        for directory in (self.logs, self.scratch):
            directory.mkdir()
        self._builder = Builder(
            python.executable,
            # Two resolutions a minute apart may give two releases of a requirement, which is no variation of the build.
            InstallPolicy(isolation=options.isolation, installer=options.installer, same_everywhere=True),
            self.scratch,
            BuildEnvironment(context.environ),
            python.minor,
            config_settings=options.config_settings,
            filled=context.filled,
            advice=ADVICE,
        )
        self.progress = BuildProgress(context.report, context.clock)
        self._ended = 0.0
        self._limit: float | None = None

    @property
    def installed(self) -> tuple[InstalledDistribution, ...]:
        """What was installed for the builds; all of them got the same."""
        return tuple(self._builder.installed)

    @property
    def installer(self) -> str:
        """What installed that."""
        return ", ".join(self._builder.installers)

    @property
    def is_wrapped(self) -> bool:
        """Whether the project's backend is samebytes."""
        return self._project.needs_samebytes

    def wait(self, environment: VariedEnvironment) -> None:
        """Let the clock go on since the last build, unless it is moved in *environment*, or is not to be varied."""
        # A clock that libfaketime cannot move is still varied by as much as waiting gives; a moved one needs no wait.
        if "time" in {*self._context.vary, *self._context.left_out} and not environment.is_later:
            self._stop.wait(max(0.0, self._ended + GAP - self._context.clock()))

    def build(
        self,
        way: str,
        environment: VariedEnvironment,
        label: str,
        kinds: Sequence[str] = (),
        seconds: float | None = None,
    ) -> Attempt:
        """Build *kinds*, or all that are wanted; what fails is part of the result.

        :param label: distinguishes this attempt from others of its way, in the names of files.
        :param seconds: what each build may take, where that is less than the options allow.
        """
        self._limit = seconds
        attempt = Attempt(environment, self._context.clock(), {}, {})
        command = BuildCommand(self._options.builder, self._builder, _seen(environment)) if way == BUILD else None
        if label not in PLANNED and not label.startswith(BISECTING):
            self.progress.plan(number_of_builds(environment, tuple(kinds) or self._options.kinds))
        for kind in kinds or self._options.kinds:
            self._stop.check()
            try:
                attempt.files[kind] = self._one(way, kind, attempt, label, command)
            except BuildError as error:
                attempt.failures[kind] = error
                if error.is_late and self._options.gives_up:  # so would the others be
                    # A survey would wait for the whole timeout once for every kind.
                    rest = [one for one in self._options.kinds if one not in attempt.files]
                    attempt.failures.update(dict.fromkeys(rest, error))
                    break
        self._ended = self._context.clock()
        return replace(attempt, seconds=self._ended - attempt.started)

    def _one(self, way: str, kind: str, attempt: Attempt, label: str, command: BuildCommand | None) -> Path:
        environment, name = attempt.environment, f"{way}-{label}-{kind}"
        tree, out = environment.tree / self._within, self.directory(way, label) / in_file_names(kind)
        # Before anything is laid out: `samebytes build` made that wheel together with the sdist, from its own copy.
        if command is not None and kind == FROM_SDIST:
            self.progress.begin(described(way, kind, environment, label))
            return command.build(kind, tree, out, self._runner(name))
        has_leftovers = "leftovers" in environment.applied and kind != FROM_SDIST
        if not (has_leftovers and SDIST in attempt.files):  # else the sdist was just built there, after others
            lay_out(self._pristine, environment)
            if has_leftovers:
                self._leave(way, environment, tree, label)
        self.progress.begin(described(way, kind, environment, label))
        log = self._runner(name)
        if command is not None:
            return command.build(kind, tree, out, log)
        if kind != FROM_SDIST:
            return self._by_own_backend(way, kind, environment, tree, out, log)
        if SDIST not in attempt.files:
            raise no_sdist(log)
        # Below TMPDIR, as front ends do it: `python -m build` and pip unpack sdists into temporary directories.
        tree = _unpacked(attempt.files[SDIST], environment, log)
        return self._by_own_backend(way, WHEEL, environment, tree, out, log)

    def directory(self, way: str, label: str) -> Path:
        """Return where an attempt puts what it builds."""
        return self.out / in_file_names(way) / label

    def _by_own_backend(
        self,
        way: str,
        kind: str,
        environment: VariedEnvironment,
        tree: Path,
        out: Path,
        log: CommandRunner,
        *,
        asks: bool = True,
    ) -> Path:
        root = environment.virtual_environment
        return self._builder.build_own(kind, self._project_of(way), tree, _seen(environment), root, out, log, asks=asks)

    def _project_of(self, way: str) -> Project:
        """Return what is called: the project's own backend, or samebytes in front of it, as ``wrap`` would put it."""
        if way != HOOK:
            return self._project
        # Without an edit of pyproject.toml: samebytes takes the tree's own build-backend as the one to wrap (D4).
        return replace(self._project, backend=Backend("samebytes.backend"), needs_samebytes=True)

    def _leave(self, way: str, environment: VariedEnvironment, tree: Path, label: str) -> None:
        """Build in the tree, for whatever an earlier build leaves there; if that fails, for as much as it left."""
        # Both, for each leaves something else: .egg-info and dist/ the one, build/ the other.
        for kind in (SDIST, WHEEL):
            self.progress.begin(described(way, f"{kind} to leave in the tree", environment, label))
            log = self._runner(f"{way}-{label}-{kind}-leftovers")
            try:
                # What it requires is known from the first build, mostly; only its files are wanted.
                self._by_own_backend(way, kind, environment, tree, tree / "dist", log, asks=False)
            except BuildError:
                continue

    def _runner(self, name: str) -> CommandRunner:
        """Return what runs the commands of one build; the time that it may take begins."""
        log = self.logs / f"{in_file_names(name)}.log"
        limits = [limit for limit in (self._options.timeout, self._limit) if limit is not None]
        return CommandRunner(log, stop=self._stop, seconds=min(limits, default=None))


def in_file_names(name: str) -> str:
    """Return *name* as it is in the names of files."""
    return name.replace(" ", "-")


def _seen(environment: VariedEnvironment) -> BuildEnvironment:
    return BuildEnvironment(environment.variables, environment.umask, environment.prefix, environment.import_path)


def _unpacked(sdist: Path, environment: VariedEnvironment, log: CommandRunner) -> Path:
    try:
        return unpack(sdist, environment.temp / UNPACKED)
    except SamebytesError as error:
        raise BuildError(f"the sdist cannot be unpacked: {error.message}", remedy=error.remedy, log=log.log) from None
