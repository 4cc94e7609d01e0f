"""Files of a published wheel that its source does not have: left by an earlier build, or built from something else."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import Content, Kind
from samebytes.artifact.opening import open_archive

from ...building.source import sha256_of
from ...comparison.causes.platforms import COMPILED
from .traits import LICENSE, read

_SHOWN = 3
"""How many names are in a note."""
_INSTALLED_ELSEWHERE = re.compile(r"\A[^/]+\.data/[^/]+/")
"""What stands before the names of files that are not installed beside modules (binary distribution format)."""
_OF_BACKENDS = re.compile(r"\A[^/]+\.(?:dist-info|libs)/|-nspkg\.pth\Z")
"""Names of what backends and tools of repair add."""
_LICENSES = re.compile(rf"\A[^/]+\.dist-info/(?:licenses/|license_files/)?(?=(?:[^/]+/)*{LICENSE}\Z)", re.IGNORECASE)
"""What stands before the names of licenses, as they are in the source."""


class Unsourced(NamedTuple):
    """What a wheel has that its source does not give."""

    added: tuple[str, ...]
    """Names of files that neither the source nor the rebuilt wheel has."""
    altered: tuple[str, ...]
    """Names of files that the rebuilt wheel has as the source has them, and the published one otherwise."""
    licenses: tuple[str, ...] = ()
    """Names of licenses that neither the source nor the rebuilt wheel has."""

    def notes(self) -> Iterator[str]:
        """Yield what is to be noted, for people."""
        if self.added:
            verb = "is" if len(self.added) == 1 else "are"
            yield (
                f"{_files(self.added)} of the wheel {verb} neither in its source nor made by its build (what an "
                f"earlier build left in build/lib gets in so): {_some(self.added)}"
            )
        if self.licenses:
            verb = "a license, is" if len(self.licenses) == 1 else "licenses, are"
            yield f"{_some(self.licenses)} of the wheel, by the name {verb} not in its source"
        if self.altered:
            verb, them = ("is", "it") if len(self.altered) == 1 else ("are", "them")
            yield f"{_files(self.altered)} of the wheel {verb} not as its source has {them}: {_some(self.altered)}"


class SourceFiles:
    """The files of a tree as they are before it is built, to be found by the ends of their names.

    A wheel has a package without ``src/`` before it.
    """

    def __init__(self, tree: Path) -> None:
        self._by_last: dict[str, list[Path]] = {}
        self._before: dict[Path, tuple[int, ...]] = {}
        for folder, _, names in os.walk(tree):
            for path in (Path(folder, name) for name in names):
                self._by_last.setdefault(path.name, []).append(path)
                self._before[path] = _state(path)

    def has(self, name: str, sha256: str = "") -> bool:
        """Return whether a file's path ends with *name*, and it has that digest, if one is given.

        What a build wrote over since has none that counts.
        """
        return any(not sha256 or self._holds(path, sha256) for path in self._alike(name))

    def gives(self, name: str, sha256: str, made: Container[str]) -> bool:
        """Return whether a file of this *name* and digest may be one of the source.

        That of a package is not a module of the same name, unless it has the same contents.

        :param made: the names of files in a wheel that was built from it.
        """
        length = len(Path(name).parts)
        for path in self._alike(name):
            longer = ("/".join(path.parts[-count:]) for count in range(length + 1, len(path.parts) + 1))
            if not any(one in made for one in longer) or self._holds(path, sha256):
                return True
        return False

    def _alike(self, name: str) -> list[Path]:
        parts = Path(name).parts
        return [path for path in self._by_last.get(parts[-1], ()) if path.parts[-len(parts) :] == parts]

    def _holds(self, path: Path, sha256: str) -> bool:
        return self._is_unchanged(path) and sha256_of(path) == sha256

    def _is_unchanged(self, path: Path) -> bool:
        return self._before[path] != () and _state(path) == self._before[path]


def _state(path: Path) -> tuple[int, ...]:
    """Return what changes where a file is written over; nothing where there is no regular file."""
    try:
        found = path.lstat()
    except OSError:  # a build may take it away
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else ()


def unsourced(published: Path, made: Path, source: SourceFiles) -> Unsourced:
    """Return which files of the wheel *published* do not come from the *source*.

    :param made: the wheel that was built from it; what only a build makes is in that, too.
    :raises ArchiveError: if one of the wheels is damaged.
    """
    there, here = _digests(published), _digests(made)
    added = [name for name, held in there.items() if name not in here and not source.gives(name, held, here)]
    altered = []
    if not read(published).is_of_windows:  # where texts have other line ends
        altered = [
            name for name in there if here.get(name, there[name]) != there[name] and source.has(name, here[name])
        ]
    one, other = _licenses(published), _licenses(made)
    licenses = sorted(name for name in one - other if not source.has(name))
    return Unsourced(tuple(sorted(added)), tuple(sorted(altered)), tuple(licenses))


def _licenses(wheel: Path) -> set[str]:
    """Return the names of licenses in *wheel*, as they are in its source."""
    with open_archive(wheel) as archive:
        return {_LICENSES.sub("", entry.name) for entry in archive.entries if _LICENSES.match(entry.name)}


def _digests(wheel: Path) -> Mapping[str, str]:
    """Return the SHA-256 of the project's own files in *wheel*, by name below where they are installed.

    None of compiled ones, which no source has.
    """
    with open_archive(wheel) as archive:
        return {
            _INSTALLED_ELSEWHERE.sub("", entry.name): _digest(entry.content)
            for entry in archive.entries
            if entry.kind is Kind.FILE and not entry.name.endswith(COMPILED) and not _OF_BACKENDS.search(entry.name)
        }


def _digest(content: Content) -> str:
    found = hashlib.sha256()
    for chunk in content.chunks():
        found.update(chunk)
    return found.hexdigest()


def _files(names: tuple[str, ...]) -> str:
    return f"{len(names):,} file{'s' * (len(names) != 1)}"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
