"""The package index as it was at a moment: served on this machine, for pip to resolve against.

So it needs no pip that knows of upload times, and what pip builds on the way sees the same index.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from samebytes.errors import IndexFailure, SamebytesError, UsageError

from . import loopback
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
        return loopback.page(lines)

    def _link(self, file: File) -> str:
        algorithm = next((one for one in ("sha256", "sha384", "sha512") if one in file.hashes), "")
        fragment = f"#{algorithm}={file.hashes[algorithm]}" if algorithm else ""
        return loopback.link(file, self._index.with_credentials(file.url) + fragment)


def was_there(file: File, until: int) -> bool:
    """Tell whether *file* was uploaded not after *until*; one without a time counts as later."""
    return file.uploaded is not None and file.uploaded <= until


@contextmanager
def serving(index: Index, until: int) -> Iterator[Moment]:
    """Serve *index* as it was at *until* to programs of this machine that know the address, until the context ends."""
    moment = Moment(index, until)
    with loopback.serving(lambda path: _handler(moment, f"{path}/simple")) as address:
        moment.address = f"{address}/simple"
        yield moment


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
