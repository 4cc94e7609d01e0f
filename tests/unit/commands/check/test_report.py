"""What building twice showed, told to people and to programs, whatever names it comes with."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.check import junit, text
from samebytes_tools.commands.check import report as check_source
from samebytes_tools.commands.check.attempts import ADVICE
from samebytes_tools.commands.check.bisect import Attribution
from samebytes_tools.commands.check.command import _print
from samebytes_tools.commands.check.facts import DifferingFact
from samebytes_tools.commands.check.page import document as page_document
from samebytes_tools.commands.check.report import fact_lines
from samebytes_tools.commands.check.subject import (
    BisectionResult,
    BuiltFile,
    CheckOutcome,
    CheckResult,
    Failure,
    WayResult,
)
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.model import Verdict
from samebytes_tools.reporting.difference_tree import View
from samebytes_tools.variations.variations import NAMES, Obstacle, not_varied
from support.artifacts import wheel
from support.schemas import schema

from samebytes.commands.normalize.normalize import NormalizeOptions, normalize, plan
from samebytes.console.verbosity import QUIET
from samebytes.errors import UsageError

EVIL = "evil<&\"'>]]>\x00\x1b[31m\u202e\udc80\ufffe name"
"""Markup, control characters, a directional mark, a lone surrogate, a noncharacter."""


@pytest.fixture
def results(tmp_path: Path) -> list[CheckResult]:
    """One source that differs, one that could not be built, one that is the same, one that did not come to a build."""
    left = wheel(tmp_path)
    list(normalize(plan([left], tmp_path / "out"), NormalizeOptions()))
    right = tmp_path / "out" / left.name
    comparison = compare_files(left, right)
    pair = BuiltFile(left.name, "0" * 64, 10), BuiltFile(right.name, "1" * 64, 20)
    facts = frozenset(DifferingFact("wheel", f"{EVIL}{number}", "mode") for number in range(5))
    bisection = BisectionResult(
        (Attribution(("umask", "hash-seed"), facts),),
        frozenset({DifferingFact("wheel", "", "order")}),
        frozenset({DifferingFact("wheel", "x", "contents")}),
        7,
    )
    failure = Failure(f"in the first build: {EVIL}", "Mend it.", (EVIL, "last line"), f"{EVIL}\nlast line\n")
    return [
        CheckResult(
            EVIL,
            "3.11.7",
            ways=(
                WayResult("as is", (CheckOutcome("wheel", pair, comparison=comparison),)),
                WayResult("normalized", (CheckOutcome("wheel", (pair[0], pair[0])),)),
                WayResult("hook", (CheckOutcome("wheel", pair, note=EVIL),)),
            ),
            applied=("umask",),
            left_out={"time": Obstacle(EVIL, "libfaketime"), "locales": Obstacle(EVIL, brief=EVIL)},
            bisection=bisection,
            requirements=(InstalledDistribution("flit-core", "3.12", "https://x.example/f.whl", {"sha256": "2" * 64}),),
            notes=(EVIL,),
        ),
        CheckResult("broken", "3.11.7", ways=(WayResult("as is", (CheckOutcome("sdist", failure=failure),)),)),
        CheckResult("good", "3.11.7", ways=(WayResult("as is", (CheckOutcome("wheel", (pair[0], pair[0])),)),)),
        CheckResult("missing", "", UsageError(EVIL, remedy="Install it.")),
    ]


def test_statuses(results: list[CheckResult]) -> None:
    assert [result.status for result in results] == [1, 2, 0, 2]
    assert check_source.summary(results) == "1 same, 1 differs, 2 could not be built"


LEVELS = ("identical", "normalized", "payload", "different")


@pytest.mark.parametrize("verdict", LEVELS)
@pytest.mark.parametrize("accept", LEVELS[:3])
def test_what_is_accepted_is_fine(verdict: str, accept: str, results: list[CheckResult]) -> None:
    """Held: status 0 exactly if the verdict is as good as what is accepted, and the file has one name."""
    (outcome,) = results[0].ways[0].outcomes
    assert outcome.comparison is not None
    assert outcome.pair is not None
    compared = dataclasses.replace(
        outcome, comparison=dataclasses.replace(outcome.comparison, verdict=Verdict[verdict.upper()])
    )
    renamed = dataclasses.replace(compared, pair=(outcome.pair[0], dataclasses.replace(outcome.pair[1], name="x.whl")))
    blind = dataclasses.replace(compared, comparison=None, note="an archive that cannot be read")
    # The bytes of this pair differ: nothing but the verdict of normalized copies may be said of them.
    is_fine = verdict != "identical" and LEVELS.index(verdict) <= LEVELS.index(accept)
    for one, status in ((compared, 0 if is_fine else 1), (renamed, 1), (blind, 1)):
        result = dataclasses.replace(results[0], ways=(WayResult("as is", (one,)),), accept=accept)
        assert result.status == status
        assert not result.is_same
        assert check_source.summary([result]) == ("1 differs" if status else "1 accepted")
        root = ElementTree.fromstring(junit.document([result]))
        assert root.get("failures") == str(status)
        (described,) = json.loads(check_source.document([result], version="1", exit_status=status))["results"]
        assert (described["state"], described["exit_status"], described["accept"]) == ("differs", status, accept)


@pytest.mark.parametrize("accept", LEVELS[:3])
def test_what_could_not_be_built_is_never_accepted(accept: str, results: list[CheckResult]) -> None:
    assert dataclasses.replace(results[1], accept=accept).status == 2


@pytest.mark.parametrize("verbose", [False, True])
def test_text_is_harmless(verbose: bool, results: list[CheckResult]) -> None:
    shown = [line for result in results for line in text.lines(result, View(verbose=verbose))]
    assert all(line.isprintable() for line in shown)
    assert ("differs by umask and hash-seed together" in shown) == verbose
    assert any("wheel: mode of evil" in line for line in shown) == verbose
    assert ("  wheel: order of members" in shown) == verbose
    assert "differed once, and under no variation again" in shown
    assert "bisected by 7 more builds" in shown
    assert "    last line" in shown
    assert any("built with flit-core 3.12" in line for line in shown) == verbose


def test_json_is_what_the_schema_says(results: list[CheckResult]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    names = ("compare", "check-source")
    resources = [(f"{name}.schema.json", referencing.Resource.from_contents(schema(name))) for name in names]
    jsonschema.Draft202012Validator.check_schema(schema("check-source"))
    validator = jsonschema.Draft202012Validator(
        schema("check-source"), registry=referencing.Registry().with_resources(resources)
    )
    document = json.loads(check_source.document(results, version="1", exit_status=2))
    validator.validate(document)
    assert [one["state"] for one in document["results"]] == [
        "differs",
        "could not be built",
        "same",
        "could not be built",
    ]
    document["results"][0]["ways"][0]["way"] = "some other"
    assert not validator.is_valid(document)
    assert schema("check-source")["properties"]["schema_version"]["const"] == check_source.SCHEMA_VERSION


def test_junit_is_xml_with_the_right_counts(results: list[CheckResult]) -> None:
    text = junit.document(results)
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "6",
        "failures": "1",
        "errors": "2",
    }
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("errors") == str(len(suite.findall("testcase/error")))
        assert all(case.get("name") and case.get("classname") for case in cases)
    (failure,) = root.iter("failure")
    assert "differs by umask and hash-seed together: wheel: mode of evil" in (failure.text or "")
    assert "\\x1b[31m\\u202e\\udc80\\ufffe" in root[0].get("name", "")
    assert (root[3][0][0].text or "").endswith("Install it.")


def test_html_shows_all_and_lets_nothing_in(results: list[CheckResult]) -> None:
    page = page_document(results, version="1", moment=1795972968)
    assert "evil<&" not in page
    assert "\x1b" not in page
    assert "evil&lt;&amp;" in page
    assert "Causes and remedies" in page
    assert "last line" in page
    assert "2026-11-29 17:22:48 UTC" in page
    assert "flit-core 3.12" in page
    page.encode("utf-8")


def test_every_report_says_in_one_line_what_was_not_varied(results: list[CheckResult]) -> None:
    """Also of what is the same: that says no more than what was varied."""
    same = dataclasses.replace(results[2], applied=NAMES)
    assert not any("not varied" in line for line in text.lines(same, View()))
    left_out = {"time": Obstacle("there is no libfaketime", "libfaketime"), "owner": Obstacle("only root may")}
    line = not_varied(left_out)
    assert line.startswith("not varied: owner, time; to vary more: ")
    result = dataclasses.replace(same, left_out=left_out, applied=tuple(sorted({*NAMES} - {*left_out})))
    assert line in " ".join(" ".join(text.lines(result, View())).split())
    (of_json,) = json.loads(check_source.document([result], version="1", exit_status=0))["results"]
    assert of_json["not_varied"] == {"time": "there is no libfaketime", "owner": "only root may"}
    assert line.endswith(f"; to vary more: {of_json['to_vary_more']}")
    assert line in page_document([result], version="1", moment=0)
    (of_junit,) = ElementTree.fromstring(junit.document([result])).iter("property")
    assert (of_junit.get("name"), of_junit.get("value")) == ("not varied", line)


@pytest.mark.parametrize(
    ("applied", "line"),
    [
        (NAMES, ""),
        ([name for name in NAMES if name != "time"], "not varied: time (by choice)"),
        (["umask"], f"not varied: build-path, temp, home and {len(NAMES) - 4} more (by choice)"),
    ],
)
def test_what_is_left_out_by_choice_is_said_as_well(applied: list[str], line: str, results: list[CheckResult]) -> None:
    """Whoever reads a report has not seen the options, and not [tool.samebytes.check]."""
    result = dataclasses.replace(results[2], applied=tuple(applied))
    assert result.not_varied == line
    assert dataclasses.replace(result, ways=()).not_varied == ""


def test_what_is_the_same_and_not_compared(results: list[CheckResult]) -> None:
    outcome = results[0].ways[0].outcomes[0]
    blind = dataclasses.replace(outcome, comparison=None, note="an archive that cannot be read")
    result = dataclasses.replace(results[0], ways=(WayResult("as is", (blind,)),), bisection=None)
    assert "  wheel            differs (an archive that cannot be read)" in list(text.lines(result, View()))
    assert result.status == 1


def test_facts_are_told_by_artifact_and_aspect() -> None:
    facts = [DifferingFact("wheel", name, "contents") for name in "dcba"] + [DifferingFact("sdist", "", "container")]
    assert list(fact_lines(facts)) == ["sdist: container", "wheel: contents of a, b, c and 1 more"]


def test_what_could_not_be_built_is_an_error_with_quiet_too(
    results: list[CheckResult], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 alone would not even say of which source."""
    args = argparse.Namespace(verbosity=QUIET, json=False, markdown=None)
    assert [_print(args, result, set()) for result in results] == [0] * len(results)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(": in ")[0] for line in err.splitlines() if line.startswith("samebytes: error: b")] == [
        "samebytes: error: broken (Python 3.11.7): sdist"
    ]
    assert "hint: Mend it." in err
    assert err.isprintable() or EVIL not in err


def test_a_failure_points_to_no_lines_that_are_not_there(results: list[CheckResult]) -> None:
    failure = dataclasses.replace(results[1].ways[0].outcomes[0].failure, remedy=ADVICE)  # type: ignore[type-var]
    way = WayResult("as is", (CheckOutcome("sdist", failure=failure),))
    assert check_source.failures(dataclasses.replace(results[1], ways=(way,)))[0][1] == "-v prints its log."
