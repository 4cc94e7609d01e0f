"""Virtual environments for builds, made with the venv module of any interpreter and filled by pip."""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebytes.errors import BackendError

_SINCE = (22, 3)
"""The pip that has ``--report`` and ``--python``."""

_REMEDY = "Install pip 22.3 or later where samebytes is installed."


@dataclass(frozen=True)
class VirtualEnvironment:
    """Where build requirements are installed."""

    python: str
    """Its interpreter, by the path that builds see."""
    root: Path
    """Its directory, by the path that builds see."""
    real: Path
    """The same directory as this process sees it."""
    variables: Mapping[str, str]
    """What is set for programs that run in it; PATH is what comes first in theirs."""

    def added_to(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment variables of a program that runs in it, and would run with *environ* else."""
        path = os.pathsep.join(filter(None, [self.variables["PATH"], environ.get("PATH", "")]))
        return {**environ, **self.variables, "PATH": path}


@dataclass(frozen=True)
class InstalledDistribution:
    """One distribution, as pip installed it."""

    name: str
    version: str
    url: str
    hashes: Mapping[str, str]
    """Algorithm -> hex digest of the archive; empty for what was not an archive."""
    is_direct: bool = False
    """Whether the requirement named the URL (PEP 508), so that no index need have it."""


def at(root: Path, real: Path) -> VirtualEnvironment:
    """Return the virtual environment whose directory is *root* for builds and *real* for this process."""
    scripts = root / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    # As activate sets them; PYTHONPATH would let uninstalled packages in.
    variables = {"PATH": str(scripts), "VIRTUAL_ENV": str(root), "PYTHONPATH": ""}
    return VirtualEnvironment(str(python), root, real, variables)


def creation(python: str, root: Path) -> list[str]:
    """Return the command that makes the virtual environment *root* of the interpreter *python*.

    pip is left out where ours can install into it; it is faster, and no requirement finds another pip than it expects.
    """
    without = ["--without-pip"] if _own_pip() else []
    # -I: a venv.py in the current directory would be run in its place.
    return [python, "-I", "-m", "venv", *without, str(root)]


def as_it_is(python: str, path: str, import_path: str) -> VirtualEnvironment:
    """Return the environment of *python* itself, for builds without isolation; what its user installed is in it too.

    :param path: the build's PATH.
    :param import_path: its PYTHONPATH.
    """
    scripts = str(Path(python).parent)
    variables = {
        "PATH": "" if scripts in path.split(os.pathsep) else scripts,
        "PYTHONPATH": import_path,
        "PYTHONUSERBASE": site.getuserbase(),  # a build may have another HOME
    }
    return VirtualEnvironment(python, Path(), Path(), variables)


def pip_of(environment: VirtualEnvironment) -> list[str]:
    """Return the command that runs pip: our own, else the one in the environment.

    :raises BackendError: if that is too old to report what it installed.
    """
    own = _own_pip()
    if own is not None:
        return [sys.executable, str(own), "--python", environment.python]
    folders = ("lib/*/site-packages", "Lib/site-packages")
    found = [path for folder in folders for path in environment.real.glob(f"{folder}/pip-*.dist-info")]
    if not found:
        raise BackendError("there is no pip to install the build requirements with", remedy=_REMEDY)
    numbers = re.match(r"pip-(\d+)\.(\d+)", found[0].name)
    if numbers and (int(numbers[1]), int(numbers[2])) < _SINCE:
        version = found[0].name[len("pip-") : -len(".dist-info")]
        raise BackendError(f"the pip that comes with {sys.executable} is too old ({version})", remedy=_REMEDY)
    # -I: see _own_pip; the current directory is the caller's.
    return [environment.python, "-I", "-m", "pip"]


def pip_version(environment: VirtualEnvironment) -> str:
    """Return which pip :func:`pip_of` runs: ``pip 24.0``."""
    from importlib import metadata

    if _own_pip() is not None:
        return f"pip {metadata.version('pip')}"
    found = [path.name for path in environment.real.glob("[Ll]ib/**/site-packages/pip-*.dist-info")]
    return " ".join(["pip", *(name[len("pip-") : -len(".dist-info")] for name in found[:1])])


def _own_pip() -> Path | None:
    """Return the directory of the pip beside us, if it is new enough.

    It is run by its directory, for ``-m`` would find a ``pip.py`` in the current directory first.
    """
    from importlib import metadata
    from importlib.machinery import PathFinder

    try:
        # By its path alone: setuptools hooks the search for pip, and warns there if distutils is loaded already.
        found = PathFinder.find_spec("pip")
        numbers = re.match(r"(\d+)\.(\d+)", metadata.version("pip"))
    except (ValueError, metadata.PackageNotFoundError):
        return None
    # origin is None for a namespace package: a directory pip/ that is empty.
    if found is None or found.origin is None or numbers is None:
        return None
    return Path(found.origin).parent if (int(numbers[1]), int(numbers[2])) >= _SINCE else None


def installed_in(report: Mapping[str, Any]) -> list[InstalledDistribution]:
    """Read pip's installation report (version 1)."""
    found = []
    for item in report["install"]:
        metadata, download = item["metadata"], item["download_info"]
        archive = download.get("archive_info", {})
        algorithm, _, digest = archive.get("hash", "").partition("=")  # all that pip before 23.1 gives
        hashes = archive.get("hashes") or ({algorithm: digest} if digest else {})
        direct = bool(item.get("is_direct"))
        found.append(
            InstalledDistribution(metadata["name"], metadata["version"], download["url"], dict(hashes), direct)
        )
    return sorted(found, key=lambda one: one.name.lower())
