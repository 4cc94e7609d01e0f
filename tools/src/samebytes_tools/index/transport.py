"""HTTP as an index is asked by it: no other scheme, and no server can keep a client longer than its patience.

``urllib`` alone opens ``file:`` and ``ftp:`` addresses, reads the body of a redirect whole, and starts its timeout anew
with each byte; ``http.client`` reads headers, interim responses (RFC 9110, section 15.2) and trailers without end.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from samebytes.errors import IndexFailure

# http too: devpi and the like serve local networks; downloads are verified by hash, though of that page.
SCHEMES = ("http", "https")
"""Those of addresses that are asked for."""

# A socket's timeout begins anew with each byte: one byte a minute would keep us for good.
SILENCES = 10
"""How many timeouts an answer may take, whatever its size."""

SLOWEST = 64 << 10
"""Bytes per second: what has been received extends the time that an answer may take by so much."""


def is_address(url: str) -> bool:
    """Return whether *url* is an absolute address of HTTP that can be asked for."""
    try:
        parts = urlsplit(url)
        return parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # brackets without an address of IPv6, a port that is not a number
        return False


def opener(context: ssl.SSLContext) -> OpenerDirector:
    """Return an opener of ``http`` and ``https`` addresses that trusts what *context* does.

    What it opens is an :class:`HTTPResponse`; its errors are those of ``urllib``, and IndexFailure for a redirect to
    what is not such an address.
    """
    made = OpenerDirector()
    for handler in (
        # Not build_opener, which adds the handlers of file:, ftp: and data: addresses.
        ProxyHandler(),
        _Plain(),
        _Secure(context),
        _Redirects(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        made.add_handler(handler)
    return made


class BoundedResponse(HTTPResponse):
    """An answer whose every byte, those of headers and trailers too, must arrive before a deadline."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        # It makes a file of the socket by makefile(), which is replaced by one that looks at the deadline.
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        timeout = sock.gettimeout()
        self.deadline = time.monotonic() + SILENCES * timeout if timeout else None
        self.fp = io.BufferedReader(_Timed(sock, self))

    def received(self, size: int) -> None:
        """Extend the deadline, for *size* bytes of the body have been received."""
        if self.deadline is not None:
            self.deadline += size / SLOWEST


class _Timed(io.RawIOBase):
    """What a socket receives, until the deadline of *response*."""

    def __init__(self, sock: socket.socket, response: BoundedResponse) -> None:
        self._raw, self._sock, self._response = sock.makefile("rb", buffering=0), sock, response
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._response.deadline is not None and self._timeout is not None:
            left = self._response.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("it does not come to an end")
            # The socket's timeout is for one read, and must not reach past the deadline.
            self._sock.settimeout(min(self._timeout, left))
        size: int | None = self._raw.readinto(buffer)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PlainConnection(HTTPConnection):
    response_class = BoundedResponse


class _SecureConnection(HTTPSConnection):
    response_class = BoundedResponse


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_PlainConnection, req)


class _Secure(HTTPSHandler):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._trust = context

    def https_open(self, req: Request) -> HTTPResponse:
        # The base class keeps its own in a private attribute.
        return self.do_open(_SecureConnection, req, context=self._trust)


class _Redirects(HTTPRedirectHandler):
    """Follows to other addresses of HTTP only, without reading what the redirect itself has for a body."""

    def http_error_302(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any) -> Any:
        # urllib reads the body of a redirect to its end, however long it is.
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not is_address(newurl):
            raise IndexFailure(
                f"{req.full_url} redirects ({code}) to {newurl[:200]!r}, which is not an address of http or https",
                remedy="Somebody between the index and you answers in its place, or the index is broken.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)
