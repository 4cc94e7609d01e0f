from __future__ import annotations

from pathlib import Path

import pytest

from samebytes.commands.normalize.normalize import (
    ArtifactDate,
    DateSource,
    NormalizeResult,
    Rewritten,
)
from samebytes.commands.normalize.report import finding_lines, located_message, normalize_document, summary_lines
from samebytes.console.style import PLAIN
from samebytes.errors import ArchiveError
from samebytes.passes.model import Change
from samebytes.passes.pipeline import FileDigest

FILE = Path("dist", "a.whl")

BEFORE, AFTER = FileDigest("0" * 64, 1000), FileDigest("1" * 64, 999)


def result(*changes: Change, notes: tuple[Change, ...] = (), after: FileDigest = AFTER) -> NormalizeResult:
    path = FILE
    rewritten = Rewritten(changes, (), BEFORE, after, 0, False, None, None, notes)
    return NormalizeResult(path, None, path, "wheel", ArtifactDate(0, DateSource.OPTION), rewritten)


def test_groups_are_in_the_codes_order_with_their_counts() -> None:
    changes = [Change("Z003", "a", "x"), Change("Z001", "", "y"), Change("Z003", "b", "x"), Change("Z003", "b", "z")]
    lines = list(summary_lines(result(*changes), PLAIN))
    assert [line.split()[0] for line in lines[5:]] == ["Z001", "Z003"]
    assert lines[3] == "  size   999 bytes, was 1,000"
    assert lines[-1].endswith(": 2 members")
    assert ":" not in lines[-2]


def test_five_findings_are_shown_and_a_sixth_is_counted() -> None:
    def found(number: int) -> list[str]:
        return list(finding_lines(result(*(Change("Z003", f"m{n}", "x") for n in range(number))), PLAIN))

    assert len(found(5)) == 5
    assert found(5)[-1] == f"{FILE}: Z003 m4: x"
    assert len(found(6)) == 6
    assert found(6)[-1] == f"{FILE}: Z003 ... and 1 more member"
    assert found(8)[-1] == f"{FILE}: Z003 ... and 3 more members"


def test_findings_about_the_whole_archive() -> None:
    lines = list(finding_lines(result(*(Change("G001", "", f"x{n}") for n in range(7))), PLAIN))
    assert lines[0] == f"{FILE}: G001 x0"
    assert lines[-1] == f"{FILE}: G001 ... and 2 more findings"


def test_notes_are_told_and_are_no_findings() -> None:
    noted = result(notes=(Change("T010", "a/B", "differs from a/b in case only"),), after=BEFORE)
    told = "T010 a/B: differs from a/b in case only"
    assert list(finding_lines(noted, PLAIN)) == [f"{FILE}: canonical", f"{FILE}: note {told}"]
    assert list(summary_lines(noted, PLAIN))[-1] == f"  note {told}"


def test_a_detail_of_several_lines_stays_together() -> None:
    lines = list(finding_lines(result(Change("Z003", "a\nb", "x\ny")), PLAIN))
    assert lines == [f"{FILE}: Z003 a\\nb: x\n    y"]


@pytest.mark.parametrize(
    ("message", "located"),
    [
        ("a.whl: is bad", f"{FILE}: is bad"),
        (f"{FILE}: is bad", f"{FILE}: is bad"),
        ("RECORD is bad", f"{FILE}: RECORD is bad"),
    ],
)
def test_messages_name_the_whole_path(message: str, located: str) -> None:
    assert located_message(NormalizeResult(FILE, ArchiveError(message))) == located


def test_errors_have_no_lines_of_their_own() -> None:
    failed = NormalizeResult(Path("a.whl"), ArchiveError("bad"))
    assert list(summary_lines(failed, PLAIN)) == []
    assert list(finding_lines(failed, PLAIN)) == []


def test_json_is_ascii_whatever_the_names() -> None:
    document = normalize_document(
        [result(Change("Z003", "gr\u00fcn\udcff", "x"))], command="check", version="1", exit_status=1
    )
    assert document.isascii()
    assert "gr\\u00fcn\\udcff" in document
