"""Package indexes served on this machine, for pip: as an index was at a time, or through a cache.

So pip needs no credentials, and need not know of times of upload; what it builds on the way sees the same index.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from samebytes.errors import IndexFailure, SamebytesError, UsageError

from . import pages
from .client import Index


class ServedSource(Protocol):
    """What can be served."""

    def page(self, project: str) -> bytes:
        """Return the page of *project*; it may link to ``../../files/NAME``.

        :raises UsageError: if there is no such project.
        :raises SamebytesError: if it cannot be had.
        """

    def file(self, name: str) -> Path | None:
        """Return the file called *name*; None if no page links to it here.

        :raises SamebytesError: if it cannot be had.
        """


class Snapshot:
    """An index without what was uploaded after a time, or nobody knows when."""

    def __init__(self, index: Index, until: int) -> None:
        """*until* is in seconds since 1970-01-01 UTC; what was uploaded in that second is there."""
        self._index, self._until = index, until

    def page(self, project: str) -> bytes:
        """Return the page of *project*, with links to the index's own files."""
        files = [file for file in self._index.files(project) if was_there(file, self._until)]
        return pages.write(pages.link(file, self._index.with_credentials(file.url)) for file in files)

    def file(self, name: str) -> None:
        """Return None: pages link elsewhere."""


def was_there(file: pages.File, until: int) -> bool:
    """Return whether *file* was uploaded not after *until*; one without a time counts as later."""
    return file.uploaded is not None and file.uploaded <= until


@dataclass
class Served:
    """An index that is served."""

    address: str
    """For pip's ``--index-url``."""
    failure: IndexFailure | None = None
    """What went wrong last between this machine and the real index; pip sees a server error only."""


@contextmanager
def serving(source: ServedSource) -> Iterator[Served]:
    """Serve *source* to programs of this machine that know the address, until the context ends."""
    # Others on this machine must not guess the address: links, and what they lead to, may be private.
    path = f"/{secrets.token_urlsafe(16)}"
    served = Served("")
    # The loopback address alone, and not "localhost", which may be ::1 first.
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(source, path, served))
    server.daemon_threads = True
    served.address = f"http://127.0.0.1:{server.server_address[1]}{path}/simple"
    # shutdown() waits for the next poll: 0.5 seconds by default, for each build.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(source: ServedSource, path: str, served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``GET PATH/simple/PROJECT/`` and ``GET PATH/files/NAME``."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            directory, _, name = self.path.rstrip("/").rpartition("/")
            try:
                if directory == f"{path}/simple":
                    self._give_page(source.page(name))
                elif directory == f"{path}/files":
                    self._give_file(source.file(unquote(name)))
                else:
                    self.send_error(404)
            except UsageError:
                self.send_error(404)
            except ConnectionError:
                pass  # the client closed the connection
            except (SamebytesError, OSError) as error:
                if isinstance(error, IndexFailure):
                    served.failure = error
                self.send_error(502)

        def _give_page(self, body: bytes) -> None:
            if self._head("text/html; charset=utf-8", len(body)):
                self.wfile.write(body)

        def _give_file(self, kept: Path | None) -> None:
            if kept is None:
                self.send_error(404)
                return
            # Opened before the status is sent, so that a failure can still be answered by 502.
            with kept.open("rb") as file:
                if self._head("application/octet-stream", os.fstat(file.fileno()).st_size):
                    shutil.copyfileobj(file, self.wfile)

        def _head(self, kind: str, length: int) -> bool:
            """Send what comes before the body, and return whether that is wanted, too."""
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            return self.command != "HEAD"

        def log_message(self, *_: object) -> None:
            """Log nothing: standard error is for people."""

    return Handler
