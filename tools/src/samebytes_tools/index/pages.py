"""Pages of the simple repository API: read as an index gives them, and written for pip.

https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 503, 592, 691 and 700).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html import escape
from html.parser import HTMLParser
from reprlib import Repr
from typing import Any, TypeVar
from urllib.parse import unquote, urldefrag, urljoin

from samebytes.errors import IndexFailure

from .transport import is_address

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""The header by which a page is asked for: JSON is preferred, for it has times of upload."""

_Kind = TypeVar("_Kind")
# Without md5 and sha1, for which files with equal hashes can be made.
_STRONG = ("sha512", "sha384", "sha256")
# What pip takes, and what PyPI has taken; links of an HTML page to anything else are navigation.
_SUFFIXES = (
    *(".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz"),
    *(".tar.lzma", ".tar.lz", ".tlz", ".egg", ".exe"),
)
# Not datetime.fromisoformat: before Python 3.11 it reads neither "Z" nor fractions other than 3 or 6 digits.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)
_FRAGMENT = re.compile(r"(?:^|&)(sha512|sha384|sha256|sha224|sha1|md5)=([^&]*)")
"""The hash in an address; pip knows others parts of it, such as ``egg``."""

_DIGEST = re.compile(r"[0-9a-f]+")
_LENGTHS = {"sha512": 128, "sha384": 96, "sha256": 64}
"""Hexadecimal digits of a digest."""

_LONGEST_NAME = 250
"""Bytes; file systems take 255."""

_LONGEST_TEXT = 4000
"""Characters of an address, a reason, a requirement."""

_LONGEST_TAG = 1 << 16
"""Characters of HTML without the end of a tag: an HTMLParser looks at all of them again for each new piece."""

_PIECE = 1 << 13
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 100
_MOST_DIGITS = 18
"""Of a number in JSON, which is as good as missing if it has more: Python before 3.11 takes quadratic time for it."""


@dataclass(frozen=True)
class File:
    """One file of a release, as the index describes it."""

    name: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Algorithm -> hexadecimal digest, both in lower case."""
    requires_python: str = ""
    yanked: str | None = None
    """The reason, which may be empty, or None (PEP 592)."""
    uploaded: int | None = None
    """Seconds since 1970-01-01 UTC; None where the index does not say (PEP 700)."""
    size: int | None = None
    """In bytes; None where the index does not say (PEP 700)."""
    provenance: str = ""
    """The address of its attestations, as it is shown if it is not one; empty where the index has none (PEP 740)."""

    @property
    def strongest(self) -> str:
        """The algorithm of the strongest hash; empty if there is none to verify a download by."""
        return next((one for one in _STRONG if self.hashes.get(one)), "")


def read(body: bytes, content_type: str, url: str) -> tuple[File, ...]:
    """Return the files that a page lists, in its order, each name once.

    :param url: where the page was in the end, after redirects: addresses in it may be relative to that.
    :raises IndexFailure: if it is not a page of a simple API of version 1, or what a file in it must have is malformed.
    """
    found: dict[str, File] = {}
    try:
        # By its end: private indexes send application/json, too.
        for file in _read_json(body, url) if content_type.endswith("json") else _read_html(body, url):
            first = found.setdefault(file.name, file)
            # A name that stands for two files could be verified by either hash, so which one is got would be chance.
            if any(first.hashes[one] != file.hashes[one] for one in first.hashes.keys() & file.hashes.keys()):
                raise _Malformed(f"it has two files called {file.name}, with different hashes")
    except _Malformed as error:
        raise IndexFailure(
            f"the page {url} cannot be read: {error}", remedy="Is that address a package index at all?"
        ) from None
    return tuple(found.values())


class _Malformed(Exception):
    """A page, or a file in it, is not as specified; the message says what is wrong."""


def _read_json(body: bytes, url: str) -> Iterator[File]:
    try:
        document = json.loads(body, parse_int=_integer, parse_constant=_no_number)
        version, rows = document["meta"]["api-version"], document["files"]
    # RecursionError: json.loads recurses, and a page may nest thousands of lists.
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _Malformed(f"its JSON is malformed: {_shown(error)}") from None
    # PEP 629: a client fails on another major version, and reads any minor one.
    if _of_type(version, str, "api-version").partition(".")[0] != "1":
        raise _Malformed(f"it is of version {_shown(version)} of the simple API, and samebytes reads 1")
    for row in _of_type(rows, list, "the list of files"):
        values = _of_type(row, dict, "a file")
        name = _file_name(values.get("filename"))
        yield File(
            name=name,
            url=_address(url, values.get("url"), name),
            hashes=_digests(values.get("hashes", {}), name),
            requires_python=_optional_text(values.get("requires-python")),
            # PEP 691: what is truthy; an empty text is not.
            yanked=_reason(values.get("yanked") or None),
            uploaded=_seconds(values.get("upload-time")),
            size=_size(values.get("size")),
            provenance=_provenance(url, values.get("provenance"), name),
        )


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON (RFC 8259, section 6)")


def _read_html(body: bytes, url: str) -> Iterator[File]:
    """Read a page of links, for which no time of upload is specified; some servers give ``data-upload-time``."""
    # A page of HTML may be in any encoding; addresses and hashes are ASCII in practice.
    page = _parsed(body.decode("utf-8", "replace"))
    base = url
    # An address that is none leaves the page's own in force (HTML, "document base URL"), as an empty one does.
    with suppress(ValueError):
        base = urljoin(url, page.base or "")
    for anchor in page.found:
        where, _, fragment = anchor["href"].partition("#")
        # Query strings are signatures of object stores, not part of the name.
        name = unquote(where.partition("?")[0].rpartition("/")[2])
        if not name.endswith(_SUFFIXES):  # a page may link to other things than files of releases
            continue
        yield File(
            name=_file_name(name),
            url=_address(base, where, name),
            hashes=_digests(dict(_FRAGMENT.findall(fragment)), name),
            requires_python=_optional_text(anchor.get("data-requires-python")),
            yanked=_reason(anchor.get("data-yanked")),
            uploaded=_seconds(anchor.get("data-upload-time")),
            provenance=_provenance(base, anchor.get("data-provenance"), name),
        )


def _parsed(text: str) -> _Anchors:
    """Return what has read the whole page."""
    reader = _Anchors()
    try:
        for start in range(0, len(text), _PIECE):
            reader.feed(text[start : start + _PIECE])
            if len(reader.rawdata) > _LONGEST_TAG:
                raise _Malformed("a tag in it has no end")
        reader.close()
    except (ValueError, AssertionError, NotImplementedError) as error:  # of html.parser, for declarations, numbers
        raise _Malformed(f"its HTML is malformed: {_shown(error)}") from None
    # Else plain text, such as an error, would count as a project without files.
    if not reader.is_html:
        raise _Malformed("it is not a page of links (PEP 503)")
    return reader


class _Anchors(HTMLParser):
    """Collects the attributes of the links of a page, and what they are relative to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.base: str | None = None
        """Of the first ``base`` that has one, wherever it is on the page."""
        self.is_html = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_html = True
        # An attribute without a value: `data-yanked` alone yanks, without a reason.
        values = {name: value or "" for name, value in attrs}
        if tag == "base" and self.base is None:
            self.base = values.get("href")
        if tag == "a" and values.get("href"):
            self.found.append(values)


def _shown(what: object) -> str:
    """Return *what* for a message, which has to stay short."""
    return str(what)[:100] if isinstance(what, Exception) else _SHORT.repr(what)


def _of_type(value: Any, kind: type[_Kind], what: str) -> _Kind:
    if not isinstance(value, kind):
        raise _Malformed(f"{what} is {_shown(value)} (PEP 691)")
    return value


def _text(value: object, what: str) -> str:
    """Return a text that a page of ours can carry on: without surrogates, and not of any length."""
    text = _of_type(value, str, what)
    if len(text) > _LONGEST_TEXT or any("\ud800" <= char <= "\udfff" for char in text):
        raise _Malformed(f"{what} is {_shown(text)}")
    return text


def _file_name(value: object) -> str:
    """Return the name of a file, which becomes that of a download: it must not lead to another directory."""
    name = _text(value, "the name of a file")
    # Beyond the slash also what Windows forbids or drops, so that one name is one file everywhere.
    is_harmful = name.startswith(".") or name.endswith((".", " ")) or re.search(r'[/\\:*?"<>|]', name)
    if not name or is_harmful or not name.isprintable() or len(name.encode()) > _LONGEST_NAME:
        raise _Malformed(f"{_shown(name)} is not a file name")
    return name


def _address(page: str, value: object, name: str) -> str:
    """Return the address of the file *name*, which may be relative to that of the *page*."""
    where = _text(value, f"the address of {name}")
    try:
        url = urldefrag(urljoin(page, where)).url
    except ValueError:
        url = ""
    if not is_address(url):
        raise _Malformed(f"the address of {name}, {_shown(where)}, is not one of http or https")
    return url


def _provenance(page: str, value: object, name: str) -> str:
    """Return the address of the attestations of the file *name*, or nothing: null and an empty text mean none.

    What is not an address is shown in its place, for whoever asks for the attestations: the others are not concerned.
    """
    try:
        return _address(page, value, f"the attestations of {name}") if value else ""
    except _Malformed:
        return _shown(value)


def _digests(value: object, name: str) -> dict[str, str]:
    """Return the hashes of the file *name*; those that a download is verified by must be possible ones."""
    found = {}
    for algorithm, digest in _of_type(value, dict, f"hashes of {name}").items():
        kind, digits = algorithm.lower(), _text(digest, f"a hash of {name}").lower()
        if not _DIGEST.fullmatch(digits) or len(digits) != _LENGTHS.get(kind, len(digits)):
            raise _Malformed(f"the {_shown(algorithm)} of {name} is {_shown(digest)}, which is not one")
        found[kind] = digits
    return found


# What a page may leave out is left out where it is malformed, as pip does: else one file of long ago, which nobody
# asks for, would make all of a project unreadable.


def _optional_text(value: object) -> str:
    """Return a text that may be left out; nothing if it is not a text that a page of ours can carry on."""
    try:
        return _text(value, "")
    except _Malformed:
        return ""


def _reason(value: object) -> str | None:
    """Return why a file is yanked, which may be empty; None if it is not (PEP 592)."""
    # Yanked it is, whatever is said of the reason.
    return None if value is None else _optional_text(value)


def _size(value: object) -> int | None:
    """Return a number of bytes (PEP 700); None if there is none."""
    # In Python, true is an int.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _seconds(value: object) -> int | None:
    """Return a time of upload (PEP 700: ISO 8601, in UTC) in seconds since 1970; None if there is none."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        moment = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %H:%M:%S") if found else None
    except ValueError:
        return None
    return int(moment.replace(tzinfo=timezone.utc).timestamp()) if moment else None


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
    if file.uploaded is not None:
        # For readers of ours: a rebuild in a survey's sandbox takes what was there at a time.
        shown["data-upload-time"] = datetime.fromtimestamp(file.uploaded, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in shown.items())
    return f"<a {attributes}>{escape(file.name)}</a><br>"
