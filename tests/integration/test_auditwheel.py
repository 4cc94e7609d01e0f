"""Wheels out of ``auditwheel repair``: the real one, on an extension that is linked to a shared library."""

from __future__ import annotations

import base64
import csv
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.differences import assert_same, contents, digest
from support.projects import write_tree
from support.workshop import Workshop
from support.worlds import HOSTILE, QUIET, Place, settle, wait_past

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="auditwheel repairs Linux wheels"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]

PROJECT = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=61", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"

[project]
name = "greeter"
version = "1.0"
""",
    "setup.py": """\
from setuptools import Extension, setup

setup(ext_modules=[Extension("greeter", ["greeter.c"], libraries=["greet"])])
""",
    "greeter.c": """\
#include <Python.h>

extern const char *greet(void);

static PyObject *call(PyObject *self, PyObject *unused) { return PyUnicode_FromString(greet()); }

static PyMethodDef methods[] = {{"greet", call, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "greeter", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_greeter(void) { return PyModule_Create(&module); }
""",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared library that is on no machine, as a directory to link and load from."""
    directory = tmp_path_factory.mktemp("library")
    source = directory / "greet.c"
    source.write_text('const char *greet(void) { return "hello from a library"; }\n')
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wl,-soname,libgreet.so.1", "-o", "libgreet.so.1", source.name]
    subprocess.run(command, cwd=directory, check=True)
    (directory / "libgreet.so").symlink_to("libgreet.so.1")
    return directory


def repaired(place: Place, workshop: Workshop, library: Path) -> Path:
    """Build the wheel in its world and let auditwheel put the library into it."""
    own = shutil.copytree(library, place.root / "library", symlinks=True)
    more = {**workshop.tools(dict(place.variables)), "LIBRARY_PATH": str(own), "LD_LIBRARY_PATH": str(own)}
    built, out = place.directory("built"), place.directory("repaired")
    build = [workshop.python, "-m", "build", "--no-isolation", "--wheel", "--outdir", built, place.tree]
    place.run(build, more=more)
    place.run([workshop.bin / "auditwheel", "repair", "--wheel-dir", out, next(built.glob("*.whl"))], more=more)
    return next(out.glob("*.whl"))


def assert_record_is_right(wheel: Path) -> None:
    files = contents(wheel)
    (name,) = (member for member in files if member.endswith(".dist-info/RECORD"))
    rows = list(csv.reader(files[name].decode("utf-8").splitlines()))
    assert rows.pop() == [name, "", ""]
    for member, stated, size in rows:
        sum_ = base64.urlsafe_b64encode(hashlib.sha256(files[member]).digest()).rstrip(b"=").decode()
        assert (stated, size) == (f"sha256={sum_}", str(len(files[member])))
    assert [row[0] for row in rows] == sorted(files.keys() - {name}, key=str.encode)


def test_repaired_wheels_become_equal_and_work(
    roots: tuple[Path, Path], workshop: Workshop, library: Path, tmp_path: Path
) -> None:
    source = write_tree(tmp_path / "source", PROJECT)
    wheels: list[Path] = []
    places = []
    for world, root in zip((QUIET, HOSTILE), roots):
        wait_past(time.time() if wheels else 0)
        places.append(settle(world, source, root))
        wheels.append(repaired(places[-1], workshop, library))
    assert digest(wheels[0]) != digest(wheels[1]), "auditwheel alone is reproducible now: is this test still needed?"
    for place, wheel in zip(places, wheels):
        # auditwheel gives every member the time of its run, which normalize takes for the wheel's date.
        place.run([workshop.bin / "samebytes", "normalize", "--date", "2020-02-02", wheel])
    assert_same(wheels)
    assert_record_is_right(wheels[0])
    assert any(".libs/libgreet" in member for member in contents(wheels[0]))
    assert_normalizing_again_changes_nothing(wheels[0], places[1], workshop)
    assert says(wheels[0], places[0], workshop) == "hello from a library\n"


def assert_normalizing_again_changes_nothing(wheel: Path, place: Place, workshop: Workshop) -> None:
    before = digest(wheel)
    place.run([workshop.bin / "samebytes", "normalize", wheel])
    assert digest(wheel) == before
    place.run([workshop.bin / "samebytes", "check", wheel])


def says(wheel: Path, place: Place, workshop: Workshop) -> str:
    """Install the wheel into an environment of its own, where the library is nowhere else, and call it."""
    environment = place.root / "environment"
    place.run([workshop.python, "-m", "venv", "--without-pip", environment])
    python = environment / "bin" / "python"
    place.run([workshop.python, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel])
    return place.run([python, "-c", "import greeter; print(greeter.greet())"]).stdout
