"""A source tree made a git checkout, for backends that make sdists of nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from samebytes.backend.config import Backend
from samebytes.backend.git import git
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import UsageError

from .clone import elsewhere

_FROM_CHECKOUT = ("mesonpy",)
"""Backends that make sdists of git checkouts only: meson dist refuses a tree that is not under version control."""


def wants_checkout(backend: Backend, tree: Path) -> bool:
    """Return whether *backend* makes an sdist of *tree* only if that is made a checkout."""
    # With a backend-path, it may be another module of that name.
    known = backend.name.partition(".")[0] in _FROM_CHECKOUT and not backend.path
    return known and not os.path.lexists(tree / ".git")


def make_checkout(tree: Path, environ: Mapping[str, str], date: int = DEFAULT_DATE) -> None:
    """Commit all files of *tree* to a repository in it; the commit is the same wherever that is done.

    :param date: of the commit, in seconds since 1970-01-01 UTC.
    :raises UsageError: if git is not here, or fails.
    """
    # Only the sdist's own files count, not what somebody configured for all repositories.
    variables = {**elsewhere(environ), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        variables[f"GIT_{role}_NAME"] = "Nobody"
        variables[f"GIT_{role}_EMAIL"] = "nobody@example.org"
        variables[f"GIT_{role}_DATE"] = f"@{date} +0000"
    try:
        git(tree, "init", "--quiet", environ=variables)
        # An sdist has what its .gitignore names: version files, generated code.
        git(tree, "add", "--all", "--force", environ=variables)
        # Names and dates are in what a commit's hash is of; all are fixed, so the hash is the same everywhere.
        git(tree, "commit", "--quiet", "--message", "All", environ=variables)
    except UsageError as error:
        raise UsageError(
            f"{tree.name} cannot be made a git checkout: {error.message.splitlines()[-1]}",
            remedy=error.remedy or "Is its disk full?",
        ) from None
