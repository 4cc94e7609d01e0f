"""A Sigstore instance of the test's own, and attestations (PEP 740) that it vouches for: its trust root has our keys.

Sources: RFC 6962 (signed certificate timestamps, Merkle trees); Fulcio's "Extension OID Values"; Rekor's type dsse 0.0.1;
C2SP "signed-note" and "tlog-checkpoint".
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WHEN = datetime(2024, 5, 31, 12, tzinfo=timezone.utc)
_SECONDS = int(WHEN.timestamp())
_FULCIO = "1.3.6.1.4.1.57264.1."
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SIGNED = ec.ECDSA(hashes.SHA256())
ISSUER = "https://token.actions.githubusercontent.com"


class Instance:
    """A certificate authority, a log of certificates and a log of signatures."""

    def __init__(self) -> None:
        self._authority, self._certificates, self._log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        key = self._authority.public_key()
        usage = _usage(certificates=True)
        self._root = (
            _builder(self._name, self._name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .sign(self._authority, hashes.SHA256())
        )

    def trust_root(self, path: Path) -> Path:
        """Write what clients of Sigstore get to know of it, and return where."""
        dates = {"start": "2020-01-01T00:00:00Z"}
        chain = {"certificates": [{"rawBytes": _text(self._root.public_bytes(Encoding.DER))}]}
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log_row(self._log)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "test", "commonName": "test"},
                    "uri": "https://fulcio.example",
                    "certChain": chain,
                    "validFor": dates,
                }
            ],
            "ctlogs": [_log_row(self._certificates)],
            "timestampAuthorities": [],
        }
        path.write_text(json.dumps(document))
        return path

    def attestation(
        self,
        file: Path,
        repository: str,
        commit: str,
        ref: str = "refs/tags/v1.0",
        *,
        workflow: str = ".github/workflows/release.yml",
    ) -> dict[str, Any]:
        """Return an attestation that the *workflow* of a *repository* published *file*."""
        subject = {"name": file.name, "digest": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}}
        statement = json.dumps(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [subject],
                "predicateType": "https://docs.pypi.org/attestations/publish/v1",
                "predicate": None,
            }
        ).encode()
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(key.public_key(), repository, commit, ref, workflow)
        kind = b"application/vnd.in-toto+json"
        signature = key.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(statement), statement), _SIGNED)
        return {
            "version": 1,
            "verification_material": {
                "certificate": _text(certificate.public_bytes(Encoding.DER)),
                "transparency_entries": [self._entry(statement, signature, certificate)],
            },
            "envelope": {"statement": _text(statement), "signature": _text(signature)},
        }

    def _certificate(
        self, key: ec.EllipticCurvePublicKey, repository: str, commit: str, ref: str, workflow: str
    ) -> x509.Certificate:
        uri = f"{repository}/{workflow}@{ref}"
        builder = (
            _builder(x509.Name([]), self._name, key, timedelta(minutes=10))
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True)
        )
        for number, text in ((8, ISSUER), (12, repository), (13, commit), (14, ref), (18, uri)):
            if text:
                builder = builder.add_extension(_utf8(f"{_FULCIO}{number}", text), critical=False)
        before = builder.sign(self._authority, hashes.SHA256())
        return builder.add_extension(self._timestamp(before), critical=False).sign(self._authority, hashes.SHA256())

    def _timestamp(self, before: x509.Certificate) -> x509.UnrecognizedExtension:
        """Return the promise of the log of certificates to log one, which was signed without it (RFC 6962, 3.2)."""
        body, issuer = before.tbs_certificate_bytes, _key_id(self._authority)
        entry = issuer + struct.pack("!I", len(body))[1:] + body
        milliseconds = _SECONDS * 1000
        signature = self._certificates.sign(struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0", _SIGNED)
        algorithms = b"\x04\x03"  # SHA-256, ECDSA (RFC 5246, 7.4.1.4.1)
        promise = b"\0" + _key_id(self._certificates) + struct.pack("!QH", milliseconds, 0)
        promise += algorithms + struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!HH", len(promise) + 2, len(promise)) + promise
        return x509.UnrecognizedExtension(_TIMESTAMPS, b"\x04" + _der_length(len(listed)) + listed)

    def _entry(self, statement: bytes, signature: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        """Return the entry of the log of signatures, which has no other."""
        pem = certificate.public_bytes(Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
            "signatures": [{"signature": _text(signature), "verifier": _text(pem)}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        identity = _key_id(self._log)
        promise = {"body": _text(body), "integratedTime": _SECONDS, "logID": identity.hex(), "logIndex": 0}
        root = hashlib.sha256(b"\0" + body).digest()  # of a tree of one leaf (RFC 6962, 2.1)
        note = f"log.example\n1\n{_text(root)}\n"
        signed = _text(identity[:4] + self._log.sign(note.encode(), _SIGNED))
        return {
            "logIndex": "0",
            "logId": {"keyId": _text(identity)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(_SECONDS),
            "inclusionPromise": {"signedEntryTimestamp": _text(self._log.sign(_canonical(promise), _SIGNED))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _text(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example {signed}\n"},
            },
            "canonicalizedBody": _text(body),
        }


def provenance(repository: str, *attestations: dict[str, Any], workflow: str = "release.yml") -> bytes:
    """Return what an index gives: a publisher, and the *attestations* that it takes for that one's."""
    publisher = {"kind": "GitHub", "repository": repository, "workflow": workflow, "environment": None}
    bundle = {"publisher": publisher, "attestations": list(attestations)}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta = timedelta(days=9000)
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    start = WHEN - (timedelta(days=900) if lasts.days else timedelta(minutes=5))
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + lasts)


def _usage(*, certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(not certificates, False, False, False, False, certificates, certificates, False, False)


def _utf8(number: str, text: str) -> x509.UnrecognizedExtension:
    data = text.encode()
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(number), b"\x0c" + _der_length(len(data)) + data)


def _der_length(size: int) -> bytes:
    """Return a length as DER has it (X.690, 8.1.3)."""
    return bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + struct.pack("!H", size)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    data: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return data


def _log_row(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {
        "baseUrl": "https://log.example",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(_public(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        },
        "logId": {"keyId": _text(_key_id(key))},
    }


def _canonical(document: dict[str, Any]) -> bytes:
    """Return JSON as RFC 8785 has it, for what is in these documents."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
