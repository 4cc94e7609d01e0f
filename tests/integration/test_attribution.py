"""Projects with one fault each: ``samebytes check --bisect`` names the cause, and with its remedy there is no difference.

All of them are run by ``python benchmarks/attribution.py``, which writes the table of docs/explanation/attributed.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.fault_projects import FAULTS, Fault
from support.fault_runs import missing, run

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")]

FEW = ("how many processors", "a listing, in one line", "a token")


def judged(fault: Fault, directory: Path) -> None:
    if missing(fault):
        pytest.skip(f"needs {missing(fault)[0]}")
    result = run(fault, directory)
    assert (result.verdict, fault.variation in result.variations) == ("right", True), result


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in FEW], ids=str)
def test_some_faults_are_attributed_and_their_remedies_help(fault: Fault, tmp_path: Path) -> None:
    judged(fault, tmp_path)


@pytest.mark.slow("builds a small project about 25 times, for each of 80 faults")
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name not in FEW], ids=str)
def test_all_faults_are_attributed_and_their_remedies_help(fault: Fault, tmp_path: Path) -> None:
    judged(fault, tmp_path)


def test_every_fault_has_a_name_of_its_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names))
    assert set(FEW) <= set(names)
