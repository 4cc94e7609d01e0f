"""A source tree made a git checkout, for backends that make sdists of nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from samebytes.console import programs
from samebytes.errors import UsageError

_WHEN = "2020-02-02T00:00:00+00:00"
_WHO = "Nobody"


def make_checkout(tree: Path, environ: Mapping[str, str]) -> None:
    """Commit all files of *tree* to a repository in it; the commit is the same wherever that is done.

    :raises UsageError: if git is not here, or fails.
    """
    if programs.find("git", environ) is None:
        raise UsageError("there is no git to make a checkout with", remedy="Install the package git.")
    # Only the sdist's own files count, not what somebody configured for all repositories.
    variables = {**environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        variables.update(
            {f"GIT_{role}_NAME": _WHO, f"GIT_{role}_EMAIL": "nobody@example.org", f"GIT_{role}_DATE": _WHEN}
        )
    for words in (["init", "--quiet"], ["add", "--all", "--force"], ["commit", "--quiet", "--message", "All"]):
        done = subprocess.run(
            ["git", *words], cwd=tree, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise UsageError(f"git {words[0]} fails in {tree.name}: {''.join(said)}", remedy="Is its disk full?")
