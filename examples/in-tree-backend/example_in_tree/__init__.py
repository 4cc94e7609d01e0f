"""Units, from a table that the build writes."""

from ._table import UNITS

__all__ = ["UNITS"]
