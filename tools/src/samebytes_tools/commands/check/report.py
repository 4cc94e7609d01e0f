"""What building twice showed, as JSON; and what its reports have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable

from samebytes.console.style import harmless

from ...comparison.model import Comparison
from ...reporting.documents import causes_document, comparison_document
from ...reporting.readers import Reader
from ...variations.variations import remedy
from .attempts import ADVICE
from .bisect import Attribution
from .facts import DifferingFact
from .subject import BisectionResult, BuiltFile, CheckOutcome, CheckResult, Failure

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


def title(result: CheckResult) -> str:
    """Return the source and the interpreter, harmless."""
    python = f" (Python {result.python})" if result.python else ""
    return harmless(result.source) + python


def comparisons(result: CheckResult) -> list[Comparison]:
    """Return how what was built as it stands differs."""
    outcomes = result.ways[0].outcomes if result.ways else ()
    return [outcome.comparison for outcome in outcomes if outcome.comparison is not None]


def failures(result: CheckResult) -> list[tuple[str, str]]:
    """Return what could not be built and why, with what to do about it, where its output is not shown."""
    found = [
        (
            f"{title(result)}: {each.kind}: {each.failure.message}",
            each.failure.remedy.replace(ADVICE, "-v prints its log."),
        )
        for way in result.ways
        for each in way.outcomes
        if each.failure is not None
    ]
    return list(dict.fromkeys(found))


def state_of(result: CheckResult) -> str:
    """Return what became of a source in a word or two: one of STATES, or ``"accepted"`` of what is not the same."""
    return "accepted" if result.status == 0 and not result.is_same else STATES[result.status]


def summary(results: Sequence[CheckResult]) -> str:
    """Return how many sources came out how, in one line."""
    states = [state_of(result) for result in results]
    named = ("same", "accepted", "differs", STATES[2])
    return ", ".join(f"{states.count(state):,} {state}" for state in named if state in states)


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


def document(results: Sequence[CheckResult], *, version: str, exit_status: int) -> str:
    """Return what ``check --json`` prints for sources; ``check-source.schema.json`` describes it."""
    readers = {result.reader for result in results}
    # Of several sources, what is said of all has to be right for each.
    reader = next((each for each in (Reader.OUTSIDER, Reader.MAINTAINER) if each in readers), Reader.WRAPPED)
    data = {
        "schema_version": SCHEMA_VERSION,
        "samebytes": version,
        "exit_status": exit_status,
        "results": [_result(result) for result in results],
        "causes": causes_document([one for result in results for one in comparisons(result)], reader),
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
        "installer": result.installer or None,
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
