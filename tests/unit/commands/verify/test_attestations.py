"""Attestations of published files (PEP 740): real ones, of a Sigstore instance of the test's own, and all that is wrong."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable

import pytest
from samebytes_tools.commands.reproducible_build.command import context_of
from samebytes_tools.commands.verify.attestations import Attested, attested
from samebytes_tools.commands.verify.remake import VerifyContext
from samebytes_tools.commands.verify.verify import VerifyRequest, verify_all
from samebytes_tools.index.client import Index
from samebytes_tools.index.pages import File
from support.artifacts import sdist
from support.indexes import Answer, Server, serving

from samebytes.console.streams import Progress
from samebytes.console.verbosity import QUIET
from samebytes.errors import IndexFailure, MissingExtraError, SignatureError

needs_attestations = pytest.mark.skipif(find_spec("pypi_attestations") is None, reason="needs samebytes[attestations]")
REPOSITORY, COMMIT = "https://github.com/ada/demo", "12" * 20


class Published:
    """An sdist in an index, with what that says of it."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server, self.path = server, sdist(directory)
        server.add("demo", self.path, provenance="/integrity/demo")
        self.index = Index(server.address)

    @property
    def file(self) -> File:
        return self.index.files("demo")[0]

    def give(self, body: bytes) -> None:
        self.server.answers["/integrity/demo"] = Answer(body, "application/json")

    def attested(self) -> Attested | None:
        return attested(self.file, self.path, self.index)


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Published]:
    with serving() as server:
        yield Published(server, tmp_path)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The Sigstore instance whose keys count: only where they come from is replaced, not how they are used."""
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from support.attesting import Instance

    made = Instance()
    root = TrustedRoot.from_file(str(made.trust_root(tmp_path / "root.json")))
    monkeypatch.setattr(Verifier, "production", classmethod(lambda cls, **_: cls(trusted_root=root)))
    return made


@needs_attestations
def test_what_attestations_say(published: Published, instance: Any) -> None:
    from support.attesting import provenance

    published.give(provenance("ada/demo", *[instance.attestation(published.path, REPOSITORY, COMMIT)] * 2))
    assert published.attested() == Attested("GitHub ada/demo release.yml", REPOSITORY, COMMIT, "refs/tags/v1.0")


@needs_attestations
def test_a_certificate_without_a_commit(published: Published, instance: Any) -> None:
    from support.attesting import provenance

    published.give(provenance("ada/demo", instance.attestation(published.path, REPOSITORY, "")))
    found = published.attested()
    assert found is not None
    assert found.commit == ""


def test_a_file_without_attestations(published: Published) -> None:
    assert attested(None, published.path, published.index) is None
    assert attested(File("demo-1.0.tar.gz", "https://host/demo-1.0.tar.gz"), published.path, published.index) is None


def other_file(instance: Any, path: Path) -> dict[str, Any]:
    return instance.attestation(sdist(path.parent / "other", files={"a": b"b"}), REPOSITORY, COMMIT)


def other_name(instance: Any, path: Path) -> dict[str, Any]:
    renamed = path.parent / "other-1.0.tar.gz"
    renamed.write_bytes(path.read_bytes())
    return instance.attestation(renamed, REPOSITORY, COMMIT)


def other_repository(instance: Any, path: Path) -> dict[str, Any]:
    return instance.attestation(path, "https://github.com/eve/demo", COMMIT)


def other_workflow(instance: Any, path: Path) -> dict[str, Any]:
    return instance.attestation(path, REPOSITORY, COMMIT, workflow=".github/workflows/evil.yml")


def other_instance(_: Any, path: Path) -> dict[str, Any]:
    from support.attesting import Instance

    return Instance().attestation(path, REPOSITORY, COMMIT)


def changed_statement(instance: Any, path: Path) -> dict[str, Any]:
    made = instance.attestation(path, REPOSITORY, COMMIT)
    made["envelope"]["statement"] = made["envelope"]["statement"][:-8] + made["envelope"]["statement"][-4:]
    return made


def other_certificate(instance: Any, path: Path) -> dict[str, Any]:
    made, other = (instance.attestation(path, REPOSITORY, commit) for commit in (COMMIT, "34" * 20))
    made["verification_material"]["certificate"] = other["verification_material"]["certificate"]
    return made


def not_logged(instance: Any, path: Path) -> dict[str, Any]:
    made, other = (instance.attestation(path, REPOSITORY, COMMIT) for _ in range(2))
    made["verification_material"]["transparency_entries"] = other["verification_material"]["transparency_entries"]
    return made


def no_certificate(instance: Any, path: Path) -> dict[str, Any]:
    made = instance.attestation(path, REPOSITORY, COMMIT)
    made["verification_material"]["certificate"] = "AAAA"
    return made


INVALID = [
    *(other_file, other_name, other_repository, other_workflow, other_instance),
    *(changed_statement, other_certificate, not_logged, no_certificate),
]


@needs_attestations
@pytest.mark.parametrize("invalid", INVALID)
def test_attestations_that_do_not_verify(
    invalid: Callable[[Any, Path], dict[str, Any]], published: Published, instance: Any
) -> None:
    from support.attesting import provenance

    good = instance.attestation(published.path, REPOSITORY, COMMIT)
    # One that is valid does not make up for it.
    published.give(provenance("ada/demo", good, invalid(instance, published.path)))
    with pytest.raises(SignatureError, match=r"an attestation of demo-1\.0\.tar\.gz does not verify: \S") as caught:
        published.attested()
    assert caught.value.exit_status == 6
    assert "do not use the file" in caught.value.remedy
    assert "\n" not in caught.value.message


@needs_attestations
def test_attestations_that_contradict_one_another(published: Published, instance: Any) -> None:
    from support.attesting import provenance

    made = [instance.attestation(published.path, REPOSITORY, commit) for commit in (COMMIT, "34" * 20)]
    published.give(provenance("ada/demo", *made))
    with pytest.raises(SignatureError, match=r"name different sources: .* 121212121212; .* 343434343434"):
        published.attested()


@needs_attestations
def test_attestations_without_end(published: Published, instance: Any) -> None:
    """Whatever the last of them say, none is passed over."""
    from support.attesting import provenance

    published.give(provenance("ada/demo", *[instance.attestation(published.path, REPOSITORY, COMMIT)] * 21))
    with pytest.raises(SignatureError, match=r"has 21 attestations, and at most 20 are verified"):
        published.attested()


@needs_attestations
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"version": 2, "attestation_bundles": []}', b"[" * 100_000]
)
def test_what_is_no_provenance_object(body: bytes, published: Published) -> None:
    published.give(body)
    with pytest.raises(IndexFailure, match="cannot be read \\(PEP 740\\)") as caught:
        published.attested()
    assert caught.value.remedy
    assert len(caught.value.message) < 400


@needs_attestations
def test_a_provenance_object_without_attestations(published: Published) -> None:
    published.give(json.dumps({"version": 1, "attestation_bundles": []}).encode())
    assert published.attested() is None


def test_without_the_extra(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    with pytest.raises(MissingExtraError, match=r"attestations of .* needs pypi-attestations") as caught:
        published.attested()
    assert "samebytes[attestations]" in caught.value.remedy


@needs_attestations
def test_what_does_not_verify_is_a_row_and_the_others_go_on(published: Published, instance: Any) -> None:
    """Before anything is cloned or built."""
    from support.attesting import provenance

    published.give(provenance("ada/demo", other_file(instance, published.path)))
    context = VerifyContext(context_of(QUIET, Progress(io.StringIO(), {})), lambda: published.index)
    requests = [VerifyRequest("demo==1.0", from_vcs=True), VerifyRequest("demo==2.0", from_vcs=True)]
    first, second = verify_all(requests, context)
    assert isinstance(first.error, SignatureError)
    assert "no demo 2.0" in str(second.error)


def test_without_the_extra_tags_are_looked_for_and_the_error_says_so(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypi_attestations", None)
    context = VerifyContext(context_of(QUIET, Progress(io.StringIO(), {})), lambda: published.index)
    (result,) = verify_all([VerifyRequest("demo==1.0", from_vcs=True)], context)
    assert "its metadata names no repository" in str(result.error)
    assert "pip install 'samebytes[attestations]'" in str(result.error)
