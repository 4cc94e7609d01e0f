"""The one date of an artifact (D5): from SOURCE_DATE_EPOCH, the project's setting, its VCS, or a constant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..epoch import DEFAULT_DATE, from_environment, parse_epoch, parse_iso
from ..errors import ConfigError, UsageError


class Dated(NamedTuple):
    """A date and where it comes from."""

    seconds: int
    """Since 1970-01-01 UTC."""
    origin: str
    given: bool = True
    """Whether somebody gave it; an invented one must not reach the inner backend, for it would change versions."""
    record: bool = False
    """Whether an sdist must carry it, because the tree in it cannot give it any more."""


def resolve(source: Path, setting: int | str | None, environ: Mapping[str, str]) -> Dated:
    """Return the date for artifacts of the tree *source*.

    :raises ConfigError: if a value is malformed, or ``"vcs"`` is asked for and git cannot give it.
    """
    from_user = from_environment(environ)
    if from_user is not None:
        return Dated(from_user, "SOURCE_DATE_EPOCH")
    if setting == "vcs":
        return _from_vcs(source, environ)
    if isinstance(setting, int):
        return Dated(setting, "[tool.samebytes] source-date-epoch")
    return Dated(DEFAULT_DATE, "samebytes' constant", given=False)


def _from_vcs(source: Path, environ: Mapping[str, str]) -> Dated:
    for find in (_from_sdist, _from_archival):  # before git: what was unpacked may lie in some repository
        seconds = find(source)
        if seconds is not None:
            return Dated(seconds, "the date recorded in the source", record=True)
    return Dated(_from_git(source, environ), "the date of git's HEAD", record=True)


def _from_sdist(source: Path) -> int | None:
    """Read the reserved file, which counts only in an sdist's tree, that is beside PKG-INFO."""
    from ..artifact.layout import RESERVED_DATE_FILE  # loads hashlib, which most hooks do without

    path = source / RESERVED_DATE_FILE
    if not path.is_file() or not (source / "PKG-INFO").is_file():
        return None
    return parse_epoch(path.read_bytes().decode("ascii", "replace").rstrip("\r\n"), str(path))


def _from_archival(source: Path) -> int | None:
    """Read what ``git archive`` put into .git_archival.txt (export-subst), if it did."""
    path = source / ".git_archival.txt"
    if not path.is_file():
        return None
    found = re.search(r"^node-date:\s*(\d{4}-\d\d-\d\dT\S+)\s*$", path.read_text("utf-8", "replace"), re.MULTILINE)
    if not found:
        return None
    if not re.search(r"(?:Z|[+-]\d\d:\d\d)$", found[1]):  # as it would be with another format than %cI
        raise ConfigError(
            f"{path}: node-date {found[1]!r} is not an ISO 8601 date with a time zone",
            remedy="Let git write it: the line is 'node-date: $Format:%cI$', with export-subst in .gitattributes.",
        )
    return parse_iso(found[1], f"{path}: node-date")


def _from_git(source: Path, environ: Mapping[str, str]) -> int:
    from .git import git  # few projects ask for it

    try:
        # A vendored or unpacked tree may lie in somebody else's repository, whose date is not its own.
        is_tracked = git(source, "ls-files", "--", "pyproject.toml", "setup.py", environ=environ)
        seconds = git(source, "log", "-1", "--format=%ct", "HEAD", environ=environ) if is_tracked else ""
    except UsageError as error:
        raise _no_date(source, error.message) from None
    if not is_tracked:
        raise _no_date(source, "git tracks neither its pyproject.toml nor its setup.py (a parent's repository?)")
    return parse_epoch(seconds.strip(), f"git log in {source}")


def _no_date(source: Path, reason: str) -> ConfigError:
    return ConfigError(
        f'{source}: source-date-epoch = "vcs", but git has no date for this tree: {reason}',
        remedy="Set SOURCE_DATE_EPOCH, build from the sdist (it carries the date), or build in a clone that you own.",
    )
