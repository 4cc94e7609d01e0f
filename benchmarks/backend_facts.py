"""Build with releases of build backends, and hold what comes out against the table of facts about them.

    python benchmarks/backend_facts.py               every row of the table
    python benchmarks/backend_facts.py wheel         those of that backend

Of each row the releases that change a trait are tried, and the ones before them. Needs samebytes with its extra
``tools``, a package index, and an interpreter that old releases of setuptools run with, such as CPython 3.11. Prints a
Markdown table, and ends with status 1 if the table is wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from packaging.version import Version
from samebytes_tools.building.interpreters import named
from samebytes_tools.commands.verify.backend_facts import FACTS, PYTHON, BackendFact
from samebytes_tools.commands.verify.candidates import known_releases
from samebytes_tools.commands.verify.traits import read, traits
from samebytes_tools.index.client import Index

SETUP = """\
from setuptools import setup

setup(
    name="demo-probe",
    version="1.0",
    description="A probe",
    long_description="Text\\n",
    author="A",
    url="https://example.org",
    download_url="https://example.org/d",
    packages=["demo_probe"],
    install_requires=["idna>=2,<4"],
    extras_require={"more": ["attrs>=20"]},
)
"""
PROJECT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "demo-probe"
version = "1.0"
description = "A probe"
readme = "README.rst"
license = {file = "LICENSE"}
dependencies = ["idna>=2,<4"]

[tool.flit.module]
name = "demo_probe"
"""
OF_HATCHLING = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "demo-probe"
version = "1.0"
description = "A probe"
readme = "README.rst"
dependencies = ["idna>=2,<4"]
"""
OF_POETRY = """\
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"

[tool.poetry]
name = "demo-probe"
version = "1.0"
description = "A probe"
authors = ["A <a@example.org>"]
readme = "README.rst"

[tool.poetry.dependencies]
python = ">=3.8"
idna = ">=2,<4"
"""
PYTHONS = ("3.7", "3.8", "3.9")
BACKENDS = {
    PYTHON: "setuptools.build_meta",
    "setuptools": "setuptools.build_meta",
    "wheel": "setuptools.build_meta",
    "flit-core": "flit_core.buildapi",
    "hatchling": "hatchling.build",
    "poetry-core": "poetry.core.masonry.api",
}
FILES = {
    PYTHON: {"setup.py": SETUP},
    "setuptools": {"setup.py": SETUP},
    "wheel": {"setup.py": SETUP},
    "flit-core": {"pyproject.toml": PROJECT},
    "hatchling": {"pyproject.toml": OF_HATCHLING},
    "poetry-core": {"pyproject.toml": OF_POETRY},
}
"""What a project is built of by each of them, beside a module, a license and a description."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("backends", metavar="BACKEND", nargs="*", default=list(BACKENDS))
    args = parser.parse_args()
    index = Index.configured(os.environ)
    print("| backend | release | in | trait | value | as in the table |\n|---|---|---|---|---|---|")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for fact in (fact for fact in FACTS if fact.backend in args.backends):
            for release in releases(index, fact):
                for kind in fact.kinds:
                    found = made(fact.backend, str(release), Path(scratch)).get(kind.value, {}).get(fact.trait, "none")
                    # A field that is not there yet has no value.
                    is_right = fact.gives(release, found) or (found, fact.value(release)) == ("none", "no")
                    wrong += not is_right
                    row = fact.backend, str(release), kind.value, fact.trait, found, "yes" if is_right else "no"
                    print(f"| {' | '.join(row)} |", flush=True)
    return 1 if wrong else 0


def releases(index: Index, fact: BackendFact) -> list[Version]:
    """Return the releases from which the trait has another value, each with the one before it."""
    # Of the interpreters those that are here: the rows of a table are no reason to install them.
    known = [Version(name) for name in PYTHONS] if fact.backend == PYTHON else known_releases(index, fact.backend, None)
    found = []
    for since, _ in fact.values[1:]:
        before = [one for one in known if one < Version(since)]
        found += [*before[-1:], *(one for one in known if one == Version(since))]
    return found


@cache
def made(backend: str, release: str, scratch: Path) -> dict[str, dict[str, str]]:
    """Return the traits of a wheel and an sdist that *release* made, by kind; none of what it does not make."""
    root = scratch / f"{backend}-{release}"
    source, out = root / "src", root / "out"
    (source / "demo_probe").mkdir(parents=True)
    out.mkdir()
    (source / "demo_probe" / "__init__.py").write_text('"""Demo."""\n')
    (source / "LICENSE").write_text("MIT\n")
    (source / "README.rst").write_text("Text\n")
    for file, text in FILES[backend].items():
        (source / file).write_text(text)
    interpreter = named(release, os.environ).executable if backend == PYTHON else sys.executable
    subprocess.run([interpreter, "-m", "venv", root / "env"], check=True)
    python = str(root / "env" / ("Scripts" if os.name == "nt" else "bin") / "python")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *requirements(backend, release)], check=True)
    for hook in ("build_wheel", "build_sdist"):
        code = f"import sys, {BACKENDS[backend]} as backend; backend.{hook}(sys.argv[1])"
        subprocess.run([python, "-W", "ignore", "-c", code, out], cwd=source, check=True, stdout=subprocess.DEVNULL)
    return {"wheel" if path.suffix == ".whl" else "sdist": traits(read(path)) for path in out.iterdir()}


def requirements(backend: str, release: str) -> list[str]:
    """Return what is installed to build with that release."""
    if backend == PYTHON:
        return ["setuptools==68.0.0", "wheel==0.42.0"]
    if backend == "wheel":
        return [f"wheel=={release}", "setuptools==65.7.0"]
    if backend == "setuptools" and Version(release) < Version("70.1"):
        return [f"setuptools=={release}", "wheel==0.37.1"]
    return [f"{backend}=={release}"]


if __name__ == "__main__":
    sys.exit(main())
