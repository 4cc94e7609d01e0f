"""Which variations are wanted: ``--vary`` read as reprotest's users know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from samebytes.errors import UsageError

from ...variations.variations import ALIASES, ALL, NAMES

__all__ = ["ALL", "Choice", "choice"]

EVERYTHING = "all"


@dataclass(frozen=True)
class Choice:
    """What is to be varied."""

    wanted: frozenset[str] = frozenset(NAMES)
    demanded: frozenset[str] = frozenset()
    """What was named with a plus: an error where that cannot be varied."""

    def applicable(self, obstacles: Mapping[str, str]) -> frozenset[str]:
        """Return what of it can be varied.

        :raises UsageError: if something that was demanded cannot.
        """
        for name in sorted(self.demanded & set(obstacles)):
            raise UsageError(
                f"{name} cannot be varied here: {obstacles[name]}", remedy="samebytes check --list says what can be."
            )
        return self.wanted - set(obstacles)


def choice(given: Sequence[str]) -> Choice:
    """Read the arguments of ``--vary``: all variations, less those with a minus, and again those with a plus.

    ``-all,+umask`` is umask alone. A name without a sign has a plus. Reprotest's names are known, too.

    :raises UsageError: for a name that is none.
    """
    wanted = set(NAMES)
    demanded: set[str] = set()
    for item in (part.strip() for text in given for part in text.split(",")):
        if not item:
            continue
        name = _name(item.lstrip("+-"), item)
        names = set(NAMES) if name == EVERYTHING else {name}
        if item.startswith("-"):
            wanted -= names
            demanded -= names
        else:
            wanted |= names
            demanded |= names if name != EVERYTHING else set()
    return Choice(frozenset(wanted), frozenset(demanded))


def _name(text: str, item: str) -> str:
    if text == EVERYTHING:
        return text
    name = ALIASES.get(text, ALIASES.get(text.replace("-", "_"), text.replace("_", "-")))
    if name in NAMES:
        return name
    near = get_close_matches(name, NAMES, n=1)
    raise UsageError(
        f"{item!r} names no variation",
        remedy=(f"Did you mean {near[0]!r}? " if near else "") + "samebytes check --list shows them all.",
    )
