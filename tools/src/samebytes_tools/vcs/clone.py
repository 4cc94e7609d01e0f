"""Fetching a commit with git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from samebytes.errors import UsageError


def clone(where: str, ref: str, tree: Path) -> str:
    """Clone the repository *where*, a URL or a directory, to *tree*, check *ref* out, and return its commit.

    The whole history comes with it, for backends ask it for a version.

    :raises UsageError: if git is not there, or cannot.
    """
    there = str(Path(where).resolve()) if Path(where).is_dir() else where
    _git(where, "clone", "--quiet", "--no-checkout", "--", there, str(tree))
    commit = _git(where, "-C", str(tree), "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").strip()
    _git(where, "-C", str(tree), "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
    _git(where, "-C", str(tree), "submodule", "--quiet", "update", "--init", "--recursive")
    return commit


def _git(where: str, *words: str) -> str:
    """Run git and return what it prints.

    :raises UsageError: with what git says, if it fails.
    """
    environ = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *words], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise UsageError(
            f"git cannot be run: {error.strerror}", remedy="Install the package git, or name a tree or sdist."
        ) from None
    if done.returncode:
        raise UsageError(
            f"git cannot fetch the source from {where}: {done.stderr.strip()}",
            remedy="Is the address right, and is the tag or commit there?",
        )
    return done.stdout
