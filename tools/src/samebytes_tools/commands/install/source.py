"""A wheel to install, read strictly: where each of its files belongs, its commands, and whether its RECORD is true."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import Archive, Entry, Kind, read_all
from samebytes.artifact import headers, layout, record
from samebytes.errors import ArchiveError

from ..tree import scripts
from .interpreter import Scheme

_AGAIN = "Build the wheel again."
_INSTALLERS_OWN = ("INSTALLER", "REQUESTED", "direct_url.json")
"""What the recording specification has installers write into ``.dist-info``, whatever the wheel has there: a wheel's
``direct_url.json`` could say that it came from anywhere, and ``pip freeze`` would print that."""


class Placed(NamedTuple):
    """A file of a wheel, and where it is to be installed."""

    entry: Entry
    scheme: str
    """A field of :class:`~.interpreter.Scheme`."""
    path: str
    """Relative to the scheme's directory."""


class WheelSource:
    """What a wheel holds.

    Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/

    :param archive: opened by the strict reader.
    :raises ArchiveError: if an installer could not install it, or two installers would do it differently.
    """

    def __init__(self, archive: Archive, wheel: Path) -> None:
        self.wheel = wheel
        self.distribution, self.version, *_ = layout.parse_wheel_name(wheel.name)
        self._files = {entry.name: entry for entry in archive.entries if entry.kind is Kind.FILE}
        for entry in archive.entries:
            # The specification has none, and installers differ in what they make of one.
            if entry.kind is Kind.SYMLINK:
                raise self._broken(f"{entry.name} is a symbolic link", "A wheel holds none; build it again.")
        self.info = layout.dist_info(self._files, os.fspath(wheel))
        layout.check_dist_info(self.info, wheel.name)
        self._own = f"{self.info}/RECORD"
        self.root_scheme = self._root_scheme()
        self.commands = self._commands()
        self.files, self.skipped = self._placed()

    def mismatches(self, seen: Mapping[str, tuple[bytes, int]]) -> tuple[record.Mismatch, ...]:
        """Return how RECORD contradicts the files; *seen* are digests and sizes of those that were read already."""
        found = self._files.get(self._own)
        if found is None:
            return (record.Mismatch(self._own, "there is none"),)
        listing = record.parse(read_all(found.content), self._own)
        unlisted = record.never_listed(self._own)
        files = {name: None for name in self._files if name not in unlisted}
        wrong = [*listing.faults, *record.compare_names(listing, files)]
        for name in files:
            row = listing.rows.get(name)
            # Digested while it was written; other algorithms need another reading.
            if row is not None and row.algorithm == "sha256" and name in seen:
                digest, size = seen[name]
                wrong += filter(None, [record.compare(row, size, record.spelled("sha256", digest))])
            elif row is not None:
                wrong += filter(None, [record.examine(row, self._files[name].content)])
        return tuple(wrong)

    def _broken(self, problem: str, remedy: str = _AGAIN) -> ArchiveError:
        return ArchiveError(f"{self.wheel}: cannot be installed: {problem}", remedy=remedy)

    def _metadata(self, filename: str) -> bytes:
        entry = self._files.get(f"{self.info}/{filename}")
        if entry is None:
            raise self._broken(f"there is no {filename} in its .dist-info directory")
        return read_all(entry.content)

    def _root_scheme(self) -> str:
        """Return where what is not in ``.data`` belongs."""
        # Only that it is there: what is in it is no matter of installing.
        self._metadata("METADATA")  # without it, no tool takes the distribution for installed
        block = headers.parse(self._metadata("WHEEL"))
        if block is None:
            raise self._broken("its WHEEL cannot be read")
        values: dict[str, bytes] = {}
        for field in block.fields:
            name = field.name.lower()
            # Installers differ in which of two they take, and by these two files go elsewhere.
            if name in ("wheel-version", "root-is-purelib") and name in values:
                raise self._broken(f"its WHEEL has {field.name} twice")
            values[name] = field.value
        version = values.get("wheel-version", b"").decode("ascii", "backslashreplace")
        if not re.fullmatch(r"1(\.\d+)*", version):
            raise self._broken(f"its Wheel-Version is {version!r}, and 1.x is supported")
        # "true" in any case, and anything else for false, as pip reads it.
        return "purelib" if values.get("root-is-purelib", b"").lower() == b"true" else "platlib"

    def _commands(self) -> tuple[scripts.EntryPoint, ...]:
        if f"{self.info}/entry_points.txt" not in self._files:
            return ()
        try:
            return tuple(scripts.entry_points(self._metadata("entry_points.txt").decode("utf-8")))
        except ValueError as error:
            raise self._broken(f"entry_points.txt is invalid: {error}", "Fix it, and build the wheel again.") from error

    def _placed(self) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
        """Return the files to install, and the names of those that no installer installs."""
        unwanted = record.never_listed(self._own).union(f"{self.info}/{name}" for name in _INSTALLERS_OWN)
        placed, skipped = [], []
        for name, entry in self._files.items():
            # importlib.metadata and pip split RECORD into lines before they read it as CSV: quoting is of no use.
            if name.splitlines() != [name]:
                raise self._broken(f"{name!r} has a line end in its name, so that RECORD cannot list it")
            if name == self._own:
                continue
            if name in unwanted or "__pycache__" in name.split("/")[:-1]:
                # Compiled modules are made anew, from the sources and by the target's Python.
                skipped.append(name)
            else:
                placed.append(Placed(entry, *self._place(name)))
        return tuple(placed), tuple(skipped)

    def _place(self, name: str) -> tuple[str, str]:
        """Return the scheme and the path in it of the file *name*.

        pip takes every top directory called ``*.data`` for the one with other schemes; uv and the installer library
        take only the wheel's own.
        """
        top, _, below = name.partition("/")
        if not top.endswith(".data"):
            return self.root_scheme, name
        data = f"{self.info[: -len('.dist-info')]}.data"
        scheme, _, path = below.partition("/")
        if top != data:
            raise self._broken(f"installers do not agree on where {name} belongs, for it is not in {data}")
        if scheme not in Scheme._fields or not path:
            raise self._broken(f"{name} is not in one of {', '.join(Scheme._fields)} in {data}")
        return scheme, path
