"""Why two builds differ: each cause with a stable code, and a remedy that a maintainer can paste."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One reason why builds of the same source differ."""

    code: str
    """Stable: D and three digits."""
    name: str
    """In words with hyphens, for people and for links."""
    explanation: str
    """A sentence or two."""
    remedy: str
    """What to do about it, with lines to paste where there are some."""
