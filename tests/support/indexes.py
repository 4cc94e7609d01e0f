"""A package index on the loopback interface: real HTTP, with pages and files of the test's own, and every misdeed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"


@dataclass
class Answer:
    """What the server says to one path."""

    body: bytes = b""
    kind: str = "application/octet-stream"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    """A Content-Length that is not the body's."""
    delay: float = 0.0
    """Seconds before anything is said."""
    raw: Iterable[bytes] = ()
    """What is sent instead of all that, status line included; it may have no end."""


@dataclass
class Server:
    """An index whose answers are changed as the test likes."""

    address: str = ""
    """Of the simple API."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """Path on the server -> answer."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of every request."""
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, project: str, path: Path, uploaded: str | None = None, **more: Any) -> str:
        """Offer the file *path*, and return its SHA-256."""
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        row = {"filename": path.name, "url": f"/files/{path.name}", "hashes": {"sha256": digest}, **more}
        if uploaded:
            row["upload-time"] = uploaded
        self._rows.setdefault(project, []).append(row)
        self.answers[f"/files/{path.name}"] = Answer(data)
        self.page(project, self._rows[project])
        return digest

    def page(self, project: str, rows: list[dict[str, Any]]) -> None:
        """Give *project* a page of JSON (PEP 691)."""
        document = {"meta": {"api-version": "1.1"}, "name": project, "files": rows}
        self.answers[f"/simple/{project}/"] = Answer(json.dumps(document).encode(), JSON)


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server until the context ends."""
    server = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    server.address = f"http://127.0.0.1:{http.server_address[1]}/simple"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            answer = server.answers.get(self.path, Answer(status=404))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers.items())))
            answer = server.answers.get(self.path, Answer(b"no", "text/plain", 404))
            time.sleep(answer.delay)
            if answer.raw:
                self._send_raw(answer.raw)
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            length = len(answer.body) if answer.declared is None else answer.declared
            self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer.body)
            except ConnectionError:
                pass  # whoever asked had enough

        def _send_raw(self, pieces: Iterable[bytes]) -> None:
            self.close_connection = True
            try:
                for piece in pieces:
                    self.wfile.write(piece)
            except (ConnectionError, TimeoutError):
                pass  # whoever asked had enough

        def log_message(self, *_: object) -> None:
            pass

    return Handler
