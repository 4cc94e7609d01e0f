"""What ``samebytes compare`` found, as text, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from samebytes.console.style import harmless

from ...comparison.model import Comparison, Verdict
from ...reporting.difference_tree import View, body_lines, cause_lines, counted, verdict_line
from ...reporting.documents import COMPARE_SCHEMA_VERSION, causes_document, comparison_document
from .compare import PairResult

_FAILED = "cannot be compared"
_ONLY_LEFT, _ONLY_RIGHT = "only on the left side", "only on the right side"


def lines(results: Sequence[PairResult], view: View) -> Iterator[str]:
    """Yield the verdict on each pair, then what differs in those that differ, and in the end the causes."""
    for result in results:
        yield _verdict_line(result, view)
    for comparison in _comparisons(results):
        if comparison.verdict is not Verdict.IDENTICAL or view.verbose:
            if len(results) > 1:
                yield from ("", verdict_line(comparison, view.style))
            yield from body_lines(comparison, view)
    yield from cause_lines(_comparisons(results), view.style)
    if len(results) > 1:
        yield from ("", tally(results))


def _verdict_line(result: PairResult, view: View) -> str:
    if result.comparison is not None:
        return verdict_line(result.comparison, view.style)
    return f"{view.style.bold(harmless(result.pair.name))}: {view.style.bad(_outcome(result))}"


def _comparisons(results: Sequence[PairResult]) -> list[Comparison]:
    """Return those that were made."""
    return [result.comparison for result in results if result.comparison is not None]


def _outcome(result: PairResult) -> str:
    """Return what became of a pair, in a few words."""
    if result.comparison is not None:
        return result.comparison.verdict.value
    if result.error is not None:
        return _FAILED
    return _ONLY_LEFT if result.pair.right is None else _ONLY_RIGHT


def tally(results: Sequence[PairResult]) -> str:
    """Return how many pairs came to which end."""
    outcomes = [_outcome(result) for result in results]
    known = [*(verdict.value for verdict in Verdict), _ONLY_LEFT, _ONLY_RIGHT, _FAILED]
    counts = [f"{outcomes.count(one):,} {one}" for one in known if one in outcomes]
    return f"{counted(len(results), 'pair')}: {', '.join(counts)}."


def as_json(results: Sequence[PairResult], *, version: str, accept: str, exit_status: int) -> str:
    """Return one JSON document (``compare.schema.json``)."""
    document = {
        "schema_version": COMPARE_SCHEMA_VERSION,
        "samebytes": version,
        "command": "compare",
        "accept": accept,
        "exit_status": exit_status,
        "pairs": [_pair(result) for result in results],
        "causes": causes_document(_comparisons(results)),
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(document, indent=2, ensure_ascii=True)


def _pair(result: PairResult) -> dict[str, Any]:
    left, right = result.pair.left, result.pair.right
    return {
        "name": result.pair.name,
        "left": None if left is None else str(left),
        "right": None if right is None else str(right),
        "comparison": None if result.comparison is None else comparison_document(result.comparison),
        "error": result.error.described() if result.error else None,
    }


def as_page(results: Sequence[PairResult], *, version: str) -> str:
    """Return one HTML page, complete in itself."""
    from ... import pages  # with Jinja2, which only pages need

    values = {"results": results, "comparisons": _comparisons(results), "tally": tally(results), "outcome_of": _outcome}
    return pages.page("commands/compare/page.html", "samebytes compare", version=version, **values)
