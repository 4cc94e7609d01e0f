"""The interpreter that wheels are installed for: where their files belong, and which wheels it can use."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.tags import compatible_tags, cpython_tags, generic_tags, parse_tag

from samebytes.artifact import layout
from samebytes.errors import UsageError

from ...building.answers import answer_of, numbers_of

# All four bases: get_paths() would mix the base interpreter's into those of a virtual environment.
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
    "suffix": sysconfig.get_config_var("EXT_SUFFIX") or "",
    "prefix": base,
    "paths": paths,
}))"""

_KINDS: dict[str, type] = {
    **dict.fromkeys(("executable", "implementation", "suffix", "prefix"), str),
    "version": list,
    "paths": dict,
}
"""What an interpreter answers, and of which type."""

_SCHEME = ("purelib", "platlib", "scripts", "data", "include")
"""The paths that wheels are installed to (``sysconfig.get_paths()``)."""

_ANY = ["any"]
"""In place of the platforms: an image may be another machine's."""


class TargetInterpreter(NamedTuple):
    """What an interpreter reports about itself."""

    executable: str
    version: tuple[int, int]
    implementation: str
    """``cpython``, ``pypy``."""
    suffix: str
    """Of extension modules: ``.cpython-311-x86_64-linux-gnu.so``."""
    prefix: str
    paths: Mapping[str, str]
    """As of ``sysconfig.get_paths()``."""

    @property
    def abi(self) -> str:
        """The ABI tag that :attr:`suffix` shows (PEP 425, PEP 3149): ``cp313t``, ``pypy310_pp73``; or nothing."""
        # On Windows, it has the tag itself: .cp311-win_amd64.pyd.
        first, *more = self.suffix.lstrip(".").split(".")[0].split("-")
        if first == "cpython" and more:
            return f"cp{more[0]}"
        return f"{first}_{more[0]}" if first.startswith("pypy") and more else first


def ask(python: str, prefix: str = "") -> TargetInterpreter:
    """Return where the interpreter *python* looks for packages, or would below *prefix*.

    :raises UsageError: if it does not run.
    """
    # -B: an interpreter in an image must not be changed by being asked.
    command = [python, "-I", "-B", "-c", _ASK, prefix]
    try:
        answer = answer_of(command, _KINDS)
        paths = answer["paths"]
        if not all(isinstance(paths.get(name), str) for name in _SCHEME):
            raise ValueError("paths are missing")
        return TargetInterpreter(**{**answer, "version": numbers_of(answer["version"])})
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{python}: is not a Python interpreter that runs here", remedy="Name another with --python."
        ) from error


class Scheme(NamedTuple):
    """Where each kind of file goes, relative to the tree's top; the empty one is the top."""

    purelib: str
    platlib: str
    scripts: str
    data: str
    headers: str
    """In which every project gets a directory of its own."""


TARGET = Scheme("", "", "bin", "", "include")
"""One directory for all, as of ``--target``: what is on ``sys.path`` is its top."""


def beneath_top(paths: Mapping[str, str], top: str) -> Scheme:
    """Return where *paths*, absolute and called as in ``sysconfig.get_paths()``, are relative to *top*.

    :raises UsageError: if one of them is not in it.
    """
    found = []
    for name in _SCHEME:
        relative = posixpath.relpath(paths[name], top)
        if relative == ".." or relative.startswith("../"):
            raise UsageError(
                f"the interpreter puts {name} into {paths[name]}, which is not in {top}",
                remedy="Name another interpreter with --python, or another --prefix.",
            )
        found.append("" if relative == "." else relative)
    return Scheme(*found)


def refuse_unfit(wheels: Iterable[Path], implementation: str, version: tuple[int, int], abi: str) -> None:
    """Refuse wheels of another Python, whatever their platforms are.

    Only what CPython and PyPy can use is known here; for others, all wheels are taken.

    :param abi: the interpreter's ABI tag, such as ``cp313t``.
    :raises UsageError: naming the first that does not fit.
    """
    if implementation not in ("cpython", "pypy"):
        return
    abis = [abi, abi.rstrip("d")]  # a debug build loads what is made for the ordinary one, too
    if implementation == "cpython":
        interpreter = f"cp{version[0]}{version[1]}"
        own = cpython_tags(version, abis, _ANY)
    else:
        interpreter = f"pp{version[0]}{version[1]}"
        # packaging has no function of its own for PyPy.
        own = generic_tags(interpreter, abis, _ANY)
    usable = {(tag.interpreter, tag.abi) for tag in (*own, *compatible_tags(version, interpreter, _ANY))}
    for wheel in wheels:
        tags = layout.parse_wheel_name(wheel.name).tags
        if not any((tag.interpreter, tag.abi) in usable for tag in parse_tag(tags)):
            raise UsageError(
                f"{wheel}: is not for {implementation} {version[0]}.{version[1]} ({abi}): its tags are {tags}",
                remedy="Fetch the wheel that is, or name the right interpreter with --python.",
            )
