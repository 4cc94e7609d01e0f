"""Everything that samebytes writes is what an index takes: the hook's files, those of `build`, normalized ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.acceptance import problems
from support.conditions import EXPERIMENT, settle
from support.projects import BY_NAME, Example, copy_bare, missing_tools
from support.workshop import Workshop

pytestmark = pytest.mark.integration

SAMPLE = [
    BY_NAME[name] for name in ("setuptools-legacy", "setuptools-pyproject", "setuptools-c-extension", "hatchling")
]
SAMPLE += [BY_NAME[name] for name in ("flit", "pdm", "poetry", "uv-build", "in-tree-backend")]


def assert_taken(directory: Path, example: Example) -> None:
    """Both files are there and nothing is wrong; but no index takes an extension for any Linux, before its repair."""
    files = sorted(path for path in directory.iterdir() if path.name.endswith((".whl", ".tar.gz")))
    assert sorted(path.suffix for path in files) == [".gz", ".whl"]
    for path in files:
        found = problems(path)
        if example.compiled and sys.platform == "linux":
            found = [one for one in found if "platform linux_" not in one]
        assert found == [], path.name


@pytest.mark.parametrize("example", SAMPLE, ids=lambda example: example.directory)
def test_what_the_hook_writes_is_taken(example: Example, roots: tuple[Path, Path], workshop: Workshop) -> None:
    if missing_tools(example):
        pytest.skip(f"needs {', '.join(missing_tools(example))}")
    place = settle(EXPERIMENT, example.path, roots[1])
    out = place.directory("out")
    command = [workshop.python, "-m", "build", "--no-isolation", "--outdir", out, place.tree]
    place.run(command, more=workshop.tools(dict(place.variables)))
    assert_taken(out, example)


@pytest.mark.parametrize("example", SAMPLE, ids=lambda example: example.directory)
def test_what_normalize_writes_is_taken(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    if missing_tools(example):
        pytest.skip(f"needs {', '.join(missing_tools(example))}")
    place = settle(EXPERIMENT, copy_bare(example, tmp_path / "bare"), roots[1])
    out = place.directory("out")
    command = [workshop.python, "-m", "build", "--no-isolation", "--outdir", out, place.tree]
    place.run(command, more=workshop.tools(dict(place.variables)))
    place.run([workshop.bin / "samebytes", "normalize", out])
    assert_taken(out, example)


@pytest.mark.network
@pytest.mark.parametrize("name", ["setuptools-pyproject", "flit"])
def test_what_build_writes_is_taken(name: str, roots: tuple[Path, Path], workshop: Workshop) -> None:
    place = settle(EXPERIMENT, BY_NAME[name].path, roots[1])
    out = place.root / "out"
    command = [workshop.bin / "samebytes", "build", "-o", out, place.tree]
    place.run(command, more=workshop.index(dict(place.variables)))
    assert_taken(out, BY_NAME[name])
