"""A real Debian package, built twice in two surroundings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import samebytes_tools
from support.sharing import shared

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
    for package in (samebytes, samebytes_tools):
        shutil.copytree(Path(package.__file__).parent, directory / package.__name__)
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


def _make(example: Path, library: Path, directory: Path, expected: int) -> None:
    """Build the packages into *directory*, with what is said of them beside them."""
    status, said = _built(example, library, "--output", directory)
    assert status == expected, "\n".join(said)
    (directory / "said").write_text("\n".join(said), "utf-8")


@pytest.fixture(scope="module")
def wrapped(library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A directory with the packages of the example as it is, and with the builds' logs; and what was said."""
    directory = shared(tmp_path_factory, "wrapped", lambda directory: _make(EXAMPLE, library, directory, 0))
    return directory, (directory / "said").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def bare(library: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The same without the patch: two packages that are not the same."""
    example = tmp_path_factory.mktemp("example") / "debian"
    shutil.copytree(EXAMPLE, example)
    shutil.rmtree(example / "greeting" / "debian" / "patches")
    directory = shared(tmp_path_factory, "bare", lambda directory: _make(example, library, directory, 1))
    return directory, (directory / "said").read_text("utf-8").splitlines()


def _unpacked(package: Path, target: Path) -> Path:
    subprocess.run(["dpkg-deb", "-x", package, target], check=True)
    return target


def test_the_packages_are_the_same(wrapped: tuple[Path, list[str]]) -> None:
    _, said = wrapped
    assert said[-1] == "The same packages."
    digests = [line.split() for line in said[:-1]]
    assert [name.rpartition("_")[0] for _, name in digests] == FILES * 2
    assert len({digest for digest, _ in digests}) == 2


def test_what_is_in_the_package(wrapped: tuple[Path, list[str]], tmp_path: Path) -> None:
    (package,) = wrapped[0].glob("python3-greeting_*.deb")
    site = _unpacked(package, tmp_path / "root") / "usr/lib/python3/dist-packages"
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


def test_without_the_patch_they_differ(bare: tuple[Path, list[str]]) -> None:
    assert bare[1][-1] == "NOT the same packages."


def _compiled(log: Path) -> list[str]:
    """Return the compiler's commands that *log* shows, without the place of the build."""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if "-gcc " in line]
    return [re.sub(r"(?<=[ =I])/[^ =]*/greeting(?=[ /=])", "/greeting", line) for line in lines]


def test_the_compiler_gets_the_same_flags_as_without_samebytes(
    wrapped: tuple[Path, list[str]], bare: tuple[Path, list[str]]
) -> None:
    for log in ("build-1.log", "build-2.log"):
        commands = _compiled(wrapped[0] / log)
        assert [" -c " in command for command in commands] == [True, False], "it compiles, and links"
        assert all("-ffile-prefix-map=/greeting=." in command for command in commands)
        assert commands == _compiled(bare[0] / log)


def test_the_debug_symbols_are_whole(wrapped: tuple[Path, list[str]], tmp_path: Path) -> None:
    """The library leads to them by its build id, and they lead to the lines of the source, wherever that was built."""
    plain, symbols = (
        _unpacked(next(wrapped[0].glob(f"{name}_*.deb")), tmp_path / name)
        for name in ("python3-greeting", "python3-greeting-dbgsym")
    )
    (library,) = plain.rglob("_native*.so")
    notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Build ID: (..)(\w+)", notes)
    assert found is not None, notes
    debug = symbols / "usr/lib/debug/.build-id" / found[1] / f"{found[2]}.debug"
    dump = ["readelf", "--debug-dump=info,decodedline", debug]
    told = subprocess.run(dump, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
    assert re.search(r"DW_AT_comp_dir .*: \.$", told, re.MULTILINE), told[:3000]
    assert re.search(r"DW_AT_name .*: src/native\.c$", told, re.MULTILINE)
    assert len(re.findall(r"^native\.c +\d+ +0x", told, re.MULTILINE)) > 3
