"""``[tool.samebytes.check]`` in pyproject.toml: what a project always wants of ``samebytes check`` of its tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from samebytes.backend.config import config_table, read_toml
from samebytes.errors import UsageError, suggestion

from ...variations.variations import NAMES, VariationChoice, choice
from .subject import ACCEPTABLE

KEYS = ("accept", "require", "vary")
"""Each is the option of that name."""


class CheckSettings(NamedTuple):
    """What the table says."""

    accept: str = "identical"
    choice: VariationChoice = VariationChoice()
    note: str = ""
    """What is less strict by the table; not everybody who checks a tree has written that."""


def settings_of(
    tree: Path, vary: Sequence[str] = (), require: Sequence[str] = (), accept: str | None = None
) -> CheckSettings:
    """Return what the source tree *tree* wants; what the command line says comes after, and so wins.

    :param vary: the arguments of ``--vary``.
    :param require: the arguments of ``--require``.
    :param accept: the argument of ``--accept``.
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
    chosen, of_its_own = choice(vary, require, own), table.choice("accept", ACCEPTABLE)
    looser = [] if accept or of_its_own == ACCEPTABLE[0] else [f"accepts {of_its_own}"]
    left_out = len(choice(vary, require).wanted - chosen.wanted)
    looser += [f"leaves out {left_out} of {len(NAMES)} variations"] if left_out else []
    note = f"[tool.samebytes.check] of the tree {' and '.join(looser)}" if looser else ""
    return CheckSettings(accept or of_its_own, chosen, note)
