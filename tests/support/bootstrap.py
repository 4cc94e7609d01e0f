"""What a distribution has when it packages samebytes: its source, the few packages it stands on, and no index."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from support.conditions import Place
from support.workshop import PROJECT, Workshop

NEEDED = ("flit_core", "packaging", "pyproject_hooks")
"""What a package of samebytes has among its build requirements, by what is imported; before 3.11 tomli too."""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}


def own_source(target: Path) -> Path:
    """Copy samebytes' source to *target* as an sdist has it, without the tests, and return *target*."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("src", "docs", "examples", "data", "tools"):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, target / name, ignore=ignored)
    (target / "tests").mkdir()
    for path in (*PROJECT.glob("*.md"), PROJECT / "LICENSE", PROJECT / "pyproject.toml"):
        shutil.copy(path, target)
    return target


def needed() -> tuple[str, ...]:
    return NEEDED if sys.version_info >= (3, 11) else (*NEEDED, "tomli")


def plain_files(workshop: Workshop, target: Path) -> Path:
    """Copy the packages that samebytes needs, and nothing else, as plain files."""
    (site,) = (workshop.environment / "lib").glob("python*/site-packages")
    for name in needed():
        shutil.copytree(site / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def bare_environment(place: Place, workshop: Workshop, more: tuple[str, ...] = ()) -> Path:
    """Make an environment with what samebytes needs, *more*, and nothing else; return its interpreter."""
    environment = place.root / "environment"
    place.run([workshop.python, "-m", "venv", "--without-pip", environment])
    python = environment / "bin" / "python"
    (site,) = (environment / "lib").glob("python*/site-packages")
    (shelf,) = (workshop.environment / "lib").glob("python*/site-packages")
    for name in (*needed(), *more):
        project = name.replace("_", "[_-]")
        shutil.copytree(shelf / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
        (info,) = shelf.glob(f"{project}-*.dist-info")
        shutil.copytree(info, site / info.name)
    return python


def system_python() -> str:
    """Return the interpreter that the test environment was made with: it has none of its packages."""
    return str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
