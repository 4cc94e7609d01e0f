"""What comparing found, as one HTML page that needs nothing but itself: no script, no font, no request.

Functions return HTML. What comes from archives, or from the command line, goes through :func:`text`, without exception.
Sections can be put together with others: :func:`html_page` takes any number.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from importlib import resources

from samebytes.console.style import harmless

from ..comparison.causes.causes import by_code
from ..comparison.model import Comparison, Difference, Finding, Kind, Side, Verdict
from .difference_tree import cause_counts, counted, other_passes, pair_name, title_of
from .evidence import Parted, parted
from .prose import blocks

MOST_SHOWN = 500
"""How many differences are shown side by side before they are only counted; a browser should open the page."""
ALL_OPEN = 40
"""Up to so many differences of a pair, all of them are unfolded."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{lead}
</header>
<main>
{sections}
</main>
<footer>Written by samebytes {version}.</footer>
</body>
</html>
"""


def html_page(title: str, sections: Iterable[str], *, version: str, lead: str = "") -> str:
    """Return a whole page of *sections*, which are HTML, as is *lead*; *title* is text."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return _PAGE.format(
        policy=html.escape(_POLICY),
        title=text(title),
        style=style,
        lead=lead,
        sections="\n".join(sections),
        version=text(version),
    )


def text(value: str) -> str:
    """Return *value* as HTML that shows it: markup, control characters and directional marks are escaped."""
    return html.escape(harmless(value), quote=True)


def tally(verdicts: Sequence[Verdict]) -> str:
    """Return a paragraph of how many pairs have which verdict."""
    counts = [(verdicts.count(one), one.value) for one in Verdict]
    return f"<p>{counted(len(verdicts), 'pair')}: {', '.join(f'{n:,} {what}' for n, what in counts if n)}.</p>"


def contents(entries: Sequence[tuple[str, str]]) -> str:
    """Return the list of a page's sections: the name of each, as text, and its badge, as HTML."""
    items = (
        f'<li><a class="name" href="#pair-{number}">{text(name)}</a> {badge}</li>'
        for number, (name, badge) in enumerate(entries, start=1)
    )
    return f'<nav aria-label="Pairs"><ul>{"".join(items)}</ul></nav>'


def verdict_badge(verdict: Verdict) -> str:
    """Return *verdict* as text in its colour."""
    return f'<span class="verdict {verdict.name.lower()}">{text(verdict.value)}</span>'


def comparison_section(comparison: Comparison, number: int = 1, labels: tuple[str, str] = ("left", "right")) -> str:
    """Return a section on one pair; *number* tells it from the page's others."""
    name = html.escape(pair_name(comparison))
    unfolded = sum(1 for _ in comparison.walk()) <= ALL_OPEN
    sides = zip(labels, (comparison.left, comparison.right))
    parts = [
        f'<section aria-labelledby="pair-{number}">',
        f'<h2 id="pair-{number}"><span class="name">{name}</span> {verdict_badge(comparison.verdict)}</h2>',
        f'<dl class="sides">{"".join(_side(label, side) for label, side in sides)}</dl>',
        *(f'<p class="note">{text(note)}</p>' for note in comparison.notes),
        tree(comparison.differences, unfolded=unfolded, labels=labels),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _side(label: str, side: Side) -> str:
    return (
        f"<div><dt>{text(label)}</dt><dd><code>{text(side.path)}</code> "
        f'<span class="soft">{counted(side.size, "byte")}, sha256 <code>{text(side.sha256)}</code></span></dd></div>'
    )


def tree(differences: Sequence[Difference], *, unfolded: bool, labels: tuple[str, str] = ("left", "right")) -> str:
    """Return *differences* as a list of what can be unfolded, those of the container itself first and together."""
    container = [each for each in differences if each.kind is Kind.CONTAINER]
    members = [each for each in differences if each.kind is not Kind.CONTAINER]
    items = []
    if container:
        head = f'<span class="name">container</span> {counted(len(container), "difference")}'
        items.append(_foldable(head, _list(container, unfolded, labels), unfolded=True))
    items += [_node(each, unfolded, labels) for each in members[:MOST_SHOWN]]
    return f'<ul class="tree">{_items(items, len(members) - MOST_SHOWN)}</ul>' if items else ""


def _list(differences: Sequence[Difference], unfolded: bool, labels: tuple[str, str]) -> str:
    items = [_node(each, unfolded, labels) for each in differences[:MOST_SHOWN]]
    return f"<ul>{_items(items, len(differences) - MOST_SHOWN)}</ul>" if items else ""


def _items(items: Sequence[str], more: int) -> str:
    last = f'<li class="soft">... and {counted(more, "more difference")}</li>' if more > 0 else ""
    return "\n".join(f"<li>{item}</li>" for item in items) + last


def _node(difference: Difference, unfolded: bool, labels: tuple[str, str]) -> str:
    codes = dict.fromkeys(finding.code for finding in difference.findings)
    head = " ".join(
        [
            f'<span class="name">{html.escape(title_of(difference))}</span>',
            text(difference.summary),
            *(f'<span class="code">{text(code)}</span>' for code in codes),
        ]
    )
    body = [
        *([_detail(difference.detail)] if difference.detail else []),
        *(finding_markup(finding, labels) for finding in difference.findings),
        *([_cure(difference)] if difference.passes else []),
        _list(difference.children, unfolded, labels),
    ]
    return _foldable(head, "\n".join(part for part in body if part), unfolded=unfolded)


def _foldable(head: str, body: str, *, unfolded: bool) -> str:
    if not body:
        return f'<div class="leaf">{head}</div>'
    opened = " open" if unfolded else ""
    return f'<details{opened}><summary>{head}</summary><div class="body">{body}</div></details>'


def _detail(lines: Sequence[str]) -> str:
    return f"<pre>{chr(10).join(_detail_line(line) for line in lines)}</pre>"


def _detail_line(line: str) -> str:
    kind = "" if line.startswith(("--- ", "+++ ")) else {"-": " del", "+": " add"}.get(line[:1], "")
    return f'<span class="line{kind}">{text(line)}</span>'


def finding_markup(finding: Finding, labels: tuple[str, str] = ("left", "right")) -> str:
    """Return a cause, linked to its explanation (:func:`causes_section`), with its evidence on both sides."""
    cause = by_code(finding.code)
    where = finding.evidence.where
    place = f' <span class="place">{text(where)}</span>' if where else ""
    rows = (
        f'<div class="{css}"><dt>{text(label)}</dt><dd>{_excerpt(side)}</dd></div>'
        for css, label, side in zip(("left", "right"), labels, parted(finding.evidence))
    )
    return (
        f'<p><a href="#{text(cause.code)}">{text(cause.code)} {text(cause.name)}</a>{place}</p>'
        f'<dl class="evidence">{"".join(rows)}</dl>'
    )


def _excerpt(side: Parted) -> str:
    if not any(side):
        return '<span class="place">nothing</span>'
    own = f"<mark>{html.escape(side.own)}</mark>" if side.own else ""
    return f"<code>{html.escape(side.before)}{own}{html.escape(side.after)}</code>"


def _cure(difference: Difference) -> str:
    titles = ", ".join(html.escape(title) for title in other_passes(difference))
    return f'<p class="cure">Normalizing removes it{f": {titles}" if titles else ""}.</p>'


def causes_section(comparisons: Sequence[Comparison]) -> str:
    """Return a section on every cause found: how often, why it matters, what to do; nothing if there is none."""
    parts = [_cause(code, number) for code, number in cause_counts(comparisons).items()]
    if not parts:
        return ""
    return f'<section aria-labelledby="causes"><h2 id="causes">Causes and remedies</h2>{"".join(parts)}</section>'


def _cause(code: str, number: int) -> str:
    cause = by_code(code)
    return (
        f'<section class="cause" id="{text(code)}" aria-labelledby="{text(code)}-name">'
        f'<h3 id="{text(code)}-name">{text(cause.code)} {text(cause.name)}'
        f' <span class="soft">{counted(number, "difference")}</span></h3>'
        f"{paragraphs(cause.explanation)}{paragraphs('Remedy: ' + cause.remedy)}</section>"
    )


def paragraphs(value: str) -> str:
    """Return an explanation or a remedy as paragraphs, and what is to be pasted as it is."""
    return "".join(_pasted(block.text) if block.pasted else f"<p>{text(block.text)}</p>" for block in blocks(value))


def _pasted(lines: str) -> str:
    return f"<pre>{chr(10).join(text(line) for line in lines.splitlines())}</pre>"
