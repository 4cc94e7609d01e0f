"""What comparing found, as text for people: a verdict, a tree of differences, and what to do about their causes.

Every function takes the values of :mod:`..comparison.model` and a View, for the reports of several commands.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable, NamedTuple, TypeVar

from samebytes import passes
from samebytes.console.style import PLAIN, Style, harmless, no_command

from ..comparison.causes.table import by_code, how_small
from ..comparison.model import Comparison, Difference, Finding, NodeKind, Verdict
from .evidence import Parted, parted
from .prose import blocks, folded
from .readers import Reader, advice_to

SHOWN_MEMBERS = 20
"""How many members with differences are shown of an archive before they are only counted; of passes, too."""
ENOUGH = 150
"""Lines of a tree after which further members get no more than one each."""
SHOWN_PARTS = 8
"""How many differences are shown of what is in one of them."""
SHOWN_DETAIL = 12
"""How many lines of detail a difference has."""
NARROWEST = 32
"""Columns that text gets, however deep in the tree it stands."""

_PASS_NAMES = {one.code: one.name for one in passes.ALL}
_Item = TypeVar("_Item")


class Branches(NamedTuple):
    """What a tree is drawn with, each three columns wide."""

    fork: str
    last: str
    trunk: str
    gap: str = "   "


LINES = Branches("├─ ", "└─ ", "│  ")
ASCII = Branches("|- ", "`- ", "|  ")
"""For streams whose encoding has no lines."""


def branches_for(encoding: str) -> Branches:
    """Return what a stream of *encoding* can show."""
    try:
        # Tried, as no list knows all encodings that have the signs (cp437 has them).
        "".join(LINES).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return ASCII
    return LINES


class View(NamedTuple):
    """How comparisons are shown."""

    style: Style = PLAIN
    verbose: bool = False
    """Everything, however much there is."""
    branches: Branches = LINES
    labels: tuple[str, str] = ("left", "right")
    """What the two sides are called."""


def verdict_line(comparison: Comparison, style: Style) -> str:
    """Return the name of a pair and the verdict on it."""
    painted = _verdict_style(comparison.verdict, style)
    return f"{style.bold(pair_name(comparison))}: {painted(comparison.judgement)}"


def verdict_text(verdict: Verdict, style: Style) -> str:
    """Return *verdict* in its colour."""
    return _verdict_style(verdict, style)(verdict.value)


def _verdict_style(verdict: Verdict, style: Style) -> Callable[[str], str]:
    return {Verdict.IDENTICAL: style.good, Verdict.DIFFERENT: style.bad}.get(verdict, style.notable)


def pair_name(comparison: Comparison) -> str:
    """Return the file's name, or both if they are not the same; harmless."""
    paths = (side.path.replace("\\", "/") for side in (comparison.left, comparison.right))
    left, right = (harmless(path.rpartition("/")[2]) for path in paths)
    return left if left == right else f"{left}, {right}"


def body_lines(comparison: Comparison, view: View) -> Iterator[str]:
    """Yield all but the verdict: what was compared, the tree, and what could not be looked at."""
    for label, side in zip(_aligned(view.labels), (comparison.left, comparison.right)):
        yield f"{view.style.bold(label)} {harmless(side.path)}, {counted(side.size, 'byte')}"
        yield f"{' ' * len(label)} {view.style.dim(f'sha256 {side.sha256}')}"
    small = how_small(comparison.differences)
    if small:
        yield from folded(small, view.style.width, "  ")
    yield from tree_lines(comparison.differences, view)
    for note in comparison.notes:
        yield from folded(f"note: {harmless(note)}", view.style.width, "  ")


def _aligned(labels: Sequence[str]) -> list[str]:
    return [label.ljust(max(map(len, labels))) for label in labels]


def tree_lines(differences: Sequence[Difference], view: View) -> Iterator[str]:
    """Yield the tree of *differences*, those of the container itself first and together."""
    width = view.style.width - 3
    container = [each for each in differences if each.kind is NodeKind.CONTAINER]
    members = [each for each in differences if each.kind is not NodeKind.CONTAINER]
    hung = [[view.style.bold("container"), *_hung(container, view, width, SHOWN_MEMBERS)]] if container else []
    shown, more = _some(members, SHOWN_MEMBERS, view)
    for each in shown:
        # By lines, not members: one with a long diff may fill a screen or more.
        brief = not view.verbose and sum(map(len, hung)) > ENOUGH
        hung.append(_heading(each, view.style, width) if brief else _node(each, view, width))
    yield from _branched([*hung, *([line] for line in _more(more, "more member", view))], view.branches)


def _node(difference: Difference, view: View, width: int) -> list[str]:
    """Return the lines of a difference and of all below it."""
    inner = max(width - 2, NARROWEST)
    shown, more = _some(difference.detail, SHOWN_DETAIL, view)
    body = [_painted(line, view.style)(piece) for line in shown for piece in _cut(harmless(line), inner)]
    body += [*_more(more, "more line", view), *_findings(difference, view, inner)]
    if difference.passes:
        titles = ", ".join(other_passes(difference))
        removed = folded("normalizing removes it" + (f": {titles}" if titles else ""), inner, "  ")
        body += map(view.style.good, removed)
    return [
        *_heading(difference, view.style, width),
        *(f"  {line}" for line in body),
        *_hung(difference.children, view, width, SHOWN_PARTS),
    ]


def _heading(difference: Difference, style: Style, width: int) -> list[str]:
    name = title_of(difference)
    lines = folded(f"{name}: {harmless(difference.summary)}", max(width, NARROWEST), "  ")
    start = lines[0][: len(name)]
    return [style.bold(start) + lines[0][len(start) :], *lines[1:]]


def title_of(difference: Difference) -> str:
    """Return a difference's name, harmless; one of the container that a pass is about is called as the pass is."""
    about = [code for code in difference.passes if _PASS_NAMES.get(code) == difference.name]
    return pass_title(about[0]) if difference.kind is NodeKind.CONTAINER and about else harmless(difference.name)


def pass_title(code: str) -> str:
    """Return the code of a pass, and what the pass is called."""
    return f"{code} {_PASS_NAMES[code].replace('-', ' ')}" if code in _PASS_NAMES else harmless(code)


def _painted(line: str, style: Style) -> Callable[[str], str]:
    """Return the colour of a line of detail, if it is one of a diff."""
    # Before single signs: headers of a diff begin with the same ones.
    if line.startswith(("--- ", "+++ ")):
        return style.bold
    return {"-": style.bad, "+": style.good, "@": style.dim}.get(line[:1], str)


def _findings(difference: Difference, view: View, width: int) -> Iterator[str]:
    """Yield the causes of a difference with evidence: the first of each, for the detail shows the others."""
    # In reverse, so that the first of each code stays.
    first = {finding.code: finding for finding in reversed(difference.findings)}
    shown = difference.findings if view.verbose else sorted(first.values(), key=difference.findings.index)
    for finding in shown:
        yield from finding_lines(finding, view, width)
    yield from _more(len(difference.findings) - len(shown), "more finding", view)


def finding_lines(finding: Finding, view: View, width: int) -> Iterator[str]:
    """Yield the cause of a difference and its evidence on both sides, what differs in it in colour."""
    cause = by_code(finding.code)
    title = f"{cause.code} {cause.name}"
    where = f" ({harmless(finding.evidence.where)})" if finding.evidence.where else ""
    head = folded(title + where, width, "  ")
    yield from (view.style.notable(title) + head[0][len(title) :], *head[1:])
    yield from evidence_lines(finding, view, width)


def evidence_lines(finding: Finding, view: View, width: int) -> Iterator[str]:
    """Yield what *finding* has on both sides, indented, what differs in it in colour."""
    for label, side, paint in zip(_aligned(view.labels), parted(finding.evidence), (view.style.bad, view.style.good)):
        indent = " " * (len(label) + 3)
        lines = list(_side(side, width - len(indent), paint))
        yield f"  {label} {lines[0] if lines else view.style.dim('nothing')}"
        yield from (f"{indent}{line}" for line in lines[1:])


def _side(side: Parted, width: int, paint: Callable[[str], str]) -> Iterator[str]:
    """Yield *side* in lines of *width*, with its own part painted."""
    text = "".join(side)
    start, stop = len(side.before), len(side.before) + len(side.own)
    at = 0
    while at < len(text):
        end = at + max(width, NARROWEST)
        # No line may begin as a command to a CI service does (no_command).
        while end > at + 1 and text[end:].lstrip().startswith("::"):
            end -= 1
        cuts = [min(max(each, at), end) for each in (at, start, stop, end)]
        yield text[cuts[0] : cuts[1]] + paint(text[cuts[1] : cuts[2]]) + text[cuts[2] : cuts[3]]
        at = end


def other_passes(difference: Difference) -> list[str]:
    """Return the titles of the passes that remove *difference*, but for the one that its own title names."""
    titles = [pass_title(code) for code in difference.passes]
    return [title for title in titles if title != title_of(difference)]


def _hung(differences: Sequence[Difference], view: View, width: int, most: int) -> list[str]:
    """Return the lines of *differences* as branches of what stands above."""
    shown, more = _some(differences, most, view)
    hung = [_node(each, view, width - 3) for each in shown]
    return list(_branched([*hung, *([line] for line in _more(more, "more difference", view))], view.branches))


def _branched(blocks: Sequence[Sequence[str]], branches: Branches) -> Iterator[str]:
    """Yield the lines of *blocks*, each hung on a branch of its own."""
    for number, block in enumerate(blocks, start=1):
        first, rest = (branches.fork, branches.trunk) if number < len(blocks) else (branches.last, branches.gap)
        yield first + block[0]
        yield from (rest + line for line in block[1:])


def _some(items: Sequence[_Item], most: int, view: View) -> tuple[Sequence[_Item], int]:
    """Return what is shown of *items*, and how many are not; never one only, for the line is better spent on it."""
    # "... and one more" takes the line that the one would.
    shown = items if view.verbose or len(items) <= most + 1 else items[:most]
    return shown, len(items) - len(shown)


def _more(number: int, what: str, view: View) -> list[str]:
    return [view.style.dim(f"... and {counted(number, what)}")] if number else []


def cause_lines(comparisons: Iterable[Comparison], style: Style) -> Iterator[str]:
    """Yield every cause found, each after an empty line: how often it was, what it is, and what to do about it."""
    comparisons = list(comparisons)
    for code, number in cause_counts(comparisons).items():
        cause = by_code(code)
        yield ""
        yield f"{style.notable(f'{cause.code} {cause.name}')}: {counted(number, 'difference')}"
        for text in (cause.explanation, f"Remedy: {remedy_for(code, comparisons)}"):
            yield from (f"  {line}".rstrip() for line in block_lines(text, style.width - 2))


def remedy_for(code: str, comparisons: Iterable[Comparison], reader: Reader = Reader.WRAPPED) -> str:
    """Return what *reader* can do about a cause, where it was found in *comparisons*."""
    places = where_found(code, comparisons)
    return advice_to(reader, code, normalized=True in places, inside=False in places)


def where_found(code: str, comparisons: Iterable[Comparison]) -> set[bool]:
    """Return whether a cause was found in something that normalizing makes the same: both, if in such and in other."""
    return {found for one in comparisons for node in one.differences for found in _places(code, node, False)}


def _places(code: str, node: Difference, is_normalized: bool) -> Iterator[bool]:
    """Yield for each finding of *code* whether it is in something that normalizing makes the same."""
    is_normalized = is_normalized or bool(node.passes)
    yield from (is_normalized for finding in node.findings if finding.code == code)
    for child in node.children:
        yield from _places(code, child, is_normalized)


def cause_counts(comparisons: Iterable[Comparison]) -> dict[str, int]:
    """Return how many differences have each cause, in the order of the codes."""
    each = [{finding.code for finding in node.findings} for one in comparisons for node in one.walk()]
    return dict(sorted(Counter(code for codes in each for code in codes).items()))


def block_lines(text: str, width: int) -> Iterator[str]:
    """Yield the lines of an explanation or a remedy; those to be pasted are indented, and kept as they are."""
    before = None
    for block in blocks(text):
        if before is not None and (before.pasted or block.pasted):
            yield ""
        yield from (f"    {line}" for line in block.text.splitlines()) if block.pasted else folded(block.text, width)
        before = block


def _cut(text: str, width: int) -> list[str]:
    """Return *text* in pieces of *width*, every character kept, all but the first indented."""
    pieces = textwrap.wrap(
        # tabsize=1: expanded tabs would be characters that are not there.
        text,
        width,
        subsequent_indent="  ",
        drop_whitespace=False,
        break_on_hyphens=False,
        tabsize=1,
    )
    # After cutting: a piece may begin as a command to a CI service does.
    return [no_command(piece) for piece in pieces] or [""]


def counted(number: int, what: str) -> str:
    """Return *number* and *what*, in the plural where it is one."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
