"""An index through a cache: each file is fetched once, verified, and kept by its hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.index import cache
from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from support.indexes import Answer, Server

from samebytes.errors import ArchiveError, IndexFailure, UsageError


def asked(server: Server, path: str) -> int:
    return [one for one, _ in server.asked].count(path)


def test_a_file_is_fetched_once(cached: CachedIndex, server: Server, tmp_path: Path) -> None:
    (file,) = cached.files("it")
    first = cached.fetch(file)
    assert (first.read_bytes(), first.name) == (b"contents", "it-1.0.tar.gz")
    assert file.hashes["sha256"] in first.parts
    assert CachedIndex(Index(server.address), tmp_path / "cache").fetch(file) == first
    assert asked(server, "/files/it-1.0.tar.gz") == 1
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_another_file_is_not_kept(cached: CachedIndex, server: Server, tmp_path: Path) -> None:
    server.answers["/files/it-1.0.tar.gz"] = Answer(b"others")
    (file,) = cached.files("it")
    with pytest.raises(ArchiveError, match="has the sha256"):
        cached.fetch(file)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_file_without_a_hash_is_refused(cached: CachedIndex, server: Server) -> None:
    server.page("it", [{"filename": "it-1.0.tar.gz", "url": "/files/it-1.0.tar.gz", "hashes": {}}])
    (file,) = cached.files("it")
    (cached._cache).mkdir()
    with pytest.raises(ArchiveError, match="cannot be verified"):
        cached.fetch(file)
    assert b"it-1.0" not in cached.page("it")


def test_a_failure_is_tried_again(cached: CachedIndex, server: Server) -> None:
    server.answers["/simple/it/"] = Answer(b"", status=503)
    with pytest.raises(IndexFailure, match="answers 503"):
        cached.files("it")
    assert asked(server, "/simple/it/") == cache.ATTEMPTS


def test_a_failure_that_passes_is_none(cached: CachedIndex, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    good = server.answers["/simple/it/"]
    server.answers["/simple/it/"] = Answer(b"", status=503)
    monkeypatch.setattr(cache.time, "sleep", lambda _: server.answers.update({"/simple/it/": good}))
    assert [file.name for file in cached.files("it")] == ["it-1.0.tar.gz"]
    assert asked(server, "/simple/it/") == 2


def test_what_is_not_there_is_not_asked_for_again(cached: CachedIndex, server: Server) -> None:
    with pytest.raises(UsageError, match="has no project"):
        cached.files("nothing")
    assert asked(server, "/simple/nothing/") == 1
