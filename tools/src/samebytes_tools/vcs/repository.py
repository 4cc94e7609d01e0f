"""The git repository around a source tree, for backends that ask git for a version or a list of files."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from samebytes.backend.git import git
from samebytes.errors import UsageError

from .clone import elsewhere

_OF_A_WORKTREE = frozenset({"commondir", "gitdir", "locked"})
"""What ties a linked worktree to its repository (gitrepository-layout(5))."""

_OF_ITS_OWN = frozenset({"HEAD", "config.worktree", "index", "logs", "modules"})
"""What a worktree has itself, or not at all."""

# Hooks are programs of the one who checks; lfs may be gigabytes, of files that are checked out already.
_LEFT_OUT = frozenset({"worktrees", "hooks", "lfs"})


def checkout(source: Path) -> Path | None:
    """Return the top of the git checkout that tracks files of *source*, if there is one above it."""
    # Most trees are settled by this alone, without a process of git.
    if (source / ".git").exists() or not any((parent / ".git").exists() for parent in source.parents):
        return None
    top = _git(source, "rev-parse", "--show-toplevel")
    # A tree that is merely unpacked below somebody's repository, in a home directory say, is not of that checkout.
    return Path(top) if top and source.is_relative_to(top) and tracks(source) else None


def tracks(path: Path) -> bool:
    """Return whether git has *path*, or something beneath it, in its index."""
    return bool(_git(path.parent, "ls-files", "--", path.name))


def listed(tree: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files below *tree* that git tracks, and those that it does not; none if it is not in a checkout."""
    tracked, others = (_git(tree, "ls-files", "-z", *option).split("\0") for option in ((), ("--others",)))
    return frozenset(filter(None, tracked)), frozenset(filter(None, others))


def head(tree: Path) -> str:
    """Return the commit that is checked out in *tree*, in hexadecimal; nothing if there is none."""
    return _git(tree, "rev-parse", "--verify", "HEAD")


def copy(source: Path, target: Path) -> None:
    """Copy the repository *source*, a ``.git`` directory or the file that stands for one, to the directory *target*.

    The copy borrows the objects of the original (git-repository-layout(5), "objects/info/alternates"), for there may
    be gigabytes of them. What it is part of, as a worktree or a submodule, does not get to know of it.

    :raises OSError: if something cannot be read or written.
    """
    found = source if source.is_dir() else _pointed(source)
    # The repository that the file names is gone; backends are to see what they would see in place.
    if not found.is_dir():
        shutil.copy2(source, target)
        return
    common = (found / _text(found / "commondir")).resolve()
    if _text(found / "commondir"):
        _copy(common, target, _LEFT_OUT | _OF_ITS_OWN)
    _copy(found, target, _LEFT_OUT | _OF_A_WORKTREE)
    _configure(target / "config")


def _configure(config: Path) -> None:
    """Make the copy a repository of its own, with the directory that it lies in for its worktree."""
    # From elsewhere, for git does not start where core.worktree leads nowhere.
    change = (Path(config.anchor), "config", "--file", str(config))
    _git(*change, "--unset-all", "core.worktree")
    _git(*change, "core.bare", "false")
    _git(*change, "core.fsmonitor", "false")  # it would leave a daemon behind


def refresh_index(tree: Path) -> None:
    """Let the index of the copied *tree* know the copies' times, lest git call them modified before it looks."""
    if (tree / ".git" / "index").is_file():
        with contextlib.suppress(UsageError):
            git(tree, "update-index", "-q", "--refresh", environ=elsewhere(os.environ))


def _copy(source: Path, target: Path, left_out: Collection[str]) -> None:
    directories = [(source, target)]
    for directory, made in directories:
        made.mkdir(exist_ok=True)
        for path in sorted(directory.iterdir()):
            copy = made / path.name
            if directory == source and path.name in left_out:
                continue
            if path.name == "objects" and (directory / "HEAD").is_file():
                _borrow(path, copy)
            elif path.is_symlink():
                copy.symlink_to(path.readlink())
            elif path.is_dir():
                directories.append((path, copy))
            # A copied lock would stop git in the copy for good: whoever holds it removes only the original.
            elif path.is_file() and path.suffix != ".lock":
                with contextlib.suppress(FileNotFoundError):  # gone in the meantime
                    shutil.copy2(path, copy)


def _borrow(objects: Path, target: Path) -> None:
    (target / "info").mkdir(parents=True)
    (target / "pack").mkdir()
    (target / "info" / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8", errors="surrogateescape")


def _pointed(link: Path) -> Path:
    """Return the directory that the file *link* names as the repository; relative to the file."""
    return (link.parent / _text(link).removeprefix("gitdir:").strip()).resolve()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except FileNotFoundError:
        return ""


def _git(directory: Path, *words: str) -> str:
    """Return what git prints; nothing if it fails or is not there."""
    try:
        return git(directory, *words, environ=os.environ).strip()
    except UsageError:
        return ""
