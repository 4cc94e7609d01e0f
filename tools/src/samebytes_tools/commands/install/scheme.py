"""Where the files of a wheel go, for each kind of place to install into."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import NamedTuple


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
    """Return where *paths*, absolute and called as in ``sysconfig.get_paths()``, lie from *top*.

    :raises ValueError: if one of them does not lie there.
    """
    names = ("purelib", "platlib", "scripts", "data", "include")
    return Scheme(*(_relative(paths[name], top) for name in names))


def _relative(path: str, top: str) -> str:
    relative = posixpath.relpath(path, top)
    if relative == ".." or relative.startswith("../"):
        raise ValueError(f"{path} does not lie in {top}")
    return "" if relative == "." else relative
