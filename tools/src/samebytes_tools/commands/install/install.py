"""Installs wheels so that two installs are the same bytes: paths, modes, times, compiled modules, RECORD."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple

from packaging.utils import canonicalize_name, parse_wheel_filename

from samebytes.artifact import layout
from samebytes.artifact.opening import open_archive
from samebytes.commands.normalize.executor import PATIENCE, in_order
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import ArchiveError, OutputError, UsageError
from samebytes.passes import DEFAULT
from samebytes.passes.files import check
from samebytes.passes.model import Context
from samebytes.passes.pipeline import Stop, agreed_date, rewrite, run

from ..tree.apply import make_directories
from ..tree.compile_ahead import CompilerAhead
from ..tree.compiled_cache import CachedSource
from ..tree.compiler import Wanted
from ..tree.fix import FixOptions, fix
from ..tree.installed import INSTALLER, SCRIPT_DIRECTORIES
from ..tree.plan import TreeChange
from .move import move_in, set_time
from .stage import anchor_of, private_stage, remove_abandoned
from .wheel import Claims, InstallOptions, Laid, lay_out

_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w., -]*\])?\s*([=<>!~]=?=?\s*[\w.*+!]+)?", re.ASCII)
"""What may be meant for a project's name, with extras or a version (PEP 508)."""


class Installation(NamedTuple):
    """What was installed."""

    top: Path
    date: int
    date_source: str
    """``given``, ``members`` or ``constant``."""
    wheels: tuple[Laid, ...]
    files: int
    """Those of RECORDs, with compiled modules."""
    notes: tuple[TreeChange, ...]


def find_wheels(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels that *paths* name, or that are in the directories that they name, sorted by file name.

    :raises UsageError: if one is neither, or two wheels are of one project.
    :raises ArchiveError: if a wheel's file name is not of the form that installers take.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for wheel in _expanded(path):
            # By its real path, as a wheel may be named beside the directory that it is in.
            found.setdefault(os.path.realpath(wheel), wheel)
    wheels = sorted(found.values(), key=lambda wheel: (wheel.name, wheel))
    projects: dict[str, Path] = {}
    for wheel in wheels:
        other = projects.setdefault(_project(wheel), wheel)
        if other is not wheel:
            raise UsageError(f"{other} and {wheel} are of one project", remedy="Name only the one to install.")
    return tuple(wheels)


def _project(wheel: Path) -> str:
    try:
        if not re.fullmatch(r"[\w.-]+", layout.parse_wheel_name(wheel.name).tags, re.ASCII):
            raise ValueError("a tag has only letters, digits and underscores")
        return parse_wheel_filename(wheel.name)[0]
    except ValueError as error:
        raise ArchiveError(
            f"{wheel}: this is not the file name of a wheel: {error}",
            remedy="A wheel is called NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl; give it back the name it had.",
        ) from None


def _expanded(path: Path) -> Sequence[Path]:
    if path.is_dir():
        with _naming_files(path):
            wheels = [child for child in path.iterdir() if child.name.endswith(".whl")]
        if not wheels:
            raise UsageError(f"{path}: there are no wheels (.whl) in it", remedy="Name the wheels themselves.")
        return wheels
    if not path.is_file():
        raise _missing(path)
    if not path.name.endswith(".whl"):
        raise UsageError(
            f"{path}: is not a wheel", remedy="Only wheels are installed; make one: samebytes build, or pip wheel."
        )
    return [path]


def _missing(path: Path) -> UsageError:
    text = os.fspath(path)
    if _REQUIREMENT.fullmatch(text) and not text.endswith((".whl", ".toml", ".txt")):
        return UsageError(
            f"{text}: there is no such file, and projects are not looked for by their names",
            remedy=f"Get its wheel, with what it needs, and install that: pip download --only-binary :all: -d wheels "
            f"'{text}' && samebytes install wheels. Or pin and hash them in a list: samebytes install -r FILE.",
        )
    return UsageError(f"{text}: there is no such file", remedy="Check the path.")


def install(
    wheels: Sequence[Path],
    options: InstallOptions,
    compiler: CompilerAhead | None,
    warn: Callable[[str], None] = lambda _: None,
) -> Installation:
    """Install *wheels*, all of them or none.

    Everything is made in a private directory beside its place, or in it if that is there already, and moved when
    complete.

    :param warn: gets why nothing goes on, where another process is waited for.
    :raises ArchiveError: if a wheel is damaged, or two have different files of one name.
    :raises RecordError: if a wheel's RECORD contradicts it.
    :raises UsageError: if a project is installed there already.
    :raises OutputError: if a file is in the way, or something cannot be written.
    """
    top = options.top
    with _naming_files(top):
        date, date_source = _date(wheels, options)
        options = options._replace(date=date)
        anchor, is_again = anchor_of(top), False
        with suppress(OSError):  # which comes up again where something is to be written
            is_again = remove_abandoned(anchor)
        # Early, for a quick answer; it is checked again under the lock, before anything is moved.
        _refuse_installed(wheels, options, is_again=is_again)
        with private_stage(anchor) as stage:
            inner = stage / top.relative_to(anchor)
            make_directories(inner)
            with compiler or nullcontext():
                laid = _laid_out(wheels, inner, options, compiler)
                digests = {name: digest for one in laid for name, digest in one.digests.items()}
                settings = FixOptions(options.final, date, options.levels, own=True)
                fixed = fix(inner, settings, compiler, digests)
                if compiler is not None:
                    compiler.keep()
            # Counted before the move, after which others' files are among them.
            files = sum(len(names) for _, _, names in os.walk(inner))
            check = partial(_refuse_installed, wheels, options, inner, is_again=is_again)
            left = move_in(stage, anchor, top, date, check, warn)
        if anchor == top:
            with suppress(OSError):  # it was set before, and all else is done
                set_time(top, date)  # the private directory was in it until now
    kept = compiler.cache.notes if compiler is not None and compiler.cache is not None else []
    notes = (
        *fixed.notes,
        *(_not_dated(top, directory) for directory in left),
        *(TreeChange("bytecode", str(path), why) for path, why in kept),
    )
    return Installation(top, date, date_source, laid, files, notes)


def _laid_out(
    wheels: Sequence[Path], stage: Path, options: InstallOptions, compiler: CompilerAhead | None
) -> tuple[Laid, ...]:
    claims, stop = Claims(), Stop()

    def work(wheel: Path) -> Laid:
        laid = lay_out(wheel, stage, options, claims, stop)
        if compiler is not None:
            modules = _modules(laid, stage, options)
            compiler.recall(modules)
            # What another wheel writes may not be complete yet.
            compiler.begin(module.wanted for module in modules if claims.has(module.place, wheel))
        return laid

    # The other half compiles meanwhile, and threads of Python are in one another's way.
    threads = options.jobs if compiler is None else -(-options.jobs // 2)
    laid = tuple(in_order(work, wheels, min(threads, len(wheels)), stop, PATIENCE))
    claims.settle(laid, stage)
    return laid


def _modules(laid: Laid, stage: Path, options: InstallOptions) -> list[CachedSource]:
    """Return what of a wheel will likely be compiled: which of it are modules is decided when all wheels are there."""
    found = []
    for place, (digest, _) in sorted(laid.digests.items()):
        directory, last = posixpath.split(place)
        if not last.endswith(".py") or "." in last[:-3] or posixpath.basename(directory) in SCRIPT_DIRECTORIES:
            continue
        for level in options.levels:
            wanted = Wanted(stage / place, posixpath.join(options.final, place), level)
            found.append(CachedSource(wanted, digest, place))
    return found


def _not_dated(top: Path, directory: Path) -> TreeChange:
    name = directory.relative_to(top).as_posix()
    return TreeChange("mtime", name, "not set to the date: the directory belongs to another user")


@contextmanager
def _naming_files(top: Path) -> Iterator[None]:
    """Report what the system refuses with the file that it is about, whatever was done to it."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{error.filename2 or error.filename or top}: cannot be used: {error.strerror or error}",
            remedy="Fix that, or install somewhere else.",
        ) from error


def _date(wheels: Sequence[Path], options: InstallOptions) -> tuple[int, str]:
    if options.date is not None:
        return options.date, "given"
    dates: set[int | None] = set()
    for wheel in wheels:
        with open_archive(wheel) as archive:
            dates.add(agreed_date(archive))
        # The first two decide it for most: the others need not be opened.
        if len(dates) > 1:
            break
    date = dates.pop() if len(dates) == 1 else None
    # Times that wheels share by chance, as those of one quick build, are the clock's.
    if date is None or date == DEFAULT_DATE or not all(map(is_canonical, wheels)):
        return DEFAULT_DATE, "constant"
    return date, "wheels"


def is_canonical(wheel: Path) -> bool:
    """Return whether *wheel* is canonical on its own date; it is only written where the passes would change nothing."""
    # Lenient, as only the form is asked for: RECORD and signatures are judged where the wheel is read.
    context = Context(DEFAULT_DATE, layout.ArtifactKind.WHEEL, rebuild_record=True, drop_signatures=True)
    try:
        with open_archive(wheel) as archive:
            check(archive, context.kind)
            date = agreed_date(archive)
            if date is None:
                return False
            context = context._replace(date=date)
            if any(outcome.changes for outcome in run(archive, context, DEFAULT)):
                return False
        return not rewrite(wheel, None, context, DEFAULT).changes
    except ArchiveError:
        return False  # Whether it can be installed all the same is seen where it is read for that.


def _refuse_installed(
    wheels: Sequence[Path], options: InstallOptions, stage: Path | None = None, *, is_again: bool
) -> None:
    """Refuse a project that is there already: without an uninstall, files of two releases would be mixed.

    But one with the same RECORD may have been put there by a run that was killed, if others are not there.

    :param stage: where everything is complete, once it is.
    :param is_again: whether it is known that a run was killed.
    """
    there: dict[str, Path] = {}
    for site in {options.top / options.scheme.purelib, options.top / options.scheme.platlib}:
        if site.is_dir():
            for info in site.glob("*.dist-info"):
                # Names in directories are not normalized by every installer (PEP 503, PEP 376).
                there[canonicalize_name(info.name.partition("-")[0])] = info
    found = {wheel: there[_project(wheel)] for wheel in wheels if _project(wheel) in there}
    for wheel, other in found.items():
        if (len(found) == len(wheels) and not is_again) or not _is_completed(wheel, other, options.top, stage):
            raise UsageError(
                f"{wheel}: its project is installed already: {other}",
                remedy="Remove it first (pip uninstall), or install into an empty place.",
            )


def _is_completed(wheel: Path, info: Path, top: Path, stage: Path | None) -> bool:
    """Return whether the distribution *info* is what *wheel* gives; without *stage*, whether it can be."""
    with suppress(FileNotFoundError):
        if stage is not None:
            return (stage / info.relative_to(top) / "RECORD").read_bytes() == (info / "RECORD").read_bytes()
        version = info.name[: -len(".dist-info")].partition("-")[2]
        return version == layout.parse_wheel_name(wheel.name).version and (info / "INSTALLER").read_bytes() == INSTALLER
    return False
