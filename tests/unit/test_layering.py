"""Which room may import which: the table in CONTRIBUTING.md, held against the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import samebytes

PACKAGE = Path(samebytes.__file__).parent

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "epoch": {"errors"},
    "cores": set(),
    "deflate": {"errors"},
    "archive": {"deflate", "errors"},
    "outside": {"errors"},
    "dist": {"archive", "errors"},
    "passes": {"dist", "archive", "deflate", "epoch", "errors"},
    "backend": {"passes", "dist", "archive", "cores", "deflate", "epoch", "errors"},
    "comparison": {"passes", "dist", "archive", "deflate", "epoch", "errors"},
    "flows": {"backend", "comparison", "passes", "dist", "archive", "deflate", "outside", "epoch", "errors"},
    "survey": {"flows", "backend", "comparison", "passes", "dist", "archive", "deflate", "outside", "epoch", "errors"},
    "report": {"errors", "survey", "comparison", "flows", "passes", "epoch"},
    "api": {"comparison", "cores", "epoch", "errors", "flows", "outside", "passes"},
    "cli": {"cores", "survey", "flows", "report", "outside", "epoch", "errors"},
}
"""Every room may import itself and the package's own ``__version__``."""

LIGHT = {"errors", "epoch", "cores", "deflate", "archive", "dist", "passes", "backend"}
"""Rooms that load inside every build: the standard library, pyproject-hooks, packaging, tomli, nothing else."""

ALLOWED_THERE = {"packaging", "pyproject_hooks", "tomli", "tomllib", "_typeshed"}


STANDARD_LIBRARY: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in ROOMS)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str, str]]:
    """Return line, top-level package and, for our own package, room of every import anywhere in the file."""
    found = []
    package = ["samebytes", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        found += [(node.lineno, name[0], name[1] if name[0] == "samebytes" and len(name) > 1 else "") for name in names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = room_of(path)
    for line, top, target in imported(path):
        if top == "samebytes" and target not in ("", "__version__"):
            assert target in ROOMS[room] | {room}, f"{path}:{line}: {room} may not import {target}"
        elif room in LIGHT and STANDARD_LIBRARY:  # Python 3.9 has no list of it
            assert top in STANDARD_LIBRARY | ALLOWED_THERE | {"samebytes"}, f"{path}:{line}: {top} in {room}"


def test_every_room_is_in_the_table() -> None:
    assert {room_of(path) for path in modules()} == set(ROOMS)


def test_importing_the_backend_imports_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import samebytes.backend; print(*sorted(set(sys.modules) - before))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(said) <= {"samebytes", "samebytes.backend", "__future__"}
