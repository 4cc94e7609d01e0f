"""Virtual environments that were filled once and are kept for a run: builds get copies of what was installed there.

No build ever runs in one of them, so none can change what the next one gets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from samebytes.backend.fixed import remove

from . import virtualenvs
from .copied_installs import copied
from .virtualenvs import InstalledDistribution, VirtualEnvironment

_TURN = 0.2
"""Seconds between two looks at whether to wait on."""


@dataclass(frozen=True)
class Filled:
    """A virtual environment, and what was installed into it."""

    where: VirtualEnvironment
    installed: tuple[InstalledDistribution, ...]
    """What was asked for, and what that requires; what it had before is not among it."""
    installer: str
    """``uv 0.7.0``."""
    _copies: count[int] = field(default_factory=lambda: count(1), compare=False)

    def copy_to(self, target: VirtualEnvironment, check: Callable[[], None]) -> bool:
        """Copy what was installed into *target*, and return whether that was possible; if not, nothing was written.

        :param check: called before each file; what it raises ends the work.
        """
        # Each copy has times of its own: two installations have, and builds that take these over differ by that.
        return copied(self.installed, self.where, target, check, next(self._copies))


class FilledEnvironments:
    """All of a run, each by what decides on what is installed; several threads may ask for them."""

    def __init__(self, root: Path, seen: Path | None = None) -> None:
        """*root* is a private directory, made when it is needed; *seen* its path for installers, if that is another."""
        self._root, self._seen = root, seen or root
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._found: dict[Hashable, Filled] = {}
        self._in_work: dict[Hashable, threading.Lock] = {}

    @property
    def longest(self) -> VirtualEnvironment:
        """One whose path is as long as any that there will be."""
        return self._place("999999")

    def _place(self, name: str) -> VirtualEnvironment:
        return virtualenvs.at(self._seen / name, self._root / name)

    def get(
        self, key: Hashable, fill: Callable[[VirtualEnvironment], Filled], check: Callable[[], None] = lambda: None
    ) -> Filled:
        """Return the one of *key*, which *fill* makes at a new place if there is none yet.

        Whoever asks for one that is being made waits for it. What fails is not kept.

        :param check: called while waiting; what it raises ends that.
        """
        with self._lock:
            lock = self._in_work.setdefault(key, threading.Lock())
        while not lock.acquire(timeout=_TURN):
            check()
        try:
            if key not in self._found:
                self._found[key] = self._made(fill)
            return self._found[key]
        finally:
            lock.release()

    def _made(self, fill: Callable[[VirtualEnvironment], Filled]) -> Filled:
        self._root.mkdir(parents=True, exist_ok=True)
        # Short: the interpreter's path is in the first line of scripts, which has a limit.
        where = self._place(str(next(self._numbers)))
        try:
            return fill(where)
        except BaseException:
            remove(where.real)
            raise


def present(held: Sequence[Filled]) -> list[str]:
    """Return lines that constrain an installer to what was copied from *held*."""
    return [
        f"{one.name} @ {one.url}" if one.is_direct else f"{one.name}=={one.version}"
        for filled in held
        for one in filled.installed
    ]
