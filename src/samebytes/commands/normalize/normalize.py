"""Files and directories in, canonical archives and an account of the changes out."""

from __future__ import annotations

import enum
import os
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple

from ... import passes as rules
from ...archive.atomic import followed, make_directory
from ...artifact.layout import ArtifactKind, is_source_tree
from ...artifact.opening import kind_of
from ...epoch import DEFAULT_DATE, format_date, from_environment
from ...errors import ArchiveError, SamebytesError, SignatureError, UsageError
from ...passes.model import Change, Context, Pass
from ...passes.pipeline import Compression, Rewritten, Stop, rewrite
from .executor import PATIENCE, in_order

SUFFIXES = (".whl", ".tar.gz")
"""What is taken from a directory."""

ATTESTATIONS = (".publish.attestation", ".sigstore.json", ".sigstore", ".asc")
"""What lies beside a file and signs its bytes: PEP 740's attestations first."""

RECORD_VERIFIED = "W001"


class DateSource(enum.Enum):
    """Where an archive's date comes from (D5), and how that is shown."""

    OPTION = "--date"
    ENVIRONMENT = "SOURCE_DATE_EPOCH"
    OWN = "its own: it is canonical"
    CONSTANT = "constant: none was given"


class ArtifactDate(NamedTuple):
    """The one date of an archive."""

    seconds: int
    source: DateSource

    @property
    def iso(self) -> str:
        """The date in ISO 8601, UTC."""
        return format_date(self.seconds)

    def __str__(self) -> str:
        return f"{self.iso} ({self.source.value})"


def given_date(option: int | None, environ: Mapping[str, str]) -> ArtifactDate | None:
    """Return the date that *option* gives, else that of SOURCE_DATE_EPOCH; None where neither does.

    :raises ConfigError: if SOURCE_DATE_EPOCH is malformed.
    """
    if option is not None:
        return ArtifactDate(option, DateSource.OPTION)
    seconds = from_environment(environ)
    return None if seconds is None else ArtifactDate(seconds, DateSource.ENVIRONMENT)


class NormalizeOptions(NamedTuple):
    """How to normalize."""

    date: ArtifactDate | None = None
    """The date given for all; None: its own for an archive that is canonical already, else the constant."""
    disable: tuple[str, ...] = ()
    """Codes of passes that are left out."""
    enable: tuple[str, ...] = ()
    """Codes of passes that must be asked for."""
    write: bool = True
    """False to find what would change, and write nothing."""
    rebuild_record: bool = False
    drop_signatures: bool = False
    ignore_attestation: bool = False
    prove: bool = False
    """Read what was written anew, to prove that it holds the same payload."""
    jobs: int = 1
    """How many cores are used: for several archives at once, or for one."""
    keep_streams: bool = False
    """Copy the compressed streams that a wheel already has (``--deflate keep``)."""


class NormalizeJob(NamedTuple):
    """An archive to normalize, and where the result goes."""

    source: Path
    target: Path
    """The source itself to normalize in place."""


class NormalizeResult(NamedTuple):
    """What became of one archive: either ``error`` is set, or all else is."""

    source: Path
    error: SamebytesError | None = None
    output: Path | None = None
    """The canonical file; None if nothing was to be written."""
    kind: ArtifactKind | None = None
    date: ArtifactDate | None = None
    rewritten: Rewritten | None = None

    @property
    def changed(self) -> bool:
        """Whether the bytes are not what they were."""
        return self.rewritten is not None and self.rewritten.before != self.rewritten.after

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed, or in a check would be."""
        return self.rewritten.changes if self.rewritten is not None else ()

    @property
    def notes(self) -> tuple[Change, ...]:
        """What is worth knowing, but was not changed and is no finding."""
        return self.rewritten.notes if self.rewritten is not None else ()

    @property
    def rebuilt_record(self) -> bool:
        """Whether a RECORD that contradicts its wheel was overridden."""
        return any(change.code == RECORD_VERIFIED for change in self.changes)


def plan(
    paths: Sequence[Path], output: Path | None = None, *, trees: bool = True
) -> tuple[NormalizeJob | NormalizeResult, ...]:
    """Return what there is to do for *paths*, files or directories, in order; a path that cannot be used is a result.

    A file named twice is one job. Links are followed, so that what they point to is replaced, and not they.

    :param output: the directory for the results; None for in place.
    :param trees: whether a source tree is a directory like any other; else it is refused.
    :raises UsageError: if two results would be one file, or a result would replace its source.
    """
    steps: dict[Path, NormalizeJob | NormalizeResult] = {}
    for path in paths:
        try:
            found = _archives_at(path, trees=trees)
        except SamebytesError as error:
            steps.setdefault(followed(path), NormalizeResult(path, error))
        else:
            for archive in found:
                steps.setdefault(followed(archive), NormalizeJob(archive, _target(archive, output)))
    taken: dict[Path, Path] = {}
    for job in steps.values():
        if isinstance(job, NormalizeJob) and taken.setdefault(job.target, job.source) != job.source:
            raise UsageError(
                f"{taken[job.target]} and {job.source} would both become {job.target}",
                remedy="Normalize them in two runs, with different output directories.",
            )
    return tuple(steps.values())


def normalize(
    steps: Sequence[NormalizeJob | NormalizeResult], options: NormalizeOptions
) -> Generator[NormalizeResult, None, None]:
    """Do *steps*, several at once, and yield their results in order; an error of one does not stop the others.

    A signal, or the caller's closing of this generator, leaves no half-made file: what replaces one is waited for. A
    thread that does not look for a stop in time, as it does between pieces of a member, ends with the process.

    :raises OutputError: if the output directory cannot be made.
    :raises ConfigError: if ``options`` name a code that is unknown or not to be chosen.
    """
    stop = Stop()
    chosen = rules.select(options.disable, options.enable)
    if options.write:
        for directory in dict.fromkeys(step.target.parent for step in steps if isinstance(step, NormalizeJob)):
            make_directory(directory)
    at_once = max(1, min(options.jobs, sum(isinstance(step, NormalizeJob) for step in steps)))
    # Archives side by side first: of the work on a single one, only compressing can be shared out.
    compression = Compression(max(1, options.jobs // at_once), options.keep_streams)

    def result_of(step: NormalizeJob | NormalizeResult) -> NormalizeResult:
        if isinstance(step, NormalizeResult):
            return step
        try:
            return _done(step, chosen, options, compression, stop)
        except SamebytesError as error:
            # With what led to it, the result would hold all that was read, and there may be too little memory.
            error.__cause__ = error.__context__ = None
            return NormalizeResult(step.source, error.with_traceback(None))
        except OSError as error:
            return NormalizeResult(step.source, _unreadable(step.source, error))
        except Exception as error:  # a bug: name the file that it came up with
            raise RuntimeError(f"{step.source}: {type(error).__name__}: {error}") from error

    try:
        yield from in_order(result_of, steps, at_once, stop, PATIENCE)
    finally:
        stop.await_published()


def _archives_at(path: Path, *, trees: bool) -> list[Path]:
    """Return *path*, or the archives in the directory that it is.

    :raises UsageError: if there are none, or for a source tree unless *trees*.
    :raises ArchiveError: if it cannot be read.
    """
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            if path.exists():  # a pipe, for one, that nobody may ever write to
                raise ArchiveError(f"{path}: is not a regular file", remedy="Name a wheel or an sdist.")
            raise UsageError(f"{path}: there is no such file", remedy="Check the path.")
        is_tree, built = is_source_tree(path), f"pass what was built of it: {path / 'dist' / '*'}."
        if is_tree and not trees:
            raise UsageError(
                f"{path} is a source tree; samebytes normalize examines archives",
                remedy=f"'samebytes check {path}' builds it twice; or {built}",
            )
        found = sorted(child for child in path.iterdir() if child.name.endswith(SUFFIXES) and child.is_file())
    except OSError as error:
        raise _unreadable(path, error) from None
    if is_tree and not found:
        message = f"{path} is a source tree, and there are no wheels or sdists in it"
        raise UsageError(message, remedy=f"Build it, and {built}")
    if not found:
        raise UsageError(f"{path}: no wheels (.whl) or sdists (.tar.gz) in it", remedy="Name the files themselves.")
    return found


def _target(source: Path, output: Path | None) -> Path:
    target = source if output is None else output / source.name
    if output is not None and followed(target) == followed(source):
        raise UsageError(
            f"{source}: the output directory is the one that the file is in",
            remedy="Leave -o away to normalize in place.",
        )
    return target


def _done(
    job: NormalizeJob, chosen: Sequence[Pass], options: NormalizeOptions, compression: Compression, stop: Stop
) -> NormalizeResult:
    kind = kind_of(job.source)
    date = options.date or ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT)
    context = Context(date.seconds, kind, options.rebuild_record, options.drop_signatures)

    rewritten_to = partial(
        rewrite,
        job.source,
        context=context,
        passes=chosen,
        compression=compression,
        own_date=date.source is DateSource.CONSTANT,
        prove=options.prove,
        stop=stop,
    )
    if options.write and not options.ignore_attestation:  # a check changes nothing that is attested
        _keep_attestations(job, rewritten_to)
    target = job.target if options.write else None
    result = rewritten_to(target)
    if result.own_date:
        date = ArtifactDate(result.date, DateSource.OWN)
    return NormalizeResult(job.source, None, target, kind, date, result)


def _keep_attestations(job: NormalizeJob, rewritten_to: Callable[[Path | None], Rewritten]) -> None:
    """Refuse to change what is attested; what is canonical already stays as it is, and so does its attestation.

    :raises SignatureError: if there is an attestation, and the bytes would change.
    """
    beside = [Path(f"{path}{suffix}") for path in (job.source, job.target) for suffix in ATTESTATIONS]
    attestation = next((path for path in beside if os.path.lexists(path)), None)
    if attestation is None:
        return
    trial = rewritten_to(None)
    if trial.before != trial.after:
        raise SignatureError(
            f"{job.source}: normalizing it would make {attestation.name} beside it invalid",
            remedy="Normalize before you attest: remove it, or pass --ignore-attestation, and attest anew.",
        )


def _unreadable(path: Path, error: OSError) -> ArchiveError:
    return ArchiveError(f"{path}: cannot be read: {error.strerror or error}", remedy="Check its permissions.")
