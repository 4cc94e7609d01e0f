"""What building twice showed, as Markdown, for what a CI service shows of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...reporting import markdown
from ...reporting.markdown import code, fenced
from ...reporting.overview import overview
from ...reporting.readers import advice_for, on_normalizing
from .attribution import variations_of
from .report import comparisons, state_of, summary, title
from .subject import CheckOutcome, CheckResult

_WHERE_THE_REST_IS = "All of it is in the report that --html writes."


def document(results: Sequence[CheckResult], *, version: str) -> str:
    """Return a document of at most :data:`..reporting.markdown.MOST` bytes."""
    heading = [f"### samebytes {version} check: {summary(results)}", ""]
    # What every source came to is first, for there may be no room for all details.
    return markdown.document(
        heading,
        [*(_source(result) for result in results), *(each for result in results for each in _details(result))],
        _WHERE_THE_REST_IS,
    )


def _source(result: CheckResult) -> list[str]:
    lines = [f"#### {code(title(result))}: {state_of(result)}", ""]
    if result.error is not None:
        return [*lines, f"{code(result.error.message)} {code(result.error.remedy) if result.error.remedy else ''}", ""]
    ways = [way.name for way in result.ways]
    outcomes = zip(*(way.outcomes for way in result.ways))
    lines += markdown.table(["", *ways], ([each[0].kind, *map(_outcome, each)] for each in outcomes))
    rows = overview(comparisons(result), variations_of(result), advice_for(result.reader))
    lines += ["", *markdown.overview_lines(rows, on_normalizing(result.reader, result.accept))]
    if result.not_varied:
        lines += [markdown.plain(result.not_varied), ""]
    return [*lines, *(f"- note: {code(note)}" for note in result.notes), *([""] if result.notes else [])]


def _outcome(outcome: CheckOutcome) -> str:
    if outcome.failure is not None:
        return "could not be built"
    if outcome.is_same:
        return "same"
    return outcome.comparison.verdict.value if outcome.comparison else f"differs ({code(outcome.note)})"


def _details(result: CheckResult) -> Iterator[list[str]]:
    for way in result.ways:
        for outcome in way.outcomes:
            if outcome.failure is not None:
                lines = [
                    line for line in (outcome.failure.message, outcome.failure.remedy, *outcome.failure.tail) if line
                ]
                yield [f"#### {outcome.kind}, {way.name}: could not be built", "", *fenced(lines), ""]
    seen: set[object] = set()
    for comparison in comparisons(result):
        # A wheel from the sdist mostly differs as that from the tree does.
        if comparison.differences not in seen:
            yield [markdown.verdict_heading(comparison), ""]
            yield from markdown.sections(comparison)
        seen.add(comparison.differences)
