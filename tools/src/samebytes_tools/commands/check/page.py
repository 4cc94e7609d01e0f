"""What building twice showed, as an HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from samebytes.epoch import format_date

from ...comparison.model import Verdict
from ...pages import page
from ...pages.layout import PageSection, cause_filters, mark, named_filters, page_sections
from ...reporting.difference_tree import counted, where_found
from ...reporting.overview import OverviewRow, overview
from ...reporting.readers import advice_for, advice_to, on_normalizing
from .attribution import variations_of
from .report import LABELS, attributed, comparisons, state_of, summary
from .subject import CheckResult

_REQUIREMENTS_SHOWN = 8


class _ShownSource(NamedTuple):
    result: CheckResult
    project: str
    facts: Sequence[tuple[str, str]]
    rows: Sequence[OverviewRow]
    hint: str
    sections: Sequence[PageSection]


def document(results: Sequence[CheckResult], *, version: str, moment: int) -> str:
    """Return one self-contained page; *moment* is when it was checked, in seconds since 1970."""
    every = [one for result in results for one in comparisons(result)]
    sections = iter(page_sections(every))
    sources = [_source(result, [next(sections) for _ in comparisons(result)], moment) for result in results]
    kinds = [one.head for source in sources for one in source.sections]
    return page(
        "commands/check/page.html",
        f"{sources[0].project}, built twice" if len(sources) == 1 else "Built twice",
        version=version,
        sources=sources,
        comparisons=every,
        attributed=attributed,
        choices=[("cause", cause_filters(every)), ("artifact", named_filters(kinds))],
        identical=Verdict.IDENTICAL,
        labels=LABELS,
        mark=mark,
        remedies=lambda code, _: _remedy(results, code),
        state_of=state_of,
        summary=summary(results),
    )


def _source(result: CheckResult, sections: Sequence[PageSection], moment: int) -> _ShownSource:
    outcomes = result.ways[0].outcomes if result.ways else ()
    kinds: dict[int, str] = {id(one.comparison): one.kind for one in outcomes}
    named = [one._replace(head=kinds[id(one.comparison)]) for one in sections]
    rows = overview(comparisons(result), variations_of(result), advice_for(result.reader))
    hint = on_normalizing(result.reader, result.accept)
    return _ShownSource(result, project(result), _facts(result, moment), rows, hint, named)


def _remedy(results: Sequence[CheckResult], code: str) -> str:
    """Return what to do about a cause, as those can who read of the first source that has it."""
    every = [(result.reader, where_found(code, comparisons(result))) for result in results]
    reader, places = next((reader, places) for reader, places in every if places)
    return advice_to(reader, code, normalized=True in places, inside=False in places)


def project(result: CheckResult) -> str:
    """Return the name and version of what was built, as files have them; of nothing, the source as it was named."""
    outcomes = result.ways[0].outcomes if result.ways else ()
    names = [outcome.pair[0].name for outcome in outcomes if outcome.pair is not None]
    # NAME-VERSION.tar.gz, and of wheels the first two parts.
    named = ["-".join(name.removesuffix(".tar.gz").split("-")[:2]) for name in names]
    return named[0].replace("-", " ") if named else result.source


def _facts(result: CheckResult, moment: int) -> list[tuple[str, str]]:
    """Return what the card of a source says."""
    wanted = sorted(result.requirements, key=lambda one: one.name.lower())
    needed = [f"{one.name} {one.version}" for one in wanted[:_REQUIREMENTS_SHOWN]]
    more = [counted(len(wanted) - _REQUIREMENTS_SHOWN, "more")] if len(wanted) > _REQUIREMENTS_SHOWN else []
    facts = [
        ("Source", result.source),
        ("Checked", format_date(moment).replace("T", " ").replace("Z", " UTC")),
        ("Python", result.python),
        ("Built with", ", ".join(needed + more)),
        ("Installed by", result.installer),
        ("Varied", ", ".join(result.applied)),
        ("Kept in", "" if result.kept is None else str(result.kept)),
    ]
    return [(name, value) for name, value in facts if value]
