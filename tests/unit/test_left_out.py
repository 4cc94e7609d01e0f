"""Nothing is left out: pytest collects every file of tests there is, and ruff looks at every file of Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone, so nobody knows which files are ours"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

COLLECT = """
import sys, pytest

found = []

class Unread(pytest.Module):
    def collect(self):
        found.append(self.path.relative_to(self.config.rootpath).as_posix())
        return []

class Recorder:
    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path, parent):
        return Unread.from_parent(parent, path=module_path)

status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[Recorder()])
print(*("collected " + name for name in found), sep="\\n")
assert status == pytest.ExitCode.NO_TESTS_COLLECTED
"""
"""Prints the files that pytest would import, and imports none: that would take as long as the tests' own start."""


def tracked(*patterns: str) -> set[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in found.split("\0") if name and (ROOT / name).is_file()}


def collected(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return set(re.findall(r"^collected (.+)$", done.stdout, re.MULTILINE))


def linted(*arguments: str) -> set[str]:
    command = [sys.executable, "-m", "ruff", "check", "--show-files", *arguments]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return relative(found.splitlines())


def relative(paths: Iterable[str]) -> set[str]:
    return {Path(path).relative_to(ROOT).as_posix() for path in paths}


def test_every_file_of_tests_is_collected() -> None:
    files = tracked("test_*.py", "*/test_*.py", "*_test.py")
    assert len(files) > 100
    assert files - collected() == set()


def test_a_name_that_pytest_passes_over_by_default_is_missed() -> None:
    """The control: with the default list of names, which has ``dist``, a directory of that name would be missed."""
    missed = tracked("*/test_*.py") - collected("-o", "norecursedirs=.* artifact")
    assert missed == tracked("tests/unit/artifact/test_*.py") != set()


def test_every_file_of_python_is_linted() -> None:
    pytest.importorskip("ruff", reason="needs ruff")
    files = tracked("*.py")
    assert len(files) > 300
    assert files - linted() == set()


def test_a_name_that_is_excluded_is_missed() -> None:
    """The control."""
    pytest.importorskip("ruff", reason="needs ruff")
    missed = tracked("*.py") - linted("--extend-exclude", "examples")
    assert missed == tracked("examples/*.py") != set()
