"""Comparisons as JSON, as ``compare.schema.json`` describes it: shared by the reports of several commands."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from ..comparison.causes.table import by_code, how_small
from ..comparison.model import ComparedFile, Comparison, Difference, Evidence
from .difference_tree import cause_counts, remedy_for
from .evidence import text_of
from .readers import Reader

COMPARE_SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return *comparison* as ``$defs/comparison`` in ``compare.schema.json`` describes it."""
    return {
        "left": _side(comparison.left),
        "right": _side(comparison.right),
        # Trees have no kind of artifact.
        "kind": comparison.kind or "tree",
        "verdict": comparison.verdict.value,
        "small": how_small(comparison.differences) or None,
        "excluded": comparison.excluded,
        "causes": list(comparison.causes),
        "differences": [_difference(each) for each in comparison.differences],
        "notes": list(comparison.notes),
    }


def causes_document(comparisons: Iterable[Comparison], reader: Reader = Reader.WRAPPED) -> list[dict[str, Any]]:
    """Return every cause found, with what *reader* can do about it: ``$defs/cause`` in ``compare.schema.json``."""
    comparisons = list(comparisons)
    return [
        {
            **by_code(code).described(),
            "remedy": remedy_for(code, comparisons, reader),
            "differences": number,
        }
        for code, number in cause_counts(comparisons).items()
    ]


def _side(side: ComparedFile) -> dict[str, Any]:
    return {"path": side.path, "sha256": side.sha256, "size": side.size}


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "name": difference.name,
        "kind": difference.kind.value,
        "summary": difference.summary,
        "detail": list(difference.detail),
        "findings": [
            {"code": each.code, "name": by_code(each.code).name, "evidence": _evidence(each.evidence)}
            for each in difference.findings
        ],
        "passes": list(difference.passes),
        "children": [_difference(child) for child in difference.children],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"where": evidence.where, "left": _bytes(evidence.left), "right": _bytes(evidence.right)}


def _bytes(data: bytes) -> dict[str, str]:
    """Return *data* twice: exactly, and as people can read it."""
    return {"base64": base64.b64encode(data).decode("ascii"), "text": text_of(data)}
