"""Differences that mean nothing to anybody: the verdict stays, and the report says how small they are."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.commands.check import junit
from samebytes_tools.commands.check.subject import BuiltFile, CheckOutcome, CheckResult, WayResult
from samebytes_tools.commands.compare.compare import ComparedPair, PairResult
from samebytes_tools.commands.compare.report import as_page
from samebytes_tools.commands.survey.rebuild_job import notes_of
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.table import how_small
from samebytes_tools.comparison.model import Comparison, Verdict
from samebytes_tools.reporting import markdown
from samebytes_tools.reporting.difference_tree import View, body_lines
from samebytes_tools.reporting.documents import comparison_document
from support.wheels import FILES, INFO, METADATA, members, write_wheel

TEXT = "demo_pkg/about.txt"
ENDS = {TEXT: b"one\ntwo\n"}, {TEXT: b"one\r\ntwo\r\n"}
SPELT = (
    {f"{INFO}/METADATA": METADATA + b"Requires-Dist: six (>=1)\n"},
    {f"{INFO}/METADATA": METADATA + b"Requires-Dist: six>=1\n"},
)
FROM = "apart from what normalizing removes, only "


@pytest.mark.parametrize(
    ("sides", "verdict", "small"),
    [
        (ENDS, Verdict.DIFFERENT, "line ends (1 member)"),
        (SPELT, Verdict.PAYLOAD, "the spelling of requirements (1 member)"),
        (
            ({**ENDS[0], **SPELT[0], "demo_pkg/b.txt": b"1\n"}, {**ENDS[1], **SPELT[1], "demo_pkg/b.txt": b"1\r\n"}),
            Verdict.DIFFERENT,
            "line ends (2 members) and the spelling of requirements (1 member)",
        ),
        (({TEXT: b"one\ntwo\n"}, {TEXT: b"one\r\n2\r\n"}), Verdict.DIFFERENT, ""),
        (({**ENDS[0], "demo_pkg/b.txt": b"1\n"}, {**ENDS[1], "demo_pkg/b.txt": b"2\n"}), Verdict.DIFFERENT, ""),
        (({**ENDS[0], "demo_pkg/b.txt": b""}, ENDS[1]), Verdict.DIFFERENT, ""),
        (({}, {}), Verdict.NORMALIZED, ""),
    ],
)
def test_how_small(
    tmp_path: Path, sides: tuple[dict[str, bytes], dict[str, bytes]], verdict: Verdict, small: str
) -> None:
    paths = []
    for number, more in enumerate(sides):
        (tmp_path / str(number)).mkdir()
        # Other times, so that the container differs, too.
        held = [replace(member, mtime=member.mtime + 100 * number) for member in members({**FILES, **more})]
        paths.append(write_wheel(tmp_path / str(number), held))
    found = compare_files(*paths)
    expected = f"{FROM}{small} differ" if small else ""
    assert (found.verdict, how_small(found.differences)) == (verdict, expected)
    assert comparison_document(found)["small"] == (expected or None)
    lines = " ".join(line.strip() for line in body_lines(found, View()))
    assert (FROM in lines) is bool(small)
    for report in reports(found):
        assert (expected in report) if small else (FROM not in report)


def reports(found: Comparison) -> list[str]:
    """Return what the other reports say of a comparison: pages, Markdown, XML for CI, and a survey's notes."""
    files = BuiltFile("demo.whl", found.left.sha256, 1), BuiltFile("demo.whl", found.right.sha256, 1)
    checked = CheckResult("tree", "3.11", ways=(WayResult("as is", (CheckOutcome("wheel", files, comparison=found),)),))
    return [
        as_page([PairResult(ComparedPair("demo", Path("left"), Path("right")), found)], version="1"),
        "".join("\n".join(each) for each in markdown.sections(found)),
        junit.document([checked]),
        "\n".join(notes_of(found, ())),
    ]


def test_that_a_program_cannot_be_executed_is_not_small(tmp_path: Path) -> None:
    held = members({**FILES, TEXT: b""})
    paths = [write_wheel(tmp_path, held), tmp_path / "demo_pkg-1.0-1-py3-none-any.whl"]
    with zipfile.ZipFile(paths[0]) as one, zipfile.ZipFile(paths[1], "w") as other:
        for info in one.infolist():
            data = one.read(info)
            # As on Windows, whose line ends would be small.
            info.create_system, info.external_attr = 0, 0o100777 << 16
            other.writestr(info, data)
    found = compare_files(*paths)
    assert found.verdict is Verdict.DIFFERENT
    assert "D034" in found.causes
    assert how_small(found.differences) == ""
