"""Signatures of records: whose they are, and that nothing of an envelope is believed before one is verified."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools import api
from samebytes_tools.building import provenance, signatures
from samebytes_tools.building.signatures import NOBODY, PAYLOAD_TYPE, Trust, opened, signer
from samebytes_tools.building.source_copy import copy_source
from samebytes_tools.commands.reproducible_build.command import context_of
from support.projects import write_tree

from samebytes.console.streams import Progress
from samebytes.console.verbosity import QUIET
from samebytes.errors import ConfigError, MissingExtraError, SignatureError, UsageError

needs_signing = pytest.mark.skipif(find_spec("securesystemslib") is None, reason="needs samebytes[signing]")
TEXT = '{"a record": "ä"}\n'
KINDS = ("ed25519", "ecdsa", "rsa")


def keys(directory: Path, kind: str = "ed25519", name: str = "key", password: bytes = b"") -> tuple[Path, Path]:
    """Write a private and its public key, as people make them, and return where."""
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    makers: dict[str, Any] = {
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
    }
    made = makers[kind]()
    locked = forms.BestAvailableEncryption(password) if password else forms.NoEncryption()
    private, public = directory / f"{name}.pem", directory / f"{name}.pub"
    private.write_bytes(made.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, locked))
    public.write_bytes(made.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def signed(private: Path, directory: Path, text: str = TEXT) -> Path:
    """Write a signed record and return where."""
    target = directory / "record.json"
    for path, written in signer(str(private), {})(text, target).items():
        path.write_text(written, encoding="utf-8")
    return target


def verified(path: Path, *public: Path) -> tuple[bytes, str]:
    return opened(path.read_bytes(), path, Trust(tuple(public)))


@needs_signing
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_verified(kind: str, tmp_path: Path) -> None:
    private, public = keys(tmp_path, kind)
    other = keys(tmp_path, name="other")[1]
    payload, who = verified(signed(private, tmp_path), other, public)
    assert payload == TEXT.encode()
    assert who == f"the record is signed with the key of {public}"


@needs_signing
def test_the_envelope_is_that_of_the_specification(tmp_path: Path) -> None:
    """PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body (DSSE, "protocol.md")."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    private, public = keys(tmp_path)
    path = signed(private, tmp_path)
    assert path.read_text().count("\n") == 1
    envelope = json.loads(path.read_text())
    body = base64.b64decode(envelope["payload"])
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(body)} "
    key: Any = load_pem_public_key(public.read_bytes())
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), head.encode() + body)  # raises if it is not
    assert (body, envelope["payloadType"]) == (TEXT.encode(), "application/vnd.in-toto+json")


@needs_signing
def test_the_same_key_signs_the_same_record_alike(tmp_path: Path) -> None:
    """Of Ed25519 (RFC 8032), signatures hold no random number."""
    private, _ = keys(tmp_path)
    assert signed(private, tmp_path).read_bytes() == signed(private, tmp_path).read_bytes()


@needs_signing
def test_envelopes_of_other_tools_are_read(tmp_path: Path) -> None:
    """A key id is optional, and Base64 may be that of addresses (DSSE, "envelope.md"); others may have signed, too."""
    private, public = keys(tmp_path)
    path = signed(private, tmp_path, TEXT + "?>" * 30)
    envelope = json.loads(path.read_text())
    row = {"sig": envelope["signatures"][0]["sig"].replace("+", "-").replace("/", "_")}
    envelope["payload"] = envelope["payload"].replace("+", "-").replace("/", "_")
    envelope["signatures"] = [{"keyid": "somebody", "sig": "AAAA"}, row, {"keyid": "somebody", "sig": ""}]
    path.write_text(json.dumps(envelope))
    assert verified(path, public)[0].decode() == TEXT + "?>" * 30


@needs_signing
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_change_goes_unseen(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever byte of payload, type or signature is changed: nothing of it is believed."""
    directory = tmp_path_factory.mktemp("keys")
    private, public = keys(directory)
    path = signed(private, directory)
    envelope = json.loads(path.read_text())
    name = data.draw(st.sampled_from(["payload", "payloadType", "sig"]))
    where = envelope["signatures"][0] if name == "sig" else envelope
    raw = bytearray(where[name].encode() if name == "payloadType" else base64.b64decode(where[name]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 6))
    where[name] = raw.decode() if name == "payloadType" else base64.b64encode(raw).decode()
    path.write_text(json.dumps(envelope))
    with pytest.raises(SignatureError, match=r"no valid signature of .*key\.pub") as caught:
        verified(path, public)
    assert "do not follow it" in caught.value.remedy


@needs_signing
def test_another_key_is_another_signer(tmp_path: Path) -> None:
    path = signed(keys(tmp_path)[0], tmp_path)
    for kind in KINDS:
        with pytest.raises(SignatureError, match="no valid signature"):
            verified(path, keys(tmp_path, kind, "other")[1])


@needs_signing
def test_a_statement_of_another_type_is_refused_though_signed(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    private, public = keys(tmp_path)
    envelope = Envelope(b"{}", "text/plain", {})
    envelope.sign(CryptoSigner(load_pem_private_key(private.read_bytes(), None)))
    path = tmp_path / "record.json"
    path.write_text(json.dumps(envelope.to_dict()))
    with pytest.raises(ConfigError, match="text/plain"):
        verified(path, public)


def test_a_signature_that_nobody_checks_is_no_signature(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text('{"payload": "e30=", "payloadType": "x", "signatures": []}')
    with pytest.raises(SignatureError, match="none was named to check") as caught:
        provenance.read(path)
    assert "--key" in caught.value.remedy
    assert caught.value.exit_status == 6


@pytest.mark.parametrize("text", [TEXT, "[1]", "nothing", "[" * 100_000])
def test_what_is_not_signed_is_not_taken_for_signed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")
    assert opened(path.read_bytes(), path, NOBODY) == (text.encode(), "")
    with pytest.raises(SignatureError, match="is not signed with a key"):
        verified(path, tmp_path / "key.pub")


MALFORMED: dict[str, Any] = {
    "no type": {"payload": "e30=", "signatures": []},
    "a payload that is a number": {"payload": 1, "payloadType": "x", "signatures": []},
    "a payload that is not Base64": {"payload": "e30", "payloadType": "x", "signatures": []},
    "a surrogate": {"payload": "e30=", "payloadType": "\ud800", "signatures": []},
    "signatures that are a number": {"payload": "e30=", "payloadType": "x", "signatures": 1},
    "a signature without one": {"payload": "e30=", "payloadType": "x", "signatures": [{}]},
    "a signature that is a list": {"payload": "e30=", "payloadType": "x", "signatures": [[]]},
    "more than are tried": {"payload": "e30=", "payloadType": "x", "signatures": [{"sig": ""}] * 101},
}


@needs_signing
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_envelopes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(MALFORMED[name]))
    with pytest.raises(ConfigError, match="not an envelope") as caught:
        verified(path, keys(tmp_path)[1])
    assert len(caught.value.message) < 400


@needs_signing
def test_keys_that_are_none(tmp_path: Path) -> None:
    private, public = keys(tmp_path)
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"\0" * 40)
    path = signed(private, tmp_path)
    for name, wrong, words in (("private", public, "not a private key"), ("private", rubbish, "not a private key")):
        with pytest.raises(UsageError, match=words) as caught:
            signer(str(wrong), {})
        assert "openssl genpkey" in caught.value.remedy, name
    with pytest.raises(UsageError, match="it is a private key") as caught:
        verified(path, private)
    assert "-pubout" in caught.value.remedy
    with pytest.raises(UsageError, match="not a public key"):
        verified(path, rubbish)
    for call in (lambda: signer(str(tmp_path / "none"), {}), lambda: verified(path, tmp_path / "none")):
        with pytest.raises(UsageError, match="cannot be read"):
            call()


@needs_signing
def test_encrypted_keys(tmp_path: Path) -> None:
    private, public = keys(tmp_path, password=b"hunter2")
    for environ, words in (({}, "has to have"), ({signatures.PASSWORD: "wrong"}, "is not its password")):
        with pytest.raises(UsageError, match=words) as caught:
            signer(str(private), environ)
        assert signatures.PASSWORD in caught.value.remedy
    target = tmp_path / "record.json"
    made = signer(str(private), {signatures.PASSWORD: "hunter2"})(TEXT, target)
    assert opened(made[target].encode(), target, Trust((public,)))[0] == TEXT.encode()
    # A password that is not needed does no harm.
    assert signer(str(keys(tmp_path, name="open")[0]), {signatures.PASSWORD: "hunter2"})


def test_no_build_gets_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signatures.PASSWORD, "hunter2")
    with api._what_is_printed([], None) as context:
        for one in (context, context_of(QUIET, Progress(sys.stderr, os.environ, quiet=True))):
            assert signatures.PASSWORD not in one.environ
            assert one.environ["PATH"] == os.environ["PATH"]


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "securesystemslib.signer", None)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(MissingExtraError, match="securesystemslib") as caught:
        signer(str(tmp_path / "key.pem"), {})
    assert "samebytes[signing]" in caught.value.remedy
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="program sigstore"):
        signer("sigstore", {})


# It asks the network for a certificate; this has its command line, and signs with a hash.
_STAND_IN = """#!{python}
import argparse, hashlib, pathlib, sys
parser = argparse.ArgumentParser()
commands = parser.add_subparsers(required=True)
sign = commands.add_parser("sign")
verify = commands.add_parser("verify").add_subparsers(required=True).add_parser("identity")
for command in (sign, verify):
    command.add_argument("--bundle", type=pathlib.Path, required=True)
    command.add_argument("file", type=pathlib.Path)
verify.add_argument("--cert-identity", required=True)
verify.add_argument("--cert-oidc-issuer", required=True)
args = parser.parse_args()
digest = hashlib.sha256(args.file.read_bytes()).hexdigest() + " me@example.org https://issuer.example"
print("printed")
if hasattr(args, "cert_identity"):
    sys.exit(args.bundle.read_text() != f"{{digest.split()[0]}} {{args.cert_identity}} {{args.cert_oidc_issuer}}")
args.bundle.write_text(digest)
"""
ME = Trust(identity="me@example.org", issuer="https://issuer.example")


@pytest.fixture
def sigstore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "sigstore"
    program.parent.mkdir()
    program.write_text(_STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.mark.skipif(sys.platform == "win32", reason="needs programs that begin with #!")
def test_sigstore(sigstore: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    made = signer("sigstore", {})(TEXT, path)
    bundle = tmp_path / "record.json.sigstore.json"
    assert sorted(made) == [path, bundle]
    assert made[path] == TEXT
    for each, written in made.items():
        each.write_text(written, encoding="utf-8")
    assert opened(path.read_bytes(), path, ME) == (
        TEXT.encode(),
        "the record is signed by me@example.org (https://issuer.example), as sigstore found",
    )
    # What it prints must not get between results.
    assert capfd.readouterr().out == ""
    assert "--identity" in opened(path.read_bytes(), path, NOBODY)[1]
    with pytest.raises(SignatureError, match=r"by you@example\.org: it ended with status 1"):
        opened(path.read_bytes(), path, Trust(identity="you@example.org", issuer=ME.issuer))
    with pytest.raises(SignatureError, match="is not a signature"):
        opened(path.read_bytes() + b" ", path, ME)
    bundle.unlink()
    with pytest.raises(SignatureError, match="nobody signed"):
        opened(path.read_bytes(), path, ME)
    sigstore.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(SignatureError, match=r"did not sign .*: it ended with status 3"):
        signer("sigstore", {})(TEXT, path)
    sigstore.write_text("#!/bin/sh\n")
    with pytest.raises(SignatureError, match="wrote no bundle"):
        signer("sigstore", {})(TEXT, path)


_REAL = shutil.which("sigstore", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(_REAL is None, reason="needs samebytes[attestations]")
def test_the_real_sigstore_has_that_command_line(tmp_path: Path) -> None:
    """Signing itself needs the network and somebody to log in."""
    assert _REAL is not None
    for command, options in (("sign", ["--bundle"]), ("verify identity", ["--cert-identity", "--cert-oidc-issuer"])):
        said = subprocess.run([_REAL, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
        assert all(f"{option} " in said for option in [*options, "--bundle"])


def test_neither_record_nor_bundle_is_part_of_the_source(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": "", "r.json": "{}", "r.json.sigstore.json": "{}"})
    copied = copy_source(tree, tmp_path / "copy", record=tree / "r.json")
    assert [path.name for path in copied.iterdir()] == ["pyproject.toml"]
