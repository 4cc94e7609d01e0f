"""An index with one file, and samebytes' cached view of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from samebytes_tools.index import cache
from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from support.indexes import Server
from support.indexes import serving as serving_index


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    path = tmp_path / "made" / "it-1.0.tar.gz"
    path.parent.mkdir()
    path.write_bytes(b"contents")
    with serving_index() as running:
        running.add("it", path, **{"requires-python": ">=3.8 & <x>", "yanked": "a reason"})
        yield running


@pytest.fixture
def cached(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CachedIndex:
    monkeypatch.setattr(cache, "PAUSE", 0.0)
    return CachedIndex(Index(server.address), tmp_path / "cache")
