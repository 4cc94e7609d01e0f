"""Every example, built in two environments: one digest each, and one for all the ways to a wheel (D5)."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.acceptance import assert_taken
from support.conditions import CONTROL, EXPERIMENT, Conditions, Place, settle, wait_past
from support.differences import assert_same, contents, digest
from support.projects import (
    BY_NAME,
    QUICK,
    UNWRAPPED,
    WRAPPED,
    Example,
    copy_bare,
    header_wheel,
    missing_tools,
    project_with_foreign_header,
    write_tree,
)
from support.workshop import Workshop

from samebytes.artifact.opening import kind_of
from samebytes.epoch import DEFAULT_DATE
from samebytes.passes import DEFAULT
from samebytes.passes.model import Context
from samebytes.passes.pipeline import rewrite

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")]

ISOLATED = ("setuptools-c-extension", "hatchling", "scikit-build-core-c-extension", "meson-c-extension")


def place_for(conditions: Conditions, example: Example, root: Path, source: Path | None = None) -> Place:
    missing = missing_tools(example)
    if missing:
        pytest.skip(f"{example.directory} needs {', '.join(missing)}")
    # libfaketime hangs cargo.
    return settle(
        conditions, source or example.path, root, needs_git=example.needs_git, faketime="cargo" not in example.tools
    )


ALL_WAYS = ("from sdist", "from tree", "by pip")


def build_all(place: Place, workshop: Workshop, *, isolated: bool, ways: Sequence[str] = ALL_WAYS) -> dict[str, Path]:
    """Build the tree in every way: its sdist, and a wheel from the sdist, from the tree, and by pip of the sdist.

    Isolated environments are those of build and pip in the control environment, of uv and pip in the other.
    """
    known = dict(place.variables)
    more = workshop.index(known) if isolated else workshop.tools(known)
    build: list[str | Path] = [workshop.python, "-m", "build", *([] if isolated else ["--no-isolation"]), "--outdir"]
    if isolated and place.conditions is EXPERIMENT:
        build = [workshop.bin / "uv", "build", "--out-dir"]
    wheels = {way: place.directory(way.replace(" ", "-")) for way in ways}
    place.run([*build, wheels["from sdist"], place.tree], more=more)
    (sdist,) = wheels["from sdist"].glob("*.tar.gz")
    if "from tree" in ways:
        place.run([*build, wheels["from tree"], "--wheel", place.tree], more=more)
    if "by pip" in ways:
        how = [*([] if isolated else ["--no-build-isolation"]), "--wheel-dir", wheels["by pip"], sdist]
        place.run([workshop.python, "-m", "pip", "wheel", "--no-deps", *how], more=more)
    return {"sdist": sdist, **{way: next(directory.glob("*.whl")) for way, directory in wheels.items()}}


def build_in_two_environments(
    example: Example,
    roots: tuple[Path, Path],
    workshop: Workshop,
    *,
    isolated: bool,
    ways: Sequence[str] = ALL_WAYS,
) -> tuple[dict[str, Path], dict[str, Path]]:
    quiet = build_all(place_for(CONTROL, example, roots[0]), workshop, isolated=isolated, ways=ways)
    wait_past(time.time())
    hostile = build_all(place_for(EXPERIMENT, example, roots[1]), workshop, isolated=isolated, ways=ways)
    return quiet, hostile


def assert_one_digest_each(quiet: dict[str, Path], hostile: dict[str, Path]) -> None:
    assert_same([quiet["sdist"], hostile["sdist"]])
    assert_same([path for built in (quiet, hostile) for way, path in built.items() if way != "sdist"])


@pytest.mark.parametrize(
    "example",
    [pytest.param(one, marks=[pytest.mark.quick] if one in QUICK else []) for one in WRAPPED],
    ids=lambda example: example.directory,
)
def test_two_environments_give_one_sdist_and_one_wheel(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, quick: bool
) -> None:
    """And an index takes them."""
    ways = ALL_WAYS[:1] if quick else ALL_WAYS
    quiet, hostile = build_in_two_environments(example, roots, workshop, isolated=False, ways=ways)
    assert_one_digest_each(quiet, hostile)
    assert_taken(hostile["sdist"], hostile["from sdist"], compiled=example.compiled)


ONE_WAY = ("hatchling", "meson-c-extension", "scikit-build-core-c-extension")
"""Projects whose wheel from the tree is built elsewhere: test_frontends.py, and the test above."""


def ways_isolated() -> Iterator[object]:
    """Give some of the ways for each project, and all for one; a program is the same, whatever backend it calls."""
    first, *others = ISOLATED
    yield pytest.param(first, ALL_WAYS, id=first)
    for name in others:
        few = ALL_WAYS[:1] if name in ONE_WAY else ALL_WAYS[:2]
        compiled = pytest.mark.broad("compiled without isolation above, and with it by the first of these")
        yield pytest.param(name, few, id=name, marks=[compiled] if BY_NAME[name].compiled else [])
        yield pytest.param(name, ALL_WAYS, id=f"{name}-all", marks=pytest.mark.broad("all ways with every backend"))


@pytest.mark.network
@pytest.mark.parametrize(("name", "ways"), list(ways_isolated()))
def test_random_environments_leave_no_trace(
    name: str, ways: Sequence[str], roots: tuple[Path, Path], workshop: Workshop
) -> None:
    assert_one_digest_each(*build_in_two_environments(BY_NAME[name], roots, workshop, isolated=True, ways=ways))


@pytest.mark.network
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_headers_of_a_build_requirement_leave_no_trace(
    roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    """A header in the isolated environment is at a random path, which ``__FILE__`` and debug information name."""
    source, wheelhouse = tmp_path / "source", tmp_path / "wheelhouse"
    write_tree(source, project_with_foreign_header())
    header_wheel(wheelhouse)
    shelf = replace(workshop, wheelhouse=shutil.copytree(workshop.wheelhouse, wheelhouse, dirs_exist_ok=True))
    ways = ("from sdist", "by pip")
    quiet = build_all(settle(CONTROL, source, roots[0]), shelf, isolated=True, ways=ways)
    hostile = build_all(settle(EXPERIMENT, source, roots[1]), shelf, isolated=True, ways=ways)
    assert_one_digest_each(quiet, hostile)
    (module,) = (data for name, data in contents(quiet["by pip"]).items() if name.endswith(".so"))
    assert b"foreign.h" in module


def deviations_but_for_times(path: Path) -> set[str]:
    changes = rewrite(path, None, Context(DEFAULT_DATE, kind_of(path)), DEFAULT).changes
    return {change.code for change in changes} - {"Z002", "T002"}


@pytest.mark.parametrize(
    "example", [example for example in (*WRAPPED, UNWRAPPED) if example.varies], ids=lambda example: example.directory
)
def test_without_samebytes_they_differ(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    """The control: the environments are hostile enough that the inner backend alone does not withstand them.

    What it wrote is taken by an index once it is normalized.
    """
    source = copy_bare(example, tmp_path / "bare")
    built = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        if built:
            wait_past(time.time())
        place = place_for(conditions, example, root, source)
        out = place.directory("both")
        command = [workshop.python, "-m", "build", "--no-isolation", "--outdir", out, place.tree]
        place.run(command, more=workshop.tools(dict(place.variables)))
        built.append({"sdist": next(out.glob("*.tar.gz")), "wheel": next(out.glob("*.whl"))})
    first, second = built
    for path in (*first.values(), *second.values()):
        assert deviations_but_for_times(path), f"{path.name} would keep the time of a quick build for its own date"
    assert {kind for kind in first if digest(first[kind]) != digest(second[kind])} >= example.varies
    place.run([workshop.bin / "samebytes", "normalize", out])
    assert_taken(*second.values(), compiled=example.compiled)
