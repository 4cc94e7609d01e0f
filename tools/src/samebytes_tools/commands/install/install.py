"""Installs wheels so that two installs are the same bytes: paths, modes, times, compiled modules, RECORD."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from threading import Condition
from typing import NamedTuple

from packaging.utils import canonicalize_name

from samebytes.archive.zip_reader import open_zip
from samebytes.artifact import layout
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import OutputError, UsageError
from samebytes.passes.pipeline import agreed_date

from ..tree.apply import make_directories
from ..tree.bytecode import Compiler
from ..tree.fix import Options as FixOptions
from ..tree.fix import fix
from ..tree.plan import Change
from .move import anchor_of, move_in, private_stage
from .scheme import Scheme
from .wheel import Laid, Layout, lay_out

__all__ = ["Installed", "Options", "Scheme", "find_wheels", "install"]


class Options(NamedTuple):
    """Where and how to install."""

    top: Path
    """The directory that the scheme counts from; made if it is not there."""
    final: str
    """Where that will lie in the end, absolute: in compiled modules."""
    scheme: Scheme
    executable: str
    """What runs the scripts."""
    script_kind: str = "posix"
    date: int | None = None
    """Seconds since 1970 UTC; None for that of all files in all wheels if they agree, else a constant."""
    levels: tuple[int, ...] = (0,)
    """Levels of optimization to compile at; none at all for no compiled modules."""
    rebuild_record: bool = False
    jobs: int = 1
    """How many wheels are laid out at a time."""


class Installed(NamedTuple):
    """What was installed."""

    top: Path
    date: int
    date_source: str
    """``given``, ``members`` or ``constant``."""
    wheels: tuple[Laid, ...]
    files: int
    """Those of RECORDs, compiled modules and all."""
    notes: tuple[Change, ...]


def find_wheels(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the wheels that *paths* name, or that lie in the directories that they name, sorted by file name.

    :raises UsageError: if one is neither, or two wheels are of one project.
    """
    found: dict[str, Path] = {}
    for path in paths:
        for wheel in _expanded(path):
            found.setdefault(os.path.realpath(wheel), wheel)
    wheels = sorted(found.values(), key=lambda wheel: (wheel.name, wheel))
    projects: dict[str, Path] = {}
    for wheel in wheels:
        other = projects.setdefault(canonicalize_name(layout.parse_wheel_name(wheel.name).name), wheel)
        if other is not wheel:
            raise UsageError(f"{other} and {wheel} are of one project", remedy="Name only the one to install.")
    return tuple(wheels)


def _expanded(path: Path) -> Sequence[Path]:
    if path.is_dir():
        wheels = [child for child in path.iterdir() if child.name.endswith(".whl")]
        if not wheels:
            raise UsageError(f"{path}: there are no wheels (.whl) in it", remedy="Name the wheels themselves.")
        return wheels
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file", remedy="Check the path.")
    if not path.name.endswith(".whl"):
        raise UsageError(
            f"{path}: is not a wheel", remedy="Only wheels are installed; make one: samebytes build, or pip wheel."
        )
    return [path]


def install(wheels: Sequence[Path], options: Options, compiler: Compiler | None) -> Installed:
    """Install *wheels*, all of them or none.

    All is made in a private directory beside its place, or in it if that is there already, and moved when complete.

    :raises ArchiveError: if a wheel is damaged, or two have the same file.
    :raises RecordError: if a wheel's RECORD contradicts it.
    :raises UsageError: if a project is installed there already.
    :raises OutputError: if a file is in the way, or something cannot be written.
    """
    date, date_source = _date(wheels, options)
    _refuse_installed(wheels, options)
    anchor = anchor_of(options.top)
    with private_stage(anchor) as stage:
        inner = stage / options.top.relative_to(anchor)
        _make(inner)
        taken: dict[str, Path] = {}
        how = Layout(inner, options.scheme, options.executable, options.script_kind, options.rebuild_record)

        def refuse(name: str, wheel: Path) -> None:
            if anchor == options.top:
                _refuse_existing(options.top, name, wheel)

        laid = _each(wheels, options.jobs, lambda wheel: lay_out(wheel, how, taken, refuse))
        digests = {name: digest for one in laid for name, digest in one.digests.items()}
        settings = FixOptions(options.final, date, options.levels, durable=False)
        fixed = fix(inner, settings, compiler, digests)
        files = sum(len(names) for _, _, names in os.walk(inner))
        move_in(stage, anchor, options.top, date)
    if anchor == options.top:
        os.utime(anchor, (date, date))  # the private directory was in it until now
    return Installed(options.top, date, date_source, laid, files, fixed.notes)


def _each(wheels: Sequence[Path], jobs: int, work: Callable[[Path], Laid]) -> tuple[Laid, ...]:
    """Return what *work* makes of each of *wheels*, several at a time; after an error none is at work any more.

    A pool does not wait for a thread that it was just starting when a signal came, so this counts for itself.
    """
    change = Condition()
    busy: set[Path] = set()
    over = False

    def guarded(wheel: Path) -> Laid:
        with change:
            if over:
                raise CancelledError
            busy.add(wheel)
        try:
            return work(wheel)
        finally:
            with change:
                busy.remove(wheel)
                change.notify()

    with ThreadPoolExecutor(jobs) as pool:
        try:
            return tuple(pool.map(guarded, wheels))
        finally:
            with change:
                over = True
                change.wait_for(lambda: not busy)


def _make(directory: Path) -> None:
    try:
        make_directories(directory)
    except OSError as error:
        raise OutputError(
            f"{directory}: cannot be made: {error.strerror or error}", remedy="Install somewhere else."
        ) from error


def _date(wheels: Sequence[Path], options: Options) -> tuple[int, str]:
    if options.date is not None:
        return options.date, "given"
    dates = set()
    for wheel in wheels:
        with open_zip(wheel) as archive:
            dates.add(agreed_date(archive))
    date = dates.pop() if len(dates) == 1 else None
    return (DEFAULT_DATE, "constant") if date is None else (date, "members")


def _refuse_installed(wheels: Sequence[Path], options: Options) -> None:
    """Refuse a project that is there already: without an uninstall, files of two releases would be mixed."""
    there: dict[str, Path] = {}
    for site in {options.top / options.scheme.purelib, options.top / options.scheme.platlib}:
        if site.is_dir():
            for info in site.glob("*.dist-info"):
                there[canonicalize_name(info.name.partition("-")[0])] = info
    for wheel in wheels:
        other = there.get(canonicalize_name(layout.parse_wheel_name(wheel.name).name))
        if other is not None:
            raise UsageError(
                f"{wheel}: its project is installed already: {other}",
                remedy="Remove it first (pip uninstall), or install into an empty place.",
            )


def _refuse_existing(top: Path, name: str, wheel: Path) -> None:
    """Refuse to replace what is there, and to put a file where a directory is."""
    path = top / name
    if os.path.lexists(path):
        raise OutputError(
            f"{path}: is in the way of the file that {wheel} installs there",
            remedy="Remove it, or install into an empty place. Nothing was changed.",
        )
    parent = path.parent
    while parent not in (top, parent.parent) and not parent.is_dir():
        if os.path.lexists(parent):
            raise OutputError(
                f"{parent}: is a file, in the way of the directory that {wheel} needs there",
                remedy="Remove it, or install into an empty place. Nothing was changed.",
            )
        parent = parent.parent
