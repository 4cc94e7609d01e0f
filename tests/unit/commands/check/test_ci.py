"""What building twice showed, as Markdown and as annotations."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from samebytes_tools.commands.check import junit, markdown
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
from samebytes_tools.comparison.model import NodeKind
from samebytes_tools.reporting.markdown import MOST
from samebytes_tools.variations.variations import Obstacle
from support.comparisons import CONTAINER, HOSTILE, TEXT, crowded, different, hostile

from samebytes.errors import UsageError

PAIR = BuiltFile("demo.whl", "0" * 64, 1), BuiltFile("demo.whl", "1" * 64, 2)
SAME = CheckOutcome("sdist", (PAIR[0], PAIR[0]))
DIFFERS = CheckOutcome("wheel", PAIR, comparison=different(*CONTAINER, TEXT))
RESULT = CheckResult(
    "tree",
    "3.11.7",
    ways=(WayResult("as is", (SAME, DIFFERS)),),
    left_out={"time": Obstacle("no library", "libfaketime")},
)
BROKEN = CheckResult(
    "broken",
    "3.11.7",
    ways=(WayResult("as is", (CheckOutcome("wheel", failure=Failure("boom", "Fix it.", (HOSTILE, "last"))),)),),
)


def relative(path: Path) -> str:
    return path.as_posix()


def bisected() -> CheckResult:
    facts = frozenset({DifferingFact("wheel", "demo/_build.py", "contents")})
    found = BisectionResult((Attribution(("build-path",), facts),), frozenset(), frozenset(), 5)
    text = dataclasses.replace(TEXT, kind=NodeKind.TEXT)
    outcome = dataclasses.replace(DIFFERS, comparison=different(*CONTAINER, text))
    return dataclasses.replace(RESULT, ways=(WayResult("as is", (SAME, outcome)),), bisection=found)


def test_a_source_in_markdown() -> None:
    text = markdown.document([RESULT], version="1")
    assert text.startswith("### samebytes 1 check: 1 differs\n\n#### `tree (Python 3.11.7)`: differs\n")
    assert "| sdist | same |\n| wheel | different |" in text
    assert "| Cause | Files | Remedy |" in text
    assert "| D001 build-path | `demo/_build.py` |" in text
    assert RESULT.not_varied.startswith("not varied: ")
    assert RESULT.not_varied in text
    assert text.count("/tmp/one/src") == 1


def test_a_member_whose_name_no_file_may_have_is_annotated_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    node = dataclasses.replace(TEXT, name=f"{'x' * 300}.py")
    outcome = dataclasses.replace(DIFFERS, comparison=different(node))
    result = dataclasses.replace(RESULT, source=str(tmp_path), ways=(WayResult("as is", (outcome,)),))
    assert {Path(each.file).name for each in annotated([result], 1, relative)} == {"setup.py"}


def test_variations_that_a_bisection_has_shown() -> None:
    text = markdown.document([bisected()], version="1")
    assert "| Variation | Cause | Files | Remedy |" in text
    assert "| build-path | D001 build-path | `demo/_build.py` |" in text


def test_a_wheel_from_the_sdist_that_differs_alike_is_not_shown_again() -> None:
    twice = WayResult("as is", (DIFFERS, dataclasses.replace(DIFFERS, kind="wheel from sdist")))
    text = markdown.document([dataclasses.replace(RESULT, ways=(twice,))], version="1")
    assert text.count("/tmp/one/src") == 1


def test_failures_and_errors_in_markdown() -> None:
    error = CheckResult("missing", "", UsageError(HOSTILE, remedy="Install it."))
    text = markdown.document([BROKEN, error], version="1")
    assert "could not be built" in text
    assert "last" in text
    assert "<script>" not in MarkdownIt("commonmark").enable("table").render(text)


@pytest.mark.parametrize("number", [1, 200])
def test_much_is_bounded(number: int) -> None:
    outcomes = tuple(CheckOutcome("wheel", PAIR, comparison=each) for each in (crowded(300, 3, 5), hostile()))
    results = [CheckResult(HOSTILE, "3.11.7", ways=(WayResult("as is", outcomes),), notes=(HOSTILE,) * 9)] * number
    assert len(markdown.document(results, version="1").encode()) <= MOST + 200


def test_annotations_name_files_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "src" / "demo").mkdir(parents=True)
    (tmp_path / "src" / "demo" / "_build.py").touch()
    (tmp_path / "pyproject.toml").touch()
    result = dataclasses.replace(RESULT, source=str(tmp_path))
    inside, container = annotated([result], 1, lambda path: path.relative_to(tmp_path).as_posix())
    assert (inside.level, inside.file) == ("error", "src/demo/_build.py")
    assert inside.title.endswith("differs: D001 build-path")
    assert "demo/_build.py\nRemedy: Build in a fixed place" in inside.message
    assert (container.level, container.file) == ("warning", "pyproject.toml")
    assert "D009 directory-order, D011 member-times" in container.message


def test_annotations_of_what_is_accepted_or_only_in_the_container() -> None:
    assert {each.level for each in annotated([RESULT], 0, relative)} == {"notice"}
    outcome = dataclasses.replace(DIFFERS, comparison=different(*CONTAINER))
    only = dataclasses.replace(RESULT, ways=(WayResult("as is", (outcome,)),))
    assert [each.level for each in annotated([only], 1, relative)] == ["error"]


def test_annotations_of_what_could_not_be_built() -> None:
    error = CheckResult("missing", "", UsageError("no such thing", remedy="Install it."))
    found = annotated([BROKEN, error], 2, relative)
    assert [each.message for each in found] == ["boom\nFix it.", "no such thing\nInstall it."]
    assert [each.line().startswith("::error title=") for each in found] == [True, True]


def test_what_cannot_be_compared_is_annotated() -> None:
    """Else a workflow would be red, and no line of it would say why."""
    outcome = CheckOutcome("wheel", PAIR, note="demo-1.0-py3-none-any.whl: is not a ZIP archive")
    (found,) = annotated([CheckResult("demo", "3.11.7", ways=(WayResult("as is", (outcome,)),))], 1, relative)
    assert found.level == "error"
    assert found.message == "demo-1.0-py3-none-any.whl: is not a ZIP archive"


def test_hostile_names_in_annotations() -> None:
    outcome = CheckOutcome("wheel", PAIR, comparison=hostile())
    result = CheckResult(HOSTILE, "3.11.7", ways=(WayResult("as is", (outcome,)),))
    (found,) = annotated([result], 1, relative)
    assert found.line().isprintable()
    assert found.file == ""


def test_failures_in_junit_have_the_evidence_once() -> None:
    root = ElementTree.fromstring(junit.document([RESULT]).encode("utf-8"))
    (failure,) = root.iter("failure")
    text = failure.text or ""
    assert text.count("/tmp/one/src") == text.count("/b/two/src")
    assert "+ROOT = '/b/two/src'" in text
    assert "D001 build-path: Build in a fixed place, which maps compilers' paths too: samebytes build" in text
    assert "D011 member-times: Normalize what you publish: samebytes normalize dist/*" in text
    assert len(text) < 10_000


def test_hostile_evidence_in_junit_is_text() -> None:
    outcome = CheckOutcome("wheel", PAIR, comparison=hostile())
    result = CheckResult(HOSTILE, "3.11.7", ways=(WayResult("as is", (outcome,)),))
    root = ElementTree.fromstring(junit.document([result]).encode("utf-8"))
    (failure,) = root.iter("failure")
    assert {each.tag for each in root.iter()} - {"properties", "property"} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
    }
    assert "<script>" in (failure.text or "")
    assert (failure.text or "").replace("\n", "").isprintable()


def test_much_evidence_in_junit_is_bounded() -> None:
    outcome = CheckOutcome("wheel", PAIR, comparison=crowded(2000, 3, 5))
    result = CheckResult("tree", "3.11.7", ways=(WayResult("as is", (outcome,)),))
    assert len(junit.document([result])) < 100_000
