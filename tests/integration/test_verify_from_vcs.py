"""``samebytes verify --from-vcs`` and signed records for real: a release, its repository, and an sdist with something else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from support import published
from support.artifacts import sdist
from support.conditions import git
from support.processes import import_path
from support.published import TREE, Releases

pytestmark = [pytest.mark.integration, pytest.mark.skipif(shutil.which("git") is None, reason="needs git")]

ADDRESS = "https://git.example.org/demo.git"
FILES = {**TREE, "PKG-INFO": f"{TREE['PKG-INFO']}Project-URL: Source Code, {ADDRESS}\n"}


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Releases]:
    with published.releases(tmp_path, FILES) as made:
        git("init", "--quiet", cwd=made.tree)
        git("add", "--all", cwd=made.tree)
        git("commit", "--quiet", "--message", "All of it", cwd=made.tree, date="2024-05-01T00:00:00Z")
        git("tag", "v1.0", cwd=made.tree)
        yield made


def verify(releases: Releases, *words: str | Path, status: int = 0) -> str:
    """Run it with the index of these releases, and a repository in place of that on the network."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "GIT_"))}
    environ = {**keep, **import_path(), "PIP_INDEX_URL": releases.server.address, "GIT_CONFIG_COUNT": "1"}
    environ.update(PIP_CACHE_DIR=str(releases.root / "cache"), COLUMNS="80", GIT_CONFIG_VALUE_0=ADDRESS)
    environ["GIT_CONFIG_KEY_0"] = f"url.{releases.tree.as_uri()}.insteadOf"
    command = [sys.executable, "-m", "samebytes", "verify", *map(str, words)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=releases.root)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def keys(directory: Path) -> None:
    """Write a private key, ``a.pem``, and its public one, ``a``."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "a.pem").write_bytes(private)
    (directory / "a").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.skipif(find_spec("securesystemslib") is None, reason="needs samebytes[signing]")
def test_a_release_its_commit_and_its_sdist(releases: Releases) -> None:
    keys(releases.root)
    said = verify(releases, "demo==1.0", "--from-vcs", "--provenance", "record.json", "--sign", "a.pem")
    assert "demo-1.0-py3-none-any.whl: identical" in said
    assert "tag v1.0 of the repository in its metadata (Source Code)" in said
    assert "demo-1.0.tar.gz is from that commit" in said
    # The wheel comes from the commit all the same; what is in the sdist does not.
    harmful = {**FILES, "m4/build-to-host.m4": "AC_CONFIG_COMMANDS", "demo.py": "ANSWER = 43\n"}
    releases.publish(sdist(releases.root / "other", files={name: text.encode() for name, text in harmful.items()}))
    document: Any = json.loads(verify(releases, "demo==1.0", "--from-vcs", "--json", "-q", status=1))
    (result,) = document["results"]
    found = result["verified"]["vcs"]["sdist"]
    assert result["verified"]["comparison"]["verdict"] == "identical"
    assert (found["from_commit"], found["foreign"], found["changed"]) == (False, ["m4/build-to-host.m4"], ["demo.py"])
    assert found["rebuilt"]
    # The record names the commit, and is followed as long as nobody changes it.
    record = releases.root / "record.json"
    assert "is signed with the key of a" in verify(releases, "--from", record.name, "--key", "a", "demo==1.0")
    envelope = json.loads(record.read_text())
    envelope["payload"] = envelope["payload"][:-8] + envelope["payload"][-4:]
    record.write_text(json.dumps(envelope))
    assert "no valid signature of a" in verify(releases, "--from", record.name, "--key", "a", "demo==1.0", status=6)
