from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from samebytes_tools.comparison.causes.table import ALL, by_code
from samebytes_tools.comparison.model import Comparison, Difference, Evidence, NodeKind, Verdict
from samebytes_tools.reporting.difference_tree import (
    ASCII,
    LINES,
    View,
    body_lines,
    branches_for,
    cause_lines,
    remedy_for,
    verdict_line,
)
from samebytes_tools.reporting.documents import causes_document, comparison_document
from samebytes_tools.reporting.evidence import parted, text_of
from samebytes_tools.reporting.prose import ProseBlock, blocks
from support.comparisons import CONTAINER, ELF, TEXT, WHEEL, crowded, different, finding, hostile, identical, ordinary
from support.schemas import schema

from samebytes.artifact.layout import ArtifactKind
from samebytes.console.style import PLAIN, Style


def lines(comparison: Comparison, view: View | None = None) -> list[str]:
    view = view or View()
    return [verdict_line(comparison, view.style), *body_lines(comparison, view)]


def everything(comparison: Comparison, style: Style = PLAIN) -> Iterator[str]:
    yield from (verdict_line(comparison, style), *body_lines(comparison, View(style)))
    yield from cause_lines([comparison], style)


# The verdict and the tree


@pytest.mark.parametrize("verdict", Verdict)
def test_the_verdict_comes_first(verdict: Verdict) -> None:
    assert lines(different(verdict=verdict))[0] == f"{WHEEL}: {verdict.value}"


def test_identical_files_have_no_tree() -> None:
    shown = lines(identical())
    assert shown[:2] == [f"{WHEEL}: identical", f"left  a/{WHEEL}, 12,345 bytes"]
    assert [line.split()[0] for line in shown[1:]] == ["left", "sha256", "right", "sha256"]


def test_files_with_two_names_are_both_named() -> None:
    comparison = identical()
    other = comparison.right.__class__("b\\other.whl", "b" * 64, 1)
    assert (
        lines(Comparison(comparison.left, other, ArtifactKind.WHEEL, Verdict.DIFFERENT))[0]
        == f"{WHEEL}, other.whl: different"
    )


def test_the_tree() -> None:
    assert lines(different(*CONTAINER, TEXT))[5:] == [
        "├─ container",
        "│  ├─ Z001 member order: the members' order differs from position 1 on",
        "│  │    D009 directory-order (position 1)",
        "│  │      left  demo/__init__.py",
        "│  │      right demo/tool.py",
        "│  │    normalizing removes it",
        "│  └─ Z002 member times: 12 members have other times",
        "│       D011 member-times (demo/__init__.py)",
        "│         left  2026-11-20T10:00:00",
        "│         right 2026-11-21T10:00:00",
        "│       normalizing removes it",
        "└─ demo/_build.py: 1 of 3 lines differs",
        "   └─ lines: 1 line differs",
        "        --- A",
        "        +++ B",
        "        @@ -1,3 +1,3 @@",
        "         import os",
        "        -ROOT = '/tmp/one/src'",
        "        +ROOT = '/b/two/src'",
        "         x",
        "        D001 build-path (line 2)",
        "          left  ROOT = '/tmp/one/src'\\n",
        "          right ROOT = '/b/two/src'\\n",
    ]


def test_a_member_says_which_passes_remove_its_difference() -> None:
    member = Difference("demo-1.0.dist-info/WHEEL", NodeKind.MEMBER, "tags in another order", passes=("W003", "Z999"))
    assert lines(different(member))[-1].strip() == "normalizing removes it: W003 wheel order, Z999"


def test_one_side_may_have_nothing() -> None:
    gone = Difference("x", NodeKind.MISSING, "only on the right side", findings=(finding("D020", b"", b"build/x"),))
    assert [line.strip() for line in lines(different(gone))[-2:]] == ["left  nothing", "right build/x"]


def test_notes_come_last() -> None:
    assert lines(ordinary())[-1] == "note: pip install 'samebytes[compare]' to see sections"


def test_streams_without_lines_get_ascii() -> None:
    shown = lines(different(*CONTAINER, TEXT, ELF), View(branches=ASCII))
    assert all(line.isascii() for line in shown)
    assert "|  `- Z002 member times: 12 members have other times" in shown


@pytest.mark.parametrize(
    ("encoding", "branches"), [("utf-8", LINES), ("cp437", LINES), ("latin-1", ASCII), ("no such encoding", ASCII)]
)
def test_what_a_stream_can_show(encoding: str, branches: object) -> None:
    assert branches_for(encoding) == branches


def test_sides_may_have_other_names() -> None:
    shown = "\n".join(lines(different(TEXT), View(labels=("published", "rebuilt"))))
    assert f"published a/{WHEEL}" in shown
    assert "published ROOT = '/tmp/one/src'\\n\n" in shown
    assert "rebuilt   ROOT = '/b/two/src'\\n" in shown


# How much there is


@pytest.mark.parametrize("width", [60, 80, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    prose = [line for line in everything(ordinary(), Style(width=width)) if not line.startswith("      ")]
    assert [line for line in prose if len(line) > width and "sha256" not in line] == []


def test_much_is_cut_short_and_counted() -> None:
    shown = lines(crowded())
    assert len(shown) < 400
    assert shown[-1] == "└─ ... and 40 more members"
    assert "│  └─ ... and 22 more differences" in shown
    assert "│  │    ... and 28 more lines" in shown
    assert "│  │    ... and 8 more findings" in shown


def test_verbose_shows_all() -> None:
    shown = lines(crowded(3, 20, 30), View(verbose=True))
    assert sum("-line 29" in line for line in shown) == 60
    assert not any("more" in line for line in shown)


def test_a_single_one_too_many_is_shown() -> None:
    nodes = [Difference(f"m{n}", NodeKind.TEXT, "y", tuple(f"-{n}" for n in range(13))) for n in range(21)]
    assert not any("more" in line for line in lines(different(*nodes[:2])))
    assert not any("more" in line for line in lines(different(*nodes)))


def test_long_evidence_is_folded_and_whole() -> None:
    long = b"/very/long" * 16
    shown = lines(different(Difference("x", NodeKind.TEXT, "y", findings=(finding("D001", long, b"/"),))))
    assert max(map(len, shown)) <= 80
    assert long.decode() in "".join(line.strip() for line in shown).replace("left  /very", "/very")


# What archives could do to a terminal


@pytest.mark.parametrize("verbose", [False, True])
def test_nothing_hostile_reaches_the_terminal(verbose: bool) -> None:
    plain = [*lines(hostile(), View(verbose=verbose)), *cause_lines([hostile()], PLAIN)]
    assert all(line.isprintable() for line in plain)
    assert any("\\x1b[31m\\x07\\r\\n\\x00\\u202egnp.exe" in line for line in plain)
    coloured = lines(hostile(), View(Style(colour=True), verbose))
    assert all(re.sub(r"\x1b\[\d+(;1)?m", "", line).isprintable() for line in coloured)


def test_colours_do_not_change_the_text() -> None:
    coloured = [re.sub(r"\x1b\[\d*(;1)?m", "", line) for line in everything(ordinary(), Style(colour=True))]
    assert coloured == list(everything(ordinary()))


def test_what_differs_in_an_evidence_is_coloured() -> None:
    style = Style(colour=True)
    shown = "\n".join(lines(different(TEXT), View(style)))
    assert f"ROOT = '/{style.bad('tmp/one')}/src'" in shown
    assert f"ROOT = '/{style.good('b/two')}/src'" in shown


# Evidence


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain 'text'", "plain 'text'"),
        ("gr\u00fcn".encode(), "gr\u00fcn"),
        (b"a\r\n\t\x1b[0m\x00", "a\\r\\n\\t\\x1b[0m\\x00"),
        (b"C:\\Users\\x", "C:\\Users\\x"),
        (b"\xde\xad\xbe\xefA", "\\xde\\xad\\xbe\\xefA"),
        ("\u202e\u2066".encode(), "\\u202e\\u2066"),
        (b"", ""),
    ],
)
def test_bytes_as_text(data: bytes, text: str) -> None:
    assert text_of(data) == text


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (b"/a/b/c", b"/a/x/c", (("/a/", "b", "/c"), ("/a/", "x", "/c"))),
        (b"/one/x", b"/home/alice/x", (("/", "one", "/x"), ("/", "home/alice", "/x"))),
        (b"..", b"...", (("..", "", ""), ("..", ".", ""))),
        (b"same", b"same", (("same", "", ""), ("same", "", ""))),
        (b"a\n", b"a\r\n", (("a", "", "\\n"), ("a", "\\r", "\\n"))),
        (b"", b"x", (("", "", ""), ("", "x", ""))),
        (b"\xff1", b"\xfe1", (("", "\\xff", "1"), ("", "\\xfe", "1"))),
    ],
)
def test_evidence_is_parted_where_it_differs(left: bytes, right: bytes, expected: object) -> None:
    assert parted(Evidence("", left, right)) == expected


# Causes


def test_causes_are_counted_once_a_difference_and_come_with_their_remedy() -> None:
    twice = Difference("x", NodeKind.TEXT, "y", findings=TEXT.children[0].findings * 2)
    shown = list(cause_lines([different(TEXT), different(ELF, twice)], PLAIN))
    assert shown[:2] == ["", "D001 build-path: 3 differences"]
    assert "D017 build-id: 1 difference" in shown
    assert "      samebytes build" in shown


def test_a_remedy_is_for_where_the_difference_is() -> None:
    """Nothing in the contents of files is said to be the same after normalizing, which leaves it alone."""
    in_container = Difference("x", NodeKind.CONTAINER, "y", (), (finding("D011", b"", b""),), ("Z002",))
    inside = Difference(
        "x", NodeKind.ARCHIVE, "y", children=(Difference("z", NodeKind.CONTAINER, "y", (), in_container.findings),)
    )
    shown = [remedy_for("D011", [different(*nodes)]) for nodes in ((in_container,), (inside,), (in_container, inside))]
    assert [("samebytes normalize" in text, "zipfile.ZipInfo" in text) for text in shown] == [
        (True, False),
        (False, True),
        (True, True),
    ]


def test_no_cause_no_list() -> None:
    assert list(cause_lines([identical()], PLAIN)) == []


@pytest.mark.parametrize("passes", [(), ("C001",)])
@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_every_remedy_can_be_pasted(cause: Any, passes: tuple[str, ...]) -> None:
    findings = (finding(cause.code, b"", b""),)
    shown = list(cause_lines([different(Difference("x", NodeKind.TEXT, "y", (), findings, passes))], PLAIN))
    for block in blocks(cause.advice(normalized=bool(passes), inside=not passes)):
        if block.pasted:
            assert all(f"      {line}".rstrip() in shown for line in block.text.splitlines())
    assert [line for line in shown if len(line) > 80 and not line.startswith("      ")] == []


def test_prose_and_what_is_to_be_pasted() -> None:
    assert blocks("One\ntwo:\n\n    a = 1\n\n    [b]\n      c\n\nEnd.\n") == [
        ProseBlock("One two:", False),
        ProseBlock("a = 1\n\n[b]\n  c", True),
        ProseBlock("End.", False),
    ]


# JSON


def validator(definition: str) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    whole = schema("compare")
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": whole["$defs"]})


@pytest.mark.parametrize("make", [identical, ordinary, hostile], ids=lambda make: make.__name__)
def test_documents_are_as_the_schema_says(make: Any) -> None:
    comparison = make()
    document = json.loads(json.dumps(comparison_document(comparison)))
    validator("comparison").validate(document)
    for cause in causes_document([comparison]):
        validator("cause").validate(cause)


def test_evidence_is_given_exactly() -> None:
    document = comparison_document(hostile())
    (difference,) = document["differences"][0]["children"]
    left = difference["findings"][0]["evidence"]["left"]
    assert base64.b64decode(left["base64"]) == next(hostile().walk()).children[0].findings[0].evidence.left
    assert left["text"].isprintable()
    assert json.dumps(document).isascii()


def test_a_cause_is_explained_in_the_document() -> None:
    (cause,) = causes_document([different(TEXT)])
    assert cause == {
        "code": "D001",
        "name": "build-path",
        "explanation": by_code("D001").explanation,
        "remedy": by_code("D001").remedy,
        "differences": 1,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("verdict", "equal"), ("kind", "egg"), ("extra", 1), ("causes", ["build-path"]), ("left", None)],
)
def test_the_schema_refuses(field: str, value: object) -> None:
    document = comparison_document(ordinary())
    assert validator("comparison").is_valid(document)
    assert not validator("comparison").is_valid({**document, field: value})


def test_the_schema_refuses_differences_in_what_is_identical() -> None:
    assert not validator("comparison").is_valid({**comparison_document(ordinary()), "verdict": "identical"})


@pytest.mark.parametrize("command", ["::error::x", "##[error]x"])
def test_no_line_is_a_command_wherever_it_was_cut(command: str) -> None:
    for pad in range(30, 90):
        text = "a" * pad + " " + command
        raw = ("b" * pad + command).encode()
        node = Difference(
            "m", NodeKind.TEXT, text, (f"-{text}", "-" + "a" * pad + command), (finding("D099", raw, raw + b"y", text),)
        )
        shown = list(body_lines(different(node, notes=(text,)), View()))
        assert not [line for line in shown if line.lstrip().startswith("::") or "##[" in line]
