"""Each cause is named where it is, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.table import ALL, UNKNOWN, by_code
from samebytes_tools.comparison.excerpts import EXCERPT
from samebytes_tools.comparison.model import Comparison, Verdict
from support.cause_pairs import CAUSES, CONTROLS, Pair, build


def compared(pair: Pair, directory: Path) -> Comparison:
    return compare_files(*build(pair, directory), pair.builds)


@pytest.mark.parametrize("pair", CAUSES, ids=str)
def test_exactly_the_cause_is_named(pair: Pair, tmp_path: Path) -> None:
    found = compared(pair, tmp_path)
    assert found.causes == pair.causes
    assert found.verdict is not Verdict.IDENTICAL
    for difference in found.walk():
        for finding in difference.findings:
            assert finding.evidence.left != finding.evidence.right
            assert max(len(finding.evidence.left), len(finding.evidence.right)) <= EXCERPT


@pytest.mark.parametrize("pair", CONTROLS, ids=str)
def test_no_cause_is_named_where_there_is_none(pair: Pair, tmp_path: Path) -> None:
    found = compared(pair, tmp_path)
    assert found.causes == pair.causes
    assert (found.verdict is Verdict.IDENTICAL) == (not pair.causes)
    assert found.verdict in (Verdict.IDENTICAL, Verdict.DIFFERENT)


def test_every_cause_has_a_pair() -> None:
    assert {code for pair in CAUSES for code in pair.causes} == {cause.code for cause in ALL} - {UNKNOWN}


def test_the_table_of_causes(tmp_path: Path) -> None:
    """Prints what is detected in each pair, also that a program for it is missing; ``-s`` shows it."""
    lines = []
    for number, pair in enumerate(CAUSES):
        code = pair.causes[0]
        try:
            named = ", ".join(compared(pair, tmp_path / str(number)).causes)
        except pytest.skip.Exception:
            named = f"not tried: {pair.needs}"
        lines.append(f"{code} {by_code(code).name:20} {pair.name:45} {named}")
        assert named in (", ".join(pair.causes), f"not tried: {pair.needs}")
    print("", *lines, sep="\n")


@pytest.mark.parametrize("cause", ALL, ids=lambda cause: cause.code)
def test_causes_say_what_to_do(cause: object) -> None:
    assert re.fullmatch(r"D\d{3}", cause.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cause.name)
    assert cause.explanation.endswith(".")
    assert by_code(cause.code) is cause
    assert cause.remedy.strip()


def test_codes_are_in_order_and_unique() -> None:
    codes = [cause.code for cause in ALL]
    assert codes == sorted(set(codes))
    with pytest.raises(KeyError):
        by_code("D000")
