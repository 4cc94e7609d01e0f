"""The front ends that people build and install with: all get the same bytes, and what they install works."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from support.acceptance import problems
from support.conditions import CONTROL, EXPERIMENT, Place, settle, wait_past
from support.differences import assert_same, contents, digest
from support.projects import BY_NAME, UNWRAPPED, WRAPPER, copy_bare, missing_tools, small_project
from support.workshop import PROJECT, Workshop

pytestmark = pytest.mark.integration

needs_index = pytest.mark.network


@pytest.fixture
def place(request: pytest.FixtureRequest, roots: tuple[Path, Path]) -> Place:
    """The control environment with the example that the test names."""
    return settle(CONTROL, BY_NAME[request.param].path, roots[0])


def index(place: Place, workshop: Workshop) -> dict[str, str]:
    return workshop.index(dict(place.variables))


def new_environment(place: Place, workshop: Workshop) -> Path:
    """Make an empty virtual environment and return its interpreter."""
    environment = place.root / "environment"
    place.run([workshop.python, "-m", "venv", "--without-pip", environment])
    return environment / "bin" / "python"


def pip(place: Place, workshop: Workshop, python: Path, *arguments: str | Path) -> None:
    """Run pip, with isolated builds, on the environment of *python*."""
    command = [workshop.python, "-m", "pip", "--python", python, *arguments]
    place.run(command, more=index(place, workshop))


def sdist_of(place: Place, workshop: Workshop) -> Path:
    out = place.directory("sdist")
    command = [workshop.python, "-m", "build", "--no-isolation", "--sdist", "--outdir", out, place.tree]
    place.run(command, more=workshop.tools(dict(place.variables)))
    return next(out.glob("*.tar.gz"))


def assert_equal_sets(directories: list[Path]) -> None:
    """Each directory holds the same files; between them, there are an sdist and a wheel."""
    seen: dict[str, Path] = {}
    for directory in directories:
        for path in directory.iterdir():
            if path.name in seen:
                assert_same([seen[path.name], path])
            seen.setdefault(path.name, path)
    assert sorted(path.suffix for path in seen.values() if path.name != ".gitignore") == [".gz", ".whl"]


@needs_index
@pytest.mark.parametrize(
    "place",
    [
        "setuptools-pyproject",
        *(pytest.param(name, marks=pytest.mark.broad("one more backend")) for name in ("hatchling", "flit")),
    ],
    indirect=True,
)
def test_every_front_end_gives_the_same_bytes(place: Place, workshop: Workshop) -> None:
    python, tree = workshop.python, place.tree
    tools, online = workshop.tools(dict(place.variables)), index(place, workshop)
    out = {name: place.directory(name) for name in ("isolated", "alone", "pip", "pip-alone", "uv", "uv-tree")}
    place.run([python, "-m", "build", "--outdir", out["isolated"], tree], more=online)
    place.run([python, "-m", "build", "--no-isolation", "--outdir", out["alone"], tree], more=tools)
    place.run([python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", out["pip"], tree], more=online)
    pip_alone = [python, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", out["pip-alone"]]
    place.run([*pip_alone, tree], more=tools)
    place.run([workshop.bin / "uv", "build", "--out-dir", out["uv"], tree], more=online)
    place.run([workshop.bin / "uv", "build", "--wheel", "--out-dir", out["uv-tree"], tree], more=online)
    assert_equal_sets(list(out.values()))


INSTALLED = {
    "setuptools-pyproject": "import example_setuptools_pyproject as it; it.main()",
    "setuptools-legacy": "import legacy_greeting as it; print(it.greeting('you'))",
    "hatchling": "import example_hatchling as it; it.main()",
    "in-tree-backend": "import example_in_tree as it; print(len(it.UNITS))",
}
SAYS = {
    "setuptools-pyproject": "hello from setuptools\n",
    "setuptools-legacy": "Hello, you!\n",
    "hatchling": "hello from hatchling\n",
    "in-tree-backend": "7\n",
}


@needs_index
@pytest.mark.parametrize(("place", "name"), [(name, name) for name in INSTALLED], indirect=["place"])
def test_pip_installs_the_tree(place: Place, name: str, workshop: Workshop) -> None:
    python = new_environment(place, workshop)
    pip(place, workshop, python, "install", "--no-deps", place.tree)
    assert place.run([python, "-c", INSTALLED[name]]).stdout == SAYS[name]


@needs_index
@pytest.mark.parametrize(("place", "name"), [(name, name) for name in INSTALLED], indirect=["place"])
def test_pip_and_uv_install_the_sdist(place: Place, name: str, workshop: Workshop) -> None:
    sdist = sdist_of(place, workshop)
    python = new_environment(place, workshop)
    pip(place, workshop, python, "install", "--no-deps", sdist)
    assert place.run([python, "-c", INSTALLED[name]]).stdout == SAYS[name]
    pip(place, workshop, python, "uninstall", "--yes", f"example-{name}")
    install = [workshop.bin / "uv", "pip", "install", "--no-deps", "--no-cache", "--python", python, sdist]
    place.run(install, more=index(place, workshop))
    assert place.run([python, "-c", INSTALLED[name]]).stdout == SAYS[name]


EDITED = {
    "setuptools-pyproject": "src/example_setuptools_pyproject/__init__.py",
    "hatchling": "src/example_hatchling/__init__.py",
}


@needs_index
@pytest.mark.parametrize(("place", "name"), [(name, name) for name in EDITED], indirect=["place"])
def test_editable_installs_see_edits(place: Place, name: str, workshop: Workshop) -> None:
    python = new_environment(place, workshop)
    pip(place, workshop, python, "install", "--no-deps", "--editable", place.tree)
    assert place.run([python, "-c", INSTALLED[name]]).stdout == SAYS[name]
    source = place.tree / EDITED[name]
    source.write_text(source.read_text("utf-8").replace("hello", "good morning"), "utf-8")
    assert place.run([python, "-c", INSTALLED[name]]).stdout == SAYS[name].replace("hello", "good morning")
    script = python.with_name({"setuptools-pyproject": "example-pyproject", "hatchling": "example-hatchling"}[name])
    assert place.run([script]).stdout == SAYS[name].replace("hello", "good morning")


@needs_index
@pytest.mark.parametrize("place", ["setuptools-pyproject"], indirect=True)
def test_installed_scripts_are_executable(place: Place, workshop: Workshop) -> None:
    python = new_environment(place, workshop)
    pip(place, workshop, python, "install", "--no-deps", place.tree)
    assert place.run([python.with_name("example-report")]).stdout == "report\n"
    (hook,) = python.parents[1].rglob("hooks/post-install")
    place.run([hook])


def gpep517(place: Place, workshop: Workshop, backend: str) -> Path:
    out = place.directory(f"gpep517-{backend.partition('.')[0]}")
    command = [workshop.bin / "gpep517", "build-wheel", "--backend", backend, "--wheel-dir", out, "--output-fd", "1"]
    printed = place.run(command, cwd=place.tree, more=workshop.tools(dict(place.variables))).stdout
    wheel = out / printed.splitlines()[-1]
    assert list(out.iterdir()) == [wheel]
    return wheel


UPSTREAMS = (UNWRAPPED.directory, "flit", "in-tree-backend", "setuptools-legacy", "setuptools-c-extension")


@pytest.mark.parametrize("name", UPSTREAMS)
def test_gpep517_wraps_an_unedited_upstream(
    name: str, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    if missing_tools(BY_NAME[name]):
        pytest.skip(f"needs {', '.join(missing_tools(BY_NAME[name]))}")
    upstream = copy_bare(BY_NAME[name], tmp_path / "upstream")
    wheels = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if wheels else 0)
        place = settle(conditions, upstream, root)
        assert WRAPPER not in (place.tree / "pyproject.toml").read_text("utf-8")
        wheels.append(gpep517(place, workshop, "samebytes.backend"))
    assert_same(wheels)
    found = [problem for problem in problems(wheels[0]) if "platform linux_" not in problem]
    assert found == []


@pytest.mark.parametrize("place", [UNWRAPPED.directory], indirect=True)
def test_gpep517_wraps_a_tree_that_has_only_setup_py(place: Place, workshop: Workshop) -> None:
    (place.tree / "pyproject.toml").unlink()
    (place.tree / "setup.py").write_text("from setuptools import setup\nsetup(name='only-setup-py', version='1')\n")
    wheel = gpep517(place, workshop, "samebytes.backend")
    assert wheel.name == "only_setup_py-1-py3-none-any.whl"


SETTINGS_IN_WHEEL = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None, _build=build_wheel):
    MEMBERS["settings.txt"] = repr(sorted((config_settings or {}).items()))
    return _build(wheel_directory)
"""


def test_config_settings_go_through_untouched(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    place = settle(CONTROL, small_project(tmp_path / "source", extra=SETTINGS_IN_WHEEL), roots[0])
    out = place.directory("out")
    build = [workshop.python, "-m", "build", "--no-isolation", "--wheel", "--outdir", out]
    given = ["-C=--option=one", "-C=--option=two words", "-C=empty=", "-C=naïve=yes"]
    place.run([*build, *given, place.tree], more=workshop.tools(dict(place.variables)))
    found = contents(next(out.glob("*.whl")))["settings.txt"].decode()
    assert found == repr([("--option", ["one", "two words"]), ("empty", ""), ("naïve", "yes")])


SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
SHIPPED_DIRECTORIES = ("src", "tools", "docs", "examples", "tests", "data")


def own_source(target: Path) -> Path:
    """Copy samebytes' own source, as a clone would have it, or skip where there is none."""
    if not (PROJECT / "src" / "samebytes").is_dir():
        pytest.skip("samebytes' own source is not here, only the installed one")
    target.mkdir()
    for name in SHIPPED:
        if (PROJECT / name).is_file():
            shutil.copy(PROJECT / name, target / name)
    for name in SHIPPED_DIRECTORIES:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    return target


def test_samebytes_builds_itself(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    source = own_source(tmp_path / "samebytes")
    outs = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if outs else 0)
        place = settle(conditions, source, root)
        tools = workshop.tools(dict(place.variables))
        outs += [place.directory("both"), place.directory("tree")]
        build = [workshop.python, "-m", "build", "--no-isolation"]
        place.run([*build, "--outdir", outs[-2], place.tree], more=tools)
        place.run([*build, "--wheel", "--outdir", outs[-1], place.tree], more=tools)
    assert_equal_sets(outs)
    files = sorted(outs[0].iterdir())
    assert_passes_every_check(files, place, workshop)


def assert_passes_every_check(files: list[Path], place: Place, workshop: Workshop) -> None:
    digests = [digest(path) for path in files]
    place.run([workshop.bin / "samebytes", "check", *files])
    place.run([workshop.bin / "twine", "check", "--strict", *files])
    place.run([workshop.bin / "check-wheel-contents", *(path for path in files if path.suffix == ".whl")])
    place.run([workshop.bin / "samebytes", "normalize", *files])
    assert [digest(path) for path in files] == digests


@needs_index
def test_samebytes_builds_itself_from_its_requirements(
    roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    """Isolated, so that its own build requirements are shown to be complete; and the sdist can be installed."""
    place = settle(CONTROL, own_source(tmp_path / "samebytes"), roots[0])
    out = place.directory("out")
    place.run([workshop.python, "-m", "build", "--outdir", out, place.tree])
    python = new_environment(place, workshop)
    place.run([workshop.python, "-m", "pip", "--python", python, "install", next(out.glob("*.tar.gz"))])
    assert place.run([python, "-m", "samebytes", "--version"]).stdout.startswith("samebytes ")
