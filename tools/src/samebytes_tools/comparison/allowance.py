"""What one comparison may take, whatever it finds: archives in an archive unpack to far more than its own bytes."""

from __future__ import annotations

import math

from samebytes.errors import HostileArchiveError

__all__ = ["UNLIMITED", "Allowance"]

NESTED = 64 << 20
"""Bytes that all archives in two archives may unpack to, whatever the size of these."""

NESTED_EXPANSION = 40
"""How many times the size of these two they may unpack to (music21: 9.5)."""


class Allowance:
    """What is left of it; an archive in an archive is not looked into where that would take more."""

    def __init__(self, size: float) -> None:
        """:param size: bytes of the two files or trees that are compared."""
        self._nested = max(NESTED, NESTED_EXPANSION * size)

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
