"""What ``import samebytes`` offers where samebytes-tools is installed: compare, check, build and verify.

The functions follow the commands of the same names, also in that builds read the environment. Errors are raised as a
:class:`samebytes.SamebytesError`; nothing is printed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from samebytes import cores
from samebytes.api import Change, StrPath, one_file
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import BackendError, SamebytesError, UsageError

from .building.virtualenvs import InstalledDistribution
from .commands.check.subject import (
    FROM_SDIST,
    SDIST,
    WHEEL,
    CheckContext,
    CheckOptions,
    CheckOutcome,
    Failure,
    Form,
    Subject,
)
from .commands.compare.compare import ComparedPair, compare_pair
from .commands.reproducible_build.artifacts import BuiltArtifact
from .commands.reproducible_build.build import BuildContext
from .comparison.model import Comparison, Difference, Verdict

__all__ = [
    "Built",
    "CanonicalFile",
    "CheckOutcome",
    "Checked",
    "Comparison",
    "Difference",
    "Verdict",
    "VerifiedFile",
    "build",
    "check",
    "compare",
    "verify",
]

_TAIL = 20
"""How many lines of what backend and pip printed end an error's message."""


@dataclass(frozen=True)
class Checked:
    """What came of building one source twice."""

    source: Path
    python: str
    """The version of the interpreter that it was built by."""
    outcomes: tuple[CheckOutcome, ...]
    """One for each kind of artifact."""
    varied: tuple[str, ...]
    """What differed between the two builds, by the names that ``samebytes check --list`` shows."""
    not_varied: Mapping[str, str] = field(default_factory=dict)
    """What should have differed and could not, and why."""
    notes: tuple[str, ...] = ()

    @property
    def is_reproducible(self) -> bool:
        """Whether both builds gave the same bytes, of every kind."""
        return all(outcome.is_same for outcome in self.outcomes)


@dataclass(frozen=True)
class CanonicalFile:
    """One file that was built, in canonical form."""

    path: Path
    kind: str
    """``"sdist"`` or ``"wheel"``."""
    date: int
    """The date of all its members, in seconds since 1970-01-01 UTC."""
    sha256: str
    size: int
    changes: tuple[Change, ...]
    """What was normalized after the backend had made the file."""
    warnings: tuple[str, ...]
    """What of this machine is in the file, so that others may get other bytes."""


@dataclass(frozen=True)
class Built:
    """What one build made."""

    files: tuple[CanonicalFile, ...]
    """In the order in which they were built."""
    is_at_fixed_paths: bool
    """Whether it was built at the paths that are the same everywhere; if not, a note says why."""
    requirements: tuple[str, ...]
    """What was installed to build with, as ``NAME==VERSION``."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifiedFile:
    """One published file, compared with what its source gives here."""

    name: str
    sha256: str
    """Of what was published."""
    url: str
    """Where that is; empty if the index does not know it."""
    source: str
    """What it was rebuilt from: where that is from, with its digest or commit."""
    python: str
    """The version of the interpreter that it was rebuilt by."""
    generator: str
    """What built it, as its WHEEL file has it; empty where that is not known."""
    requirements: tuple[str, ...]
    """What was installed to rebuild it with, as ``NAME==VERSION``."""
    as_of: int | None
    """The date of the index as which those were chosen, in seconds since 1970-01-01 UTC; None: as of today."""
    comparison: Comparison
    """Left: what was published; right: what was rebuilt."""
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """How equal the two are."""
        return self.comparison.verdict


def compare(left: StrPath, right: StrPath) -> Comparison:
    """Say how equal two wheels or two sdists are, what differs, and why.

    :raises SamebytesError: if one of them cannot be read, or they are not of one kind.
    """
    paths = one_file(left, "compare"), one_file(right, "compare")
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file", remedy="Check the path.")
    result = compare_pair(ComparedPair(paths[0].name, *paths))
    if result.error is not None:
        raise result.error
    assert result.comparison is not None  # where there is no error
    return result.comparison


def check(
    source: StrPath,
    *,
    kinds: Sequence[str] = (SDIST, WHEEL, FROM_SDIST),
    vary: Sequence[str] = (),
    python: str | None = None,
    isolation: bool = True,
    config_settings: Mapping[str, str | list[str]] | None = None,
    timeout: float | None = None,
    jobs: int | None = None,
) -> Checked:
    """Build a source tree or an sdist twice, in two environments, and return whether the bytes are the same.

    What the project's build runs, is run on this machine.

    :param kinds: what to build: ``"sdist"``, ``"wheel"`` (of the tree), ``"wheel from sdist"``.
    :param vary: variations to leave out (``"-time"``) or to demand (``"+umask"``), as ``--vary`` has them.
    :param python: the interpreter, as a version or a path; None: this one.
    :param isolation: False: use the interpreter's build requirements, and install none.
    :param timeout: seconds for one build.
    :param jobs: with more than 1, both builds run at once where they can; None: as many as there are processors.
    :raises BackendError: if something could not be built.
    :raises SamebytesError: if the source is none, the interpreter is missing, or something cannot be varied.
    """
    from .building import interpreters

    unknown = [kind for kind in kinds if kind not in (SDIST, WHEEL, FROM_SDIST)]
    if unknown or not kinds:
        raise UsageError(
            f"{', '.join(unknown) or 'nothing'}: is no kind of artifact",
            remedy=f"The kinds are {SDIST!r}, {WHEEL!r} and {FROM_SDIST!r}.",
        )
    interpreter = interpreters.named(python or sys.executable, os.environ)
    subject = Subject(os.fspath(source), _form(Path(source)), interpreter)
    options = CheckOptions(
        kinds=tuple(kinds),
        isolation=isolation,
        config_settings=dict(config_settings or {}),
        timeout=timeout,
        jobs=cores.available() if jobs is None else max(1, jobs),
    )
    return _checked(subject, options, _context(vary))


def build(
    source: StrPath,
    *,
    output: StrPath | None = None,
    kinds: Sequence[str] = (),
    isolation: bool = True,
    config_settings: Mapping[str, str | list[str]] | None = None,
    locked: StrPath | None = None,
    provenance: StrPath | None = None,
    timeout: float | None = None,
) -> Built:
    """Build a source tree, wrapped or not, at fixed paths, and rewrite what comes out into canonical form.

    :param output: a directory for the results; None: ``dist`` in the source tree.
    :param kinds: of ``"sdist"`` and ``"wheel"`` (of the tree); none: an sdist, and a wheel from that.
    :param isolation: False: use the build requirements of this environment, and install none.
    :param config_settings: passed to the backend.
    :param locked: a ``pylock.toml`` (PEP 751) with the build requirements.
    :param provenance: a file for a record of the build (SLSA, in-toto).
    :param timeout: seconds for the whole build.
    :raises BackendError: if it could not be built; the message ends with what backend and pip printed last.
    :raises SamebytesError: if something that was asked for cannot be done. No file appears then.
    """
    from .commands.reproducible_build.build import BuildRequest
    from .commands.reproducible_build.build import build as build_artifacts

    if not isolation and (locked or provenance):
        raise UsageError(
            "locked and provenance have no meaning without isolation",
            remedy="Leave them out, or leave isolation at True.",
        )
    where = Path(output) if output is not None else Path(source) / "dist"
    request = BuildRequest(
        source=Path(source),
        output=where.absolute(),
        kinds=_kinds(kinds),
        isolation=isolation,
        config_settings=dict(config_settings or {}),
        locked=None if locked is None else Path(locked),
        provenance=None if provenance is None else Path(provenance),
    )
    notes: list[str] = []
    with _what_is_printed(notes, timeout) as context:
        built = build_artifacts(request, context)
    files = tuple(_file(one, request.output) for one in built.artifacts)
    return Built(files, built.fixed, _texts(built.requirements), tuple(notes))


def verify(
    target: StrPath,
    *,
    kind: str | None = None,
    source: StrPath | None = None,
    python: str | None = None,
    locked: StrPath | None = None,
    config_settings: Mapping[str, str | list[str]] | None = None,
    variables: Mapping[str, str] | None = None,
    output: StrPath | None = None,
    timeout: float | None = 3600.0,
) -> VerifiedFile:
    """Rebuild a published wheel or sdist from its source as it was built then, and compare the two.

    What the project's build runs, is run on this machine.

    :param target: ``NAME==VERSION``, ``NAME`` for its newest stable release, or the path of a file.
    :param kind: of a release: ``"sdist"`` or ``"wheel"``; None: the wheel that pip would take here, else the sdist.
    :param source: a tree, an sdist, or ``GIT-URL-OR-DIR@REF``; None: the release's own sdist.
    :param python: the interpreter, as a version or a path; None: what the file's tags ask for.
    :param locked: a ``pylock.toml`` (PEP 751) with the build requirements; None: as they were at its upload.
    :param config_settings: passed to the backend.
    :param variables: environment variables that the release was made with.
    :param output: a directory for the rebuilt file; None: it is not kept.
    :param timeout: seconds for one build.
    :raises BackendError: if it could not be built; the message ends with what backend and pip printed last.
    :raises SamebytesError: if the file, its source, an interpreter or build requirements cannot be had.
    """
    from .building.provenance import check_variable
    from .commands.verify.remake import VerifyContext
    from .commands.verify.verify import VerifyRequest
    from .commands.verify.verify import verify as verify_one
    from .index.client import Index
    from .releases.selection import Selection

    for name in variables or {}:
        check_variable(name)
    kinds = _kinds([] if kind is None else [kind])
    request = VerifyRequest(
        target=os.fspath(target),
        selection=Selection(kind=kinds[0] if kinds else None),
        source="" if source is None else os.fspath(source),
        python=python or "",
        locked=None if locked is None else Path(locked),
        config_settings=dict(config_settings or {}),
        variables=dict(variables or {}),
        output=None if output is None else Path(output),
    )
    notes: list[str] = []
    with _what_is_printed(notes, timeout) as context:
        found = verify_one(request, VerifyContext(context, cache(lambda: Index.configured(os.environ))))
    how = found.recovered
    return VerifiedFile(
        name=found.name,
        sha256=found.sha256,
        url=found.url,
        source=found.source_described,
        python=how.python.version,
        generator=how.generator,
        requirements=_texts(found.requirements),
        as_of=how.until,
        comparison=found.comparison,
        notes=(*notes, *found.notes),
    )


def _kinds(names: Sequence[str]) -> tuple[ArtifactKind, ...]:
    """Return the kinds of these names, in the order in which they are built."""
    known = [kind.value for kind in ArtifactKind]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"{', '.join(unknown)}: is no kind of artifact", remedy=f"The kinds are {SDIST!r} and {WHEEL!r}."
        )
    return tuple(kind for kind in ArtifactKind if kind.value in names)


def _file(built: BuiltArtifact, output: Path) -> CanonicalFile:
    return CanonicalFile(
        path=output / built.name,
        kind=built.kind.value,
        date=built.date,
        sha256=built.sha256,
        size=built.size,
        changes=built.changes,
        warnings=built.warnings,
    )


def _texts(requirements: Sequence[InstalledDistribution]) -> tuple[str, ...]:
    return tuple(f"{one.name}=={one.version}" for one in requirements)


@contextmanager
def _what_is_printed(notes: list[str], seconds: float | None) -> Iterator[BuildContext]:
    """Yield what a build needs: steps are not reported, warnings are *notes*, and an error ends with the log's end."""
    from .building.builder import without_warnings_of_backends
    from .building.signatures import without_password

    printed: list[str] = []

    def keep(log: Path) -> None:
        printed[:] = log.read_text("utf-8", "replace").splitlines()[-_TAIL:]

    with without_warnings_of_backends():
        try:
            yield BuildContext(without_password(os.environ), lambda _: None, notes.append, keep, seconds=seconds)
        except SamebytesError as error:
            error.message += _shown(printed)
            raise


def _shown(lines: Sequence[str]) -> str:
    return "".join(f"\n  | {line}" for line in lines)


def _checked(subject: Subject, options: CheckOptions, context: CheckContext) -> Checked:
    from .building.builder import without_warnings_of_backends
    from .commands.check.sources import check_all

    with without_warnings_of_backends(), closing(check_all([subject], options, context)) as results:
        result = next(results)
    if result.error is not None:
        raise result.error
    outcomes = result.ways[0].outcomes
    for outcome in outcomes:
        if outcome.failure is not None:
            raise _cannot_build(subject.text, outcome, outcome.failure)
    left_out = {name: obstacle.why for name, obstacle in result.left_out.items()}
    return Checked(Path(subject.text), result.python, outcomes, result.applied, left_out, result.notes)


def _cannot_build(source: str, outcome: CheckOutcome, failure: Failure) -> BackendError:
    return BackendError(f"{source}: {outcome.kind}: {failure.message}{_shown(failure.tail)}", remedy=failure.remedy)


def _context(vary: Sequence[str]) -> CheckContext:
    """Return what of this machine two builds need; nothing is downloaded by name, and steps are not reported."""
    from .index import releases
    from .variations.variations import choice
    from .variations.workspace import obstacles, workspace

    wanted = choice(vary)
    where = workspace(os.environ, keep_order="file-order" in wanted.wanted)
    found = obstacles(where, os.environ)
    return CheckContext(
        environ=os.environ,
        workspace=where,
        vary=wanted.applicable(found),
        left_out=wanted.left_out(found),
        required=wanted.demanded,
        download=lambda text, interpreter, into: releases.sdist(text, interpreter.version, into, os.environ),
        clock=time.time,
    )


def _form(source: Path) -> Form:
    if source.is_dir():
        return Form.TREE
    if source.name.endswith(".whl"):
        raise UsageError(
            f"{source} is a wheel, and check builds sources",
            remedy="normalize(path, write=False) says whether a wheel is canonical.",
        )
    if not source.exists():
        raise UsageError(f"{source}: there is no such file or directory", remedy="Name a source tree or an sdist.")
    return Form.SDIST
