"""What ``samebytes compare`` found, as text, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from samebytes.console.style import harmless

from ...comparison.causes.table import by_code
from ...comparison.model import Comparison, Verdict
from ...reporting import markdown
from ...reporting.annotations import Annotation
from ...reporting.difference_tree import View, body_lines, cause_lines, counted, verdict_line
from ...reporting.documents import COMPARE_SCHEMA_VERSION, causes_document, comparison_document
from ...reporting.overview import NORMALIZING, opening, overview
from .compare import PairResult

LABELS = ("left", "right")
_FAILED = "cannot be compared"
_MOST_NAMED = 100
"""How many pairs a document in Markdown lists."""
_MOST_FILES = 5
_WHERE_THE_REST_IS = "All of it is in the report that --html writes."
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
        return result.comparison.judgement
    if result.error is not None:
        return _FAILED
    return _ONLY_LEFT if result.pair.right is None else _ONLY_RIGHT


def _counted_outcome(result: PairResult) -> str:
    one = result.comparison
    return f"the rest {one.verdict.value}" if one is not None and one.excluded else _outcome(result)


def tally(results: Sequence[PairResult]) -> str:
    """Return how many pairs came to which end."""
    # Those of which something was left out by themselves, whatever that was.
    outcomes = [_counted_outcome(result) for result in results]
    known = [
        *(verdict.value for verdict in Verdict),
        *(f"the rest {verdict.value}" for verdict in Verdict),
        _ONLY_LEFT,
        _ONLY_RIGHT,
        _FAILED,
    ]
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


def as_markdown(results: Sequence[PairResult], *, version: str) -> str:
    """Return a document of at most :data:`..reporting.markdown.MOST` bytes."""
    named = [f"- {markdown.code(result.pair.name)}: {_outcome(result)}" for result in results]
    errors = [[f"- {markdown.code(each.error.message)}", ""] for each in results if each.error is not None]
    # The verdicts first, for there may be no room for all else.
    blocks = [
        [*named[:_MOST_NAMED], *([f"- ... and {len(named) - _MOST_NAMED:,} more"] * (len(named) > _MOST_NAMED)), ""]
    ]
    blocks += [*errors, markdown.overview_lines(overview(_comparisons(results)), NORMALIZING)]
    for comparison in _comparisons(results):
        if comparison.verdict is not Verdict.IDENTICAL:
            blocks.append([markdown.verdict_heading(comparison), "", *markdown.side_rows(comparison, LABELS)])
            blocks += markdown.sections(comparison)
    return markdown.document([f"### samebytes {version} compare: {tally(results)}", ""], blocks, _WHERE_THE_REST_IS)


def annotated(results: Sequence[PairResult], status: int) -> list[Annotation]:
    """Return one for each pair that is not the same, and that counts where *status* is not 0."""
    level = "error" if status else "notice"
    found = []
    for result in results:
        if result.comparison is None:
            message = result.error.message if result.error is not None else _outcome(result)
            found.append(Annotation(level, f"{result.pair.name}: {_outcome(result)}", message))
        elif result.comparison.verdict is not Verdict.IDENTICAL:
            rows = overview([result.comparison])
            said = (f"{row.code} {by_code(row.code).name}: {', '.join(row.files[:_MOST_FILES])}" for row in rows)
            remedies = dict.fromkeys(f"Remedy: {' '.join(opening(row.remedy)).rstrip()}" for row in rows)
            message = "\n".join([*said, *remedies]) or _outcome(result)
            found.append(Annotation(level, f"{result.pair.name}: {_outcome(result)}", message))
    return found


def as_page(results: Sequence[PairResult], *, version: str) -> str:
    """Return one HTML page, complete in itself."""
    # With Jinja2, which only pages need.
    from ...pages import page
    from ...pages.layout import cause_filters, mark, named_filters, page_sections

    done = _comparisons(results)
    sections = iter(page_sections(done))
    # Numbered as the results are, for the list of pairs links to them.
    shown = [
        (each, next(sections)._replace(number=n) if each.comparison else None) for n, each in enumerate(results, 1)
    ]
    return page(
        "commands/compare/page.html",
        "samebytes compare",
        version=version,
        results=results,
        comparisons=done,
        choices=[("cause", cause_filters(done)), ("verdict", named_filters(one.verdict.value for one in done))],
        labels=LABELS,
        mark=mark,
        outcome_of=_outcome,
        rows=overview(done),
        shown=shown,
        tally=tally(results),
    )
