"""How far the check of one source is: a line for each build that begins."""

from __future__ import annotations

import threading
from typing import Callable

from ...variations.environments import VariedEnvironment
from ...variations.variations import NAMES
from .subject import BUILD, DATED, FROM_SDIST, HOOK

PLANNED = ("1", "2")
"""The labels of the builds that every check makes; others turn out to be needed on the way."""

BISECTING = "bisect"
"""How labels of builds of a bisection begin."""

_BY = {DATED: ", with SOURCE_DATE_EPOCH", HOOK: ", by samebytes' hooks", BUILD: ", by samebytes build"}
_NAMED = 3


class BuildProgress:
    """Counts the builds of one source and reports each; several threads may build."""

    def __init__(self, report: Callable[[str], None], clock: Callable[[], float]) -> None:
        """Begin to count.

        :param report: takes each line.
        :param clock: returns the time in seconds.
        """
        self._report, self._clock = report, clock
        self._begun, self._planned, self._start = 0, 0, clock()
        self._lock = threading.Lock()

    def plan(self, number: int) -> None:
        """Count *number* builds more that are to come."""
        with self._lock:
            self._planned += number

    def begin(self, what: str) -> None:
        """Report that a build begins, with its number, and the seconds since the check began."""
        with self._lock:
            self._begun += 1
            # How many a search takes is not known before it ends.
            of = f" of {self._planned}" if self._begun <= self._planned else ""
            seconds = max(0.0, self._clock() - self._start)
            self._report(f"build {self._begun}{of}: {what} ({seconds:.0f} s)")


def number_of_builds(environment: VariedEnvironment, kinds: tuple[str, ...]) -> int:
    """Return how many builds it takes to have *kinds*, with those whose leftovers the tree is to hold."""
    return len(kinds) + (2 if "leftovers" in environment.applied and set(kinds) != {FROM_SDIST} else 0)


def described(way: str, kind: str, environment: VariedEnvironment, label: str) -> str:
    """Return what is built, and in which environment, in a few words."""
    return f"{kind}, {_where(environment, label)}{_BY.get(way, '')}"


def _where(environment: VariedEnvironment, label: str) -> str:
    names = [name for name in NAMES if name in environment.applied]
    if label.startswith(BISECTING):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"varied: {', '.join(names[:_NAMED]) or 'nothing'}{more}"
    if "-alone-" in label:
        return f"varied: {', '.join(names)}"
    if label.startswith("frozen"):
        return "first environment, its clock stopped"
    if label in PLANNED:
        return "first environment" if label == PLANNED[0] else "second environment"
    without = [name for name in NAMES if f"-{name}" in label]
    return f"second environment without {' and '.join(without)}" if without else "first environment once more"
