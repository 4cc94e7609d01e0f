"""Exact build requirements as a PEP 751 ``pylock.toml``, written and read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigError, MissingExtraError
from ..outside.isolated import Installed


@dataclass(frozen=True)
class Locked:
    """One package of a lock file."""

    name: str
    version: str
    archive: str
    """The file name of the archive."""
    url: str
    hashes: tuple[tuple[str, str], ...]
    """Pairs of an algorithm and a hex digest."""

    @property
    def requirement(self) -> str:
        """The line that makes pip install exactly this."""
        hashes = " ".join(f"--hash={algorithm}:{digest}" for algorithm, digest in self.hashes)
        return f"{self.name}=={self.version} {hashes}"


def from_installed(requirements: Sequence[Installed]) -> list[Locked]:
    """Return what pip installed as packages of a lock file."""
    return [
        Locked(one.name, one.version, one.url.rpartition("/")[2], one.url, tuple(sorted(one.hashes.items())))
        for one in requirements
    ]


def write(packages: Sequence[Locked], requires_python: str = "") -> str:
    """Return the text of a lock file for *packages*.

    :raises ConfigError: if a package has no hash (it came from a directory or a repository).
    :raises MissingExtraError: without tomlkit.
    """
    try:
        import tomlkit
    except ImportError:
        raise MissingExtraError("writing a lock file needs tomlkit", remedy="pip install 'samebytes[build]'") from None
    document: dict[str, Any] = {"lock-version": "1.0", "created-by": "samebytes"}
    if requires_python:
        document["requires-python"] = requires_python
    document["packages"] = [_package(package) for package in sorted(packages, key=lambda one: one.name)]
    return tomlkit.dumps(document)


def _package(package: Locked) -> dict[str, Any]:
    if not package.hashes:
        raise ConfigError(
            f"{package.name} {package.version} came from {package.url}, which has no hash: it cannot be locked",
            remedy="Let pip find an archive of it: an index, or a directory of wheels with --find-links.",
        )
    archive = {"name": package.archive, "url": package.url, "hashes": dict(package.hashes)}
    kind = {"wheels": [archive]} if package.archive.endswith(".whl") else {"sdist": archive}
    return {"name": package.name, "version": package.version, **kind}


def read(path: Path) -> list[Locked]:
    """Return the packages of the lock file *path*, whichever tool wrote it.

    :raises ConfigError: if it cannot be read, is no pylock.toml, or locks something without version or hashes.
    """
    packages = _parse(path).get("packages")
    if not isinstance(packages, list):
        raise ConfigError(f"{path} has no [[packages]]: it is no pylock.toml (PEP 751)")
    try:
        return [_locked(package, path) for package in packages]
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no valid pylock.toml (PEP 751): {error!r} is missing or malformed") from None


def _parse(path: Path) -> Mapping[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"the lock file {path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the lock file {path} is not valid TOML: {error}") from None
    version = str(document.get("lock-version", ""))
    if version.partition(".")[0] != "1":
        raise ConfigError(f"{path} has lock-version {version!r}; samebytes reads version 1 (PEP 751)")
    return document


def _locked(package: Mapping[str, Any], path: Path) -> Locked:
    archives = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    hashes = sorted({pair for archive in archives for pair in archive["hashes"].items()})
    if not hashes or "version" not in package:
        raise ConfigError(f"{path}: {package['name']} is locked without a version or without hashes of its archives")
    first = archives[0]
    return Locked(package["name"], package["version"], first.get("name", ""), first.get("url", ""), tuple(hashes))
