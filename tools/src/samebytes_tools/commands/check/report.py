"""What building twice showed, as text, as JSON and as sections of an HTML page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from samebytes.console.style import Style, harmless

from ...comparison.causes.causes import by_code
from ...comparison.model import Comparison, Verdict
from ...reporting import html
from ...reporting.difference_tree import View, body_lines, cause_lines, verdict_text
from ...reporting.documents import causes_document, comparison_document
from ...reporting.prose import folded
from .bisect import Blame
from .chosen import ALL
from .facts import Fact
from .subject import FROM_SDIST, WHEEL, Artifact, Culprits, Failure, Outcome, Result

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""

LABELS = ("1st", "2nd")
"""What the two worlds are called."""

STATES = {0: "same", 1: "differs", 2: "could not be built"}

_MEMBERS_NAMED = 3
_ASPECTS = {
    "contents": "contents",
    "mode": "mode",
    "time": "time",
    "owner": "owner",
    "presence": "presence",
    "kind": "nature",
}
_WHOLE = {"order": "order of members", "name": "file name", "container": "container"}


def lines(result: Result, view: View) -> Iterator[str]:
    """Yield what became of one source: the state of each artifact, what it differs by, and how."""
    style = view.style
    yield f"{style.bold(title(result))}: {_state(result.status, style)}"
    for row in result.rows:
        if len(result.rows) > 1:
            yield f"  {row.way}"
        indent = "    " if len(result.rows) > 1 else "  "
        for outcome in row.outcomes:
            yield f"{indent}{outcome.kind:<16} {_outcome(outcome, style)}"
    if result.culprits is not None:
        yield from _culprit_lines(result.culprits, style)
    for note in result.notes:
        yield from folded(f"note: {harmless(note)}", style.width - 2, "  ")
    if result.kept is not None:
        yield f"  kept in {harmless(str(result.kept))}"
    if view.verbose:
        yield from _circumstances(result, style)
    yield from _failure_lines(result, view)
    for comparison in _shown(result, everything=view.verbose):
        yield from body_lines(comparison, view)


def remedies(results: Iterable[Result], style: Style) -> Iterator[str]:
    """Yield the causes of all that differs, each once, with what to do about it."""
    yield from cause_lines([one for result in results for one in comparisons(result)], style)


def title(result: Result) -> str:
    """Return the source and the interpreter, harmless."""
    python = f" (Python {result.python})" if result.python else ""
    return harmless(result.source) + python


def comparisons(result: Result) -> list[Comparison]:
    """Return how what was built as it stands differs."""
    outcomes = result.rows[0].outcomes if result.rows else ()
    return [outcome.comparison for outcome in outcomes if outcome.comparison is not None]


def summary(results: Sequence[Result]) -> str:
    """Return how many sources came out how, in one line."""
    statuses = [result.status for result in results]
    counts = [f"{statuses.count(status):,} {state}" for status, state in STATES.items() if status in statuses]
    return ", ".join(counts)


def _shown(result: Result, *, everything: bool) -> list[Comparison]:
    """Return the comparisons to show: the wheel from the sdist mostly differs as the tree's own does."""
    outcomes = result.rows[0].outcomes if result.rows else ()
    differ = {outcome.kind for outcome in outcomes if outcome.comparison is not None}
    left_out = {FROM_SDIST} if WHEEL in differ and not everything else set()
    return [one.comparison for one in outcomes if one.comparison is not None and one.kind not in left_out]


def _state(status: int, style: Style) -> str:
    return {0: style.good, 1: style.notable, 2: style.bad}[status](STATES[status])


def _outcome(outcome: Outcome, style: Style) -> str:
    if outcome.failure is not None:
        return style.bad("could not be built")
    if outcome.pair is None or outcome.is_same:
        digest = f" {style.dim('sha256 ' + outcome.pair[0].sha256)}" if outcome.pair else ""
        return style.good("same") + digest
    if outcome.comparison is None:
        return f"{style.notable('differs')} ({harmless(outcome.note)})"
    told = [f"{code} {by_code(code).name}" for code in outcome.comparison.causes]
    causes = f": {style.notable(', '.join(told))}" if told else ""
    return f"{style.notable('differs')} ({verdict_text(outcome.comparison.verdict, style)}){causes}"


def _culprit_lines(culprits: Culprits, style: Style) -> Iterator[str]:
    for blame in culprits.blames:
        yield from _told(f"differs by {style.bold(blamed(blame))}", blame.facts, style)
    if culprits.by_moment:
        yield from _told(f"differs by {style.bold('the moment')}, nothing being varied", culprits.by_moment, style)
    if culprits.unexplained:
        yield from _told("differed once, and under no variation again", culprits.unexplained, style)
    yield f"  {style.dim(f'found by {culprits.builds} more builds')}"


def blamed(blame: Blame) -> str:
    """Return the variation, or those that it takes together."""
    return " and ".join(blame.names) + (" together" if len(blame.names) > 1 else "")


def _told(head: str, facts: frozenset[Fact], style: Style) -> Iterator[str]:
    yield f"  {head}"
    for line in fact_lines(facts):
        yield f"    {style.dim(line)}"


def fact_lines(facts: Iterable[Fact]) -> Iterator[str]:
    """Yield *facts* as text: a line for each artifact and aspect."""
    groups: dict[tuple[str, str], list[str]] = {}
    for fact in sorted(facts):
        groups.setdefault((fact.artifact, fact.aspect), []).append(fact.member)
    for (artifact, aspect), members in groups.items():
        if not any(members):
            yield f"{artifact}: {_WHOLE.get(aspect, aspect)}"
            continue
        named = ", ".join(harmless(member) for member in members[:_MEMBERS_NAMED])
        more = f" and {len(members) - _MEMBERS_NAMED:,} more" if len(members) > _MEMBERS_NAMED else ""
        yield f"{artifact}: {_ASPECTS.get(aspect, aspect)} of {named}{more}"


def _circumstances(result: Result, style: Style) -> Iterator[str]:
    if result.applied:
        yield from folded(f"varied: {', '.join(result.applied)}", style.width - 2, "  ")
    for name, why in result.left_out.items():
        yield f"  {style.dim(f'not varied: {name}, {harmless(why)}')}"
    for one in sorted(result.requirements, key=lambda one: one.name.lower()):
        yield f"  {style.dim(f'built with {harmless(one.name)} {harmless(one.version)}')}"


def _failure_lines(result: Result, view: View) -> Iterator[str]:
    """Yield why something could not be built, what is the same for several only once."""
    told: set[str] = set()
    for row in result.rows:
        for outcome in row.outcomes:
            failure = outcome.failure
            if failure is None or failure.message in told:
                continue
            told.add(failure.message)
            yield f"  {view.style.bad(f'{row.way}, {outcome.kind}')}: {harmless(failure.message)}"
            if failure.remedy:
                yield f"  {view.style.bold('hint')}: {harmless(failure.remedy)}"
            said = failure.log.splitlines() if view.verbose else failure.tail
            yield from (f"    {view.style.dim(harmless(line))}" for line in said)


def variation_lines(obstacles: Mapping[str, str], style: Style) -> Iterator[str]:
    """Yield the list of variations: what each of the two worlds has, and whether that can be had here."""
    for variation in ALL:
        alias = f" ({variation.alias})" if variation.alias else ""
        yield f"{style.bold(variation.name)}{alias}: {variation.why}"
        yield f"    1st: {variation.first}"
        yield f"    2nd: {variation.second}"
        why = obstacles.get(variation.name)
        yield f"    {style.notable('not here')}: {harmless(why)}" if why else f"    {style.good('can be varied here')}"


def document(results: Sequence[Result], *, version: str, exit_status: int) -> str:
    """Return what ``check --json`` prints for sources; ``check-source.schema.json`` describes it."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "samebytes": version,
        "exit_status": exit_status,
        "results": [_result(result) for result in results],
        "causes": causes_document([one for result in results for one in comparisons(result)]),
    }
    # Names that are not UTF-8 hold lone surrogates, which only ASCII escapes can carry.
    return json.dumps(data, indent=2, ensure_ascii=True)


def _result(result: Result) -> dict[str, Any]:
    return {
        "source": result.source,
        "python": result.python or None,
        "state": STATES[result.status],
        "exit_status": result.status,
        "error": _error(result),
        "ways": [{"way": row.way, "artifacts": [_artifacts(one) for one in row.outcomes]} for row in result.rows],
        "varied": list(result.applied),
        "not_varied": dict(result.left_out),
        "differs_by": None if result.culprits is None else _culprits(result.culprits),
        "build_requirements": [
            {"name": one.name, "version": one.version, "url": one.url, "hashes": dict(one.hashes)}
            for one in result.requirements
        ],
        "notes": list(result.notes),
    }


def _error(result: Result) -> dict[str, Any] | None:
    if result.error is None:
        return None
    error = result.error
    return {"class": type(error).__name__, "message": error.message, "remedy": error.remedy}


def _artifacts(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "state": "could not be built" if outcome.failure else "same" if outcome.is_same else "differs",
        "files": [_file(artifact) for artifact in outcome.pair or ()],
        "comparison": None if outcome.comparison is None else comparison_document(outcome.comparison),
        "not_compared": outcome.note or None,
        "failure": _failure(outcome.failure),
    }


def _file(artifact: Artifact) -> dict[str, Any]:
    return {"name": artifact.name, "sha256": artifact.sha256, "size": artifact.size}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"message": failure.message, "remedy": failure.remedy, "tail": list(failure.tail)}


def _culprits(culprits: Culprits) -> dict[str, Any]:
    return {
        "variations": [{"names": list(blame.names), "facts": _facts(blame.facts)} for blame in culprits.blames],
        "moment": _facts(culprits.by_moment),
        "unexplained": _facts(culprits.unexplained),
        "builds": culprits.builds,
    }


def _facts(facts: Iterable[Fact]) -> list[dict[str, str]]:
    return [fact._asdict() for fact in sorted(facts)]


def page(results: Sequence[Result], *, version: str) -> str:
    """Return one self-contained HTML page."""
    found = [one for result in results for one in comparisons(result)]
    numbers = iter(range(1, len(found) + 1))
    sections = [_section(result, numbers) for result in results]
    lead = f"<p>{html.text(summary(results))}</p>"
    return html.html_page(
        "Built twice", [part for part in [*sections, html.causes_section(found)] if part], version=version, lead=lead
    )


def _section(result: Result, numbers: Iterator[int]) -> str:
    parts = [f"<section><h2>{html.text(title(result))}: {html.text(STATES[result.status])}</h2>"]
    if result.error is not None:
        parts.append(f"<p>{html.text(result.error.message)}</p><p>{html.text(result.error.remedy)}</p>")
    parts += [_table(result)] if result.rows else []
    if result.culprits is not None:
        parts.append(_culprit_list(result.culprits))
    parts += [f'<p class="note">{html.text(note)}</p>' for note in result.notes]
    parts += [_failed(outcome) for row in result.rows for outcome in row.outcomes if outcome.failure is not None]
    parts += [html.comparison_section(one, next(numbers), LABELS) for one in comparisons(result)]
    return "\n".join([*parts, "</section>"])


def _table(result: Result) -> str:
    """Return a table of artifacts by ways."""
    head = "".join(f'<th scope="col">{html.text(row.way)}</th>' for row in result.rows)
    body = []
    for number, outcome in enumerate(result.rows[0].outcomes):
        cells = "".join(f"<td>{_cell(row.outcomes[number])}</td>" for row in result.rows)
        body.append(f'<tr><th scope="row">{html.text(outcome.kind)}</th>{cells}</tr>')
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _cell(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return "could not be built"
    if outcome.is_same:
        return html.verdict_badge(Verdict.IDENTICAL)
    return html.verdict_badge(outcome.comparison.verdict) if outcome.comparison is not None else "differs"


def _culprit_list(culprits: Culprits) -> str:
    rows = [(f"differs by {blamed(blame)}", blame.facts) for blame in culprits.blames]
    rows += [("differs by the moment, nothing being varied", culprits.by_moment)] if culprits.by_moment else []
    rows += [("differed once, and under no variation again", culprits.unexplained)] if culprits.unexplained else []
    items = (f"<li>{html.text(head)}<ul>{_fact_items(facts)}</ul></li>" for head, facts in rows)
    return f"<ul>{''.join(items)}</ul>" if rows else ""


def _fact_items(facts: Iterable[Fact]) -> str:
    return "".join(f"<li>{html.text(line)}</li>" for line in fact_lines(facts))


def _failed(outcome: Outcome) -> str:
    failure = outcome.failure or Failure("")
    tail = "\n".join(html.text(line) for line in failure.tail)
    said = f"<pre>{tail}</pre>" if tail else ""
    return f"<p>{html.text(outcome.kind)}: {html.text(failure.message)}</p>{said}"
