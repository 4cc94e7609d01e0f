"""The order in which a backend sees directories, by all ways that the standard library has."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from samebytes.backend.config import Backend
from samebytes.backend.inner import Inner, Process

ODD = ("é", "ﬀ", "\U0001f600", "z\udcff", "\udc80")
NAMES = (*(f"{letter}{number}" for letter in "bBa_" for number in range(9, 0, -1)), "a-", "a", "a.c", *ODD)

BACKEND = """\
import glob, os, pathlib, pkgutil, shutil
try:
    import startup
except ImportError:
    import types
    startup = types.SimpleNamespace(listdir=os.listdir, scandir=os.scandir)

def by_descriptor(function, path):
    number = os.open(path, os.O_RDONLY)
    try:
        return function(number)
    finally:
        os.close(number)

def names(entries):
    with entries as left:
        return [os.fsdecode(entry.name) for entry in left]

def copied(path):
    seen = []
    shutil.copytree(path, path + "-copy", copy_function=lambda source, target: seen.append(source))
    return [os.path.basename(one) for one in seen]

def walked(walk):
    return [name for where, folders, files, *_ in walk for name in files]

WAYS = {
    "listdir": os.listdir,
    "listdir of bytes": lambda path: [os.fsdecode(name) for name in os.listdir(os.fsencode(path))],
    "listdir of a path": lambda path: os.listdir(path=pathlib.Path(path)),
    "listdir of a descriptor": lambda path: by_descriptor(os.listdir, path),
    "listdir as it was at startup": startup.listdir,
    "scandir": lambda path: names(os.scandir(path)),
    "scandir of bytes": lambda path: names(os.scandir(os.fsencode(path))),
    "scandir of a path": lambda path: names(os.scandir(path=pathlib.Path(path))),
    "scandir of a descriptor": lambda path: by_descriptor(lambda number: names(os.scandir(number)), path),
    "scandir as it was at startup": lambda path: names(startup.scandir(path)),
    "walk": lambda path: walked(os.walk(path)),
    "walk from below": lambda path: walked(os.walk(path, topdown=False)),
    "fwalk": lambda path: walked(os.fwalk(path)),
    "glob": lambda path: [os.path.basename(one) for one in glob.glob(glob.escape(path) + "/*")],
    "iglob of all": lambda path: [os.path.basename(one) for one in glob.iglob(glob.escape(path) + "/**/*", recursive=True)],
    "iterdir": lambda path: [one.name for one in pathlib.Path(path).iterdir()],
    "Path.glob": lambda path: [one.name for one in pathlib.Path(path).glob("*")],
    "Path.rglob": lambda path: [one.name for one in pathlib.Path(path).rglob("*")],
    "copytree": copied,
}
if os.name == "nt":
    WAYS = {name: way for name, way in WAYS.items() if "descriptor" not in name and name != "fwalk"}

def get_requires_for_build_wheel(settings):
    found = []
    for name, way in WAYS.items():
        found += [name, ascii(way(settings["path"]))]
        shutil.rmtree(settings["path"] + "-copy", ignore_errors=True)
    return found

def get_requires_for_build_sdist(settings):
    os.chdir(settings["path"])
    entries = os.scandir()
    first = next(entries)
    found = [first.name, first.path, str(first.is_file()), str(os.listdir() == os.listdir(".") == os.listdir(None))]
    entries.close()
    found += [str(list(entries)), str(shutil.rmtree.avoids_symlink_attacks), os.scandir.__name__]
    for function in (os.listdir, os.scandir):
        try:
            function("missing")
        except FileNotFoundError as error:
            found.append(error.filename)
    return found
"""

STARTUP = "import glob, os, pathlib, shutil\nfrom os import listdir, scandir\n"


def asked(tree: Path, hook: str, **changes: Any) -> list[str]:
    """Return what the backend lists in ``tree/listed``, with what is imported at startup in ``tree/site``."""
    (tree / "mine.py").write_text(BACKEND)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    process = Process(sys.executable, {**environ, "PYTHONUTF8": "1"})._replace(**changes)
    with closing(Inner(tree, Backend("mine", (".",)), process, tree)) as backend:
        found: list[str] = backend.call(f"get_requires_for_build_{hook}", {"path": str(tree / "listed")})
    return found


@pytest.fixture(params=["ascending", "descending"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory that was filled in one order: where a file system keeps that, it is wrong in one of the two."""
    (tmp_path / "listed").mkdir()
    (tmp_path / "site").mkdir()
    names = NAMES if sys.platform == "linux" else NAMES[: -len(ODD)]  # others have no place for all of them
    for name in sorted(names, reverse=request.param == "descending"):
        (tmp_path / "listed" / name).touch()
    return tmp_path


def listed(tree: Path) -> list[str]:
    """Return the names in the file system's own order, by a process that nothing is pinned in."""
    code = "import os, sys; print(ascii(os.listdir(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tree / "listed")], capture_output=True, text=True, check=True
    )
    found: list[str] = ast.literal_eval(done.stdout)
    return found


@pytest.mark.parametrize("when", ["in the backend", "at startup"])
def test_every_way_lists_by_the_names_bytes(when: str, tree: Path) -> None:
    """A ``.pth`` file or ``sitecustomize`` may import what holds the functions, before anything can be pinned."""
    if when == "at startup":
        (tree / "site" / "startup.py").write_text(STARTUP)
        (tree / "site" / "sitecustomize.py").write_text("import startup\n")
    found = asked(tree, "wheel")
    expected = ascii(sorted(os.listdir(tree / "listed"), key=os.fsencode))
    ways = dict(zip(found[::2], found[1::2]))
    assert len(ways) >= 16
    assert {way: names for way, names in ways.items() if names != expected} == {}


def test_a_listing_is_what_it_was_but_for_the_order(tree: Path) -> None:
    first = min(os.listdir(tree / "listed"), key=os.fsencode)  # "B1" and "b1" are one file on Windows
    safe = str(os.name != "nt")
    assert asked(tree, "sdist") == [
        *(first, os.path.join(".", first), "True", "True"),
        *("[]", safe, "scandir", "missing", "missing"),
    ]


def test_the_order_can_be_inherited(tree: Path) -> None:
    found = asked(tree, "wheel", inherit=("directory-order",))
    assert ast.literal_eval(found[found.index("listdir") + 1]) == listed(tree)


@pytest.mark.skipif(sys.platform != "linux", reason="others may list by name")
def test_the_file_system_lists_otherwise(tmp_path: Path) -> None:
    """Else the tests here could not fail."""
    found = []
    for order in (NAMES, NAMES[::-1]):
        tree = tmp_path / str(len(found))
        (tree / "listed").mkdir(parents=True)
        for name in order:
            (tree / "listed" / name).touch()
        found.append(listed(tree))
    assert found != [sorted(NAMES, key=os.fsencode)] * 2
