"""What a comparison of two builds knows of their source tree."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from samebytes_tools.commands.check.attempts import Attempt
from samebytes_tools.commands.check.subject import AS_IS, SDIST, CheckOptions
from samebytes_tools.commands.check.twice import SourceCheck
from samebytes_tools.variations.environments import varied_environment
from support.conditions import git
from support.projects import write_tree
from support.wheels import SOURCES, TOP, sources, write_sdist

from samebytes.passes.pipeline import Stop


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("file", [".github/ci.yml", "notes.txt"])
def test_a_file_that_only_one_build_asked_git_for_has_that_cause(file: str, tmp_path: Path) -> None:
    """Both ways: git lists hidden files that are left out without it, and not those that it does not track."""
    check = SourceCheck.__new__(SourceCheck)
    check._pristine, check._within = write_tree(tmp_path / "top", {"tree/.github/ci.yml": ""}), Path("tree")
    check._stop, check._options = Stop(), CheckOptions()
    git("init", "--quiet", cwd=check._pristine)
    git("add", "--all", cwd=check._pristine)
    write_tree(check._pristine, {"tree/notes.txt": ""})
    attempts = []
    for number, applied in enumerate([set(), {"checkout"}]):
        has_file = (file != "notes.txt") is (number == 0)
        more = {f"{TOP}/{file}": b"x\n"} if has_file else {}
        (tmp_path / str(number)).mkdir()
        path = write_sdist(tmp_path / str(number), sources({**SOURCES, **more}))
        environment = varied_environment(tmp_path, "tree", applied, os.environ)
        attempts.append(Attempt(environment, 0.0, {SDIST: path}, {}))
    outcome = check._outcome(AS_IS, SDIST, *attempts)
    assert outcome.comparison is not None
    assert outcome.comparison.causes == ("D016",)
