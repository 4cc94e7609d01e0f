"""The pure examples, built by the backend under CPython for Windows: the sdists and wheels of Linux, byte for byte.

The gate builds one of them. All are built, as they are and without executable files, by::

    SAMEBYTES_WINDOWS_EXAMPLES=all python -m pytest tests/integration/test_windows_builds.py

What came of it is in docs/explanation/systems.md, with its date.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from support.conditions import wait_past
from support.differences import assert_same, contents
from support.projects import BY_NAME, Example, requirements
from support.wine import VERSION, WindowsPython, windows_python
from support.workshop import Workshop

pytestmark = pytest.mark.integration

PURE = (
    *("setuptools-pyproject", "setuptools-legacy", "setuptools-set-requires", "in-tree-backend"),
    *("flit", "hatchling", "pdm", "poetry"),
)
"""Not uv-build, whose program for Windows asks for a library that Wine 8 lacks."""
WANTED = [(name, executable) for name in PURE for executable in (True, False)]
if os.environ.get("SAMEBYTES_WINDOWS_EXAMPLES") != "all":
    del WANTED[1:]

BUILD = """\
import os, sys, tarfile
import samebytes.backend as backend

out, tree = sys.argv[1:]
os.chdir(tree)
sdist = backend.build_sdist(out)
backend.build_wheel(os.path.join(out, "from-tree"))
with tarfile.open(os.path.join(out, sdist)) as archive:
    archive.extractall(os.path.join(out, "unpacked"))
os.chdir(os.path.join(out, "unpacked", sdist[: -len(".tar.gz")]))
backend.build_wheel(os.path.join(out, "from-sdist"))
"""
"""What a front end does, in one process: an sdist, a wheel from the tree, and one from the sdist."""

LISTING = """\
import sys
from dulwich.index import Index
_, _, directory, command, options, *names = sys.argv
assert (command, options) == ("ls-files", "-sz"), sys.argv
for name, entry in Index(directory + "/.git/index").iteritems():
    sys.stdout.buffer.write(b"%06o %s 0\\t%s\\0" % (entry.mode, entry.sha, name))
"""
"""``git -C TREE ls-files -sz`` by dulwich, for there is no package of git for Windows."""


@pytest.fixture(scope="module")
def windows() -> WindowsPython:
    return windows_python()


@pytest.fixture(scope="module")
def variables(windows: WindowsPython, workshop: Workshop) -> dict[str, str]:
    """Those with which Windows' Python finds samebytes, the backends in the workshop's releases, and git."""
    code = "import sys, importlib.metadata as m; print(*(f'{n}=={m.version(n)}' for n in sys.argv[1:]))"
    wanted = {one for name, _ in WANTED for one in requirements(BY_NAME[name])}
    names = sorted({"setuptools", *(re.split("[>=]", one)[0] for one in wanted)})
    done = subprocess.run([workshop.python, "-c", code, *names], check=True, capture_output=True, text=True)
    site = windows.packages(workshop.wheel, "dulwich", *done.stdout.split())
    if len(WANTED) > 1:  # else it takes as long as it saves
        windows.run(["-m", "compileall", "-q", windows.windows_path(site)])
    programs = windows.kept / "git"
    programs.mkdir(exist_ok=True)
    (launcher,) = windows.executable.parent.rglob("distlib/t64.exe")
    script = io.BytesIO()
    with zipfile.ZipFile(script, "w") as archive:
        archive.writestr("__main__.py", LISTING)
    shebang = f"#!{windows.windows_path(windows.executable)}\r\n".encode()
    (programs / "git.exe").write_bytes(launcher.read_bytes() + shebang + script.getvalue())
    return {"PYTHONPATH": windows.windows_path(site), "WINEPATH": windows.windows_path(programs)}


def copied(example: Example, tree: Path, *, executable: bool) -> Path:
    """Copy an example into a repository of its own; git's index has the modes in any case."""
    shutil.copytree(example.path, tree, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist"))
    if not executable:
        for path in tree.rglob("*"):
            if path.is_file():
                path.chmod(0o644)
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tree, check=True, capture_output=True)
    return tree


def built(out: Path) -> dict[str, Path]:
    (sdist,) = out.glob("*.tar.gz")
    return {"sdist": sdist, **{way: next((out / way).glob("*.whl")) for way in ("from-tree", "from-sdist")}}


def built_here(example: Example, out: Path, workshop: Workshop, *, executable: bool, more: str = "") -> dict[str, Path]:
    """Build *example* on this system, with what lies in the directory *more* imported first."""
    for way in ("from-tree", "from-sdist"):
        (out / way).mkdir(parents=True)
    tree = copied(example, out / "tree", executable=executable)
    environ = {"PATH": os.pathsep.join([str(workshop.bin), os.environ["PATH"]]), "HOME": str(out), "PYTHONPATH": more}
    command = [workshop.python, "-c", BUILD, out, tree]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built(out)


TEXT_MODE = """\
import builtins, io
plain = io.open

def as_on_windows(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *more, **names):
    if newline is None and "b" not in mode and set(mode) & set("wax+"):
        newline = "\\r\\n"
    return plain(file, mode, buffering, encoding, errors, newline, *more, **names)

builtins.open = io.open = as_on_windows
"""


@pytest.mark.parametrize("name", ["setuptools-pyproject", "in-tree-backend"])
def test_text_mode_of_windows_changes_nothing(name: str, workshop: Workshop, tmp_path: Path) -> None:
    """Imitated, so that this is tested where there is no Wine, too."""
    (tmp_path / "sitecustomize.py").write_text(TEXT_MODE)
    one = built_here(BY_NAME[name], tmp_path / "one", workshop, executable=True)
    other = built_here(BY_NAME[name], tmp_path / "other", workshop, executable=True, more=str(tmp_path))
    left = (tmp_path / "other" / "tree").rglob("PKG-INFO")
    assert any(b"\r\n" in path.read_bytes() for path in left)  # by setuptools, in the tree: it was imitated
    for way, path in one.items():
        assert_same([path, other[way]])


@pytest.mark.parametrize(("name", "executable"), WANTED)
def test_windows_builds_the_bytes_of_linux(
    name: str, executable: bool, windows: WindowsPython, variables: dict[str, str], workshop: Workshop, tmp_path: Path
) -> None:
    example, there = BY_NAME[name], tmp_path / "windows"
    expected = built_here(example, tmp_path / "linux", workshop, executable=executable)
    for way in ("from-tree", "from-sdist"):
        (there / way).mkdir(parents=True)
    copied(example, there / "tree", executable=executable)
    arguments = ["-c", BUILD, *map(windows.windows_path, (there, there / "tree"))]
    done = windows.run(arguments, env=variables)
    assert done.returncode == 0, done.stderr
    found = built(there)
    assert_same([expected["sdist"], found["sdist"]])
    assert_same([expected["from-tree"], found["from-tree"]])
    # In the tree that was unpacked from the sdist, nothing knows the modes.
    lines = [line for line in done.stderr.splitlines() if "is it executable?" in line]
    lost = modes(expected["from-sdist"]) - modes(found["from-sdist"])
    if not executable or not lost:
        assert_same([expected["from-sdist"], found["from-sdist"]])
        return
    assert contents(expected["from-sdist"]) == contents(found["from-sdist"])
    (line,) = lines
    assert all(member in line for member in lost)


def modes(wheel: Path) -> set[str]:
    """Return the names of the executable files in *wheel*."""
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename for one in archive.infolist() if one.external_attr >> 16 & 0o111}


MINGW = "x86_64-w64-mingw32-gcc"
IMPORT = "import example_setuptools_c._native as n; print(n.half(42), *n.where())"


@pytest.mark.skipif(shutil.which(MINGW) is None, reason="needs MinGW-w64")
def test_an_extension_module_by_mingw_is_the_same_in_two_places(
    windows: WindowsPython, workshop: Workshop, tmp_path: Path
) -> None:
    """Cross-compiled on Linux with the headers of Windows' Python, which then imports it."""
    python = windows.executable.parent
    (tmp_path / ".pydistutils.cfg").write_text(
        f"[build_ext]\nlibraries = python{VERSION.replace('.', '')}\nlibrary_dirs = {python / 'libs'}\n"
    )
    environ = {
        "PATH": os.pathsep.join([str(workshop.bin), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "CC": MINGW,
        "LDSHARED": f"{MINGW} -shared",
        "CFLAGS": f"-O2 -g -I{python / 'include'}",
        "SETUPTOOLS_EXT_SUFFIX": ".pyd",
        "_PYTHON_HOST_PLATFORM": "win-amd64",
    }
    wheels = []
    for place in (tmp_path / "one", tmp_path / "another" / "which-is-longer"):
        shutil.copytree(BY_NAME["setuptools-c-extension"].path, place / "tree")
        command = [workshop.python, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, place / "tree"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        wheels += place.glob("*win_amd64.whl")
        wait_past(time.time())
    assert_same(wheels)
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(tmp_path / "site")
    done = windows.run(["-c", IMPORT], env={"PYTHONPATH": windows.windows_path(tmp_path / "site")})
    assert (done.returncode, done.stdout) == (0, "21 src/native.c ./include/checks.h src/checks.c\n"), done.stderr
