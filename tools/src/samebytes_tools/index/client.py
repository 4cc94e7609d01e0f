"""A package index over HTTP: its address, the files that it lists, and downloads, none of which is taken unverified.

Nothing that an index sends decides how much is written, or how long it takes: a download has the size that the page and
the server name, and no more than LARGEST_FILE.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import hashlib
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Callable, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request

from packaging.utils import canonicalize_name

from samebytes.errors import ArchiveError, IndexFailure, OutputError, UsageError

from . import pages, transport
from .pages import File

# pip's first, as it is pip that installs build requirements; UV_INDEX_URL is uv's deprecated name.
_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
_CHUNK = 1 << 18
_LONGEST_PAGE = 64 << 20
"""Bytes; a page is held in memory, so an index must not decide how large it gets. That of grpcio on PyPI has 5 MB."""

_LONGEST_PROVENANCE = 8 << 20
"""Bytes; an attestation has about 6 kB, and a file has two or three."""

LARGEST_FILE = 4 << 30
"""Bytes of one download, whatever the index says. The wheels of torch, among the largest on PyPI, have 916 MB."""

_LONGEST_WAIT = 86_400.0
"""Seconds; sockets know no longer timeouts everywhere."""
_HIDDEN = "****"
"""What pip shows in place of a password."""

_OFFLINE = "Is there a network, and is the index up? PIP_DEFAULT_TIMEOUT gives it longer, PIP_INDEX_URL names another."
_BROKEN = "Somebody between the index and you answers in its place, or the index is broken."
_TOO_LARGE = "If it is meant to be so large, download it in a way that you trust, and name the file."


def configured_address(environ: Mapping[str, str], python: str = sys.executable) -> str:
    """Return where the index is: what pip's or uv's variables say, else pip's configuration, else pip's default.

    :raises UsageError: if neither names one.
    """
    for name in _VARIABLES:
        if environ.get(name, "").strip():
            # No address of HTTP is cut by this: a scheme is followed by a colon.
            return re.sub(r"^[\w-]+=", "", environ[name].strip())  # uv: NAME=URL
    # Asked of pip, which merges several files, at other places on each platform; distributions and vendors patch its
    # default. The help for this option has what is in force.
    found = re.search(r"--index-url <url>.*?\(default\s+(\S+)\)", _pip(python, environ, "install", "--help"), re.DOTALL)
    if found:
        # Only a password is not shown there.
        whole = _with_password(python, environ) if _HIDDEN in found[1] else found[1]
        if whole:
            return whole
        raise UsageError(
            "pip hides the password of the package index, and its configuration does not have it in a readable form",
            remedy="Set PIP_INDEX_URL to the index's address.",
        )
    raise UsageError("there is no pip to ask for the address of the package index", remedy="Set PIP_INDEX_URL to it.")


def _with_password(python: str, environ: Mapping[str, str]) -> str:
    """Return the address in pip's configuration files; nothing if there is none."""
    # Not "get", which leaves PIP_CONFIG_FILE out. Values are written as Python does.
    listed = _pip(python, environ, "config", "list")
    said = {}
    for section, value in re.findall(r"^(install|global)\.index-url=(.*)$", listed, re.MULTILINE):
        with contextlib.suppress(ValueError, SyntaxError):
            said[section] = str(ast.literal_eval(value))
    # What is for one command goes before what is for all (pip's documentation, "Configuration").
    return said.get("install") or said.get("global", "")


def _pip(python: str, environ: Mapping[str, str], *words: str) -> str:
    """Return what pip prints; nothing if it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *words]
    wide = {**environ, "COLUMNS": "1000"}  # it would break addresses into lines
    done = subprocess.run(command, env=wide, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


PAUSES = (0.5, 1.5)
"""Seconds before what failed, but may pass, is asked for once more."""

_MAY_PASS = frozenset((429, 500, 502, 503, 504))
"""Statuses of servers that have too much to do, or are being exchanged (RFC 9110, RFC 6585)."""

_T = TypeVar("_T")


class PassingFailure(IndexFailure):
    """A failure of the index, or of the network, that another attempt may not meet."""


_LONGEST_SHOWN = 100
"""Characters of an address in a message."""


class Index:
    """The package index at an address; pages are asked for once."""

    def __init__(
        self, address: str, *, certificates: str = "", timeout: float = 60.0, pauses: Sequence[float] = ()
    ) -> None:
        """*certificates* is a file of authorities (PIP_CERT), *timeout* the seconds that any silence may last.

        After each of *pauses*, in seconds, what failed and may pass is tried again.

        :raises UsageError: if the address is not one of HTTP, or the certificates cannot be read.
        """
        shown, self._credentials, self._host = _parted(address)
        self.address = shown.rstrip("/")
        """Without credentials: it is shown in messages and written into records."""
        if not transport.is_address(self.address):
            raise UsageError(
                f"the package index {self.address!r} is not reached by http or https",
                remedy="Set PIP_INDEX_URL to the address of a simple API (PEP 503), such as https://HOST/simple.",
            )
        self._timeout, self._pauses = min(timeout, _LONGEST_WAIT), pauses
        self._opener = transport.opener(_trust(certificates))
        self._pages: dict[str, tuple[File, ...]] = {}

    @classmethod
    def configured(cls, environ: Mapping[str, str], *, address: str = "", timeout: float | None = None) -> Index:
        """Return the index that pip would use; *address* and *timeout* go before what is configured.

        :raises UsageError: if there is no address, or it makes no sense.
        """
        patience = environ.get("PIP_DEFAULT_TIMEOUT", "")
        return cls(
            address or configured_address(environ),
            certificates=environ.get("PIP_CERT") or environ.get("REQUESTS_CA_BUNDLE") or "",
            timeout=timeout or (float(patience) if re.fullmatch(r"0*[1-9][0-9]{0,8}", patience) else 60.0),
            pauses=PAUSES,
        )

    def files(self, project: str) -> tuple[File, ...]:
        """Return all files of *project*, in the index's order.

        :raises UsageError: if the index does not know it.
        :raises IndexFailure: if it does not answer, or not as PEP 503 or 691 say.
        """
        name = canonicalize_name(project)
        if name not in self._pages:
            self._pages[name] = self._tried(lambda: self._page(name))
        return self._pages[name]

    def with_credentials(self, url: str) -> str:
        """Return *url* with the credentials of the index's address, if it is on the same host."""
        parts = urlsplit(url)
        # Files are often on another host (a CDN), whose owner must not get them.
        if not self._credentials or parts.netloc != self._host:
            return url
        return urlunsplit(parts._replace(netloc=f"{self._credentials}@{parts.netloc}"))

    def download(self, file: File, directory: Path, *, recorded_by: str = "") -> Path:
        """Put *file* into *directory*, verified; nothing is there afterwards if it is not what the index said.

        :param recorded_by: what gave the hashes of *file*, if not the index, for messages.
        :raises ArchiveError: if it has another hash than recorded, or none is.
        :raises IndexFailure: if it cannot be had, or has another size than the index says.
        :raises OutputError: if it cannot be written.
        """
        self.demand_hash(file)
        algorithm = file.strongest
        target = directory / file.name
        try:
            # Within *directory*, so that the rename does not cross file systems.
            with tempfile.TemporaryDirectory(prefix=".download-", dir=directory) as aside:
                part = Path(aside) / "part"
                digest = self._tried(lambda: self._fetch(file, part, algorithm))
                # Verified before it has its name: who finds it there may trust it.
                if digest != file.hashes[algorithm]:
                    raise ArchiveError(
                        f"{file.name}: the download has the {algorithm} {digest}, but {recorded_by or self.address} "
                        f"records {file.hashes[algorithm]}",
                        remedy=f"{_BROKEN} Do not use it.",
                    )
                part.replace(target)
        except OSError as error:  # those of the network are IndexFailures by now
            raise OutputError(
                f"{target}: the download cannot be written: {error.strerror or error}",
                remedy="Is there room, and may that directory be written to?",
            ) from None
        return target

    def attestations(self, file: File) -> bytes:
        """Return the provenance object of *file*, which its page names (PEP 740), as the index sends it.

        :raises IndexFailure: if it does not answer, or its page names no address.
        """
        if not transport.is_address(file.provenance):
            raise IndexFailure(
                f"the address of the attestations of {file.name}, {file.provenance}, is not one of http or https",
                remedy=_BROKEN,
            )

        def fetched() -> bytes:
            with self._open(file.provenance) as answer:
                return b"".join(_pieces(answer, file.provenance, _LONGEST_PROVENANCE))

        try:
            return self._tried(fetched)
        except _Missing:
            raise IndexFailure(
                f"{file.provenance} is not there (404), though {self.address} names it for {file.name}",
                remedy="Try again later, or elsewhere.",
            ) from None

    def demand_hash(self, file: File) -> None:
        """Refuse a file whose download could not be verified.

        :raises ArchiveError: if the index records no strong hash of it.
        """
        if not file.strongest:
            raise ArchiveError(
                f"{file.name}: {self.address} records no SHA-256 of it, so a download cannot be verified",
                remedy="Download it in a way that you trust, and name the file.",
            )

    def _tried(self, work: Callable[[], _T]) -> _T:
        for pause in self._pauses:
            with suppress(PassingFailure):
                return work()
            time.sleep(pause)
        return work()

    def _page(self, name: str) -> tuple[File, ...]:
        # With the slash that PEP 503 demands: without, PyPI redirects.
        url = f"{self.address}/{name}/"
        try:
            with self._open(url) as answer:
                final, kind = answer.url, answer.headers.get_content_type()
                packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
                if packed != "identity":  # never unpacked: nothing then decides how large it gets
                    raise IndexFailure(f"{url} answers encoded ({packed}), which was not asked for", remedy=_BROKEN)
                body = b"".join(_pieces(answer, url, _LONGEST_PAGE))
        except _Missing:
            raise UsageError(
                f"the index {self.address} has no project {name!r}",
                remedy="Is it spelled right? Or does PIP_INDEX_URL name another index than you mean?",
            ) from None
        return pages.read(body, kind, final)

    def _fetch(self, file: File, target: Path, algorithm: str) -> str:
        """Write what is at the address of *file* to *target* and return its digest."""
        state = hashlib.new(algorithm)
        try:
            with self._open(file.url) as answer, target.open("wb") as sink:
                for piece in _pieces(answer, file.url, LARGEST_FILE, file.size):
                    state.update(piece)
                    sink.write(piece)
        except _Missing:
            raise IndexFailure(
                f"{_brief(file.url)} is not there (404), though {self.address} lists it",
                remedy="Try again later, or elsewhere.",
            ) from None
        return state.hexdigest()

    def _open(self, url: str) -> transport.BoundedResponse:
        """Open *url*, following redirects; every way in which networks fail becomes one error."""
        if not transport.is_address(url):
            raise IndexFailure(f"{url[:200]!r} is not an address of http or https", remedy=_BROKEN)
        try:
            request = Request(url, headers={"Accept": pages.ACCEPT, "User-Agent": "samebytes"})
            if self._credentials and urlsplit(url).netloc == self._host:
                # Unredirected: another host that the index sends us to must not get it.
                secret = base64.b64encode(unquote(self._credentials).encode()).decode("ascii")
                request.add_unredirected_header("Authorization", f"Basic {secret}")
            opened: transport.BoundedResponse = self._opener.open(request, timeout=self._timeout)
        except HTTPError as error:
            error.close()
            # 410: gone, as servers answer for projects that were deleted (RFC 9110, section 15.5.11).
            if error.code in (404, 410):
                raise _Missing from None
            # Cut: the server chose its length.
            kind = PassingFailure if error.code in _MAY_PASS else IndexFailure
            raise kind(f"{_brief(url)} answers {error.code} {error.reason[:200]}", remedy=_OFFLINE) from None
        except (OSError, HTTPException, ValueError) as error:  # ValueError: a host or redirect that makes no sense
            why = error.reason if isinstance(error, URLError) else error
            if _is_late(why):
                why = f"no answer within {self._timeout:g} seconds"
            # Silence was long enough as it is, and where no server is none will be in a second.
            kind = PassingFailure if isinstance(why, ConnectionResetError) else IndexFailure
            raise kind(f"{_brief(url)} cannot be reached: {why}", remedy=_OFFLINE) from None
        return opened


class _Missing(Exception):
    """The server says that there is no such thing."""


def _is_late(error: object) -> bool:
    # Before Python 3.10, socket.timeout is no TimeoutError.
    return isinstance(error, TimeoutError) or "timed out" in str(error)


def _brief(url: str) -> str:
    """Return *url* for a message: of a long one, the host and the name of the file, for the rest is hashes."""
    if len(url) <= _LONGEST_SHOWN:
        return url
    scheme, _, rest = url.partition("://")
    name = rest.rstrip("/").rpartition("/")[2].partition("?")[0]
    return f"{scheme}://{rest.partition('/')[0]}/.../{name[-_LONGEST_SHOWN:]}"


def _trust(certificates: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=certificates or None)
    except OSError as error:
        raise UsageError(
            f"the certificates {certificates} cannot be read: {error.strerror or error}", remedy="Check PIP_CERT."
        ) from None


def _parted(address: str) -> tuple[str, str, str]:
    """Return *address* without its credentials, these, and the host with its port."""
    try:
        parts = urlsplit(address)
    except ValueError:  # it is then refused, and nothing of it is shown
        return "", "", ""
    # The last one: passwords may contain an unescaped "@".
    credentials, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=host)), credentials, host


def _pieces(answer: transport.BoundedResponse, url: str, most: int, size: int | None = None) -> Iterator[bytes]:
    """Yield the body of *answer*: whole, at most *most* bytes, and of the *size* that the index says, if it does."""
    length = answer.headers.get("Content-Length", "")
    # With chunks, Content-Length counts for nothing (RFC 9112, section 6.3).
    declared = int(length) if re.fullmatch(r"[0-9]{1,18}", length) and not answer.chunked else None
    expected = [one for one in (declared, size) if one is not None]
    # Before the first byte is read, so that nothing is written in vain.
    if max(expected, default=0) > most:
        raise IndexFailure(
            f"{_brief(url)} has {max(expected):,} bytes; {most:,} are the most that are read", remedy=_TOO_LARGE
        )
    if len(set(expected)) > 1:
        raise IndexFailure(f"{_brief(url)} has {declared:,} bytes, but the index says {size:,}", remedy=_BROKEN)
    received = 0
    while True:
        try:
            piece = answer.read1(_CHUNK)  # which comes back with each packet, so that little is held
        except (OSError, HTTPException, ValueError) as error:
            kind = IndexFailure if _is_late(error) else PassingFailure
            raise kind(f"{_brief(url)} broke off: {error}", remedy=_OFFLINE) from None
        if not piece:
            break
        received += len(piece)
        answer.received(len(piece))
        # Neither declaration can be trusted to hold.
        if received > min([most, *expected]):
            raise IndexFailure(f"{_brief(url)} has more than {min([most, *expected]):,} bytes", remedy=_TOO_LARGE)
        yield piece
    if expected and received != expected[0]:
        raise PassingFailure(
            f"{_brief(url)} ended after {received:,} of {expected[0]:,} bytes",
            remedy="Try again; the connection was lost.",
        )
