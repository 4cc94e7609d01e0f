"""Each cause is named where it is, and nowhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from samebytes_tools.comparison import causes
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.causes.table import ALL, TABLE, UNKNOWN, by_code, codes
from samebytes_tools.comparison.excerpts import EXCERPT
from samebytes_tools.comparison.model import Comparison, Verdict
from samebytes_tools.comparison.observations import LoneLines, TextPair, Unexplained
from support.cause_pairs import CAUSES, CONTROLS, Pair, build

CAUSES_FOLDER = Path(causes.__file__).parent
FORMATS = sorted(path for path in CAUSES_FOLDER.parent.rglob("*.py") if CAUSES_FOLDER not in path.parents)


def compared(pair: Pair, directory: Path) -> Comparison:
    return compare_files(*build(pair, directory), pair.builds)


@pytest.mark.parametrize("pair", CAUSES, ids=str)
def test_exactly_the_cause_is_named(pair: Pair, tmp_path: Path) -> None:
    found = compared(pair, tmp_path)
    assert found.causes == pair.causes
    assert found.verdict is not Verdict.IDENTICAL
    for difference in found.walk():
        names = [child.name for child in difference.children]
        assert len(names) == len(set(names))  # one place is one node, however much is found there
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


@pytest.mark.parametrize("module", FORMATS, ids=lambda path: path.name)
def test_formats_and_containers_know_no_causes(module: Path) -> None:
    """They report what they see; which cause that is, the table alone decides."""
    texts = [node.value for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Constant)]
    assert not [text for text in texts if isinstance(text, str) and re.fullmatch(r"D\d{3}", text)]


def test_what_nothing_shows_is_unknown_and_what_follows_has_no_cause() -> None:
    assert codes(Unexplained(b"a", b"b")) == (UNKNOWN,)
    alone = LoneLines(b"", b"demo/more.py\n")
    assert codes(alone) == (UNKNOWN,)
    assert codes(alone, NO_CLUES._replace(only=frozenset({"demo/more.py"}))) == ()
    left, right = "a" * 64, "b" * 64
    digests = TextPair(left.encode(), right.encode())
    assert codes(digests) == (UNKNOWN,)
    assert codes(digests, NO_CLUES._replace(digests=({left: "x"}, {right: "x"}))) == ()
    assert codes(digests, NO_CLUES._replace(digests=({left: "x"}, {right: "y"}))) == (UNKNOWN,)


def test_codes_are_in_order_and_unique() -> None:
    every = [cause.code for cause in ALL]
    assert every == sorted(set(every)) == sorted(cause.code for cause in TABLE)
    with pytest.raises(KeyError):
        by_code("D000")
