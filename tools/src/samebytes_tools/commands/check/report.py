"""What building twice showed, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from samebytes.console.style import Style, harmless

from ...comparison.causes.table import by_code
from ...comparison.model import Comparison
from ...reporting.difference_tree import View, body_lines, cause_lines, verdict_text
from ...reporting.documents import causes_document, comparison_document
from ...reporting.prose import folded
from ...variations.variations import ALL, Obstacle, not_varied, remedy
from .bisect import Attribution
from .facts import DifferingFact
from .subject import FROM_SDIST, WHEEL, BisectionResult, BuiltFile, CheckOutcome, CheckResult, Failure

SCHEMA_VERSION = 1
"""Raised when a field is removed or changes its meaning; new fields may come without."""

LABELS = ("1st", "2nd")
"""What the two builds are called."""

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


def lines(result: CheckResult, view: View) -> Iterator[str]:
    """Yield what became of one source: the state of each artifact, what it differs by, and how."""
    style = view.style
    yield f"{style.bold(title(result))}: {_state(result.status, style)}"
    for way in result.ways:
        if len(result.ways) > 1:
            yield f"  {way.name}"
        indent = "    " if len(result.ways) > 1 else "  "
        for outcome in way.outcomes:
            yield f"{indent}{outcome.kind:<16} {_outcome(outcome, style)}"
    if result.bisection is not None:
        yield from _bisection_lines(result.bisection, style)
    # Without -v: "same" says no more than what was varied.
    if result.left_out:
        yield f"  {style.dim(harmless(not_varied(result.left_out)))}"
    for note in result.notes:
        yield from folded(f"note: {harmless(note)}", style.width - 2, "  ")
    if result.kept is not None:
        yield f"  kept in {harmless(str(result.kept))}"
    if view.verbose:
        yield from _circumstances(result, style)
    yield from _failure_lines(result, view)
    for comparison in _shown(result, everything=view.verbose):
        yield from body_lines(comparison, view)


def remedies(results: Iterable[CheckResult], style: Style) -> Iterator[str]:
    """Yield the causes of all that differs, each once, with what to do about it."""
    yield from cause_lines([one for result in results for one in comparisons(result)], style)


def title(result: CheckResult) -> str:
    """Return the source and the interpreter, harmless."""
    python = f" (Python {result.python})" if result.python else ""
    return harmless(result.source) + python


def comparisons(result: CheckResult) -> list[Comparison]:
    """Return how what was built as it stands differs."""
    outcomes = result.ways[0].outcomes if result.ways else ()
    return [outcome.comparison for outcome in outcomes if outcome.comparison is not None]


def summary(results: Sequence[CheckResult]) -> str:
    """Return how many sources came out how, in one line."""
    statuses = [result.status for result in results]
    counts = [f"{statuses.count(status):,} {state}" for status, state in STATES.items() if status in statuses]
    return ", ".join(counts)


def _shown(result: CheckResult, *, everything: bool) -> list[Comparison]:
    """Return the comparisons to show: the wheel from the sdist mostly differs as the tree's own does."""
    outcomes = result.ways[0].outcomes if result.ways else ()
    differ = {outcome.kind for outcome in outcomes if outcome.comparison is not None}
    # Its differences would be listed twice.
    left_out = {FROM_SDIST} if WHEEL in differ and not everything else set()
    return [one.comparison for one in outcomes if one.comparison is not None and one.kind not in left_out]


def _state(status: int, style: Style) -> str:
    return {0: style.good, 1: style.notable, 2: style.bad}[status](STATES[status])


def _outcome(outcome: CheckOutcome, style: Style) -> str:
    if outcome.failure is not None:
        return style.bad("could not be built")
    if outcome.pair is None or outcome.is_same:
        digest = f" {style.dim('sha256 ' + outcome.pair[0].sha256)}" if outcome.pair else ""
        return style.good("same") + digest
    if outcome.comparison is None:
        return f"{style.notable('differs')} ({harmless(outcome.note)})"
    named = [f"{code} {by_code(code).name}" for code in outcome.comparison.causes]
    causes = f": {style.notable(', '.join(named))}" if named else ""
    return f"{style.notable('differs')} ({verdict_text(outcome.comparison.verdict, style)}){causes}"


def _bisection_lines(bisection: BisectionResult, style: Style) -> Iterator[str]:
    for head, facts in attributed(bisection, style.bold):
        yield f"  {head}"
        yield from (f"    {style.dim(line)}" for line in facts)
    yield f"  {style.dim(f'found by {bisection.builds} more builds')}"


def attributed(bisection: BisectionResult, name: Callable[[str], str] = str) -> Iterator[tuple[str, list[str]]]:
    """Yield what the source differs by, with variations as *name* shows them, and the facts of each as lines."""
    for attribution in bisection.attributions:
        yield f"differs by {name(names_of(attribution))}", list(fact_lines(attribution.facts))
    if bisection.by_moment:
        yield f"differs by {name('the moment')}, nothing being varied", list(fact_lines(bisection.by_moment))
    if bisection.unexplained:
        yield "differed once, and under no variation again", list(fact_lines(bisection.unexplained))


def names_of(attribution: Attribution) -> str:
    """Return the variation, or those that it takes together."""
    return " and ".join(attribution.names) + (" together" if len(attribution.names) > 1 else "")


def fact_lines(facts: Iterable[DifferingFact]) -> Iterator[str]:
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


def _circumstances(result: CheckResult, style: Style) -> Iterator[str]:
    if result.applied:
        yield from folded(f"varied: {', '.join(result.applied)}", style.width - 2, "  ")
    for name, obstacle in result.left_out.items():
        yield f"  {style.dim(f'not varied: {name}, {harmless(obstacle.why)}')}"
    for one in sorted(result.requirements, key=lambda one: one.name.lower()):
        yield f"  {style.dim(f'built with {harmless(one.name)} {harmless(one.version)}')}"


def _failure_lines(result: CheckResult, view: View) -> Iterator[str]:
    """Yield why something could not be built, what is the same for several only once."""
    shown: set[str] = set()
    for way in result.ways:
        for outcome in way.outcomes:
            failure = outcome.failure
            # A broken requirement fails all kinds and ways in the same words.
            if failure is None or failure.message in shown:
                continue
            shown.add(failure.message)
            yield f"  {view.style.bad(f'{way.name}, {outcome.kind}')}: {harmless(failure.message)}"
            if failure.remedy:
                yield f"  {view.style.bold('hint')}: {harmless(failure.remedy)}"
            printed = failure.log.splitlines() if view.verbose else failure.tail
            yield from (f"    {view.style.dim(harmless(line))}" for line in printed)


def variation_lines(obstacles: Mapping[str, Obstacle], style: Style) -> Iterator[str]:
    """Yield the list of variations: what each of the two builds has, and whether that can be had here."""
    for variation in ALL:
        alias = f" ({variation.alias})" if variation.alias else ""
        yield f"{style.bold(variation.name)}{alias}: {variation.why}"
        yield f"    1st: {variation.first}"
        yield f"    2nd: {variation.second}"
        obstacle = obstacles.get(variation.name)
        if obstacle:
            yield f"    {style.notable('not here')}: {harmless(obstacle.why)}"
        else:
            yield f"    {style.good('can be varied here')}"
    if obstacles:
        yield not_varied(obstacles)


def document(results: Sequence[CheckResult], *, version: str, exit_status: int) -> str:
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


def _result(result: CheckResult) -> dict[str, Any]:
    return {
        "source": result.source,
        "python": result.python or None,
        "state": "same" if result.is_same else STATES[result.status or 1],
        "accept": result.accept,
        "exit_status": result.status,
        "error": _error(result),
        "ways": [{"way": way.name, "artifacts": [_artifacts(one) for one in way.outcomes]} for way in result.ways],
        "varied": list(result.applied),
        "not_varied": {name: obstacle.why for name, obstacle in result.left_out.items()},
        "to_vary_more": remedy(result.left_out.values()) or None,
        "differs_by": None if result.bisection is None else _bisection(result.bisection),
        "build_requirements": [
            {"name": one.name, "version": one.version, "url": one.url, "hashes": dict(one.hashes)}
            for one in result.requirements
        ],
        "notes": list(result.notes),
    }


def _error(result: CheckResult) -> dict[str, Any] | None:
    if result.error is None:
        return None
    error = result.error
    return {"class": type(error).__name__, "message": error.message, "remedy": error.remedy}


def _artifacts(outcome: CheckOutcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "state": "could not be built" if outcome.failure else "same" if outcome.is_same else "differs",
        "files": [_file(artifact) for artifact in outcome.pair or ()],
        "comparison": None if outcome.comparison is None else comparison_document(outcome.comparison),
        "not_compared": outcome.note or None,
        "failure": _failure(outcome.failure),
    }


def _file(artifact: BuiltFile) -> dict[str, Any]:
    return {"name": artifact.name, "sha256": artifact.sha256, "size": artifact.size}


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"message": failure.message, "remedy": failure.remedy, "tail": list(failure.tail)}


def _bisection(bisection: BisectionResult) -> dict[str, Any]:
    return {
        "variations": [{"names": list(one.names), "facts": _facts(one.facts)} for one in bisection.attributions],
        "moment": _facts(bisection.by_moment),
        "unexplained": _facts(bisection.unexplained),
        "builds": bisection.builds,
    }


def _facts(facts: Iterable[DifferingFact]) -> list[dict[str, str]]:
    return [fact._asdict() for fact in sorted(facts)]
