"""The sdist of a target: which it is, and the verified file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from samebytes.errors import ArchiveError, IndexFailure, UsageError

from ...index.cache import CachedIndex
from ...index.pages import File
from ...index.releases import ChosenSdist, chosen
from .model import Sdist, State, Target


class NotThere(Exception):
    """There is nothing to build."""

    def __init__(self, state: State, reason: str, version: str = "") -> None:
        super().__init__(reason)
        self.state, self.reason, self.version = state, reason, version


def without_hosts(message: str, index: str) -> str:
    """Return *message* without the address of the *index*, or of any host: results are the same from a mirror."""
    text = message.replace(f"the index {index}", "the index").replace(index, "the index")
    # Also keeps credentials in addresses out of what is published.
    return re.sub(r"https?://[^/\s]*", "", text)


@dataclass(frozen=True)
class FetchedSdist:
    """The sdist of a target, which is here now."""

    path: Path
    version: str
    """Normalized (PEP 440), so that one release has one name in the store."""
    sdist: Sdist
    notes: tuple[str, ...]
    """On the choice."""


def fetched(target: Target, index: CachedIndex, python: str) -> FetchedSdist:
    """Return the sdist of *target* for the version *python* of Python: the one that pip takes.

    :raises NotThere: if the index does not have it, or not as it says.
    """
    try:
        files = index.files(target.name)
    except UsageError as error:
        raise NotThere(State.UNKNOWN, without_hosts(error.message, index.address)) from None
    except IndexFailure as error:
        raise NotThere(State.UNAVAILABLE, without_hosts(error.message, index.address)) from None
    choice = _chosen(files, target, python)
    file, version = choice.file, str(choice.version)
    try:
        path = index.fetch(file)
    except (ArchiveError, IndexFailure) as error:
        raise NotThere(State.UNAVAILABLE, without_hosts(error.message, index.address), version) from None
    uploaded = ""
    if file.uploaded is not None:
        uploaded = datetime.fromtimestamp(file.uploaded, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = file.hashes.get("sha256", "").lower()
    sdist = Sdist(file.name, digest, path.stat().st_size, uploaded, file.yanked is not None)
    return FetchedSdist(path, version, sdist, choice.notes)


def _chosen(files: Sequence[File], target: Target, python: str) -> ChosenSdist:
    """Return the sdist to take; one that was yanked if it is wanted by its version, or if all were."""
    try:
        return chosen(files, target.name, target.version or None, python)
    except UsageError as error:
        if target.version:
            raise NotThere(State.NO_SDIST, error.message, target.version) from None
    try:
        newest = chosen([replace(file, yanked=None) for file in files], target.name, None, python).version
    except UsageError as error:
        raise NotThere(State.NO_SDIST, error.message) from None
    # By its version now, so that it is noted why it was yanked.
    return chosen(files, target.name, str(newest), python)
