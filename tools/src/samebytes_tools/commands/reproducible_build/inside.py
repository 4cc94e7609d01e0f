"""The work of ``samebytes build``, done in the process and at the path where all builds take place."""

from __future__ import annotations

import shutil
import socket
import sys
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from samebytes.artifact.opening import open_archive
from samebytes.backend.child import PredictableNames
from samebytes.backend.fixed import IN_USE, PLACE, remove
from samebytes.backend.flags import environment_roots
from samebytes.backend.hooks import leaks_in
from samebytes.backend.inner import InnerUnsupported
from samebytes.backend.leaks import needles, search, warnings
from samebytes.backend.session import Interpreter, Session
from samebytes.errors import BackendError
from samebytes.passes.model import Change, Context
from samebytes.passes.pipeline import rewrite

from ...building import lock
from ...building.isolated import Environment, Installed, install, isolated
from ...building.lock import Locked
from ...building.requirements import demand, without_samebytes

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What to build, and where; all paths as the build sees them."""

    root: str
    """A directory for everything that the build makes."""
    source: str
    """The source tree, a copy in ``root``'s directory ``src``."""
    kinds: tuple[str, ...] = ()
    """``"sdist"``, ``"wheel"``, both (from the tree), or neither: an sdist, and a wheel from that."""
    isolation: bool = True
    check_dependencies: bool = True
    """Without isolation: whether to look first if the build requirements are installed."""
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    constraint: str = ""
    """A file that constrains the build requirements, as pip's ``--constraint``; or nothing."""
    locked: tuple[Locked, ...] | None = None
    """What to install instead of what the project asks for."""
    to_lock: bool = False
    """Whether what is installed is going to be locked: what cannot be is an error before anything is built."""


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
    """What was in the isolated environments; two versions of one package if sdist and wheel needed that."""
    fixed: bool
    """Whether it took place at the fixed path."""


def build(job: Job, environ: Mapping[str, str], tell: Tell) -> Built:
    """Build *job* in this process's file system, in the order sdist, wheel; each from a tree that no build was in.

    :raises SamebytesError: as the hooks do; for requirements that cannot be installed, BackendError.
    """
    root, source = Path(job.root), Path(job.source)
    tree, spare = root / "src", root / "spare"
    (root / "out").mkdir()
    if job.kinds == ("sdist", "wheel"):
        shutil.copytree(tree, spare, symlinks=True)
    with _Builder(job, environ, tell) as builder:
        if "sdist" in job.kinds or not job.kinds:
            builder.make("sdist", source)
        if spare.is_dir():
            remove(tree)
            spare.rename(tree)
        elif not job.kinds:
            source = _unpacked(root / "out" / builder.artifacts[0].name, tree)
        if job.kinds != ("sdist",):
            builder.make("wheel", source)
        return Built(tuple(builder.artifacts), builder.installed(), job.root == str(PLACE))


class _Builder:
    """Builds one artifact after the other, each in an environment that is as if it were its alone."""

    def __init__(self, job: Job, environ: Mapping[str, str], tell: Tell) -> None:
        self.job, self.tell, self.root = job, tell, Path(job.root)
        self.environ = {**environ, IN_USE: job.root}
        self.artifacts: list[Artifact] = []
        self._installed: dict[tuple[int, str], Installed] = {}
        self._open = ExitStack()
        self._environment: Environment | None = None
        self._number = 0
        self._asked: set[str] = set()
        self._beyond = False

    def __enter__(self) -> _Builder:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def installed(self) -> tuple[Installed, ...]:
        """Return what is in the environments, each thing once."""
        found: list[Installed] = []
        for one in self._installed.values():
            if one not in found:
                found.append(one)
        return tuple(found)

    def make(self, kind: str, source: Path) -> None:
        """Build one artifact of the tree *source* and note it."""
        temp = self.root / "tmp"
        remove(temp)
        temp.mkdir()
        notes: list[str] = []
        interpreter, variables = self._interpreter()
        with Session(source, {**self.environ, **variables}, interpreter, notes.append, temp) as session:
            self._provide(session.config.requires)
            settings = dict(self.job.config_settings) or None
            further = self._further(session, f"get_requires_for_build_{kind}", settings)
            self._beyond = bool(set(further) - set(session.config.requires))
            self._provide(further)
            self.tell(f"Building the {kind}")
            made = _made(session, f"build_{kind}", settings)
            self.artifacts.append(self._rewritten(session, made, kind, notes))

    def _interpreter(self) -> tuple[Interpreter, Mapping[str, str]]:
        """Return what runs the backend; a new environment if one artifact needed more than the project says."""
        if not self.job.isolation:
            return Interpreter(sys.executable, environment_roots(sys.prefix, sys.base_prefix, sys.path)), {}
        if self._environment is None or self._beyond:
            self._open.close()
            self._asked.clear()
            self._number += 1
            self.tell("Creating the isolated build environment")
            parent = self.root / "env"
            parent.mkdir(exist_ok=True)
            self._environment = self._open.enter_context(isolated(parent, PredictableNames()))
        return Interpreter(self._environment.python, (self._environment.root,)), self._environment.variables

    def _further(self, session: Session, hook: str, settings: Any) -> Sequence[str]:
        """Return what the backend needs beyond what the project says (PEP 517)."""
        lines = session.inner.call(hook, settings)
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise BackendError(
                f"the inner backend {session.config.backend.name!r} returned {lines!r} from {hook}, no list of strings",
                remedy="That is an error of the backend (PEP 517): report it there, or try another release of it.",
            )
        return lines

    def _provide(self, lines: Sequence[str]) -> None:
        """Install what *lines* require, or what is locked instead, or see whether it is there."""
        wanted = [line for line in without_samebytes(lines) if line not in self._asked]
        first = not self._asked
        self._asked.update(wanted)
        if self._environment is None:
            if self.job.check_dependencies:
                demand(wanted, sys.executable)
        elif self.job.locked is None:
            self._install(wanted, ["--constraint", self.job.constraint] if self.job.constraint else [])
        else:
            lock.demand(wanted, self.job.locked)
            if first and wanted:
                self._install([line for one in self.job.locked for line in one.lines], ["--require-hashes"])

    def _install(self, lines: Sequence[str], options: Sequence[str]) -> None:
        if not lines or self._environment is None:
            return
        shown = [line.partition(" --hash")[0] for line in lines if not line.startswith("-")]
        self.tell(f"Installing {', '.join(shown)}")
        done = install(self._environment, lines, self.root, options)
        if self.job.to_lock:
            lock.demand_hashes(done)
        self._installed.update({(self._number, one.name): one for one in done})

    def _rewritten(self, session: Session, made: Path, kind: str, notes: list[str]) -> Artifact:
        target = self.root / "out" / made.name
        dated = session.dated
        context = Context(dated.seconds, kind, record_date=dated.record and kind == "sdist")
        result = rewrite(made, target, context, session.passes(), session.compression())
        return Artifact(
            name=target.name,
            kind=kind,
            size=result.after.size,
            sha256=result.after.sha256,
            date=dated.seconds,
            date_origin=dated.origin,
            changes=result.changes,
            warnings=(*notes, *self._leaks(target, session)),
        )

    def _leaks(self, target: Path, session: Session) -> list[str]:
        """Return what of this machine is in *target*; the fixed paths are those of every machine."""
        if self.root != PLACE:
            return leaks_in(target, session)
        user = self.environ.get("USER", self.environ.get("LOGNAME", ""))
        with open_archive(target) as archive:
            return warnings(search(archive, needles({}, {"user name": user, "host name": socket.gethostname()})))


def _made(session: Session, hook: str, settings: Any) -> Path:
    try:
        return session.build(hook, settings)
    except InnerUnsupported as error:
        name = session.config.backend.name
        raise BackendError(
            f"the inner backend {name!r} says that it cannot do {hook} here (UnsupportedOperation)\n{error}",
            remedy="It says why above; for an sdist that is often a missing repository. Try --wheel, or a git clone.",
        ) from None


def _unpacked(sdist: Path, tree: Path) -> Path:
    """Put what our own canonical *sdist* holds where the source *tree* was, and return that."""
    aside = tree.with_name("sdist")
    aside.mkdir()
    with tarfile.open(sdist) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(aside)
    remove(tree)
    return next(aside.iterdir()).rename(tree)


def as_plain(built: Built) -> dict[str, Any]:
    """Return *built* as what JSON can carry to another process."""
    data = asdict(built)
    for artifact, values in zip(built.artifacts, data["artifacts"]):
        values["changes"] = [list(change) for change in artifact.changes]
    return data


def from_plain(data: Mapping[str, Any]) -> Built:
    """Read what ``as_plain`` gave."""
    artifacts = []
    for values in data["artifacts"]:
        changes = tuple(Change(*change) for change in values["changes"])
        artifacts.append(Artifact(**{**values, "changes": changes, "warnings": tuple(values["warnings"])}))
    return Built(tuple(artifacts), tuple(Installed(**values) for values in data["requirements"]), data["fixed"])


def job_from_plain(data: Mapping[str, Any]) -> Job:
    """Read the ``asdict`` of a job."""
    locked = data["locked"]
    if locked is not None:
        locked = tuple(Locked(**{**values, "lines": tuple(values["lines"])}) for values in locked)
    return Job(**{**data, "kinds": tuple(data["kinds"]), "locked": locked})
