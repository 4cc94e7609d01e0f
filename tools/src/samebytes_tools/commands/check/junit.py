"""What building twice showed, as JUnit XML for CI: a suite for each source, a case for each artifact in each way.

What differs as the project stands is a failure, what could not be built an error. What samebytes would make of it is
a case, too, which never fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from samebytes.console.style import harmless

from ...comparison.causes.table import by_code, how_small
from ...comparison.model import Comparison
from ...reporting.difference_tree import SHOWN_MEMBERS, View, counted, title_of, tree_lines
from ...reporting.overview import opening, overview, parts
from ...reporting.readers import advice_for
from .report import LABELS, fact_lines, names_of, title
from .subject import CheckOutcome, CheckResult, WayResult


def document(results: Sequence[CheckResult]) -> str:
    """Return an XML document."""
    suites = [_suite(result) for result in results]
    root = Element("testsuites", name="samebytes check")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.extend(suites)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(result: CheckResult) -> Element:
    cases = [_case(result, way, outcome) for way in result.ways for outcome in way.outcomes] or [_no_build(result)]
    suite = Element("testsuite", name=title(result), tests=str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("skipped", "0")
    if result.not_varied:
        properties = SubElement(suite, "properties")  # first in its suite, where there are any
        SubElement(properties, "property", name="not varied", value=harmless(result.not_varied))
    suite.extend(cases)
    return suite


def _no_build(result: CheckResult) -> Element:
    case = Element("testcase", classname=title(result), name="build")
    if result.error is not None:
        _report(case, "error", result.error.message, [result.error.remedy])
    return case


def _case(result: CheckResult, way: WayResult, outcome: CheckOutcome) -> Element:
    case = Element("testcase", classname=title(result), name=f"{outcome.kind}, {way.name}")
    # CI is to fail for what the project does, not for what samebytes would make of it.
    counts = way is result.ways[0]
    if outcome.failure is not None:
        failure = outcome.failure
        # In system-out, as a testcase with an <error> or <failure> has failed, whatever its type says.
        _report(case, "error" if counts else "system-out", failure.message, [failure.remedy, *failure.tail])
    elif not outcome.is_same:
        fails = counts and not outcome.is_accepted(result.accept)
        _report(case, "failure" if fails else "system-out", _message(outcome), _body(result, outcome))
    return case


def _message(outcome: CheckOutcome) -> str:
    if outcome.comparison is None:
        return f"differs: {outcome.note}"
    causes = ", ".join(f"{code} {by_code(code).name}" for code in outcome.comparison.causes)
    return f"differs ({outcome.comparison.verdict.value})" + (f": {causes}" if causes else "")


def _body(result: CheckResult, outcome: CheckOutcome) -> list[str]:
    files = [f"{artifact.name} sha256 {artifact.sha256}" for artifact in outcome.pair or ()]
    attributions = result.bisection.attributions if result.bisection is not None else ()
    by = [
        f"differs by {names_of(attribution)}: {line}"
        for attribution in attributions
        for line in fact_lines(fact for fact in attribution.facts if fact.artifact == outcome.kind)
    ]
    return [*files, *by, *(_evidence(result, outcome.comparison) if outcome.comparison is not None else ())]


def _evidence(result: CheckResult, comparison: Comparison) -> Iterator[str]:
    """Yield what differs, what normalizing removes last, with the bytes that show it; and what to do about it."""
    left, removed = parts(comparison)
    small = how_small(comparison.differences)
    if small:
        yield small
    yield from tree_lines(left, View(labels=LABELS))
    yield from (f"normalizing removes {title_of(node)}: {node.summary}" for node in removed[:SHOWN_MEMBERS])
    if len(removed) > SHOWN_MEMBERS:
        yield f"normalizing removes {counted(len(removed) - SHOWN_MEMBERS, 'more difference')}"
    for row in overview([comparison], advice=advice_for(result.reader)):
        yield f"{row.code} {by_code(row.code).name}: {' '.join(opening(row.remedy)).rstrip()}"


def _report(case: Element, tag: str, message: str, body: Sequence[str]) -> None:
    """Add *message* to *case*; what XML cannot hold, such as control characters, as Python shows it."""
    text = "\n".join(harmless(line) for line in (message, *body) if line)
    element = SubElement(case, tag)
    if tag != "system-out":
        element.set("message", " ".join(harmless(line) for line in message.splitlines()))
        element.set("type", tag)
    element.text = text
