"""A real Debian package, built twice in two surroundings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import samebytes

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[2] / "examples" / "debian"
PACKAGES = [
    "build-essential",
    "debhelper",
    "dh-python",
    "pybuild-plugin-pyproject",
    "python3-dev",
    "python3-setuptools",
]
FILES = ["python3-greeting-dbgsym_1.0-1", "python3-greeting_1.0-1"]


def _missing() -> list[str]:
    """Return the packages of Debian that are needed and not installed."""
    if shutil.which("dpkg-query") is None:
        return PACKAGES
    command = ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *PACKAGES]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}
    return [package for package in PACKAGES if package not in there]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with samebytes and what it needs, for Debian's own Python."""
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are not here")
    missing = _missing()
    if missing:
        pytest.skip(f"not installed: {' '.join(missing)}")
    directory = tmp_path_factory.mktemp("library")
    shutil.copytree(Path(samebytes.__file__).parent, directory / "samebytes")
    for name in ("packaging", "pyproject_hooks", "tomli"):
        found = find_spec(name)
        if found is not None and found.origin is not None:
            shutil.copytree(Path(found.origin).parent, directory / name)
    return directory


def _built(example: Path, library: Path, *options: object) -> tuple[int, list[str]]:
    environ = {**os.environ, "PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, example / "twice.py", *map(str, options)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_the_packages_are_the_same(library: Path, tmp_path: Path) -> None:
    status, said = _built(EXAMPLE, library, "--output", tmp_path)
    assert (status, said[-1]) == (0, "The same packages."), "\n".join(said)
    digests = [line.split() for line in said[:-1]]
    assert [name.rpartition("_")[0] for _, name in digests] == FILES * 2
    assert len({digest for digest, _ in digests}) == 2
    (package,) = tmp_path.glob("python3-greeting_*.deb")
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "root"], check=True)
    site = tmp_path / "root" / "usr/lib/python3/dist-packages"
    assert not list(site.rglob("*.pyc"))
    code = "import greeting, os; greeting.main(); assert os.path.dirname(greeting.__file__).endswith('greeting')"
    done = subprocess.run(
        ["/usr/bin/python3", "-W", "error", "-B", "-c", code],
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"good day from ")
    assert str(tmp_path).encode() not in done.stdout
    names = [
        row.partition(",")[0] for row in (site / "greeting-1.0.dist-info" / "RECORD").read_text("utf-8").splitlines()
    ]
    assert names[:-1] == sorted(names[:-1])


def test_without_the_patch_they_differ(library: Path, tmp_path: Path) -> None:
    example = tmp_path / "debian"
    shutil.copytree(EXAMPLE, example)
    shutil.rmtree(example / "greeting" / "debian" / "patches")
    status, said = _built(example, library)
    assert (status, said[-1]) == (1, "NOT the same packages."), "\n".join(said)
