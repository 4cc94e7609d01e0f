from __future__ import annotations

import dataclasses
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
from support.comparisons import ELF, HOSTILE, METADATA, TEXT, different, finding, hostile, identical, ordinary

VOID = {"meta", "link", "br", "hr", "img", "input"}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "rel", "href", "class", "id", "open", "aria-labelledby",
    "aria-label", "scope", "type", "checked", "for", "data-label",
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
    assert '<code class="cell left"><span class="side">left</span>ROOT = &#39;/<mark>tmp/one</mark>/src' in section
    assert '<code class="cell right"><span class="side">right</span>ROOT = &#39;/<mark>b/two</mark>/src' in section


def test_little_is_unfolded_and_much_is_not() -> None:
    assert "<details>" not in page(different(TEXT, ELF, METADATA))
    many = [
        Difference(f"m{number}", NodeKind.TEXT, "x", (), (finding("D001", b"a", b"%d" % number),))
        for number in range(MOST_UNFOLDED + 1)
    ]
    assert "<details open>" not in page(different(*many))


def test_what_normalizing_removes_comes_last_and_is_closed() -> None:
    whole = page(ordinary())
    assert whole.index("demo/stale.py") < whole.index('<details class="removed"><summary>Normalizing removes 2')
    assert whole.index('<details class="removed">') < whole.index("Z001 member order")
    assert "Normalizing removes what is by" in whole
    assert 'class="removed"' not in page(different(TEXT))


def test_a_table_of_causes_files_and_remedies_comes_first() -> None:
    whole = page(ordinary())
    (row,) = re.findall(r"<tr>\n<td data-label=.Cause.><a href=.#D001.>.*?</tr>", whole, re.DOTALL)
    assert '<span class="file">demo/_build.py</span>' in row
    assert "Build in a fixed place, which maps compilers&#39; paths too: <code>samebytes build</code>" in row
    assert whole.index(row) < whole.index('id="pair-1"')


def test_each_piece_of_evidence_stands_there_once() -> None:
    whole = page(ordinary(), ordinary())
    assert whole.count("<mark>tmp/one</mark>") == 1
    assert whole.count("<mark>home/alice</mark>") == 1
    assert "4 differences shown above already" in whole


def test_members_that_differ_alike_are_one() -> None:
    nodes = [Difference(f"m{number}", NodeKind.TEXT, "x", (), (finding("D001", b"a", b"b"),)) for number in range(300)]
    whole = page(different(*nodes))
    assert "and 299 more files that differ alike" in whole
    assert '<li class="name">m299</li>' in whole
    # Not those of which more is seen that is not alike.
    other = dataclasses.replace(nodes[1], detail=("-a", "+c"))
    assert "differ alike" not in page(different(nodes[0], other))


def test_filters_are_those_of_more_than_one_choice() -> None:
    whole = page(ordinary(), identical())
    outline = Outline(whole)
    assert outline.tags.count("fieldset") == 2
    assert {"all-cause", "only-D001", "only-D015", "only-D017", "all-verdict", "only-is-identical"} <= set(outline.ids)
    assert "fieldset" not in Outline(page(different(TEXT))).tags


def test_very_much_is_counted() -> None:
    nodes = [
        Difference(f"m{n}", NodeKind.TEXT, "x", (), (finding("D001", b"a", b"%d" % n),)) for n in range(MOST_SHOWN + 2)
    ]
    section = page(different(*nodes))
    assert "... and 2 more differences" in section
    assert f"m{MOST_SHOWN}<" not in section


def test_identical_files_have_no_tree() -> None:
    assert '<ul class="tree"' not in page(identical())


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
    assert '<p class="lead">3 pairs: 1 identical, 2 different.</p>' in whole


def test_values_of_members_are_in_columns() -> None:
    lines = ("a.py: 0644 | 0600", "b: c | d: 0644 | 0600", "... and 3 more")
    shown = page(different(Difference("member-modes", NodeKind.CONTAINER, "x", lines, passes=("Z003",))))
    assert '<span class="side">left</span>a.py: <mark>0644</mark></code>' in shown
    assert '<span class="side">right</span><mark>0600</mark></code>' in shown
    assert '<div class="row place"><span>b: c | d: 0644 | 0600</span></div>' in shown
    assert shown.count("... and 3 more") == 1


def test_one_evidence_of_several_causes_and_places_stands_there_once() -> None:
    found = [finding(code, b"/x/1", b"/x/2", where) for code, where in (("D001", "a"), ("D001", "b"), ("D002", "c"))]
    shown = page(different(Difference("m", NodeKind.STRINGS, "x", (), tuple(found))))
    assert shown.count("<mark>1</mark>") == 1
    assert all(f'<span class="soft">{where}' in shown for where in "abc")
