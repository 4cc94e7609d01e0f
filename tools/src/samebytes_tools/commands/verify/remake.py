"""Builds again what was built before, as it was recovered or recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import load
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import SamebytesError, UsageError

from ...building import provenance, pylock
from ...building.builder import BuildEnvironment, Builder, InstallPolicy, Project, explained
from ...building.containers import BuildContainer
from ...building.filled import FilledEnvironments
from ...building.installers import AUTO, PIP
from ...building.interpreters import Python
from ...building.processes import CommandRunner
from ...building.provenance import BACKEND, SAMEBYTES, Material, Record
from ...building.source import SourceTree, sha256_of
from ...building.virtualenvs import InstalledDistribution
from ...index.client import Index
from ...index.serving import Snapshot, serving
from ...vcs.checkout import make_checkout, wants_checkout
from ..reproducible_build.build import BuildContext, BuildRequest, build
from . import imitations, recover

_ONE_AT_A_TIME = threading.Lock()
"""Held while ``samebytes build`` is at its fixed paths: a second build would get others, and so perhaps other bytes."""


@dataclass(frozen=True)
class VerifyContext:
    """What a verification needs of the process that asks for it."""

    build: BuildContext
    """For rebuilds; all else is reported there, too."""
    index: Callable[[], Index]
    within: Path | None = None
    """Where private directories are made; None: where temporary files belong."""
    container: BuildContainer | None = None
    """Where commands of rebuilds run; None: on this machine."""
    installer: str = AUTO
    """What installs build requirements."""
    filled: FilledEnvironments | None = None
    """What was installed for other rebuilds of the same run."""

    @property
    def installation(self) -> tuple[str, FilledEnvironments | None]:
        """What installs for a rebuild, and the environments that it may copy."""
        # An image has pip; uv is this machine's, and so is what was installed by it.
        return (PIP, None) if self.container else (self.installer, self.filled)

    def runner(self, log: Path | None) -> CommandRunner:
        """Return what runs the commands of a rebuild; what they print goes to *log*, or to standard error."""
        if self.container is not None:
            return self.container.runner(log, self.build.stop, self.build.seconds)
        return CommandRunner(log, stop=self.build.stop, seconds=self.build.seconds)


@dataclass(frozen=True)
class Recovered:
    """How the artifact was built, as far as it can be known."""

    method: str
    """``provenance.SAMEBYTES`` or ``BACKEND``."""
    python: Python
    generator: str
    """The ``Generator`` of a wheel, or of the wheel beside an sdist."""
    pins: tuple[str, ...]
    """Constraints that bring back the backend's release."""
    until: int | None
    """When the build requirements were chosen, in seconds since 1970 UTC; None for today."""
    environment: Mapping[str, str]
    """The variables that matter, SOURCE_DATE_EPOCH among them."""
    config_settings: Mapping[str, Any]
    kinds: tuple[ArtifactKind, ...]
    locked: Path | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    """Those of *environment* that were asked for (``--env``), or switch an extension off."""

    beside: tuple[str, ...] = ()
    """Projects that are installed beyond what the source requires, as they were in the environment of then."""

    def with_variables(self, variables: Mapping[str, str]) -> Recovered:
        """Return the same with further *variables* that were asked for."""
        given = {**self.given, **variables}
        return replace(self, environment={**self.environment, **given}, given=given)

    @property
    def epoch(self) -> str:
        """SOURCE_DATE_EPOCH, or nothing."""
        return self.environment.get("SOURCE_DATE_EPOCH", "")


@dataclass(frozen=True)
class Made:
    """What came out."""

    path: Path
    """In the private directory."""
    requirements: tuple[InstalledDistribution, ...]
    installer: str = ""
    """What installed these: ``uv 0.7.0``."""


def remake(how: Recovered, kind: ArtifactKind, source: SourceTree, private: Path, context: VerifyContext) -> Made:
    """Build an artifact of *kind* from *source* in the directory *private*.

    :raises SamebytesError: if build requirements cannot be had, or the build fails.
    """
    with address_of(how.until, context.index()) as address:
        if how.method == SAMEBYTES:
            return _by_samebytes(how, kind, source, private, context, address)
        return _by_backend(how, kind, source, private, context, address)


@contextmanager
def address_of(until: int | None, index: Index) -> Iterator[str]:
    """Yield the address of the *index* as it was at the time *until*; None for what it is now."""
    if until is None:
        # pip asks this index itself, and has no other configuration here.
        yield index.with_credentials(index.address)
        return
    with serving(Snapshot(index, until)) as served:
        try:
            yield served.address
        except SamebytesError:
            if served.failure:  # the reason for what pip complained of
                raise served.failure from None
            raise


def _by_samebytes(
    how: Recovered, kind: ArtifactKind, source: SourceTree, private: Path, context: VerifyContext, address: str
) -> Made:
    """Build as ``samebytes build`` does."""
    request = BuildRequest(
        source=source.tree,
        output=private / "out",
        kinds=how.kinds,
        config_settings=how.config_settings,
        locked=how.locked,
        # A lock has exact versions; pins beside it could only contradict it.
        constraint=None if how.locked else _constraint(how, private),
        installer=context.installer,
    )
    home = private / "home"
    home.mkdir(exist_ok=True)
    environ = recover.for_samebytes(context.build.environ, address, how.environment, home)
    with _ONE_AT_A_TIME:
        built = build(request, replace(context.build, environ=environ))
    made = [artifact for artifact in built.artifacts if artifact.kind == kind]
    if not made:
        raise UsageError(f"the record is of no {kind}", remedy="Verify a file that it names.")
    return Made(request.output / made[0].name, built.requirements, built.installer)


def _by_backend(
    how: Recovered, kind: ArtifactKind, source: SourceTree, private: Path, context: VerifyContext, address: str
) -> Made:
    """Build with the project's own backend as it stands."""
    root = private / "build"
    root.mkdir()
    environment = environment_in(how, root, address, context)
    installer, filled = context.installation
    builder = Builder(
        how.python.executable,
        InstallPolicy(
            installer=installer,
            constraint=_constraint(how, private),
            locked=tuple(pylock.read(how.locked)) if how.locked else None,
        ),
        root,
        environment,
        config_settings=how.config_settings,
        filled=filled,
        report=context.build.report,
        advice="--python or --locked may give it what it had then; --source another tree.",
    )
    config = load(source.tree)
    project = Project(config.backend, (*config.requires, *how.beside))
    project, import_path = imitations.imitated(
        project, how.given, source.tree, private / "imitated", root / "home", is_remade=kind == ArtifactKind.SDIST
    )
    if kind == ArtifactKind.SDIST and wants_checkout(config.backend, source.tree):
        # What the backend adds is not to be committed.
        (source.tree / "PKG-INFO").unlink(missing_ok=True)
        # meson dist gives all files the time of the commit.
        make_checkout(source.tree, environment.variables, int(how.epoch) if how.epoch.isdecimal() else DEFAULT_DATE)
    # Not for pip, which would write scripts and records so.
    hooks = replace(environment, import_path=import_path)
    log = context.runner(None if context.build.verbose else private / "build.log")
    with explained(private, log, context.build.show_log):
        path = builder.build_own(kind, project, source.tree, hooks, root / "env", root / "out", log)
    requirements = tuple(sorted(builder.installed, key=lambda one: one.name))
    return Made(path, requirements, ", ".join(builder.installers))


def environment_in(how: Recovered, root: Path, address: str, context: VerifyContext) -> BuildEnvironment:
    """Return the environment of what is run to rebuild, which may write in the directory *root*.

    :param address: of the package index.
    """
    variables = recover.environment(context.build.environ, address, how.environment)
    if context.container is not None:
        variables = context.container.variables(variables)
    given = recover.beneath(variables, root)
    if context.container is not None:
        # A container has a /tmp of its own, as the one had that the wheel was built in.
        given = {name: value for name, value in given.items() if value != given["TMPDIR"]}
    return BuildEnvironment(given, umask=imitations.umask(how.given))


def _constraint(how: Recovered, private: Path) -> Path:
    path = private / "constraints.txt"
    path.write_text("".join(f"{pin}\n" for pin in how.pins), encoding="utf-8")
    return path


def record(how: Recovered, kind: ArtifactKind, source: SourceTree, made: Made) -> Record:
    """Return the record of what :func:`remake` did."""
    pinned = recover.PINNED if how.method == BACKEND else {}
    return Record(
        subjects=((made.path.name, sha256_of(made.path)),),
        method=how.method,
        kinds=(kind,),
        config_settings=how.config_settings,
        source=Material(source.uri, source.digest, source.location),
        requirements=made.requirements,
        python=how.python,
        environment=provenance.that_matter({**pinned, **how.environment}),
        given=how.given,
        installer=made.installer,
        umask=f"{imitations.umask(how.given):03o}",
    )
