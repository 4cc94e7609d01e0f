"""What kind of list a file is, by what it holds: names alone say little, as ``requirements.lock`` is no TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from samebytes.errors import ConfigError, UsageError

from . import lock_files
from .requirements_file import text_of

_TOML = re.compile(r"""\[|(["']?)[\w.-]+\1\s*=(?!=)""", re.ASCII)
"""How a line of TOML begins: a table, or a key. ``demo==1.0`` is not one."""
_JSON_OR_YAML = ("{", "---", "version:")
_NAMES = ("uv.lock", "poetry.lock", "pdm.lock")
_REQUIREMENTS = (".txt", ".in")


class ListFormat(Enum):
    """A kind of list of releases that is read."""

    REQUIREMENTS = "a requirements file"
    PYLOCK = "a pylock.toml"
    UV_LOCK = "a uv.lock"


_EXPORTS = {
    "Pipfile.lock": "pipenv requirements --hash > requirements.txt",
    "Pipfile": "pipenv lock && pipenv requirements --hash > requirements.txt",
    "poetry.lock": "poetry export -o requirements.txt (with the plugin poetry-plugin-export)",
    "pdm.lock": "pdm export -o requirements.txt",
    "script": "uv lock --script FILE, which writes FILE.lock",
    "pyproject.toml": "uv pip compile --generate-hashes pyproject.toml -o requirements.txt",
}
"""Lists that are not read, and how to get one that is."""


def may_be_list(path: Path) -> bool:
    """Return whether *path* has a name as lists have, requirements files among them."""
    return path.suffix in (".toml", ".lock", *_REQUIREMENTS) or path.name == "Pipfile"


def is_requirements(path: Path) -> bool:
    """Return whether *path* begins as a requirements file does, or is a pipe; what is not there has its suffix.

    :raises ConfigError: if it cannot be read.
    """
    if path.suffix == ".toml" or path.name in _NAMES:
        return False
    # Pipes are read once: what comes through one is a requirements file.
    if not path.is_file():
        return path.suffix != ".lock"
    start = _first_line(path)
    return not (start.startswith(_JSON_OR_YAML) or _TOML.match(start))


def recognized(path: Path) -> tuple[ListFormat, Mapping[str, Any]]:
    """Return what kind of list *path* is, and the document in it, empty for a requirements file.

    :raises ConfigError: if it cannot be read.
    :raises UsageError: if it is a list of a kind that is not read; the remedy says how to get one that is.
    """
    # PEP 723: its comments would be those of an empty requirements file.
    if path.suffix == ".py" and path.is_file():
        raise _unread(path, "script")
    if is_requirements(path):
        return ListFormat.REQUIREMENTS, {}
    if path.is_file() and path.suffix != ".toml" and _first_line(path).startswith(_JSON_OR_YAML):
        raise _unread(path, "Pipfile.lock" if '"_meta"' in text_of(path) else "")
    return _of_document(path)


def _of_document(path: Path) -> tuple[ListFormat, Mapping[str, Any]]:
    try:
        document = lock_files.document_of(path)
    except ConfigError:
        if path.suffix in _REQUIREMENTS:  # whose reader names the line
            return ListFormat.REQUIREMENTS, {}
        if path.suffix in (".toml", ".lock") or not path.is_file():
            raise
        raise _unread(path, "") from None  # such as a setup.cfg
    if lock_files.is_pylock(document):
        return ListFormat.PYLOCK, document
    if lock_files.is_uv_lock(document):
        return ListFormat.UV_LOCK, document
    kind = _kind(document)
    if not kind and path.suffix in _REQUIREMENTS:
        return ListFormat.REQUIREMENTS, {}
    raise _unread(path, kind)


def _kind(document: Mapping[str, Any]) -> str:
    """Return the usual name of a TOML document that is a list of packages, but none that is read."""
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and {"lock-version", "content-hash"} & set(metadata):
        return "poetry.lock"
    if isinstance(metadata, dict) and "lock_version" in metadata:
        return "pdm.lock"
    if {"project", "build-system", "tool", "dependency-groups"} & set(document):
        return "pyproject.toml"
    return "Pipfile" if {"packages", "dev-packages"} & set(document) and "source" in document else ""


def _first_line(path: Path) -> str:
    """Return the first line of *path* that is neither empty nor a comment."""
    lines = (line.strip() for line in text_of(path).splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def _unread(path: Path, kind: str) -> UsageError:
    if kind:
        of_kind = f"a {kind}, a list" if path.name != kind else "a list"
        return UsageError(
            f"{path} is {of_kind} of a kind that is not read", remedy=f"Get one that is: {_EXPORTS[kind]}"
        )
    return UsageError(
        f"{path} is neither a requirements file, nor a pylock.toml (PEP 751), nor a uv.lock",
        remedy="Name a list of one of these kinds.",
    )
