"""The Python interpreters of this machine, and environments made with any of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from samebytes.errors import BackendError, UsageError

from .isolated import Environment

_ASK = """\
import json, platform, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "minor": list(sys.version_info[:2]),
    "platform": sysconfig.get_platform(),
    "libc": "-".join(platform.libc_ver()),
    "zlib": __import__("zlib").ZLIB_RUNTIME_VERSION,
}))"""


@dataclass(frozen=True)
class Python:
    """An interpreter."""

    executable: str
    implementation: str
    """``CPython``, ``PyPy``."""
    version: str
    minor: tuple[int, int]
    platform: str
    """As in ``sysconfig.get_platform()``: ``linux-x86_64``."""
    libc: str
    zlib: str
    """The version of zlib that it runs with."""

    @property
    def sha256(self) -> str:
        """The digest of the executable, in hexadecimal."""
        return hashlib.sha256(Path(self.executable).resolve().read_bytes()).hexdigest()


def describe(executable: str | Path) -> Python | None:
    """Return what the interpreter *executable* is; None if it is none, or does not run."""
    try:
        done = subprocess.run(
            [str(executable), "-I", "-c", _ASK], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Python(**{**told, "minor": (told["minor"][0], told["minor"][1])})


def named(text: str, environ: Mapping[str, str]) -> Python:
    """Return the interpreter that somebody asked for, by version (``3.12``) or by path.

    :raises UsageError: if it is not there.
    """
    if re.fullmatch(r"3\.\d+", text):
        return find((3, int(text[2:])), environ)
    found = describe(shutil.which(text, path=environ.get("PATH")) or text)
    if found is None:
        raise UsageError(f"{text} is no Python interpreter", remedy="Name a version such as 3.12, or a path.")
    return found


def find(minor: tuple[int, int], environ: Mapping[str, str]) -> Python:
    """Return an interpreter of the version *minor*: this one, or one on PATH, of pyenv or of uv.

    :raises UsageError: if there is none; the versions that there are, are named.
    """
    seen: set[tuple[int, int]] = set()
    for path in _candidates(environ):
        version = _version_in(path)
        if version and version != minor:
            seen.add(version)
            continue
        found = describe(path)
        if found and found.minor == minor:
            return found
        if found:
            seen.add(found.minor)
    have = ", ".join(f"{major}.{small}" for major, small in sorted(seen) if (major, small) >= (3, 9))
    wanted = f"{minor[0]}.{minor[1]}"
    raise UsageError(
        f"Python {wanted} is needed and not here (on PATH, in pyenv or uv{'; there is ' + have if have else ''})",
        remedy=f"Install it, for example with 'uv python install {wanted}' or 'pyenv install {wanted}'.",
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    yield Path(sys.executable)
    for directory in filter(None, environ.get("PATH", "").split(os.pathsep)):
        yield from sorted(
            path for path in Path(directory).glob("python3*") if re.fullmatch(r"python3(\.\d+)?", path.name)
        )
    home = environ.get("HOME", "")
    pyenv = environ.get("PYENV_ROOT") or f"{home}/.pyenv"
    uv = environ.get("UV_PYTHON_INSTALL_DIR") or f"{environ.get('XDG_DATA_HOME') or home + '/.local/share'}/uv/python"
    for directory in (f"{pyenv}/versions", uv):
        yield from sorted(Path(directory).glob("*/bin/python3"))


def _version_in(path: Path) -> tuple[int, int] | None:
    """Return the version that a path tells of, so that not every interpreter need be run."""
    found = re.fullmatch(r"python3\.(\d+)", path.name)
    found = found or re.fullmatch(r"(?:cpython-)?3\.(\d+)\..*", path.parent.parent.name)
    return (3, int(found[1])) if found else None


def environment(python: Python, directory: Path) -> Environment:
    """Make an empty virtual environment of *python* in *directory*, without pip.

    :raises BackendError: if it cannot be made.
    """
    command = [python.executable, "-I", "-m", "venv", "--without-pip", str(directory)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BackendError(
            f"no virtual environment could be made with {python.executable}; what it said stands above",
            remedy="Is its venv module complete (Debian: python3-venv)?",
        )
    scripts = directory / ("Scripts" if os.name == "nt" else "bin")
    path = os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)])
    executable = scripts / ("python.exe" if os.name == "nt" else "python")
    return Environment(str(executable), directory, {"PATH": path, "VIRTUAL_ENV": str(directory), "PYTHONPATH": ""})
