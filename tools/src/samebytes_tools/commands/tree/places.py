"""Where an interpreter has its packages, scripts and headers: asked of itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from samebytes.errors import UsageError

_ASK = """\
import json, sys, sysconfig
base = sys.argv[1] or sys.prefix
bases = ("base", "platbase", "installed_base", "installed_platbase")
paths = sysconfig.get_paths(vars=dict.fromkeys(bases, base))
if sys.prefix != sys.base_prefix and not sys.argv[1]:
    # The headers of a virtual environment's packages do not belong to the Python that it was made with.
    paths["include"] = "%s/include/site/python%d.%d" % (base, *sys.version_info[:2])
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:2]),
    "implementation": sys.implementation.name,
    "tag": sys.implementation.cache_tag or "",
    "suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
    "prefix": base,
    "paths": paths,
}))"""


class Places(NamedTuple):
    """What an interpreter says of itself."""

    executable: str
    version: tuple[int, int]
    implementation: str
    """``cpython``, ``pypy``."""
    tag: str
    """In the names of compiled modules: ``cpython-311``."""
    suffix: str
    """Of extension modules: ``.cpython-311-x86_64-linux-gnu.so``."""
    prefix: str
    paths: Mapping[str, str]
    """As of ``sysconfig.get_paths()``."""

    @property
    def abi(self) -> str:
        """The ABI tag that :attr:`suffix` shows (PEP 425, PEP 3149): ``cp313t``, ``pypy310_pp73``; or nothing."""
        first, *more = self.suffix.lstrip(".").split(".")[0].split("-")
        if first == "cpython" and more:
            return f"cp{more[0]}"
        return f"{first}_{more[0]}" if first.startswith("pypy") and more else first


def ask(python: str, prefix: str = "") -> Places:
    """Return where the interpreter *python* looks for packages, or would below *prefix*.

    :raises UsageError: if it does not run.
    """
    command = [python, "-I", "-B", "-c", _ASK, prefix]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60, encoding="utf-8"
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{python}: is no Python that runs here", remedy="Name another with --python.") from error
    return Places(**{**told, "version": tuple(told["version"])})
