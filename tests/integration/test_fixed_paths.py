"""``fixed-paths = true`` (D2): what a project writes down of its paths itself, no compiler's map can reach."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.conditions import CONTROL, EXPERIMENT, Conditions, settle
from support.differences import assert_same, contents, digest
from support.projects import write_tree
from support.workshop import Workshop

pytestmark = [pytest.mark.integration, pytest.mark.network]

PYPROJECT = """\
[build-system]
requires = ["setuptools>=61", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"
{line}
[project]
name = "telltale"
version = "1.0"
"""

SETUP = """\
import os, sys, tempfile
from pathlib import Path

from setuptools import setup

paths = [os.getcwd(), __file__, sys.prefix, sys.executable, tempfile.mkdtemp()]
Path("telltale.py").write_text(f"PATHS = {paths!r}\\n")
setup(py_modules=["telltale"])
"""


def build(conditions: Conditions, root: Path, workshop: Workshop, line: str = "", **more: str) -> tuple[Path, str]:
    """Build the project in an isolated environment; return the wheel and what was said."""
    source = write_tree(root / "source", {"pyproject.toml": PYPROJECT.format(line=line), "setup.py": SETUP})
    place = settle(conditions, source, root / "place")
    out = place.directory("out")
    command = [workshop.python, "-m", "build", "--wheel", "--outdir", out, place.tree]
    done = place.run(command, more={**workshop.index(dict(place.variables)), **more})
    return next(out.glob("*.whl")), done.stderr


def needs_mounts() -> None:
    for options in (["--mount"], ["--mount", "--user"]):
        try:
            if subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode == 0:
                return
        except FileNotFoundError:
            break
    pytest.skip("needs the right to make a mount namespace")


def test_without_fixed_paths_they_differ_and_are_reported(roots: tuple[Path, Path], workshop: Workshop) -> None:
    """The control."""
    wheels = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wheel, said = build(conditions, root, workshop)
        wheels.append(wheel)
        warned = [line for line in said.splitlines() if line.startswith("samebytes: warning:")]
        for what in ("source directory", "temporary directory", "build environment"):
            assert sum(what in line and "telltale.py" in line for line in warned) == 1, said
    assert digest(wheels[0]) != digest(wheels[1])


def test_at_fixed_paths_they_are_equal(roots: tuple[Path, Path], workshop: Workshop) -> None:
    needs_mounts()
    wheels = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wheel, said = build(conditions, root, workshop, "fixed-paths = true")
        wheels.append(wheel)
        assert "samebytes: warning: not building" not in said
    assert_same(wheels)
    assert not any(str(root).encode() in data for root in roots for data in contents(wheels[0]).values())


def test_inside_a_build_that_has_the_paths_it_goes_on_elsewhere(roots: tuple[Path, Path], workshop: Workshop) -> None:
    wheel, said = build(CONTROL, roots[0], workshop, "fixed-paths = true", SAMEBYTES_FIXED_PATHS="1")
    assert wheel.is_file()
    assert said.count("not building at the fixed path") >= 1
    assert "inside one that is there" in said
