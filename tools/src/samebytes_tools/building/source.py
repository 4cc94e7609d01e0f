"""Source trees for a build: unpacked from an sdist, copied from a directory, or checked out by git."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samebytes.archive.entry import Kind
from samebytes.artifact.layout import ArtifactKind, own_directory, parse_sdist_name
from samebytes.artifact.opening import open_archive
from samebytes.errors import UsageError

from ..vcs.clone import clone, without_secrets
from .source_copy import copy_source

# Compared by words, for line ends are the platform's.
_WRITTEN_BY_SETUPTOOLS = b"[egg_info] tag_build = tag_date = 0"


@dataclass(frozen=True)
class SourceTree:
    """A tree to build, and what it is to others."""

    tree: Path
    """A private copy."""
    description: str
    """For people: where it comes from."""
    uri: str = ""
    """A package URL or a git address; empty for a directory, whose place means nothing elsewhere."""
    digest: Mapping[str, str] = field(default_factory=dict)
    """``sha256`` of an sdist, ``gitCommit``, or ``dirHash`` (in-toto's digest set)."""
    location: str = ""
    """Where an sdist was downloaded."""


def from_text(text: str, directory: Path, output: Path | None = None, record: Path | None = None) -> SourceTree:
    """Return the tree that *text* names, put into *directory*: ``SDIST``, ``TREE`` or ``GIT-URL-OR-DIR@REF``.

    :param output: where results were put, which a build leaves out of a tree.
    :param record: the record of that build, which is not part of its source.
    :raises SamebytesError: if it names nothing, or that cannot be read.
    """
    path = Path(text)
    if path.is_dir():
        return from_tree(path, directory, output, record)
    if path.is_file():
        return from_sdist(path, directory)
    where, _, ref = text.rpartition("@")
    # A colon is in no ref (git-check-ref-format(1)), but may be in what follows a user.
    if len(where) > _path_start(text) and ref and ":" not in ref:
        return from_git(where, ref, directory)
    raise UsageError(
        f"the source {text!r} is neither a directory nor an sdist, and names no git repository",
        remedy="Name a tree, a .tar.gz, or a repository with a tag or commit: URL@REF.",
    )


def _path_start(text: str) -> int:
    """Return where the path begins in the address of a repository: an "@" before that follows a user (git-clone(1))."""
    scheme, mark, _ = text.partition("://")
    if mark:
        start = len(scheme) + len(mark)
        slash = text.find("/", start)
        return len(text) if slash < 0 else slash
    # [user@]host:path, if no slash is before the colon; the host may be an address of IPv6, in brackets.
    host = re.match(r"[^/]*?@?\[[^]/]*\]:|[^/:]*:", text)
    return host.end() if host else 0


def from_sdist(path: Path, directory: Path, location: str = "") -> SourceTree:
    """Unpack the sdist *path* into *directory*.

    :raises ArchiveError: if it is not an sdist, or is unsafe to unpack.
    """
    tree = unpack(path, directory)
    digest = sha256_of(path)
    return SourceTree(tree, f"the sdist {path.name}", package_url(path.name), {"sha256": digest}, location)


def from_itself(path: Path, directory: Path, location: str = "") -> SourceTree:
    """Unpack the sdist *path* into *directory*, to make that very sdist again."""
    found = from_sdist(path, directory, location)
    configuration = found.tree / "setup.cfg"
    # setuptools writes one into every sdist, and lists it in SOURCES.txt only where it was there before.
    if configuration.is_file() and configuration.read_bytes().split() == _WRITTEN_BY_SETUPTOOLS.split():
        listed = [path.read_bytes().splitlines() for path in found.tree.rglob("*.egg-info/SOURCES.txt")]
        if listed and not any(b"setup.cfg" in lines for lines in listed):
            configuration.unlink()
    return found


def from_tree(path: Path, directory: Path, output: Path | None = None, record: Path | None = None) -> SourceTree:
    """Copy the tree *path* into *directory*, as :func:`from_text` says."""
    tree = copy_source(path.resolve(), directory / "src", output, record)
    return SourceTree(tree, f"the tree {path}", digest={"dirHash": tree_digest(tree)})


def from_git(where: str, ref: str, directory: Path) -> SourceTree:
    """Clone the repository *where*, a URL or a directory, into *directory*, with the commit that *ref* names.

    :raises UsageError: if git cannot.
    """
    tree = directory / "src"
    commit = clone(where, ref, tree)
    # A directory of this machine means nothing to whoever reads the record.
    shown = without_secrets(where)
    uri = "" if Path(where).is_dir() else f"git+{shown}@{commit}"
    return SourceTree(tree, f"{shown} at {ref} ({commit[:12]})", uri, {"gitCommit": commit})


def unpack(path: Path, directory: Path) -> Path:
    """Unpack the sdist *path* into *directory*, with times and executable bits, and return the tree in it.

    :raises ArchiveError: if it is not an sdist, or holds names or links that lead out of it.
    """
    with open_archive(path) as archive:
        top = own_directory(archive, ArtifactKind.SDIST)
        (directory / top).mkdir(parents=True)
        # Of a member given twice, the last one counts: what was there before it must not be in its way.
        for entry in {entry.name: entry for entry in archive.entries}.values():
            target = directory / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.kind is Kind.DIRECTORY:
                target.mkdir(exist_ok=True)
            elif entry.kind is Kind.SYMLINK:
                target.symlink_to(entry.target)
            else:
                with target.open("wb") as sink:
                    sink.writelines(entry.content.chunks())
                # As in the canonical form (D6); other bits are of whoever packed it.
                target.chmod(0o755 if entry.mode & 0o100 else 0o644)
                # make and setuptools compare times of sources to see what is up to date.
                os.utime(target, (entry.mtime, entry.mtime))
    return directory / top


def tree_digest(tree: Path) -> str:
    """Return the ``dirHash`` of the files in *tree*, without ``.git``.

    It is the SHA-256 of the lines that ``sha256sum`` writes for them in the order of their names (in-toto's
    digest set, "dirHash"), but for names with a line end or a backslash, which it escapes. Modes and links are not in
    it.
    """
    lines = hashlib.sha256()
    for name, path in sorted(_files(tree)):
        lines.update(f"{sha256_of(path)}  {name}\n".encode("utf-8", "surrogateescape"))
    return lines.hexdigest()


def _files(tree: Path) -> Iterator[tuple[str, Path]]:
    directories = [("", tree)]
    for prefix, directory in directories:
        for path in directory.iterdir():
            # A link may lead out of the tree, and .git differs between two clones of one commit.
            if path.is_symlink() or path.name == ".git":
                continue
            if path.is_dir():
                directories.append((f"{prefix}{path.name}/", path))
            elif path.is_file():
                yield prefix + path.name, path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file *path*, in hexadecimal."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            state.update(chunk)
    return state.hexdigest()


def package_url(filename: str, name: str = "", version: str = "") -> str:
    """Return the package URL (purl) of a file of a release; name and version default to the sdist's."""
    from urllib.parse import quote

    from packaging.utils import canonicalize_name

    if not name:
        name, version = parse_sdist_name(filename)
    # The purl specification's type "pypi": name normalized, file_name as a qualifier.
    return f"pkg:pypi/{canonicalize_name(name)}@{quote(version, safe='.!-')}?file_name={quote(filename)}"
