"""What a build tells of itself: all that is true comes through, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from samebytes_tools.commands.check.subject import BuiltFile, CheckOutcome, Failure, WayResult
from samebytes_tools.commands.survey import findings
from samebytes_tools.commands.survey.model import CauseHit, Requirement
from samebytes_tools.comparison.model import (
    ComparedFile,
    Comparison,
    Difference,
    Evidence,
    Finding,
    NodeKind,
    Verdict,
)

from samebytes.artifact.layout import ArtifactKind

SIDE = ComparedFile("it-1.0-py3-none-any.whl", "0" * 64, 1)


def finding(code: str, where: str, left: bytes = b"l", right: bytes = b"r") -> Finding:
    return Finding(code, Evidence(where, left, right))


def compared(*differences: Difference) -> Comparison:
    return Comparison(SIDE, SIDE, ArtifactKind.WHEEL, Verdict.DIFFERENT, differences)


def outcome(comparison: Comparison) -> CheckOutcome:
    pair = BuiltFile(SIDE.path, "1" * 64, 10), BuiltFile(SIDE.path, "2" * 64, 11)
    return CheckOutcome("wheel", pair, comparison=comparison)


def member(name: str, *found: Finding, children: tuple[Difference, ...] = ()) -> Difference:
    return Difference(name, NodeKind.MEMBER, "differs", findings=found, children=children)


def test_each_cause_is_told_once_with_its_first_place() -> None:
    section = Difference(
        ".comment", NodeKind.ELF, "differs", findings=(finding("D001", "section .comment", b"/a", b"/b"),)
    )
    tree = compared(
        member("it.so", finding("D005", "line 1"), children=(section,)), member("b", finding("D001", "line 2"))
    )
    assert list(findings.hits(tree)) == [
        CauseHit("D001", 2, "it.so > .comment", "section .comment", "/a", "/b"),
        CauseHit("D005", 1, "it.so", "line 1", "l", "r"),
    ]


def test_evidence_is_short_and_text() -> None:
    (hit,) = findings.hits(compared(member("it", finding("D099", "offset 0", b"\xff" * 160, b"x" * 160))))
    assert hit.left.startswith("\\xff")
    assert len(hit.left) == findings.LONGEST


def test_a_row_survives_being_told() -> None:
    row = WayResult(
        "hook",
        (
            outcome(compared(member("it", finding("D001", "line 1")))),
            CheckOutcome("sdist", failure=Failure("no compiler", tail=("a", "b"), log="a\nb", is_late=True)),
        ),
    )
    told = json.loads(json.dumps(findings.way_as_plain(row)))
    wheel, sdist = findings.artifacts_from(told["artifacts"])
    assert (wheel.way, wheel.kind, wheel.state, wheel.verdict) == ("hook", "wheel", "differs", "different")
    assert (wheel.file, wheel.size, wheel.sha256) == (SIDE.path, 10, ("1" * 64, "2" * 64))
    assert [hit.code for hit in wheel.causes] == ["D001"]
    assert (sdist.state, sdist.reason) == ("could not be built", "no compiler: b")
    assert (told["late"], told["full"], told["log"]) == (True, False, "a\nb")


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (("Traceback", "ValueError: no such file"), "failed: ValueError: no such file"),
        (("../meson.build:14: ERROR: git failed", "A log is there"), "failed: ../meson.build:14: ERROR: git failed"),
        (("x.c:1:10: fatal error: no.h", "1 terrors", "done"), "failed: x.c:1:10: fatal error: no.h"),
        (("going on", "and on"), "failed: and on"),
        ((), "failed"),
    ],
)
def test_the_reason_is_the_last_error(tail: tuple[str, ...], reason: str) -> None:
    row = findings.way_as_plain(WayResult("as is", (CheckOutcome("sdist", failure=Failure("failed", tail=tail)),)))
    assert row["artifacts"][0]["reason"] == reason


def test_a_full_disk_is_told() -> None:
    full = CheckOutcome("sdist", failure=Failure("failed", log="cc1: No space left on device"))
    assert findings.way_as_plain(WayResult("as is", (full,)))["full"] is True


@pytest.mark.parametrize(
    "told",
    [
        None,
        "text",
        [1, None, "x"],
        [{"way": "of no kind", "kind": "wheel"}],
        [{"way": "hook", "kind": "egg"}],
        [{"way": ["hook"], "kind": {}}],
        [{"way": "hook", "kind": "wheel", "sha256": ["a", "b", "c"]}],
    ],
)
def test_what_makes_no_sense_is_no_artifact(told: Any) -> None:
    assert findings.artifacts_from(told) == ()


def test_what_is_too_long_or_of_another_kind_is_cut() -> None:
    cause = {"code": 5, "count": -1, "member": "m" * 10_000, "left": "l" * 10_000, "right": None}
    row = {"way": "hook", "kind": "wheel", "state": "s" * 10_000, "size": 1 << 99, "causes": [cause] * 5000}
    (one,) = findings.artifacts_from([row])
    assert (len(one.state), one.size, len(one.causes), one.sha256) == (500, 1 << 62, 1000, ("", ""))
    assert one.causes[0] == CauseHit("", 0, "m" * 500, "", "l" * 200, "")
    assert findings.text_from("a" * 50_000 + "end").endswith("end")
    assert len(findings.text_from("a" * 50_000)) == findings.LONGEST_LOG


def test_texts_can_be_kept_by_a_database() -> None:
    assert findings.text_from("a\0b\ud800") == "a\\0b\\ud800"
    assert findings.lines_from(["a\0", 3]) == ("a\\0", "")
    assert findings.mapping_from({"a": "b", "c": 3}) == {"a": "b", "c": ""}
    assert findings.mapping_from(["a"]) == {}


HAVE = tuple(
    Requirement(name, "1.0")
    for name in ("setuptools", "poetry-core", "meson-python", "scikit-build-core", "pdm-backend")
)


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("setuptools.build_meta", "setuptools"),
        ("setuptools.build_meta:__legacy__", "setuptools"),
        ("poetry.core.masonry.api", "poetry-core"),
        ("mesonpy", "meson-python"),
        ("scikit_build_core.build", "scikit-build-core"),
        ("pdm.backend", "pdm-backend"),
    ],
)
def test_a_backend_is_called_by_its_distribution(module: str, distribution: str) -> None:
    assert findings.backend_of(module, (), HAVE) == (distribution, "1.0")


def test_a_backend_that_nobody_installed() -> None:
    assert findings.backend_of("flit_core.buildapi", (), ()) == ("flit-core", "")
    assert findings.backend_of("mesonpy", (), ()) == ("meson-python", "")
    assert findings.backend_of("build", ("backend",), HAVE) == ("in-tree", "")
