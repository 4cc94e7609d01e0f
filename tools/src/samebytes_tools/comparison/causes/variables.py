"""Environment variables that are written out, several at once and with their names: into a text, or into JSON."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ..model import KnownBuilds

__all__ = ["ENOUGH", "changed", "masked", "names"]

ENOUGH = 3
"""How many variables with other values show that the environment was written out; one alone has a cause of its own."""

_USUAL = frozenset(
    {
        *("COLUMNS", "HOME", "HOSTNAME", "LANG", "LC_ALL", "LINES", "LOGNAME", "MAIL", "MAKEFLAGS", "OLDPWD", "PATH"),
        *("PWD", "PYTHONHASHSEED", "PYTHONPATH", "SHELL", "SHLVL", "SSH_CLIENT", "SSH_CONNECTION", "TERM", "TMPDIR"),
        *("TZ", "USER", "USERNAME", "VIRTUAL_ENV", "XDG_RUNTIME_DIR", "XDG_SESSION_ID"),
    }
)
"""Variables that differ between the environments of people (POSIX, chapter 8; environ(7))."""

_ASSIGNED = re.compile(
    rb"""(?<![\w.])(?P<quote>["']?)(?P<name>[A-Za-z_]\w*)(?P=quote)(?P<sign>[ ]?[=:][ ]?)"""
    rb"""(?:"(?P<double>[^"\\\r\n]*(?:\\.[^"\\\r\n]*){0,1000})"|'(?P<single>[^'\\\r\n]*(?:\\.[^'\\\r\n]*){0,1000})'"""
    rb"""|(?P<bare>[^\r\n]*))"""
)
"""A name and its value, as a shell, JSON or ``repr`` of a dictionary has it.

Repeated groups are bounded: for each time, :mod:`re` holds some hundred bytes.
"""

_MOST = 10_000
"""How many variables are looked at; environments have hundreds."""


def names(builds: KnownBuilds) -> frozenset[str]:
    """Return the names of variables that may differ between two builds."""
    return _USUAL.union(*(build.variables for build in builds))


def changed(left: Mapping[str, object], right: Mapping[str, object], builds: KnownBuilds) -> frozenset[str]:
    """Return the names of variables that have other values on the two sides; none if they are too few."""
    found = frozenset(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
    # Of those that both have: lone ones may be constants of a program.
    known = {name for name in found & names(builds) if name in left and name in right}
    # Where these are, there are others, in capitals most likely (POSIX, chapter 8.1).
    return frozenset(name for name in found if name in known or name.isupper()) if len(known) >= ENOUGH else frozenset()


def masked(left: bytes, right: bytes, builds: KnownBuilds) -> tuple[bytes, bytes] | None:
    """Return two texts without the variables that have other values in them, or None if there are too few of those."""
    # Most texts have none of them, which is seen at once.
    known = names(builds)
    if sum(name.encode() in left and name.encode() in right for name in known) < ENOUGH:
        return None
    sides: list[dict[str, bytes]] = [{}, {}]
    for text, side in zip((left, right), sides):
        for match in _ASSIGNED.finditer(text):
            name = _name(match)
            if name in known or name.isupper():
                side[name] = _value(match)
            if len(side) > _MOST:
                return None
    found = changed(sides[0], sides[1], builds)
    return (_without(left, found), _without(right, found)) if found else None


def _name(match: re.Match[bytes]) -> str:
    return match["name"].decode("utf-8", "replace")


def _value(match: re.Match[bytes]) -> bytes:
    return next(value for value in (match["double"], match["single"], match["bare"]) if value is not None)


def _without(text: bytes, variables: Collection[str]) -> bytes:
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not _is_alone(line, variables)]
    return _ASSIGNED.sub(lambda match: b"" if _name(match) in variables else match[0], b"".join(kept))


def _is_alone(line: bytes, variables: Collection[str]) -> bool:
    match = _ASSIGNED.match(line.strip())
    return match is not None and _name(match) in variables and match.end() >= len(line.strip()) - 1
