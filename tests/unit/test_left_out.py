"""Nothing is left out: pytest collects every file of tests there is, and ruff looks at every file of Python.

No file is skipped whole either, but for reasons that the gate knows.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.tiers import ALLOWED, ALLOWED_IN_QUICK

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


class WholeSkip(NamedTuple):
    """A call at the top of a file of tests that may skip all of it."""

    module: str
    """What must be importable; empty for what is skipped anyway."""
    reason: str


ON_WINDOWS = "sys.platform == 'win32'"


def whole_skips(source: str) -> Iterator[WholeSkip]:
    """Give the calls of ``pytest.importorskip`` and ``pytest.skip`` that are made while *source* is imported here."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue  # not run then
        if isinstance(node, ast.If) and ast.unparse(node.test) == ON_WINDOWS and sys.platform != "win32":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and called in ("pytest.importorskip", "pytest.skip"):
            module = ast.literal_eval(node.args[0]) if called == "pytest.importorskip" else ""
            reasons = [one.value for one in node.keywords if one.arg == "reason"] or node.args[:1]
            yield WholeSkip(module, ast.literal_eval(reasons[0]))


def refused_skips(source: str) -> list[str]:
    """Return the reasons for which the gate would fail if *source* were collected with what is installed here."""
    return [
        one.reason
        for one in whole_skips(source)
        if not (one.module and importlib.util.find_spec(one.module.partition(".")[0]))
        and not any(re.fullmatch(pattern, one.reason) for pattern in {**ALLOWED, **ALLOWED_IN_QUICK})
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="there, more may be missing")
def test_no_file_is_skipped_whole_for_a_reason_that_the_gate_refuses() -> None:
    """pytest imports every file, and reports that it is skipped, even where all its tests are deselected."""
    files = tracked("test_*.py", "*/test_*.py")
    found = {name: refused_skips((ROOT / name).read_text("utf-8")) for name in files}
    assert {name: skips for name, skips in found.items() if skips} == {}


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("pytest.importorskip('no_such_module', reason='needs it')", ["needs it"]),
        ("one = pytest.importorskip('no_such_module.part')", ["no_such_module.part"]),
        ("if True:\n    pytest.skip('not today', allow_module_level=True)", ["not today"]),
        ("if sys.platform == 'win32':\n    pytest.skip('not there', allow_module_level=True)", []),
        ("pytest.importorskip('no_such_module', reason='needs ruff')", []),
        ("pytest.importorskip('pytest')", []),
        ("def test_it():\n    pytest.importorskip('no_such_module')", []),
    ],
)
def test_whole_skips_are_seen(source: str, refused: list[str]) -> None:
    assert refused_skips(source) == refused


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
