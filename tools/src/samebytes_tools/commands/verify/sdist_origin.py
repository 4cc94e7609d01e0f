"""Whether an sdist comes from a commit: file by file, what is the commit's, what was made from it, and what is neither.

What was smuggled into xz 5.6.0 was in no commit, but in the release's archive alone.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Callable

from samebytes.archive.entry import Entry, Kind
from samebytes.artifact.opening import open_archive
from samebytes.errors import ArchiveError

from ...building.old_sdists import as_tar_gz
from ...building.source import sha256_of

_GENERATED = re.compile(
    r"PKG-INFO|(?:.*/)?[^/]+\.egg-info/(?:PKG-INFO|SOURCES\.txt|(?:not-)?zip-safe|(?:dependency_links|depends|"
    r"eager_resources|entry_points|namespace_packages|native_libs|requires|top_level)\.txt)"
)
"""What every backend writes, or setuptools: metadata, which nothing runs. Of others' files a build shows whence."""

_MOST_LINKS, _MOST_LINKED = 40, 100_000
"""Links that lead to one another, and files of an sdist that links to directories lead to."""

_LARGEST_TEXT = 16 << 20
"""Bytes of a file whose line ends are looked at."""

Digests = Mapping[str, tuple[str, str]]
"""Path -> SHA-256 of the file, and of it with line ends of Unix."""


@dataclass(frozen=True)
class SdistOrigin:
    """What the files of an sdist are to a commit."""

    name: str
    sha256: str
    same: int
    """How many are the commit's, byte for byte."""
    line_ends: tuple[str, ...] = ()
    """Which are so but for line ends."""
    generated: tuple[str, ...] = ()
    """Metadata that backends write into every sdist."""
    made: tuple[str, ...] = ()
    """Which the backend makes just so when it builds an sdist of the commit."""
    changed: tuple[str, ...] = ()
    """Which the commit has with other contents."""
    foreign: tuple[str, ...] = ()
    """Which are neither in the commit nor made from it."""
    left_out: int = 0
    """How many files the commit has, and the sdist has not."""
    is_rebuilt: bool = False
    """Whether an sdist of the commit was built, to see what is made from it."""

    @property
    def files(self) -> int:
        """How many files it has."""
        return self.same + sum(map(len, (self.line_ends, self.generated, self.made, self.changed, self.foreign)))

    @property
    def strange(self) -> tuple[str, ...]:
        """What comes from elsewhere."""
        return (*self.foreign, *self.changed)

    @property
    def is_from_commit(self) -> bool:
        """Whether nothing in it comes from elsewhere."""
        return not self.strange


def of_tree(tree: Path) -> Digests:
    """Return the files of *tree*, before a build: links count as what they lead to, if that is in the repository."""
    top = next((parent for parent in (tree, *tree.parents) if (parent / ".git").exists()), tree).resolve()
    return {name: _digests(path) for name, path in _files(tree, top)}


def _files(tree: Path, top: Path) -> Iterator[tuple[str, Path]]:
    directories = [("", tree, False)]
    for prefix, directory, is_linked in directories:
        for path in sorted(directory.iterdir()):
            is_link = path.is_symlink()
            if path.name == ".git" or (is_link and not _is_committed(path, top)):
                continue
            if path.is_file():
                yield prefix + path.name, path
            # One link to a directory on a path, or links in a circle would have no end.
            elif path.is_dir() and not (is_link and is_linked):
                directories.append((f"{prefix}{path.name}/", path, is_linked or is_link))


def _is_committed(link: Path, top: Path) -> bool:
    """Return whether what *link* leads to is there, and is of the commit that is checked out at *top*."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # the latter for links in a circle, before Python 3.13
        return False
    return top in target.parents and ".git" not in target.relative_to(top).parts


def _digests(path: Path) -> tuple[str, str]:
    if path.stat().st_size <= _LARGEST_TEXT:
        return digests_of(path.read_bytes())
    digest = sha256_of(path)
    return digest, digest


def of_sdist(path: Path) -> Digests:
    """Return the files of the sdist *path*, without its top directory.

    :raises ArchiveError: if it is not an sdist.
    """
    with as_tar_gz(path) as packed, open_archive(packed) as archive:
        found = {entry.name: _content(entry) for entry in archive.entries if entry.kind is Kind.FILE}
        # The reader has seen that they stay inside (PEP 721).
        links = {
            entry.name: posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.target))
            for entry in archive.entries
            if entry.kind is Kind.SYMLINK
        }
    linked = dict(islice(_linked(found, links), _MOST_LINKED + 1))
    if len(linked) > _MOST_LINKED:
        raise ArchiveError(
            f"{path.name}: its links lead to more than {_MOST_LINKED:,} files", remedy="Leave --from-vcs away."
        )
    return {name.partition("/")[2]: digests for name, digests in {**found, **linked}.items() if "/" in name}


def _linked(files: Digests, links: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the files that *links* lead to: their names there, and what they are."""
    names = sorted(files)
    for link, first in links.items():
        target = _resolved(first, links)
        if target in files:
            yield link, files[target]
        for name in islice(names, bisect_left(names, f"{target}/"), None):
            if not name.startswith(f"{target}/"):
                break
            yield link + name[len(target) :], files[name]


def _resolved(path: str, links: Mapping[str, str]) -> str:
    """Return what *path* leads to; nothing after too many links."""
    for _ in range(_MOST_LINKS):
        heads = (path[: mark.start()] for mark in re.finditer("/|$", path))
        head = next((head for head in heads if head in links), None)
        if head is None:
            return path
        path = posixpath.normpath(links[head] + path[len(head) :])
    return ""


def _content(entry: Entry) -> tuple[str, str]:
    if entry.content.size <= _LARGEST_TEXT:
        return digests_of(b"".join(entry.content.chunks()))
    state = hashlib.sha256()
    for chunk in entry.content.chunks():
        state.update(chunk)
    return state.hexdigest(), state.hexdigest()


def digests_of(data: bytes) -> tuple[str, str]:
    """Return the SHA-256 of *data*, and that of it with line ends of Unix."""
    raw = hashlib.sha256(data).hexdigest()
    is_binary = b"\0" in data or b"\r\n" not in data
    return raw, raw if is_binary else hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def compare(sdist: Path, commit: Digests, rebuild: Callable[[], Path | None]) -> SdistOrigin:
    """Return what the files of *sdist* are to those of the *commit*.

    :param rebuild: builds an sdist of the commit; None if that is not possible. Only called if it can explain a file.
    :raises ArchiveError: if it is not an sdist.
    """
    files = of_sdist(sdist)
    same, ends, generated, other = [], [], [], []
    for name, (raw, unix) in sorted(files.items()):
        known = commit.get(name)
        if known is not None and raw == known[0]:
            same.append(name)
        elif _GENERATED.fullmatch(name):
            generated.append(name)
        elif known is not None and unix == known[1]:
            ends.append(name)
        elif name == "setup.cfg" and known is None and unix == _SETUPTOOLS:
            generated.append(name)
        else:
            other.append(name)
    rebuilt = rebuild() if other else None
    again = of_sdist(rebuilt) if rebuilt else {}
    made = [name for name in other if name in again and again[name][1] == files[name][1]]
    rest = [name for name in other if name not in made]
    return SdistOrigin(
        sdist.name,
        sha256_of(sdist),
        len(same),
        tuple(ends),
        tuple(generated),
        tuple(made),
        tuple(name for name in rest if name in commit),
        tuple(name for name in rest if name not in commit),
        len(commit.keys() - files.keys()),
        rebuilt is not None,
    )


_SETUPTOOLS = digests_of(b"[egg_info]\ntag_build = \ntag_date = 0\n\n")[1]
"""The ``setup.cfg`` that setuptools writes into an sdist whose tree has none."""
