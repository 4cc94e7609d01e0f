"""Everything that samebytes writes is what an index takes: the files of `build`, and normalized ones.

Those of the hook, and what is normalized of backends whose files differ from place to place, are in test_examples.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.acceptance import assert_taken
from support.conditions import EXPERIMENT, settle
from support.projects import BY_NAME, WRAPPED, Example, copy_bare, missing_tools
from support.workshop import Workshop

pytestmark = pytest.mark.integration


def artifacts(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name.endswith((".whl", ".tar.gz"))]


@pytest.mark.parametrize(
    "example", [example for example in WRAPPED if not example.varies], ids=lambda example: example.directory
)
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
    assert_taken(*artifacts(out), compiled=example.compiled)


@pytest.mark.network
@pytest.mark.parametrize("name", ["setuptools-pyproject", "flit"])
def test_what_build_writes_is_taken(name: str, roots: tuple[Path, Path], workshop: Workshop) -> None:
    place = settle(EXPERIMENT, BY_NAME[name].path, roots[1])
    out = place.root / "out"
    command = [workshop.bin / "samebytes", "build", "-o", out, place.tree]
    place.run(command, more=workshop.index(dict(place.variables)))
    assert_taken(*artifacts(out), compiled=BY_NAME[name].compiled)
