"""The package index as it was at a moment: served on this machine, for pip to resolve against.

So it needs no pip that knows of upload times, and what pip builds on the way sees the same index.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..errors import IndexFailure, SamebytesError, UsageError
from .index import File, Index


class Moment:
    """An index with nothing that came later than a moment."""

    def __init__(self, index: Index, until: int) -> None:
        """*until* is in seconds since 1970-01-01 UTC; what was uploaded in that second is in."""
        self._index, self._until = index, until
        self.address = ""
        """For pip's ``--index-url``."""
        self.failure: IndexFailure | None = None
        """What went wrong between the real index and us, which pip cannot tell of."""

    def page(self, project: str) -> bytes:
        """Return the links (PEP 503) to the files of *project* that were there.

        :raises SamebytesError: as ``Index.files`` does.
        """
        lines = [self._link(one) for one in self._index.files(project) if was_there(one, self._until)]
        return "\n".join(["<!DOCTYPE html><html><body>", *lines, "</body></html>"]).encode()

    def _link(self, file: File) -> str:
        algorithm = next((one for one in ("sha256", "sha384", "sha512") if one in file.hashes), "")
        fragment = f"#{algorithm}={file.hashes[algorithm]}" if algorithm else ""
        shown = {"href": self._index.with_credentials(file.url) + fragment}
        if file.requires_python:
            shown["data-requires-python"] = file.requires_python
        if file.yanked is not None:
            shown["data-yanked"] = file.yanked
        attributes = " ".join(f'{name}="{escape(value)}"' for name, value in shown.items())
        return f"<a {attributes}>{escape(file.name)}</a><br>"


def was_there(file: File, until: int) -> bool:
    """Tell whether *file* was uploaded not after *until*; one without a time counts as later."""
    return file.uploaded is not None and file.uploaded <= until


@contextmanager
def serving(index: Index, until: int) -> Iterator[Moment]:
    """Serve *index* as it was at *until* to programs of this machine that know the address, until the context ends."""
    moment = Moment(index, until)
    # Links may carry the index's credentials, so others on this machine must not guess the path.
    path = f"/{secrets.token_urlsafe(16)}/simple"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(moment, path))
    server.daemon_threads = True
    moment.address = f"http://127.0.0.1:{server.server_address[1]}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield moment
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(moment: Moment, path: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``GET PATH/PROJECT/``."""

        def do_GET(self) -> None:
            directory, _, project = self.path.rstrip("/").rpartition("/")
            if directory != path:
                self.send_error(404)
                return
            try:
                body = moment.page(project)
            except UsageError:
                self.send_error(404)
                return
            except SamebytesError as error:
                moment.failure = error if isinstance(error, IndexFailure) else None
                self.send_error(502)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: standard error is for people."""

    return Handler
