"""``samebytes build``: any project, wrapped or not, built at fixed paths and rewritten canonically.

The work is done by ``build_inside`` in a process of its own, for only a new process can be where the private
directory is mounted at the fixed path. Here are the steps before and after: the copy of the tree, and the results.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..archive.atomic import replacing
from ..backend.config import load
from ..backend.fixed import Place, place
from ..errors import BackendError, OutputError, SamebytesError, UsageError
from ..outside.source_copy import copy_source
from . import lock
from .build_inside import Built, Job, from_json

JOB, RESULT, LOG = "job.json", "result.json", "build.log"
"""Files in the build's directory: what to do, what came of it, and what backend and pip said."""

Tell = Callable[[str], None]
RunWorker = Callable[[Sequence[str], Mapping[str, str], Tell], int]


@dataclass(frozen=True)
class Request:
    """What somebody wants built."""

    source: Path
    output: Path
    kinds: tuple[str, ...] = ()
    """``"sdist"``, ``"wheel"``, both (from the tree), or neither: an sdist, and a wheel from that."""
    isolation: bool = True
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    write_lock: Path | None = None
    locked: Path | None = None
    constraint: Path | None = None


@dataclass(frozen=True)
class Surroundings:
    """What of the outside world a build needs."""

    environ: Mapping[str, str]
    worker: tuple[str, ...]
    """The command that builds what is described in the directory that is its last argument."""
    run_worker: RunWorker
    tell: Tell
    """Takes the steps of the work."""
    warn: Tell
    show_log: Tell
    """Takes all that backend and pip said, after a failure."""


def build(request: Request, around: Surroundings) -> Built:
    """Build *request* and return what is then in ``request.output``.

    :raises SamebytesError: of every class; nothing is in the output directory then that was not there before.
    """
    source = _checked(request)
    private = Path(tempfile.mkdtemp(prefix="samebytes-")).resolve()
    try:
        with place(private, around.environ, around.warn) as here:
            around.tell("Copying the source tree")
            tree = copy_source(source, here.private / "src", skip=request.output)
            job = _job(request, here.root, here.root / tree.relative_to(here.private))
            (here.private / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
            built = _work(here, around)
            around.tell("Writing the results")
            return _publish(request, built, here)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _checked(request: Request) -> Path:
    """Return the source tree, resolved, if the request makes sense; before anything is copied."""
    source = request.source.resolve()
    if not source.is_dir():
        raise UsageError(f"{request.source} is no directory", remedy="Name a source tree; unpack an sdist first.")
    if not any((source / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise UsageError(
            f"{request.source} is no source tree: it has neither pyproject.toml nor setup.py",
            remedy="Name the directory that holds one of them.",
        )
    if request.constraint and not request.constraint.is_file():
        raise UsageError(f"the constraint file {request.constraint} does not exist")
    load(source)
    return source


def _job(request: Request, root: Path, source: Path) -> Job:
    return Job(
        root=str(root),
        source=str(source),
        kinds=request.kinds,
        isolation=request.isolation,
        config_settings=dict(request.config_settings),
        constraint=str(request.constraint.resolve()) if request.constraint else "",
        locked=tuple(package.requirement for package in lock.read(request.locked)) if request.locked else (),
    )


def _work(here: Place, around: Surroundings) -> Built:
    """Run the worker at the place *here* and return what it built."""
    environ = {**around.environ, "TMPDIR": str(here.root)}
    status = around.run_worker([*here.prefix, *around.worker, str(here.root)], environ, around.tell)
    result, log = here.private / RESULT, here.private / LOG
    text = result.read_text(encoding="utf-8") if result.is_file() else ""
    if status == 0 and text:
        return from_json(text)
    if log.is_file():
        around.show_log(log.read_text(encoding="utf-8", errors="replace"))
    raise _failure(status, text)


def _failure(status: int, text: str) -> SamebytesError:
    told = json.loads(text).get("error") if text else None
    if told is None:
        return BackendError(f"the build process ended with status {status} before it had a result")
    error = BackendError(told["message"], remedy=told["remedy"])
    error.exit_status = told["exit_status"]
    return error


def _publish(request: Request, built: Built, here: Place) -> Built:
    """Copy the results to where they belong, each whole or not at all."""
    text = lock.write(lock.from_installed(built.requirements)) if request.write_lock else ""
    try:
        request.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{request.output} cannot be made: {error.strerror}", remedy="Give another with -o."
        ) from None
    for artifact in built.artifacts:
        made = here.private / "out" / artifact.name
        with made.open("rb") as source, replacing(request.output / artifact.name) as sink:
            shutil.copyfileobj(source, sink)
    if request.write_lock:
        with replacing(request.write_lock) as sink:
            sink.write(text.encode())
    return built
