"""Projects with one fault each: ``samebytes check --bisect`` names the cause, and with its remedy there is no difference.

A few of them. All take half an hour: ``python benchmarks/attribution.py`` runs them by hand, and writes what comes of it
to docs/explanation/attributed.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from samebytes_tools.variations.moved_clock import is_moved
from support.fault_projects import FAULTS, Fault, lay_out
from support.fault_runs import check, run

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")]

FEW = ("the user's name", "a set, in one line", "a token")
"""What every machine can vary."""


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in FEW], ids=str)
def test_some_faults_are_attributed_and_their_remedies_help(fault: Fault, tmp_path: Path) -> None:
    result = run(fault, tmp_path)
    assert (result.verdict, fault.variation in result.variations) == ("right", True), result


@pytest.mark.slow("builds a project five times")
@pytest.mark.parametrize(
    ("written", "code"),
    [("secrets.token_hex(16)", "D030"), ("hashlib.sha256(str(time.time()).encode()).hexdigest()", "D005")],
)
@pytest.mark.parametrize("options", [(), ("--bisect",)])
def test_chance_and_the_clock_are_distinguished_by_a_clock_that_stands_still(
    written: str, code: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    if not is_moved(os.environ):
        pytest.skip("needs libfaketime")
    tree = lay_out(FAULTS[0], tmp_path)
    source = f"import hashlib, secrets, time\ndef files(): return {{'demo/x.txt': {written}.encode()}}\n"
    (tree / "made.py").write_text(source, "utf-8")
    assert [cause["code"] for cause in check(tree, *options)["causes"]] == [code]


def test_every_fault_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
    assert set(FEW) <= set(names)
