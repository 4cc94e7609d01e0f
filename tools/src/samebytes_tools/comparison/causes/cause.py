"""A cause, as a value; and what is known beyond an observation when causes are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..allowance import UNLIMITED, Allowance
from ..model import UNKNOWN_BUILDS, KnownBuilds
from ..observations import Nature, OfNature, Part

__all__ = ["NORMALIZE", "NO_CLUES", "WRAP", "Cause", "CauseClues", "Detector", "by_nature"]


class CauseClues(NamedTuple):
    """What is known beyond what is observed. More knowledge is a further field here: detectors get all of it."""

    builds: KnownBuilds = UNKNOWN_BUILDS
    digests: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})
    """For each side, the SHA-256 of members that differ, in hexadecimal, and the members' keys."""
    names: frozenset[str] = frozenset()
    """What members are called on either side: full names and their last components."""
    only: frozenset[str] = frozenset()
    """The keys of members that only one side has."""
    pure: tuple[bool, bool] = (True, True)
    """For each side, whether it has no compiled file; both seem to have none where they are of two releases."""
    on_windows: tuple[bool, bool] = (False, False)
    """For each side, whether a system without modes made all of its members (APPNOTE 4.4.2.2)."""
    allowance: Allowance = UNLIMITED
    """What the whole comparison may still take."""

    @property
    def is_one_zone(self) -> bool:
        """Whether both builds are known to have been in the same time zone."""
        return bool(self.builds[0].timezone) and self.builds[0].timezone == self.builds[1].timezone

    @property
    def is_one_seed(self) -> bool:
        """Whether both builds are known to have had the same hash seed."""
        return bool(self.builds[0].hash_seed) and self.builds[0].hash_seed == self.builds[1].hash_seed

    @property
    def is_listed_otherwise(self) -> bool:
        """Whether files were listed in one order in one build, and in the reverse in the other."""
        return self.builds[0].is_listed_backwards is not self.builds[1].is_listed_backwards


NO_CLUES = CauseClues()

Detector = Callable[[Part, CauseClues], bool]
"""Returns whether something that was observed shows a cause, by itself and by what is known beside it."""


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
    shows: Detector = field(repr=False, compare=False)
    inside: str = ""
    """What to do about it in contents of files, which no normalizing changes; empty where the remedy is for both."""
    small: str = ""
    """What differs, in a few words, where that has no meaning to whoever installs or reads the file; else empty."""

    def described(self) -> dict[str, str]:
        """Return what documents say of it, by name."""
        remedy = self.advice(normalized=True, inside=True)
        return {"code": self.code, "name": self.name, "explanation": self.explanation, "remedy": remedy}

    def advice(self, *, normalized: bool, inside: bool) -> str:
        """Return what to do about it where it was found.

        :param normalized: whether that is somewhere that normalizing makes the same
        :param inside: whether it is elsewhere
        """
        if not self.inside or not inside:
            return self.remedy
        return f"{self.remedy}\n\nIn contents of files: {self.inside}" if normalized else self.inside


def by_nature(*natures: Nature) -> Detector:
    """Return the detector of a cause that the nature of a fact alone shows."""
    return lambda seen, _: isinstance(seen, OfNature) and seen.nature in natures


NORMALIZE = "Normalize what you publish:\n\n    samebytes normalize dist/*\n"

WRAP = """Let samebytes call your build backend, in pyproject.toml:

    [build-system]
    requires = ["setuptools>=77", "samebytes"]  # yours, and samebytes
    build-backend = "samebytes.backend"

    [tool.samebytes]
    build-backend = "setuptools.build_meta"  # yours

(or run "samebytes wrap", which writes that)."""
