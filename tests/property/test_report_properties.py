"""Whatever text a report is of, it controls neither the terminal nor the page nor the CI that shows it.

The texts are put into every field of values that reports are of: names, messages, logs, contents.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.check import junit, markdown, page
from samebytes_tools.commands.check import report as check
from samebytes_tools.commands.check import text as text_report
from samebytes_tools.commands.check.annotated import annotated
from samebytes_tools.commands.check.bisect import Attribution
from samebytes_tools.commands.check.facts import DifferingFact
from samebytes_tools.commands.check.subject import (
    BisectionResult,
    BuiltFile,
    CheckOutcome,
    CheckResult,
    Failure,
    WayResult,
)
from samebytes_tools.commands.compare import report as compare
from samebytes_tools.commands.compare.compare import ComparedPair, PairResult
from samebytes_tools.commands.install import report as install
from samebytes_tools.commands.install.install import Installation
from samebytes_tools.commands.install.report import Fetched
from samebytes_tools.commands.reproducible_build import report as build
from samebytes_tools.commands.reproducible_build.artifacts import BuildResult, BuiltArtifact
from samebytes_tools.commands.survey import report as survey
from samebytes_tools.commands.survey.model import State
from samebytes_tools.commands.survey.run import Event
from samebytes_tools.commands.tree import report as tree
from samebytes_tools.commands.tree.digest import Digest
from samebytes_tools.commands.tree.fix import Fixed
from samebytes_tools.commands.tree.plan import TreeChange
from samebytes_tools.comparison.model import Comparison
from samebytes_tools.reporting.annotations import Annotation
from samebytes_tools.reporting.annotations import lines as annotation_lines
from samebytes_tools.reporting.difference_tree import View
from samebytes_tools.variations.variations import Obstacle
from support import surveys
from support.comparisons import ordinary
from support.examples import examples

from samebytes.artifact.layout import ArtifactKind
from samebytes.console.style import PLAIN, Style, error_lines, harmless, indented
from samebytes.errors import ArchiveError
from samebytes.passes.model import Change

PIECES = (
    "<script>alert(1)</script>", "<!--", "&lt;", '"', "'", "]]>", "{{ 7*7 }}", "{% raw %}", "\x1b[31m", "\x1b]0;x\x07",
    "\x9b2J", "\0", "\b", "\r", "\n", "\n::error::x", "::add-mask::x", "\n##[error]x", "\x85", "\u2028", "\u202e",
    "\u2066", "\u200b", "\ud800", "\udcff", "\ufffe", "\U000e0041", "name", " ", "é",
)  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=30))

KEPT = {"names", "artifact", "aspect", "code", "kind", "way", "state", "verdict", "rule", "sha256", "python", "started"}
"""Fields that only ever have one of a few values, or what was computed."""


def filled(value: Any, text: str) -> Any:  # noqa: PLR0911
    """Return *value* with *text* at the beginning and the end of each text in it."""
    if isinstance(value, str) and type(value) is str:
        return text + value + text
    if isinstance(value, bytes):
        return value + text.encode("utf-8", "surrogatepass")
    if isinstance(value, Path):
        return Path(text + str(value) + text)
    if isinstance(value, ArchiveError):
        return ArchiveError(text + value.message + text, remedy=text + value.remedy)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in dataclasses.fields(value) if each.init and each.name not in KEPT]
        return dataclasses.replace(value, **{name: filled(getattr(value, name), text) for name in names})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return value._replace(
            **{name: filled(getattr(value, name), text) for name in value._fields if name not in KEPT}
        )
    if isinstance(value, (tuple, list, frozenset)):
        return type(value)(filled(one, text) for one in value)
    if isinstance(value, dict):
        return {name: filled(one, text) for name, one in value.items()}
    return value


def assert_lines(make: Callable[[Style], list[str]]) -> None:
    """Each is one line of a terminal, coloured by us alone, and no command to the CI that shows it (``::name::``)."""
    for style in (PLAIN, Style(colour=True)):
        for line in "\n".join(make(style)).split("\n"):
            shown = re.sub(r"\x1b\[\d*(;1)?m", "", line) if style.colour else line
            assert shown.isprintable(), line
            assert not shown.lstrip().startswith("::"), line
            assert "##[" not in line, line


def assert_markdown(text: str, usual: str) -> None:
    """It has the elements of the *usual* one, and no line that is a command to the CI that shows it."""
    found, known = (Page(MarkdownIt("commonmark").enable("table").render(each)).found for each in (text, usual))
    assert found <= known | {"wbr"}
    assert all(line.isprintable() for line in text.split("\n"))
    assert not [line for line in text.split("\n") if line.lstrip().startswith("::") or "##[" in line]


def assert_annotations(found: list[Annotation]) -> None:
    """Each is one command to the runner, and nothing in it is a second one."""
    for line in annotation_lines(found):
        assert line.isprintable()
        assert re.fullmatch(r"::(error|warning|notice) (file=[^:,]+,)?title=[^:,]+::.*", line)


class Page(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs)}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def assert_page(text: str, usual: str) -> None:
    """It has the elements and attributes of the *usual* one, and no character that cannot be seen."""
    assert Page(text).found <= Page(usual).found
    assert all(line.isprintable() for line in text.replace("\t", " ").split("\n"))
    text.encode("utf-8")


def assert_json(text: str) -> None:
    json.loads(text)
    text.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def check_result(comparison: Comparison) -> CheckResult:
    pair = BuiltFile("demo.whl", "0" * 64, 10), BuiltFile("demo.whl", "1" * 64, 20)
    facts = frozenset(DifferingFact("wheel", f"member{number}", "mode") for number in range(3))
    found = BisectionResult(
        (Attribution(("umask",), facts),), frozenset({DifferingFact("wheel", "", "order")}), frozenset(), 7
    )
    failure = Failure(
        "in the first build: it failed", "Fix it.", ("some output", "last line"), "some output\nlast line\n"
    )
    return CheckResult(
        "demo",
        "3.11.7",
        ways=(
            WayResult("as is", (CheckOutcome("wheel", pair, comparison=comparison), CheckOutcome("sdist", failure=failure))),
            WayResult("hook", (CheckOutcome("wheel", pair, note="a note"), CheckOutcome("sdist", pair))),
        ),
        applied=("umask",),
        left_out={"time": Obstacle("a reason")},
        bisection=found,
        requirements=(InstalledDistribution("flit-core", "3.12", "https://host/f.whl", {"sha256": "2" * 64}),),
        notes=("a note",),
    )  # fmt: skip


@pytest.mark.slow("writes each of its reports for many generated texts")
@settings(max_examples=examples(30), deadline=None)
@given(text=TEXTS)
@example(text=" ".join(PIECES))
def test_check(text: str) -> None:
    usual = check_result(ordinary())
    # The names of ways and variations are ours.
    result = dataclasses.replace(filled(usual, text), applied=usual.applied, accept=usual.accept)
    ways = tuple(dataclasses.replace(filled(way, text), name=way.name) for way in usual.ways)
    results = [dataclasses.replace(result, ways=ways), CheckResult(text, "", ArchiveError(text, remedy=text))]
    for verbose in (False, True):
        assert_lines(
            lambda style, v=verbose: [x for one in results for x in text_report.lines(one, View(style, verbose=v))]
        )  # type: ignore[misc]
    assert_json(check.document(results, version="1", exit_status=1))
    broken = CheckResult("a", "3", ArchiveError("x", remedy="y"))
    assert_markdown(markdown.document(results, version="1"), markdown.document([usual, broken], version="1"))
    assert_annotations(annotated(results, 1, str))
    pages = [page.document(each, version="1", moment=0) for each in (results, [usual, broken])]
    assert_page(pages[0], pages[1])
    root = ElementTree.fromstring(junit.document(results))
    assert {node.tag for node in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "error", "system-out", "properties", "property",
    }  # fmt: skip
    for node in root.iter():
        for shown in (node.text or "", *node.attrib.values()):
            assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.slow("writes each of its reports for many generated texts")
@settings(max_examples=examples(30), deadline=None)
@given(text=TEXTS)
@example(text=" ".join(PIECES))
def test_compare(text: str) -> None:
    usual = [
        PairResult(ComparedPair("demo.whl", Path("a"), Path("b")), ordinary()),
        PairResult(ComparedPair("other.whl", Path("a"), None)),
        PairResult(
            ComparedPair("broken.whl", Path("a"), Path("b")), error=ArchiveError("it is broken", remedy="Fix it.")
        ),
    ]
    results = filled(usual, text)
    for verbose in (False, True):
        assert_lines(lambda style, v=verbose: list(compare.lines(results, View(style, verbose=v))))  # type: ignore[misc]
    assert_json(compare.as_json(results, version="1", accept="identical", exit_status=1))
    assert_page(compare.as_page(results, version="1"), compare.as_page(usual, version="1"))
    assert_markdown(compare.as_markdown(results, version="1"), compare.as_markdown(usual, version="1"))
    assert_annotations(compare.annotated(results, 1))


@settings(max_examples=examples(50), deadline=None)
@given(text=TEXTS)
@example(text=" ".join(PIECES))
def test_build_install_tree_and_survey(text: str) -> None:
    artifact = BuiltArtifact(
        "a-1.whl", ArtifactKind.WHEEL, 1, "0" * 64, 1580601600, "a", (Change("Z002", "a.py", "2024"),), ("a leak",)
    )
    required = InstalledDistribution("wheel", "1", "https://host/wheel.whl", {})
    built = filled(BuildResult((artifact,), (required,), fixed=True), text)
    # Where a date comes from is one of our own texts.
    ours = dataclasses.replace(
        built, artifacts=tuple(dataclasses.replace(one, date_origin="x") for one in built.artifacts)
    )
    output = Path(f"/{text}")
    assert_lines(lambda style: list(build.lines(ours, output, style, verbose=True)))
    assert_lines(lambda style: [*build.lock_lines(ours, output, style), *build.warning_lines(ours, style)])
    assert_json(build.as_json(ours, output, version="1"))

    changes = filled((TreeChange("mtime", "a/b", "set to the date"), TreeChange("mode", "c", "0600 -> 0644")), text)
    fixed = Fixed(output, 0, 1, changes, changes)
    for verbose in (False, True):
        assert_lines(lambda style, v=verbose: list(tree.summary_lines(fixed, "x", style, verbose=v)))  # type: ignore[misc]
        assert_lines(lambda style, v=verbose: list(tree.finding_lines(fixed, style, verbose=v)))  # type: ignore[misc]
    assert_json(tree.fix_document(fixed, "x", check=True, version="1", exit_status=1))
    digest = Digest(output, "0" * 64, 1, 1, 1, 1)
    assert_lines(lambda style: list(tree.digest_lines(digest, style, verbose=True)))
    assert_json(tree.digest_document([digest], version="1"))
    installed = Installation(output, 0, "x", (), 1, changes)
    fetched = Fetched({output: text}, (text,))
    assert_lines(lambda style: list(install.lines(installed, "x", fetched, style, verbose=True)))
    assert_json(install.document(installed, "x", fetched, version="1", exit_status=0))

    found = surveys.examination("alpha", surveys.run(), state=State.UNAVAILABLE, reason=text, artifacts=())
    found = dataclasses.replace(found, name=text or "alpha", version=text)
    event, pace = Event(9, ()), survey.Pace(100, 1, 42.0)
    assert_lines(lambda style: [survey.finished_line(found, event, pace, style)])


@given(text=TEXTS)
@example(text=" ".join(PIECES))
def test_errors(text: str) -> None:
    """Line breaks of a message are kept, each line is harmless."""
    assert_lines(lambda style: "\n".join(error_lines(text, text, style)).split("\n"))
    assert harmless(text).isprintable()
    assert all(line.isprintable() for line in indented(text).split("\n"))


def test_the_texts_are_in_the_reports() -> None:
    """What is filled in is seen: the properties are of something."""
    results = [PairResult(ComparedPair("demo.whl", Path("a"), Path("b")), filled(ordinary(), "needle\u202e"))]
    shown = "\n".join(compare.lines(results, View(verbose=True)))
    assert shown.count("needle\\u202e") > 5
    assert compare.as_page(results, version="1").count("needle\\u202e") > 5
