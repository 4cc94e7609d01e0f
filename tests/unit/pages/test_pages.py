from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from samebytes_tools.commands.compare.compare import ComparedPair, PairResult
from samebytes_tools.commands.compare.report import as_page
from samebytes_tools.comparison.model import Comparison, Difference, NodeKind, Verdict
from samebytes_tools.pages import MOST_SHOWN, MOST_UNFOLDED, environment
from samebytes_tools.pages import page as made
from samebytes_tools.reporting.difference_tree import counted
from support.comparisons import HOSTILE, TEXT, crowded, different, hostile, identical, ordinary

VOID = {"meta", "link", "br", "hr", "img", "input"}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "rel", "href", "class", "id", "open", "aria-labelledby",
    "aria-label",
}  # fmt: skip


class Outline(HTMLParser):
    """Reads a page, and refuses what is not closed in order or not known here."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.shown: list[str] = []
        self.feed(page)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        assert set(found) <= ATTRIBUTES, tag
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] != "style":
            self.shown.append(data)


def page(*comparisons: Comparison) -> str:
    results = [PairResult(ComparedPair(one.left.path, Path("left"), Path("right")), one) for one in comparisons]
    return as_page(results, version="1")


def test_a_page_is_well_formed_and_has_landmarks() -> None:
    outline = Outline(page(ordinary(), identical()))
    assert outline.tags[0] == "html"
    for landmark in ("header", "main", "nav", "footer", "h1"):
        assert outline.tags.count(landmark) == 1
    assert outline.tags.count("h2") == 3
    assert len(outline.ids) == len(set(outline.ids))


def test_a_page_needs_nothing_but_itself() -> None:
    whole = page(ordinary(), hostile())
    outline = Outline(whole)
    assert not set(outline.tags) & {"script", "img", "iframe", "object", "form"}
    assert all(link.startswith("#") or link == "data:," for link in outline.links)
    assert "default-src &#39;none&#39;" in whole
    assert not re.search(r"url\(|@import|https?:", whole)


def test_every_link_leads_somewhere() -> None:
    outline = Outline(page(ordinary(), hostile(), identical()))
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)


def test_nothing_hostile_is_markup() -> None:
    outline = Outline(page(hostile()))
    assert "script" not in outline.tags
    shown = "".join(outline.shown)
    assert shown.count("<script>alert('x')</script>\"&\\x1b[31m\\x07\\r\\n\\x00\\u202egnp.exe\\u2066") >= 8
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_hostile_titles_and_versions_too() -> None:
    outline = Outline(made("pages/page.html", HOSTILE, version=HOSTILE))
    assert "script" not in outline.tags


def test_text_is_safe_in_attributes() -> None:
    shown = environment().from_string('<a title="{{ text }}">').render(text="a\"b'<&>\n\u202e")
    assert shown == '<a title="a&#34;b&#39;&lt;&amp;&gt;\\n\\u202e">'


def test_the_same_comparison_makes_the_same_page() -> None:
    assert page(ordinary()) == page(ordinary())


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_shown_in_words(verdict: Verdict) -> None:
    assert f">{verdict.value}<" in page(different(verdict=verdict))


def test_evidence_is_marked_where_it_differs() -> None:
    section = page(different(TEXT))
    assert "ROOT = &#39;/<mark>tmp/one</mark>/src&#39;\\n" in section
    assert '<span class="line del">-ROOT' in section
    assert '<span class="line add">+ROOT' in section


def test_little_is_unfolded_and_much_is_not() -> None:
    assert "<details>" not in page(ordinary())
    many = crowded(MOST_UNFOLDED, 1, 1)
    assert "<details open>" not in page(many)


def test_very_much_is_counted() -> None:
    nodes = [Difference(f"m{n}", NodeKind.TEXT, "x") for n in range(MOST_SHOWN + 2)]
    section = page(different(*nodes))
    assert "... and 2 more differences" in section
    assert f"m{MOST_SHOWN}" not in section


def test_identical_files_have_no_tree() -> None:
    assert "<ul" not in page(identical())


def test_causes_have_their_remedies() -> None:
    whole = page(ordinary())
    assert '<section class="cause" id="D001"' in whole
    assert f">{counted(2, 'difference')}<" in whole
    assert "<pre>samebytes build</pre>" in whole
    assert "Causes and remedies" not in page(identical())


def test_remedies_keep_their_lines() -> None:
    template = '{% from "pages/text.html" import paragraphs %}{{ paragraphs(text) }}'
    shown = environment().from_string(template).render(text="Do <this>:\n\n    [a]\n    b = 1\n")
    assert shown == "<p>Do &lt;this&gt;:</p>\n<pre>[a]\nb = 1</pre>\n"


def test_the_tally() -> None:
    verdicts = [Verdict.DIFFERENT, Verdict.IDENTICAL, Verdict.DIFFERENT]
    whole = page(*(different(verdict=verdict) for verdict in verdicts))
    assert "<p>3 pairs: 1 identical, 2 different.</p>" in whole
