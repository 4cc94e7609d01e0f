"""How far a check is: each build once, with its number, what it is of, and the time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from samebytes_tools.commands.check.progress import BuildProgress, described, number_of_builds
from samebytes_tools.commands.check.subject import BUILD, FROM_SDIST, HOOK, SDIST, WHEEL
from samebytes_tools.variations.environments import VariedEnvironment, varied_environment
from samebytes_tools.variations.variations import NAMES
from support.leaky import leaky_project
from support.processes import import_path


def environment(*applied: str) -> VariedEnvironment:
    return varied_environment(Path("root"), "demo", applied, {})


def test_builds_are_counted_with_the_time() -> None:
    lines: list[str] = []
    times = iter([100.0, 100.0, 103.2, 90.0, 112.0])
    progress = BuildProgress(lines.append, lambda: next(times))
    progress.plan(2)
    for what in ("sdist", "wheel", "wheel, varied: umask"):
        progress.begin(what)
    progress.plan(2)
    progress.begin("wheel, second environment without leftovers")
    assert lines == [
        "build 1 of 2: sdist (0 s)",
        "build 2 of 2: wheel (3 s)",
        "build 3: wheel, varied: umask (0 s)",  # Somebody set the clock back; and nobody planned this one.
        "build 4 of 4: wheel, second environment without leftovers (12 s)",
    ]


@pytest.mark.parametrize(
    ("applied", "kinds", "expected"),
    [
        ((), (SDIST, WHEEL, FROM_SDIST), 3),
        (NAMES, (SDIST, WHEEL, FROM_SDIST), 5),
        (NAMES, (WHEEL,), 3),
        (("leftovers",), (FROM_SDIST,), 1),
    ],
)
def test_what_an_earlier_build_leaves_takes_builds(
    applied: tuple[str, ...], kinds: tuple[str, ...], expected: int
) -> None:
    assert number_of_builds(environment(*applied), kinds) == expected


@pytest.mark.parametrize(
    ("label", "applied", "expected"),
    [
        ("1", (), "first environment"),
        ("2", ("umask",), "second environment"),
        ("2-without-checkout-time", ("umask",), "second environment without time and checkout"),
        ("2-without-leftovers-wheel from sdist", ("umask",), "second environment without leftovers"),
        ("3-like-the-first-wheel", (), "first environment once more"),
        ("frozen-1-sdist-wheel", (), "first environment, its clock stopped"),
        ("bisect-1", (), "varied: nothing"),
        ("bisect-2", ("umask", "mtimes"), "varied: umask, mtimes"),
        ("bisect-3", NAMES, "varied: build-path, temp, home and 16 more"),
    ],
)
def test_what_is_built_is_named(label: str, applied: tuple[str, ...], expected: str) -> None:
    assert described("as is", WHEEL, environment(*applied), label) == f"wheel, {expected}"


def test_other_ways_are_named() -> None:
    assert described(HOOK, SDIST, environment(), "1") == "sdist, first environment, by samebytes' hooks"
    assert described(BUILD, SDIST, environment(), "1") == "sdist, first environment, by samebytes build"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_each_build_is_a_line_of_a_pipe(tmp_path: Path) -> None:
    """Held by the command itself: no terminal, and no silence; nothing of it in what is redirected, nor with -q."""
    tree = leaky_project(tmp_path / "tree", [])
    command = [sys.executable, "-m", "samebytes", "check", "-n", "-w", "-j1", "--vary=-all", str(tree)]
    environ = {"PATH": "/usr/bin:/bin", **import_path()}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    steps = [re.sub(r"\(\d+ s\)", "(N s)", line) for line in done.stderr.splitlines()]
    assert steps == ["build 1 of 2: wheel, first environment (N s)", "build 2 of 2: wheel, second environment (N s)"]
    assert done.returncode == 0
    assert "build 1" not in done.stdout
    assert subprocess.run([*command, "-q"], env=environ, capture_output=True, text=True, check=False).stderr == ""
