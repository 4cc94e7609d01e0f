"""A package index through a cache: what was downloaded once, and verified, is kept by its hash.

A cache of pip's own would not do: what builds write into that, later builds would install.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, TypeVar
from urllib.parse import quote

from samebytes.errors import IndexFailure

from . import pages
from .client import Index
from .pages import File

ATTEMPTS = 2
"""How often the index is asked before it is said to have failed."""

PAUSE = 1.0
"""Seconds between them."""

_T = TypeVar("_T")


class CachedIndex:
    """The index *index*, with a cache in the directory *cache* that several processes may share."""

    def __init__(self, index: Index, cache: Path) -> None:
        self._index, self._cache = index, cache
        self.address = index.address
        """That of the index, without credentials."""
        self._listed: dict[str, File] = {}
        self._lock = threading.Lock()

    def files(self, project: str) -> tuple[File, ...]:
        """Return all files of *project*, as :meth:`Index.files` does and with its errors."""
        return tried(lambda: self._index.files(project))

    def fetch(self, file: File) -> Path:
        """Return *file* in the cache, with the hash that the index records.

        :raises SamebytesError: as :meth:`Index.download` does.
        """
        self._index.demand_hash(file)
        # By the hash, not the name alone: two indexes may have files of one name.
        kept = self._cache / file.strongest / file.hashes[file.strongest].lower() / file.name
        if not kept.is_file():
            tried(lambda: self._download(file, kept))
        return kept

    def _download(self, file: File, kept: Path) -> None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=kept.parent))  # another process may be fetching it, too
        try:
            done = self._index.download(file, aside)
            # Whoever gets the path must not change what later ones install.
            done.chmod(0o444)
            done.replace(kept)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def page(self, project: str) -> bytes:
        """Return links to all files of *project* that can be verified, for :func:`serving`.

        :raises SamebytesError: as :meth:`files` does.
        """
        files = [file for file in self.files(project) if file.strongest]
        with self._lock:
            # The server answers with several threads.
            self._listed.update({file.name: file for file in files})
        return pages.write(pages.link(file, f"../../files/{quote(file.name)}") for file in files)

    def file(self, name: str) -> Path | None:
        """Return the file called *name* in the cache, if a page listed it.

        :raises SamebytesError: as :meth:`fetch` does.
        """
        with self._lock:
            listed = self._listed.get(name)
        return None if listed is None else self.fetch(listed)


def tried(work: Callable[[], _T]) -> _T:
    """Return what *work* does; after a failure of the index or the network it is tried again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        # Only what may pass: a wrong hash or a project that does not exist stays so.
        except IndexFailure:
            time.sleep(PAUSE)
    return work()
