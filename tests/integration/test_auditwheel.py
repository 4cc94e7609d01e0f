"""Wheels out of ``auditwheel repair``: the real one, on an extension that is linked to shared libraries."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
import zipfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from support import greeter
from support.acceptance import problems
from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past
from support.differences import assert_same, contents, digest
from support.workshop import Workshop

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="auditwheel repairs Linux wheels"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]

DATE = "1700000000"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greeter.library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop, library: Path) -> Path:
    """A wheel that setuptools built once, without samebytes."""
    source = greeter.project(tmp_path_factory.mktemp("source"), wrapped=False)
    place = settle(CONTROL, source, tmp_path_factory.mktemp("place"))
    return greeter.build(place, workshop, library)


def repaired(place: Place, workshop: Workshop, library: Path, wheel: Path, **more: str) -> Path:
    """Let auditwheel put the libraries into *wheel*, in its environment."""
    out = place.directory("repaired")
    command = [workshop.bin / "auditwheel", "repair", "--wheel-dir", out, wheel]
    place.run(command, more={**greeter.surroundings(place, workshop, library), **more})
    return next(out.glob("*.whl"))


def places(source: Path, roots: tuple[Path, Path]) -> list[Place]:
    return [settle(conditions, source, root) for conditions, root in zip((CONTROL, EXPERIMENT), roots)]


def normalize(place: Place, workshop: Workshop, wheel: Path, *options: str, **more: str) -> None:
    place.run([workshop.bin / "samebytes", "normalize", *options, wheel], more=more)


def test_built_through_the_backend_then_repaired_then_normalized(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, tmp_path: Path
) -> None:
    source = greeter.project(tmp_path / "source", wrapped=True)
    wheels: list[Path] = []
    conditions = places(source, roots)
    for place in conditions:
        wait_past(time.time() if wheels else 0)
        wheels.append(repaired(place, workshop, library, greeter.build(place, workshop, library)))
    assert digest(wheels[0]) != digest(wheels[1]), "auditwheel alone is reproducible now: is this test still needed?"
    for place, wheel in zip(conditions, wheels):
        normalize(place, workshop, wheel, "--date", "2020-02-02")
    assert_same(wheels)
    assert problems(wheels[0]) == []
    assert_normalizing_again_changes_nothing(wheels[0], conditions[1], workshop)
    assert greeter.installed_says(wheels[0], conditions[0], workshop) == greeter.SAYS


def moments(wheel: Path) -> set[tuple[int, ...]]:
    with zipfile.ZipFile(wheel) as archive:
        return {info.date_time for info in archive.infolist()}


def assert_normalizing_again_changes_nothing(wheel: Path, place: Place, workshop: Workshop) -> None:
    before = digest(wheel)
    normalize(place, workshop, wheel)
    assert digest(wheel) == before
    place.run([workshop.bin / "samebytes", "check", wheel])


def test_an_ordinary_wheel_repaired_then_normalized(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    """One date for both tools, by SOURCE_DATE_EPOCH."""
    wheels: list[Path] = []
    conditions = places(ordinary.parent, roots)
    for place in conditions:
        wait_past(time.time() if wheels else 0)
        wheels.append(repaired(place, workshop, library, ordinary, SOURCE_DATE_EPOCH=DATE))
        normalize(place, workshop, wheels[-1], SOURCE_DATE_EPOCH=DATE)
    assert_same(wheels)
    assert problems(wheels[0]) == []
    assert greeter.installed_says(wheels[0], conditions[1], workshop) == greeter.SAYS


def test_without_a_date_the_time_of_the_repair_is_replaced(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    """auditwheel gives all members the time of its run, which is the clock's, and not the wheel's date."""
    wheels: list[Path] = []
    for place in places(ordinary.parent, roots):
        wait_past(time.time() if wheels else 0)
        wheels.append(repaired(place, workshop, library, ordinary))
        assert len(moments(wheels[-1])) == 1
        normalize(place, workshop, wheels[-1])
    assert_same(wheels)
    assert moments(wheels[0]) == {(2020, 2, 2, 0, 0, 0)}


def test_normalizing_before_the_repair_too_makes_no_difference(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path, tmp_path: Path
) -> None:
    before = Path(shutil.copy(ordinary, tmp_path))
    one, other = places(ordinary.parent, roots)
    normalize(one, workshop, before, "--date", DATE)
    wheels = [repaired(one, workshop, library, before), repaired(other, workshop, library, ordinary)]
    for place, wheel in zip((one, other), wheels):
        normalize(place, workshop, wheel, "--date", DATE)
    assert_same(wheels)


def test_what_auditwheel_adds_is_there_and_listed(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    place = settle(EXPERIMENT, ordinary.parent, roots[1])
    wheel = repaired(place, workshop, library, ordinary)
    added = contents(wheel)
    normalize(place, workshop, wheel, "--date", DATE)
    files = contents(wheel)
    assert files.keys() == {name for name in added if not name.endswith("/")}
    (grafted,) = (name for name in files if name.startswith("greeter.libs/libgreet-"))
    name = grafted.partition("/")[2]
    needed, path = dynamic(files["greeter.abi3.so"])
    assert name in needed
    assert path == ["$ORIGIN/greeter.libs"]
    assert files[grafted] == added[grafted]
    assert problems(wheel) == []


def dynamic(module: bytes) -> tuple[list[str], list[str]]:
    """Return what an ELF file needs, and the paths where it is looked for."""
    tags = list(ELFFile(io.BytesIO(module)).get_section_by_name(".dynamic").iter_tags())
    needed = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
    paths = [
        getattr(tag, "rpath", None) or tag.runpath for tag in tags if tag.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"}
    ]
    return needed, paths


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="auditwheel asks dpkg whose library it is")
@pytest.mark.skipif(not greeter.system_library(), reason="needs a library of the system's (libffi8)")
def test_the_sbom_of_a_repair_is_made_canonical(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, ordinary: Path
) -> None:
    documents = []
    for place in places(ordinary.parent, roots):
        wheel = repaired(place, workshop, library, ordinary)
        normalize(place, workshop, wheel, "--date", DATE)
        documents.append(contents(wheel)["greeter-1.0.dist-info/sboms/auditwheel.cdx.json"])
    assert documents[0] == documents[1]
    found = json.loads(documents[0])
    assert [part["name"] for part in found["components"] if part["purl"].startswith("pkg:deb/")] == ["libffi8"]
    assert found["metadata"]["tools"][0]["name"] == "auditwheel"
    assert documents[0] == (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode()
