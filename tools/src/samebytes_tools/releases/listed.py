"""One entry of a list of releases: what is to be verified, or why it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.specifiers import SpecifierSet

from samebytes.errors import ConfigError, SamebytesError, UsageError

from ..building.interpreters import Python
from ..building.pylock import STRONG
from ..index.pages import File
from .selection import Selection

NO_HASH = "the list lacks a strong hash, such as SHA-256, of one of its files: the index alone says which file it is"


@dataclass(frozen=True)
class ListedRelease:
    """An entry of a lock file, a requirements file or an environment."""

    name: str
    version: str = ""
    """Empty where none is known."""
    selection: Selection = field(default_factory=Selection)
    notes: tuple[str, ...] = ()
    skipped: str = ""
    """Why there is nothing to verify here."""
    error: SamebytesError | None = None
    """Why it cannot be verified."""
    index: str = ""
    """The address of the index that it is to come from; empty where none is named."""
    further_indexes: tuple[str, ...] = ()
    """Addresses of others that it may come from."""
    allowed: SpecifierSet = field(default_factory=SpecifierSet)
    """Versions that it may have, where it is not pinned."""
    installed: Path | None = None
    """The ``.dist-info`` directory, of what is installed."""
    place: str = ""
    """The directory or repository that it comes from; empty for what has files."""
    files: tuple[File, ...] = ()
    """Those that the list itself gives an address and hashes of; those of this machine by a ``file:`` address."""

    @property
    def label(self) -> str:
        """What it is called in reports: a file's own name, else project and version."""
        return self.selection.file or f"{self.name} {self.version}".strip()

    @property
    def target(self) -> str:
        """The release as ``NAME==VERSION``."""
        return f"{self.name}=={self.version}"


def repository(name: str, version: str, url: str) -> ListedRelease:
    """Return an entry that comes from a repository."""
    return ListedRelease(
        name,
        version,
        error=UsageError(
            f"it comes from a repository, {shown(url)}: no index published it",
            remedy="Verify the wheel that you install: samebytes verify FILE --source URL@REF",
        ),
        place=f"a repository, {shown(url)}",
    )


def address(name: str, version: str, url: str, hashes: frozenset[str] = frozenset()) -> ListedRelease:
    """Return an entry that comes from an address outside of an index, with the *hashes* that the list gives."""
    # The fragment may be a hash, as pip takes it.
    hashes |= strong(pair.partition("=")[::2] for pair in url.partition("#")[2].split("&"))
    file = File(file_name(url), url.partition("#")[0], dict(one.split(":", 1) for one in hashes))
    if len(file.hashes) < len(hashes):
        problem = ConfigError(
            "its address is of one file, and has several hashes", remedy="Leave one hash of each kind."
        )
        return ListedRelease(name, version, Selection(hashes=hashes), error=problem)
    return ListedRelease(
        name,
        version,
        Selection(hashes=hashes),
        files=(file,),
        error=UsageError(
            f"it comes from an address, {shown(url)}: no index published it",
            remedy="Download it, and name the file.",
        ),
    )


def directory(name: str, version: str, path: str, *, editable: bool) -> ListedRelease:
    """Return an entry that comes from a directory: nobody published it."""
    how = "installed in editable mode from" if editable else "from"
    place = f"a directory, {path}"
    return ListedRelease(name, version, skipped=f"{how} {place}: it is not published", place=place)


def unpinned(name: str, text: str) -> ListedRelease:
    """Return an entry that more than one release can be."""
    return ListedRelease(
        name,
        error=UsageError(f"{text} does not pin one release", remedy="Pin it by NAME==VERSION, or lock it."),
    )


def shown(url: str) -> str:
    """Return *url* without credentials and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "which is malformed"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def file_name(url: str) -> str:
    """Return the name of the file at *url*; empty if that is malformed."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def strong(pairs: Iterable[tuple[str, Any]]) -> frozenset[str]:
    """Return the hashes by which a file can be verified, as ``ALGORITHM:DIGEST``, of names and digests."""
    return frozenset(
        f"{name.lower()}:{str(digest).lower()}" for name, digest in pairs if name.lower() in STRONG and digest
    )


def elsewhere(marker: str) -> str:
    """Return the reason why an entry with *marker*, which does not hold, is skipped."""
    return f"not for this environment: {marker}"


def environment_of(python: Python) -> dict[str, str]:
    """Return what markers say of the version of *python*; for the rest, it is like this interpreter."""
    # As the specification of dependency specifiers defines them; implementation_version is for few.
    return {"python_version": f"{python.minor[0]}.{python.minor[1]}", "python_full_version": python.version}
