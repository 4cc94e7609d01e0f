"""Signatures of records: envelopes that a key makes, and bundles that the program sigstore makes.

Sources: DSSE v1.0 (https://github.com/secure-systems-lab/dsse), "envelope.md" and "protocol.md"; in-toto Attestation
Framework v1, "Envelope"; the command line of sigstore-python 3 and 4.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from samebytes.errors import ConfigError, MissingExtraError, SignatureError, UsageError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PASSWORD = "SAMEBYTES_KEY_PASSWORD"
"""The environment variable with the password of a private key."""

SIGSTORE = "sigstore"
"""What is given in place of a key, and the program."""

_STANDARD_ERROR = 2
_MOST_SIGNATURES = 100
"""In one envelope: each is tried with each key."""

Sign = Callable[[str, Path], dict[Path, str]]
"""Takes the text of a record and where it goes, and returns the texts that are written: where, and what."""


def signer(name: str, environ: Mapping[str, str]) -> Sign:
    """Return what signs records: with the private key in the file *name* (PEM), or the program sigstore.

    :raises UsageError: if the file is not such a key.
    :raises MissingExtraError: if what it takes is not installed.
    """
    if name == SIGSTORE:
        program = _sigstore()
        return lambda text, target: _by_sigstore(program, text, target)
    key = _private_key(Path(name), environ)
    return lambda text, target: {target: _by_key(key, text)}


def without_password(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return *environ* without the password of a key, which is for no build: what runs there may print all it has."""
    return {name: value for name, value in environ.items() if name != PASSWORD} if PASSWORD in environ else environ


def _by_key(key: Any, text: str) -> str:
    """Return the envelope of *text*: of one line, as a file of such lines (JSON Lines) has them."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope(text.encode("utf-8"), PAYLOAD_TYPE, {})
    envelope.sign(key)
    return json.dumps(envelope.to_dict(), ensure_ascii=True) + "\n"


def _by_sigstore(program: str, text: str, target: Path) -> dict[Path, str]:
    """Let the *program* sign: as whoever it asks, and by the token of a CI service without asking."""
    with _beside(text, target.name) as (record, bundle):
        _run([program, "sign", "--bundle", str(bundle), str(record)], f"sigstore did not sign the record {target}")
        try:
            made = bundle.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SignatureError(
                f"sigstore wrote no bundle: {error}", remedy="Sign the record by hand: sigstore sign FILE."
            ) from None
    return {target: text, bundle_of(target): made}


def bundle_of(record: Path) -> Path:
    """Return where the bundle of a *record* is, as sigstore names it."""
    return record.with_name(f"{record.name}.sigstore.json")


@dataclass(frozen=True)
class Trust:
    """Whose signatures of a record count."""

    keys: tuple[Path, ...] = ()
    """Public keys (PEM), any one of which does."""
    identity: str = ""
    """Who signed by sigstore: an address of mail, or of a workflow."""
    issuer: str = ""
    """Who vouches for that identity: the address of an OpenID Connect provider."""


NOBODY = Trust()
"""No signature is asked for."""


def opened(data: bytes, path: Path, trust: Trust) -> tuple[bytes, str]:
    """Return the record in *data*, which is what the file *path* holds, and who signed it, in words.

    Nothing of an envelope is believed before a signature of it is verified.

    :raises SignatureError: if it has not the signature that *trust* asks for, or one that nobody was named for.
    :raises ConfigError: if it is an envelope that cannot be read, or of something else.
    """
    envelope = _envelope(data)
    if envelope is not None:
        if not trust.keys:
            raise SignatureError(
                f"the record {path} is signed with a key, and none was named to check that",
                remedy="Name the public key of whoever made it: --key FILE.",
            )
        return _checked(envelope, path, trust.keys)
    if trust.keys:
        raise SignatureError(
            f"the record {path} is not signed with a key", remedy="Ask for a signed one, or leave --key away."
        )
    bundle = bundle_of(path)
    if trust.identity:
        return data, _checked_by_sigstore(data, path, bundle, trust)
    unchecked = f"{bundle.name} beside the record was not checked: --identity and --issuer do"
    return data, unchecked if bundle.is_file() else ""


def _envelope(data: bytes) -> dict[str, Any] | None:
    """Return the envelope that *data* is, as far as its fields say; None if it is none."""
    try:
        document = json.loads(data)
    # RecursionError: json.loads recurses, and a record may nest thousands of lists.
    except (ValueError, RecursionError):
        return None
    is_envelope = isinstance(document, dict) and "payload" in document and "signatures" in document
    return document if is_envelope else None


def _checked(envelope: Mapping[str, Any], path: Path, keys: tuple[Path, ...]) -> tuple[bytes, str]:
    """Return the payload, and whose signature it has."""
    known = [(key, _public_key(key)) for key in keys]
    try:
        payload, kind, signatures = _parts(envelope)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path} is not an envelope that can be read (DSSE): {error!r:.200}", remedy="Ask for the record again."
        ) from None
    for name, key in known:
        if any(_is_signed(payload, kind, one, key) for one in signatures):
            # Not before: the type is signed, too.
            if kind != PAYLOAD_TYPE:
                raise ConfigError(
                    f"{path} holds {kind[:100]!r}, which is not an in-toto statement",
                    remedy=f"Name a record, whose envelope has the type {PAYLOAD_TYPE}.",
                )
            return payload, f"the record is signed with the key of {name}"
    raise SignatureError(
        f"the record {path} has no valid signature of {' or '.join(map(str, keys))}",
        remedy="It was changed after it was signed, or somebody else signed it: do not follow it before you know.",
    )


def _parts(envelope: Mapping[str, Any]) -> tuple[bytes, str, list[bytes]]:
    payload, kind, rows = envelope["payload"], envelope["payloadType"], envelope["signatures"]
    kind.encode("utf-8")
    if len(rows) > _MOST_SIGNATURES:
        raise ValueError(f"{len(rows)} signatures")
    return _base64(payload), kind, [_base64(row["sig"]) for row in rows]


def _base64(text: str) -> bytes:
    """Decode either alphabet (DSSE: "standard or URL-safe")."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _is_signed(payload: bytes, kind: str, signature: bytes, key: Any) -> bool:
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    # The envelope's own key ids are a hint that is not signed, and each tool makes them in another way.
    try:
        key.verify_signature(Signature(key.keyid, signature.hex()), Envelope(payload, kind, {}).pae())
    except UnverifiedSignatureError:
        return False
    return True


def _checked_by_sigstore(data: bytes, path: Path, bundle: Path, trust: Trust) -> str:
    if not bundle.is_file():
        raise SignatureError(
            f"there is no {bundle}, so nobody signed the record {path} by sigstore",
            remedy="Get that file, too, or leave --identity away.",
        )
    # A copy of what was read: the file could be another one by now.
    with _beside(data.decode("utf-8", "surrogateescape"), path.name) as (record, copy):
        shutil.copyfile(bundle, copy)
        words = ["--cert-identity", trust.identity, "--cert-oidc-issuer", trust.issuer, "--bundle", str(copy)]
        _run(
            [_sigstore(), "verify", "identity", *words, str(record)],
            f"{bundle.name} is not a signature of the record {path} by {trust.identity}",
        )
    return f"the record is signed by {trust.identity} ({trust.issuer}), as sigstore found"


@contextmanager
def _beside(text: str, name: str) -> Iterator[tuple[Path, Path]]:
    """Yield a file with *text* in a private directory, and where its bundle is."""
    with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
        record = Path(directory) / name
        record.write_bytes(text.encode("utf-8", "surrogateescape"))
        yield record, bundle_of(record)


def _sigstore() -> str:
    program = shutil.which(SIGSTORE)
    if program is None:
        raise MissingExtraError("the program sigstore is not installed", remedy="Install it: pipx install sigstore")
    return program


def _run(command: list[str], failure: str) -> None:
    """Run the program, which may ask for a name in a browser and print to standard error."""
    # Standard output is for results.
    try:
        done = subprocess.run(command, stdout=_STANDARD_ERROR, check=False)
    except OSError as error:
        raise SignatureError(f"sigstore cannot be run: {error.strerror}", remedy="Install it anew.") from None
    if done.returncode:
        raise SignatureError(
            f"{failure}: it ended with status {done.returncode}", remedy="What it printed above says why."
        )


def _private_key(path: Path, environ: Mapping[str, str]) -> Any:
    """Return the signer with the private key *path*."""
    with _library():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from securesystemslib.signer import CryptoSigner
    data, password = _pem(path), environ.get(PASSWORD)
    is_locked = b"ENCRYPTED" in data
    try:
        # What is not encrypted refuses a password.
        return CryptoSigner(load_pem_private_key(data, password.encode() if password and is_locked else None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if is_locked:
            said = "is not its password" if password else "has to have its password"
            raise UsageError(
                f"the private key {path} is encrypted, and {PASSWORD} {said}", remedy=f"Set {PASSWORD}."
            ) from None
        raise UsageError(f"{path} is not a private key to sign with: {_first(error)}", remedy=_MAKE) from None


def _public_key(path: Path) -> Any:
    with _library():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        from securesystemslib.signer import SSlibKey
    data = _pem(path)
    try:
        return SSlibKey.from_crypto(load_pem_public_key(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        is_private = b"PRIVATE KEY" in data
        why = "it is a private key" if is_private else _first(error)
        raise UsageError(f"{path} is not a public key: {why}", remedy=_EXTRACT if is_private else _MAKE) from None


_MAKE = "openssl genpkey -algorithm ed25519 -out FILE makes a key: Ed25519, ECDSA and RSA in PEM are taken."
_EXTRACT = "openssl pkey -in PRIVATE -pubout -out PUBLIC writes the public one."


def _first(error: Exception) -> str:
    """Return the first sentence of what a library says."""
    return re.split(r"[.(\n]", str(error), maxsplit=1)[0].strip()[:150]


@contextmanager
def _library() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise MissingExtraError(
            "signatures with keys need securesystemslib, which is not installed",
            remedy="Run: pip install 'samebytes[signing]'",
        ) from None


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}", remedy="Check the path.") from None
