"""Variables by which a project's build lets its extension be switched off, or on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from samebytes.backend.config import load, parsed_toml, toml_bytes
from samebytes.errors import SamebytesError, UsageError

from ...building.provenance import check_variable

_LARGEST = 1 << 20
"""Bytes of a script that are read."""
_MOST = 50
"""Scripts that are read."""
_LONGEST = 2000
"""Characters of a variable; systems start no program with one that is much longer."""

_NAME = re.compile(r"""["']([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)["']""")
"""A text that can be the name of a project's own variable."""
_OFF = re.compile(r"(^|_)(NO|DISABLE|SKIP|WITHOUT|PURE|PUREPYTHON|FORCE_PURE)(_|$)")
"""What switches something off by being set: FROZENLIST_NO_EXTENSIONS, MSGPACK_PUREPYTHON, DISABLE_SPEEDUPS."""
_ON = re.compile(r"(^|_)(C?EXTENSIONS?|C?EXTS?|SPEEDUPS?|MYPYC|CYTHON|LIBYAML)(_|$)")
"""What names an extension: WRAPT_INSTALL_EXTENSIONS, TORNADO_EXTENSION."""
_DEMAND = re.compile(r"(^|_)(REQUIRE|COVERAGE|DEBUG|TEST|RUNTIME|ALLOW)(_|$)")
_HOOK_OFF = re.compile(rb"^\s*enable-by-default\s*=\s*false", re.MULTILINE)
_WORD = re.compile(r"""["'](false|0|no|off)["']""", re.IGNORECASE)
_NEAR = 600
"""Characters after the name of a variable in which it is compared with something."""


def switched_off(tree: Path) -> list[dict[str, str]]:
    """Return variables that may switch an extension of the source *tree* off, one at a time, likely ones first.

    Only their names and what they are compared with are looked at, in setup.py and in a backend of the tree's own, so
    whether one does it only a build shows.
    """
    found: dict[str, tuple[int, str]] = {}
    for text, match in _named(tree):
        name = match[1]
        if _OFF.search(name):
            # One that names an extension, too, before one that may be of anything else.
            found.setdefault(name, (0 if _ON.search(name) or "PURE" in name else 2, "1"))
        elif _ON.search(name):
            word = _WORD.search(text, match.end(), match.end() + _NEAR)
            found.setdefault(name, (1, word[1] if word else "0"))
    return [{name: value} for name, (_, value) in sorted(found.items(), key=lambda item: item[1][0])]


def switched_on(tree: Path) -> list[dict[str, str]]:
    """Return variables that may switch an extension of the source *tree* on, one set at a time, likely ones first.

    The first are those that the project gives its own releases by ``[tool.cibuildwheel] environment``.
    """
    names = dict.fromkeys(match[1] for _, match in _named(tree) if _ON.search(match[1]) and not _OFF.search(match[1]))
    return [one for one in (_of_cibuildwheel(tree), _of_hatchling(tree), *({name: "1"} for name in names)) if one]


def _named(tree: Path) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the scripts of a build, with each text in them that can be the name of such a variable."""
    for text in _scripts(tree):
        yield from ((text, match) for match in _NAME.finditer(text) if _is_own(match[1]))


def _is_own(name: str) -> bool:
    """Return whether *name* may be of a variable that switches something in the build, and not in pip or git."""
    try:
        check_variable(name)
    except UsageError:
        return False
    # A project may be called by one of these words: COVERAGE_DISABLE_EXTENSION.
    is_demand = _DEMAND.search(name) and not (_OFF.search(name) and _ON.search(name))
    return len(name) <= _LONGEST and not is_demand


def _of_cibuildwheel(tree: Path) -> dict[str, str]:
    """Return the variables of ``[tool.cibuildwheel]``; nothing if they are made by a shell, or malformed."""
    try:
        tables = parsed_toml(toml_bytes(tree / "pyproject.toml").decode("utf-8"))["tool"]["cibuildwheel"]
        given = {**tables.get("environment", {}), **tables.get("linux", {}).get("environment", {})}
        for name, value in given.items():
            check_variable(name)
            if not isinstance(value, str) or "$" in value or not value.isprintable():
                return {}
        # Together, for all of them stand in a note.
        return given if sum(map(len, (*given, *given.values()))) <= _LONGEST else {}
    # A line of a shell in place of a table, too; it is a hint, no more.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SamebytesError):
        return {}


def _of_hatchling(tree: Path) -> dict[str, str]:
    """Return the variable that switches build hooks on, if the project has one that is off (hatch, "Build hooks")."""
    try:
        is_off = _HOOK_OFF.search(toml_bytes(tree / "pyproject.toml"))
    except (OSError, SamebytesError):
        return {}
    return {"HATCH_BUILD_HOOKS_ENABLE": "1"} if is_off else {}


def _scripts(tree: Path) -> Iterator[str]:
    own = [path for folder in load(tree).backend.path for path in sorted((tree / folder).rglob("*.py"))]
    for path in [tree / "setup.py", *own][:_MOST]:
        if path.is_file() and path.stat().st_size <= _LARGEST:
            yield path.read_text("utf-8", "replace")
