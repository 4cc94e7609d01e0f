"""Runs git: for the date of a build, and in samebytes-tools for sources and checkouts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..errors import UsageError


def git(directory: Path | None, *words: str, environ: Mapping[str, str]) -> str:
    """Return what the git command *words* prints in *directory* (None for the current one).

    :raises UsageError: if git cannot be run, or fails: with what it says, for the caller to say what for.
    """
    # It must not wait for a password that nobody types, nor write to a repository that is only read (git(1)); and what
    # it says is quoted in messages, which are in English.
    quiet = {**environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    place = ["-C", str(directory)] if directory else []
    try:
        done = subprocess.run(
            ["git", *place, *words], env=quiet, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror}", remedy="Install the package git.") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise UsageError(said.decode("utf-8", "replace") or f"git {words[0]} failed")
    return os.fsdecode(done.stdout)
