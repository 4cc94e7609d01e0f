"""What samebytes does to compilers (D2): maps of paths and nothing else, and never a trace of it in the output."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.conditions import CONTROL, Place, settle
from support.differences import assert_same, contents
from support.elf import sections
from support.projects import BY_NAME, WRAPPED, Example, copy_bare, missing_tools
from support.workshop import Workshop

pytestmark = pytest.mark.integration

COMPILERS = ("cc", "gcc", "c++", "g++", "rustc")
COMPILED = [example for example in WRAPPED if example.compiled]

ADDED = re.compile(r"-ffile-prefix-map=.*|--remap-path-prefix=.*|@.*samebytes.*")
"""The arguments that samebytes says it adds."""

RECORDER = """\
#!{python} -ISs
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""

Commands = list[list[str]]


@pytest.fixture
def bench(roots: tuple[Path, Path]) -> Iterator[Path]:
    """A directory that builds are made in one after the other, each at the same paths."""
    return roots[0] / "bench"


def recorder(directory: Path, name: str) -> Path:
    """Write a program that notes its arguments in ``<name>.log`` and becomes the real *name*."""
    directory.mkdir(parents=True, exist_ok=True)
    real = shutil.which(name) or "missing"
    program = directory / name
    program.write_text(RECORDER.format(python=sys.executable, log=str(directory / f"{name}.log"), real=real))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def place_for(example: Example, bench: Path, source: Path) -> Place:
    missing = missing_tools(example)
    if missing:
        pytest.skip(f"{example.directory} needs {', '.join(missing)}")
    shutil.rmtree(bench, ignore_errors=True)
    return settle(CONTROL, source, bench, needs_git=example.needs_git)


def build_wheel(place: Place, workshop: Workshop, more: dict[str, str] | None = None) -> Path:
    out = place.directory("out")
    command = [workshop.python, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, place.tree]
    place.run(command, more={**workshop.tools(dict(place.variables)), **(more or {})})
    return next(out.glob("*.whl"))


def recorded(
    example: Example, bench: Path, source: Path, workshop: Workshop, more: dict[str, str] | None = None
) -> Commands:
    """Build *source* and return the compilers' command lines, sorted, without what is random in them."""
    place = place_for(example, bench, source)
    tools = bench / "recorders"
    for name in COMPILERS:
        recorder(tools, name)
    path = os.pathsep.join([str(tools), str(workshop.bin), place.variables["PATH"]])
    build_wheel(place, workshop, {"PATH": path, **(more or {})})
    lines = [line for log in sorted(tools.glob("*.log")) for line in log.read_text().splitlines()]
    return sorted([settled(argument, place) for argument in json.loads(line)] for line in lines)


def settled(argument: str, place: Place) -> str:
    """Replace the names that are random in every build, with samebytes or without."""
    argument = re.sub(re.escape(str(place.tmp)) + r"/(samebytes-[^/]+/(tmp/)?)?", "<tmp>/", argument)
    argument = re.sub(r"<tmp>/[^/\s]+", "<tmp>/<random>", argument)
    return re.sub(r"(\.mesonpy-|TryCompile-|cmTC_|meson-private/tmp|deps/rustc)\w+", r"\1<random>", argument)


def without_added(commands: Commands) -> Commands:
    return sorted([argument for argument in command if not ADDED.fullmatch(argument)] for command in commands)


@pytest.mark.parametrize("example", COMPILED, ids=lambda example: example.directory)
def test_commands_are_otherwise_the_same(example: Example, bench: Path, workshop: Workshop, tmp_path: Path) -> None:
    bare = recorded(example, bench, copy_bare(example, tmp_path / "bare"), workshop)
    ours = recorded(example, bench, example.path, workshop)
    assert any("-c" in command or "--crate-name" in command for command in bare)
    assert without_added(ours) == bare
    assert ours != bare


INHERITED = {
    "rpm": {"RPM_BUILD_ROOT": "/var/tmp/buildroot"},
    "deb": {"DEB_BUILD_OPTIONS": "nocheck", "CFLAGS": "-g -O2", "CPPFLAGS": "-Wdate-time"},
    "nix": {"NIX_BUILD_TOP": "/build"},
    "map": {"CFLAGS": "-O1 -g -ffile-prefix-map=/somewhere=."},
    "debug-map": {"CPPFLAGS": "-fdebug-prefix-map=/somewhere=."},
    "rust-map": {"RUSTFLAGS": "--remap-path-prefix=/somewhere=."},
}


@pytest.mark.parametrize("who", INHERITED)
@pytest.mark.parametrize("name", ["setuptools-c-extension", "maturin"])
def test_who_maps_paths_already_is_left_alone(
    who: str, name: str, bench: Path, workshop: Workshop, tmp_path: Path
) -> None:
    example = BY_NAME[name]
    bare = recorded(example, bench, copy_bare(example, tmp_path / "bare"), workshop, INHERITED[who])
    ours = recorded(example, bench, example.path, workshop, INHERITED[who])
    assert ours == bare


def test_the_project_can_have_its_flags_left_alone(bench: Path, workshop: Workshop, tmp_path: Path) -> None:
    example = BY_NAME["setuptools-c-extension"]
    bare = recorded(example, bench, copy_bare(example, tmp_path / "bare"), workshop)
    source = shutil.copytree(example.path, tmp_path / "inherits")
    pyproject = source / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("[tool.samebytes]\n", '[tool.samebytes]\nflags = "inherit"\n'))
    assert recorded(example, bench, source, workshop) == bare


@pytest.mark.parametrize("example", COMPILED, ids=lambda example: example.directory)
def test_nothing_of_ours_is_in_the_output(example: Example, bench: Path, workshop: Workshop) -> None:
    place = place_for(example, bench, example.path)
    wheel = build_wheel(place, workshop)
    paths = (bench, workshop.environment)
    unwanted = (b"-prefix-map", b"remap-path-prefix", b"rustc-wrapper", *(str(path).encode() for path in paths))
    seen = 0
    for member, data in contents(wheel).items():
        pieces = [("", data), *sections(data)]
        seen += len(pieces) - 1
        for section, piece in pieces:
            found = [word for word in unwanted if word in piece]
            assert not found, f"{member} {section}: {found}"
    assert seen > 10


def test_compressed_debug_information_is_searched_too(tmp_path: Path) -> None:
    """The control of the search: what stands in a compressed section is found."""
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    source = tmp_path / "a-name-to-find.c"
    source.write_text("int answer(void) { return 42; }\n" * 1 + "/* */\n" + "int more(int a) { return a; }\n")
    command = ["cc", "-g3", "-gz=zlib", "-shared", "-fPIC", "-Wl,--compress-debug-sections=zlib"]
    subprocess.run([*command, "-o", "it.so", source.name], cwd=tmp_path, check=True)
    data = (tmp_path / "it.so").read_bytes()
    assert b"__GNUC_MINOR__" not in data
    assert any(b"__GNUC_MINOR__" in body for _, body in sections(data))


@pytest.mark.parametrize("name", ["setuptools-c-extension", "scikit-build-core-c-extension", "maturin"])
def test_a_path_with_blanks_and_quotes_changes_nothing(name: str, roots: tuple[Path, Path], workshop: Workshop) -> None:
    example = BY_NAME[name]
    plain = build_wheel(place_for(example, roots[0] / "plain", example.path), workshop)
    odd = build_wheel(place_for(example, roots[1] / "it's a path", example.path), workshop)
    assert_same([plain, odd])


def test_a_path_that_no_map_can_express_still_builds(bench: Path, workshop: Workshop) -> None:
    example = BY_NAME["setuptools-c-extension"]
    assert build_wheel(place_for(example, bench / "a=b", example.path), workshop).is_file()


def test_a_wrapper_of_the_users_is_still_called(bench: Path, workshop: Workshop) -> None:
    example = BY_NAME["maturin"]
    place = place_for(example, bench, example.path)
    wrapper = bench / "recorders" / "wrapper"
    wrapper.parent.mkdir()
    log = wrapper.with_suffix(".log")
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec "$@"\n')
    wrapper.chmod(0o755)
    wheel = build_wheel(place, workshop, {"RUSTC_WRAPPER": str(wrapper)})
    calls = log.read_text().splitlines()
    assert any("--crate-name halving" in call and "--remap-path-prefix" in call for call in calls)
    assert not any(str(place.tree).encode() in data for data in contents(wheel).values())


def test_rust_flags_of_the_users_are_kept(bench: Path, workshop: Workshop) -> None:
    example = BY_NAME["maturin"]
    place = place_for(example, bench, example.path)
    rustc = recorder(bench / "recorders", "rustc")
    build_wheel(place, workshop, {"RUSTC": str(rustc), "RUSTFLAGS": "-C overflow-checks=yes"})
    commands = [json.loads(line) for line in rustc.with_suffix(".log").read_text().splitlines()]
    (compiled,) = (command for command in commands if "halving" in command)
    flags = [argument for argument in compiled if argument.startswith(("overflow", "--remap"))]
    assert flags[0] == "overflow-checks=yes"
    assert len(flags) > 1


@pytest.mark.parametrize("variable", ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"])
def test_rust_flags_of_the_users_do_not_bring_paths_in(
    variable: str, roots: tuple[Path, Path], workshop: Workshop
) -> None:
    """Cargo hashes RUSTFLAGS into the names of symbols: our maps in them hold the path."""
    example = BY_NAME["maturin"]
    flags = {variable: "-Coverflow-checks=yes"}
    assert_same(
        [
            build_wheel(place_for(example, root / name, example.path), workshop, flags)
            for root, name in zip(roots, ("a", "bbb"))
        ]
    )


@pytest.mark.parametrize("example", COMPILED, ids=lambda example: example.directory)
def test_debug_information_can_be_left_out(
    example: Example, roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    source = shutil.copytree(example.path, tmp_path / "strips")
    pyproject = source / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace("[tool.samebytes]\n", '[tool.samebytes]\ndebug-info = "strip"\n')
    )
    wheels = [build_wheel(place_for(example, root / name, source), workshop) for root, name in zip(roots, ("a", "bbb"))]
    assert_same(wheels)
    found = [name for data in contents(wheels[0]).values() for name, _ in sections(data)]
    assert ".text" in found
    assert ".debug_info" not in found


@pytest.mark.parametrize("compiler", ["gcc -std=gnu11", "/usr/bin/gcc"])
@pytest.mark.parametrize("name", ["setuptools-c-extension", "scikit-build-core-c-extension"])
def test_a_compiler_of_the_users_choice_is_mapped_too(
    compiler: str, name: str, roots: tuple[Path, Path], workshop: Workshop
) -> None:
    example = BY_NAME[name]
    if shutil.which(compiler.split(maxsplit=1)[0]) is None:
        pytest.skip(f"needs {compiler.split(maxsplit=1)[0]}")
    more = {"CC": compiler, "CFLAGS": "-g -O1"}
    assert_same(
        [
            build_wheel(place_for(example, root / name, example.path), workshop, more)
            for root, name in zip(roots, ("a", "bbb"))
        ]
    )
