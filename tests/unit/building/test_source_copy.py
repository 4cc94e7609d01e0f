"""The copy of the source tree that is built: what is in it, and where its links lead."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from samebytes_tools.building.source_copy import copy_source
from support.conditions import git
from support.projects import write_tree

from samebytes.errors import OutputError, UsageError

CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "tree", {"pyproject.toml": "", "src/one.py": "1\n", "src/deep/two.py": "2\n"})


def copied(tree: Path, output: Path | None = None) -> Path:
    return copy_source(tree, tree.parent / "private" / "src", output)


@pytest.fixture(autouse=True)
def private(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir())


def test_files_times_and_modes(tree: Path) -> None:
    script = tree / "src/one.py"
    script.chmod(0o750)
    os.utime(script, ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))
    copy = copied(tree)
    assert copy == tree.parent / "private" / "src"
    assert names(copy) == ["pyproject.toml", "src/deep/two.py", "src/one.py"]
    assert (copy / "src/one.py").read_text() == "1\n"
    assert (copy / "src/one.py").stat().st_mode & 0o777 == 0o750
    assert (copy / "src/one.py").stat().st_mtime_ns == 1_500_000_000_123_456_789
    (copy / "src/one.py").write_text("changed")
    assert script.read_text() == "1\n"


def test_read_only_directories_can_be_built_in(tree: Path) -> None:
    (tree / "src/deep").chmod(0o555)
    copy = copied(tree)
    assert (copy / "src/deep").stat().st_mode & 0o777 == 0o755
    assert (tree / "src/deep").stat().st_mode & 0o777 == 0o555


LEFT_BEHIND = {
    "bytecode": {"src/__pycache__/one.cpython-311.pyc": ""},
    "tools' caches": {".tox/x": "", ".nox/x": "", ".mypy_cache/x": "", ".pytest_cache/x": "", ".ruff_cache/x": ""},
    "a tagged cache": {"target/CACHEDIR.TAG": CACHE_TAG, "target/release/big": ""},
    "a virtual environment": {".venv/pyvenv.cfg": "", ".venv/bin/python": "", ".venv/lib/x.py": ""},
    "one on Windows": {"env/pyvenv.cfg": "", "env/Scripts/python.exe": ""},
    "modules of an earlier build": {"build/lib/old.py": ""},
    "extensions of an earlier build": {"build/lib.linux-x86_64-cpython-311/a.so": "", "build/temp.linux/a.o": ""},
    "an installation of an earlier build": {"build/bdist.linux-x86_64/x": "", "build/scripts-3.11/run": ""},
}


@pytest.mark.parametrize("case", LEFT_BEHIND)
def test_what_stays_behind(case: str, tree: Path) -> None:
    write_tree(tree, LEFT_BEHIND[case])
    assert names(copied(tree)) == ["pyproject.toml", "src/deep/two.py", "src/one.py"]


TAKEN_ALONG = {
    "a package called build": {"src/build/lib/x.py": "", "build/__init__.py": "", "build/library.py": ""},
    "a cache that is none": {"target/CACHEDIR.TAG": "no signature", "target/x": ""},
    "test data like an environment": {"tests/data/pyvenv.cfg": ""},
    "node_modules": {"node_modules/left-pad/index.js": ""},
    "an egg-info": {"x.egg-info/SOURCES.txt": ""},
}


@pytest.mark.parametrize("case", TAKEN_ALONG)
def test_what_comes_along(case: str, tree: Path) -> None:
    write_tree(tree, TAKEN_ALONG[case])
    assert set(names(copied(tree))) >= set(TAKEN_ALONG[case])


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_what_git_tracks_is_no_leftover(tree: Path) -> None:
    write_tree(tree, {"build/lib/tasks.py": "", "build/temp.x/a.o": ""})
    git("init", "--quiet", cwd=tree)
    git("add", "build/lib", cwd=tree)
    copy = names(copied(tree))
    assert "build/lib/tasks.py" in copy
    assert "build/temp.x/a.o" not in copy


def test_earlier_results_stay_behind(tree: Path) -> None:
    write_tree(tree, {"dist/x-1.tar.gz": "", "dist/x-1-py3-none-any.whl": "", "dist/.gitignore": "*"})
    assert not (copied(tree, tree / "dist") / "dist").exists()


@pytest.mark.parametrize("record", ["dist/x-1.json", "x-1.json"])
def test_the_record_of_a_build_stays_behind(record: str, tree: Path) -> None:
    write_tree(tree, {"dist/x-1.tar.gz": "", record: "{}", "data/x-1.json": "{}"})
    copy = copy_source(tree, tree.parent / "private" / "src", tree / "dist", tree / record)
    assert not (copy / "dist").exists()
    assert not (copy / record).exists()
    assert (copy / "data/x-1.json").exists()


@pytest.mark.parametrize("output", ["docs", "."])
def test_an_output_directory_that_holds_source_is_copied_without_results(output: str, tree: Path) -> None:
    write_tree(tree / output, {"x-1.tar.gz": "", "x-1-py3-none-any.whl": "", "index.rst": "", "data/y-1.whl": ""})
    copy = copied(tree, (tree / output).resolve())
    assert sorted(path.name for path in (copy / output).iterdir() if path.suffix != ".toml") == [
        "data",
        "index.rst",
        *(["src"] if output == "." else []),
    ]
    assert (copy / output / "data/y-1.whl").exists()


def test_an_output_directory_around_the_tree_is_no_matter(tree: Path) -> None:
    assert len(names(copied(tree, tree.parent))) == 3


def test_the_private_directory_may_lie_in_the_tree(tree: Path) -> None:
    """TMPDIR can be anywhere."""
    private = tree / "tmp" / "samebytes-x"
    private.mkdir(parents=True)
    copy = copy_source(tree, private / "src")
    assert names(copy) == ["pyproject.toml", "src/deep/two.py", "src/one.py"]


def test_links_lead_where_they_led(tree: Path) -> None:
    outside = tree.parent / "outside.txt"
    outside.write_text("outside")
    links = {
        "near": "src/one.py",
        "up": "src/../pyproject.toml",
        "broken": "no/such/file",
        "outer": "../outside.txt",
        "absolute": str(outside),
        "inner": str(tree / "src"),
        "src/deep/back": "../one.py",
        "src/deep/out": "../../../outside.txt",
    }
    for name, target in links.items():
        (tree / name).symlink_to(target)
    copy = copied(tree)
    led = {name: os.readlink(copy / name) for name in links}
    assert led == {**links, "inner": "src"}
    assert (copy / "outer").read_text() == (copy / "src/deep/out").read_text() == "outside"
    assert (copy / "inner").resolve() == copy / "src"


def test_links_out_of_the_tree_read_as_they_did_and_lead_where_they_led(tree: Path) -> None:
    around = tree.parent
    (around / "shared/data").mkdir(parents=True)
    (around / "shared/data/file").write_text("shared")
    (around / "shared/link").symlink_to("data/file")
    (around / "LICENSE").write_text("MIT")
    (tree / "a/b").mkdir(parents=True)
    links = {
        "one": "../LICENSE",
        "directory": "../shared/data",
        "a/b/deep": "../../../shared/data/file",
        "down and up": "../shared/data/../../LICENSE",
        "to a link": "../shared/link",
        "through a link": "directory/file",
        "in a circle": f"../{tree.name}/a",
        "by its parent": f"../../{around.name}/LICENSE",
        "back by it": f"{'../' * 3}{around.parent.name}/{around.name}/{tree.name}/pyproject.toml",
        "dangling": "../no/such/file",
        "a/physical": "b/through/../LICENSE",
        "a/b/through": "../../../shared",
        "far": "../" * 40 + str(around / "LICENSE").lstrip("/"),
        "further": "../" * 200 + str(around / "LICENSE").lstrip("/"),
        "parent": "..",
    }
    for name, target in links.items():
        (tree / name).symlink_to(target)
    copy = copied(tree)
    read = {name: os.readlink(copy / name) for name in links}
    assert read == {**links, "further": str(around / "LICENSE"), "parent": str(around)}
    for name in links:
        led, leads = (tree / name).resolve(), (copy / name).resolve()
        assert (copy / led.relative_to(tree) if led.is_relative_to(tree) else led) == leads or name == "dangling", name
    assert not (copy / "dangling").exists()
    walked = [(Path(where), {*names, *files}) for where, names, files in os.walk(copy.parents[40])]
    assert all((where / name).is_symlink() for where, found in walked for name in found & {"LICENSE", "shared", "no"})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
def test_pipes_and_sockets_stay_behind(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tree / "pipe")
    monkeypatch.chdir(tree)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    assert names(copied(tree)) == ["pyproject.toml", "src/deep/two.py", "src/one.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")
@pytest.mark.parametrize("command", ["build", "check", "normalize"])
@pytest.mark.parametrize("beside", ["", "setup.py"])
def test_a_tree_whose_configuration_is_a_pipe_is_not_built_without_it(tree: Path, command: str, beside: str) -> None:
    (tree / "pyproject.toml").unlink()
    os.mkfifo(tree / "pyproject.toml")
    if beside:
        (tree / beside).write_text("import setuptools; setuptools.setup(name='pkg')")
    line = [sys.executable, "-m", "samebytes", command, str(tree)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    if command == "normalize":
        assert "is a source tree, and there are no wheels or sdists in it" in done.stderr
    else:
        assert "pyproject.toml: cannot be read: is not a regular file" in done.stdout + done.stderr
        assert done.returncode in (2, 3)


COPY_AS_NOBODY = """
import os, sys, shutil, subprocess
from pathlib import Path
from samebytes_tools.building.source_copy import copy_source
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    copy_source(Path(sys.argv[1]), Path(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, error, sep=": ")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_an_unreadable_file_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        tree = write_tree(Path(name, "tree"), {"setup.py": "", "secrets/key": ""})
        (tree / "secrets/key").chmod(0)
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", COPY_AS_NOBODY, str(tree), f"{name}/copy"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == f"UsageError: {tree}/secrets/key: cannot be copied: Permission denied"
    assert "make it readable" in second


def test_a_full_disk(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tree / "pyproject.toml"))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(OutputError, match="there is no room for a copy of the source tree in") as caught:
        copied(tree)
    assert "TMPDIR" in caught.value.remedy
    assert "private" not in caught.value.message


def test_a_tree_that_vanishes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone: cannot be copied: No such file"):
        copy_source(tmp_path / "gone", tmp_path / "private" / "src")
