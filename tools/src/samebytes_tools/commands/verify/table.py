"""Many results as a table: for terminals, as an HTML page, and as JUnit XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from samebytes.console.style import Style, harmless

from ...comparison.causes.table import by_code
from ...comparison.model import Verdict
from ...reporting.difference_tree import counted, verdict_text
from ...reporting.prose import folded
from .report import VerifyRow, causes_of
from .verify import ACCEPTED

_COLUMN = 30
"""Columns that names get; a longer one takes more."""
_HINT = "hint: "
_NARROWEST = 24
_NAMED = 3
"""How many rows that are skipped for the same reason are shown."""


def tally(rows: Sequence[VerifyRow]) -> Mapping[str, int]:
    """Return how many *rows* there are of each outcome, in the order of verdicts; those that are not there left out."""
    outcomes = [row.outcome for row in rows]
    names = [*(one.value for one in Verdict), "not verified", "skipped"]
    return {name: outcomes.count(name) for name in names if name in outcomes}


def summary(rows: Sequence[VerifyRow], accept: str) -> str:
    """Return one line on all *rows*: how many of each outcome, and the share that is good enough for *accept*."""
    counts = ", ".join(f"{number:,} {name}" for name, number in tally(rows).items())
    counting = [row for row in rows if row.outcome != "skipped"]
    good = sum(row.is_good(accept) for row in counting)
    worst = ACCEPTED[accept][-1]
    level = worst.value if worst is Verdict.IDENTICAL else f"{worst.value} or better"
    rate = f" {good:,} of {len(counting):,} ({100 * good // len(counting)} %) are {level}." if counting else ""
    return f"{counted(len(rows), 'entry').replace('entrys', 'entries')}: {counts or 'nothing'}.{rate}"


def lines(rows: Sequence[VerifyRow], style: Style, accept: str, *, verbose: bool = False) -> Iterator[str]:
    """Yield a line for each row, with what it lacks; then the causes and notes of all, and the summary."""
    # Only short names make a column: those of wheels take as much room as they need.
    wide = max((len(row.outcome) for row in rows), default=0)
    column = max((len(name) for name in map(_name, rows) if len(name) <= _COLUMN), default=0)
    many = {} if verbose else _skipped_alike(rows)
    hinted: set[str] = set()
    for row in rows:
        if row.result.get("skipped") in many:
            continue
        # Once for all rows that it is for, such as those of an index that is down.
        texts = [text for text in why(row) if verbose or not text.startswith(_HINT) or text not in hinted]
        hinted.update(texts)
        yield from _row_lines(row, [harmless(text) for text in texts], wide, column, style)
        yield from (f"{' ' * wide}  {style.dim(line)}" for line in _facts(row)) if verbose else ()
    for reason, number in many.items():
        yield f"{style.dim('skipped')}{' ' * (wide - len('skipped'))}  {number:,} more, {harmless(reason)}"
    yield ""
    for cause in causes_of(rows):
        number = sum(any(one["code"] == cause["code"] for one in row.causes) for row in rows)
        yield f"{style.notable(cause['code'])} {cause['name']}: in {number:,} of them"
    for note, targets in _notes(rows).items():
        of = targets[0] if len(targets) == 1 else f"{targets[0]} and {len(targets) - 1:,} more"
        yield from folded(f"note: {harmless(note)} ({harmless(of)})", style.width, "  ")
    # A number and its sign stay on one line.
    text = summary(rows, accept).replace(" %", "\N{NO-BREAK SPACE}%")
    yield from (line.replace("\N{NO-BREAK SPACE}", " ") for line in folded(text, style.width, "  "))


def _skipped_alike(rows: Sequence[VerifyRow]) -> Mapping[str, int]:
    """Return why many rows are skipped, and how many for each reason: they are only counted."""
    reasons = Counter(row.result["skipped"] for row in rows if row.result.get("skipped"))
    return {reason: number for reason, number in reasons.items() if number > _NAMED}


def _name(row: VerifyRow) -> str:
    return harmless(row.target)


def _row_lines(row: VerifyRow, texts: Sequence[str], wide: int, column: int, style: Style) -> Iterator[str]:
    paint = style.bad if row.result["error"] else style.dim
    outcome = verdict_text(row.verdict, style) if row.verdict else paint(row.outcome)
    name = _name(row)
    head = f"{outcome}{' ' * (wide - len(row.outcome))}  {style.bold(name)}"
    taken = wide + 2 + max(column, len(name)) + 2
    # Beside the name if all of it fits there; else below, where there is room for sentences.
    if len(texts) == 1 and len(texts[0]) <= style.width - taken:
        head, texts = f"{head}{' ' * (column - len(name))}  {texts[0]}", ()
    yield head
    indent = " " * (wide + 2)
    for text in texts:
        yield from (indent + line for line in folded(text, max(style.width - wide - 2, _NARROWEST), "  "))


def why(row: VerifyRow) -> list[str]:
    """Return the reasons for a row's outcome, each a paragraph."""
    error = row.result["error"]
    if error:
        return [error["message"], *([f"{_HINT}{error['remedy']}"] if error["remedy"] else [])]
    codes = ", ".join(cause["code"] for cause in row.causes)
    found = f"{codes}: {row.small}" if row.small else codes
    return [text for text in (row.result.get("skipped") or found, row.elsewhere) if text]


def _facts(row: VerifyRow) -> list[str]:
    verified = row.result["verified"]
    if not verified:
        return []
    needed = ", ".join(f"{one['name']} {one['version']}" for one in verified["build"]["requirements"])
    python = verified["build"]["python"]["version"]
    return [harmless(verified["artifact"]["name"]), harmless(f"Python {python}, with {needed or 'nothing'}")]


def _notes(rows: Sequence[VerifyRow]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            found.setdefault(note, []).append(row.target)
    return found


def as_page(rows: Sequence[VerifyRow], *, version: str, accept: str) -> str:
    """Return one HTML page, complete in itself."""
    from ... import pages  # with Jinja2, which only pages need

    return pages.page(
        "commands/verify/list.html",
        "samebytes verify",
        version=version,
        rows=rows,
        summary=summary(rows, accept),
        causes=causes_of(rows),
        why=why,
        class_of=lambda row: row.verdict.name.lower() if row.verdict else "failed" if row.result["error"] else "soft",
    )


def as_junit(rows: Sequence[VerifyRow], accept: str) -> str:
    """Return an XML document as CI reads it: a case for each row.

    A verdict that is not good enough for *accept* is a failure, what could not be verified an error.
    """
    suite = Element("testsuite", name="samebytes verify", tests=str(len(rows)))
    for row in rows:
        suite.append(_case(row, accept))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    root = Element("testsuites", {"name": "samebytes verify", **{one: suite.get(one, "0") for one in _COUNTS}})
    root.append(suite)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


_COUNTS = ("tests", "failures", "errors")


def _case(row: VerifyRow, accept: str) -> Element:
    case = Element("testcase", classname="samebytes verify", name=harmless(row.target))
    tag = "error" if row.result["error"] else "skipped" if row.outcome == "skipped" else "failure"
    if row.is_good(accept):
        return case
    names = ", ".join(f"{cause['code']} {by_code(cause['code']).name}" for cause in row.causes)
    texts = [f"{row.outcome}: {names}" if names else row.elsewhere or row.outcome] if row.verdict else why(row)
    element = SubElement(case, tag, message=" ".join(harmless(line) for line in texts[0].splitlines()))
    verified = row.result["verified"]
    differences = verified["comparison"]["differences"] if verified else ()
    element.text = "\n".join(
        harmless(line)
        for line in (
            *texts,
            *([row.small] if row.small else []),
            *row.notes,
            *(f"{one['name']}: {one['summary']}" for one in differences),
        )
    )
    return case
