"""What pip installed, copied: the very files that pip would have written at the other path."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import pytest
from samebytes_tools.building.builder import BuildEnvironment, Builder, InstallPolicy
from samebytes_tools.building.copied_installs import copied
from samebytes_tools.building.processes import CommandRunner
from samebytes_tools.building.virtualenvs import VirtualEnvironment
from support.artifacts import wheel

from samebytes.errors import Interrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

ENTRY = b"[console_scripts]\ndemo-tool = demo:main\n"
FILES = {
    "demo/__init__.py": b"def main():\n    print('it runs')\n",
    "demo-1.0.dist-info/entry_points.txt": ENTRY,
    "demo-1.0.data/scripts/other-tool": b"#!python\nimport demo; demo.main()\n",
}


class Site:
    """Builds nothing, but installs into environments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        wheel(root / "links", files=FILES)
        (root / "scratch").mkdir()
        variables = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(root / "links")}
        policy = InstallPolicy(same_everywhere=True)
        self.steps: list[str] = []
        self.builder = Builder(sys.executable, policy, root / "scratch", BuildEnvironment(variables))
        self.builder.report = self.steps.append

    def filled(self, name: str) -> VirtualEnvironment:
        log = CommandRunner(self.root / "log")
        where = self.builder.virtual_environment(self.root / name, log)
        self.builder.provide(where, ["demo"], log)
        return where


def state(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return all files that pip wrote, with their modes; compiled ones name the moment of their source."""
    found = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and path.suffix != ".pyc"]
    return {str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) for path in found}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, dict[str, tuple[bytes, int]]]:
    """A builder that has filled the environment ``first``; and what pip itself makes of ``a/second``."""
    site = Site(tmp_path_factory.mktemp("site"))
    second = site.filled("a/second")
    expected = state(second.root)
    site.builder.discard(second)
    site.filled("first")
    return site, expected


def test_it_is_what_pip_would_have_written(sites: tuple[Site, dict[str, tuple[bytes, int]]]) -> None:
    """Held by pip's own files at the same path: scripts, their modes, RECORD; and the scripts run."""
    site, expected = sites
    number = len([step for step in site.steps if step.startswith("Installing")])
    second = site.filled("a/second")
    assert len([step for step in site.steps if step.startswith("Installing")]) == number
    assert state(second.root) == expected
    for tool in ("demo-tool", "other-tool"):
        program = second.root / "bin" / tool
        assert program.read_bytes().startswith(f"#!{second.python}".encode())
        assert subprocess.run([second.python, program], capture_output=True, check=True).stdout == b"it runs\n"
    # A path of the environment that is to be varied is varied: in tracebacks, too, though compiled files were copied.
    code = "import demo; print(demo.main.__code__.co_filename, demo.__cached__)"
    shown = subprocess.run([second.python, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [Path(each).is_relative_to(second.root) for each in shown] == [True, True]
    shutil.rmtree(second.root)


def test_its_times_are_others(sites: tuple[Site, dict[str, tuple[bytes, int]]], tmp_path: Path) -> None:
    """A build that takes over times of what it requires differs by them, as where pip installs twice."""
    site, _ = sites
    first = VirtualEnvironment(str(site.root / "first/bin/python"), site.root / "first", site.root / "first", {})
    other = VirtualEnvironment(str(tmp_path / "o/bin/python"), tmp_path / "o", tmp_path / "o", {})
    assert copied(site.builder.installed, first, other)
    for copy in other.root.rglob("*.*"):
        source = first.root / copy.relative_to(other.root)
        assert not copy.is_file() or source.stat().st_mtime - copy.stat().st_mtime > 2  # the step of ZIP
    (source,) = other.root.glob("lib/*/site-packages/demo/__init__.py")
    (compiled,) = source.parent.glob("__pycache__/*.pyc")
    # Else each process of a build would compile it anew (PEP 552).
    assert compiled.read_bytes()[4:12] == struct.pack("<II", 0, int(source.stat().st_mtime))


def test_copying_ends_when_all_is_to_end(sites: tuple[Site, dict[str, tuple[bytes, int]]], tmp_path: Path) -> None:
    site, _ = sites
    first = VirtualEnvironment(str(site.root / "first/bin/python"), site.root / "first", site.root / "first", {})
    other = VirtualEnvironment(str(tmp_path / "o/bin/python"), tmp_path / "o", tmp_path / "o", {})
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        copied(site.builder.installed, first, other, CommandRunner(stop=stop).check)
    assert not other.root.exists()


def changed(site: Site) -> None:
    (path,) = (site.root / "first").glob("lib/*/site-packages/demo/__init__.py")
    path.write_bytes(FILES["demo/__init__.py"] + b"# a build wrote this\n")


def without_record(site: Site) -> None:
    (path,) = (site.root / "first").glob("lib/*/site-packages/demo-1.0.dist-info/RECORD")
    path.unlink()


def listing(*names: str) -> Callable[[Site], None]:
    def spoil(site: Site) -> None:
        (path,) = (site.root / "first").glob("lib/*/site-packages/demo-1.0.dist-info/RECORD")
        path.write_text(path.read_text() + "".join(f"{name},,\n" for name in names))

    return spoil


@pytest.mark.parametrize(
    "spoil", [changed, without_record, listing("../../../bin/python"), listing("n" * 300), listing("../../../../x")]
)
def test_what_a_build_has_changed_is_not_copied(
    spoil: Callable[[Site], None], sites: tuple[Site, dict[str, tuple[bytes, int]]], tmp_path: Path
) -> None:
    site, _ = sites
    kept = tmp_path / "kept"
    shutil.copytree(site.root / "first", kept, symlinks=True)
    try:
        spoil(site)
        first = VirtualEnvironment(str(site.root / "first/bin/python"), site.root / "first", site.root / "first", {})
        other = VirtualEnvironment(str(tmp_path / "o/bin/python"), tmp_path / "o", tmp_path / "o", {})
        assert not copied(site.builder.installed, first, other)
        assert not other.root.exists()
    finally:
        shutil.rmtree(site.root / "first")
        kept.rename(site.root / "first")


def test_another_release_is_left_to_pip_to_replace(
    sites: tuple[Site, dict[str, tuple[bytes, int]]], tmp_path: Path
) -> None:
    """New environments have setuptools where no pip of ours can fill them, before Python 3.12."""
    site, _ = sites
    first = VirtualEnvironment(str(site.root / "first/bin/python"), site.root / "first", site.root / "first", {})
    for name in ("demo-0.9.dist-info", "demo-0.9-py3.11.egg-info"):
        other = VirtualEnvironment(str(tmp_path / name / "bin/python"), tmp_path / name, tmp_path / name, {})
        (other.root / "lib/python3/site-packages" / name).mkdir(parents=True)
        assert not copied(site.builder.installed, first, other)


def test_long_paths_are_left_to_pip(tmp_path: Path) -> None:
    """It writes a script's interpreter otherwise where the kernel would cut its path, or read blanks as an end."""
    for name in ("x" * 200, "with blanks"):
        one, other = (
            VirtualEnvironment(str(tmp_path / each / "bin/python"), tmp_path / each, tmp_path / each, {})
            for each in ("first", name)
        )
        assert not copied([], one, other)
