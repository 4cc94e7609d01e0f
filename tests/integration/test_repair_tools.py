"""Repair tools other than auditwheel, and tools that read or rename wheels afterwards: the real ones."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import greeter
from support.acceptance import problems
from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past
from support.differences import assert_same, contents, digest
from support.foreign_wheels import MACOS, WINDOWS, fetched, not_yet_delocated, runtime_library
from support.workshop import Workshop

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="shows what these tools do on Linux"),
]

needs_index = pytest.mark.network
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")

DATE = "1700000000"
DATED = {"SOURCE_DATE_EPOCH": DATE}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greeter.library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop, library: Path) -> Path:
    """A wheel for the stable ABI that setuptools built, not repaired."""
    source = greeter.project(tmp_path_factory.mktemp("source"), wrapped=False)
    return greeter.build(settle(CONTROL, source, tmp_path_factory.mktemp("place")), workshop, library)


def normalize(place: Place, workshop: Workshop, wheel: Path) -> None:
    place.run([workshop.bin / "samebytes", "normalize", "--date", DATE, wheel])


def in_both_environments(
    roots: tuple[Path, Path], wheel: Path, libraries: Path, repair: Callable[[Place, Path, Path], Path]
) -> tuple[list[Place], list[Path]]:
    """Run *repair* in each environment, on its own copies of the wheel and of the libraries, and return what it gives."""
    places, repaired = [], []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if repaired else 0)
        place = settle(conditions, wheel.parent, root)
        copied = shutil.copytree(libraries, place.root / "libraries", symlinks=True)
        places.append(place)
        repaired.append(repair(place, place.tree / wheel.name, copied))
    return places, repaired


def delvewheel(workshop: Workshop, **more: str) -> Callable[[Place, Path, Path], Path]:
    def repair(place: Place, wheel: Path, libraries: Path) -> Path:
        out = place.directory("repaired")
        command = [workshop.bin / "delvewheel", "repair", "--add-path", libraries, "--wheel-dir", out, wheel]
        place.run(command, more=more)
        return next(out.glob("*.whl"))

    return repair


def repairwheel(workshop: Workshop) -> Callable[[Place, Path, Path], Path]:
    def repair(place: Place, wheel: Path, libraries: Path) -> Path:
        out = place.directory("repaired")
        command = [workshop.bin / "repairwheel", "--lib-dir", libraries, "--output-dir", out, wheel]
        place.run(command, more=workshop.tools(dict(place.variables)))
        return next(out.glob("*.whl"))

    return repair


def assert_normalized_are_equal_and_right(places: list[Place], wheels: list[Path], workshop: Workshop) -> None:
    for place, wheel in zip(places, wheels):
        normalize(place, workshop, wheel)
    assert_same(wheels)
    assert problems(wheels[0]) == []
    places[0].run([workshop.bin / "samebytes", "check", wheels[0]])


# --- Windows ---


@needs_index
def test_delvewheel_on_a_wheel_for_windows(roots: tuple[Path, Path], workshop: Workshop, downloads: Path) -> None:
    wheel, libraries = fetched(WINDOWS, "win_amd64", downloads), runtime_library(downloads)
    places, wheels = in_both_environments(roots, wheel, libraries, delvewheel(workshop, **DATED))
    assert_normalized_are_equal_and_right(places, wheels, workshop)
    files = contents(wheels[0])
    (library,) = (name for name in files if name.startswith("editdistance.libs/msvcp140-"))
    (module,) = (data for name, data in files.items() if name.endswith(".pyd"))
    assert library.partition("/")[2].encode() in module


@needs_index
def test_delvewheel_without_a_date_leaves_its_command_line(
    roots: tuple[Path, Path], workshop: Workshop, downloads: Path
) -> None:
    """What the documentation warns of: no normalizing takes that out."""
    wheel, libraries = fetched(WINDOWS, "win_amd64", downloads), runtime_library(downloads)
    places, wheels = in_both_environments(roots, wheel, libraries, delvewheel(workshop))
    for place, one in zip(places, wheels):
        normalize(place, workshop, one)
    found = [contents(one)["editdistance-0.8.1.dist-info/DELVEWHEEL"].decode() for one in wheels]
    assert found[0] != found[1]
    assert all(str(place.root) in text for place, text in zip(places, found))


@needs_index
def test_repairwheel_on_a_wheel_for_windows(roots: tuple[Path, Path], workshop: Workshop, downloads: Path) -> None:
    wheel, libraries = fetched(WINDOWS, "win_amd64", downloads), runtime_library(downloads)
    places, wheels = in_both_environments(roots, wheel, libraries, repairwheel(workshop))
    assert_normalized_are_equal_and_right(places, wheels, workshop)
    assert any(name.startswith("editdistance.libs/msvcp140-") for name in contents(wheels[0]))


# --- macOS ---


@needs_index
@pytest.mark.skipif(shutil.which("otool") is not None, reason="there is an otool here")
def test_delocate_does_not_run_without_apples_tools(
    roots: tuple[Path, Path], workshop: Workshop, downloads: Path
) -> None:
    """What the documentation says; repairwheel has delocate's own code in it, with otool and the others rewritten."""
    wheel, _ = not_yet_delocated(fetched(MACOS, "macosx_10_15_universal2", downloads), downloads / "delocate")
    place = settle(CONTROL, wheel.parent, roots[0])
    done = place.run([workshop.bin / "delocate-wheel", "-w", place.root / "out", place.tree / wheel.name], check=False)
    assert done.returncode != 0
    assert "No such file or directory: 'otool'" in done.stderr


@needs_index
def test_repairwheel_on_a_wheel_for_macos(roots: tuple[Path, Path], workshop: Workshop, downloads: Path) -> None:
    wheel, libraries = not_yet_delocated(fetched(MACOS, "macosx_10_15_universal2", downloads), downloads / "macos")
    places, wheels = in_both_environments(roots, wheel, libraries, repairwheel(workshop))
    assert_normalized_are_equal_and_right(places, wheels, workshop)
    files = contents(wheels[0])
    assert {"zmq/.dylibs/libzmq.5.dylib", "zmq/.dylibs/libsodium.26.dylib"} <= files.keys()
    (module,) = (data for name, data in files.items() if name.endswith("darwin.so"))
    assert b"@loader_path/../../.dylibs/libzmq.5.dylib" in module


# --- Linux ---


@needs_cc
def test_repairwheel_on_a_wheel_for_linux(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    places, wheels = in_both_environments(roots, ordinary, library, repairwheel(workshop))
    assert_normalized_are_equal_and_right(places, wheels, workshop)
    assert greeter.installed_says(wheels[0], places[1], workshop) == greeter.SAYS


# --- what comes after ---


@needs_cc
def test_wheel_tags_makes_a_wheel_that_is_normalized_again(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    def retag(place: Place, wheel: Path, libraries: Path) -> Path:
        normalize(place, workshop, wheel)
        command = [workshop.bin / "wheel", "tags", "--remove", "--platform-tag", "manylinux_2_36_x86_64", wheel]
        name = place.run(command).stdout.splitlines()[-1]
        return wheel.with_name(name)

    places, wheels = in_both_environments(roots, ordinary, library, retag)
    assert wheels[0].name == "greeter-1.0-cp39-abi3-manylinux_2_36_x86_64.whl"
    assert b"Tag: cp39-abi3-manylinux_2_36_x86_64\n" in contents(wheels[0])["greeter-1.0.dist-info/WHEEL"]
    assert digest(wheels[0]) != digest(wheels[1])
    assert places[0].run([workshop.bin / "samebytes", "check", wheels[0]], check=False).returncode == 1
    assert_normalized_are_equal_and_right(places, wheels, workshop)


@needs_cc
@pytest.mark.parametrize("cheats", [False, True])
def test_abi3audit_says_the_same_of_a_normalized_wheel(
    cheats: bool, roots: tuple[Path, Path], workshop: Workshop, library: Path, tmp_path: Path
) -> None:
    place = settle(CONTROL, greeter.project(tmp_path / "source", wrapped=False, cheats=cheats), roots[0])
    wheel = greeter.build(place, workshop, library)
    before = audited(wheel, place, workshop)
    normalize(place, workshop, wheel)
    assert audited(wheel, place, workshop) == before
    status, found = before
    assert status == int(cheats)
    assert ("_PyObject_NextNotImplemented" in found) == cheats


def audited(wheel: Path, place: Place, workshop: Workshop) -> tuple[int, str]:
    """Return abi3audit's status and what it found in the modules of the wheel."""
    done = place.run([workshop.bin / "abi3audit", "--strict", "--report", wheel], check=False)
    (spec,) = json.loads(done.stdout)["specs"].values()
    return done.returncode, json.dumps(spec["wheel"])
