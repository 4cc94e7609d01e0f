"""samebytes packaged by a distribution: from its own source, with no index, from the few packages it stands on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support.acceptance import problems
from support.bootstrap import OFFLINE, bare_environment, own_source, plain_files, system_python
from support.conditions import CONTROL, EXPERIMENT, settle, wait_past
from support.differences import assert_same
from support.workshop import PROJECT, Workshop

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (PROJECT / "src" / "samebytes").is_dir(), reason="samebytes' own source is not here"),
]

PAGE = PROJECT / "docs" / "how-to" / "packagers.md"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return own_source(tmp_path / "samebytes")


def test_built_without_an_index_from_the_packages_it_needs(
    roots: tuple[Path, Path], workshop: Workshop, source: Path
) -> None:
    wheels: list[Path] = []
    for conditions, root in zip((CONTROL, EXPERIMENT), roots):
        wait_past(time.time() if wheels else 0)
        place = settle(conditions, source, root)
        python = bare_environment(place, workshop, more=("build",))
        out = place.directory("out")
        command = [python, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, place.tree]
        place.run(command, more=OFFLINE)
        wheels.append(next(out.glob("*.whl")))
    assert_same(wheels)
    assert problems(wheels[0]) == []


def test_built_from_plain_files_it_is_the_same_wheel(
    roots: tuple[Path, Path], workshop: Workshop, source: Path
) -> None:
    """As the first package of a distribution: no front end, no environment, nothing installed."""
    one, other = (settle(conditions, source, root) for conditions, root in zip((CONTROL, EXPERIMENT), roots))
    out = one.directory("out")
    command = [bare_environment(one, workshop, more=("build",)), "-m", "build", "--no-isolation", "--wheel"]
    one.run([*command, "--outdir", out, one.tree], more=OFFLINE)
    plain = plain_files(workshop, other.directory("plain"))
    wheels = other.directory("wheels")
    path = os.pathsep.join([str(other.tree / "src"), str(plain)])
    code = "import sys; from samebytes import backend; print(backend.build_wheel(sys.argv[1]))"
    other.run([system_python(), "-c", code, wheels], cwd=other.tree, more={"PYTHONPATH": path})
    assert_same([next(out.glob("*.whl")), next(wheels.glob("*.whl"))])


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_commands_of_the_page(roots: tuple[Path, Path], workshop: Workshop, source: Path) -> None:
    """Each below directories named as there; python3 is one that has nothing, or in the last what is said there."""
    section = PAGE.read_text("utf-8").partition("\n## Bootstrapping\n")[2]
    runs, builds, offline = re.findall(r"^```sh\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    place = settle(EXPERIMENT, source, roots[1])
    shelf = place.directory("shelf")
    tree = place.tree.rename(shelf / "samebytes")
    plain = plain_files(workshop, place.directory("plain"))
    for project, name in (("pyproject-hooks/src", "pyproject_hooks"), ("packaging/src", "packaging")):
        shutil.copytree(plain / name, shelf / project / name)
    shutil.copytree(plain / "flit_core", shelf / "flit" / "flit_core" / "flit_core")
    few = place.directory("few")
    (few / "python3").symlink_to(system_python())
    path = {"PATH": os.pathsep.join([str(few), "/usr/bin", "/bin"])}
    assert place.run(["sh", "-e", "-c", runs], cwd=shelf, more=path).stdout.startswith("samebytes ")
    place.run(["sh", "-e", "-c", builds], cwd=shelf, more=path)
    python = bare_environment(place, workshop, more=("build",))
    path = {"PATH": os.pathsep.join([str(python.parent), "/usr/bin", "/bin"])}
    place.run(["sh", "-e", "-c", offline], cwd=shelf, more={**path, "PIP_FIND_LINKS": ""})
    assert_same([next(tree.glob("*.whl")), next(tree.glob("dist/*.whl"))])


def test_a_missing_requirement_is_named(roots: tuple[Path, Path], workshop: Workshop, source: Path) -> None:
    place = settle(CONTROL, source, roots[0])
    python = bare_environment(place, workshop, more=("build",))
    (info,) = python.parents[1].glob("lib/python*/site-packages/flit_core-*.dist-info")
    shutil.rmtree(info)
    command = [python, "-m", "build", "--no-isolation", "--wheel", "--outdir", place.root / "out", place.tree]
    done = place.run(command, more=OFFLINE, check=False)
    assert done.returncode != 0
    assert "flit-core" in done.stdout + done.stderr


def test_normalize_and_the_backend_run_from_plain_files(workshop: Workshop, source: Path, tmp_path: Path) -> None:
    plain = plain_files(workshop, tmp_path / "plain")
    shutil.rmtree(plain / "flit_core")
    path = os.pathsep.join([str(source / "src"), str(plain)])
    wheel = Path(shutil.copy(workshop.wheel, tmp_path))
    run = [system_python(), "-m", "samebytes"]
    subprocess.run([*run, "normalize", wheel], env={"PYTHONPATH": path}, check=True, capture_output=True)
    subprocess.run([*run, "check", wheel], env={"PYTHONPATH": path}, check=True, capture_output=True)


def test_what_is_missing_is_named(workshop: Workshop, source: Path, tmp_path: Path) -> None:
    """The control: the interpreter has nothing of its own that would do."""
    plain = plain_files(workshop, tmp_path / "plain")
    shutil.rmtree(plain / "pyproject_hooks")
    path = os.pathsep.join([str(source / "src"), str(plain)])
    code = "import sys; from samebytes import backend; print(backend.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [system_python(), "-c", code, tmp_path],
        cwd=source,
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "No module named 'pyproject_hooks'" in done.stderr
