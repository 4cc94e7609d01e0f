"""Results as JSON documents, each described by a schema in ``schemas/`` and carrying that schema's version."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..comparison.causes import by_code
from ..comparison.model import Comparison, Difference, Evidence, Finding, Side
from ..flows.normalize import FileDigest, Result
from .compare import cause_counts
from .evidence import text_of

if TYPE_CHECKING:
    from ..flows import compare

NORMALIZE_SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""

COMPARE_SCHEMA_VERSION = 1
"""The same for ``compare --json``."""


def normalize_document(results: Sequence[Result], *, command: str, version: str, exit_status: int) -> str:
    """Return what ``normalize --json`` and ``check --json`` print; ``schemas/normalize.schema.json`` describes it."""
    document = {
        "schema_version": NORMALIZE_SCHEMA_VERSION,
        "samebytes": version,
        "command": command,
        "exit_status": exit_status,
        "files": [_file(result) for result in results],
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _file(result: Result) -> dict[str, Any]:
    rewritten = result.rewritten
    return {
        "path": str(result.source),
        "output": None if result.output is None else str(result.output),
        "kind": result.kind or None,
        "date": _date(result),
        "before": _digest(rewritten.before) if rewritten else None,
        "after": _digest(rewritten.after) if rewritten else None,
        "changed": result.changed if rewritten else None,
        "changes": [change._asdict() for change in result.changes],
        "notes": [note._asdict() for note in result.notes],
        "payload": _payload(result),
        "error": error_document(result),
    }


def _date(result: Result) -> dict[str, Any] | None:
    if result.date is None:
        return None
    return {"seconds": result.date.seconds, "iso": result.date.iso, "source": result.date.source.value}


def error_document(result: Result | compare.Result) -> dict[str, Any] | None:
    """Return the error of *result*, if it has one."""
    error = result.error
    if error is None:
        return None
    return {
        "class": type(error).__name__,
        "message": error.message,
        "remedy": error.remedy,
        "exit_status": error.exit_status,
    }


def _payload(result: Result) -> dict[str, Any] | None:
    if result.rewritten is None or result.rewritten.payload_before is None:
        return None
    before, after = result.rewritten.payload_before, result.rewritten.payload_after
    return {"before": before, "after": after, "same": after == before}


def _digest(digest: FileDigest) -> dict[str, Any]:
    return {"sha256": digest.sha256, "size": digest.size}


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return *comparison* as ``$defs/comparison`` in ``schemas/compare.schema.json`` describes it."""
    return {
        "left": _side(comparison.left),
        "right": _side(comparison.right),
        "kind": comparison.kind,
        "verdict": comparison.verdict.value,
        "causes": list(comparison.causes),
        "differences": [_difference(each) for each in comparison.differences],
        "notes": list(comparison.notes),
    }


def causes_document(comparisons: Iterable[Comparison]) -> list[dict[str, Any]]:
    """Return every cause found, with what to do about it: ``$defs/cause`` in ``schemas/compare.schema.json``."""
    counts = cause_counts(comparisons)
    return [{**vars(by_code(code)), "differences": number} for code, number in counts.items()]


def _side(side: Side) -> dict[str, Any]:
    return {"path": side.path, "sha256": side.sha256, "size": side.size}


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "name": difference.name,
        "kind": difference.kind.value,
        "summary": difference.summary,
        "detail": list(difference.detail),
        "findings": [_finding(finding) for finding in difference.findings],
        "passes": list(difference.passes),
        "children": [_difference(child) for child in difference.children],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"code": finding.code, "name": by_code(finding.code).name, "evidence": _evidence(finding.evidence)}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"where": evidence.where, "left": _bytes(evidence.left), "right": _bytes(evidence.right)}


def _bytes(data: bytes) -> dict[str, str]:
    """Return *data* twice: exactly, and as people can read it."""
    return {"base64": base64.b64encode(data).decode("ascii"), "text": text_of(data)}
