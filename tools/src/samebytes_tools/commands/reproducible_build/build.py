"""``samebytes build``: any project, wrapped or not, built at fixed paths and rewritten canonically.

The work is done by ``build_inside`` in a process of its own, for only a new process can be where the private
directory is mounted at the fixed path. Here are the steps before and after: the copy of the tree, and the results.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from samebytes import errors
from samebytes.archive.atomic import replacing
from samebytes.backend import date
from samebytes.backend.config import load
from samebytes.backend.fixed import Place, place, remove
from samebytes.errors import BackendError, OutputError, SamebytesError, UsageError

from ...building import lock, provenance
from ...building.source import tree_digest
from ...building.source_copy import copy_source
from .inside import Built, Job, from_plain

LOG = "build.log"
"""The file in the build's directory with what backend and pip said."""

_NO_ROOM = 1 << 20
"""Bytes left on a disk that count as none."""

Tell = Callable[[str], None]
RunWorker = Callable[[Sequence[str], Mapping[str, str], object, Callable[[Mapping[str, Any]], None]], int]


@dataclass(frozen=True)
class Request:
    """What somebody wants built."""

    source: Path
    output: Path
    """Resolved."""
    kinds: tuple[str, ...] = ()
    """``"sdist"``, ``"wheel"``, both (from the tree), or neither: an sdist, and a wheel from that."""
    isolation: bool = True
    check_dependencies: bool = True
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    write_lock: Path | None = None
    locked: Path | None = None
    constraint: Path | None = None
    provenance: Path | None = None
    """Where a record of the build goes."""


@dataclass(frozen=True)
class Surroundings:
    """What of the outside world a build needs."""

    environ: Mapping[str, str]
    worker: tuple[str, ...]
    """The command that does the job that it is given, and keeps a log in the directory that is its last argument."""
    run_worker: RunWorker
    tell: Tell
    """Takes the steps of the work."""
    warn: Tell
    show_log: Callable[[Path], None]
    """Shows all that backend and pip said, after a failure."""


def build(request: Request, around: Surroundings) -> Built:
    """Build *request* and return what is then in ``request.output``.

    :raises SamebytesError: of every class; nothing is in the output directory then that was not there before.
    """
    source = _checked(request, around.environ)
    packages = lock.read(request.locked) if request.locked else None
    private = Path(tempfile.mkdtemp(prefix="samebytes-")).resolve()
    try:
        with place(private, around.environ, around.warn) as here:
            around.tell("Copying the source tree")
            tree = copy_source(source, here.private / "src", request.output, request.provenance)
            digest = tree_digest(tree) if request.provenance else ""
            job = _job(request, here.root, here.root / tree.relative_to(here.private), packages)
            built = _work(job, here, around)
            around.tell("Writing the results")
            _publish(request, built, here.private / "out", _texts(request, built, digest, around.environ))
            return built
    finally:
        remove(private)


def _checked(request: Request, environ: Mapping[str, str]) -> Path:
    """Return the source tree, resolved, if the request makes sense: better told now than after a long build."""
    source = request.source.resolve()
    try:
        _check_paths(request, source)
    except PermissionError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}", remedy="Whose is it? Build a copy of your own."
        ) from None
    date.resolve(source, load(source).source_date_epoch, environ)
    return source


def _check_paths(request: Request, source: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"{request.source} is no directory", remedy="Name a source tree; unpack an sdist first.")
    if not any((source / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise UsageError(
            f"{request.source} is no source tree: it has neither pyproject.toml nor setup.py",
            remedy="Name the directory that holds one of them.",
        )
    if request.constraint and not request.constraint.is_file():
        raise UsageError(f"the constraint file {request.constraint} does not exist", remedy="Check the path.")
    if request.output.exists() and not request.output.is_dir():
        raise UsageError(f"{request.output} is no directory", remedy="Name another with -o.")
    for path in filter(None, (request.write_lock, request.provenance)):
        parent = path.resolve().parent
        if not parent.is_dir() and parent != request.output.resolve():
            raise UsageError(f"the directory of {path} does not exist", remedy="Make it first.")


def _job(request: Request, root: Path, source: Path, packages: Sequence[lock.Locked] | None) -> Job:
    return Job(
        root=str(root),
        source=str(source),
        kinds=request.kinds,
        isolation=request.isolation,
        check_dependencies=request.check_dependencies,
        config_settings=dict(request.config_settings),
        constraint=str(request.constraint.resolve()) if request.constraint else "",
        locked=None if packages is None else tuple(packages),
        to_lock=request.write_lock is not None,
    )


def _work(job: Job, here: Place, around: Surroundings) -> Built:
    """Let a worker do *job* at the place *here* and return what it built."""
    result: dict[str, Any] = {}

    def hear(message: Mapping[str, Any]) -> None:
        if "step" in message:
            around.tell(message["step"])
        result.update(message)

    environ = {**around.environ, "TMPDIR": str(here.root), "GIT_OPTIONAL_LOCKS": "0"}
    status = around.run_worker([*here.prefix, *around.worker, str(here.root)], environ, asdict(job), hear)
    if status == 0 and "built" in result:
        return from_plain(result["built"])
    if (here.private / LOG).is_file():
        around.show_log(here.private / LOG)
    raise failure(status, result, here.private)


def failure(status: int, result: Mapping[str, Any], private: Path) -> Exception:
    """Return the error that a worker told of in *result*, or what can be said of its end."""
    if "full" in result or _ran_full(private):
        return OutputError(
            f"there was no room left for the build in {private.parent}",
            remedy="Free some space there, or set TMPDIR to a directory on another disk.",
        )
    if "bug" in result:
        return RuntimeError(f"in the build process: {result['bug']}")
    if "error" in result:
        told = result["error"]
        kind: type[SamebytesError] = getattr(errors, told["class"])
        return kind(told["message"], remedy=told["remedy"])
    how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
    return BackendError(
        f"the build process {how} before it had a result",
        remedy="Did it run out of memory, or did somebody end it?",
    )


def _ran_full(private: Path) -> bool:
    """Tell whether the disk is full, or was when pip, a compiler or a linker wanted to write, and is tidied up now."""
    if shutil.disk_usage(private).free < _NO_ROOM:
        return True
    if not (private / LOG).is_file():
        return False
    wanted = os.strerror(errno.ENOSPC).encode()
    with (private / LOG).open("rb") as log:
        return any(wanted in line for line in log)


def _texts(request: Request, built: Built, digest: str, environ: Mapping[str, str]) -> dict[Path, str]:
    """Return what is written beside the artifacts: where, and its text."""
    texts = {}
    if request.write_lock:
        texts[request.write_lock] = lock.write(built.requirements)
    if request.provenance:
        texts[request.provenance] = provenance.text(_record(request, built, digest, environ))
    return texts


def _record(request: Request, built: Built, digest: str, environ: Mapping[str, str]) -> provenance.Record:
    return provenance.Record(
        subjects=tuple((artifact.name, artifact.sha256) for artifact in built.artifacts),
        method=provenance.SAMEBYTES,
        kinds=request.kinds,
        config_settings=request.config_settings,
        source=provenance.Material(digest={"dirHash": digest}),
        requirements=built.requirements,
        python=provenance.this_python(),
        environment=provenance.that_matter(environ),
    )


def _publish(request: Request, built: Built, made: Path, texts: Mapping[Path, str]) -> None:
    """Copy the results to where they belong; none appears before all of them are written."""
    try:
        request.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{request.output} cannot be made: {error.strerror}", remedy="Name another with -o."
        ) from None
    with ExitStack() as stack:
        for artifact in built.artifacts:
            sink = stack.enter_context(replacing(request.output / artifact.name))
            with (made / artifact.name).open("rb") as source:
                shutil.copyfileobj(source, sink)
            sink.flush()
        for path, text in texts.items():
            sink = stack.enter_context(replacing(path))
            sink.write(text.encode())
            sink.flush()
