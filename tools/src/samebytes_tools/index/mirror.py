"""A package index seen through a cache: what was downloaded once, and verified, is kept by its hash.

It is served on this machine too, so that what installs from it needs neither the index's address, nor credentials,
nor a cache of its own that somebody could have written into.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, unquote

from samebytes.errors import IndexFailure, SamebytesError, UsageError

from . import loopback
from .index import STRONG, File, Index

ATTEMPTS = 2
"""How often the index is asked before it is said to have failed."""

PAUSE = 1.0
"""Seconds between them."""


class Mirror:
    """The index *index*, with a cache in the directory *cache* that several processes may share."""

    def __init__(self, index: Index, cache: Path) -> None:
        self._index, self._cache = index, cache
        self.origin = index.address
        """The address of the index itself."""
        self._listed: dict[str, File] = {}
        self._lock = threading.Lock()
        self.address = ""
        """Where it is served, for pip's ``--index-url``; empty if it is not."""
        self.failure: IndexFailure | None = None
        """What went last wrong between the real index and us, of which pip cannot tell."""

    def files(self, project: str) -> tuple[File, ...]:
        """Return all files of *project*, as ``Index.files`` does and with its errors."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._index.files(project)
            except IndexFailure as failure:
                self._failed(failure, attempt)
        raise AssertionError

    def fetch(self, file: File) -> Path:
        """Return *file* in the cache, with the hash that the index records.

        :raises SamebytesError: as ``Index.download`` does.
        """
        algorithm = next((one for one in STRONG if file.hashes.get(one)), "")
        if not algorithm:
            self._index.download(file, self._cache)  # which says what is wrong
        kept = self._cache / algorithm / file.hashes[algorithm].lower() / file.name
        for attempt in range(1, ATTEMPTS + 1):
            if kept.is_file():
                break
            try:
                self._download(file, kept)
            except IndexFailure as failure:
                self._failed(failure, attempt)
        return kept

    def _download(self, file: File, kept: Path) -> None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=kept.parent))
        try:
            done = self._index.download(file, aside)
            done.chmod(0o444)
            done.replace(kept)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _failed(self, failure: IndexFailure, attempt: int) -> None:
        self.failure = failure
        if attempt == ATTEMPTS:
            raise failure
        time.sleep(PAUSE)

    def page(self, project: str) -> bytes:
        """Return links (PEP 503) to all files of *project* that can be verified.

        :raises SamebytesError: as ``files`` does.
        """
        files = [file for file in self.files(project) if any(file.hashes.get(one) for one in STRONG)]
        with self._lock:
            self._listed.update({file.name: file for file in files})
        return loopback.page(_link(file) for file in files)

    def file(self, name: str) -> Path | None:
        """Return the file called *name* in the cache, if a page listed it.

        :raises SamebytesError: as ``fetch`` does.
        """
        with self._lock:
            listed = self._listed.get(name)
        return None if listed is None else self.fetch(listed)


def _link(file: File) -> str:
    algorithm = next(one for one in ("sha256", *STRONG) if file.hashes.get(one))
    return loopback.link(file, f"../../files/{quote(file.name)}#{algorithm}={file.hashes[algorithm]}")


@contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    """Serve *mirror* to programs of this machine that know the address, until the context ends."""
    with loopback.serving(lambda path: _handler(mirror, path)) as address:
        mirror.address = f"{address}/simple"
        try:
            yield mirror
        finally:
            mirror.address = ""


def _handler(mirror: Mirror, path: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``GET PATH/simple/PROJECT/`` and ``GET PATH/files/NAME``."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            directory, _, name = self.path.rstrip("/").rpartition("/")
            try:
                if directory == f"{path}/simple":
                    self._give_page(mirror.page(name))
                elif directory == f"{path}/files":
                    self._give_file(mirror.file(unquote(name)))
                else:
                    self.send_error(404)
            except UsageError:
                self.send_error(404)
            except ConnectionError:
                pass  # whoever asked is gone
            except (SamebytesError, OSError):
                self.send_error(502)

        def _give_page(self, body: bytes) -> None:
            if self._head("text/html; charset=utf-8", len(body)):
                self.wfile.write(body)

        def _give_file(self, kept: Path | None) -> None:
            if kept is None:
                self.send_error(404)
                return
            with kept.open("rb") as file:
                if self._head("application/octet-stream", os.fstat(file.fileno()).st_size):
                    shutil.copyfileobj(file, self.wfile)

        def _head(self, kind: str, length: int) -> bool:
            """Send what comes before the body, and tell whether that is wanted, too."""
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            return self.command != "HEAD"

        def log_message(self, *_: object) -> None:
            """Say nothing: standard error is for people."""

    return Handler
