"""An index that answers anything: the error of an index, and nothing written but what it was asked for."""

from __future__ import annotations

import copy
import gzip
import hashlib
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samebytes_tools.index import cache, client
from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File
from samebytes_tools.index.serving import Snapshot
from support.examples import examples
from support.indexes import HTML, JSON, Answer, Server, serving

from samebytes.errors import ArchiveError, IndexFailure, UsageError

DATA = b"not really an sdist" * 100
SHA = hashlib.sha256(DATA).hexdigest()
NAME = "demo-1.0.tar.gz"
PAGE: dict[str, Any] = {
    "meta": {"api-version": "1.1"},
    "name": "demo",
    "files": [
        {
            "filename": NAME,
            "url": f"/files/{NAME}",
            "hashes": {"sha256": SHA},
            "requires-python": ">=3.9",
            "yanked": False,
            "upload-time": "2024-09-15T18:07:37.789012Z",
            "size": len(DATA),
        },
        {"filename": "demo-0.9.tar.gz", "url": "demo-0.9.tar.gz", "hashes": {"sha256": "0" * 64}},
    ],
}
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        running.answers[f"/files/{NAME}"] = Answer(DATA)
        yield running


@pytest.fixture(scope="module", autouse=True)
def no_pause() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "PAUSE", 0.0)
        yield


def below(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def tried(server: Server, answer: Answer, tmp_path: Path) -> str:
    """Return why nothing could be had when the page is *answer*; nothing if all went well. Both ways are documented."""
    server.answers["/simple/demo/"] = answer
    inside = tmp_path / "inside"
    inside.mkdir(exist_ok=True)
    index = Index(server.address, timeout=5)
    why = ""
    try:
        files = index.files("demo")
        Snapshot(index, 2**40).page("demo")
        CachedIndex(index, inside / "cache").page("demo")
    except IndexFailure as error:
        return _described(error)
    for file in files:
        try:
            assert index.download(file, inside).parent == inside
            assert CachedIndex(index, inside / "cache").fetch(file).is_file()
        except (IndexFailure, ArchiveError) as error:
            why = error.message
    assert [name for name in below(tmp_path) if not name.startswith("inside")] == []
    assert all(path.read_bytes() == DATA for path in inside.rglob("*") if path.is_file())
    return why


def _described(error: IndexFailure) -> str:
    assert error.remedy
    assert len(error.message) < 2000
    return error.message


def paths_of(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to each value in *document*."""
    yield above
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from paths_of(value, (*above, key))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**30),
    st.floats(),
    st.text(max_size=20),
    st.text(alphabet=st.characters(categories=("Cs", "Cc", "Cf", "Zl")), max_size=5),
    st.sampled_from(
        [[], {}, [[]], {"a": {}}, "x" * 5000, "é" * 200, "../../x", "/etc/x", "..", "a\0b", "a/../../b.whl"]
    ),
    st.sampled_from(
        ["file:///dev/zero", "ftp://host/x", "http://[", "http://host:99999/", "data:,x", "//", "http:///x"]
    ),
    st.sampled_from(["2024-13-45T00:00:00Z", "0000-01-01T00:00:00Z", "٢٠٢٤-01-01T00:00:00Z", "9999-12-31T23:59:61Z"]),
    st.sampled_from(["../" * 30 + "x", "A" * 64, "g" * 64, "0" * 63, "٠" * 64]),
)


@pytest.mark.slow("asks a server for each example")
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_with_any_value_in_any_place(server: Server, tmp_path: Path, data: st.DataObject) -> None:
    """PEP 691, 700: a page of other types or values is not one, or is read; nothing is written elsewhere."""
    document = copy.deepcopy(PAGE)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(paths_of(document))))
        where = document
        for key in path[:-1]:
            where = where[key]
        if not path:
            document = data.draw(ODD)
        elif isinstance(where, dict) and data.draw(st.booleans()):
            where[data.draw(st.text(max_size=9))] = where.pop(path[-1])
        else:
            where[path[-1]] = data.draw(ODD)
    tried(server, Answer(json.dumps(document).encode(), JSON), tmp_path)


@pytest.mark.slow("asks a server for each example")
@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_with_any_bytes_in_any_place(server: Server, tmp_path: Path, data: st.DataObject) -> None:
    links = (
        f'<html><a href="/files/{NAME}#sha256={SHA}" data-yanked="x" data-requires-python="&gt;=3">{NAME}</a></html>'
    )
    body = bytearray(data.draw(st.sampled_from([json.dumps(PAGE).encode(), links.encode()])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        odd = st.sampled_from(
            [b"<!", b"<![x", b"<!--", b"<?", b"&#xd800;", b"&#9999999999;", b"\xff", b"[" * 99, b"//["]
        )
        body[start : start + data.draw(st.integers(0, 30))] = data.draw(st.one_of(st.binary(max_size=9), odd))
    tried(server, Answer(bytes(body), data.draw(st.sampled_from([JSON, HTML, "text/plain"]))), tmp_path)


UNKNOWN_DECLARATION = b"<html><![x["


def refuses(page: bytes) -> bool:
    """Return whether html.parser gives up; since Python 3.14 it takes declarations as browsers do."""
    try:
        HTMLParser().feed(page.decode())
    except (AssertionError, NotImplementedError):
        return True
    return False


def row(**changes: Any) -> Answer:
    return Answer(json.dumps({**PAGE, "files": [{**PAGE["files"][0], **changes}]}).encode(), JSON)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (row(url="file:///dev/zero"), "not one of http or https"),
        (row(url="ftp://127.0.0.1/x"), "not one of http or https"),
        (row(url="http://[/"), "not one of http or https"),
        (row(hashes={"sha256": "../../../../outside"}), "which is not one"),
        (row(filename="a\ud800.whl"), "the name of a file"),
        (row(filename="x" * 251), "is not a file name"),
        (Answer(json.dumps({**PAGE, "files": [PAGE["files"][0], {**PAGE["files"][0], "hashes": {"sha256": "1" * 64}}]}).encode(), JSON), "two files"),
        (Answer(b"[" * 1_000_000, JSON), "JSON is malformed"),
        (Answer(b'{"meta": {"api-version": NaN}}', JSON), "NaN"),
        (Answer(b'{"size": ' + b"9" * 1_000_000 + b"}", JSON), "JSON is malformed: 'meta'"),
        (Answer(b'{"a": "\xff"}', JSON), "JSON is malformed"),
        (Answer(b"<html>hello", JSON), "JSON is malformed"),
        (Answer(b"<html>" + b"<!--" * 50_000, HTML), "no end"),
        *([(Answer(UNKNOWN_DECLARATION, HTML), "HTML is malformed")] if refuses(UNKNOWN_DECLARATION) else []),
        (Answer(gzip.compress(bytes(1 << 20)), JSON, headers={"Content-Encoding": "gzip"}), "encoded (gzip)"),
        (Answer(b"", status=302, headers={"Location": "ftp://127.0.0.1/x"}), "not an address of http"),
        (Answer(b"", status=302, headers={"Location": "http://[::1"}), "cannot be reached"),
        (Answer(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"]), "are the most that are read"),
        (Answer(raw=[b"nonsense\r\n\r\n"]), "cannot be reached"),
        (Answer(raw=[OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"]), "cannot be reached"),
        (Answer(raw=[OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"]), "broke off"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(server: Server, tmp_path: Path, answer: Answer, said: str) -> None:
    message = tried(server, answer, tmp_path)
    assert said in message
    assert "/simple/demo/" in message


@pytest.mark.parametrize("to", ["file:///dev/zero", "ftp://127.0.0.1/x"])
def test_a_download_is_not_redirected_to_another_scheme(server: Server, tmp_path: Path, to: str) -> None:
    server.answers["/files/away.tar.gz"] = Answer(b"", status=302, headers={"Location": to})
    with pytest.raises(IndexFailure, match="302"):
        Index(server.address).download(
            File("a.tar.gz", f"{server.address[:-7]}/files/away.tar.gz", {"sha256": SHA}), tmp_path
        )
    with pytest.raises(IndexFailure, match="not an address of http"):
        Index(server.address).download(File("a.tar.gz", to, {"sha256": SHA}), tmp_path)
    assert below(tmp_path) == []


@pytest.mark.parametrize(
    ("answer", "size", "said"),
    [
        (Answer(DATA), len(DATA) + 1, "but the index says"),
        (Answer(DATA), 1 << 60, "are the most that are read"),
        (Answer(raw=[b"HTTP/1.1 200 OK\r\n\r\n", DATA, b"!"]), len(DATA), "has more than 1,900 bytes"),
        (Answer(raw=[b"HTTP/1.1 200 OK\r\n\r\n", DATA[:5]]), len(DATA), "ended after 5 of 1,900 bytes"),
        (Answer(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 8000000000\r\n\r\n"]), None, "are the most that are read"),
    ],
)
def test_a_download_has_the_size_that_is_said(
    server: Server, tmp_path: Path, answer: Answer, size: int | None, said: str
) -> None:
    """PEP 700; nothing stays of another one."""
    server.answers["/files/sized.tar.gz"] = answer
    url = f"{server.address[:-7]}/files/sized.tar.gz"
    with pytest.raises(IndexFailure, match=said):
        Index(server.address).download(File("a.tar.gz", url, {"sha256": SHA}, size=size), tmp_path)
    assert below(tmp_path) == []


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    return itertools.chain([head], itertools.repeat(piece))


class Dripping:
    """Pieces that come just often enough for no silence to be long; each request has them from the beginning."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self._head, self._piece = head, piece

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while True:
            time.sleep(0.02)
            yield self._piece


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.slow("what never ends is waited for, for a while")
@pytest.mark.parametrize(
    "raw",
    [
        endless(OK + b"\r\n", b" " * 65536),
        endless(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
        endless(CHUNKED + b"-1\r\n", b" " * 65536),
        endless(CHUNKED + b"0\r\n", b"A: b\r\n" * 1000),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        endless(OK, b"A: b\r\n" * 1000),
        endless(b"HTTP/1.1 302 Found\r\nLocation: /simple/nowhere/\r\n\r\n", b" " * 65536),
        Dripping(OK + b"\r\n", b" "),
        Dripping(OK, b"A"),
        Dripping(CHUNKED, b"1\r\n \r\n"),
    ],
)  # fmt: skip
def test_an_answer_without_end_is_left(
    server: Server, tmp_path: Path, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its size or by its time, in little memory: each byte that arrives in time must not buy another timeout."""
    monkeypatch.setattr(client, "LARGEST_FILE", 4 << 20)
    monkeypatch.setattr(client, "_LONGEST_PAGE", 4 << 20)
    server.answers["/simple/demo/"] = server.answers["/files/endless"] = Answer(raw=raw)
    index = Index(server.address, timeout=0.1)
    with pytest.raises((IndexFailure, UsageError)):  # UsageError: where a redirect led to
        index.files("demo")
    with pytest.raises(IndexFailure):
        index.download(File("a.tar.gz", f"{server.address[:-7]}/files/endless", {"sha256": SHA}), tmp_path)
    assert below(tmp_path) == []


HUGE = """
import sys
from samebytes_tools.index.pages import read
from samebytes.errors import IndexFailure
kind, text, times = sys.argv[1:]
try:
    read(text.encode() * int(times), kind, "http://127.0.0.1/simple/demo/")
except IndexFailure:
    sys.exit(12)
"""


@pytest.mark.parametrize(
    ("kind", "text"),
    [(HTML, "<a"), (HTML, "<!--"), (HTML, "<a href='"), (HTML, "</"), (HTML, "<script>"), (HTML, "<?"), (HTML, "&#"),
     (HTML, "<a b=\""), (HTML, "<![CDATA["), (HTML, "<!DOCTYPE ["), (JSON, "["), (JSON, '{"a":'), (JSON, "9"), (JSON, '"\\ud800')],
)  # fmt: skip
def test_a_large_page_costs_no_more_than_its_size(kind: str, text: str) -> None:
    """8 MB of what parsers look at again and again take less than 60 s of CPU: 8 µs a byte."""

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    command = [sys.executable, "-c", HUGE, kind, text, str(8_000_000 // len(text))]
    done = subprocess.run(command, capture_output=True, preexec_fn=bounded, env={**os.environ}, check=False)
    assert (done.returncode, done.stderr) in {(0, b""), (12, b"")}
