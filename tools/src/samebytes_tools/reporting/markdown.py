"""Reports as Markdown, for what a CI service shows of a run: short, and safe whatever texts an archive holds.

Texts that are not ours stand in code, where GitHub Flavored Markdown reads no markup, link, mention or emoji; what code
cannot hold, such as a bar in a table, is written as character references.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from samebytes.console.style import harmless, shortened

from ..comparison.causes.table import by_code, how_small
from ..comparison.model import Comparison, Difference
from .difference_tree import SHOWN_DETAIL, SHOWN_PARTS, counted, pair_name, title_of
from .evidence import is_shown, parted
from .overview import OverviewRow, alike, codes_of, opening, parts

MOST = 60_000
"""Bytes of a report. A summary of a step may have 1 MiB, but a comment no more than 65,536 characters."""

_MOST_CHARACTERS = 200
"""Of one line of a difference, or of a name."""
_SHOWN_FILES = 3
"""How many files a row of a table names."""
_SHOWN_ROWS = 30
_SHOWN_NODES = 40
"""How many differences of a comparison are shown, before they are only counted."""


def code(text: str) -> str:
    """Return *text* as code on one line, harmless, for a paragraph, a list or a cell of a table."""
    text = shortened(harmless(text), _MOST_CHARACTERS)
    # A span of code takes all but these as they are; in cells, a bar would end it, and a backslash before one matters.
    if text and text == text.strip() and not set("`|\\") & set(text):
        return f"`{text}`"
    # The empty element ends what the linking of addresses of mail, which follows no references, takes for one.
    references = "".join(char if char.isalnum() else f"&#{ord(char)};" for char in text)
    return f"<code>{references.replace('&#64;', '&#64;<wbr>')}</code>"


def fenced(lines: Iterable[str], language: str = "") -> list[str]:
    """Return *lines*, harmless, in a fence that is longer than any in them."""
    inside = [shortened(harmless(line), _MOST_CHARACTERS) for line in lines]
    longest = max((len(run) for line in inside for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *inside, fence]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table; cells are Markdown already, on one line, without bars outside of :func:`code`."""
    marks = ["---"] * len(head)
    return [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)]


def folded_section(summary: str, lines: Iterable[str]) -> list[str]:
    """Return a section that is closed until it is opened; *summary* is HTML."""
    inside = list(lines)
    return [
        "<details>",
        f"<summary>{summary}</summary>",
        "",
        *inside,
        *([""] if inside[-1:] != [""] else []),
        "</details>",
        "",
    ]


def overview_lines(rows: Sequence[OverviewRow], hint: str) -> list[str]:
    """Return the table of causes, with variations where they are known, files and remedies.

    What normalizing removes is a line below it, with *hint*, which says how.
    """
    lines = _table([row for row in rows if not row.is_normalized])
    removed = [row for row in rows if row.is_normalized]
    if removed:
        by: dict[str, dict[str, None]] = {}
        for row in removed:
            by.setdefault(row.code, {}).update(dict.fromkeys(row.variations))
        causes = ", ".join(_cause(number) + _varied(names) for number, names in by.items())
        lines += [f"Normalizing removes what is by {causes}. {plain(hint)}", ""]
    return lines


def _varied(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f" (varied: {listed})" if listed else ""


def _table(rows: Sequence[OverviewRow]) -> list[str]:
    if not rows:
        return []
    varied = any(row.variations for row in rows)
    head = [*(["Variation"] if varied else []), "Cause", "Files", "Remedy"]
    shown = [_row(row, varied=varied) for row in rows[:_SHOWN_ROWS]]
    more = [f"... and {counted(len(rows) - _SHOWN_ROWS, 'more row')}"] if len(rows) > _SHOWN_ROWS else []
    return [*table(head, shown), "", *more]


def _row(row: OverviewRow, *, varied: bool) -> list[str]:
    said, pasted = opening(row.remedy)
    remedy = f"{plain(said)} {code(pasted) if pasted else ''}".rstrip()
    variation = [" and ".join(row.variations) or "not known"] if varied else []
    return [*variation, _cause(row.code), files(row.files), remedy]


def _cause(number: str) -> str:
    return f"{number} {by_code(number).name}"


def plain(text: str) -> str:
    """Return a text of ours, of which no sign is meant as Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$@])", r"\\\1", harmless(text))


def files(names: Sequence[str]) -> str:
    """Return the first of *names*, and how many more there are."""
    more = len(names) - _SHOWN_FILES
    # Never "and 1 more": its name is as short.
    shown = names if more == 1 else names[:_SHOWN_FILES]
    return ", ".join(map(code, shown)) + (f" and {more:,} more" if more > 1 else "")


def sections(comparison: Comparison) -> Iterator[list[str]]:
    """Yield the sections on what *comparison* found: how small it is, each difference, what normalizing removes."""
    left, removed = parts(comparison)
    small = how_small(comparison.differences)
    if small:
        yield [plain(small), ""]
    groups = list(alike(left).values())
    for group in groups[:_SHOWN_NODES]:
        if codes_of(group[0]):
            yield folded_section(_summary(group), _node_lines(group[0]))
        else:  # it follows from others
            yield [f"- {_listed(group[0])}", ""]
    if len(groups) > _SHOWN_NODES:
        yield [f"... and {counted(sum(map(len, groups[_SHOWN_NODES:])), 'more difference')}", ""]
    if removed:
        each = [f"- {_listed(node)}" for node in removed[:_SHOWN_NODES]]
        more = [f"- ... and {len(removed) - _SHOWN_NODES:,} more"] if len(removed) > _SHOWN_NODES else []
        yield folded_section(f"Normalizing removes {counted(len(removed), 'difference')}", [*each, *more])
    if comparison.notes:
        yield [*(f"- note: {code(note)}" for note in comparison.notes), ""]


def _listed(node: Difference) -> str:
    return f"{code(title_of(node))}: {_words(node.summary) or code(node.summary)}"


def _words(text: str) -> str:
    """Return *text* if it is words and numbers that mean nothing in Markdown or HTML, else nothing."""
    # Each run of letters or digits whole: to try its parts in all ways would take exponential time.
    return text if re.fullmatch(r"(?:[A-Za-z]{1,30}(?![A-Za-z])|[0-9,]{1,9}(?![0-9,])|[ ;]|: )*", text) else ""


def _summary(group: Sequence[Difference]) -> str:
    node = group[0]
    # In HTML, for no Markdown is read there.
    name, what = (html.escape(shortened(harmless(text), _MOST_CHARACTERS)) for text in (node.name, node.summary))
    others = f" and {len(group) - 1:,} more that differ alike" if len(group) > 1 else ""
    causes = codes_of(node)
    named = f" ({', '.join(map(_cause, causes))})" if causes else ""
    return f"<code>{name}</code>{others}: {_words(node.summary) or f'<code>{what}</code>'}{named}"


def _node_lines(node: Difference) -> Iterator[str]:
    """Yield the lines of what is seen of a difference and of those in it, each piece of evidence once."""
    shown = [each for each in node.walk() if each.detail or each.findings][:SHOWN_PARTS]
    for each in shown:
        if each is not node:
            yield from (_listed(each), "")
        detail = [line for line in each.detail[:SHOWN_DETAIL] if not _is_cut(line, each.detail)]
        if len(each.detail) > SHOWN_DETAIL:
            detail.append(f"... and {counted(len(each.detail) - SHOWN_DETAIL, 'more line')}")
        for finding in each.findings[:SHOWN_PARTS]:
            # What was added for another finding counts, too.
            if not is_shown(finding.evidence, detail):
                sides = ("".join(side) for side in parted(finding.evidence))
                place = f" {finding.evidence.where}" if finding.evidence.where else ""
                detail += [
                    f"@@ {_cause(finding.code)}{place} @@",
                    *(f"{sign}{side}" for sign, side in zip("-+", sides)),
                ]
        if detail:
            yield from (*fenced(detail, "diff"), "")


def _is_cut(line: str, detail: Sequence[str]) -> bool:
    """Return whether *line* is that of one side, and as much as is shown of it is the same on the other side."""
    other = {"-": "+", "+": "-"}.get(line[:1], "")
    start = f"{other}{line[1:_MOST_CHARACTERS]}"
    return bool(other) and len(line) > _MOST_CHARACTERS and any(each.startswith(start) for each in detail)


def document(heading: Sequence[str], blocks: Iterable[Sequence[str]], rest: str) -> str:
    """Return *heading* and as many of *blocks* as there is room for, and *rest* where there is not.

    No block is cut, for it may be what closes an element.
    """
    text = "\n".join(heading) + "\n"
    left_out = 0
    for block in blocks:
        part = "\n".join(block) + "\n"
        if left_out or len(text.encode()) + len(part.encode()) > MOST:
            left_out += 1
        else:
            text += part
    return (
        f"{text}{counted(left_out, 'more section')} left out, as this would be too long. {rest}\n" if left_out else text
    )


def side_rows(comparison: Comparison, labels: tuple[str, str]) -> list[str]:
    """Return the two files that were compared, as a table."""
    sides = zip(labels, (comparison.left, comparison.right))
    rows = [[label, code(side.path), f"{side.size:,}", f"`{side.sha256}`"] for label, side in sides]
    return [*table(["", "file", "bytes", "sha256"], rows), ""]


def verdict_heading(comparison: Comparison) -> str:
    """Return the heading of a comparison: the file, or both, and the verdict."""
    return f"#### {code(pair_name(comparison))}: {comparison.judgement}"
