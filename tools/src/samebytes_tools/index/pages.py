"""Pages of the simple repository API: read as an index gives them, and written for pip.

https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 503, 592, 691 and 700).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from samebytes.errors import IndexFailure

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""The header by which a page is asked for: JSON is preferred, for it has times of upload."""

_STRONG = ("sha512", "sha384", "sha256")
_SUFFIXES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".egg", ".exe")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)")


@dataclass(frozen=True)
class File:
    """One file of a release, as the index describes it."""

    name: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Algorithm in lower case -> hexadecimal digest."""
    requires_python: str = ""
    yanked: str | None = None
    """The reason, which may be empty, or None (PEP 592)."""
    uploaded: int | None = None
    """Seconds since 1970-01-01 UTC; None where the index does not say (PEP 700)."""

    @property
    def strongest(self) -> str:
        """The algorithm of the strongest hash; empty if there is none to verify a download by."""
        return next((one for one in _STRONG if self.hashes.get(one)), "")


def read(body: bytes, content_type: str, url: str) -> tuple[File, ...]:
    """Return the files that a page lists, in its order.

    :param url: where the page was in the end, after redirects: addresses in it may be relative to that.
    :raises IndexFailure: if it is not a page of a simple API of version 1.
    """
    return tuple(_read_json(body, url) if content_type.endswith("json") else _read_html(body, url))


def _read_json(body: bytes, url: str) -> Iterator[File]:
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
            raise _unreadable(url, f"the file {name!r} lacks the name, address and hashes of PEP 691")
        yanked = row.get("yanked", False)
        yield File(
            name=_checked(name, url),
            url=urljoin(url, where),
            hashes={str(algorithm).lower(): str(digest) for algorithm, digest in hashes.items()},
            requires_python=str(row.get("requires-python") or ""),
            yanked=None if yanked is False else yanked if isinstance(yanked, str) else "",
            uploaded=_seconds(row.get("upload-time"), name, url),
        )


def _read_html(body: bytes, url: str) -> Iterator[File]:
    """Read a page of links, for which no time of upload is specified; some servers give ``data-upload-time``."""
    reader = _Anchors()
    reader.feed(body.decode("utf-8", "replace"))
    reader.close()
    if not reader.is_html:
        raise _unreadable(url, "it is not a page of links (PEP 503)")
    for anchor in reader.found:
        where, fragment = urldefrag(urljoin(url, anchor["href"]))
        algorithm, _, digest = fragment.partition("=")
        name = unquote(urlsplit(where).path.rpartition("/")[2])
        if not name.endswith(_SUFFIXES):  # a page may link to other things than files of releases
            continue
        yield File(
            name=_checked(name, url),
            url=where,
            hashes={algorithm.lower(): digest} if digest else {},
            requires_python=anchor.get("data-requires-python", ""),
            yanked=anchor.get("data-yanked"),
            uploaded=_seconds(anchor.get("data-upload-time"), name, url),
        )


class _Anchors(HTMLParser):
    """Collects the attributes of the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.is_html = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html = True
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and values.get("href"):
            self.found.append(values)


def _checked(name: str, url: str) -> str:
    """Return the name of a file, which becomes that of a download: it must not lead to another directory."""
    if not name or name.startswith(".") or re.search(r"[/\\\0]", name):
        raise _unreadable(url, f"{name!r} is not a file name")
    return name


def _seconds(text: object, name: str, url: str) -> int | None:
    """Return a time of upload (ISO 8601, in UTC) in seconds since 1970; None if there is none."""
    if not text:
        return None
    found = _TIME.fullmatch(str(text))
    if not found:
        raise _unreadable(url, f"the upload time {text!r} of {name} is not a time in UTC (PEP 700)")
    moment = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M:%S")
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


def _unreadable(url: str, why: str) -> IndexFailure:
    return IndexFailure(f"the page {url} cannot be read: {why}", remedy="Is that address a package index at all?")


def write(links: Iterable[str]) -> bytes:
    """Return a page with *links*."""
    return "\n".join(["<!DOCTYPE html><html><body>", *links, "</body></html>"]).encode()


def link(file: File, address: str) -> str:
    """Return the link to *file* at *address*, with its hash."""
    # pip reports the hash that a link gave it, and records of builds are held against SHA-256.
    algorithm = "sha256" if file.hashes.get("sha256") else file.strongest
    shown = {"href": f"{address}#{algorithm}={file.hashes[algorithm]}" if algorithm else address}
    if file.requires_python:
        shown["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        shown["data-yanked"] = file.yanked
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in shown.items())
    return f"<a {attributes}>{escape(file.name)}</a><br>"
