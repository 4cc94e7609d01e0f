"""Modes where files have none: a backend that packs them as on Windows, and hooks that think that they are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samebytes.archive.entry import Data, Entry, Kind, Streamed
from samebytes.backend.git import Modes

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

BACKEND = """\
import io, os, tarfile, zipfile

INFO = "tiny-1.dist-info"

def files(root):
    for directory, below, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            yield os.path.relpath(path, root).replace(os.sep, "/"), open(path, "rb").read()

def build_wheel(directory, settings=None, metadata=None):
    generator = b"setuptools (84)" if os.path.exists("setup.py") else b"tiny"
    wheel = b"Wheel-Version: 1.0\\nGenerator: %b\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n" % generator
    made = {**dict(files("src")), INFO + "/WHEEL": wheel, INFO + "/RECORD": b""}
    made[INFO + "/METADATA"] = b"Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n"
    made["tiny-1.data/data/bin/renamed"] = open("tool", "rb").read()
    with zipfile.ZipFile(os.path.join(directory, "tiny-1-py3-none-any.whl"), "w") as archive:
        for name, data in made.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (0o100777 if name.endswith(".bat") else 0o100666) << 16
            archive.writestr(member, data)
    return "tiny-1-py3-none-any.whl"

def build_sdist(directory, settings=None):
    with tarfile.open(os.path.join(directory, "tiny-1.tar.gz"), "w:gz") as archive:
        made = {"PKG-INFO": b"Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n", **dict(files("."))}
        for name, data in made.items():
            if not name.startswith(".git/"):
                member = tarfile.TarInfo("tiny-1/" + name)
                member.size, member.mode = len(data), 0o777 if name.endswith(".bat") else 0o666
                archive.addfile(member, io.BytesIO(data))
    return "tiny-1.tar.gz"
"""

FILES = {
    "pyproject.toml": b'[tool.samebytes]\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n',
    "tiny_backend.py": BACKEND.encode(),
    "tool": b"#!/bin/sh\necho tool\n",
    "src/tiny/__init__.py": b"",
    "src/tiny/main.py": b"#!/usr/bin/env python3\n",
    "src/tiny/run.sh": b"#!/bin/sh\n",
    "src/tiny/other/run.sh": b"#!/bin/sh\n",
    "src/tiny/start.bat": b"@echo\n",
}
EXECUTABLE = ("tool", "src/tiny/main.py", "src/tiny/run.sh")


def tree(root: Path, *, tracked: bool, more: dict[str, bytes] | None = None) -> Path:
    for name, data in {**FILES, **(more or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o644)
    if tracked:
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "update-index", "--chmod=+x", *EXECUTABLE)  # on disk they are not
    return root


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def built(source: Path, hook: str) -> tuple[set[str], str]:
    """Return which files of the archive are executable, and what was printed as a warning."""
    code = (
        f"import json, samebytes.backend as b; from samebytes.backend import hooks; hooks.HAS_MODES = False; "
        f"print(json.dumps(b.{hook}({str(source.parent)!r})))"
    )
    environ = {**os.environ, "GIT_CEILING_DIRECTORIES": str(source.parent)}
    done = subprocess.run([sys.executable, "-c", code], cwd=source, env=environ, capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 0, done.stderr
    path = source.parent / json.loads(done.stdout.splitlines()[-1])
    found: dict[str, Any]
    if hook == "build_wheel":
        with zipfile.ZipFile(path) as wheel:
            found = {one.filename: one.external_attr >> 16 for one in wheel.infolist()}
    else:
        with tarfile.open(path) as sdist:
            found = {one.name.partition("/")[2]: one.mode | 0o100000 for one in sdist}
    assert set(found.values()) <= {0o100644, 0o100755}
    lines = [line for line in done.stderr.splitlines() if "executable" in line]
    return {name for name, mode in found.items() if mode == 0o100755}, "\n".join(lines)


def test_an_sdist_has_the_modes_of_the_index(tmp_path: Path) -> None:
    assert built(tree(tmp_path / "t", tracked=True), "build_sdist") == (set(EXECUTABLE), "")


def test_a_wheel_has_the_modes_of_the_files_that_it_is_made_of(tmp_path: Path) -> None:
    found, line = built(tree(tmp_path / "t", tracked=True), "build_wheel")
    assert found == {"tiny/main.py", "tiny/run.sh", "tiny-1.data/data/bin/renamed"}
    assert line == ""


def test_setuptools_copies_modules_without_their_modes(tmp_path: Path) -> None:
    found, _ = built(tree(tmp_path / "t", tracked=True, more={"setup.py": b""}), "build_wheel")
    assert found == {"tiny/run.sh", "tiny-1.data/data/bin/renamed"}


def test_an_sdist_of_setuptools_keeps_the_modes_of_modules(tmp_path: Path) -> None:
    """As it does where files have modes: it copies what is in the tree."""
    egg_info = {"setup.cfg": b"[egg_info]\ntag_build = \n", "tiny.egg-info/SOURCES.txt": b"setup.py\n"}
    source = tree(tmp_path / "t", tracked=True, more={"setup.py": b"#!/usr/bin/python3\n", **egg_info})
    git(source, "update-index", "--chmod=+x", "setup.py")
    assert built(source, "build_sdist") == ({*EXECUTABLE, "setup.py"}, "")


@pytest.mark.parametrize("inside", ["", "vendor"])
def test_without_an_index_of_its_own_there_is_one_note(inside: str, tmp_path: Path) -> None:
    """What was unpacked may lie in a repository that does not have it."""
    source = tree(tmp_path / inside / "t", tracked=False)
    if inside:
        git(tmp_path / inside, "init", "-q")
    found, line = built(source, "build_sdist")
    assert found == set()
    assert line.startswith("samebytes: warning: tiny-1.tar.gz: is it executable?")
    names = ["src/tiny/main.py", "src/tiny/other/run.sh", "src/tiny/run.sh", "tool"]
    assert sorted(line.rpartition(": ")[2].split(", ")) == [f"tiny-1/{name}" for name in names]


def test_many_names_are_counted(tmp_path: Path) -> None:
    source = tree(tmp_path / "t", tracked=False, more={f"src/{n}": b"#!/bin/sh\n" for n in range(9)})
    assert built(source, "build_wheel")[1].endswith(" and 8 more")


def test_the_likest_path_decides_of_equal_files(tmp_path: Path) -> None:
    source = tree(tmp_path / "t", tracked=True, more={"a/py.typed": b"", "b/__init__.py": b""})
    git(source, "update-index", "--chmod=+x", "b/__init__.py")
    assert executable(source, "b/__init__.py", "a/py.typed") == {"b/__init__.py"}


def executable(source: Path, *names: str, data: bytes = b"") -> set[str]:
    """Return which of the *names*, all with the same contents, are executable ones of *source*."""
    modes = Modes(source, os.environ, copies_modules=False)
    return {name for name in names if modes(Entry(name, Kind.FILE, 0o666, 0, Data(data)))}


def test_a_file_at_the_top_is_not_taken_for_an_equal_one_further_below(tmp_path: Path) -> None:
    source = tree(tmp_path / "t", tracked=True, more={"below/tool": FILES["tool"]})
    assert executable(source, "t-1/tool", "t-1/below/tool", data=FILES["tool"]) == {"t-1/tool"}


def test_of_files_that_end_alike_all_must_be_executable(tmp_path: Path) -> None:
    more = {"a/x/run": b"#!/bin/sh\n#\n", "b/x/run": b"#!/bin/sh\n#\n", "x/run": b"#!/bin/sh\n#\n"}
    source = tree(tmp_path / "t", tracked=True, more=more)
    names = ("a/x/run", "b/x/run", "c/x/run", "t-1/a/x/run", "t-1/x/run", "other")
    for chosen, found in (
        (["a/x/run"], {"a/x/run", "t-1/a/x/run"}),
        (["x/run"], {"c/x/run", "t-1/x/run"}),
        (list(more), set(names)),
    ):
        git(source, "update-index", "--chmod=-x", *more)
        git(source, "update-index", "--chmod=+x", *chosen)
        assert executable(source, *names, data=more["x/run"]) == found


def git_version() -> tuple[int, ...]:
    words = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()
    return tuple(int(part) for part in words[2].split(".")[:2])


def test_files_of_a_submodule_have_the_modes_of_its_index(tmp_path: Path) -> None:
    if git_version() < (2, 36):
        pytest.skip("git before 2.36 does not list the modes of submodules")
    other = tree(tmp_path / "other", tracked=True, more={".gitattributes": b"* -text\n"})  # or Windows' git adds CR
    git(other, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "a")
    source = tree(tmp_path / "t", tracked=False)
    git(source, "init", "-q")
    git(source, "add", ".")
    git(source, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "inner")
    assert executable(source, "t-1/inner/tool", "t-1/tool", data=FILES["tool"]) == {"t-1/inner/tool"}


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="needs POSIX")
def test_names_that_are_not_utf_8_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tree(tmp_path / "t", tracked=True)
    (source / "src" / os.fsdecode(b"gr\xfc\xdfe")).touch()
    git(source, "add", "src/gr*")
    monkeypatch.setattr(os, "fsdecode", lambda name: name.decode("utf-8", "surrogatepass"))  # as on Windows
    assert executable(source, "t-1/tool", data=FILES["tool"]) == {"t-1/tool"}


@pytest.mark.parametrize("tracked", [True, False])
def test_large_members_are_not_read_for_their_modes(tracked: bool, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"#!" + b"x" * 98
        raise AssertionError("read on")

    modes = Modes(tree(tmp_path / "t", tracked=tracked), os.environ, copies_modules=False)
    assert not modes(Entry("t/large", Kind.FILE, 0o666, 0, Streamed(1 << 40, chunks)))
    assert modes.unknown == ([] if tracked else ["t/large"])
