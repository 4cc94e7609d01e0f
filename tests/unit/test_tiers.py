"""The tiers of the tests, and the budget for skips: a few tests in a directory of their own, and a real pytest."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.processes import import_path
from support.tiers import ALLOWED, ALLOWED_IN_QUICK, ALLOWED_ON_WINDOWS, SKIPS_REFUSED

PYPROJECT = """
[tool.pytest.ini_options]
addopts = "-p support.tiers -p no:cacheprovider -p no:hypothesispytest --strict-markers --import-mode=importlib"
markers = ["integration", "quick", "slow(why)", "broad(why)"]
"""

TESTS = """
import pytest

def test_plain(): pass

@pytest.mark.slow("for a reason")
def test_slow(): pass

@pytest.mark.integration
def test_real(): pass

@pytest.mark.integration
@pytest.mark.parametrize("one", [pytest.param(1, marks=pytest.mark.quick), 2])
def test_each(one): pass

@pytest.mark.parametrize("one", [1, pytest.param(2, marks=pytest.mark.broad("for more"))])
def test_many(one): pass
"""


def run(root: Path, tests: str, *arguments: str) -> tuple[int, str]:
    """Run pytest on *tests*; return its exit status and what it printed."""
    (root / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (root / "test_some.py").write_text(tests, "utf-8")
    command = [sys.executable, "-m", "pytest", *arguments]
    done = subprocess.run(command, cwd=root, env={**import_path()}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


TIERS = {
    "--quick": ["test_plain", "test_each[1]", "test_many[1]"],
    "--rest": ["test_slow", "test_real", "test_each[2]"],
    "--broad": ["test_many[2]"],
}
"""What is in each: every test is in one."""


@pytest.mark.parametrize("option", TIERS)
def test_a_tier(option: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, TESTS, option, "--collect-only", "-q")
    assert status == 0
    assert re.findall(r"::(\S+)", said) == TIERS[option]
    assert f"{len(TIERS[option])}/7 tests collected ({7 - len(TIERS[option])} deselected)" in said


def test_two_tiers(tmp_path: Path) -> None:
    said = run(tmp_path, TESTS, "--rest", "--broad", "--collect-only", "-q")[1]
    assert sorted(re.findall(r"::(\S+)", said)) == sorted(TIERS["--rest"] + TIERS["--broad"])


def test_without_an_option_all_are_run(tmp_path: Path) -> None:
    assert sum(map(len, TIERS.values())) == 7
    assert "7 passed" in run(tmp_path, TESTS)[1]


def test_the_gate_runs_no_broad_test() -> None:
    """``--all`` alone would."""
    gate = (Path(__file__).resolve().parents[2] / ".ci" / "run").read_text("utf-8")
    runs = re.findall(r"^.*--all\b.*$", gate, re.MULTILINE)
    assert len(runs) == 2
    assert [run for run in runs if "--rest" not in run and "not broad" not in run] == []


@pytest.mark.parametrize("marker", ["slow", "broad"])
def test_a_slow_or_broad_test_says_why(marker: str, tmp_path: Path) -> None:
    status, said = run(tmp_path, f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass\n")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert f"test_some.py::test_it does not say why it is {marker}" in said


SKIPPED = """
import pytest

@pytest.fixture
def program(): pytest.skip("needs a program")

def test_one(program): pass

def test_other(program): pass

@pytest.mark.skipif(True, reason="is not for today")
def test_another(): pass
"""


@pytest.mark.parametrize("spread", [[], ["-n", "1"]], ids=["one process", "a worker"])
def test_skips_are_counted_and_refused(tmp_path: Path, spread: list[str]) -> None:
    assert run(tmp_path, SKIPPED, *spread)[0] == 0
    status, said = run(tmp_path, SKIPPED, "--skips=refuse", *spread)
    assert status == SKIPS_REFUSED
    assert re.search(r"= skipped: 3 =+\n +1  is not for today +<- .*\n +2  needs a program +<- ", said)


@pytest.mark.parametrize("spread", [[], ["-n", "1"]], ids=["one process", "a worker"])
def test_those_that_may_not_be_skipped_are_named(tmp_path: Path, spread: list[str]) -> None:
    """And pytest takes the names from the file."""
    allowed = "root may read everything"
    tests = SKIPPED.replace("is not for today", allowed)
    assert run(tmp_path, tests, "--skipped=names", *spread)[0] == 0
    assert (tmp_path / "names").read_text("utf-8").splitlines() == [
        "test_some.py::test_one",
        "test_some.py::test_other",
    ]
    status, said = run(tmp_path, tests, "--skips=refuse", "@names")
    assert status == SKIPS_REFUSED
    assert "2 skipped in " in said


def test_they_can_be_listed_only(tmp_path: Path) -> None:
    status, said = run(tmp_path, SKIPPED, "--skips=list")
    assert status == 0
    assert re.search(r"= skipped: 3 =+\n +1  is not for today\n +2  needs a program\n", said)


def test_a_file_that_is_skipped_counts_once(tmp_path: Path) -> None:
    """Each worker reports it."""
    tests = "import pytest\npytest.skip('is not for here', allow_module_level=True)\n"
    (tmp_path / "test_other.py").write_text("def test_it(): pass\n", "utf-8")
    assert re.search(r"= skipped: 1 =+\n +1  is not for here +<-", run(tmp_path, tests, "--skips=refuse", "-n", "2")[1])


def test_reasons_on_the_list_are_allowed(tmp_path: Path) -> None:
    allowed = "root may read everything"
    assert allowed in ALLOWED
    status, said = run(tmp_path, SKIPPED.replace("is not for today", allowed), "--skips=refuse", "-k", "another")
    assert status == 0
    assert re.search(rf"= skipped: 1 =+\n +1  {allowed}\n", said)


def test_what_hypothesis_adds_is_no_part_of_a_reason(tmp_path: Path) -> None:
    tests = """
import pytest
from hypothesis import example, given, strategies

@given(strategies.none())
@example(None)
def test_drawn(_): pytest.skip("root may read everything")
"""
    status, said = run(tmp_path, tests, "--skips=refuse")
    assert status == 0, said
    assert "1  root may read everything\n" in said


def test_what_the_quick_tier_lacks_is_missed_where_all_are_run(tmp_path: Path) -> None:
    lacking = "needs ruff"
    assert lacking in ALLOWED_IN_QUICK
    tests = SKIPPED.replace("is not for today", lacking)
    assert run(tmp_path, tests, "--skips=refuse", "-k", "another", "--quick")[0] == 0
    assert run(tmp_path, tests, "--skips=refuse", "-k", "another")[0] == SKIPS_REFUSED


def test_the_list_has_patterns_that_can_be_read_and_says_why() -> None:
    assert all(
        re.compile(pattern) and why for pattern, why in {**ALLOWED, **ALLOWED_IN_QUICK, **ALLOWED_ON_WINDOWS}.items()
    )


def test_what_is_left_out_on_windows_is_there() -> None:
    """Else nobody would notice that a test of another name has become slow there, or is not left out any more."""
    root = Path(__file__).parents[2]
    names = re.findall(
        r'"(tests/unit/[^"{]*\.py)(?:::(\w+))?",\n {4}', (root / "tests" / "windows.py").read_text("utf-8")
    )
    assert len(names) > 10
    for path, name in names:
        assert f"def {name}" in (root / path).read_text("utf-8")


FAILING = """
import pathlib, pytest

@pytest.mark.parametrize("one", range(3))
def test_at_first(one):
    path = pathlib.Path(f"seen-{one}")
    before = path.exists()
    path.touch()
    assert before

def test_always(): assert not pathlib.Path("broken").exists()

def test_once(): assert not (path := pathlib.Path("ran")).exists() and not path.touch()
"""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that runs the tests, for those of a directory of its own."""
    spec = importlib.util.spec_from_file_location("runner", Path(__file__).parents[1] / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kept = tmp_path / ".venv"
    kept.mkdir()
    for name, value in {"ROOT": tmp_path, "KEPT": kept, "UNSTEADY": kept / "failed-at-first"}.items():
        monkeypatch.setattr(module, name, value)
    return module


@pytest.mark.slow("starts pytest several times")
@pytest.mark.parametrize(
    ("again", "broken", "spread", "status", "unsteady"),
    [
        pytest.param(0, False, [], 1, 0, id="not asked for"),
        pytest.param(2, False, [], 1, 0, id="more than that"),
        pytest.param(3, False, [], 0, 3, id="all of them"),
        pytest.param(3, False, ["-n", "2"], 0, 3, id="of two workers"),
        pytest.param(4, True, [], 1, 0, id="one fails again"),
    ],
)
def test_failed_tests_run_once_more(
    runner: ModuleType, tmp_path: Path, again: int, broken: bool, spread: list[str], status: int, unsteady: int
) -> None:
    """Those alone: ``test_once`` would fail in a second run."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.replace("-p no:cacheprovider ", ""), "utf-8")
    (tmp_path / "test_some.py").write_text(FAILING, "utf-8")
    if broken:
        (tmp_path / "broken").touch()
    command = [sys.executable, "-m", "pytest", *spread]
    assert runner.tested(command, import_path(), again) == status
    record = tmp_path / ".venv" / "failed-at-first"
    named = record.read_text("utf-8").splitlines() if record.exists() else []
    assert named == [f"test_some.py::test_at_first[{one}]" for one in range(unsteady)]


def test_a_second_run_forgives_no_skip(runner: ModuleType, tmp_path: Path) -> None:
    """It has the failed tests only."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.replace("-p no:cacheprovider ", ""), "utf-8")
    (tmp_path / "test_some.py").write_text(FAILING + SKIPPED, "utf-8")
    command = [sys.executable, "-m", "pytest", "--skips=refuse"]
    assert runner.tested(command, import_path(), 3) == SKIPS_REFUSED
