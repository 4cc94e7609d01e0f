"""Lays the files of a wheel out on disk, by the ``installer`` library: its source is our strict reader."""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import RecordEntry
from installer.scripts import Script
from installer.sources import WheelSource

from samebytes.archive.entry import Archive, Entry, Kind, read_all
from samebytes.archive.zip_reader import open_zip
from samebytes.artifact import layout, record
from samebytes.errors import ArchiveError, OutputError

from ..tree import scripts
from ..tree.apply import make_directories
from ..tree.installed import INSTALLER
from .interpreter import Scheme

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


def lay_out(wheel: Path, stage: Path, options: InstallOptions, taken: dict[str, Path]) -> Laid:
    """Write the files of *wheel*, and a RECORD of them.

    :param stage: the directory that stands for the tree's top.
    :param taken: who has which file, and as ``NAME/`` which directory; the wheel's own are added.
    :raises ArchiveError: if the wheel is damaged, hostile, or does not keep to its specification.
    :raises RecordError: if its RECORD contradicts it.
    :raises OutputError: if a file cannot be written, or something at the tree's real place is in its way.
    """
    with open_zip(wheel) as archive:
        source = _Source(archive, wheel)
        destination = _Destination(source, stage, options, taken)
        added = {"INSTALLER": INSTALLER, "REQUESTED": b""}
        try:
            install(source, cast(WheelDestination, destination), added)
        except (InstallerError, UnicodeDecodeError) as error:
            raise ArchiveError(
                f"{wheel}: cannot be installed: {error}", remedy="Build the wheel again; this one breaks its format."
            ) from error
        mismatches = source.mismatches(destination.seen)
        if mismatches and not options.rebuild_record:
            remedy = "Build or fetch it again; or, if you trust its files, install it with --rebuild-record."
            raise record.disagreement(str(wheel), map(str, mismatches), remedy)
        digests = destination.digests
        return Laid(wheel, source.distribution, source.version, digests, mismatches, tuple(source.skipped))


class _Source(WheelSource):
    """A wheel as our reader gives it."""

    def __init__(self, archive: Archive, wheel: Path) -> None:
        name = layout.parse_wheel_name(wheel.name)
        super().__init__(name.name, name.version)
        self._files = {entry.name: entry for entry in archive.entries if entry.kind is Kind.FILE}
        links = [entry.name for entry in archive.entries if entry.kind is Kind.SYMLINK]
        if links:
            raise ArchiveError(f"{wheel}: {links[0]} is a symbolic link", remedy="A wheel holds none; build it again.")
        self._info = layout.dist_info(self._files, os.fspath(wheel))
        layout.check_dist_info(self._info, wheel.name)
        self.wheel = wheel
        self._own = f"{self._info}/RECORD"
        self.skipped: list[str] = []
        if "entry_points.txt" in self.dist_info_filenames:  # of which the library fails in silence, where it is wrong
            try:
                list(scripts.entry_points(self.read_dist_info("entry_points.txt")))
            except ValueError as error:
                raise ArchiveError(
                    f"{wheel}: entry_points.txt is invalid: {error}", remedy="Fix it, and build the wheel again."
                ) from error

    @property
    def dist_info_dir(self) -> str:
        return self._info

    @property
    def data_dir(self) -> str:
        return f"{self._info[: -len('.dist-info')]}.data"

    @property
    def dist_info_filenames(self) -> list[str]:
        prefix = f"{self._info}/"
        return [name[len(prefix) :] for name in self._files if name.startswith(prefix)]

    def read_dist_info(self, filename: str) -> str:
        entry = self._files.get(f"{self._info}/{filename}")
        if entry is None:
            raise ArchiveError(f"{self.wheel}: there is no {filename} in it", remedy="Build the wheel again.")
        return read_all(entry.content).decode("utf-8")

    def get_contents(self) -> Iterator[tuple[tuple[str, str, str], BinaryIO, bool]]:
        unwanted = record.never_listed(self._own) - {self._own}
        for entry in self._files.values():
            if entry.name in unwanted or "__pycache__" in entry.name.split("/")[:-1]:
                self.skipped.append(entry.name)
            else:
                executable = bool(entry.mode & stat.S_IXUSR)
                yield (entry.name, "", ""), cast(BinaryIO, _Member(entry)), executable

    def mismatches(self, seen: Mapping[str, tuple[bytes, int]]) -> tuple[record.Mismatch, ...]:
        """Return how RECORD contradicts the files; *seen* are digests and sizes of those that were read already."""
        found = self._files.get(self._own)
        if found is None:
            return (record.Mismatch(self._own, "there is none"),)
        listing = record.parse(read_all(found.content), self._own)
        files = [name for name in self._files if name not in record.never_listed(self._own)]
        wrong = [*listing.faults, *record.compare_names(listing, files)]
        for name in files:
            row = listing.rows.get(name)
            if row is not None and row.algorithm == "sha256" and name in seen:
                digest, size = seen[name]
                wrong += filter(None, [record.compare(row, size, record.spelled("sha256", digest))])
            elif row is not None:
                wrong += filter(None, [record.examine(row, self._files[name].content)])
        return tuple(wrong)


class _Member:
    """A wheel's file on its way to the destination."""

    def __init__(self, entry: Entry) -> None:
        self.name = entry.name
        self.chunks = entry.content.chunks


class _Destination:
    """Writes files with their final modes, and notes their digests; ``installer`` calls it as a WheelDestination."""

    def __init__(self, source: _Source, stage: Path, options: InstallOptions, taken: dict[str, Path]) -> None:
        self._wheel = source.wheel
        self._stage = stage
        self._options = options
        self._taken = taken
        headers = posixpath.join(options.scheme.headers, source.distribution)
        self._places = {**options.scheme._asdict(), "headers": headers}
        self.digests: dict[str, tuple[bytes, int]] = {}
        """By name in the tree."""
        self.seen: dict[str, tuple[bytes, int]] = {}
        """By name in the wheel, of what is installed as it is."""

    def write_script(self, name: str, module: str, attr: str, section: str) -> RecordEntry:
        entry = scripts.EntryPoint(name, module, attr, section == "gui")
        executable = self._options.executable
        if self._options.script_kind == "posix":
            data = scripts.script(scripts.first_lines(executable), entry)
        else:
            name, data = _launcher(entry, executable, self._options.script_kind)
        return self._written("scripts", name, [data], executable=True)

    def write_file(self, scheme: str, path: str, stream: Any, is_executable: bool) -> RecordEntry:
        member = stream if isinstance(stream, _Member) else None
        chunks: Iterable[bytes] = [stream.read()] if member is None else member.chunks()
        if scheme == "scripts":
            data = b"".join(chunks)
            if member is not None:
                self.seen[member.name] = (hashlib.sha256(data).digest(), len(data))
            if data.startswith(b"#!python"):  # binary distribution format, "Recommended installer features"
                data = scripts.first_lines(self._options.executable) + data.partition(b"\n")[2]
            return self._written(scheme, path, [data], executable=True)
        entry = self._written(scheme, path, chunks, executable=is_executable)
        if member is not None:
            self.seen[member.name] = self.digests[self._place(scheme, path)]
        return entry

    def finalize_installation(self, scheme: str, record_file_path: str, records: object) -> None:
        del records  # what was written is known here
        site = self._places[scheme]
        rows = [
            record.row(posixpath.relpath(place, site or "."), digest, size)
            for place, (digest, size) in self.digests.items()
        ]
        text = record.serialise(rows, record_file_path)
        self._written(scheme, record_file_path, [text], executable=False)

    def _place(self, scheme: str, path: str) -> str:
        place = posixpath.normpath(posixpath.join(self._places[scheme], path))
        if place.startswith("../") or place == ".." or posixpath.isabs(place):
            raise ArchiveError(f"{self._wheel}: {path} would be installed outside", remedy="Do not install this wheel.")
        return place

    def _written(self, scheme: str, path: str, chunks: Iterable[bytes], *, executable: bool) -> RecordEntry:
        place = self._place(scheme, path)
        self._claim(place)
        state = hashlib.sha256()
        size = 0
        target = self._stage / place
        try:
            make_directories(target.parent)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    state.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            target.chmod(0o755 if executable else 0o644)
        except OSError as error:
            raise OutputError(
                f"{target}: cannot be written: {error.strerror or error}",
                remedy="Free some space there, or install somewhere else. Nothing was changed.",
            ) from error
        self.digests[place] = (state.digest(), size)
        return RecordEntry(path, None, None)

    def _claim(self, place: str) -> None:
        """Take a name, and those of the directories above it; other wheels may be laid out in other threads."""
        other = self._taken.setdefault(place, self._wheel)
        if other is not self._wheel or place in self.digests:
            raise _collision(place, other, self._wheel)
        parent = posixpath.dirname(place)
        while parent:
            self._taken.setdefault(f"{parent}/", self._wheel)
            if parent in self._taken:
                raise _collision(parent, self._taken[parent], self._wheel)
            parent = posixpath.dirname(parent)
        if f"{place}/" in self._taken:
            raise _collision(place, self._taken[f"{place}/"], self._wheel)
        self._refuse_existing(place)

    def _refuse_existing(self, place: str) -> None:
        """Refuse to replace what is there, and to put a file where a directory is or the other way round."""
        top = self._options.top
        path, needed = top / place, "file"
        while path != top:
            if os.path.lexists(path) and not (needed == "directory" and path.is_dir()):
                raise OutputError(
                    f"{path}: is in the way of the {needed} that {self._wheel} needs there",
                    remedy="Remove it, or install into an empty place. Nothing was changed.",
                )
            path, needed = path.parent, "directory"


def _collision(place: str, one: Path, other: Path) -> ArchiveError:
    if one == other:
        return ArchiveError(f"{one}: it would install {place} twice", remedy="Build the wheel again.")
    return ArchiveError(
        f"{min(one, other)} and {max(one, other)} both install {place}",
        remedy="Only one of them can be installed here; ask their projects which.",
    )


def _launcher(entry: scripts.EntryPoint, executable: str, kind: str) -> tuple[str, bytes]:
    """Return the file name and the contents of a Windows launcher: installer's, without the time of its making."""
    made = Script(entry.name, entry.module, entry.attribute, "gui" if entry.gui else "console")
    name, data = made.generate(executable, cast(Any, kind))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = min(info.header_offset for info in archive.infolist())
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EARLIEST), scripts.script(b"", entry))
    return name, data[:start] + tail.getvalue()
