"""What the inner backend may see of the machine (D2): scalars are replaced, lists of flags are appended to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import flags
from .config import Config
from .date import Dated

# What a front end sets for samebytes itself; the inner backend would be looked for in the outer backend-path.
_OUTER_CALL = ("_PYPROJECT_HOOKS_", "PEP517_BUILD_BACKEND", "PEP517_BACKEND_PATH")


def child_environment(environ: Mapping[str, str], config: Config, dated: Dated, temp: str) -> dict[str, str]:
    """Return the inner backend's environment, without compilers' flags.

    :param temp: the private directory that its temporary files go to.
    """
    child = {name: value for name, value in environ.items() if not name.startswith(_OUTER_CALL)}
    child.update({"TMPDIR": temp, "TEMP": temp, "TMP": temp})
    scalars = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", "ZERO_AR_DATE": "1"}
    child.update({name: value for name, value in scalars.items() if name not in config.inherit})
    if "LC_ALL" not in config.inherit:
        child.pop("LANGUAGE", None)  # gettext prefers it to LC_ALL, except in the locale C itself
        child.update(_locale())
    if dated.given:
        child["SOURCE_DATE_EPOCH"] = str(dated.seconds)
    return child


def add_flags(
    child: dict[str, str], config: Config, paths: flags.Paths, source: Path, temp: Path, platform: str
) -> None:
    """Add compilers' flags to the environment *child*, and write the files that they need into ``paths.temp``.

    :param source: the source tree as this process sees it.
    :param temp: that directory as this process sees it.
    """
    if flags.are_inherited(child, config):
        return
    variables, files = flags.additions(child, config, paths, platform, source)
    child.update(variables)
    for name, text in files.items():
        path = temp / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))  # paths may hold any bytes
        path.chmod(0o755)


def _locale() -> dict[str, str]:
    if os.name == "nt":  # its C library reads no LC_ALL, and Python takes each machine's code page for the encoding
        return {"PYTHONUTF8": "1"}
    # C alone would make ASCII of what Python reads.
    return {"LC_ALL": "C.UTF-8"} if _loads("C.UTF-8") else {"LC_ALL": "C", "PYTHONUTF8": "1"}


def _loads(name: str) -> bool:
    """Return whether the C library has the locale *name*."""
    import locale

    current = locale.setlocale(locale.LC_CTYPE, None)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, current)
    return True
