"""Exact build requirements as a PEP 751 ``pylock.toml``, written and read.

Read and written here rather than by ``packaging.pylock``, which only the newest releases of packaging have: of the
format, little is needed, and what is read becomes lines for pip, which selects and verifies files.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from samebytes.backend.config import parsed_toml, toml_bytes
from samebytes.errors import ConfigError

from .requirements import applies, parsed
from .virtualenvs import InstalledDistribution

STRONG = ("sha256", "sha384", "sha512")
"""The hashes that pip verifies."""

_NO_LOCK = "--lock FILE writes one that is."
_LOCK_AGAIN = "Lock again, with the tool that wrote it."


@dataclass(frozen=True)
class Locked:
    """One package of a lock file."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    """Empty for one that is locked by its URL alone."""
    lines: tuple[str, ...]
    """The lines of a requirements file by which pip installs exactly this."""


def write(installed: Iterable[InstalledDistribution]) -> str:
    """Return the text of a lock file for what is *installed*.

    :raises ConfigError: if a package cannot be locked.
    """
    # PEP 751 asks for output that does not change without a reason; pip's order may.
    packages = sorted({_package(one) for one in installed})
    names = [name for name, _, _ in packages]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"sdist and wheel need two versions of {name}, and a lock file has room for one",
                remedy="Lock them one by one, with --sdist and with --wheel.",
            )
    head = f"lock-version = {_quoted('1.0')}\ncreated-by = {_quoted('samebytes')}\n"
    tables = [
        f"[[packages]]\nname = {_quoted(name)}\nversion = {_quoted(version)}\n{archive}\n"
        for name, version, archive in packages
    ]
    return "\n".join([head, *tables]) if tables else f"{head}packages = []\n"


def demand_hashes(installed: Iterable[InstalledDistribution]) -> None:
    """Check that all that is *installed* can be locked.

    :raises ConfigError: if something has no hash: it came from a directory, a repository, or a careless index.
    """
    for one in installed:
        if not _strong(one.hashes):
            raise ConfigError(
                f"{one.name} {one.version} came from {one.url}, without a SHA-256: it cannot be locked",
                remedy="Let pip find an archive of it: in an index, or with --find-links in a directory of wheels.",
            )


def _package(one: InstalledDistribution) -> tuple[str, str, str]:
    """Return name, version and the line that names the archive."""
    from packaging.utils import canonicalize_name

    demand_hashes([one])
    file = unquote(urlsplit(one.url).path.rpartition("/")[2])
    hashes = ", ".join(f"{algorithm} = {_quoted(digest)}" for algorithm, digest in sorted(_strong(one.hashes).items()))
    where = f"url = {_quoted(one.url)}, hashes = {{ {hashes} }}"
    name = canonicalize_name(one.name)
    if one.is_direct:
        return name, one.version, f"archive = {{ {where} }}"
    archive = f"{{ name = {_quoted(file)}, {where} }}"
    return name, one.version, f"wheels = [{archive}]" if file.endswith(".whl") else f"sdist = {archive}"


def _strong(hashes: Mapping[str, str]) -> dict[str, str]:
    return {algorithm: digest for algorithm, digest in hashes.items() if algorithm in STRONG}


def _quoted(text: str) -> str:
    """Return *text* as a TOML basic string, which is JSON's but for one character."""
    # Not escaped by JSON, and not allowed in a TOML string. ensure_ascii would make surrogate pairs, which TOML
    # refuses.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read(path: Path) -> list[Locked]:
    """Return the packages of the lock file *path*, whichever tool wrote it, that are for this interpreter.

    :raises ConfigError: if it cannot be read, is not a pylock.toml, is for other interpreters, or locks something
        without version or hashes.
    """
    from .markers import applies

    document = _parse(path)
    refuse_elsewhere(document, path, {}, ".".join(map(str, sys.version_info[:3])))
    packages = document.get("packages")
    if not isinstance(packages, list) or not all(isinstance(package, dict) for package in packages):
        raise ConfigError(f"{path} has no [[packages]]: it is not a pylock.toml (PEP 751)", remedy=_NO_LOCK)
    groups = document.get("default-groups", [])
    with _naming(path):
        wanted = [package for package in packages if applies(package.get("marker"), {}, groups)]
    try:
        locked = [_locked(package, path) for package in wanted]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is not a valid pylock.toml (PEP 751): {error!r}", remedy=_NO_LOCK) from None
    names = [one.name for one in locked]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path} locks {name} more than once for this interpreter", remedy=_NO_LOCK)
    return locked


def demand(lines: Sequence[str], packages: Sequence[Locked]) -> None:
    """Check the requirement *lines* against the locked *packages*.

    :raises ConfigError: if one is missing there, or locked at a version that it does not allow.
    """
    from packaging.utils import canonicalize_name

    # Only what the build names: what that needs in turn is the business of who wrote the lock.
    versions = {package.name: package.version for package in packages}
    for requirement in filter(applies, map(parsed, lines)):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or (version and not requirement.specifier.contains(version, prereleases=True)):
            found = "does not have it" if version is None else f"has {requirement.name} {version}"
            raise ConfigError(
                f"the build needs '{requirement}', but the lock file {found}",
                remedy="Write a new one with --lock FILE.",
            )


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        document = parsed_toml(toml_bytes(path).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"the lock file {path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    except ValueError as error:
        raise ConfigError(f"the lock file {path} is not valid TOML: {error}", remedy=_NO_LOCK) from None
    version = str(document.get("lock-version", ""))
    # PEP 751: tools refuse another major version, and may read any minor one.
    if version.partition(".")[0] != "1":
        raise ConfigError(
            f"{path} has lock-version {version!r}, but samebytes reads version 1 (PEP 751)", remedy=_NO_LOCK
        )
    return document


def refuse_elsewhere(document: Mapping[str, Any], path: Path, environment: Mapping[str, str], python: str) -> None:
    """Refuse a lock file that is for other interpreters or environments than that of *python*, a version.

    :param environment: what markers find other than in this interpreter.
    :raises ConfigError: if it is, or what it says of that is malformed.
    """
    from .markers import applies

    wanted, environments = document.get("requires-python", ""), document.get("environments", [])
    with _naming(path):
        if not allows(wanted, python):
            raise ConfigError(f"is for Python {wanted}, not for {python}", remedy="Lock with this Python, too.")
        if not isinstance(environments, list) or not all(isinstance(one, str) for one in environments):
            raise ConfigError("environments is malformed (PEP 751)", remedy=_LOCK_AGAIN)
        if environments and not any(applies(marker, environment) for marker in environments):
            raise ConfigError(f"is for other environments: {'; '.join(environments)}", remedy="Lock for this one, too.")


def allows(wanted: Any, python: str) -> bool:
    """Return whether the ``requires-python`` *wanted* is one of the version *python*.

    :raises ConfigError: if it is malformed.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(python, prereleases=True)
    except (InvalidSpecifier, TypeError, AttributeError):
        raise ConfigError(f"requires-python {wanted!r} is malformed (PEP 751)", remedy=_LOCK_AGAIN) from None


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the name of the lock file before what is wrong with it."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", remedy=error.remedy) from None


def _locked(package: Mapping[str, Any], path: Path) -> Locked:
    from packaging.utils import canonicalize_name

    name, version = canonicalize_name(package["name"]), package.get("version", "")
    direct = package.get("archive")
    archives = [direct] if direct else [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
    hashes = [f"--hash={pair}" for pair in sorted({pair for archive in archives for pair in _pairs(archive)})]
    if not archives or not all(map(_pairs, archives)) or not (version or direct):
        raise ConfigError(
            f"{path}: {name} is locked without a version or without a SHA-256 of each of its archives",
            remedy="What comes from a directory or a repository cannot be verified. " + _NO_LOCK,
        )
    # pip asks no index for what is named by its address, so it needs no version.
    if direct:
        return Locked(name, version, (" ".join([f"{name} @ {_url(direct, path)}", *hashes]),))
    # What lies beside the lock file need not be on an index.
    links = [f"--find-links {_url(one, path)}" for one in archives if _is_here(_url(one, path))]
    return Locked(name, version, (*links, " ".join([f"{name}=={version}", *hashes])))


def _pairs(archive: Mapping[str, Any]) -> list[str]:
    return [f"{algorithm}:{digest}" for algorithm, digest in _strong(archive.get("hashes", {})).items()]


def _url(archive: Mapping[str, Any], path: Path) -> str:
    """Return where *archive* is; a path is relative to the lock file."""
    if "path" in archive and "url" not in archive:
        return Path(path.resolve().parent, archive["path"]).as_uri()
    return str(archive.get("url", ""))


def _is_here(url: str) -> bool:
    """Return whether *url* is a file that exists; pip need not look for it then."""
    return urlsplit(url).scheme == "file" and Path(local_path(url)).is_file()


def local_path(url: str, *, is_windows: bool = os.name == "nt") -> str:
    """Return the path that a ``file:`` address means (RFC 8089, and its appendix E.2 on drives).

    :raises ValueError: if the address is malformed.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if not is_windows:
        return path
    if parts.netloc.lower() not in ("", "localhost"):
        return f"//{parts.netloc}{path}"
    return re.sub(r"^/+(?=[A-Za-z]:)", "", path)
