"""Every example, built in two hostile worlds: one digest each, and one for all the ways to a wheel (D5)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.differences import assert_same, digest
from support.projects import BY_NAME, UNWRAPPED, WRAPPED, Example, copy_bare, missing_tools
from support.workshop import Workshop
from support.worlds import HOSTILE, QUIET, Place, World, settle, wait_past

pytestmark = pytest.mark.integration

ISOLATED = ("setuptools-c-extension", "hatchling", "scikit-build-core-c-extension", "meson-c-extension")


def place_for(world: World, example: Example, root: Path, source: Path | None = None) -> Place:
    missing = missing_tools(example)
    if missing:
        pytest.skip(f"{example.directory} needs {', '.join(missing)}")
    # libfaketime hangs cargo.
    return settle(
        world, source or example.path, root, needs_git=example.needs_git, faketime="cargo" not in example.tools
    )


def build_all(place: Place, workshop: Workshop, *, isolated: bool) -> dict[str, Path]:
    """Build the tree in every way: its sdist, and a wheel from the tree, from the sdist, and by pip of the sdist."""
    more = workshop.index(dict(place.variables)) if isolated else workshop.tools(dict(place.variables))
    build = [workshop.python, "-m", "build", *([] if isolated else ["--no-isolation"])]
    both, tree, pip = place.directory("both"), place.directory("tree-wheel"), place.directory("pip-wheel")
    place.run([*build, "--outdir", both, place.tree], more=more)
    place.run([*build, "--wheel", "--outdir", tree, place.tree], more=more)
    (sdist,) = both.glob("*.tar.gz")
    how = [] if isolated else ["--no-build-isolation"]
    place.run([workshop.python, "-m", "pip", "wheel", "--no-deps", *how, "--wheel-dir", pip, sdist], more=more)
    wheels = {"from sdist": both, "from tree": tree, "by pip": pip}
    return {"sdist": sdist, **{way: next(directory.glob("*.whl")) for way, directory in wheels.items()}}


def build_in_two_worlds(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, *, isolated: bool
) -> tuple[dict[str, Path], dict[str, Path]]:
    quiet = build_all(place_for(QUIET, example, roots[0]), workshop, isolated=isolated)
    wait_past(time.time())
    hostile = build_all(place_for(HOSTILE, example, roots[1]), workshop, isolated=isolated)
    return quiet, hostile


def assert_one_digest_each(quiet: dict[str, Path], hostile: dict[str, Path]) -> None:
    assert_same([quiet["sdist"], hostile["sdist"]])
    assert_same([built[way] for built in (quiet, hostile) for way in ("from tree", "from sdist", "by pip")])


@pytest.mark.parametrize("example", WRAPPED, ids=lambda example: example.directory)
def test_two_worlds_give_one_sdist_and_one_wheel(
    example: Example, roots: tuple[Path, Path], workshop: Workshop
) -> None:
    assert_one_digest_each(*build_in_two_worlds(example, roots, workshop, isolated=False))


@pytest.mark.network
@pytest.mark.parametrize("name", ISOLATED)
def test_random_environments_leave_no_trace(name: str, roots: tuple[Path, Path], workshop: Workshop) -> None:
    assert_one_digest_each(*build_in_two_worlds(BY_NAME[name], roots, workshop, isolated=True))


@pytest.mark.parametrize(
    "example", [example for example in (*WRAPPED, UNWRAPPED) if example.varies], ids=lambda example: example.directory
)
def test_without_samebytes_they_differ(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    """The control: the worlds are hostile enough that the inner backend alone does not withstand them."""
    source = copy_bare(example, tmp_path / "bare")
    built = []
    for world, root in zip((QUIET, HOSTILE), roots):
        if built:
            wait_past(time.time())
        place = place_for(world, example, root, source)
        out = place.directory("both")
        command = [workshop.python, "-m", "build", "--no-isolation", "--outdir", out, place.tree]
        place.run(command, more=workshop.tools(dict(place.variables)))
        built.append({"sdist": next(out.glob("*.tar.gz")), "wheel": next(out.glob("*.whl"))})
    first, second = built
    assert {kind for kind in first if digest(first[kind]) != digest(second[kind])} >= example.varies
