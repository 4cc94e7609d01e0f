"""Reports as Markdown, read by a parser of Markdown, and by that of GitHub where it is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samebytes_tools.commands.compare.compare import ComparedPair, PairResult
from samebytes_tools.commands.compare.report import as_markdown
from samebytes_tools.comparison.model import ComparedFile, Comparison, Difference, NodeKind, Verdict
from samebytes_tools.reporting.markdown import MOST, code, fenced, table
from support.comparisons import HOSTILE, crowded, different, finding, hostile, identical, ordinary
from support.processes import import_path

Reader = Callable[[str], str]

ATTACKS = [
    HOSTILE,
    "a | b",
    "a \\| b",
    "\\",
    "`",
    "``` \n```",
    "<img src=x onerror=alert(1)>",
    "[link](https://evil.example)",
    "https://evil.example www.evil.example evil@evil.example",
    "a\\b evil@evil.example|",
    "@everyone #1 :tada: GH-1",
    "</code></details><script>",
    "<!-- ",
    "$\\alpha$",
    "::error::x",
    "##[error]x",
    "&lt;b&gt; &#60;",
    " leading and trailing ",
    "",
    "- item\n# heading\n---",
]


def commonmark(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def github(text: str) -> str:
    import cmarkgfm
    from cmarkgfm.cmark import Options

    html: str = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    return html


NEEDS_CMARKGFM = pytest.mark.skipif(find_spec("cmarkgfm") is None, reason="needs cmarkgfm")
READERS = pytest.mark.parametrize("read", [commonmark, pytest.param(github, marks=NEEDS_CMARKGFM)])


class Seen(HTMLParser):
    """What is shown: tags, the texts in code and in none, and the cells of each row of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: set[str] = set()
        self.code: list[str] = []
        self.plain = ""
        self.rows: list[int] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(name in ("class", "lang") for name, _ in attrs), (tag, attrs)
        self.tags.add(tag)
        if tag not in ("br", "hr", "wbr"):
            self.stack.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1
        if tag == "code":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("br", "hr", "wbr"):
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self.stack:
            self.code[-1] += data
        else:
            self.plain += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")


@READERS
@pytest.mark.parametrize("text", ATTACKS)
def test_text_of_an_archive_is_code_and_nothing_else(read: Reader, text: str) -> None:
    shown = code(text)
    assert "\n" not in shown
    seen = Seen(
        read("\n".join([f"a {shown} z", "", *table(["", "x"], [[shown, shown], ["", shown]]), "", f"- {shown}"]))
    )
    assert seen.tags <= {"p", "code", "wbr", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert seen.rows == [2, 2, 2]
    assert len(seen.code) == 5
    assert len(set(seen.code)) == 1
    assert seen.plain.split() == ["a", "z", "x"]


@READERS
@given(text=st.text(st.sampled_from("`|\\<>&@:#[]()!*_~$ \nab./h"), max_size=20))
@example(text="\\|")
@example(text="`` ` ")
def test_any_text_of_an_archive(read: Reader, text: str) -> None:
    shown = code(text)
    (inside, again) = Seen(read("\n".join(table([shown, "x"], [["y", shown]])))).code
    assert inside == again == text.replace("\n", "\\n") or text.lstrip().startswith("::") or "##[" in text


@READERS
def test_no_line_ends_a_fence(read: Reader) -> None:
    lines = ["-```", "````", "``````", "~~~", "</pre>", *ATTACKS]
    seen = Seen(read("\n".join(["before", "", *fenced(lines, "diff"), "", "after"])))
    assert seen.tags == {"p", "pre", "code"}
    assert seen.plain.split() == ["before", "after"]
    assert len(seen.code[0].splitlines()) == len(lines)


def page(*comparisons: Comparison) -> str:
    results = [PairResult(ComparedPair(one.left.path, Path("left"), Path("right")), one) for one in comparisons]
    return as_markdown(results, version="1")


def attacked() -> Comparison:
    """A comparison in which every text is one of the attacks."""
    nodes = []
    for text in ATTACKS:
        raw = text.encode("utf-8", "surrogateescape")
        inner = Difference(text, NodeKind.TEXT, text, (f"-{text}", text), (finding("D099", raw, raw + b"x", text),))
        nodes.append(Difference(text, NodeKind.MEMBER, text, children=(inner,)))
        nodes.append(Difference(text, NodeKind.CONTAINER, text, (text,), passes=(text or "Z001",)))
        nodes.append(Difference(text, NodeKind.MISSING, text))
    sides = [ComparedFile(f"{text}/{text}", "a" * 64, 1) for text in ("|`\\|", "[x](y)")]
    return Comparison(sides[0], sides[1], None, Verdict.DIFFERENT, tuple(nodes), tuple(ATTACKS))


@READERS
@pytest.mark.parametrize("made", [ordinary, hostile, attacked, identical])
def test_a_report_has_the_markup_of_reports_only(read: Reader, made: Callable[[], Comparison]) -> None:
    text = page(made())
    seen = Seen(read(text))
    allowed = "p h3 h4 ul li table thead tbody tr th td details summary pre code wbr"
    assert seen.tags <= set(allowed.split())
    assert seen.stack == []
    for word in ("evil", "alert", "everyone", "heading", "tada"):
        assert word not in seen.plain
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_a_report_begins_with_verdict_causes_and_files() -> None:
    text = page(ordinary())
    assert text.startswith("### samebytes 1 compare: 1 pair: 1 different.\n")
    table_at = text.index("| D001 build-path | `demo/_build.py`, `demo/_native.cpython-311-x86_64-linux-gnu.so` |")
    assert table_at < text.index("Normalizing removes what is by D009") < text.index("```diff")


SUMMARY = """
import resource, sys
from samebytes_tools.reporting.markdown import _words
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
assert _words("a" * 100_000 + "!") == _words("1" * 10 + ".") == _words("<b>") == ""
assert _words("1,024 bytes; not the same: in 3 members")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on processes")
def test_a_long_word_takes_no_time() -> None:
    """Its time must not grow exponentially with the letters before what is no word."""
    subprocess.run([sys.executable, "-c", SUMMARY], check=True, env={**os.environ, **import_path()})


def test_evidence_stands_there_once() -> None:
    text = page(ordinary())
    assert text.count("ROOT = '/tmp/one/src'") == 1
    assert text.count("/home/alice/demo/native.c") == 1
    nodes = [
        Difference(f"m{number}", NodeKind.TEXT, "x", (), (finding("D001", b"one", b"two"),)) for number in range(9)
    ]
    alike = page(different(*nodes))
    assert "<code>m0</code> and 8 more that differ alike" in alike
    assert alike.count("-one") == 1


@pytest.mark.parametrize("members", [1, 60, 2000])
def test_a_report_fits_a_summary_and_a_comment(members: int) -> None:
    pairs = [crowded(members, 3, 5)] * 9
    wide = [different(Difference("w" * 999, NodeKind.TEXT, "s" * 999, ("-" + "\u2603" * 9999,) * 9))] * 300
    for text in (page(*pairs), page(*pairs, *wide)):
        assert len(text.encode()) <= MOST + 200
        assert Seen(commonmark(text)).stack == []


def test_what_has_no_room_is_counted() -> None:
    wide = [different(Difference(f"w{number}", NodeKind.TEXT, "x", ("-" + "y" * 999,) * 9)) for number in range(300)]
    text = page(*wide)
    assert "more sections left out" in text
    assert text.rstrip().endswith("All of it is in the report that --html writes.")


def test_of_a_long_line_the_part_that_differs_is_shown() -> None:
    start = "x" * 300
    lines = (f"-{start}a", f"+{start}b", "-short", "+other")
    node = Difference("m", NodeKind.TEXT, "x", lines, (finding("D001", b"xxa", b"xxb", "line 1"),))
    text = page(different(node))
    assert "x" * 99 not in text
    assert "@@ D001 build-path line 1 @@\n-xxa\n+xxb\n" in text
    assert "-short\n+other\n" in text
