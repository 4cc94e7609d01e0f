"""Isolated build environments, made by the PyPA ``build`` library and filled by pip."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samebytes.errors import BackendError

_SINCE = (22, 3)
"""The pip that has ``--report`` and ``--python``."""

_REMEDY = "Install pip 22.3 or later where samebytes is installed."


@dataclass(frozen=True)
class Environment:
    """An environment that build requirements can be installed into."""

    python: str
    root: Path
    variables: Mapping[str, str]
    """What its programs need in their environment (PATH)."""


@dataclass(frozen=True)
class Installed:
    """One distribution, as pip installed it."""

    name: str
    version: str
    url: str
    hashes: Mapping[str, str]
    """Algorithm -> hex digest of the archive; empty for what was no archive."""
    is_direct: bool = False
    """Whether the requirement named the URL (PEP 508), so that no index need have it."""


@contextmanager
def isolated(parent: Path, names: Iterator[str]) -> Iterator[Environment]:
    """Make a virtual environment in *parent*, at the same path whenever *parent* and *names* are the same.

    :param names: what its directory is told apart by.
    :raises BackendError: if it cannot be made.
    """
    from build.env import DefaultIsolatedEnv

    environment = DefaultIsolatedEnv()
    with _temporary_names(parent, names):
        _enter(environment)
    try:
        variables = {**environment.make_extra_environ(), "PYTHONPATH": ""}
        yield Environment(environment.python_executable, Path(environment.path), variables)
    finally:
        environment.__exit__(None, None, None)


def _enter(environment: Any) -> None:
    from build import BuildException, FailedProcessError

    try:
        environment.__enter__()
    except (BuildException, FailedProcessError, subprocess.CalledProcessError) as error:
        raise BackendError(
            f"no virtual environment could be made with {sys.executable}: {error}",
            remedy="Is the venv module complete (Debian: python3-venv)? Else build with --no-isolation.",
        ) from None


@contextmanager
def _temporary_names(parent: Path, names: Iterator[str]) -> Iterator[None]:
    """Let ``tempfile`` make *names* in *parent* for a while: not every release of ``build`` takes a path."""
    module = vars(tempfile)
    saved = tempfile.tempdir, module["_get_candidate_names"]
    tempfile.tempdir, module["_get_candidate_names"] = str(parent), lambda: names
    try:
        yield
    finally:
        tempfile.tempdir, module["_get_candidate_names"] = saved


def install(
    environment: Environment, lines: Sequence[str], directory: Path, options: Sequence[str] = ()
) -> list[Installed]:
    """Install the requirement *lines* with pip and return what it installed.

    :param directory: a temporary one, for the requirements file and pip's report.
    :param options: further ones for ``pip install``.
    :raises BackendError: if pip fails; what it said went to standard output and error.
    """
    if not lines:
        return []
    requirements, report = directory / "build-requirements.txt", directory / "pip-report.json"
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [
        *pip_of(environment),
        "install",
        "--no-input",
        "--no-warn-script-location",
        "--disable-pip-version-check",
    ]
    command += [*options, "--report", str(report), "-r", str(requirements)]
    environ = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise _failed(lines, options)
    return installed_in(json.loads(report.read_text(encoding="utf-8")))


def _failed(lines: Sequence[str], options: Sequence[str]) -> BackendError:
    named = ", ".join(line.partition(" --hash")[0] for line in lines if not line.startswith("-"))
    message = f"pip could not install the build requirements {named}; what it said stands above"
    if "--require-hashes" in options:
        return BackendError(
            message, remedy="If something is missing, lock anew with --lock; if a hash is wrong, find out why first."
        )
    return BackendError(
        message, remedy="Are they spelled right, and is the index or --find-links directory that has them configured?"
    )


def pip_of(environment: Environment) -> list[str]:
    """Return the command that runs pip: the environment's, where ``build`` put one into it, else our own.

    Ours is run by its directory, for ``-m`` would find a ``pip.py`` in the current directory first.

    :raises BackendError: if it is too old to tell what it installed.
    """
    inside = _pip_inside(environment)
    if inside:
        _check_version(inside.name)
        return [environment.python, "-I", "-m", "pip"]
    own = importlib.util.find_spec("pip")
    if own is None or own.origin is None:
        raise BackendError("there is no pip to install the build requirements with", remedy=_REMEDY)
    return [sys.executable, str(Path(own.origin).parent), "--python", environment.python]


def _pip_inside(environment: Environment) -> Path | None:
    """Return the metadata of the environment's own pip, if it has one."""
    folders = ("lib/*/site-packages", "Lib/site-packages")
    found = [path for folder in folders for path in environment.root.glob(f"{folder}/pip-*.dist-info")]
    return found[0] if found else None


def _check_version(name: str) -> None:
    numbers = re.match(r"pip-(\d+)\.(\d+)", name)
    if numbers and (int(numbers[1]), int(numbers[2])) < _SINCE:
        raise BackendError(f"the pip that comes with {sys.executable} is too old ({name[4:-10]})", remedy=_REMEDY)


def installed_in(report: Mapping[str, Any]) -> list[Installed]:
    """Read pip's installation report (version 1)."""
    found = []
    for item in report["install"]:
        metadata, download = item["metadata"], item["download_info"]
        archive = download.get("archive_info", {})
        algorithm, _, digest = archive.get("hash", "").partition("=")  # all that pip before 23.1 gives
        hashes = archive.get("hashes") or ({algorithm: digest} if digest else {})
        direct = bool(item.get("is_direct"))
        found.append(Installed(metadata["name"], metadata["version"], download["url"], dict(hashes), direct))
    return sorted(found, key=lambda one: one.name.lower())
