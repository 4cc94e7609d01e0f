"""An index through a cache: each file is fetched once, verified, and kept by its hash."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from samebytes_tools.index import mirror as module
from samebytes_tools.index.index import Index
from samebytes_tools.index.mirror import Mirror, serving
from support.indexes import Answer, Server
from support.indexes import serving as serving_index

from samebytes.errors import ArchiveError, IndexFailure, UsageError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    path = tmp_path / "made" / "it-1.0.tar.gz"
    path.parent.mkdir()
    path.write_bytes(b"contents")
    with serving_index() as running:
        running.add("it", path, **{"requires-python": ">=3.8 & <x>", "yanked": "a reason"})
        yield running


@pytest.fixture
def mirror(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    return Mirror(Index(server.address), tmp_path / "cache")


def asked(server: Server, path: str) -> int:
    return [one for one, _ in server.asked].count(path)


def test_a_file_is_fetched_once(mirror: Mirror, server: Server, tmp_path: Path) -> None:
    (file,) = mirror.files("it")
    first = mirror.fetch(file)
    assert (first.read_bytes(), first.name) == (b"contents", "it-1.0.tar.gz")
    assert file.hashes["sha256"] in first.parts
    assert Mirror(Index(server.address), tmp_path / "cache").fetch(file) == first
    assert asked(server, "/files/it-1.0.tar.gz") == 1
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_another_file_is_not_kept(mirror: Mirror, server: Server, tmp_path: Path) -> None:
    server.answers["/files/it-1.0.tar.gz"] = Answer(b"others")
    (file,) = mirror.files("it")
    with pytest.raises(ArchiveError, match="has the sha256"):
        mirror.fetch(file)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_file_without_a_hash_is_refused(mirror: Mirror, server: Server) -> None:
    server.page("it", [{"filename": "it-1.0.tar.gz", "url": "/files/it-1.0.tar.gz", "hashes": {}}])
    (file,) = mirror.files("it")
    (mirror._cache).mkdir()
    with pytest.raises(ArchiveError, match="cannot be verified"):
        mirror.fetch(file)
    assert b"it-1.0" not in mirror.page("it")


def test_a_failure_is_tried_again_and_remembered(mirror: Mirror, server: Server) -> None:
    server.answers["/simple/it/"] = Answer(b"", status=503)
    with pytest.raises(IndexFailure, match="answers 503"):
        mirror.files("it")
    assert asked(server, "/simple/it/") == module.ATTEMPTS
    assert mirror.failure is not None


def test_what_is_not_there_is_not_asked_for_again(mirror: Mirror, server: Server) -> None:
    with pytest.raises(UsageError, match="has no project"):
        mirror.files("nothing")
    assert asked(server, "/simple/nothing/") == 1


def answer(address: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=20) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def test_pip_can_read_what_is_served(mirror: Mirror, server: Server) -> None:
    with serving(mirror):
        status, page = answer(f"{mirror.address}/it/")
        assert (status, page.count(b"<a ")) == (200, 1)
        assert b'data-requires-python="&gt;=3.8 &amp; &lt;x&gt;" data-yanked="a reason"' in page
        base = mirror.address.removesuffix("/simple")
        assert answer(f"{base}/files/it-1.0.tar.gz") == (200, b"contents")
        assert answer(f"{base}/files/it-1.0.tar.gz", "HEAD") == (200, b"")
        served = Index(mirror.address).files("it")
        assert [(one.name, one.yanked) for one in served] == [("it-1.0.tar.gz", "a reason")]


def test_nothing_else_is_served(mirror: Mirror, server: Server) -> None:
    with serving(mirror):
        base, port = mirror.address.removesuffix("/simple"), mirror.address.split("/")[2]
        for address in (f"{base}/files/it-1.0.tar.gz", f"{mirror.address}/nothing/", f"http://{port}/simple/it/", base):
            assert answer(address)[0] == 404
        server.answers["/simple/broken/"] = Answer(b"", status=500)
        assert answer(f"{mirror.address}/broken/")[0] == 502
    assert mirror.address == ""
