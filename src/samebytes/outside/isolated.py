"""Isolated build environments, made by the PyPA ``build`` library and filled by pip."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BackendError, MissingExtraError


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


@contextmanager
def isolated(parent: Path, names: Iterator[str]) -> Iterator[Environment]:
    """Make a virtual environment in *parent*, at the same path whenever *parent* and *names* are the same.

    :param names: what its directory is told apart by.
    :raises MissingExtraError: without the ``build`` library.
    """
    try:
        from build.env import DefaultIsolatedEnv
    except ImportError:
        raise MissingExtraError(
            "samebytes build needs the build library", remedy="pip install 'samebytes[build]'"
        ) from None
    with _temporary_names(parent, names):
        environment = DefaultIsolatedEnv()
        environment.__enter__()
    try:
        variables = dict(environment.make_extra_environ() or {})
        yield Environment(environment.python_executable, Path(environment.path), variables)
    finally:
        environment.__exit__(None, None, None)


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
    command = [*_pip(environment), "install", "--no-input", "--no-warn-script-location", "--disable-pip-version-check"]
    command += [*options, "--report", str(report), "-r", str(requirements)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": ""}, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BackendError(
            f"pip could not install the build requirements {', '.join(line.split(' --hash', 1)[0] for line in lines)}",
            remedy="What pip said stands above; -v shows it as it comes.",
        )
    return _installed(json.loads(report.read_text(encoding="utf-8")))


def _pip(environment: Environment) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", environment.python]
    return [environment.python, "-m", "pip"]


def _installed(report: Mapping[str, Any]) -> list[Installed]:
    """Read pip's installation report (version 1)."""
    found = []
    for item in report["install"]:
        metadata, download = item["metadata"], item["download_info"]
        hashes = download.get("archive_info", {}).get("hashes", {})
        found.append(Installed(metadata["name"], metadata["version"], download["url"], dict(hashes)))
    return sorted(found, key=lambda one: one.name.lower())
