"""An extension for the stable ABI that needs two shared libraries: one that is nowhere else, one of the system."""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess
from functools import cache
from pathlib import Path

from support.conditions import Place
from support.projects import write_tree
from support.workshop import Workshop

SAYS = "hello from a library"

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "greeter"
version = "1.0"
"""

_WRAPPED = _PYPROJECT.replace(
    '"]\nbuild-backend = "setuptools.build_meta"', '", "samebytes"]\nbuild-backend = "samebytes.backend"'
)
_WRAPPED += '\n[tool.samebytes]\nbuild-backend = "setuptools.build_meta"\n'

_SETUP = """\
from setuptools import Extension, setup

greeter = Extension(
    "greeter",
    ["greeter.c"],
    libraries=["greet"],
    extra_link_args={arguments},
    define_macros=[("Py_LIMITED_API", "0x03090000")],
    py_limited_api=True,
)
setup(ext_modules=[greeter], options={{"bdist_wheel": {{"py_limited_api": "cp39"}}}})
"""

_SOURCE = """\
#include <Python.h>

extern const char *greet(void);

static PyObject *call(PyObject *self, PyObject *unused) {{ return PyUnicode_FromString(greet()); }}
{more}
static PyMethodDef methods[] = {{{{"greet", call, METH_NOARGS, ""}}, {{NULL, NULL, 0, NULL}}}};

static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "greeter", NULL, -1, methods, NULL, NULL, NULL, NULL}};

PyMODINIT_FUNC PyInit_greeter(void) {{ return PyModule_Create(&module); }}
"""

_CHEAT = """
extern PyObject *_PyObject_NextNotImplemented(PyObject *);
PyObject *(*outside_the_stable_abi)(PyObject *) = _PyObject_NextNotImplemented;
"""


@cache
def system_library() -> str:
    """Return the file name of a library that auditwheel grafts and that the system's package manager knows, or ''."""
    return ctypes.util.find_library("ffi") or ""


def project(root: Path, *, wrapped: bool, cheats: bool = False) -> Path:
    """Write the project, and return *root*; with *cheats*, it uses a function that the stable ABI does not have."""
    arguments = ["-Wl,--no-as-needed", f"-l:{system_library()}"] if system_library() else []
    files = {
        "pyproject.toml": _WRAPPED if wrapped else _PYPROJECT,
        "setup.py": _SETUP.format(arguments=arguments),
        "greeter.c": _SOURCE.format(more=_CHEAT if cheats else ""),
    }
    return write_tree(root, files)


def library(directory: Path) -> Path:
    """Compile the shared library that is on no machine, and return the directory to link and load it from."""
    source = directory / "greet.c"
    source.write_text(f'const char *greet(void) {{ return "{SAYS}"; }}\n')
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wl,-soname,libgreet.so.1", "-o", "libgreet.so.1", source.name]
    subprocess.run(command, cwd=directory, check=True)
    (directory / "libgreet.so").symlink_to("libgreet.so.1")
    return directory


def surroundings(place: Place, workshop: Workshop, library: Path) -> dict[str, str]:
    """Return the variables of an environment in which the library lies beside the tree, at a path of its own."""
    own = place.root / "library"
    if not own.exists():
        shutil.copytree(library, own, symlinks=True)
    return {**workshop.tools(dict(place.variables)), "LIBRARY_PATH": str(own), "LD_LIBRARY_PATH": str(own)}


def build(place: Place, workshop: Workshop, library: Path) -> Path:
    """Build the wheel in its environment, as it is before a repair."""
    out = place.directory("built")
    command = [str(workshop.python), "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(place.tree)]
    place.run(command, more=surroundings(place, workshop, library))
    return next(out.glob("*.whl"))


def installed_says(wheel: Path, place: Place, workshop: Workshop) -> str:
    """Install the wheel into an environment of its own, where the library is nowhere else, and call it."""
    environment = place.root / "environment"
    place.run([workshop.python, "-m", "venv", "--without-pip", environment])
    python = environment / "bin" / "python"
    place.run([workshop.python, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel])
    return place.run([python, "-c", "import greeter; print(greeter.greet())"]).stdout.rstrip()
