"""What ``samebytes check --bisect`` names as the cause of each fault, and whether the remedy that it gives helps."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from support.conditions import git
from support.fault_projects import FAULTS, NORMALIZED, Fault, lay_out
from support.processes import import_path

UNKNOWN = "D099"


@dataclass(frozen=True)
class FaultResult:
    """What came of one project."""

    fault: Fault
    variations: tuple[str, ...]
    """By which of what is varied it was found to differ."""
    codes: tuple[str, ...]
    """The causes that the report names."""
    has_remedy: bool
    """Whether a remedy in the report says what was then done."""
    is_same: bool
    """Whether with that there is no difference any more."""

    @property
    def is_right(self) -> bool:
        """Whether the report names a right cause and no other, with a remedy that helps."""
        named = set(self.codes)
        return bool(named) and named <= set(self.fault.causes) and self.has_remedy and self.is_same

    @property
    def is_wrong(self) -> bool:
        """Whether it names another cause."""
        return bool(set(self.codes) - {UNKNOWN, *self.fault.causes})

    @property
    def verdict(self) -> str:
        """``right``, ``wrong`` or ``unknown``; or what is missing."""
        if self.is_wrong or not self.codes:
            return "wrong"
        if UNKNOWN in self.codes:
            return "unknown"
        return "right" if self.is_right else "no remedy" if not self.has_remedy else "remedy does not help"


def run(fault: Fault, directory: Path) -> FaultResult:
    """Check the project twice, as it is and with the remedy applied, in *directory*."""
    tree = _tree(fault, directory / "faulty")
    kept = directory / "kept"
    found = check(tree, "--bisect", "--keep", str(kept))
    (result,) = found["results"]
    by = result["differs_by"] or {"variations": [], "moment": []}
    variations = ["+".join(each["names"]) for each in by["variations"]] + ["the moment"] * bool(by["moment"])
    remedies = [each["remedy"] for each in found["causes"]]
    return FaultResult(
        fault,
        tuple(variations),
        tuple(each["code"] for each in found["causes"]),
        any(fault.by in remedy for remedy in remedies),
        _is_normalized_same(kept) if fault.fixed == NORMALIZED else _is_fixed(fault, directory),
    )


def document(results: Iterable[FaultResult]) -> str:
    """Return *results* as JSON."""
    return json.dumps({each.fault.name: {**asdict(each), "fault": each.fault.name} for each in results}, indent=1)


def read(path: Path) -> dict[str, FaultResult]:
    """Return the results in *path*, by the names of faults that there are still."""
    faults = {fault.name: fault for fault in FAULTS}
    held = json.loads(path.read_text("utf-8"))
    return {
        name: FaultResult(
            faults[name], tuple(one["variations"]), tuple(one["codes"]), one["has_remedy"], one["is_same"]
        )
        for name, one in held.items()
        if name in faults
    }


def table(results: Iterable[FaultResult]) -> str:
    """Return a table in Markdown: each fault, what was found, and whether that is right."""
    rows = [
        # In Markdown, underscores around a word would be left out.
        f"| {each.fault.name.replace('_', chr(92) + '_')} | {', '.join(each.variations)} | {' '.join(each.codes)} | {each.verdict} "
        f"| {'same' if each.is_same else 'differs'} |"
        for each in results
    ]
    return "\n".join(["| fault | varied | cause named | | after the remedy |", "|---|---|---|---|---|", *rows, ""])


def _tree(fault: Fault, directory: Path, *, fixed: bool = False) -> Path:
    tree = lay_out(fault, directory, fixed=fixed)
    if fault.is_checkout:
        git("init", "-q", cwd=tree)
        git("add", ".", cwd=tree)
        git("commit", "-q", "-m", "all", cwd=tree, date="2026-01-02T03:04:05Z")
    return tree


def _is_fixed(fault: Fault, directory: Path) -> bool:
    tree = _tree(fault, directory / "fixed", fixed=True)
    # As the remedy of dates has it: one for all builds.
    found = check(tree, SOURCE_DATE_EPOCH="1700000000")
    return bool(found["results"][0]["state"] == "same")


def _is_normalized_same(kept: Path) -> bool:
    """Return whether the two wheels in *kept* are the same once they are normalized."""
    wheels = sorted(kept.rglob("*.whl"))
    subprocess.run(_command("normalize", "--quiet", *map(str, wheels)), env=_environ(), check=True)
    return len(wheels) > 1 and len({hashlib.sha256(wheel.read_bytes()).digest() for wheel in wheels}) == 1


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "samebytes", *arguments]


def _environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"SOURCE_DATE_EPOCH", "PYTHONPATH"}}
    return {**kept, **import_path(), **more}


def check(tree: Path, *options: str, **more: str) -> dict[str, Any]:
    """Return the document of ``check --json`` of the wheel of *tree*; *more* are environment variables."""
    command = _command("check", "--json", "--no-isolation", "--wheel", *options, str(tree))
    done = subprocess.run(command, env=_environ(**more), capture_output=True, text=True, check=False)
    if done.returncode > 1 or not done.stdout:
        raise RuntimeError(f"{tree}: {done.stderr}\n{done.stdout[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def missing(fault: Fault) -> list[str]:
    """Return the programs that *fault* needs and that are not there."""
    return [name for name in fault.needs if shutil.which(name) is None]
