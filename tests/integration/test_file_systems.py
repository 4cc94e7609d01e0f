"""The same bytes on every file system: builds where directories are listed in unlike orders, for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from samebytes_tools.variations import disorder
from support.differences import contents, digest
from support.projects import write_tree
from support.workshop import Workshop

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="Linux file systems")]

LETTERS = "gcafhdbe"

SETUP = """\
import glob, os, subprocess
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Build(build_ext):
    def build_extension(self, extension):
        target = self.get_ext_fullpath(extension.name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        subprocess.check_call(["cc", "-shared", "-fPIC", "-o", target, *glob.glob("src/*.c")])

names = [name for name in os.listdir("listing/plugins") if name.startswith("p")]
with open("listing/generated.py", "w") as file:
    file.write("PLUGINS = %r\\n" % names)
setup(packages=["listing", "listing.plugins"], ext_modules=[Extension("linked", [])], cmdclass={"build_ext": Build})
"""

PYPROJECT = """\
[build-system]
requires = ["setuptools>=61", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"
inherit = {inherit}

[project]
name = "listing"
version = "1.0"
"""

FILES = {
    "setup.py": SETUP,
    "MANIFEST.in": "include src/*.c\ngraft linked\n",
    "listing/__init__.py": "",
    "listing/plugins/__init__.py": "",
    **{f"listing/plugins/p{number}.py": f"NUMBER = {number}\n" for number in (4, 2, 6, 1, 8, 5, 3, 7)},
    **{f"src/{letter}.c": f"int function_{letter}(void) {{ return {ord(letter)}; }}\n" for letter in LETTERS},
    **{f"linked/a/{letter}": letter for letter in "cab"},
}

FOREIGN_SETUP = """\
import os, subprocess, sys
from setuptools import setup

def shown(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

os.makedirs("listing/made", exist_ok=True)
open("listing/made/__init__.py", "w").close()
for name, listed in {
    "make": shown("make", "-s", "-f", "list.mk"),
    "cmake": shown("cmake", "-P", "list.cmake"),
    "shell": shown("sh", "-c", "echo src/*.c"),
    "find": shown("find", "src"),
    "python": shown(sys.executable, "-c", "import os; print(os.listdir('src'))"),
}.items():
    with open("listing/made/%s.py" % name, "w") as file:
        file.write("LISTED = %r\\n" % listed)
setup(packages=["listing", "listing.made"])
"""

FOREIGN = {
    **{name: text for name, text in FILES.items() if name.startswith("src/")},
    "setup.py": FOREIGN_SETUP,
    "listing/__init__.py": "",
    "list.mk": "all:\n\t@echo $(wildcard src/*.c)\n",
    "list.cmake": 'file(GLOB found RELATIVE "${CMAKE_SOURCE_DIR}" "src/*.c")\n'
    'execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "${found}")\n',
}

SORTED_BY_THEMSELVES = {"make", "cmake", "shell"}
"""GNU make since 4.3, CMake since 3.6, and shells by POSIX ("Patterns Used for Filename Expansion")."""

EXT4 = {"ext4": "11111111-2222-4333-8444-555555555555", "another ext4": "99999999-8888-4777-8666-555555555555"}
"""Hash seeds (mke2fs(8)): directories are listed by the hashes of the names."""

KINDS = (*EXT4, "tmpfs", "overlayfs", "disorderfs")


@contextmanager
def file_system(kind: str, root: Path) -> Iterator[Path]:
    """Yield a new directory in a file system of that *kind*; skip the test where it cannot be had."""
    shown, behind = root / "shown", root / "behind"
    shown.mkdir(parents=True)
    behind.mkdir()
    if kind == "disorderfs":
        program = disorder.find(root, os.environ)
        if not program:
            pytest.skip("needs disorderfs")
        disorder.mount(program, behind, shown)
        try:
            yield shown
        finally:
            disorder.unmount_below(root)
        return
    if os.geteuid() != 0:
        pytest.skip("only root may mount file systems")
    with ExitStack() as mounts:
        if kind in EXT4:
            if shutil.which("mkfs.ext4") is None:
                pytest.skip("needs mkfs.ext4")
            image = root / "image"
            with image.open("wb") as file:
                file.truncate(64 << 20)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-E", f"hash_seed={EXT4[kind]}", image], check=True)
            _mounted(mounts, shown, "-o", "loop", image)
        elif kind == "tmpfs":
            _mounted(mounts, shown, "-t", "tmpfs", "samebytes-test")
        else:
            _mounted(mounts, behind, "-t", "tmpfs", "samebytes-test")
            layers = [behind / name for name in ("lower", "upper", "work")]
            for layer in layers:
                layer.mkdir()
            options = ",".join(f"{name}dir={path}" for name, path in zip(("lower", "upper", "work"), layers))
            _mounted(mounts, shown, "-t", "overlay", "-o", options, "samebytes-test")
        yield shown


def _mounted(mounts: ExitStack, place: Path, *words: str | Path) -> None:
    if subprocess.run(["mount", *words, place], capture_output=True, check=False).returncode:
        pytest.skip("root may not mount file systems here")
    mounts.callback(subprocess.run, ["umount", place], check=True)


def settled(where: Path, files: dict[str, str], inherit: str = "[]") -> Path:
    """Write the tree into the file system *where*, and a directory for temporary files beside it."""
    (where / "tmp").mkdir()
    tree = write_tree(where / "tree", {**files, "pyproject.toml": PYPROJECT.format(inherit=inherit)})
    if "linked/a/a" in files:
        (tree / "linked" / "b").symlink_to("a")
    return tree


def by_the_hook(tree: Path, workshop: Workshop) -> dict[str, Path]:
    """Return what ``python -m build`` makes of *tree*, by its names."""
    return _built(
        tree, "by-the-hook", [workshop.python, "-m", "build", "--no-isolation", "--sdist", "--wheel"], workshop
    )


def by_samebytes_build(tree: Path, workshop: Workshop) -> dict[str, Path]:
    words = [workshop.python, "-m", "samebytes", "build", "--no-isolation", "--sdist", "--wheel"]
    return _built(tree, "by-samebytes-build", words, workshop)


def _built(tree: Path, out: str, command: list[str | Path], workshop: Workshop) -> dict[str, Path]:
    copy = shutil.copytree(tree, tree.parent / f"{out}-tree", symlinks=True)
    environ = {**os.environ, "TMPDIR": str(tree.parent / "tmp"), "PYTHONPATH": ""}
    environ.update(workshop.tools(environ))
    words = [*command, "-o", tree.parent / out, copy]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return {path.name: path for path in (tree.parent / out).iterdir()}


def digests(found: dict[str, Path]) -> dict[str, str]:
    assert len(found) == 2
    return {name: digest(path) for name, path in found.items()}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, workshop: Workshop) -> dict[str, str]:
    """The digests of what is built in the directory for temporary files, whatever file system that is in."""
    where = tmp_path_factory.mktemp("usual")
    return digests(by_the_hook(settled(where, FILES), workshop))


@pytest.mark.parametrize("kind", KINDS)
def test_artifacts_are_the_same_on_every_file_system(
    kind: str, usual: dict[str, str], workshop: Workshop, tmp_path: Path
) -> None:
    """A module from ``os.listdir``, an extension linked from ``glob``, a symlinked directory."""
    with file_system(kind, tmp_path) as where:
        tree = settled(where, FILES)
        assert digests(by_the_hook(tree, workshop)) == usual
        assert digests(by_samebytes_build(tree, workshop)) == usual


def test_the_order_decides_where_it_is_inherited(workshop: Workshop, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    found = []
    for kind in EXT4:
        with file_system(kind, tmp_path / kind) as where:
            found.append(digests(by_the_hook(settled(where, FILES, '["directory-order"]'), workshop)))
    assert found[0].keys() == found[1].keys()
    assert all(found[0][name] != found[1][name] for name in found[0])


def test_what_other_programs_list(workshop: Workshop, tmp_path: Path) -> None:
    """As the file system does in the hook, unless they sort; by name in ``samebytes build``."""
    hooked, wholes = [], []
    for kind in EXT4:
        with file_system(kind, tmp_path / kind) as where:
            tree = settled(where, FOREIGN)
            hooked.append(contents(by_the_hook(tree, workshop)["listing-1.0-py3-none-any.whl"]))
            found = by_samebytes_build(tree, workshop)
            wholes.append(digests(found))
            made = contents(found["listing-1.0-py3-none-any.whl"])
    lists = {name for name in made if name.startswith("listing/made/") and "__init__" not in name}
    differ = {Path(name).stem for name in lists if hooked[0][name] != hooked[1][name]}
    assert differ == {Path(name).stem for name in lists} - SORTED_BY_THEMSELVES
    assert wholes[0] == wholes[1]
    in_order = [f"src/{letter}.c" for letter in sorted(LETTERS)]
    for name in lists:
        places = [
            made[name].find(one.removeprefix("src/" * (name == "listing/made/python.py")).encode()) for one in in_order
        ]
        assert -1 not in places
        assert places == sorted(places), (name, made[name])
