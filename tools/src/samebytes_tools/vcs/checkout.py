"""A source tree made a git checkout, for backends that make sdists of nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from samebytes.backend.git import git
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import UsageError

from .clone import elsewhere


def make_checkout(tree: Path, environ: Mapping[str, str]) -> None:
    """Commit all files of *tree* to a repository in it; the commit is the same wherever that is done.

    :raises UsageError: if git is not here, or fails.
    """
    # Only the sdist's own files count, not what somebody configured for all repositories.
    variables = {**elsewhere(environ), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        variables[f"GIT_{role}_NAME"] = "Nobody"
        variables[f"GIT_{role}_EMAIL"] = "nobody@example.org"
        variables[f"GIT_{role}_DATE"] = f"@{DEFAULT_DATE} +0000"
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
