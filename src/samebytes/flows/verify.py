"""Rebuild what was published, as it was built then, and compare."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from ..backend.config import load
from ..backend.fixed import remove
from ..compare.engine import compare_files
from ..compare.model import UNKNOWN_WORLD, Comparison, Verdict, World
from ..errors import ConfigError, OutputError, SamebytesError, UsageError
from ..outside.index import Index
from ..outside.interpreters import Python, named
from ..outside.isolated import Installed
from ..outside.moment import serving
from . import build as building
from . import lock, provenance, published, recover
from . import source as sources
from .check import check
from .clues import Clues
from .clues import read as read_clues
from .normalize import Job, Options
from .provenance import BACKEND, SAMEBYTES, Material, Record
from .rebuild import Rebuilt, Task, rebuilt_from_plain

ACCEPTED = {
    "identical": (Verdict.IDENTICAL,),
    "normalized": (Verdict.IDENTICAL, Verdict.NORMALIZED),
    "payload": (Verdict.IDENTICAL, Verdict.NORMALIZED, Verdict.PAYLOAD),
}
"""Which verdicts are good enough, by what ``--accept`` says."""


@dataclass(frozen=True)
class Request:
    """What somebody wants verified."""

    target: str
    """A file, ``NAME==VERSION``, or the name of a file in the index."""
    kind: str = ""
    """``"wheel"`` or ``"sdist"`` of a release; empty for whichever there is."""
    source: str = ""
    """An sdist, a tree or ``GIT-URL-OR-DIR@REF``; empty for the release's own sdist."""
    python: str = ""
    """A version or a path; empty for what the artifact wants."""
    locked: Path | None = None
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    """For the backend; a record has its own."""
    record: Path | None = None
    """A record to follow, instead of what can be recovered."""
    output: Path | None = None
    """Where the rebuilt file is put; nowhere if None."""


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
class Verified:
    """What became of one verification."""

    name: str
    """Of the artifact."""
    sha256: str
    url: str
    """Where it was downloaded or is published; empty if the index does not know it."""
    source: Material
    source_told: str
    recovered: Recovered
    requirements: tuple[Installed, ...]
    comparison: Comparison
    """Left: what was published; right: what was rebuilt."""
    record: Record
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One of several verifications: either was it done, or it could not be."""

    target: str
    verified: Verified | None = None
    error: SamebytesError | None = None


def verify_all(requests: Sequence[Request], around: Surroundings) -> Iterator[Result]:
    """Yield a result for each of *requests*, in their order; an error is a result, and the rest go on."""
    for request in requests:
        around.build.tell(f"Verifying {request.target}")
        try:
            yield Result(request.target, verified=verify(request, around))
        except SamebytesError as error:
            yield Result(request.target, error=error)


def verify(request: Request, around: Surroundings) -> Verified:
    """Rebuild what *request* names, and compare.

    :raises SamebytesError: if it, its source, an interpreter or build requirements cannot be had, or the build fails.
    """
    private = Path(tempfile.mkdtemp(prefix="samebytes-")).resolve()
    try:
        return _Verification(request, around, private).run()
    finally:
        remove(private)


def requests_of(record: Path, request: Request) -> list[Request]:
    """Return a request for each file that *record* is about: the one beside it, else that of the index.

    :raises ConfigError: if it is no record.
    """
    found = []
    for name, sha256 in provenance.read(record).subjects:
        beside = record.parent / name
        is_here = beside.is_file() and sources.sha256_of(beside) == sha256
        found.append(replace(request, target=str(beside) if is_here else name, record=record))
    return found


class _Verification:
    """The steps, each of which may leave a note."""

    def __init__(self, request: Request, around: Surroundings, private: Path) -> None:
        self._request, self._around, self._private = request, around, private
        self._record = provenance.read(request.record) if request.record else None
        self._notes: list[str] = []

    def run(self) -> Verified:
        request, environ = self._request, self._around.build.environ
        own = provenance.this_python()
        index, downloads = self._around.index, self._private / "downloads"
        artifact = published.find(
            request.target, request.kind, lambda: own, index, downloads, is_in_index=self._record is not None
        )
        self._note(artifact.note)
        clues = read_clues(artifact.path)
        asked = named(request.python, environ) if request.python else self._recorded_python()
        python = recover.interpreter(clues, asked, own, environ)
        source = self._source(artifact, clues)
        how = self._recovered(artifact, clues, source, python, own)
        made, requirements = self._build(how, clues, source)
        self._around.build.tell("Comparing")
        world = World((str(source.tree), str(self._private)), timezone="UTC", umask=0o022, hash_seed="0")
        comparison = compare_files(artifact.path, made, (UNKNOWN_WORLD, world))
        url = artifact.file.url if artifact.file else ""
        left = request.target if Path(request.target).is_file() else url
        comparison = replace(
            comparison,
            left=replace(comparison.left, path=left),
            right=replace(comparison.right, path=self._kept(made)),
        )
        material = Material(source.uri, source.digest, source.location)
        return Verified(
            name=artifact.path.name,
            sha256=artifact.sha256,
            url=url,
            source=material,
            source_told=source.told,
            recovered=how,
            requirements=requirements,
            comparison=comparison,
            record=_record(how, made, material, requirements, clues.kind),
            notes=tuple(self._notes),
        )

    def _note(self, text: str) -> None:
        if text:
            self._notes.append(text)

    def _recorded_python(self) -> Python | None:
        """Return the interpreter that the record asks for."""
        if self._record is None:
            return None
        wanted = self._record.python
        python = named(f"{wanted.minor[0]}.{wanted.minor[1]}", self._around.build.environ)
        if python.version != wanted.version:
            self._note(f"the record was made with Python {wanted.version}, and {python.version} is here")
        return python

    def _source(self, artifact: published.Artifact, clues: Clues) -> sources.Source:
        """Return the source: what was asked for, what the record names, or the release's own sdist."""
        directory = self._private / "source"
        directory.mkdir()
        if self._request.source:
            found = sources.from_text(self._request.source, directory)
        elif self._record:
            found = self._recorded_source(self._record.source, directory)
        elif clues.kind == "sdist":
            self._note("the sdist is its own source: this tells whether it can be made again, not where it came from")
            return sources.from_itself(artifact.path, directory, artifact.file.url if artifact.file else "")
        else:
            file = published.sdist_of(self._around.index(), clues.name, clues.version)
            return sources.from_sdist(self._download(file), directory, file.url)
        if self._record and found.digest != self._record.source.digest:
            raise ConfigError(
                f"{found.told} is not the source of the record: {dict(found.digest)}, not "
                f"{dict(self._record.source.digest)}",
                remedy="Give the very source with --source, or leave --from away.",
            )
        return found

    def _recorded_source(self, material: Material, directory: Path) -> sources.Source:
        if material.uri.startswith("git+"):
            where, _, commit = material.uri[4:].rpartition("@")
            return sources.from_git(where, commit, directory)
        if material.uri.startswith("pkg:pypi/"):
            filename = material.uri.rpartition("file_name=")[2]
            file = published.by_name(filename, self._around.index())
            return sources.from_sdist(self._download(file), directory, file.url)
        raise UsageError(
            "the record was made of a directory, and does not say where that is",
            remedy="Name the source with --source; it is held against the record's digest.",
        )

    def _download(self, file: Any) -> Path:
        downloads = self._private / "downloads"
        downloads.mkdir(exist_ok=True)
        path = downloads / file.name
        return path if path.is_file() else self._around.index().download(file, downloads)

    def _recovered(
        self, artifact: published.Artifact, clues: Clues, source: sources.Source, python: Python, own: Python
    ) -> Recovered:
        """Find out how it was built."""
        how = self._recorded(self._record, python) if self._record else self._guessed(artifact, clues, source, python)
        if how.method == SAMEBYTES and python.minor != own.minor:
            wanted = f"{python.minor[0]}.{python.minor[1]}"
            raise UsageError(
                f"samebytes itself built {artifact.path.name}, with Python {wanted}, and runs with {own.version} here",
                remedy=f"Run samebytes with that: python{wanted} -m samebytes verify ...",
            )
        return how

    def _recorded(self, record: Record, python: Python) -> Recovered:
        locked = self._private / "pylock.toml"
        locked.write_text(lock.write(record.requirements), encoding="utf-8")
        return Recovered(
            record.method, python, "", (), None, record.environment, record.config_settings, record.kinds, locked
        )

    def _guessed(self, artifact: published.Artifact, clues: Clues, source: sources.Source, python: Python) -> Recovered:
        told = {
            name: value
            for name, value in provenance.that_matter(self._around.build.environ).items()
            if name not in ("LC_ALL", "TZ", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH")
        }
        date = recover.epoch(clues)
        if date is not None:
            told["SOURCE_DATE_EPOCH"] = str(date)
        method = SAMEBYTES if _is_canonical(artifact.path) else BACKEND
        settings, locked = self._request.config_settings, self._request.locked
        how = Recovered(method, python, clues.generator, (), None, told, settings, (clues.kind,), locked)
        if how.locked:
            return how
        requires = load(source.tree).requires
        if clues.kind == "sdist":
            clues = replace(clues, generator=self._generator_beside(clues))
        pins, note = recover.pins(clues, requires, self._around.index())
        self._note(note)
        moment = recover.moment(artifact.file, clues, requires, self._around.index())
        self._note(moment.note)
        return replace(how, generator=clues.generator, pins=pins, until=moment.until)

    def _generator_beside(self, clues: Clues) -> str:
        """Return the ``Generator`` of a wheel of the sdist's release: both were most likely built by the same."""
        try:
            files = published.of_release(self._around.index(), clues.name, clues.version)
        except UsageError:
            return ""
        wheels = sorted((file for file in files if file.name.endswith(".whl")), key=lambda one: "-any." not in one.name)
        return read_clues(self._download(wheels[0])).generator if wheels else ""

    def _build(self, how: Recovered, clues: Clues, source: sources.Source) -> tuple[Path, tuple[Installed, ...]]:
        with self._address(how) as address:
            if how.method == SAMEBYTES:
                return self._by_samebytes(how, clues, source, address)
            return self._by_backend(how, clues, source, address)

    @contextmanager
    def _address(self, how: Recovered) -> Iterator[str]:
        """Give the address of the index that the build requirements come from."""
        index = self._around.index()
        if how.until is None:
            yield index.with_credentials(index.address)
            return
        with serving(index, how.until) as moment:
            try:
                yield moment.address
            except SamebytesError:
                if moment.failure:  # the reason for what pip complained of
                    raise moment.failure from None
                raise

    def _by_samebytes(
        self, how: Recovered, clues: Clues, source: sources.Source, address: str
    ) -> tuple[Path, tuple[Installed, ...]]:
        """Build as ``samebytes build`` does."""
        constraints = self._private / "constraints.txt"
        constraints.write_text("".join(f"{pin}\n" for pin in how.pins), encoding="utf-8")
        request = building.Request(
            source=source.tree,
            output=self._private / "out",
            kinds=how.kinds,
            config_settings=how.config_settings,
            locked=how.locked,
            constraint=None if how.locked else constraints,
        )
        environ = recover.for_samebytes(self._around.build.environ, address, how.environment)
        built = building.build(request, replace(self._around.build, environ=environ))
        made = [artifact for artifact in built.artifacts if artifact.kind == clues.kind]
        if not made:
            raise UsageError(f"the record is of no {clues.kind}", remedy="Verify a file that it names.")
        return request.output / made[0].name, built.requirements

    def _by_backend(
        self, how: Recovered, clues: Clues, source: sources.Source, address: str
    ) -> tuple[Path, tuple[Installed, ...]]:
        """Build with the project's own backend as it stands."""
        around, root = self._around.build, self._private / "build"
        root.mkdir()
        locked = tuple(lock.read(how.locked)) if how.locked else None
        task = Task(str(root), str(source.tree), clues.kind, how.python, how.pins, locked, how.config_settings)
        environ = recover.beneath(recover.environment(around.environ, address, how.environment), root)
        rebuilt = _work(task, environ, self._around.worker, around)
        return Path(rebuilt.path), rebuilt.requirements

    def _kept(self, made: Path) -> str:
        """Put the rebuilt file where somebody wants it, and return where it is; its name if nobody wants it."""
        output = self._request.output
        if output is None:
            return made.name
        try:
            output.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, output / made.name)
        except OSError as error:
            raise OutputError(f"{output}: {error.strerror}", remedy="Name another with -o.") from None
        return str(output / made.name)


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


def _is_canonical(path: Path) -> bool:
    """Tell whether the file is in canonical form, so that most likely samebytes built it."""
    result = next(check([Job(path, path)], Options(write=False)))
    return result.error is None and not result.changed


def _record(how: Recovered, made: Path, source: Material, requirements: tuple[Installed, ...], kind: str) -> Record:
    pinned = recover.PINNED if how.method == BACKEND else {}
    return Record(
        subjects=((made.name, sources.sha256_of(made)),),
        method=how.method,
        kinds=(kind,),
        config_settings=how.config_settings,
        source=source,
        requirements=requirements,
        python=how.python,
        environment=provenance.that_matter({**pinned, **how.environment}),
    )
