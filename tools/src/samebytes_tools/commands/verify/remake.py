"""Builds again what was built before, as it was recovered or recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable

from samebytes.errors import SamebytesError, UsageError

from ...building import lock, provenance
from ...building.interpreters import Python
from ...building.isolated import Installed
from ...building.provenance import BACKEND, SAMEBYTES, Material, Record
from ...building.source import Source, sha256_of
from ...index.client import Index
from ...index.serving import Snapshot, serving
from ..reproducible_build import build as building
from . import recover
from .rebuild import Rebuilt, Task, rebuilt_from_plain


@dataclass(frozen=True)
class Surroundings:
    """What of the outside world a verification needs."""

    build: building.Surroundings
    """For what samebytes built; its messages are those of all else."""
    worker: tuple[str, ...]
    """The command that rebuilds with a project's own backend."""
    index: Callable[[], Index]


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
    kinds: tuple[str, ...]
    locked: Path | None = None

    @property
    def epoch(self) -> str:
        """SOURCE_DATE_EPOCH, or nothing."""
        return self.environment.get("SOURCE_DATE_EPOCH", "")


@dataclass(frozen=True)
class Made:
    """What came out."""

    path: Path
    """In the private directory."""
    requirements: tuple[Installed, ...]


def remake(how: Recovered, kind: str, source: Source, private: Path, around: Surroundings) -> Made:
    """Build an artifact of *kind* from *source* in the directory *private*.

    :raises SamebytesError: if build requirements cannot be had, or the build fails.
    """
    with _address(how, around.index()) as address:
        if how.method == SAMEBYTES:
            return _by_samebytes(how, kind, source, private, around, address)
        return _by_backend(how, kind, source, private, around, address)


@contextmanager
def _address(how: Recovered, index: Index) -> Iterator[str]:
    """Yield the address of the index that the build requirements come from."""
    if how.until is None:
        yield index.with_credentials(index.address)
        return
    with serving(Snapshot(index, how.until)) as served:
        try:
            yield served.address
        except SamebytesError:
            if served.failure:  # the reason for what pip complained of
                raise served.failure from None
            raise


def _by_samebytes(how: Recovered, kind: str, source: Source, private: Path, around: Surroundings, address: str) -> Made:
    """Build as ``samebytes build`` does."""
    constraints = private / "constraints.txt"
    constraints.write_text("".join(f"{pin}\n" for pin in how.pins), encoding="utf-8")
    request = building.Request(
        source=source.tree,
        output=private / "out",
        kinds=how.kinds,
        config_settings=how.config_settings,
        locked=how.locked,
        constraint=None if how.locked else constraints,
    )
    environ = recover.for_samebytes(around.build.environ, address, how.environment)
    built = building.build(request, replace(around.build, environ=environ))
    made = [artifact for artifact in built.artifacts if artifact.kind == kind]
    if not made:
        raise UsageError(f"the record is of no {kind}", remedy="Verify a file that it names.")
    return Made(request.output / made[0].name, built.requirements)


def _by_backend(how: Recovered, kind: str, source: Source, private: Path, around: Surroundings, address: str) -> Made:
    """Build with the project's own backend as it stands."""
    root = private / "build"
    root.mkdir()
    locked = tuple(lock.read(how.locked)) if how.locked else None
    task = Task(str(root), str(source.tree), kind, how.python, how.pins, locked, how.config_settings)
    environ = recover.beneath(recover.environment(around.build.environ, address, how.environment), root)
    rebuilt = _work(task, environ, around.worker, around.build)
    return Made(Path(rebuilt.path), rebuilt.requirements)


def _work(task: Task, environ: Mapping[str, str], worker: Sequence[str], around: building.Surroundings) -> Rebuilt:
    """Let a process of its own do *task*, in the environment *environ*."""
    result: dict[str, Any] = {}

    def hear(message: Mapping[str, Any]) -> None:
        if "step" in message:
            around.tell(message["step"])
        result.update(message)

    log = Path(task.root, building.LOG)
    try:
        status = around.run_worker([*worker, task.root], environ, asdict(task), hear)
    except SamebytesError:
        around.show_log(log)
        raise
    if status == 0 and "rebuilt" in result:
        return rebuilt_from_plain(result["rebuilt"])
    if log.is_file():
        around.show_log(log)
    raise building.failure(status, result, Path(task.root))


def record(how: Recovered, kind: str, source: Source, made: Made) -> Record:
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
    )
