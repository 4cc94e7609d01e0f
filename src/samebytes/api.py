"""The functions that ``import samebytes`` offers: one file normalized, two compared, one source built twice.

They follow the commands of the same names, also in that they read SOURCE_DATE_EPOCH and, for builds, the environment.
What is wrong is raised as a :class:`samebytes.SamebytesError`; nothing is printed.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from . import cores
from .comparison.model import Comparison, Difference, Verdict
from .epoch import from_environment, from_setting
from .errors import BackendError, SamebytesError, UsageError
from .flows.compare import Pair, compare_pair
from .flows.normalize import ArtifactDate, DateSource, FileDigest, Job, Options, plan
from .flows.normalize import Result as NormalizeResult
from .flows.normalize import normalize as normalize_all
from .flows.subject import FROM_SDIST, SDIST, WHEEL, Around, Failure, Form, Outcome, Subject
from .flows.subject import Options as CheckOptions
from .passes.model import Change

__all__ = [
    "Change",
    "Checked",
    "Comparison",
    "Difference",
    "FileDigest",
    "Normalized",
    "Outcome",
    "SamebytesError",
    "Verdict",
    "check",
    "compare",
    "normalize",
]

StrPath = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Normalized:
    """What became of one archive."""

    source: Path
    output: Path | None
    """The file in canonical form; None where nothing was to be written."""
    kind: str
    """``"wheel"`` or ``"sdist"``."""
    date: int
    """The date of all its members now, in seconds since 1970-01-01 UTC."""
    before: FileDigest
    after: FileDigest
    """Digest and size of the canonical form, also where it was not to be written."""
    changes: tuple[Change, ...]
    """What was not canonical."""
    notes: tuple[Change, ...] = ()
    """What is worth knowing, but was not changed."""

    @property
    def changed(self) -> bool:
        """Whether the bytes are not what they were."""
        return self.before != self.after


@dataclass(frozen=True)
class Checked:
    """What came of building one source twice."""

    source: Path
    python: str
    """The version of the interpreter that it was built by."""
    outcomes: tuple[Outcome, ...]
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


def normalize(
    path: StrPath,
    *,
    output: StrPath | None = None,
    write: bool = True,
    date: int | None = None,
    disable: Iterable[str] = (),
    enable: Iterable[str] = (),
    keep_streams: bool = False,
    rebuild_record: bool = False,
    drop_signatures: bool = False,
    ignore_attestation: bool = False,
    jobs: int | None = None,
) -> Normalized:
    """Rewrite a wheel or an sdist into its canonical form, and say what was changed.

    :param output: a directory for the result; None: in place.
    :param write: False: write nothing, and say what would be changed.
    :param date: seconds since 1970-01-01 UTC; None: SOURCE_DATE_EPOCH, else the members' own if they all have the same,
        else 2020-02-02.
    :param disable: codes of passes to leave out.
    :param enable: codes of optional passes to add.
    :param keep_streams: copy the compressed streams of a wheel, as ``--deflate keep`` does.
    :param rebuild_record: replace a RECORD that contradicts its wheel.
    :param drop_signatures: remove signatures in the wheel, which would be invalid.
    :param ignore_attestation: go on though an attestation beside the file becomes invalid.
    :param jobs: how many processors to use; None: all there are. The bytes are the same with any number.
    :raises SamebytesError: if it cannot be done; the file is then as it was.
    """
    options = Options(
        date=_date(date),
        disable=tuple(disable),
        enable=tuple(enable),
        write=write,
        rebuild_record=rebuild_record,
        drop_signatures=drop_signatures,
        ignore_attestation=ignore_attestation,
        jobs=cores.available() if jobs is None else max(1, jobs),
        keep_streams=keep_streams,
    )
    steps = plan([_one_file(path, "normalize")], None if output is None else Path(output))
    return _normalized(steps[0], options)


def _normalized(step: Job | NormalizeResult, options: Options) -> Normalized:
    with closing(normalize_all([step], options)) as results:
        result = next(results)
    if result.error is not None:
        raise result.error
    rewritten = result.rewritten
    assert rewritten is not None  # where there is no error
    return Normalized(
        source=result.source,
        output=result.output,
        kind=result.kind,
        date=rewritten.date,
        before=rewritten.before,
        after=rewritten.after,
        changes=rewritten.changes,
        notes=rewritten.notes,
    )


def compare(left: StrPath, right: StrPath) -> Comparison:
    """Say how equal two wheels or two sdists are, what differs, and why.

    :raises SamebytesError: if one of them cannot be read, or they are not of one kind.
    """
    paths = _one_file(left, "compare"), _one_file(right, "compare")
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file", remedy="Check the path.")
    result = compare_pair(Pair(paths[0].name, *paths))
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
    """Build a source tree or an sdist twice, in two worlds, and say whether the bytes are the same.

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
    from .outside import interpreters

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
    return _checked(subject, options, _around(vary))


def _checked(subject: Subject, options: CheckOptions, around: Around) -> Checked:
    from .flows.check_source import check as check_all

    with _without_warnings_of_backends(), closing(check_all([subject], options, around)) as results:
        result = next(results)
    if result.error is not None:
        raise result.error
    outcomes = result.rows[0].outcomes
    for outcome in outcomes:
        if outcome.failure is not None:
            raise _cannot_build(subject.text, outcome, outcome.failure)
    return Checked(Path(subject.text), result.python, outcomes, result.applied, result.left_out, result.notes)


def _cannot_build(source: str, outcome: Outcome, failure: Failure) -> BackendError:
    said = "".join(f"\n  | {line}" for line in failure.tail)
    return BackendError(f"{source}: {outcome.kind}: {failure.message}{said}", remedy=failure.remedy)


def _around(vary: Sequence[str]) -> Around:
    """Return what of this machine two builds need; nothing is downloaded by name, and nobody hears of steps."""
    from .flows.variations import choice
    from .outside import releases
    from .outside.variations import ground, obstacles

    wanted = choice(vary)
    on = ground("file-order" in wanted.wanted, os.environ)
    found = obstacles(on, os.environ)
    return Around(
        environ=os.environ,
        ground=on,
        vary=wanted.applicable(found),
        left_out={name: why for name, why in found.items() if name in wanted.wanted},
        download=lambda text, interpreter, into: releases.sdist(text, interpreter.version, into, os.environ),
        clock=time.time,
    )


@contextmanager
def _without_warnings_of_backends() -> Iterator[None]:
    """Let nobody hear what backends warn of: newer releases of pyproject-hooks repeat that in this process."""
    import pyproject_hooks

    category = getattr(pyproject_hooks, "BuildBackendWarning", None)
    with warnings.catch_warnings():
        if category is not None:
            warnings.filterwarnings("ignore", category=category)
        yield


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


def _date(given: int | None) -> ArtifactDate | None:
    if given is not None:
        return ArtifactDate(from_setting(given, "date"), DateSource.OPTION)
    seconds = from_environment(os.environ)
    return None if seconds is None else ArtifactDate(seconds, DateSource.ENVIRONMENT)


def _one_file(path: StrPath, function: str) -> Path:
    found = Path(path)
    if found.is_dir():
        raise UsageError(f"{found} is a directory, and {function} takes files", remedy="Call it for each file in it.")
    return found
