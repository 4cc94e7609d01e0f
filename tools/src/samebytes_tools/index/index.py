"""A package index: its address, its pages (the simple API) and its files, none of which is taken unverified."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html.parser import HTMLParser
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit
from urllib.request import HTTPSHandler, Request, build_opener

from packaging.utils import canonicalize_name

from samebytes.errors import ArchiveError, IndexFailure, UsageError

STRONG = ("sha512", "sha384", "sha256")
"""The hashes that a download is verified by, the best first."""

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"  # PEP 691

_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_CHUNK = 1 << 18
_LONGEST_PAGE = 64 << 20
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")
_OFFLINE = "Is there a network, and is the index up? --timeout gives it longer; PIP_INDEX_URL names another."


@dataclass(frozen=True)
class File:
    """One file of a release, as the index tells of it."""

    name: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Algorithm -> hexadecimal digest."""
    requires_python: str = ""
    yanked: str | None = None
    """The reason, which may be empty, or None (PEP 592)."""
    uploaded: int | None = None
    """Seconds since 1970-01-01 UTC; None where the index does not say (PEP 700)."""


def address(environ: Mapping[str, str], python: str = sys.executable) -> str:
    """Return where the index is: what pip's or uv's variables say, else pip's configuration, else pip's default.

    :raises UsageError: if neither names one.
    """
    for name in _VARIABLES:
        if environ.get(name, "").strip():
            return re.sub(r"^[\w-]+=", "", environ[name].strip())  # uv: NAME=URL
    said = _pip(python, environ, "config", "get", "global.index-url").strip()
    if said:
        return said
    found = re.search(r"--index-url <url>.*?\(default\s+(\S+)\)", _pip(python, environ, "install", "--help"), re.DOTALL)
    if found:
        return found[1]
    raise UsageError("there is no pip to ask for the address of the package index", remedy="Set PIP_INDEX_URL to it.")


def _pip(python: str, environ: Mapping[str, str], *words: str) -> str:
    """Return what pip prints; nothing if it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *words]
    wide = {**environ, "COLUMNS": "1000"}  # it would break addresses into lines
    done = subprocess.run(command, env=wide, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


class Index:
    """The package index at an address; pages are asked for once."""

    def __init__(self, address: str, *, certificates: str = "", timeout: float = 60.0) -> None:
        """*certificates* is a file of authorities (PIP_CERT), *timeout* the seconds that any silence may last.

        :raises UsageError: if the address is not one of HTTP, or the certificates cannot be read.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"the package index {address!r} is not reached by http or https",
                remedy="Set PIP_INDEX_URL to the address of a simple API (PEP 503), such as https://HOST/simple.",
            )
        self._host = parts.netloc.rpartition("@")[2]
        self._credentials = parts.netloc.rpartition("@")[0]
        self.address = urlunsplit(parts._replace(netloc=self._host)).rstrip("/")
        """Without credentials."""
        self._timeout = timeout
        self._opener = build_opener(HTTPSHandler(context=_trust(certificates)))
        self._pages: dict[str, tuple[File, ...]] = {}

    def files(self, project: str) -> tuple[File, ...]:
        """Return all files of *project*, in the index's order.

        :raises UsageError: if the index does not know it.
        :raises IndexFailure: if it does not answer, or not as PEP 503 or 691 say.
        """
        name = canonicalize_name(project)
        if name not in self._pages:
            self._pages[name] = self._page(name)
        return self._pages[name]

    def with_credentials(self, url: str) -> str:
        """Return *url* with the credentials of the index's address, if it is on the same host."""
        parts = urlsplit(url)
        if not self._credentials or parts.netloc != self._host:
            return url
        return urlunsplit(parts._replace(netloc=f"{self._credentials}@{parts.netloc}"))

    def download(self, file: File, directory: Path) -> Path:
        """Put *file* into *directory*, verified; nothing is there afterwards if it is not what the index said.

        :raises ArchiveError: if it has another hash than recorded, or none is.
        :raises IndexFailure: if it cannot be had, or ends too early.
        """
        algorithm = next((one for one in STRONG if file.hashes.get(one)), "")
        if not algorithm:
            raise ArchiveError(
                f"{file.name}: {self.address} records no SHA-256 of it, so a download cannot be verified",
                remedy="Download it in a way that you trust, and name the file.",
            )
        target = directory / file.name
        part = target.with_name(f"{file.name}.part")
        try:
            digest = self._fetch(file.url, part, algorithm)
            if digest != file.hashes[algorithm].lower():
                raise ArchiveError(
                    f"{file.name}: the download has the {algorithm} {digest}, but {self.address} records "
                    f"{file.hashes[algorithm]}",
                    remedy="Somebody between the index and you changes files, or the index is broken. Do not use it.",
                )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _page(self, name: str) -> tuple[File, ...]:
        url = f"{self.address}/{name}/"
        try:
            with self._open(url) as answer:
                final, kind = answer.url, answer.headers.get_content_type()
                body = b"".join(_pieces(answer, url, self._timeout, _LONGEST_PAGE))
        except _Missing:
            raise UsageError(
                f"the index {self.address} has no project {name!r}",
                remedy="Is it spelled right? Or does PIP_INDEX_URL name another index than you mean?",
            ) from None
        return tuple(_read_json(body, final) if kind.endswith("json") else _read_html(body, final))

    def _fetch(self, url: str, target: Path, algorithm: str) -> str:
        """Write what is at *url* to *target* and return its digest."""
        state = hashlib.new(algorithm)
        try:
            with self._open(url) as answer, target.open("wb") as sink:
                for piece in _pieces(answer, url, self._timeout):
                    state.update(piece)
                    sink.write(piece)
        except _Missing:
            raise IndexFailure(
                f"{url} is not there (404), though {self.address} lists it", remedy="Try again later, or elsewhere."
            ) from None
        return state.hexdigest()

    def _open(self, url: str) -> Any:
        """Open *url*, following redirects; every way in which networks fail becomes one error."""
        request = Request(url, headers={"Accept": ACCEPT, "User-Agent": "samebytes"})
        if self._credentials and urlsplit(url).netloc == self._host:
            secret = base64.b64encode(unquote(self._credentials).encode()).decode("ascii")
            request.add_unredirected_header("Authorization", f"Basic {secret}")
        try:
            return self._opener.open(request, timeout=self._timeout)
        except HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise _Missing from None
            raise IndexFailure(f"{url} answers {error.code} {error.reason}", remedy=_OFFLINE) from None
        except (OSError, HTTPException) as error:
            why = error.reason if isinstance(error, URLError) else error
            if isinstance(why, TimeoutError) or "timed out" in str(why):
                why = f"no answer within {self._timeout:g} seconds"
            raise IndexFailure(f"{url} cannot be reached: {why}", remedy=_OFFLINE) from None


class _Missing(Exception):
    """The server says that there is no such thing."""


def _trust(certificates: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=certificates or None)
    except OSError as error:
        raise UsageError(
            f"the certificates {certificates} cannot be read: {error.strerror or error}", remedy="Check PIP_CERT."
        ) from None


def _pieces(answer: Any, url: str, timeout: float, limit: int = 1 << 40) -> Iterator[bytes]:
    """Give the body of *answer*, and see that it is whole and not endless."""
    declared, received = answer.headers.get("Content-Length"), 0
    deadline = time.monotonic() + 10 * timeout  # a byte a second is no answer either
    while True:
        try:
            piece = answer.read(_CHUNK)
        except (OSError, HTTPException) as error:
            raise IndexFailure(f"{url} broke off: {error}", remedy=_OFFLINE) from None
        if not piece:
            break
        received += len(piece)
        if received > limit or time.monotonic() > deadline:
            raise IndexFailure(f"{url} does not come to an end ({received:,} bytes so far)", remedy=_OFFLINE)
        yield piece
    if declared and declared.isdigit() and received != int(declared):
        raise IndexFailure(
            f"{url} ended after {received:,} of {int(declared):,} bytes", remedy="Try again; the connection was lost."
        )


def _read_json(body: bytes, url: str) -> Iterator[File]:
    """Read a page of PEP 691, with the times of PEP 700 if it has them."""
    try:
        document = json.loads(body)
        version = str(document["meta"]["api-version"])
        rows = [(row["filename"], row["url"], row.get("hashes", {}), row) for row in document["files"]]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(url, f"its JSON is malformed: {error!r}") from None
    if version.partition(".")[0] != "1":
        raise _unreadable(url, f"it is of version {version} of the simple API, and samebytes reads 1")
    for name, where, hashes, row in rows:
        if not isinstance(name, str) or not isinstance(where, str) or not isinstance(hashes, dict):
            raise _unreadable(url, f"the file {name!r} has no name, address and hashes as PEP 691 says")
        yanked = row.get("yanked", False)
        reason = None if yanked is False else yanked if isinstance(yanked, str) else ""
        uploaded = _seconds(row.get("upload-time"), name, url)
        digests = {str(algorithm).lower(): str(digest) for algorithm, digest in hashes.items()}
        yield File(
            _safe(name, url), urljoin(url, where), digests, str(row.get("requires-python") or ""), reason, uploaded
        )


def _read_html(body: bytes, url: str) -> Iterator[File]:
    """Read a page of PEP 503, which knows no time of upload; some servers give it as ``data-upload-time``."""
    reader = _Anchors()
    reader.feed(body.decode("utf-8", "replace"))
    reader.close()
    if not reader.is_html:
        raise _unreadable(url, "it is no page of links (PEP 503)")
    for anchor in reader.found:
        where, fragment = urldefrag(urljoin(url, anchor["href"]))
        algorithm, _, digest = fragment.partition("=")
        name = unquote(urlsplit(where).path.rpartition("/")[2])
        if not name.endswith((".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".egg", ".exe")):
            continue
        yield File(
            _safe(name, url),
            where,
            {algorithm.lower(): digest} if digest else {},
            anchor.get("data-requires-python", ""),
            anchor.get("data-yanked"),
            _seconds(anchor.get("data-upload-time"), name, url),
        )


class _Anchors(HTMLParser):
    """Collects the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.is_html = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html = True
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and values.get("href"):
            self.found.append(values)


def _safe(name: str, url: str) -> str:
    """Return a file's name if it is one, and not a path to somewhere else."""
    if not name or name.startswith(".") or re.search(r"[/\\\0]", name):
        raise _unreadable(url, f"{name!r} is no file name")
    return name


def _seconds(text: object, name: str, url: str) -> int | None:
    """Return the time *text* (ISO 8601, UTC), in seconds since 1970; None if there is none."""
    if not text:
        return None
    found = _TIME.fullmatch(str(text))
    if not found:
        raise _unreadable(url, f"the upload time {text!r} of {name} is no time in UTC (PEP 700)")
    moment = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M:%S")
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


def _unreadable(url: str, why: str) -> IndexFailure:
    return IndexFailure(f"the page {url} cannot be read: {why}", remedy="Is that address a package index at all?")
