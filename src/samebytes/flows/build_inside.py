"""The work of ``samebytes build``, done in the process and at the path where all builds take place."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..backend.child import PredictableNames
from ..backend.fixed import IN_USE
from ..backend.flags import environment_roots
from ..backend.hooks import leaks_in
from ..backend.session import Interpreter, Session
from ..errors import ConfigError
from ..outside.isolated import Environment, Installed, install, isolated
from ..passes.model import Change, Context
from ..passes.pipeline import rewrite

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What to build, and where; all paths as the build sees them."""

    root: str
    """An empty directory for everything that the build makes."""
    source: str
    """The source tree; not changed where it is a copy."""
    kinds: tuple[str, ...] = ()
    """``"sdist"``, ``"wheel"``, both (from the tree), or neither: an sdist, and a wheel from that."""
    isolation: bool = True
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    constraint: str = ""
    """A file that constrains the build requirements, as pip's ``--constraint``; or nothing."""
    locked: tuple[str, ...] = ()
    """Requirement lines with hashes to install instead of what the project asks for."""


@dataclass(frozen=True)
class Artifact:
    """One file that was built."""

    name: str
    kind: str
    """``"sdist"`` or ``"wheel"``."""
    size: int
    sha256: str
    date: int
    date_origin: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    """What of this machine is in it."""


@dataclass(frozen=True)
class Built:
    """Everything that a build made."""

    artifacts: tuple[Artifact, ...]
    requirements: tuple[Installed, ...]


def build(job: Job, environ: Mapping[str, str], tell: Tell) -> Built:
    """Build *job* in this process's file system, in the order sdist, wheel.

    :raises SamebytesError: as the hooks do; for requirements that cannot be installed, BackendError.
    """
    root = Path(job.root)
    for name in ("env", "tmp", "out"):
        (root / name).mkdir()
    with _environment(job, environ, tell) as builder:
        if "sdist" in job.kinds or not job.kinds:
            builder.make("sdist", Path(job.source))
        if "wheel" in job.kinds:
            builder.make("wheel", Path(job.source))
        elif not job.kinds:
            builder.make("wheel", _unpacked(root / "out" / builder.artifacts[0].name, root))
        return Built(tuple(builder.artifacts), tuple(builder.installed.values()))


@contextmanager
def _environment(job: Job, environ: Mapping[str, str], tell: Tell) -> Iterator[_Builder]:
    if not job.isolation:
        roots = environment_roots(sys.prefix, sys.base_prefix, sys.path)
        yield _Builder(job, environ, tell, None, Interpreter(sys.executable, roots))
        return
    tell("Creating the isolated build environment")
    with isolated(Path(job.root) / "env", PredictableNames()) as environment:
        interpreter = Interpreter(environment.python, (environment.root,))
        yield _Builder(job, {**environ, **environment.variables}, tell, environment, interpreter)


class _Builder:
    """Builds one artifact after the other in one environment."""

    def __init__(
        self, job: Job, environ: Mapping[str, str], tell: Tell, environment: Environment | None, python: Interpreter
    ) -> None:
        self.job, self.tell, self.environment, self.python = job, tell, environment, python
        self.environ = {**environ, IN_USE: job.root}
        self.artifacts: list[Artifact] = []
        self.installed: dict[str, Installed] = {}
        self._asked: set[str] = set()
        self.root = Path(job.root)

    def make(self, kind: str, source: Path) -> None:
        """Build one artifact of the tree *source* and note it."""
        temp = self.root / "tmp"
        shutil.rmtree(temp)
        temp.mkdir()
        notes: list[str] = []
        with Session(source, self.environ, self.python, notes.append, temp) as session:
            self._install(session.config.requires)
            settings = dict(self.job.config_settings) or None
            session.inner.hooks()
            self._install(session.inner.call(f"get_requires_for_build_{kind}", settings))
            self.tell(f"Building the {kind}")
            made = session.build(f"build_{kind}", settings)
            self.artifacts.append(self._rewritten(session, made, kind, notes))

    def _rewritten(self, session: Session, made: Path, kind: str, notes: list[str]) -> Artifact:
        target = self.root / "out" / made.name
        dated = session.dated
        context = Context(dated.seconds, kind, record_date=dated.record and kind == "sdist")
        result = rewrite(made, target, context, session.passes())
        leaks = leaks_in(target, session)
        return Artifact(
            name=target.name,
            kind=kind,
            size=result.after.size,
            sha256=result.after.sha256,
            date=dated.seconds,
            date_origin=dated.origin,
            changes=result.changes,
            warnings=(*notes, *leaks),
        )

    def _install(self, requirements: Sequence[str]) -> None:
        """Install *requirements*, or what is locked instead; samebytes is not needed there, for it is here."""
        if self.environment is None:
            return
        wanted = [line for line in requirements if line not in self._asked and not _is_samebytes(line)]
        options: list[str] = []
        self._asked.update(wanted)
        if self.job.locked:
            _demand_locked(wanted, self.job.locked)
            wanted = [] if self.installed else list(self.job.locked)
            options = ["--no-deps", "--require-hashes"]
        elif self.job.constraint:
            options = ["--constraint", self.job.constraint]
        if wanted:
            self.tell(f"Installing {', '.join(line.partition(' --hash')[0] for line in wanted)}")
            done = install(self.environment, wanted, self.root, options)
            self.installed.update({one.name: one for one in done})


def _is_samebytes(requirement: str) -> bool:
    return re.fullmatch(r"samebytes\b(?!-).*", requirement.strip(), re.IGNORECASE | re.DOTALL) is not None


def _demand_locked(requirements: Sequence[str], lines: Sequence[str]) -> None:
    """Hold *requirements* against what is locked.

    :raises ConfigError: if one is missing there, or locked at a version that it does not allow.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    pinned = [line.partition(" ")[0].partition("==") for line in lines]
    versions = {canonicalize_name(name): version for name, _, version in pinned}
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise ConfigError(f"the build requirement {text!r} is malformed: {error}") from None
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found = f"has {requirement.name} {version}" if version else "does not have it"
            raise ConfigError(
                f"the build needs {text!r}, but the lock file {found}", remedy="Write a new one with --lock FILE."
            )


def _unpacked(sdist: Path, root: Path) -> Path:
    """Unpack our own canonical *sdist* where the copy of the tree was, and return the tree."""
    target = root / "sdist"
    target.mkdir()
    with tarfile.open(sdist) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(target)
    return next(target.iterdir())


def as_json(built: Built) -> str:
    """Return *built* as JSON, for another process."""
    data = asdict(built)
    for artifact, values in zip(built.artifacts, data["artifacts"]):
        values["changes"] = [list(change) for change in artifact.changes]
    return json.dumps(data)


def from_json(text: str) -> Built:
    """Read what ``as_json`` gave."""
    data = json.loads(text)
    artifacts = []
    for values in data["artifacts"]:
        values["changes"] = tuple(Change(*change) for change in values["changes"])
        values["warnings"] = tuple(values["warnings"])
        artifacts.append(Artifact(**values))
    return Built(tuple(artifacts), tuple(Installed(**values) for values in data["requirements"]))
