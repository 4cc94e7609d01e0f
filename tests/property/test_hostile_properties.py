"""Whatever a file of up to a megabyte holds, reading it ends soon and takes little (D14)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import hostile
from support.processes import import_path, linux_only

TESTS = Path(__file__).resolve().parents[1]

QUICK = (
    "METADATA of many fields",
    "METADATA of one line",
    "RECORD of 100,000 rows",
    "RECORD of commas",
    "RECORD of quotation marks",
    "SBOM of parentheses",
    "SBOM that is deep",
    "SBOM that is wide",
    "a Mach-O file of many symbols",
    "a Mach-O file of sections that are one",
    "a PAX record without a blank",
    "a source of 60 MB",
    "an ELF file of 60,000 sections",
    "an honest sdist",
    "an honest wheel",
    "gzip header that never ends",
    "links in a chain",
    "marshal: nested deeper",
    "marshal: one value a million times",
    "marshal: references to references",
    "sources that nest",
)
"""Kinds that are made in a moment."""

ALIKE = frozenset(
    {
        "ELF files of sections that are one",
        "PAX keywords of 1 MB",
        "SBOMs by the thousand",
        "compiled modules of 100 MB",
        "global PAX headers",
        "gzip bomb",
        "gzip bombs in a wheel",
        "hard links by the hundred thousand",
        "links by the thousand",
        "many members",
        "marshal: a frozenset",
        "marshal: frozensets in frozensets",
        "marshal: integers",
        "members by the hundred thousand",
        "texts of times by the dozen",
    }
)
"""Kinds that are another kind in another number or place, which is measured in the gate; these are by hand."""

OVER = frozenset({"a source of functions that are alike"})
"""Kinds that Python's own compiler takes longer for, as docs/explanation/hostile.md says."""

BUSY = 2
"""How many times the CPU that is promised a test grants: other processes take from the caches, too."""

pytestmark = linux_only


def check(kinds: tuple[str, ...]) -> None:
    """Measure all *kinds* by one process of its own, each run in a child of that."""
    program = [sys.executable, "-m", "support.hostile", *kinds]
    done = subprocess.run(program, cwd=TESTS, env=import_path(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(map(json.loads, done.stdout.splitlines()))
    assert found.keys() == set(kinds)
    for name, commands in found.items():
        for command, values in commands.items():
            taken = hostile.Taken(*values)
            assert 0 <= taken.status < 70, (name, command, taken)
            assert taken.cpu < BUSY * hostile.MOST_CPU, (name, command, taken)
            assert taken.memory < hostile.MOST_MEMORY, (name, command, taken)


BATCH = 6
"""How many of the others are measured one after another, by a process that has all imported; workers share the batches."""


@pytest.mark.slow("reads every hostile archive that is made quickly, by each command")
def test_all_that_is_made_quickly() -> None:
    check(QUICK)


def others() -> Iterator[object]:
    """Give the other kinds, those that are made in the gate apart."""
    slow = [kind.name for kind in hostile.KINDS if kind.name not in {*QUICK, *OVER}]
    for names, marks in (
        ([name for name in slow if name not in ALIKE], []),
        ([name for name in slow if name in ALIKE], [pytest.mark.broad("each has another of its kind in the gate")]),
    ):
        for number in range(0, len(names), BATCH):
            yield pytest.param(
                tuple(names[number : number + BATCH]), marks=marks, id=", ".join(names[number : number + BATCH])
            )


@pytest.mark.slow("some kinds take seconds to be made")
@pytest.mark.parametrize("kinds", list(others()))
def test_every_other_kind(kinds: tuple[str, ...]) -> None:
    check(kinds)


def test_every_kind_is_measured_once() -> None:
    assert {*QUICK, *OVER, *ALIKE} <= {kind.name for kind in hostile.KINDS}
    assert not ALIKE & {*QUICK, *OVER}


def test_what_is_not_bounded_is_found() -> None:
    assert hostile.Taken(0, 1.9, 149_000_000).is_bounded
    assert not hostile.Taken(0, 2.1, 1).is_bounded
    assert not hostile.Taken(0, 0.1, 151_000_000).is_bounded
    assert not hostile.Taken(70, 0.1, 1).is_bounded
    assert not hostile.Taken(-9, 0.1, 1).is_bounded
