"""Absolute paths and names of temporary files in texts: whether two that differ tell where things were built."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["BELOW", "PATH", "TEMPORARY", "cause", "is_drawn"]

_RANDOM = (
    r"pip-(?:build-env|install|req-build|ephem-wheel-cache|modern-metadata|wheel|unpack|standalone-pip|metadata)-"
    r"[A-Za-z0-9_]{6,12}"
    r"|(?:build-env|build-via-sdist|\.mesonpy)-[a-z0-9_]{8}(?![a-z0-9_])"
    r"|cc(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{6}(?=\.(?:o|s|c|res|ltrans|i)\b)"
)

TEMPORARY = re.compile(
    rf"(?<![A-Za-z0-9_])(?:{_RANDOM}|tmp(?=[a-z_]*\d)[a-z0-9_]{{8}}(?!\w)|\.tmp(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{{6}}(?!\w))"
)
"""A name that pip, build, uv, meson-python, tempfile or gcc drew at random."""

_COMPONENT = re.compile(rf"{_RANDOM}|\.?tmp[A-Za-z0-9_]{{6,8}}|cc[A-Za-z0-9]{{6}}\.[a-z]+")
"""The same as a whole component of a path."""

BELOW = re.compile(r"(?<=[\\/])(?P<prefix>[\w.+@~%=-]*?)(?P<drawn>[a-z0-9_]{8})(?=[\\/\s\"':;,]|\Z)")
"""The first name below a directory, if it could be tempfile's: its prefix, and what may have been drawn."""

PATH = re.compile(
    r"(?:(?<![\w:/.%<>}\])~$-])|(?<=file:))(?<!/)(?:file://)?(?:/[\w.+@~%=,-]+){2,}/?"
    r"|(?<![A-Za-z])[A-Za-z]:[\\/](?:[^\s\\/:*?\"'<>|;,]+[\\/])+[^\s\\/:*?\"'<>|;,]*"
    r"|(?<=-I)(?:/[\w.+@~%=,-]+){2,}"
)
"""An absolute path of two components or more, on POSIX systems or Windows, also as a file URL."""

_TEMPORARY_ROOT = re.compile(
    r"/(?:private/)?(?:tmp|var/tmp|dev/shm)(?:/|\Z)|/(?:private/)?var/folders/|[A-Za-z]:[\\/].*?[\\/]Te?mp[\\/]",
    re.IGNORECASE,
)
_SYSTEM = re.compile(r"/(?:bin|boot|dev(?!/shm)|etc|lib|lib32|lib64|proc|run|sbin|sys|usr(?!/src/)|nix/store)(?:/|\Z)")
"""What an operating system keeps there wherever anybody builds."""

_HOME = re.compile(r"(?P<before>/home/|/Users/|[A-Za-z]:[\\/]Users[\\/])(?P<name>[^\\/]+)(?P<after>(?:[\\/].*)?)\Z")
_SEPARATOR = re.compile(r"[\\/]")
_ROOTS = re.compile(
    r"[A-Za-z]:[\\/]|/(?:home|Users|root|build|builds|builddir|buildroot|tmp|private|var|srv|opt|mnt|media|Volumes"
    r"|workspace|workspaces|work|github|__w|w|src|io|host|usr|runner|jenkins|ci|scratch|wrkdirs|nix|gnu)/"
)
"""Where people and services build; a path elsewhere may be an address on the web, or anything."""


def cause(left: str, right: str, *, is_location: bool) -> str:
    """Return the code of what makes two paths at one place differ, or nothing if they do not tell.

    *is_location* says that such a path is where something was built, as in debug information.
    """
    left, right = left.replace("file://", ""), right.replace("file://", "")
    if _SYSTEM.match(left) and _SYSTEM.match(right):
        return ""
    homes = _HOME.match(left), _HOME.match(right)
    if homes[0] and homes[1] and homes[0]["after"] == homes[1]["after"]:
        return "D003"
    if _without_versions(left) == _without_versions(right):
        return "D023"
    if _is_temporary(left, right) and _is_temporary(right, left):
        return "D002"
    return "D001" if is_location or _is_moved(left, right) else ""


def is_drawn(left: str, right: str) -> bool:
    """Tell whether two names of eight characters, with one prefix and in one place, are most likely random.

    Eight of 37 characters without a digit or underscore in either are rare, as are two that agree in many places.
    Numbers in hexadecimal may be a commit's.
    """
    if all(re.fullmatch(r"[0-9a-f]*", name) for name in (left, right)):
        return False
    return bool(re.search(r"[0-9_]", left + right)) and sum(a == b for a, b in zip(left, right)) <= _AGREE


_AGREE = 2
"""In how many of eight places random names may agree: more do in less than two of a thousand pairs."""

_TOOL = re.compile(
    r"((?:python|pypy|gcc|clang|llvm|rust|numpy|pybind11|cython)\D{0,4})\d+(?:\.\d+)*(?=[-/\\]|\Z)", re.I
)


def _without_versions(path: str) -> str:
    """Return *path* without the numbers behind the names of tools; as it is where there are none."""
    return _TOOL.sub(r"\1", path)


def _is_temporary(path: str, other: str) -> bool:
    """Tell whether *path* is other than *other* in a temporary directory's part of it."""
    if _TEMPORARY_ROOT.match(path):
        return True
    known = set(_SEPARATOR.split(other))
    return any(_COMPONENT.fullmatch(part) for part in _SEPARATOR.split(path) if part not in known)


def _is_moved(left: str, right: str) -> bool:
    """Tell whether both end alike and begin otherwise: one file of a tree that lay elsewhere."""
    one, other = _parts(left), _parts(right)
    if not _ROOTS.match(left) or not _ROOTS.match(right):
        return False
    return bool(one) and bool(other) and one[-1] == other[-1] and one != other


def _parts(path: str) -> Sequence[str]:
    return [part for part in _SEPARATOR.split(path) if part]
