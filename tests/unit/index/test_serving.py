"""Indexes that are served on this machine: as one was at a time, and through a cache."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from typing import Any

from samebytes_tools.index.cache import CachedIndex
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File, link
from samebytes_tools.index.serving import Snapshot, serving
from support.indexes import HTML, Answer, Server

SHA = hashlib.sha256(b"contents").hexdigest()
ROW: dict[str, Any] = {
    "url": "/files/demo.tar.gz",
    "hashes": {"sha256": SHA},
    "requires-python": ">=3.9",
    "yanked": "broken",
}
UPLOADED = 1726423657


def answer(address: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=20) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def test_pip_can_read_what_is_served(cached: CachedIndex, server: Server) -> None:
    with serving(cached) as served:
        status, page = answer(f"{served.address}/it/")
        assert (status, page.count(b"<a ")) == (200, 1)
        assert b'data-requires-python="&gt;=3.8 &amp; &lt;x&gt;" data-yanked="a reason"' in page
        base = served.address.removesuffix("/simple")
        assert answer(f"{base}/files/it-1.0.tar.gz") == (200, b"contents")
        assert answer(f"{base}/files/it-1.0.tar.gz", "HEAD") == (200, b"")
        reread = Index(served.address).files("it")
        assert [(one.name, one.yanked) for one in reread] == [("it-1.0.tar.gz", "a reason")]


def test_nothing_else_is_served(cached: CachedIndex, server: Server) -> None:
    with serving(cached) as served:
        base, port = served.address.removesuffix("/simple"), served.address.split("/")[2]
        for address in (f"{base}/files/it-1.0.tar.gz", f"{served.address}/nothing/", f"http://{port}/simple/it/", base):
            assert answer(address)[0] == 404
        server.answers["/simple/broken/"] = Answer(b"", status=500)
        assert served.failure is None
        assert answer(f"{served.address}/broken/")[0] == 502
        assert "500" in str(served.failure)


def test_the_index_as_it_was(server: Server) -> None:
    """What was uploaded in the very second is in; what came later, or nobody knows when, is not."""
    rows = [("old", "2024-01-01T00:00:00Z"), ("now", "2024-09-15T18:07:37.9Z"), ("new", "2024-09-15T18:07:38Z")]
    server.page(
        "demo",
        [
            {**ROW, "filename": f"demo-{name}.tar.gz", "upload-time": when, "url": f"/files/{name}/demo-{name}.tar.gz"}
            for name, when in rows
        ]
        + [{**ROW, "filename": "demo-undated.tar.gz", "upload-time": None}],
    )
    with serving(Snapshot(Index(server.address), UPLOADED)) as served:
        page = answer(f"{served.address}/demo/")[1].decode()
        reread = Index(served.address).files("demo")
        assert answer(f"{served.address}/unknown/")[0] == 404
        assert answer(f"{served.address.replace(served.address.split('/')[3], 'guess')}/demo/")[0] == 404
        assert answer(f"{served.address.removesuffix('/simple')}/files/demo.tar.gz")[0] == 404
    root = f"{server.address[:-7]}/files"
    assert [file.url for file in reread] == [f"{root}/{name}/demo-{name}.tar.gz" for name in ("old", "now")]
    assert "demo-now" in page
    assert "demo-new" not in page
    assert "demo-undated" not in page
    assert {(file.requires_python, file.yanked, file.hashes["sha256"]) for file in reread} == {(">=3.9", "broken", SHA)}


def test_what_went_wrong_behind_a_snapshot_is_known(server: Server) -> None:
    server.answers["/simple/demo/"] = Answer(b"down", HTML, 500)
    with serving(Snapshot(Index(server.address), UPLOADED)) as served:
        assert answer(f"{served.address}/demo/")[0] == 502
        assert "500" in str(served.failure)


def test_the_hash_of_a_link() -> None:
    """SHA-256 if the index records it: pip repeats the hash in its report, and records of builds hold that."""
    hashes = {"sha512": "5" * 128, "sha256": "2" * 64, "md5": "0" * 32}
    for given, shown in (("sha512 sha256", "#sha256=2"), ("sha512 md5", "#sha512=5"), ("md5", 'href="x"')):
        file = File("demo-1.0.tar.gz", "", {name: hashes[name] for name in given.split()})
        assert shown in link(file, "x")
        assert (file.strongest == "") is (given == "md5")
