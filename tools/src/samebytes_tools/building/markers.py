"""Markers of requirements and lock files, for an interpreter that need not be this one.

Source: dependency specifiers, "Environment Markers"; PEP 751 for those of lock files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packaging.markers import InvalidMarker, Marker

from samebytes.errors import ConfigError


def applies(marker: object, environment: Mapping[str, str], groups: Iterable[str] = ()) -> bool:
    """Return whether *marker* holds here, with no extra, and with the dependency *groups* of a lock file.

    :param marker: text; None, or nothing, holds.
    :param environment: what is other than in this interpreter.
    :raises ConfigError: if it is malformed.
    """
    if not marker:
        return True
    try:
        there = Marker(str(marker))
        try:
            given: dict[str, Any] = {**environment, "dependency_groups": frozenset(groups), "extras": frozenset()}
            return there.evaluate(given, context="lock_file")
        except TypeError:  # packaging before 25, which knows no markers of lock files
            return there.evaluate({"extra": "", **environment})
    # UndefinedEnvironmentName (``extra`` in a lock file, which uv writes, is not defined) is a ValueError, and a
    # LookupError since packaging 26.3.
    except (InvalidMarker, ValueError, LookupError):
        try:
            return Marker(str(marker)).evaluate({"extra": "", **environment})
        except (InvalidMarker, ValueError, LookupError) as error:
            raise ConfigError(
                f"the marker {marker!r} cannot be read: {error}",
                remedy="Lock again. If it names extras or dependency_groups, install packaging 25 or later.",
            ) from None
