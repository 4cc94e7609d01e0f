"""The Python interpreters of this machine, and environments made with any of them."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version
from python_discovery import get_interpreter, iter_interpreters

from samebytes.errors import UsageError

from .answers import answer_of, checked, numbers_of

# ZLIB_RUNTIME_VERSION: ZLIB_VERSION is that of the headers. Py_GIL_DISABLED: sys._is_gil_enabled() is of the moment,
# not of the build.
QUESTION = """\
import json, platform, sys, sysconfig
print(json.dumps({
    "executable": sys.executable,
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "minor": list(sys.version_info[:2]),
    "platform": sysconfig.get_platform(),
    "libc": "-".join(platform.libc_ver()),
    "zlib": __import__("zlib").ZLIB_RUNTIME_VERSION,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))"""

# The library warns of interpreters that are too old to be asked, and of broken ones: here they are passed over.
logging.getLogger("python_discovery").addHandler(logging.NullHandler())


_KINDS: dict[str, type] = {
    **dict.fromkeys(("executable", "implementation", "version", "platform", "libc", "zlib"), str),
    "minor": list,
    "free_threaded": bool,
}
"""What an interpreter answers, and of which type."""


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
    free_threaded: bool = False
    """Whether it was built without the global interpreter lock (PEP 703)."""
    digest: str = ""
    """The SHA-256 of the executable, where that is not on this machine."""

    @property
    def short(self) -> str:
        """The version as ``--python`` takes it: ``3.12``; ``3.13t`` for a free-threaded one."""
        return _short(self.minor, self.free_threaded)

    @property
    def sha256(self) -> str:
        """The digest of the executable, in hexadecimal."""
        # Resolved: virtual environments have links to it.
        return self.digest or hashlib.sha256(Path(self.executable).resolve().read_bytes()).hexdigest()


def _short(version: Sequence[Any], free_threaded: bool) -> str:
    return f"{version[0]}.{version[1]}{'t' if free_threaded else ''}"


def describe(executable: str | Path) -> Python | None:
    """Return what the interpreter *executable* is; None if it is not one, or does not run."""
    try:
        return _python(answer_of([str(executable), "-I", "-c", QUESTION], _KINDS))
    except (OSError, ValueError):
        return None


def answered(line: str) -> Python:
    """Return the interpreter that answers QUESTION by *line*.

    :raises ValueError: if it is not one's answer.
    """
    return _python(checked(json.loads(line), _KINDS))


def _python(answer: Mapping[str, Any]) -> Python:
    return Python(**{**answer, "minor": numbers_of(answer["minor"])})


@cache
def tags_of(executable: str) -> tuple[str, ...]:
    """Return the tags of wheels that the interpreter *executable* can install, the best first (PEP 425).

    :raises UsageError: if it cannot be asked.
    """
    import packaging

    # Its own packaging, if it has one, may be of any age. Last on the path, where it hides nothing of that Python.
    code = (
        f"import sys; sys.path.append({str(Path(packaging.__file__).parent.parent)!r})\n"
        "import json; from packaging.tags import sys_tags; print(json.dumps({'tags': [*map(str, sys_tags())]}))"
    )
    try:
        return tuple(map(str, answer_of([executable, "-I", "-c", code], {"tags": list})["tags"]))
    except (OSError, ValueError):
        raise UsageError(
            f"{executable} does not say which wheels it can install", remedy="Name another Python with --python."
        ) from None


def named(text: str, environ: Mapping[str, str]) -> Python:
    """Return the interpreter that *text* names: a version (``3.12``, ``3.13t``), a path, or a program on PATH.

    :raises UsageError: if it is not there.
    """
    if re.fullmatch(r"3\.\d+t?", text):
        return find(text, environ)
    program = shutil.which(text, path=environ.get("PATH", ""))
    found = describe(program) if program else None
    if found is None:
        raise UsageError(f"{text} is not a Python interpreter", remedy="Name a version such as 3.12, or a path.")
    return found


def find(version: str, environ: Mapping[str, str]) -> Python:
    """Return an interpreter of *version*, written as :attr:`Python.short` is: this one, or another of this machine.

    Others are looked for on PATH, in the Windows registry (PEP 514), where uv puts them, and in all of pyenv.

    :raises UsageError: if there is none; the message names the versions that there are.
    """
    # Our own first: samebytes then needs no second interpreter of its version.
    found = get_interpreter(version, try_first_with=[sys.executable], env=environ)
    for path in [str(found.executable)] if found else _of_pyenv(environ, version.rstrip("t")):
        python = describe(path)
        if python and python.short == version:
            return python
    shown = ", ".join(python.short for python in installed(environ))
    raise UsageError(
        f"Python {version} is needed and not here{f' (there is {shown})' if shown else ''}",
        remedy=f"Install it, for example with 'uv python install {version}' or 'pyenv install {version}'.",
    )


def installed(environ: Mapping[str, str], since: tuple[int, int] = (3, 9)) -> list[Python]:
    """Return this machine's interpreters, CPython *since* some version: one of each version, the newest first.

    This runs all that there are, which takes seconds where some are started by pyenv's scripts.
    """
    paths = [
        str(one.executable)
        for one in iter_interpreters(f"cpython>={since[0]}.{since[1]}", [sys.executable], env=environ)
    ]
    found: dict[str, Python] = {}
    for python in map(describe, [*paths, *_of_pyenv(environ, "3")]):
        # pyenv's may be of any age.
        if python and python.minor >= since:
            found.setdefault(python.short, python)
    return sorted(found.values(), key=lambda python: (python.minor, not python.free_threaded), reverse=True)


def _of_pyenv(environ: Mapping[str, str], version: str) -> list[str]:
    """Return pyenv's interpreters whose version begins with *version*, the newest first.

    On PATH it has only those that are active.
    """
    if sys.platform == "win32":
        home, below, program = environ.get("USERPROFILE", ""), "pyenv/pyenv-win", "python.exe"
    else:
        home, below, program = environ.get("HOME", ""), "pyenv", "bin/python"
    root = environ.get("PYENV_ROOT") or f"{home}/.{below}"
    homes = sorted(Path(root, "versions").glob(f"{version}[.-]*"), key=_release, reverse=True)
    return [str(home / program) for home in homes if (home / program).exists()]


def _release(home: Path) -> tuple[Version, str]:
    """Return the age of pyenv's *home*: ``3.12.10`` is newer than ``3.12.9``, and both than ``3.12-dev``."""
    try:
        return Version(re.sub(r"t(?=$|-dev$)", "", home.name)), home.name
    except InvalidVersion:  # a user's own name, behind those that say what they are
        return Version("0"), home.name
