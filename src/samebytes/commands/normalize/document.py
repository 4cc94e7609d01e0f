"""Results of ``normalize`` and ``check`` as a JSON document, which ``normalize.schema.json`` describes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...console.documents import error_document
from .normalize import FileDigest, Result

NORMALIZE_SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def normalize_document(results: Sequence[Result], *, command: str, version: str, exit_status: int) -> str:
    """Return what ``normalize --json`` and ``check --json`` print; ``normalize.schema.json`` describes it."""
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
        "error": error_document(result.error),
    }


def _date(result: Result) -> dict[str, Any] | None:
    if result.date is None:
        return None
    return {"seconds": result.date.seconds, "iso": result.date.iso, "source": result.date.source.value}


def _payload(result: Result) -> dict[str, Any] | None:
    if result.rewritten is None or result.rewritten.payload_before is None:
        return None
    before, after = result.rewritten.payload_before, result.rewritten.payload_after
    return {"before": before, "after": after, "same": after == before}


def _digest(digest: FileDigest) -> dict[str, Any]:
    return {"sha256": digest.sha256, "size": digest.size}
