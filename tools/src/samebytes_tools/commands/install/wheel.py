"""Lays the files of a wheel out on disk, by the ``installer`` library: its source is our strict reader."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import RecordEntry
from installer.sources import WheelSource

from samebytes.archive.entry import Archive, Entry, Kind, read_all
from samebytes.archive.zip_reader import open_zip
from samebytes.artifact import layout, record, scripts
from samebytes.errors import ArchiveError, OutputError, RecordError

from ..tree.apply import make_directories
from ..tree.installed import INSTALLER
from .launcher import launcher
from .scheme import Scheme

_FULL = "Free some space there, or install somewhere else. Nothing was changed."


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
    """What the wheel has and nobody installs: compiled modules, signatures of its RECORD."""


class Layout(NamedTuple):
    """How wheels are laid out."""

    stage: Path
    """The directory that stands for the tree's top."""
    scheme: Scheme
    executable: str
    """What runs the scripts."""
    kind: str
    """Of scripts: ``posix``, or one of installer's Windows launchers, such as ``win-amd64``."""
    rebuild_record: bool = False


def lay_out(wheel: Path, how: Layout, taken: dict[str, Path], refuse: Callable[[str, Path], None]) -> Laid:
    """Write the files of *wheel*, and a RECORD of them.

    :param taken: who has which file, and as ``NAME/`` which directory; the wheel's own are added.
    :param refuse: called with each name before it is written; raises if it must not be.
    :raises ArchiveError: if the wheel is damaged, hostile, or does not keep to its specification.
    :raises RecordError: if its RECORD contradicts it.
    :raises OutputError: if a file cannot be written.
    """
    with open_zip(wheel) as archive:
        source = _Source(archive, wheel)
        destination = _Destination(source, how, wheel, taken, refuse)
        added = {"INSTALLER": INSTALLER, "REQUESTED": b""}
        try:
            install(source, cast(WheelDestination, destination), added)
        except (InstallerError, UnicodeDecodeError) as error:
            raise ArchiveError(
                f"{wheel}: cannot be installed: {error}", remedy="Build the wheel again; this one breaks its format."
            ) from error
        mismatches = source.mismatches(destination.seen)
        if mismatches and not how.rebuild_record:
            raise _disagreement(wheel, mismatches)
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
        self._wheel = wheel
        self._own = f"{self._info}/RECORD"
        self.skipped: list[str] = []
        self._check_commands()

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
            raise ArchiveError(f"{self._wheel}: there is no {filename} in it", remedy="Build the wheel again.")
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
        """Hold what RECORD says against the files; *seen* are the digests and sizes of those that were read."""
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
                wrong += filter(None, [record.compare(row, size, record.spelt("sha256", digest))])
            elif row is not None:
                wrong += filter(None, [record.examine(row, self._files[name].content)])
        return tuple(wrong)

    def _check_commands(self) -> None:
        """Refuse commands that the library would fail on without a word."""
        if "entry_points.txt" in self.dist_info_filenames:
            try:
                list(scripts.entry_points(self.read_dist_info("entry_points.txt")))
            except ValueError as error:
                raise ArchiveError(
                    f"{self._wheel}: entry_points.txt is not right: {error}", remedy="Mend it, and build it again."
                ) from error


class _Member:
    """A wheel's file on its way to the destination."""

    def __init__(self, entry: Entry) -> None:
        self.name = entry.name
        self.chunks = entry.content.chunks


class _Destination:
    """Writes files with their final modes, and notes their digests; ``installer`` calls it as a WheelDestination."""

    def __init__(
        self,
        source: _Source,
        how: Layout,
        wheel: Path,
        taken: dict[str, Path],
        refuse: Callable[[str, Path], None],
    ) -> None:
        self._how = how
        self._wheel = wheel
        self._taken = taken
        self._refuse = refuse
        self._places = {**how.scheme._asdict(), "headers": posixpath.join(how.scheme.headers, source.distribution)}
        self.digests: dict[str, tuple[bytes, int]] = {}
        """By name in the tree."""
        self.seen: dict[str, tuple[bytes, int]] = {}
        """By name in the wheel, of what is installed as it is."""

    def write_script(self, name: str, module: str, attr: str, section: str) -> RecordEntry:
        entry = scripts.EntryPoint(name, module, attr, section == "gui")
        if self._how.kind == "posix":
            data = scripts.script(scripts.first_lines(self._how.executable), entry)
        else:
            name, data = launcher(entry, self._how.executable, self._how.kind)
        return self._written("scripts", name, [data], executable=True)

    def write_file(self, scheme: str, path: str, stream: Any, is_executable: bool) -> RecordEntry:
        member = stream if isinstance(stream, _Member) else None
        chunks: Iterable[bytes] = [stream.read()] if member is None else member.chunks()
        if scheme == "scripts":
            data = b"".join(chunks)
            self._note(member, data)
            return self._written(scheme, path, [_with_executable(data, self._how.executable)], executable=True)
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

    def _note(self, member: _Member | None, data: bytes) -> None:
        if member is not None:
            self.seen[member.name] = (hashlib.sha256(data).digest(), len(data))

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
        target = self._how.stage / place
        try:
            make_directories(target.parent)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for chunk in chunks:
                    state.update(chunk)
                    size += len(chunk)
                    _write_all(file, chunk)
            target.chmod(0o755 if executable else 0o644)
        except OSError as error:
            raise OutputError(f"{target}: cannot be written: {error.strerror or error}", remedy=_FULL) from error
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
        self._refuse(place, self._wheel)


def _write_all(file: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _with_executable(data: bytes, executable: str) -> bytes:
    """Return a script with ``#!python`` replaced (binary distribution format, "Recommended installer features")."""
    if not data.startswith(b"#!python"):
        return data
    return scripts.first_lines(executable) + data.partition(b"\n")[2]


def _collision(place: str, one: Path, other: Path) -> ArchiveError:
    if one == other:
        return ArchiveError(f"{one}: it would install {place} twice", remedy="Build the wheel again.")
    return ArchiveError(
        f"{min(one, other)} and {max(one, other)} both install {place}",
        remedy="Only one of them can be installed here; ask their projects which.",
    )


def _disagreement(wheel: Path, mismatches: tuple[record.Mismatch, ...]) -> RecordError:
    remedy = "Build or fetch it again; or, if you trust its files, install it with --rebuild-record."
    return record.disagreement(str(wheel), map(str, mismatches), remedy)
