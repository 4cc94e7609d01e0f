"""pre-commit, tox and nox for real, with the hooks and the snippets that the documentation shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.artifacts import wheel
from support.checkout import export, repository
from support.projects import write_tree

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PAGE = ROOT / "docs" / "how-to" / "continuous-integration.md"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.network,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX"),
]

PLAIN = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "plain"
version = "1.0"

[tool.setuptools]
py-modules = ["plain"]
"""
REPRODUCIBLE = """\
[build-system]
requires = ["flit_core>=3.4"]
build-backend = "flit_core.buildapi"

[project]
name = "plain"
version = "1.0"
description = "One module"
requires-python = ">=3.9"
"""
"""Its backend takes no date from the clock, so that building twice gives the same."""
WRAPPED = PLAIN.replace('["setuptools"]', '["setuptools", "samebytes"]').replace(
    'build-backend = "setuptools.build_meta"\n',
    'build-backend = "samebytes.backend"\n\n[tool.samebytes]\nbuild-backend = "setuptools.build_meta"\n',
)


def program(name: str) -> str:
    """Return the path of a program beside the interpreter or on PATH, or skip."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def environment(root: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of the test run's own is found."""
    unwanted = ("PYTHONPATH", "SOURCE_DATE_EPOCH", "TOXENV", "VIRTUAL_ENV", "GIT_DIR", "GIT_INDEX_FILE")
    plain = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**plain, "PRE_COMMIT_HOME": str(root / "pre-commit"), "NO_COLOR": "1", **more}


def config(hooks: Path) -> str:
    """Return a configuration of pre-commit with all hooks of the repository *hooks*."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True)
    rows = [f"      - id: {name}" for name in ("samebytes-wrap-check", "samebytes-check", "samebytes-normalize")]
    rows += ["      - id: samebytes-check-project", "        args: [--wheel, --vary=-all, --vary=+umask]"]
    return "\n".join(["repos:", f"  - repo: {hooks}", f"    rev: {commit.stdout.strip()}", "    hooks:", *rows, ""])


@pytest.mark.long
@pytest.mark.skipif(not HOOKS.is_file(), reason="the hooks are not here, only the tests")
def test_pre_commit_runs_the_hooks(tmp_path: Path) -> None:
    pre_commit = program("pre-commit")
    hooks = repository(export(tmp_path / "hooks", ".pre-commit-hooks.yaml"))
    user = write_tree(
        tmp_path / "user",
        {"pyproject.toml": PLAIN, "plain.py": "", ".pre-commit-config.yaml": config(hooks)},
    )
    vendored = wheel(user / "vendored")
    repository(user)

    def run(hook: str, *options: str) -> tuple[int, str]:
        done = subprocess.run(
            [pre_commit, "run", hook, "--all-files", "--verbose", *options],
            cwd=user,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "An unexpected error has occurred" not in done.stdout, done.stdout
        return done.returncode, done.stdout

    status, said = run("samebytes-check-project")
    assert (status, "No hook with id" in said) == (1, True), said  # before a commit
    status, said = run("samebytes-check-project", "--hook-stage", "manual")
    assert (status, ". (Python " in said) == (0, True), said
    status, said = run("samebytes-wrap-check")
    assert (status, "setuptools.build_meta does not build through samebytes" in said) == (1, True), said
    (user / "pyproject.toml").write_text(WRAPPED, "utf-8")
    status, said = run("samebytes-wrap-check")
    assert (status, "setuptools.build_meta builds through samebytes" in said) == (0, True), said

    status, said = run("samebytes-check")
    assert (status, "vendored/demo-1.0-py3-none-any.whl" in said) == (1, True), said
    status, said = run("samebytes-normalize")
    assert (status, "files were modified by this hook" in said) == (1, True), said
    subprocess.run(["git", "add", str(vendored)], cwd=user, check=True)
    for hook in ("samebytes-normalize", "samebytes-check"):
        status, said = run(hook)
        assert status == 0, said


def snippet(language: str, containing: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if containing in block)
    return str(found)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the snippets of the page."""
    if not PAGE.is_file():
        pytest.skip("the documentation is not here, only the tests")
    files = {
        "pyproject.toml": REPRODUCIBLE,
        "plain.py": "ANSWER = 42\n",
        "tox.ini": snippet("ini", "[testenv"),
        "noxfile.py": snippet("python", "import nox"),
    }
    return write_tree(tmp_path / "project", files)


RUNNERS = {
    "tox": (["tox", "-q", "-e"], ["--"]),
    "nox": (["nox", "--error-on-missing-interpreters", "-s"], ["--"]),
}


NOX = pytest.param("nox", marks=pytest.mark.broad("the same commands by another runner"))


@pytest.mark.parametrize("runner", ["tox", NOX])
def test_snippets_run(runner: str, project: Path, samebytes_wheel: Path, tmp_path: Path) -> None:
    (name, *options), separator = RUNNERS[runner]
    wheels = " ".join(filter(None, [os.environ.get("PIP_FIND_LINKS", ""), str(samebytes_wheel.parent)]))

    def run(session: str, *arguments: str) -> str:
        done = subprocess.run(
            [program(name), *options, session, *separator, *arguments],
            cwd=project,
            env=environment(tmp_path, PIP_FIND_LINKS=wheels),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("dist")
    built = sorted(path.name for path in (project / "dist").iterdir())
    assert built == ["plain-1.0-py3-none-any.whl", "plain-1.0.tar.gz"]
    checked = subprocess.run(
        [sys.executable, "-m", "samebytes", "check", "-q", str(project / "dist")], capture_output=True, check=False
    )
    assert checked.returncode == 0
    said = run("reproducible", ".", "--wheel", "--vary=-all,+hash-seed")
    assert re.search(r"wheel +.*same", said), said
