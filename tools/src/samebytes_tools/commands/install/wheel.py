"""Lays the files of a wheel out on disk, and writes the RECORD of what is there then."""

from __future__ import annotations

import hashlib
import io
import ntpath
import os
import posixpath
import re
import stat
import sys
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from installer.scripts import Script

from samebytes.archive.limits import check_budget
from samebytes.artifact import record
from samebytes.artifact.opening import open_archive
from samebytes.errors import ArchiveError, OutputError
from samebytes.passes.pipeline import Stop, stoppable

from ..tree import scripts
from ..tree.apply import make_directories
from ..tree.installed import INSTALLER
from ..tree.plan import hashed, relative
from .interpreter import Scheme
from .source import Placed, WheelSource
from .stage import is_planted

_PLACEHOLDER = b"#!python"
_GUI_PLACEHOLDER = b"#!pythonw"
_SOURCES_BEYOND = 40
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a ZIP file can hold."""


class InstallOptions(NamedTuple):
    """Where and how to install."""

    top: Path
    """The directory that the scheme counts from; created if it is not there."""
    final: str
    """Where that will be in the end, absolute: in compiled modules."""
    scheme: Scheme
    executable: str
    """What runs the scripts."""
    script_kind: str = "posix"
    """``posix``, or one of installer's Windows launchers, such as ``win-amd64``."""
    date: int | None = None
    """Seconds since 1970 UTC; None for that of the wheels if they are canonical and agree, else a constant."""
    levels: tuple[int, ...] = (0,)
    """Levels of optimization to compile at; none at all for no compiled modules."""
    rebuild_record: bool = False
    jobs: int = 1
    """How many wheels are laid out at a time."""


class Laid(NamedTuple):
    """A wheel whose files are laid out."""

    wheel: Path
    project: str
    version: str
    digests: Mapping[str, tuple[bytes, int]]
    """SHA-256 and size of each file, by name in the tree."""
    mismatches: tuple[record.Mismatch, ...]
    """How RECORD contradicted the wheel, where that was overridden."""
    skipped: tuple[str, ...]
    """What the wheel has and no installer installs: compiled modules, signatures of its RECORD."""
    executables: frozenset[str]
    """By name in the tree."""


class Claims:
    """Which wheel has which file, and which directory, of those that are installed together.

    They may be laid out in several threads. A file that two wheels have is one file if its bytes are the same, as
    packages that share a namespace have their ``__init__.py``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, Path] = {}
        self._directories: dict[str, Path] = {}
        self._shared: list[tuple[str, Path]] = []

    def take(self, place: str, wheel: Path) -> bool:
        """Take the name *place* in the tree for *wheel*, and return whether it is the first to have it.

        :raises ArchiveError: if *wheel* has it already, or what is a file to one is a directory to another.
        """
        with self._lock:
            first = self._files.setdefault(place, wheel)
            parent = posixpath.dirname(place)
            # Up to the first known one: those above it were checked with it.
            while parent and parent not in self._directories:
                self._directories[parent] = wheel
                if parent in self._files:
                    raise _collision(parent, self._files[parent], wheel)
                parent = posixpath.dirname(parent)
            if place in self._directories:
                raise _collision(place, self._directories[place], wheel)
            if first is not wheel:
                self._shared.append((place, wheel))
        return first is wheel

    def has(self, place: str, wheel: Path) -> bool:
        """Return whether it is *wheel* that writes the file *place*."""
        with self._lock:
            return self._files.get(place) is wheel

    def settle(self, laid: Iterable[Laid], stage: Path) -> None:
        """Refuse files of several wheels that differ; such a file is executable if one of the wheels has it so.

        :raises ArchiveError: if two wheels have different files of one name.
        """
        by_wheel = {one.wheel: one for one in laid}
        for place, wheel in sorted(self._shared):
            one, other = by_wheel[self._files[place]], by_wheel[wheel]
            if one.digests[place] != other.digests[place]:
                raise _collision(place, one.wheel, wheel)
            if place in other.executables:
                (stage / place).chmod(0o755)


def _collision(place: str, one: Path, other: Path) -> ArchiveError:
    if one == other:
        return ArchiveError(f"{one}: it would install {place} twice", remedy="Build the wheel again.")
    return ArchiveError(
        f"{min(one, other)} and {max(one, other)} both install {place}",
        remedy="Its bytes differ, so only one of them can be installed here; ask their projects which.",
    )


def lay_out(wheel: Path, stage: Path, options: InstallOptions, claims: Claims, stop: Stop) -> Laid:
    """Write the files of *wheel*, and a RECORD of them.

    :param stage: the directory that stands for the tree's top.
    :param claims: those of all wheels that are installed together.
    :param stop: once it is set, reading ends with Interrupted.
    :raises ArchiveError: if the wheel is damaged, hostile, or does not keep to its specification.
    :raises RecordError: if its RECORD contradicts it.
    :raises OutputError: if a file cannot be written, or something at the tree's real place is in its way.
    """
    with open_archive(wheel) as archive:
        source = WheelSource(stoppable(archive, stop), wheel)
        if options.levels:
            _check_sources(source)
        return _Destination(source, stage, options, claims).laid()


def _check_sources(source: WheelSource) -> None:
    """Refuse a wheel of which far more would have to be compiled than of any real one: Python takes megabytes for each.

    :raises HostileArchiveError: naming the budget.
    """
    size = sum(placed.entry.content.size for placed in source.files if placed.path.endswith(".py"))
    what = f"bytes of sources to compile beyond {_SOURCES_BEYOND} times its size"
    check_budget(str(source.wheel), "sources", what, size - _SOURCES_BEYOND * source.wheel.stat().st_size)


class _Destination:
    """Writes the files of a wheel with their final modes, and notes their digests."""

    def __init__(self, source: WheelSource, stage: Path, options: InstallOptions, claims: Claims) -> None:
        self._source = source
        self._wheel = source.wheel
        self._stage = stage
        self._options = options
        self._claims = claims
        # As pip and distutils do: header names are not unique among projects.
        headers = posixpath.join(options.scheme.headers, source.distribution)
        self._places = {**options.scheme._asdict(), "headers": headers}
        # By a run that was killed: it is compared by its RECORD, when all is complete.
        self._is_there = (options.top / self._places[source.root_scheme] / source.info).is_dir()
        self._digests: dict[str, tuple[bytes, int]] = {}
        """By name in the tree."""
        self._executables: set[str] = set()
        self._known: dict[str, bool] = {}
        """Directories, by name in the tree, that have been looked at, and whether the tree's place has them."""
        self._made: set[str] = set()
        """Those that are there now, in the stage."""
        self._clear: set[Path] = set()
        """Directories that are known not to be in the way of anything."""

    def laid(self) -> Laid:
        """Write everything."""
        source, seen = self._source, {}
        for command in source.commands:
            self._write_command(command)
        for placed in source.files:
            written = self._write_member(placed)
            if placed.scheme != "scripts":  # whose first lines may be others now
                # For RECORD, so that each member is inflated once.
                seen[placed.entry.name] = self._digests[written]
        # REQUESTED is empty: that it is there says that a user asked for it (recording installed projects).
        for name, data in (("INSTALLER", INSTALLER), ("REQUESTED", b"")):
            self._written(source.root_scheme, f"{source.info}/{name}", [data], executable=False)
        self._write_record()
        mismatches = source.mismatches(seen)
        if mismatches and not self._options.rebuild_record:
            remedy = "Build or fetch it again; or, if you trust its files, install it with --rebuild-record."
            raise record.disagreement(str(self._wheel), map(str, mismatches), remedy)
        return Laid(
            self._wheel,
            source.distribution,
            source.version,
            self._digests,
            mismatches,
            source.skipped,
            frozenset(self._executables),
        )

    def _write_command(self, command: scripts.EntryPoint) -> None:
        executable = self._options.executable
        if self._options.script_kind == "posix":
            name, data = command.name, scripts.script(scripts.first_lines(executable), command)
        else:
            name, data = _launcher(command, executable, self._options.script_kind)
        self._written("scripts", name, [data], executable=True)

    def _write_member(self, placed: Placed) -> str:
        """Write a file of the wheel, and return its name in the tree."""
        chunks: Iterable[bytes] = placed.entry.content.chunks()
        executable = bool(placed.entry.mode & stat.S_IXUSR)
        if placed.scheme == "scripts":
            chunks, executable = _run_by(self._options.executable, chunks, self._options.script_kind), True
        return self._written(placed.scheme, placed.path, chunks, executable=executable)

    def _write_record(self) -> None:
        scheme, name = self._source.root_scheme, f"{self._source.info}/RECORD"
        site = self._places[scheme]
        rows = [record.row(relative(site, place), *known) for place, known in self._digests.items()]
        self._written(scheme, name, [record.serialise(rows, name)], executable=False)

    def _place(self, scheme: str, path: str) -> str:
        place = posixpath.normpath(posixpath.join(self._places[scheme], path))
        if place.startswith("../") or place == ".." or posixpath.isabs(place):
            raise ArchiveError(f"{self._wheel}: {path} would be installed outside", remedy="Do not install this wheel.")
        return place

    def _written(self, scheme: str, path: str, chunks: Iterable[bytes], *, executable: bool) -> str:
        """Write a file, unless another wheel does, and return its name in the tree."""
        place = self._place(scheme, path)
        if place in self._digests:
            raise _collision(place, self._wheel, self._wheel)
        directory = posixpath.dirname(place)
        if directory not in self._known:
            there = self._options.top / directory
            self._demand_directories(there)
            # What comes in between is seen when all is moved there.
            self._known[directory] = there.is_dir()
        state = hashlib.sha256()
        size = 0
        with self._opened(place, executable=executable) as file:
            for chunk in chunks:
                state.update(chunk)
                size += len(chunk)
                if file is not None:
                    file.write(chunk)
        self._digests[place] = (state.digest(), size)
        if executable:
            self._executables.add(place)
        if self._known[directory] and not self._is_there:
            self._demand_room(place, executable=executable)
        return place

    @contextmanager
    def _opened(self, place: str, *, executable: bool) -> Iterator[BinaryIO | None]:
        """Give the new file *place* of the stage; None if it is another wheel's."""
        if not self._claims.take(place, self._wheel):
            yield None
            return
        target = os.path.join(self._stage, place)  # a Path of each file takes its time
        try:
            directory = posixpath.dirname(place)
            if directory not in self._made:
                make_directories(self._stage / directory)
                self._made.add(directory)
            # 0600 until it is complete, whatever the umask; the mode is set at the end.
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if sys.platform != "win32":
                    os.fchmod(descriptor, 0o755 if executable else 0o644)
                    # Here and not at the end, where every file would have to be opened once more.
                    if self._options.date is not None:
                        os.utime(descriptor, (self._options.date, self._options.date))
            if sys.platform == "win32":
                os.chmod(target, 0o755 if executable else 0o644)
        except OSError as error:
            raise OutputError(
                f"{self._options.top / place}: cannot be written: {error.strerror or error}",
                remedy="Free some space there, or install somewhere else. Nothing was changed.",
            ) from error

    def _demand_directories(self, directory: Path) -> None:
        """Refuse to put a directory where something else is."""
        while directory not in self._clear and directory != self._options.top:
            if os.path.lexists(directory) and (not directory.is_dir() or is_planted(directory)):
                raise self._in_the_way(directory, "directory")
            self._clear.add(directory)
            directory = directory.parent

    def _demand_room(self, place: str, *, executable: bool) -> None:
        """Refuse to replace what is there, unless that is the same file."""
        there = self._options.top / place
        if not os.path.lexists(there):
            return
        found = there.lstat()
        alike = stat.S_ISREG(found.st_mode) and bool(found.st_mode & stat.S_IXUSR) == executable
        if not alike or hashed(os.fspath(there), "sha256", found) != self._digests[place]:
            raise self._in_the_way(there, "file")

    def _in_the_way(self, path: Path, needed: str) -> OutputError:
        return OutputError(
            f"{path}: is in the way of the {needed} that {self._wheel} needs there",
            remedy="Remove it, or install into an empty place. Nothing was changed.",
        )


def _run_by(executable: str, chunks: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """Give *chunks*, of a script, with the first line that is to run *executable* if it has the one that stands for it.

    On Windows, the one for GUI scripts stands for the interpreter without a console.
    Source: binary distribution format, "Recommended installer features".
    """
    start = b""
    rest = iter(chunks)
    for chunk in rest:
        start += chunk
        if len(start) >= len(_GUI_PLACEHOLDER):
            break
    if start.startswith(_PLACEHOLDER):
        yield _first_lines(executable, kind, is_gui=start.startswith(_GUI_PLACEHOLDER))
        # The first line may be longer than a chunk.
        while b"\n" not in start:
            try:
                start = next(rest)
            except StopIteration:
                return
        start = start.partition(b"\n")[2]
    yield start
    yield from rest


def _first_lines(executable: str, kind: str, *, is_gui: bool) -> bytes:
    if kind == "posix":
        return scripts.first_lines(executable)
    if is_gui:
        # As installer's launchers do; the path is Windows', wherever we run.
        directory, name = ntpath.split(executable)
        executable = ntpath.join(directory, name.replace("python", "pythonw"))
    # No shell is there to call a path with a blank, and Python's launcher (py.exe) ends one there that is not quoted.
    quote = '"' if re.search(r"\s", executable) else ""
    return f"#!{quote}{executable}{quote}\n".encode("utf-8", "surrogateescape")


def _launcher(entry: scripts.EntryPoint, executable: str, kind: str) -> tuple[str, bytes]:
    """Return the file name and the contents of a Windows launcher: installer's, without the time of its making."""
    made = Script(entry.name, entry.module, entry.attribute, "gui" if entry.gui else "console")
    name, data = made.generate(executable, cast(Any, kind))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # A launcher is an .exe with a zip behind it; the zip has the time of its making.
        start = min(info.header_offset for info in archive.infolist())
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EARLIEST), scripts.script(b"", entry))
    return name, data[:start] + tail.getvalue()
