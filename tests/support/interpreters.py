"""Interpreters of versions that are not here: programs that run this Python and call it another version."""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """\
#!{python}
import collections, os, platform, runpy, sys, sysconfig

Version = collections.namedtuple("Version", "major minor micro releaselevel serial")
sys.version_info = Version(3, {minor}, 0, "final", 0)
platform.python_version = lambda: "3.{minor}.0"
sys.prefix = sys.exec_prefix = sys.base_prefix  # else it would be a virtual environment of an interpreter elsewhere
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = {free_threaded}  # after the prefix: with another, 3.14 reads them anew
sys.executable = sys._base_executable = os.path.abspath(sys.argv.pop(0))
while sys.argv[0].startswith("-") and sys.argv[0] != "-c":
    del sys.argv[0]
if sys.argv[0] == "-c":
    exec(sys.argv[1], {{"__name__": "__main__"}})
else:
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


def imitate(path: Path, minor: int, *, free_threaded: bool = False) -> str:
    """Make at *path* what passes for Python 3.*minor*, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _PROGRAM.format(python=sys.executable, minor=minor, free_threaded=int(free_threaded))
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


_OTHERWISE = """\
#!{python} -I
import os, sys
library = os.path.dirname(os.__file__)
sys.path.remove(library)
sys.path.insert(0, library)
del sys.argv[0]
while sys.argv[0].startswith("-"):
    del sys.argv[: 2 if sys.argv[0] == "-W" else 1]
with open(sys.argv[0], "rb") as file:
    code = compile(file.read(), sys.argv[0], "exec")
exec(code, {{"__name__": "__main__", "__file__": sys.argv[0], "__builtins__": __builtins__}})
"""

SEARCH_PATHS = ("as usual", "-I", *(("-P",) if sys.version_info >= (3, 11) else ()), "._pth")
"""Ways in which an interpreter finds modules: but for the first, not in the directory of the script that it runs."""


def searching(path: Path, way: str) -> str:
    """Make at *path* this Python with another search path (:data:`SEARCH_PATHS`), and return the path.

    The last is as on Windows beside a ``._pth`` file, which there is nowhere else: the standard library comes first.
    """
    options = way if way.startswith("-") else ""
    shell = f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n'
    path.write_text(_OTHERWISE.format(python=sys.executable) if way == "._pth" else shell, encoding="utf-8")
    path.chmod(0o755)
    return str(path)
