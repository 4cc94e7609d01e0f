"""Attestations of published files: who published them, from which commit of which repository.

Sources: PEP 740 (attestation and provenance objects); Fulcio's "Extension OID Values", of which index, repository and
signer agree on 1.12 to 1.14: the source repository, its commit, and the branch or tag.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebytes.errors import IndexFailure, MissingExtraError, SignatureError

from ...index.client import Index
from ...index.pages import File

_REPOSITORY = "1.3.6.1.4.1.57264.1.12"
_COMMIT = "1.3.6.1.4.1.57264.1.13"
_REF = "1.3.6.1.4.1.57264.1.14"

_MOST = 20
"""Attestations of one file, each of which takes milliseconds; PyPI takes at most one of each of two types."""


@dataclass(frozen=True)
class Attested:
    """What the attestations of a file say, all of which are verified."""

    publisher: str
    """For people: whose workflow published it."""
    repository: str = ""
    """The address; empty where the certificate has none."""
    commit: str = ""
    ref: str = ""
    """``refs/tags/v1.0`` and the like."""


def attested(file: File | None, path: Path, index: Index) -> Attested | None:
    """Return what the attestations of *file*, which was downloaded to *path*, say; None if the index has none.

    :raises SignatureError: if one of them is not valid for that very file, or they contradict one another.
    :raises MissingExtraError: if there are some, and what checks them is not installed.
    :raises IndexFailure: if they cannot be had or read.
    """
    if file is None or not file.provenance:
        return None
    try:
        from pypi_attestations import Distribution, Provenance
    except ImportError:
        raise MissingExtraError(
            f"checking the attestations of {file.name} needs pypi-attestations, which is not installed",
            remedy="Run: pip install 'samebytes[attestations]'",
        ) from None
    body = index.attestations(file)
    try:
        bundles = Provenance.model_validate_json(body).attestation_bundles
        distribution = Distribution.from_file(path)
    except ValueError as error:  # pydantic's
        raise IndexFailure(
            f"the attestations of {file.name} cannot be read (PEP 740): {str(error).splitlines()[0][:200]}",
            remedy="Is pypi-attestations the newest release? If so, the index is broken.",
        ) from None
    pairs = [(attestation, bundle.publisher) for bundle in bundles for attestation in bundle.attestations]
    # Not the first of them alone: one that was passed over would count as verified.
    if len(pairs) > _MOST:
        raise SignatureError(
            f"{file.name} has {len(pairs)} attestations, and at most {_MOST} are verified",
            remedy="No index gives so many: do not use the file before you know why.",
        )
    found = {_verified(attestation, publisher, distribution) for attestation, publisher in pairs}
    if len(found) > 1:
        raise SignatureError(
            f"the attestations of {file.name} name different sources: "
            + "; ".join(sorted(f"{one.repository} {one.commit[:12]}" for one in found)),
            remedy="Find out which is true, and name it: --source URL@COMMIT.",
        )
    return found.pop() if found else None


def _verified(attestation: Any, publisher: Any, distribution: Any) -> Attested:
    """Return what one attestation says, verified against Sigstore's public instance."""
    try:
        attestation.verify(publisher, distribution)
        claims = attestation.certificate_claims
    except Exception as error:  # of pypi-attestations, sigstore, cryptography, TUF: whatever stops it, it is unverified
        raise SignatureError(
            f"an attestation of {distribution.name} does not verify: {str(error).splitlines()[0][:300] or error!r}",
            remedy="Without network, its trust root cannot be had. Otherwise do not use the file before you know why.",
        ) from error
    return Attested(_shown(publisher), claims.get(_REPOSITORY, ""), claims.get(_COMMIT, ""), claims.get(_REF, ""))


def _shown(publisher: Any) -> str:
    """Return the publisher in a few words."""
    names = ("repository", "workflow", "workflow_filepath", "environment", "email", "project_id")
    values = [str(getattr(publisher, name)) for name in names if getattr(publisher, name, None)]
    return " ".join([publisher.kind, *values])[:200]
