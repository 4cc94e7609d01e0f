"""What a fuzz target is, and how an input is held against it; nothing here needs a fuzzer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, NamedTuple, TypeVar

from samebytes.errors import SamebytesError

_T = TypeVar("_T")
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Refused(Exception):
    """The input is not of the kind that is read; for readers that say so by a value and not by an error."""


class Target(NamedTuple):
    """A reader, and what holds of everything that it accepts."""

    name: str
    run: Callable[[bytes], None]
    """Reads the bytes, and asserts what has to hold of what was read."""
    seeds: Callable[[], Sequence[bytes]]
    """Gives inputs that are accepted, from which a fuzzer begins."""
    refusals: tuple[type[Exception], ...] = (SamebytesError,)
    """What says that the input is refused; any other exception is a fault of ours. Empty where nothing is refused."""
    longest: int = 1 << 14
    """Bytes of the longest input that is worth trying."""
    runs: int = 1000
    """Inputs of a repeatable run, which the gate makes: what takes some seconds."""


def accepts(target: Target, data: bytes) -> bool:
    """Return whether *target* accepts *data*, or refuses it as it should; whatever else it does is raised."""
    try:
        target.run(data)
    except target.refusals:
        return False
    return True


@contextmanager
def saved(data: bytes, name: str) -> Iterator[Path]:
    """Give a file with *data* that has that name."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY) as directory:
        path = Path(directory, name)
        path.write_bytes(data)
        yield path


class Drawn:
    """Choices made by the bytes of an input, one after another; zero, the first, and nothing once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes, or as many as are left."""
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, width: int = 1) -> int:
        """Return a number of *width* bytes."""
        return int.from_bytes(self.take(width), "little")

    def one_of(self, choices: Sequence[_T]) -> _T:
        """Return one of *choices*."""
        return choices[self.number() % len(choices)]
