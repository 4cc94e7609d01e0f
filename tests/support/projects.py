"""The example projects, and small projects made on the spot: wrapped by samebytes, or with their own backend alone."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WRAPPER = "samebytes.backend"


@dataclass(frozen=True)
class Example:
    """One directory under ``examples/`` and what a test must know of it."""

    directory: str
    tools: tuple[str, ...] = ()
    """Programs without which it cannot be built, beyond Python."""
    needs_git: bool = False
    """Whether its backend makes sdists from a repository only (Meson does)."""
    compiled: bool = False
    varies: frozenset[str] = frozenset()
    """Which of ``sdist`` and ``wheel`` differ between two environments when the inner backend builds alone."""
    wheel_needs: tuple[str, ...] = ()
    """What the inner backend asks for beyond pyproject.toml where the environment is not isolated."""

    @property
    def path(self) -> Path:
        return EXAMPLES / self.directory


BOTH = frozenset({"sdist", "wheel"})

WRAPPED = (
    Example("setuptools-legacy", varies=BOTH),
    Example("setuptools-pyproject", varies=BOTH),
    Example("setuptools-c-extension", tools=("cc",), compiled=True, varies=BOTH),
    Example("setuptools-set-requires", varies=BOTH),
    Example("hatchling"),
    Example("flit", varies=BOTH),
    Example("poetry"),
    Example("pdm", varies=frozenset({"sdist"})),
    Example("uv-build"),
    Example(
        "meson-c-extension", tools=("cc", "git"), needs_git=True, compiled=True, varies=BOTH, wheel_needs=("ninja",)
    ),
    Example(
        "scikit-build-core-c-extension",
        tools=("cc",),
        compiled=True,
        varies=frozenset({"wheel"}),
        wheel_needs=("cmake", "ninja"),
    ),
    Example("maturin", tools=("cc", "cargo"), compiled=True, varies=frozenset({"wheel"})),
    Example("in-tree-backend", varies=BOTH),
)
UNWRAPPED = Example("unwrapped-setuptools", varies=BOTH)

BY_NAME = {example.directory: example for example in (*WRAPPED, UNWRAPPED)}
QUICK = tuple(
    one for one in WRAPPED if one.directory not in {"setuptools-legacy", "setuptools-set-requires", "maturin"}
)
"""One for each family of backends, but for maturin, for which Rust's packages would be fetched and compiled."""


def missing_tools(example: Example) -> list[str]:
    """Return the programs that *example* needs and that are not on PATH."""
    return [tool for tool in example.tools if shutil.which(tool) is None]


def strip_samebytes(pyproject: str) -> str:
    """Return *pyproject* as it would be without samebytes: the inner backend in its place, its table gone.

    Works on the layout that the examples have, not on any TOML.
    """
    table = re.search(r"\n\[tool\.samebytes\]\n(?P<lines>(?:[^\[\n].*\n)*)", pyproject)
    if table is None:
        return pyproject
    inner = "".join(
        line + "\n" for line in table["lines"].splitlines() if line.startswith(("build-backend ", "backend-path "))
    )
    rest = pyproject[: table.start()] + pyproject[table.end() :]
    rest = rest.replace(f'build-backend = "{WRAPPER}"\n', inner)
    return rest.replace(', "samebytes"]', "]")


def requirements(example: Example) -> list[str]:
    """Return what *example* and its inner backend need to build, samebytes left out."""
    found = re.search(r"^requires = \[(?P<items>.*)\]$", (example.path / "pyproject.toml").read_text("utf-8"), re.M)
    assert found is not None
    named = re.findall(r'"([^"]+)"', found["items"])
    return [name for name in named if name != "samebytes"] + list(example.wheel_needs)


def copy_bare(example: Example, target: Path) -> Path:
    """Copy *example* to *target* as an upstream without samebytes, and return *target*."""
    shutil.copytree(example.path, target)
    pyproject = target / "pyproject.toml"
    pyproject.write_text(strip_samebytes(pyproject.read_text("utf-8")), "utf-8")
    return target


def write_tree(root: Path, files: dict[str, str]) -> Path:
    """Write *files* (path below *root* → text) and return *root*."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


SMALL_PYPROJECT = """\
[build-system]
requires = ["samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "{backend}"
backend-path = ["backend"]
{table}"""

SMALL_BACKEND = '''\
"""A backend of the test's own, without a library: one wheel and one sdist of one module."""

import base64
import hashlib
import io
import os
import tarfile
import time
import zipfile

WHEEL_NAME = "small-1.0-py3-none-any.whl"
SDIST_NAME = "small-1.0.tar.gz"
METADATA = "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n"
MEMBERS = {
    "small.py": "VALUE = 1\\n",
    "small-1.0.dist-info/METADATA": METADATA,
    "small-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: small 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}


def row(name, text):
    data = text.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return "%s,sha256=%s,%d\\n" % (name, digest, len(data))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(os.path.join(wheel_directory, WHEEL_NAME), "w") as wheel:
        for name, text in MEMBERS.items():
            wheel.writestr(zipfile.ZipInfo(name, time.localtime()[:6]), text)
        rows = "".join(row(name, text) for name, text in MEMBERS.items())
        wheel.writestr("small-1.0.dist-info/RECORD", rows + "small-1.0.dist-info/RECORD,,\\n")
    return WHEEL_NAME


def build_sdist(sdist_directory, config_settings=None):
    with tarfile.open(os.path.join(sdist_directory, SDIST_NAME), "w:gz") as sdist:
        sdist.add("pyproject.toml", "small-1.0/pyproject.toml")
        sdist.add("backend/small_backend.py", "small-1.0/backend/small_backend.py")
        info = tarfile.TarInfo("small-1.0/PKG-INFO")
        info.size = len(METADATA)
        info.mtime = time.time()
        sdist.addfile(info, io.BytesIO(METADATA.encode()))
    return SDIST_NAME
'''


def small_project(root: Path, *, table: str = "", backend: str = "small_backend", extra: str = "") -> Path:
    """Write a wrapped project whose in-tree backend is a few lines long, and return *root*.

    :param table: further lines of ``[tool.samebytes]``
    :param backend: what ``build-backend`` there names
    :param extra: Python that is appended to the backend: its definitions win over the ones that are there
    """
    return write_tree(
        root,
        {
            "pyproject.toml": SMALL_PYPROJECT.format(backend=backend, table=table),
            "backend/small_backend.py": SMALL_BACKEND + extra,
        },
    )


def header_wheel(directory: Path) -> Path:
    """Write a wheel whose package holds nothing but a C header, as many build requirements do, and return it."""
    files = {
        "foreign_headers/__init__.py": "",
        "foreign_headers/foreign.h": FOREIGN_HEADER,
        "foreign_headers-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: foreign-headers\nVersion: 1.0\n",
        "foreign_headers-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "foreign_headers-1.0.dist-info/RECORD"])
    directory.mkdir(parents=True, exist_ok=True)
    wheel = directory / "foreign_headers-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("foreign_headers-1.0.dist-info/RECORD", record)
    return wheel


FOREIGN_HEADER = """\
static inline const char *foreign_header(void)
{
    return __FILE__;
}
"""


def project_with_foreign_header() -> dict[str, str]:
    """Return the files of a project whose extension includes the header of :func:`header_wheel`."""
    return {
        "pyproject.toml": """\
[build-system]
requires = ["setuptools>=61", "foreign-headers", "samebytes"]
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "setuptools.build_meta"

[project]
name = "with-foreign-header"
version = "1.0"
""",
        "setup.py": """\
from pathlib import Path

import foreign_headers
from setuptools import Extension, setup

include = str(Path(foreign_headers.__file__).parent)
setup(ext_modules=[Extension("foreign", ["foreign.c"], include_dirs=[include])])
""",
        "foreign.c": """\
#include <Python.h>
#include <foreign.h>

static PyObject *where(PyObject *self, PyObject *unused) { return PyUnicode_FromString(foreign_header()); }

static PyMethodDef methods[] = {{"where", where, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "foreign", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_foreign(void) { return PyModule_Create(&module); }
""",
    }
