"""What samebytes finds itself running on, and who compresses here, why, and how fast."""

from __future__ import annotations

import platform
import sys
import zlib
from dataclasses import dataclass
from importlib import metadata
from typing import Callable

from .. import __version__
from ..deflate.providers import PURE, Choice, Provider, choose, cross_check, fault_of
from ..deflate.stream import chosen
from ..deflate.vectors import vectors
from ..errors import EncoderError

EXTRAS = {"build": "build", "setuptools": "setuptools", "wrap": "tomlkit"}
"""Each extra, and the distribution that it stands for."""

CORE = ("packaging", "pyproject-hooks", *(("tomli",) if sys.version_info < (3, 11) else ()))

Clock = Callable[[], float]
"""Gives seconds of processor time."""

_LEAST_SECONDS = 0.2


@dataclass(frozen=True)
class Diagnosis:
    """All that there is to say, ready to be shown."""

    samebytes: str
    python: str
    executable: str
    platform: str
    zlib: str
    """The version of the zlib that is loaded, as it gives it."""
    encoder: Choice
    """What makes the canonical stream here."""
    encoder_speed: float
    """Megabytes of contents in a second of one processor."""
    own_speed: float
    """The same of our own encoder."""
    encoder_fault: str
    """What is wrong with the bytes that come out; nothing as a rule."""
    core: dict[str, str | None]
    """The version of each runtime dependency; None where it is missing."""
    extras: dict[str, str | None]
    """The version of each extra's distribution; None where it is not installed."""

    @property
    def is_own(self) -> bool:
        """Whether our own encoder does it."""
        return self.encoder.provider is PURE

    @property
    def healthy(self) -> bool:
        """Whether everything that samebytes cannot do without is there and right."""
        return not self.encoder_fault and None not in self.core.values()


def diagnose(clock: Clock, candidate: Provider | None = None) -> Diagnosis:
    """Look at the running interpreter and what is installed for it.

    :param candidate: what to look at instead of the interpreter's zlib.
    """
    choice = chosen() if candidate is None else choose(candidate)
    own_speed = speed(PURE, clock)
    return Diagnosis(
        samebytes=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        platform=platform.platform(),
        zlib=zlib.ZLIB_RUNTIME_VERSION,
        encoder=choice,
        encoder_speed=own_speed if choice.provider is PURE else speed(choice.provider, clock),
        own_speed=own_speed,
        encoder_fault=_fault(choice.provider),
        core={name: _version(name) for name in CORE},
        extras={extra: _version(name) for extra, name in EXTRAS.items()},
    )


def speed(provider: Provider, clock: Clock) -> float:
    """Return how many megabytes of text *provider* encodes in a second by *clock*."""
    text = next(vectors()).segment
    done = 0
    start = clock()
    while clock() - start < _LEAST_SECONDS or not done:
        provider.encode(text, b"", True)
        done += len(text)
    return done / (clock() - start) / 1e6


def _fault(provider: Provider) -> str:
    """Return what contradicts the canonical form: our own encoder's streams, or *provider*'s where they differ."""
    fault = fault_of(PURE)
    if fault:
        return f"{PURE.name} {fault}"
    try:
        for vector in vectors():
            cross_check(provider, vector.segment)
    except EncoderError as error:
        return error.message
    return ""


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
