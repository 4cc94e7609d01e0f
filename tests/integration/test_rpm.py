"""A real rpm, built twice by plain rpmbuild: examples/rpm, as it is and with what makes it reproducible left out."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from support.conditions import CONTROL, EXPERIMENT, Conditions, Place, settle, wait_past
from support.differences import digest
from support.projects import EXAMPLES
from support.workshop import PROJECT, Workshop

EXAMPLE = EXAMPLES / "rpm"
PAGE = PROJECT / "docs" / "how-to" / "packagers.md"

pytestmark = pytest.mark.integration

needs_rpm = pytest.mark.skipif(
    not all(map(shutil.which, ("rpmbuild", "rpm2archive", "patch", "cc"))),
    reason="needs rpmbuild (Debian: the package rpm), patch and a C compiler",
)


def settled(conditions: Conditions, source: Path, root: Path) -> Place:
    """Settle without libfaketime: below rpmbuild it makes poll() fail, and with it every process with a time limit."""
    return settle(conditions, source, root, faketime=False)


def rpm(place: Place, workshop: Workshop, *options: str, **more: str) -> Path:
    """Build the package in its environment and return it; --nodeps, for rpm knows no packages on other distributions."""
    top = place.root / "top"
    defined = ("--define", f"__python3 {workshop.python}")
    variables = {**workshop.tools(dict(place.variables)), **more}
    place.run(["sh", place.tree / "build.sh", top, "--nodeps", *defined, *options], more=variables)
    return next(top.glob("RPMS/*/*.rpm"))


def in_both_environments(source: Path, roots: tuple[Path, Path], workshop: Workshop, *options: str) -> list[Path]:
    built: list[Path] = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if built else 0)
        built.append(rpm(settled(conditions, source, root), workshop, *options))
    return built


def headers(package: Path) -> list[str]:
    """Return all that rpm knows of a package and its files."""
    command = ["rpm", "--query", "--package", "--xml", package]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@needs_rpm
@pytest.mark.parametrize("options", [[], ["--with", "pip"]], ids=["samebytes-install", "pip-and-tree-fix"])
def test_two_rpms_are_equal(options: list[str], roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    one, other = in_both_environments(EXAMPLE, roots, workshop, *options)
    assert headers(one) == headers(other)
    assert digest(one) == digest(other)
    assert_it_works(one, workshop, tmp_path)


def assert_it_works(package: Path, workshop: Workshop, tmp_path: Path) -> None:
    """Unpack it and run it; what the compiler was told of paths is what the spec file says, not what was there."""
    archive = tmp_path / "package.tgz"
    converted = subprocess.run(["rpm2archive", "-"], input=package.read_bytes(), check=True, capture_output=True)
    archive.write_bytes(converted.stdout)
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(tmp_path / "image")
        assert {member.mtime for member in tar.getmembers()} == {1714608000}
    (site,) = (tmp_path / "image/usr/lib").glob("python*/site-packages")
    code = "import halve; print(halve.half(4), halve.where())"
    ran = subprocess.run([workshop.python, "-c", code], env={"PYTHONPATH": str(site)}, check=True, capture_output=True)
    assert ran.stdout == b"2 /usr/src/debug/halve-1.0/include/halve.h\n"
    assert (tmp_path / "image/usr/bin/halve").read_text().startswith("#!/usr/bin/python3\n")
    assert not list(site.glob("*.dist-info/RECORD"))


@needs_rpm
def test_both_ways_to_install_give_one_rpm(roots: tuple[Path, Path], workshop: Workshop) -> None:
    one = rpm(settled(CONTROL, EXAMPLE, roots[0]), workshop)
    other = rpm(settled(EXPERIMENT, EXAMPLE, roots[1]), workshop, "--with", "pip")
    assert digest(one) == digest(other)


def bare(target: Path) -> Path:
    """Copy the example without the patch, without `tree fix` and without what rpm is told of dates and names."""
    shutil.copytree(EXAMPLE, target)
    spec = target / "python3-halve.spec"
    ours = (
        "Patch0:",
        "%global source_date",
        "%global use_source",
        "%global clamp",
        "%global build_m",
        "%global _buildhost",
    )
    lines = spec.read_text("utf-8").replace("%{map}", "").splitlines(keepends=True)
    left = [line for line in lines if not line.startswith(ours) and "tree fix" not in line]
    assert len(lines) - len(left) == len(ours) + 2  # one of them is the comment
    spec.write_text("".join(left), "utf-8")
    return target


@needs_rpm
def test_without_all_that_they_differ(roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path) -> None:
    """The control: in the payload, not only in the header."""
    one, other = in_both_environments(bare(tmp_path / "bare"), roots, workshop, "--with", "pip")
    payloads = [
        [line for line in headers(package) if "Payload" in line or "<string>" in line] for package in (one, other)
    ]
    assert payloads[0] != payloads[1]


@needs_rpm
def test_the_compiler_gets_the_flags_of_the_spec_file(
    roots: tuple[Path, Path], workshop: Workshop, tmp_path: Path
) -> None:
    """Wrapped or not, every command is the same."""
    unwrapped = shutil.copytree(EXAMPLE, tmp_path / "unwrapped")
    spec = unwrapped / "python3-halve.spec"
    spec.write_text(spec.read_text("utf-8").replace("Patch0:", "#Patch0:"), "utf-8")
    commands = []
    for source, root in zip((EXAMPLE, unwrapped), roots):
        place = settled(CONTROL, source, root)
        log, compiler = place.home / "log", place.home / "compiler"
        compiler.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec cc "$@"\n')
        compiler.chmod(0o755)
        rpm(place, workshop, CC=str(compiler))
        commands.append(log.read_text("utf-8").replace(str(root), "/root"))
    assert "-O2 -g -ffile-prefix-map=/root/top/BUILD=/usr/src/debug" in commands[0]
    assert commands[0] == commands[1]


@needs_rpm
@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_command_of_the_page(roots: tuple[Path, Path], workshop: Workshop) -> None:
    (block,) = re.findall(r"^```sh\n(.*build\.sh.*\n)```$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    place = settled(CONTROL, EXAMPLE, roots[0])
    project = place.directory("project")
    shutil.copytree(place.tree, project / "examples" / "rpm")
    place.run(["sh", "-e", "-c", block], cwd=project, more=workshop.tools(dict(place.variables)))
    assert len(list(project.glob("out/RPMS/*/*.rpm"))) == 1


def test_the_patch_is_what_wrap_prints(roots: tuple[Path, Path], workshop: Workshop) -> None:
    place = settle(CONTROL, EXAMPLE, roots[0])
    printed = place.run([workshop.bin / "samebytes", "wrap", "--diff", "."], cwd=place.tree / "upstream").stdout
    assert printed == (EXAMPLE / "samebytes-wrap.patch").read_text("utf-8")


def test_without_rpmbuild_it_says_what_to_install(tmp_path: Path) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    command = [shell, EXAMPLE / "build.sh", tmp_path / "top"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 69
    assert "it comes with the package rpm (Debian) or rpm-build (Fedora)" in done.stderr
    assert not (tmp_path / "top").exists()
