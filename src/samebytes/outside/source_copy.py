"""Copying a source tree, so that a build neither changes it nor depends on where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable

from ..errors import OutputError

_SKIPPED = frozenset({"__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", "node_modules"})


def copy_source(source: Path, target: Path, skip: Path | None = None) -> Path:
    """Copy the tree *source* to *target*, which must not exist, and return where in the copy it is.

    A tree inside a git checkout is copied with the whole checkout, for its backend may ask git for a version. Virtual
    environments and tools' caches stay behind, and so does the directory *skip* (where results go). Times and modes
    are kept.

    :raises OutputError: if the disk is full or a file cannot be read.
    """
    top = _checkout(source) or source
    try:
        shutil.copytree(top, target, symlinks=True, ignore=_ignore(skip))
        _mend_git_file(top, target)
    except (OSError, shutil.Error) as error:
        raise OutputError(
            f"{top} could not be copied to {target}: {error}", remedy="Is there room, and may you read all of it?"
        ) from None
    return target / source.relative_to(top)


def _checkout(source: Path) -> Path | None:
    """Return the top of the git checkout that tracks files of *source*, if there is one above it."""
    if (source / ".git").exists() or not any((parent / ".git").exists() for parent in source.parents):
        return None
    top, tracked = (_git(source, *words) for words in (["rev-parse", "--show-toplevel"], ["ls-files"]))
    return Path(top) if top and tracked and source.is_relative_to(top) else None


def _git(source: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(source), *words], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return ""
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""


def _ignore(skip: Path | None) -> Callable[[str, list[str]], list[str]]:
    def ignore(directory: str, names: list[str]) -> list[str]:
        paths = [(name, Path(directory, name)) for name in names]
        return [name for name, path in paths if name in _SKIPPED or path == skip or (path / "pyvenv.cfg").is_file()]

    return ignore


def _mend_git_file(top: Path, target: Path) -> None:
    """Make the relative ``gitdir`` of a submodule or worktree absolute (gitrepository-layout(5))."""
    link = target / ".git"
    if link.is_file():
        text = link.read_text(encoding="utf-8")
        pointed = text.removeprefix("gitdir:").strip()
        if not Path(pointed).is_absolute():
            link.write_text(f"gitdir: {(top / pointed).resolve()}\n", encoding="utf-8")
