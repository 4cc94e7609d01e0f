"""Fetching a commit with git."""

from __future__ import annotations

import os
import re
from pathlib import Path

from samebytes.backend.git import git
from samebytes.errors import UsageError


def clone(where: str, ref: str, tree: Path) -> str:
    """Clone the repository *where*, a URL or a directory, to *tree*, check *ref* out, and return its commit.

    The whole history comes with it, for backends ask it for a version.

    :raises UsageError: if git is not there, or cannot.
    """
    there = str(Path(where).resolve()) if Path(where).is_dir() else where
    try:
        # `--`, as an address that begins with a dash would be an option.
        git(None, "clone", "--quiet", "--no-checkout", "--", there, str(tree), environ=os.environ)
        commit = _commit(tree, ref)
        # Detached: a branch of that name need not exist here, and a tag has none.
        for words in (
            ("-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit),
            ("submodule", "--quiet", "update", "--init", "--recursive"),
        ):
            git(tree, *words, environ=os.environ)
    except UsageError as error:
        raise UsageError(
            f"git cannot fetch the source from {without_secrets(where)}: {error.message}",
            remedy=error.remedy or "Is the address right, and is the tag or commit there?",
        ) from None
    return commit


def _commit(tree: Path, ref: str) -> str:
    """Return the commit that *ref* names; one that no branch or tag has any more is asked for by its hash."""
    # ^{commit}: an annotated tag is an object of its own, with a hash that is not the commit's.
    words = ("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return git(tree, *words, environ=os.environ).strip()
    except UsageError as error:
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref):
            raise
        try:
            # Hosts keep such commits for long, after a tag was moved or a branch rewritten.
            git(tree, "fetch", "--quiet", "origin", ref, environ=os.environ)
        except UsageError:
            raise error from None
        return git(tree, *words, environ=os.environ).strip()


def without_secrets(address: str) -> str:
    """Return *address* for records and reports: without a password, and for HTTP without a user, which may be one."""
    return re.sub(r"^(https?://)[^/]*@|^(\w+://[^/:@]*):[^/]*(?=@)", r"\1\2", address)
