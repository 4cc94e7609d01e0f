"""What one comparison may take, whatever it finds: archives in an archive unpack to far more than its own bytes."""

from __future__ import annotations

import math

from samebytes.errors import HostileArchiveError

__all__ = ["UNLIMITED", "Allowance"]

NESTED = 64 << 20
"""Bytes that all archives in two archives may unpack to, whatever the size of these."""

NESTED_EXPANSION = 40
"""How many times the size of these two they may unpack to (music21: 9.5)."""

EXPLAINED = 4000
"""How many pairs of texts are looked at for causes, whatever the size of what is compared."""

EXPLAINED_FOR = 256
"""Bytes of what is compared for each such pair, if that comes to more of them."""

_TRIED = 50
"""What an attempt costs that was refused: so attempts end, too."""


class Allowance:
    """What is left of it; an archive in an archive is not looked into where that would take more."""

    def __init__(self, size: float) -> None:
        """:param size: bytes of the two files or trees that are compared."""
        self._nested = max(NESTED, NESTED_EXPANSION * size)
        self._most = self._left = max(EXPLAINED, size / EXPLAINED_FOR)
        self._is_met = False

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be looked at for causes."""
        return self._left < 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says where there were more texts than may be looked at for causes."""
        most = f"{min(self._most, 1e15):,.0f}"
        note = f"more texts differ than the {most} that are looked at for causes: those of the rest are unknown"
        return (note,) if self._is_met else ()

    def explain(self, many: float = 1) -> bool:
        """Return whether so *many* more pairs of texts, or what costs as much, may be looked at for causes."""
        if many <= self._left:
            self._left -= many
            return True
        self._is_met = True
        self._left -= _TRIED
        return False

    def unpack(self, size: int) -> None:
        """Take *size* bytes that an archive in an archive unpacks to.

        :raises HostileArchiveError: if there are not so many left; nothing is taken then.
        """
        if size > self._nested:
            raise HostileArchiveError(
                f"with what lies in other archives here it unpacks to more than {NESTED:,} bytes,"
                f" and more than {NESTED_EXPANSION} times what is compared",
                remedy="Unpack both, and compare what is in them.",
            )
        self._nested -= size


UNLIMITED = Allowance(math.inf)
