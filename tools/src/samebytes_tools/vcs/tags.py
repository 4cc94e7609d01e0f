"""The tags of a repository elsewhere, and which of them is that of a release."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from samebytes.backend.git import git
from samebytes.errors import UsageError

from .clone import elsewhere, patient, without_secrets

_GENERAL = frozenset(
    {"", "release", "releases", "rel", "version", "versions", "ver", "v", "r", "tag", "tags", "stable"}
)
"""What stands before a version in tags, beside the name of the project."""

_ROW = re.compile(r"(?P<commit>[0-9a-f]{40}|[0-9a-f]{64})\trefs/tags/(?P<name>[^\t]+)", re.DOTALL)

_LONGEST = 200
"""Characters of a tag that may be one of a release."""


def of_repository(address: str) -> dict[str, str]:
    """Return the commits that the tags of the repository at *address* name.

    :raises UsageError: if git is not here, or cannot reach it.
    """
    try:
        printed = git(None, "ls-remote", "--tags", "--quiet", "--", address, environ=patient(os.environ))
    except UsageError as error:
        raise UsageError(
            f"the repository {without_secrets(address)} cannot be reached: {error.message}",
            remedy=error.remedy or "It may have moved or be private: name a copy with --source URL@REF.",
        ) from None
    return named_in(printed)


def named_in(printed: str) -> dict[str, str]:
    """Return the commits that tags name in what git-ls-remote has *printed*."""
    # git does not check names that it only lists: a server may put anything in them, and options of git for hashes.
    rows = filter(None, map(_ROW.fullmatch, printed.split("\n")))
    # "^{}" follows the row of an annotated tag, which is an object of its own: that is its commit (git-ls-remote).
    return {row["name"].removesuffix("^{}"): row["commit"] for row in rows}


def of_release(names: Collection[str], project: str, version: str) -> list[str]:
    """Return which of the tags *names* are that of a release, those that name the *project* before others.

    ``demo-1.0`` says more than ``v1.0`` where a repository has several projects; ``other-1.0`` is another's.
    """
    try:
        wanted = Version(version)
    except InvalidVersion:  # of a release from before PEP 440
        return []
    own = canonicalize_name(project)
    named, general = [], []
    numbers = [str(number) for number in wanted.release if number]
    # Repositories have up to a hundred thousand tags.
    for name in sorted(name for name in names if all(number in name for number in numbers)):
        for prefix, found in _readings(name):
            if found != wanted:
                continue
            if prefix == own or prefix in (f"{own}-v", f"python-{own}"):
                named.append(name)
            elif prefix in _GENERAL:
                general.append(name)
            else:
                continue
            break
    return named or general


def _readings(tag: str) -> list[tuple[str, Version]]:
    """Return each way to part *tag* into a prefix, normalized as a name, and a version."""
    found = []
    if len(tag) > _LONGEST:
        return []
    for start in re.finditer(r"(?<!\d)\d", tag):
        prefix = re.sub(r"(?i)(?:^|(?<=[-_/@=.]))(?:v\.?|r)$", "", tag[: start.start()])
        text = tag[start.start() :]
        # Old hosts took no dots, so REL_1_0_2 is 1.0.2; but 1.0-2 is not 1.0.2.
        spelled = text if "." in text else re.sub("[_-]", ".", text)
        with suppress(InvalidVersion):
            found.append((canonicalize_name(re.sub(r"[/@=]", "-", prefix)).strip("-"), Version(spelled)))
    return found


def date_of(tree: Path, commit: str) -> int:
    """Return when *commit*, of the checkout *tree*, was made: seconds since 1970 UTC, as its committer says.

    :raises UsageError: if git does not have it.
    """
    words = ("show", "--no-patch", "--format=%ct", "--end-of-options", commit)
    return int(git(tree, *words, environ=elsewhere(os.environ)).split()[-1])


def shown(commits: Mapping[str, str], names: Collection[str]) -> str:
    """Return the tags *names* with their commits, for a message."""
    return ", ".join(f"{name} ({commits[name][:12]})" for name in names)
