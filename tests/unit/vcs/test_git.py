"""What git is run for: a commit that is cloned, and a tree that becomes a checkout."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from samebytes_tools.building.source import from_text
from samebytes_tools.commands.verify import vcs_source
from samebytes_tools.vcs import tags
from samebytes_tools.vcs.checkout import make_checkout, wants_checkout
from samebytes_tools.vcs.clone import clone
from support.projects import write_tree

from samebytes.backend.config import Backend
from samebytes.backend.git import git
from samebytes.errors import UsageError

COMMIT = "9d4f6c6aa90daee73ddd0fc2de60c11c8efdbf22"

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def committed(directory: Path) -> str:
    write_tree(directory, {"a.py": "a", "sub/b.py": "b", "ignored.pyc": "c", ".gitignore": "*.pyc\n"})
    make_checkout(directory, os.environ)
    return git(directory, "rev-parse", "HEAD", environ=os.environ).strip()


@needs_git
def test_a_checkout_has_one_commit_wherever_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = committed(tmp_path / "one")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    write_tree(tmp_path, {".gitconfig": "[core]\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n"})
    monkeypatch.setenv("HOME", str(tmp_path))
    assert committed(tmp_path / "two") == first == COMMIT
    files = git(tmp_path / "two", "ls-files", environ=os.environ).split()
    assert files == [".gitignore", "a.py", "ignored.pyc", "sub/b.py"]
    assert git(tmp_path / "two", "log", "--format=%ci %an", environ=os.environ) == "2020-02-02 00:00:00 +0000 Nobody\n"


@needs_git
def test_a_checkout_that_git_refuses(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with pytest.raises(UsageError, match=r"tree cannot be made a git checkout: .*nothing to commit") as caught:
        make_checkout(tmp_path / "tree", os.environ)
    assert caught.value.remedy


@needs_git
def test_a_clone_of_a_tag_with_all_of_the_history(tmp_path: Path) -> None:
    commit = committed(tmp_path / "origin")
    git(tmp_path / "origin", "tag", "v1", environ=os.environ)
    assert clone(str(tmp_path / "origin"), "v1", tmp_path / "tree") == commit
    assert (tmp_path / "tree/sub/b.py").read_text() == "b"


@needs_git
@pytest.mark.parametrize(("where", "ref"), [("origin", "v2"), ("origin", "--help"), ("nowhere", "v1")])
def test_what_cannot_be_cloned(where: str, ref: str, tmp_path: Path) -> None:
    committed(tmp_path / "origin")
    with pytest.raises(UsageError, match=rf"git cannot fetch the source from .*{where}: fatal: ") as caught:
        clone(str(tmp_path / where), ref, tmp_path / "tree")
    assert "Is the address right" in caught.value.remedy


@needs_git
@pytest.mark.parametrize(
    ("name", "value"), [("GIT_DIR", ".git"), ("GIT_INDEX_FILE", ".git/index"), ("GIT_WORK_TREE", "")]
)
def test_the_repository_whose_hook_runs_this_is_left_alone(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, commit = tmp_path / "own", committed(tmp_path / "origin")
    committed(own)
    (own / "changed").touch()
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    monkeypatch.setenv(name, str(own / value))
    assert clone(str(tmp_path / "origin"), commit, tmp_path / "tree") == commit
    assert {path.name for path in (tmp_path / "tree").iterdir()} == {
        path.name for path in (tmp_path / "origin").iterdir()
    }
    assert tags.date_of(tmp_path / "tree", commit) > 0
    (tmp_path / "sdist").mkdir()
    make_checkout(write_tree(tmp_path / "sdist", {"setup.py": ""}), os.environ)
    assert (tmp_path / "sdist/.git/index").is_file()
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for run in (lambda: make_checkout(tmp_path, os.environ), lambda: clone(str(tmp_path), "v1", tmp_path / "tree")):
        with pytest.raises(UsageError, match="git cannot be run: No such file") as caught:
            run()
        assert caught.value.remedy == "Install git."


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A repository to clone, with the tag v1, whose name has an "@" in it."""
    committed(tmp_path / "work")
    git(tmp_path / "work", "tag", "v1", environ=os.environ)
    git(None, "clone", "--quiet", "--bare", str(tmp_path / "work"), str(tmp_path / "a@b.git"), environ=os.environ)
    git(tmp_path / "a@b.git", "update-server-info", environ=os.environ)
    return tmp_path / "a@b.git"


@pytest.fixture
def port(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where that repository is served by HTTP; ssh runs its command here, whatever the host is."""
    program = bare.parent / "ssh"
    program.write_text('#!/bin/sh\nfor last; do :; done\neval "$last"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handler = partial(SimpleHTTPRequestHandler, directory=str(bare.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@needs_git
@pytest.mark.skipif(sys.platform == "win32", reason="ssh is a script with a #! line here")
@pytest.mark.parametrize(
    ("address", "recorded"),
    [
        ("{path}", ""),
        ("file://{path}", "file://{path}"),
        ("http://127.0.0.1:{port}/a@b.git", "http://127.0.0.1:{port}/a@b.git"),
        ("http://user@127.0.0.1:{port}/a@b.git", "http://127.0.0.1:{port}/a@b.git"),
        ("http://user:sec%40ret@127.0.0.1:{port}/a@b.git", "http://127.0.0.1:{port}/a@b.git"),
        ("git@host.example:{path}", "git@host.example:{path}"),
        ("git@[::1]:{path}", "git@[::1]:{path}"),
        ("host.example:{path}", "host.example:{path}"),
        ("ssh://git@host.example:22{path}", "ssh://git@host.example:22{path}"),
        ("ssh://git:secret@host.example{path}", "ssh://git@host.example{path}"),
    ],
)
def test_addresses_of_repositories(address: str, recorded: str, bare: Path, port: int, tmp_path: Path) -> None:
    """git itself takes what is before the last "@" after the path's begin; secrets get into no record."""
    where, shown = (text.format(path=bare, port=port) for text in (address, recorded))
    for ref in ("none", "refs/tags/v1"):
        (tmp_path / ref).mkdir(parents=True)
    with pytest.raises(UsageError, match="git cannot fetch") as caught:
        from_text(f"{where}@none", tmp_path / "none")
    assert "secret" not in caught.value.message
    assert "sec%" not in caught.value.message
    found = from_text(f"{where}@refs/tags/v1", tmp_path / "refs/tags/v1")
    assert (found.tree / "a.py").read_text() == "a"
    assert found.digest == {"gitCommit": COMMIT}
    assert found.uri == (f"git+{shown}@{COMMIT}" if shown else "")
    assert "sec" not in found.description


def record_of(address: str) -> str:
    return f"git+{address}@{COMMIT}"


@needs_git
@pytest.mark.skipif(sys.platform == "win32", reason="ssh is a script with a #! line here")
@pytest.mark.parametrize(
    ("address", "protocol"),
    [
        ("http://127.0.0.1:{port}/a@b.git", ""),
        ("file://{path}", ""),
        ("ssh://git@host.example{path}", "ssh"),
        ("git@host.example:{path}", "ssh"),
        ("git://host.example/a", "git"),
        ("ext::sh -c true% {path}", "ext"),
        ("-c://core.x", "-c"),
    ],
)
def test_a_record_names_no_address_that_keys_are_offered_to(
    address: str, protocol: str, bare: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer chose it; whoever follows the record may allow more, by git's own variable."""
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL", raising=False)
    uri = record_of(address.format(path=bare, port=port))
    with pytest.raises(UsageError) as caught:
        vcs_source.recorded(uri, tmp_path / "first")
    if not protocol:
        assert "has no project" in caught.value.message  # so it was fetched
        return
    assert "its protocol is none of file, http, https" in caught.value.message
    variable, _, value = caught.value.remedy.rpartition(" ")[2].partition("=")
    assert value == "file:http:https:ssh"
    if protocol == "ssh":
        monkeypatch.setenv(variable, value)
        with pytest.raises(UsageError, match="has no project"):
            vcs_source.recorded(uri, tmp_path / "second")


@needs_git
@pytest.mark.parametrize("scheme", ["file", "ssh"])
def test_nor_do_the_submodules_of_a_record(
    scheme: str, bare: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL", raising=False)
    work, environ = tmp_path / "work", {**os.environ, "GIT_ALLOW_PROTOCOL": "file:ssh"}
    host = "git@host.example" if scheme == "ssh" else ""
    git(work, "submodule", "--quiet", "add", f"{scheme}://{host}{bare}", "part", environ=environ)
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    git(work, *identity, "commit", "--quiet", "--message", "It", environ=environ)
    commit = git(work, "rev-parse", "HEAD", environ=environ).strip()
    with pytest.raises(UsageError, match=f"transport '{scheme}' not allowed"):
        vcs_source.recorded(f"git+file://{work}@{commit}", tmp_path / "first")
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:ssh")
    with pytest.raises(UsageError, match="has no project"):
        vcs_source.recorded(f"git+file://{work}@{commit}", tmp_path / "second")
    assert (tmp_path / "second" / "src" / "part" / "a.py").is_file()


@pytest.mark.parametrize(
    ("backend", "names", "expected"),
    [
        (Backend("mesonpy"), [], True),
        (Backend("mesonpy", ("packaging",)), [], False),
        (Backend("setuptools.build_meta"), [], False),
        (Backend("mesonpy"), [".git"], False),
    ],
)
def test_which_backends_want_a_checkout(tmp_path: Path, backend: Backend, names: list[str], expected: bool) -> None:
    for name in names:
        (tmp_path / name).write_text("gitdir: elsewhere")
    assert wants_checkout(backend, tmp_path) is expected


def test_the_date_of_a_checkout(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "sdist", {"setup.py": ""})
    make_checkout(tree, os.environ, 1_753_524_599)
    assert git(tree, "log", "-1", "--format=%ct %at", environ=os.environ).strip() == "1753524599 1753524599"
