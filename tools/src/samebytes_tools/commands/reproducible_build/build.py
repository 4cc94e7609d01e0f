"""``samebytes build``: any project, wrapped or not, built at fixed paths and rewritten canonically.

Here are the steps before and after that: what is asked for is looked at, the tree is copied, results are written.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from samebytes.archive.atomic import make_directory, replacing
from samebytes.artifact.layout import ArtifactKind, is_source_tree
from samebytes.backend import date
from samebytes.backend.config import load
from samebytes.backend.fixed import place
from samebytes.errors import UsageError

from ...building import provenance, pylock
from ...building.builder import InstallPolicy, explained
from ...building.installers import AUTO
from ...building.processes import CommandRunner
from ...building.scratch import scratch
from ...building.signatures import Sign
from ...building.source import tree_digest
from ...building.source_copy import copy_source
from ...reporting.save import output
from .artifacts import ArtifactBuilder, BuildResult

Report = Callable[[str], None]


@dataclass(frozen=True)
class BuildRequest:
    """What is to be built."""

    source: Path
    output: Path
    """Resolved."""
    kinds: tuple[ArtifactKind, ...] = ()
    """One, both (from the tree), or neither: an sdist, and a wheel from that."""
    isolation: bool = True
    check_dependencies: bool = True
    config_settings: Mapping[str, Any] = field(default_factory=dict)
    write_lock: Path | None = None
    locked: Path | None = None
    constraint: Path | None = None
    provenance: Path | None = None
    """Where a record of the build goes."""
    installer: str = AUTO
    """What installs build requirements."""
    sign: Sign | None = None
    """What signs it; None for nobody."""


@dataclass(frozen=True)
class BuildContext:
    """What a build needs of the process that asks for it."""

    environ: Mapping[str, str]
    report: Report
    """Takes the steps of the work."""
    warn: Report
    show_log: Callable[[Path], None]
    """Shows all that backend and pip printed, after a failure."""
    verbose: bool = False
    """Whether that goes to standard error at once instead."""
    seconds: float | None = None
    """The time that the build may take."""
    stop: threading.Event | None = None
    """Once it is set, the build is ended."""


def build(request: BuildRequest, context: BuildContext) -> BuildResult:
    """Build *request* and return what is then in ``request.output``.

    :raises SamebytesError: of every class; nothing is in the output directory then that was not there before.
    """
    source = _checked(request, context.environ)
    policy = InstallPolicy(
        isolation=request.isolation,
        check_installed=request.check_dependencies,
        installer=request.installer,
        constraint=request.constraint and request.constraint.resolve(),
        locked=tuple(pylock.read(request.locked)) if request.locked else None,
        lockable=request.write_lock is not None,
    )
    with scratch() as private, ExitStack() as ending:
        log = CommandRunner(
            None if context.verbose else private / "build.log", stop=context.stop, seconds=context.seconds
        )
        here = place(private, context.environ, context.warn, ending=ending)
        context.report("Copying the source tree")
        # Without the record of an earlier build, which would be part of its own source's digest.
        tree = copy_source(source, here.private / "src", request.output, request.provenance)
        # Before the build, which may write to the tree.
        digest = tree_digest(tree) if request.provenance else ""
        builder = ArtifactBuilder(
            here, context.environ, policy, request.config_settings, log, context.report, context.warn
        )
        with explained(private, log, context.show_log):
            built = builder.build(request.kinds, tree)
        context.report("Writing the results")
        _publish(request, built, builder.out, _texts(request, built, digest, context.environ))
        return built


def _checked(request: BuildRequest, environ: Mapping[str, str]) -> Path:
    """Return the source tree, resolved, if the request makes sense; what does not is reported before a long build."""
    source = request.source.resolve()
    try:
        _check_paths(request, source)
    except PermissionError as error:
        raise UsageError(f"{error.filename}: {error.strerror}", remedy="Build a copy that you own.") from None
    # Its errors alone are of interest here.
    date.resolve(source, load(source).source_date_epoch, environ)
    return source


def _check_paths(request: BuildRequest, source: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"{request.source} is not a directory", remedy="Name a source tree; unpack an sdist first.")
    if not is_source_tree(source):
        raise UsageError(
            f"{request.source} is not a source tree: it has neither pyproject.toml nor setup.py",
            remedy="Name the directory that holds one of them.",
        )
    if request.constraint and not request.constraint.is_file():
        raise UsageError(f"the constraint file {request.constraint} does not exist", remedy="Check the path.")
    if request.output.exists() and not request.output.is_dir():
        raise UsageError(f"{request.output} is not a directory", remedy="Name another with -o.")
    for path in filter(None, (request.write_lock, request.provenance)):
        parent = path.resolve().parent
        # The output directory is made in the end.
        if not parent.is_dir() and parent != request.output.resolve():
            raise UsageError(f"the directory of {path} does not exist", remedy="Make it first.")


def _texts(request: BuildRequest, built: BuildResult, digest: str, environ: Mapping[str, str]) -> dict[Path, str]:
    """Return what is written beside the artifacts: where, and its text."""
    texts: dict[Path, str] = {}
    if request.write_lock:
        texts[request.write_lock] = pylock.write(built.requirements)
    if request.provenance:
        text = provenance.text(_record(request, built, digest, environ))
        texts |= request.sign(text, request.provenance) if request.sign else {request.provenance: text}
    return texts


def _record(request: BuildRequest, built: BuildResult, digest: str, environ: Mapping[str, str]) -> provenance.Record:
    return provenance.Record(
        subjects=tuple((artifact.name, artifact.sha256) for artifact in built.artifacts),
        method=provenance.SAMEBYTES,
        kinds=request.kinds,
        config_settings=request.config_settings,
        source=provenance.Material(digest={"dirHash": digest}),
        requirements=built.requirements,
        python=provenance.this_python(),
        environment=provenance.that_matter(environ),
        installer=built.installer,
    )


def _publish(request: BuildRequest, built: BuildResult, made: Path, texts: Mapping[Path, str]) -> None:
    """Copy the results to where they belong; none appears before all of them are written."""
    make_directory(request.output)
    with ExitStack() as stack:
        for artifact in built.artifacts:
            sink = stack.enter_context(replacing(request.output / artifact.name))
            with (made / artifact.name).open("rb") as source:
                shutil.copyfileobj(source, sink)
            # A full disk shows at the latest here, before the first of them is renamed.
            sink.flush()
        for path, text in texts.items():
            text_sink = stack.enter_context(output(path))
            text_sink.write(text.encode())
            text_sink.flush()
