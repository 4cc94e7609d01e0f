"""The package index: what is read of pages, what a download must be, and every way in which networks fail."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.index import client, pages
from samebytes_tools.index.client import Index, configured_address
from samebytes_tools.index.pages import File
from support.indexes import HTML, JSON, Answer, Server, serving

from samebytes.errors import ArchiveError, IndexFailure, OutputError, SamebytesError, UsageError

DATA = b"not really a wheel" * 5000
SHA = hashlib.sha256(DATA).hexdigest()
NAME = "demo-1.0-py3-none-any.whl"
ROW: dict[str, Any] = {
    "filename": NAME,
    "url": f"/files/{NAME}",
    "hashes": {"sha256": SHA},
    "requires-python": ">=3.9",
    "yanked": "broken",
    "upload-time": "2024-09-15T18:07:37.789012Z",
}
UPLOADED = 1726423657


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.page("demo", [ROW])
        running.answers[f"/files/{NAME}"] = Answer(DATA)
        yield running


def failed(kind: type[SamebytesError], index: Index, project: str = "demo") -> str:
    """Return the message with which reading a page fails; there is a remedy."""
    with pytest.raises(kind) as caught:
        index.files(project)
    assert caught.value.remedy
    return caught.value.message


def test_a_page_of_json_with_times_of_upload(server: Server) -> None:
    """PEP 691, PEP 700; the address of a file may be relative."""
    root = server.address[: -len("/simple")]
    assert Index(server.address).files("Demo") == (
        File(NAME, f"{root}/files/{NAME}", {"sha256": SHA}, ">=3.9", "broken", UPLOADED),
    )
    path, headers = server.asked[0]
    assert path == "/simple/demo/"
    assert headers["Accept"].startswith(JSON)


@pytest.mark.parametrize(
    ("yanked", "read"), [(False, None), (True, ""), ("", None), ("a reason", "a reason"), (None, None)]
)
def test_yanked(server: Server, yanked: object, read: str | None) -> None:
    server.page("demo", [{**ROW, "yanked": yanked}])
    assert Index(server.address).files("demo")[0].yanked == read


def test_a_page_of_html(server: Server) -> None:
    """PEP 503, PEP 592; no time, unless the server gives one in an attribute of its own."""
    page = f"""<!DOCTYPE html><html><body><a href="../../files/{NAME}#sha256={SHA}"
        data-requires-python="&gt;=3.9" data-yanked="">{NAME}</a><a href="/elsewhere">about</a>
        <a data-upload-time="2024-09-15T18:07:37Z" href="/files/demo-1.0.tar.gz">x</a></body></html>"""
    server.answers["/simple/demo/"] = Answer(page.encode(), HTML)
    root = server.address[: -len("/simple")]
    assert Index(f"{server.address}/").files("demo") == (
        File(NAME, f"{root}/files/{NAME}", {"sha256": SHA}, ">=3.9", "", None),
        File("demo-1.0.tar.gz", f"{root}/files/demo-1.0.tar.gz", {}, "", None, UPLOADED),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<base href="https://other.example/a/b">', ""),
        ('<base href="https://other.example:8443/a/b/">', ""),
        ("<base target=x><base href=https://first.example/x/><base href=https://second.example/y/>", ""),
        ('<base href=""><base href="https://second.example/y/">', ""),
        ("<base href>", ""),
        ("", '<BASE HREF="https://other.example/a/">'),
        ("<!-- <base href='https://other.example/a/'> -->", ""),
    ],
)
def test_links_are_relative_to_the_base_of_a_page(before: str, after: str) -> None:
    """As pip's own reader of pages has it (HTML, "the base element")."""
    from pip._internal.index.collector import IndexContent, parse_links
    from pip._internal.utils.filetypes import ARCHIVE_EXTENSIONS

    links = [f"../c/{NAME}", "/d/demo-1.0.tar.gz", "//host.example/demo-1.1.tar.gz", "https://x.example/demo-1.2.zip"]
    links += [f"{number}/demo-1.{number}{suffix}" for number, suffix in enumerate(ARCHIVE_EXTENSIONS)]
    page = f"<!DOCTYPE html><html>{before}{''.join(f'<a href={link}>x</a>' for link in links)}{after}</html>".encode()
    url = "https://index.example/simple/demo/"
    theirs = [link.url for link in parse_links(IndexContent(page, HTML, "utf-8", url, cache_link_parsing=False))]
    assert [file.url for file in pages.read(page, HTML, url)] == theirs
    assert len(theirs) == len(links)


def test_a_base_may_be_relative_to_the_page() -> None:
    """HTML, "document base URL"; pip resolves nothing against such a base."""
    page = f'<html><base href="../../files/"><a href="{NAME}">x</a></html>'.encode()
    (file,) = pages.read(page, HTML, "https://index.example/simple/demo/")
    assert file.url == f"https://index.example/files/{NAME}"


@pytest.mark.parametrize(
    "base", ["file:///etc/", "ftp://host.example/", "data:text/html,x", "javascript:x", "http:///x"]
)
def test_a_base_does_not_lead_to_another_scheme(base: str) -> None:
    page = f'<html><base href="{base}"><a href="{NAME}">x</a></html>'.encode()
    try:
        (file,) = pages.read(page, HTML, "https://index.example/simple/demo/")
    except IndexFailure as error:
        assert error.remedy  # noqa: PT017
        return
    assert file.url.startswith("https://index.example/")


def test_pages_are_asked_for_once(server: Server) -> None:
    index = Index(server.address)
    assert index.files("de_mo".replace("_", "")) is index.files("DEMO")
    assert len(server.asked) == 1


def test_an_unknown_project(server: Server) -> None:
    assert failed(UsageError, Index(server.address), "Un_Known").endswith("has no project 'un-known'")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"{", JSON), "JSON is malformed"),
        (Answer(b"[]", JSON), "JSON is malformed"),
        (Answer(b'{"meta": {"api-version": "1.0"}}', JSON), "'files'"),
        (Answer(json.dumps({"meta": {"api-version": "2.0"}, "files": []}).encode(), JSON), "version '2.0'"),
        (Answer(json.dumps({"meta": {"api-version": "1.0"}, "files": [{**ROW, "hashes": 3}]}).encode(), JSON), NAME),
        (Answer(b"hello", "text/plain"), "not a page of links"),
        (Answer(b"down", HTML, 503), "503"),
        (Answer(b"who are you?", HTML, 401), "401"),
        (Answer(b"", HTML, 302, {"Location": "/simple/demo/"}), "302"),
        (Answer(b"", HTML, 302, {"Location": "file:///etc/passwd"}), "302"),
        (Answer(b"<html>", HTML, declared=500), "ended after 6 of 500 bytes"),
    ],
)
def test_pages_that_cannot_be_read(server: Server, answer: Answer, said: str) -> None:
    server.answers["/simple/demo/"] = answer
    message = failed(IndexFailure, Index(server.address))
    assert said in message
    assert "/simple/demo/" in message


@pytest.mark.parametrize("name", ["../demo-1.0.tar.gz", "a/b.whl", "a\\b.whl", ".whl", ""])
def test_names_that_are_paths(server: Server, name: str) -> None:
    server.page("demo", [{**ROW, "filename": name}])
    assert "is not a file name" in failed(IndexFailure, Index(server.address))


@pytest.mark.parametrize(
    ("field", "values", "read"),
    [
        ("upload-time", ["yesterday", "2024-09-15", "2024-09-15T18:07:37+02:00", "2024-13-45T00:00:00Z", 5, {}], None),
        ("size", [-1, True, "12", 1.5, [], 10**17 * -1], None),
        ("requires-python", [3, [">=3"], {"a": 1}, True, "\ud800", "x" * 5000], ""),
        ("yanked", [False, "", 0, None, []], None),
        ("yanked", [True, 1, ["x"], {"a": 1}, "\ud800", "x" * 5000], ""),
        ("core-metadata", [3, "x", [], {"sha256": 5}], None),
        ("dist-info-metadata", [3, "x", [], {"sha256": 5}], None),
        ("gpg-sig", [3, "x"], None),
        ("anything", [3, "x"], None),
    ],
)
def test_what_may_be_left_out_is_left_out_where_it_is_malformed(
    server: Server, field: str, values: list[object], read: object
) -> None:
    """The file goes on to be taken, and so do the others; pip, too, goes on wherever it does not end in a traceback."""
    names = {"upload-time": "uploaded", "requires-python": "requires_python"}
    other = {**ROW, "filename": "demo-2.0.tar.gz"}
    for value in values:
        server.page("demo", [{**ROW, field: value}, other])
        file, second = Index(server.address).files("demo")
        assert (file.name, second.name) == (NAME, "demo-2.0.tar.gz")
        assert getattr(file, names.get(field, field), read) == read, value
        assert file.hashes == {"sha256": SHA}
        if field == "yanked" and isinstance(value, (bool, int, str)):
            assert pips_link({**ROW, field: value}).is_yanked == (file.yanked is not None)


def pips_link(row: dict[str, Any]) -> Any:
    from pip._internal.models.link import Link

    return Link.from_json(row, "https://index.example/simple/demo/")


def test_a_redirect_is_followed_and_addresses_are_relative_to_its_end(server: Server) -> None:
    server.answers["/other/demo/"] = server.answers["/simple/demo/"]
    server.page("demo", [])
    server.answers["/other/demo/"].body = server.answers["/other/demo/"].body.replace(b'"/files/', b'"')
    server.answers["/simple/demo/"] = Answer(status=301, headers={"Location": "/other/demo/"})
    assert Index(server.address).files("demo")[0].url.endswith(f"/other/demo/{NAME}")


def test_no_answer(server: Server) -> None:
    server.answers["/simple/demo/"].delay = 2.0
    assert "no answer within 0.2 seconds" in failed(IndexFailure, Index(server.address, timeout=0.2))


def test_as_long_as_pip_would_wait(server: Server) -> None:
    """PIP_DEFAULT_TIMEOUT counts unless a time is given; what is no number of seconds does not."""
    server.answers["/simple/demo/"].delay = 3.0
    environ = {"PIP_INDEX_URL": server.address, "PIP_DEFAULT_TIMEOUT": "1"}
    assert "no answer within 1 seconds" in failed(IndexFailure, Index.configured(environ))
    assert "no answer within 0.5 seconds" in failed(IndexFailure, Index.configured(environ, timeout=0.5))
    server.answers["/simple/demo/"].delay = 0.0
    assert Index.configured({**environ, "PIP_DEFAULT_TIMEOUT": "soon"}).files("demo")


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        message = failed(IndexFailure, Index(f"http://127.0.0.1:{taken.getsockname()[1]}/simple"))
    assert "cannot be reached" in message


def test_a_download_is_verified(server: Server, tmp_path: Path) -> None:
    index = Index(server.address)
    path = index.download(index.files("demo")[0], tmp_path)
    assert path == tmp_path / NAME
    assert path.read_bytes() == DATA
    assert os.listdir(tmp_path) == [NAME]


@pytest.mark.parametrize(
    ("answer", "hashes", "kind", "said"),
    [
        (Answer(DATA + b"!"), {"sha256": SHA}, ArchiveError, "but"),
        (Answer(DATA), {"sha256": SHA, "sha512": "00" * 64}, ArchiveError, "sha512"),
        (Answer(DATA), {}, ArchiveError, "records no SHA-256"),
        (Answer(DATA), {"md5": hashlib.md5(DATA).hexdigest()}, ArchiveError, "records no SHA-256"),
        (Answer(DATA[:1000], declared=len(DATA)), {"sha256": SHA}, IndexFailure, "ended after 1,000 of 90,000 bytes"),
        (Answer(b"gone", status=404), {"sha256": SHA}, IndexFailure, "404"),
        (Answer(b"", status=302, headers={"Location": "file:///etc/passwd"}), {"sha256": SHA}, IndexFailure, "302"),
    ],
)
def test_downloads_that_are_not_what_the_index_said(
    server: Server, tmp_path: Path, answer: Answer, hashes: dict[str, str], kind: type[SamebytesError], said: str
) -> None:
    """Nothing stays of them."""
    server.answers[f"/files/{NAME}"] = answer
    server.page("demo", [{**ROW, "hashes": hashes}])
    index = Index(server.address)
    with pytest.raises(kind, match=said) as caught:
        index.download(index.files("demo")[0], tmp_path)
    assert NAME in caught.value.message
    assert caught.value.remedy
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_not_the_networks_fault(server: Server, tmp_path: Path) -> None:
    index = Index(server.address)
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        index.download(index.files("demo")[0], tmp_path / "missing")


def test_credentials_go_to_the_index_and_nowhere_else(server: Server) -> None:
    """They are in no message either; a redirect to another host does not get them."""
    with serving() as other:
        other.page("demo", [ROW])
        port = server.address.partition("127.0.0.1")[2]
        index = Index(f"http://me:se%40cret@127.0.0.1{port}")
        index.files("demo")
        assert server.asked[0][1]["Authorization"] == "Basic " + base64.b64encode(b"me:se@cret").decode()
        server.answers["/simple/away/"] = Answer(
            status=302, headers={"Location": other.address.replace("127.0.0.1", "localhost") + "/demo/"}
        )
        assert [file.name for file in index.files("away")] == [NAME]
        assert "Authorization" not in other.asked[0][1]
        assert "cret" not in failed(UsageError, index, "unknown")
        assert index.with_credentials(f"http://127.0.0.1{port}/x").startswith("http://me:se%40cret@127.0.0.1")
        assert index.with_credentials(other.address) == other.address


@pytest.mark.parametrize("text", ["", "file:///opt/simple", "ftp://host/simple", "/opt/simple", "https://"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="http") as caught:
        Index(text)
    assert "PIP_INDEX_URL" in caught.value.remedy


def test_credentials_are_not_in_a_refusal() -> None:
    with pytest.raises(UsageError, match="'ftp://host/simple'"):
        Index("ftp://me:secret@host/simple")


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="certificates") as caught:
        Index("https://host/simple", certificates=str(tmp_path / "none.pem"))
    assert "PIP_CERT" in caught.value.remedy


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PIP_INDEX_URL": "https://a/simple", "UV_INDEX_URL": "https://b/simple"}, "https://a/simple"),
        ({"UV_INDEX_URL": "https://b/simple"}, "https://b/simple"),
        ({"UV_DEFAULT_INDEX": "inhouse=https://c/simple"}, "https://c/simple"),
    ],
)
def test_the_address_by_variables(environ: dict[str, str], expected: str) -> None:
    assert configured_address(environ) == expected


@pytest.mark.parametrize(
    ("text", "expected", "calls"),
    [
        ("[global]\nindex-url = https://configured/simple\n", "https://configured/simple", 1),
        ("[install]\nindex-url = https://b/simple\n[global]\nindex-url = https://a/simple\n", "https://b/simple", 1),
        ("[global]\nindex-url = https://me:pass%40@a/simple\n", "https://me:pass%40@a/simple", 2),
        ("[install]\nindex-url = https://me:pass@b/simple\n", "https://me:pass@b/simple", 2),
        ("[global]\nindex-url = https://me:it's@a/simple\n", "https://me:it's@a/simple", 2),
    ],
)
def test_the_address_in_pips_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str, calls: int
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(text)
    asked = []
    of_pip = client._pip
    monkeypatch.setattr(client, "_pip", lambda *words: asked.append(words) or of_pip(*words))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    assert configured_address({**environ, "PIP_CONFIG_FILE": str(configuration)}) == expected
    # A process of Python takes half a second.
    assert len(asked) <= calls


def test_asterisks_are_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "install": "  --index-url <url>  Base URL (default\n  https://me:****@a/simple)",
        "config": "global.index-url=me\n",
    }
    monkeypatch.setattr(client, "_pip", lambda _python, _environ, *words: said[words[0]])
    with pytest.raises(UsageError, match="hides the password") as caught:
        configured_address({})
    assert "PIP_INDEX_URL" in caught.value.remedy


def test_the_address_that_pip_has_by_default() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert configured_address({**environ, "PIP_CONFIG_FILE": os.devnull}) == known


def test_no_pip(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pip") as caught:
        configured_address({}, python="/bin/false")
    assert "PIP_INDEX_URL" in caught.value.remedy


def test_attestations_are_where_the_page_says(server: Server, tmp_path: Path) -> None:
    """PEP 740: a file's row has the address, relative to the page, or null."""
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"x")
    server.add("demo", path, provenance="/integrity/demo")
    index = Index(server.address)
    (file,) = index.files("demo")
    assert file.provenance == server.address.replace("/simple", "/integrity/demo")
    with pytest.raises(IndexFailure, match="is not there"):
        index.attestations(file)
    server.answers["/integrity/demo"] = Answer(b"{}", "application/json")
    assert index.attestations(file) == b"{}"
    server.answers["/integrity/demo"].declared = 9 << 20
    with pytest.raises(IndexFailure, match="are the most"):
        index.attestations(file)


@pytest.mark.parametrize(
    "value", [None, "", "ftp://host/a", "http://[", 7, [], ["x"], "\ud800", "https://host.example/" + "x" * 5000]
)
def test_addresses_of_attestations(value: object, server: Server, tmp_path: Path) -> None:
    """One that is malformed is missed by whoever asks for these attestations, and by nobody else."""
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"x")
    server.add("demo", path, provenance=value)
    index = Index(server.address)
    (file,) = index.files("demo")
    assert bool(file.provenance) == bool(value)
    assert index.download(file, tmp_path).read_bytes() == b"x"
    if value:
        with pytest.raises(IndexFailure, match=r"attestations of demo-1\.0\.tar\.gz, .*, is not one of http") as caught:
            index.attestations(file)
        assert len(caught.value.message) < 300


def test_a_long_address_is_shown_by_its_host_and_its_file() -> None:
    with serving() as server:
        url = f"{server.address}/{'0' * 200}/demo-1.0.tar.gz?token=secret"
        with pytest.raises(IndexFailure) as caught:
            Index(server.address)._fetch(File("demo-1.0.tar.gz", url), Path("never"), "sha256")
        assert "/.../demo-1.0.tar.gz is not there (404)" in caught.value.message
        assert "secret" not in caught.value.message
        assert "000" not in caught.value.message


EMPTY = b'{"meta": {"api-version": "1.0"}, "files": []}'


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (Answer(status=503), 3),
        (Answer(status=429), 3),
        (Answer(EMPTY, JSON, declared=500), 3),
        (Answer(raw=[b""]), 3),
        (Answer(status=403), 1),
        (Answer(status=404), 1),
        (Answer(b"{", JSON), 1),
    ],
)
def test_what_may_pass_is_asked_for_again(answer: Answer, requests: int) -> None:
    with serving() as server:
        server.answers["/simple/demo/"] = answer
        with pytest.raises((IndexFailure, UsageError)):
            Index(server.address, pauses=(0, 0)).files("demo")
        assert len(server.asked) == requests


def test_a_download_that_breaks_begins_again_and_is_verified(tmp_path: Path) -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", DATA[:1000]]

    def broken_once() -> Iterator[bytes]:
        del server.answers["/files/demo-1.0.tar.gz"]
        server.answers["/files/demo-1.0.tar.gz"] = Answer(DATA)
        yield from pieces

    with serving() as server:
        server.answers["/files/demo-1.0.tar.gz"] = Answer(raw=broken_once())
        url = server.address.replace("/simple", "/files/demo-1.0.tar.gz")
        file = File("demo-1.0.tar.gz", url, {"sha256": SHA})
        found = Index(server.address, pauses=(0,)).download(file, tmp_path)
        assert found.read_bytes() == DATA
        assert [path.name for path in tmp_path.iterdir()] == ["demo-1.0.tar.gz"]


def test_the_index_of_a_command_is_patient() -> None:
    environ = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    assert Index.configured(environ)._pauses == client.PAUSES
