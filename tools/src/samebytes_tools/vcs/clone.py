"""Fetching a commit with git."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from samebytes.backend.git import git
from samebytes.errors import UsageError

SILENCE = "300"
"""Seconds that a server of repositories may send nothing; GIT_HTTP_LOW_SPEED_TIME sets others."""

_ALLOWED = "GIT_ALLOW_PROTOCOL"
"""git's variable of all protocols that it may use."""

_OF_A_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in (
        *("ALTERNATE_OBJECT_DIRECTORIES", "COMMON_DIR", "DIR", "GRAFT_FILE", "IMPLICIT_WORK_TREE", "INDEX_FILE"),
        *("NAMESPACE", "OBJECT_DIRECTORY", "PREFIX", "SHALLOW_FILE", "WORK_TREE"),
    )
)
"""Variables that name a repository, whatever directory git runs in (git(1)); it sets them for its hooks."""


def clone(where: str, ref: str, tree: Path, submodules: str = "") -> str:
    """Clone the repository *where*, a URL or a directory, to *tree*, check *ref* out, and return its commit.

    The whole history comes with it, for backends ask it for a version.

    :param submodules: the protocols by which they are fetched, as GIT_ALLOW_PROTOCOL has them; empty for git's own.
    :raises UsageError: if git is not there, or cannot.
    """
    environ = patient(os.environ)
    there = str(Path(where).resolve()) if Path(where).is_dir() else where
    try:
        # `--`, as an address that begins with a dash would be an option.
        git(None, "clone", "--quiet", "--no-checkout", "--", there, str(tree), environ=environ)
        commit = _commit(tree, ref)
        # Detached: a branch of that name need not exist here, and a tag has none.
        git(tree, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit, environ=environ)
        # What somebody sets counts.
        allowed = {_ALLOWED: submodules, **environ} if submodules else environ
        git(tree, "submodule", "--quiet", "update", "--init", "--recursive", environ=allowed)
    except UsageError as error:
        raise UsageError(
            f"git cannot fetch the source from {without_secrets(where)}: {error.message}",
            remedy=error.remedy or "Is the address right, and is the tag or commit there?",
        ) from None
    return commit


def demand_protocol(address: str, protocols: Sequence[str]) -> None:
    """Refuse an *address* that strangers chose if it is not of one of the *protocols*, nor its user allows others.

    ssh would offer keys to any host, and ask on the terminal. Where addresses are rewritten by git's configuration
    ("url.*.insteadOf"), what stood there before counts.

    :raises UsageError: naming the variable that allows others.
    """
    # Git itself then holds addresses against it.
    if address.partition("://")[0].lower() not in protocols and not os.environ.get(_ALLOWED):
        raise UsageError(
            f"{without_secrets(address)[:200]} is not fetched, for whoever wrote it down may be a stranger: its "
            f"protocol is none of {', '.join(protocols)}",
            remedy=f"If you trust them: {_ALLOWED}={':'.join(protocols)}:ssh",
        )


def patient(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a git that ends a transfer over HTTP which has stopped; it would wait for good.

    Like those of :func:`elsewhere`, they are for other repositories than the caller's.
    """
    # Servers that prepare a pack send a few bytes every five seconds (git-config(1), "uploadpack.keepAlive").
    return {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": SILENCE, **elsewhere(environ)}


def elsewhere(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a git that works where it runs, even if a hook of another repository runs this."""
    return {name: value for name, value in environ.items() if name not in _OF_A_REPOSITORY}


def _commit(tree: Path, ref: str) -> str:
    """Return the commit that *ref* names; one that no branch or tag has any more is asked for by its hash."""
    # ^{commit}: an annotated tag is an object of its own, with a hash that is not the commit's.
    words = ("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return git(tree, *words, environ=elsewhere(os.environ)).strip()
    except UsageError as error:
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref):
            raise
        try:
            # Hosts keep such commits for long, after a tag was moved or a branch rewritten.
            git(tree, "fetch", "--quiet", "origin", ref, environ=patient(os.environ))
        except UsageError:
            raise error from None
        return git(tree, *words, environ=elsewhere(os.environ)).strip()


def without_secrets(address: str) -> str:
    """Return *address* for records and reports: without a password, and for HTTP without a user, which may be one."""
    return re.sub(r"^(https?://)[^/]*@|^(\w+://[^/:@]*):[^/]*(?=@)", r"\1\2", address)
