"""Lock files: ``pylock.toml`` (PEP 751) and ``uv.lock``; each package an entry."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any, Callable

from packaging.utils import canonicalize_name

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import parsed_toml, toml_bytes
from samebytes.errors import ConfigError

from ..building.markers import applies
from ..building.pylock import allows
from ..index.pages import File
from . import listed
from .listed import ListedRelease
from .requirements_file import decoded
from .selection import Selection

PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
"""PEP 751, "File Name"."""
_CONFLICTING = re.compile(r"extra (==|!=) '((?:extra|group|project)-\d+-[^']*)'")
"""What uv writes into markers where extras or groups conflict with one another; not meant for other tools."""
_MOST_CHOICES = 256
"""How many ways to choose among conflicting extras and groups are looked at; each alone is in any case."""
_REMEDY = "Lock again, with the tool that wrote it."


def document_of(path: Path) -> dict[str, Any]:
    """Return the TOML document *path*.

    :raises ConfigError: if it cannot be read.
    """
    try:
        return dict(parsed_toml(decoded(toml_bytes(path))))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", remedy=_REMEDY) from None


def is_pylock(document: Mapping[str, Any]) -> bool:
    """Return whether it is a ``pylock.toml``."""
    return isinstance(document.get("lock-version"), str) and "packages" in document


def is_uv_lock(document: Mapping[str, Any]) -> bool:
    """Return whether it is a ``uv.lock``."""
    return isinstance(document.get("version"), int) and "package" in document


def read_pylock(
    path: Path, document: Mapping[str, Any], environment: Mapping[str, str], python: str
) -> list[ListedRelease]:
    """Return the entries of a ``pylock.toml``; what is malformed in one is its own error, and not the others'.

    :param environment: what markers find other than in this interpreter.
    :param python: the version that ``requires-python`` is held against.
    :raises ConfigError: if the document itself is malformed, or of another version.
    """
    version = document["lock-version"]
    if version.partition(".")[0] != "1":  # PEP 751: tools refuse another major version, and may read any minor one
        raise ConfigError(f"{path} has lock-version {version!r}, and samebytes reads version 1", remedy=_REMEDY)
    groups = document.get("default-groups", [])
    return [
        _read_package(package, lambda one: _pylock_package(path, one, environment, groups, python))
        for package in _tables(document["packages"], path)
    ]


def _tables(value: object, path: Path) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ConfigError(f"{path} has no list of packages", remedy=_REMEDY)
    return value


def _read_package(package: Mapping[str, Any], read: Callable[[Mapping[str, Any]], ListedRelease]) -> ListedRelease:
    try:
        return read(package)
    except ConfigError as error:
        problem: ConfigError = error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = ConfigError(f"the lock file has a malformed entry: {error!r:.200}", remedy=_REMEDY)
    name, version = package.get("name", "a package without a name"), package.get("version", "")
    return ListedRelease(str(name), str(version), error=problem)


def _pylock_package(
    path: Path, package: Mapping[str, Any], environment: Mapping[str, str], groups: Iterable[str], python: str
) -> ListedRelease:
    name, version, marker = canonicalize_name(package["name"]), package.get("version", ""), package.get("marker", "")
    if not applies(marker, environment, groups):
        return ListedRelease(name, version, skipped=listed.elsewhere(marker))
    wanted = package.get("requires-python", "")
    if not allows(wanted, python):
        return ListedRelease(name, version, skipped=f"not for this environment: Python {wanted}")
    if "vcs" in package:
        return listed.repository(name, version, _place(package["vcs"]))
    if "directory" in package:
        there = package["directory"]
        return listed.directory(name, version, there["path"], editable=bool(there.get("editable")))
    if "archive" in package:
        found = listed.address(name, version, _place(package["archive"]))
        return replace(found, files=(_file(path, package["archive"]),))
    wheels, sdist = package.get("wheels", []), package.get("sdist")
    hashes = [listed.strong(file.get("hashes", {}).items()) for file in [*wheels, *([sdist] if sdist else [])]]
    found = _release(name, version, bool(wheels), hashes, package.get("index", ""))
    return replace(found, files=tuple(_file(path, wheel) for wheel in wheels))


def _file(path: Path, table: Mapping[str, Any]) -> File:
    """Return a file that the lock file *path* describes; a path in it is relative to that (PEP 751)."""
    url, there = str(table.get("url", "")), str(table.get("path", ""))
    if there and not url:
        url = Path(path.resolve().parent, there).as_uri()
    hashes = dict(one.split(":") for one in listed.strong(table.get("hashes", {}).items()))
    size = table.get("size")
    return File(
        str(table.get("name") or listed.file_name(url)), url, hashes, size=size if isinstance(size, int) else None
    )


def _place(table: Mapping[str, Any]) -> str:
    return str(table.get("url") or table.get("path") or "which is not named")


def _release(name: str, version: str, has_wheels: bool, hashes: Sequence[frozenset[str]], index: str) -> ListedRelease:
    """Return the entry of a release of an index, with the *hashes* of each of its files."""
    if not version:
        return listed.unpinned(name, f"the entry of {name}")
    every = frozenset().union(*hashes)
    # With one file that has no hash, pip would take that one, too.
    is_whole = bool(hashes) and all(hashes)
    kind = None if has_wheels or not hashes else ArtifactKind.SDIST
    notes = () if is_whole else (listed.NO_HASH,)
    hashed = every if is_whole else frozenset()
    return ListedRelease(name, version, Selection(kind, hashes=hashed), notes, index=str(index))


def read_uv_lock(path: Path, document: Mapping[str, Any], environment: Mapping[str, str]) -> list[ListedRelease]:
    """Return the entries of a ``uv.lock``: what its projects need here, with all extras and groups, and the rest.

    :param environment: what markers find other than in this interpreter.
    :raises ConfigError: if the document itself is malformed, or of another version.
    """
    if document["version"] != 1:
        raise ConfigError(f"{path} has version {document['version']}, and samebytes reads 1", remedy=_REMEDY)
    packages = _tables(document["package"], path)
    try:
        needed = _needed(document, packages, environment)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is not a valid uv.lock: {error!r:.200}", remedy=_REMEDY) from None
    return [
        _read_package(package, partial(_uv_package, is_needed=number in needed))
        for number, package in enumerate(packages)
    ]


def _needed(
    document: Mapping[str, Any], packages: Sequence[Mapping[str, Any]], environment: Mapping[str, str]
) -> set[int]:
    """Return the numbers of the *packages* that the projects in a lock file need here, directly or not."""
    own = {number for number, one in enumerate(packages) if {"editable", "virtual"} & set(one["source"])}
    manifest = document.get("manifest", {})
    # Those of a script, and of a workspace without a project at its top.
    groups = [manifest.get("requirements", ()), *manifest.get("dependency-groups", {}).values()]
    required = [{**one, "extra": one.get("extras", ())} for group in groups for one in group]
    # The lock of a script without either: all of it is meant.
    if not own and not required:
        return set(range(len(packages)))
    by_name: dict[object, list[int]] = {}
    for number, one in enumerate(packages):
        by_name.setdefault(one["name"], []).append(number)

    def reached(chosen: frozenset[str]) -> set[int]:
        def holds(marker: str) -> bool:
            return applies(_without_conflicts(marker, chosen), environment)

        def meant(wanted: Mapping[str, Any]) -> list[int]:
            if not holds(wanted.get("marker", "")):
                return []
            numbers = by_name.get(wanted["name"], ())
            return [number for number in numbers if _is_meant(wanted, packages[number], holds)]

        return _reached(packages, own, required, meant)

    return set[int]().union(*map(reached, _choices(document.get("conflicts", ()))))


def _reached(
    packages: Sequence[Mapping[str, Any]],
    own: set[int],
    required: Sequence[Mapping[str, Any]],
    meant: Callable[[Mapping[str, Any]], list[int]],
) -> set[int]:
    """Return the numbers of the *packages* that are needed by its *own*, and by what is *required*, directly or not.

    :param meant: returns the numbers of those that a dependency is, if its marker holds.
    """
    # What is needed is a package, or one of its extras: each is looked at once.
    found = dict.fromkeys((number, "") for number in own)
    left, seen = deque(found), set[str]()
    wanted = list(required)
    while left or wanted:
        if not wanted:
            number, extra = left.popleft()
            wanted = _dependencies(packages[number], extra, is_own=number in own)
        for one in wanted:
            # Many packages need the same in the same words.
            if repr(one) not in seen:
                seen.add(repr(one))
                new = [pair for pair in product(meant(one), ("", *one.get("extra", ()))) if pair not in found]
                found.update(dict.fromkeys(new))
                left.extend(new)
        wanted = []
    return {number for number, _ in found}


def _choices(conflicts: Sequence[Sequence[Mapping[str, str]]]) -> set[frozenset[str]]:
    """Return which extras and groups may be installed together, of those that conflict, as markers name them."""
    sets = [["", *map(_as_extra, items)] for items in conflicts]
    alone = [frozenset([item]) for items in sets for item in items]
    return {one - {""} for one in (*alone, *map(frozenset, islice(product(*sets), _MOST_CHOICES)))}


def _as_extra(item: Mapping[str, str]) -> str:
    """Return how uv names in markers an extra, a group, or a project as a whole, that conflicts with others."""
    kind = next((kind for kind in ("extra", "group") if kind in item), "project")
    name = item["package"]
    return "-".join([kind, str(len(name)), name, *([item[kind]] if kind in item else [])])


def _without_conflicts(marker: str, chosen: frozenset[str]) -> str:
    """Return *marker* with what it says of conflicting extras and groups replaced by whether it holds."""

    def held(found: re.Match[str]) -> str:
        return "python_version >= '0'" if (found[2] in chosen) == (found[1] == "==") else "python_version < '0'"

    return _CONFLICTING.sub(held, marker)


def _dependencies(package: Mapping[str, Any], extra: str, *, is_own: bool) -> list[Mapping[str, Any]]:
    """Return what *package*, or its *extra*, needs; of a project of one's own, what all its extras and groups need."""
    optional = package.get("optional-dependencies", {})
    if extra:
        return list(optional.get(extra, ()))
    groups = [*optional.values(), *package.get("dev-dependencies", {}).values()] if is_own else []
    return [*package.get("dependencies", ()), *(one for group in groups for one in group)]


def _is_meant(wanted: Mapping[str, Any], package: Mapping[str, Any], holds: Callable[[str], bool]) -> bool:
    """Return whether a dependency is *package*, of that name: version and source are given where several fit.

    Where they are not, as in a script's lock, it is the one that was resolved for this environment.
    """
    resolved = package.get("resolution-markers", ())
    if "version" not in wanted and resolved and not any(map(holds, resolved)):
        return False
    return all(package.get(key) == wanted[key] for key in ("version", "source") if key in wanted)


def _uv_package(package: Mapping[str, Any], *, is_needed: bool) -> ListedRelease:
    name, version, source = canonicalize_name(package["name"]), package.get("version", ""), package["source"]
    for kind in ("editable", "virtual", "directory"):
        if kind in source:
            return listed.directory(name, version, source[kind], editable=kind == "editable")
    if not is_needed:
        return ListedRelease(name, version, skipped="not for this environment: nothing that is installed here needs it")
    if "git" in source:
        return listed.repository(name, version, source["git"])
    if "registry" not in source:
        return listed.address(name, version, source.get("url") or source.get("path") or "which is not named")
    wheels, sdist = package.get("wheels", []), package.get("sdist")
    files = [*wheels, *([sdist] if sdist else [])]
    hashes = [listed.strong([file.get("hash", "").partition(":")[::2]]) for file in files]
    return _release(name, version, bool(wheels), hashes, source["registry"])
