"""``[tool.samebytes.check]`` in pyproject.toml: what a project always wants of ``samebytes check`` of its tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes.backend.config import config_table, read_toml
from samebytes.errors import UsageError, suggestion

from ...variations.variations import VariationChoice, choice
from .subject import ACCEPTABLE

KEYS = ("accept", "require", "vary")
"""Each is the option of that name."""


class CheckSettings(NamedTuple):
    """What the table says."""

    accept: str = "identical"
    choice: VariationChoice = VariationChoice()


def settings_of(tree: Path, vary: Sequence[str] = (), require: Sequence[str] = ()) -> CheckSettings:
    """Return what the source tree *tree* wants; what the command line says comes after, and so wins.

    :param vary: the arguments of ``--vary``.
    :param require: the arguments of ``--require``.
    :raises ConfigError: if pyproject.toml is malformed, a key is unknown or a value is of the wrong kind.
    :raises UsageError: if the arguments name what is no variation.
    """
    path = tree / "pyproject.toml"
    table = config_table(path, read_toml(path), "tool", "samebytes", "check")
    for key in table.values:
        if key not in KEYS:
            raise table.invalid(f"has the unknown key {key!r}", suggestion(key, KEYS))
    own = VariationChoice()
    for key in ("vary", "require"):
        items = table.strings(key)
        try:
            own = choice(items if key == "vary" else (), items if key == "require" else (), own)
        except UsageError as error:
            raise table.invalid(f"{key} names what cannot be varied: {error.message}", error.remedy) from None
    return CheckSettings(table.choice("accept", ACCEPTABLE), choice(vary, require, own))
