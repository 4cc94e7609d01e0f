"""Package indexes of our own on this machine, for pip: pages of links (PEP 503), at an address that nobody guesses."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

from .index import File


def page(links: Iterable[str]) -> bytes:
    """Return the page of a project."""
    return "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()


def link(file: File, address: str) -> str:
    """Return the link to *file* at *address*, which ends in its hash."""
    shown = {"href": address}
    if file.requires_python:
        shown["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        shown["data-yanked"] = file.yanked
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in shown.items())
    return f"<a {attributes}>{escape(file.name)}</a><br>"


@contextmanager
def serving(handler: Callable[[str], type[BaseHTTPRequestHandler]]) -> Iterator[str]:
    """Serve what *handler* makes of the path that all addresses begin with, and yield the address of that path.

    Others on this machine must not guess the path: links, and what they lead to, may be private.
    """
    path = f"/{secrets.token_urlsafe(16)}"
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(path))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
