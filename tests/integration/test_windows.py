"""The commands under CPython for Windows, which Wine runs: what they write and print is what they do on Linux."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import artifacts
from support.wine import WindowsPython, windows_python
from support.workshop import Workshop

from samebytes.commands.main import main

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def windows() -> WindowsPython:
    return windows_python()


@pytest.fixture(scope="module")
def core(windows: WindowsPython, workshop: Workshop) -> dict[str, str]:
    """The variables under which Windows' Python finds the samebytes under test."""
    return {"PYTHONPATH": windows.windows_path(windows.packages(workshop.wheel))}


def test_normalized_archives_are_those_of_linux(windows: WindowsPython, core: dict[str, str], tmp_path: Path) -> None:
    here, there = tmp_path / "linux", tmp_path / "windows"
    made = [artifacts.wheel(here), artifacts.sdist(here)]
    shutil.copytree(here, there)
    assert main(["normalize", *map(str, made)]) == 0
    done = windows.run(
        ["-m", "samebytes", "normalize", *(windows.windows_path(there / one.name) for one in made)], env=core
    )
    assert (done.returncode, done.stderr) == (0, "")
    for one in made:
        assert (there / one.name).read_bytes() == one.read_bytes()
