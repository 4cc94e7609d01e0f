"""What samebytes finds itself running on, and who compresses here, why, and how fast."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Callable

from packaging.specifiers import SpecifierSet

from ... import __version__
from ...console import programs
from ...console.programs import Program
from ...deflate.providers import PURE, Choice, Provider, choose, cross_check, fault_of
from ...deflate.stream import chosen
from ...deflate.vectors import vectors
from ...errors import EncoderError

CORE = {"packaging": ">=23.2", "pyproject-hooks": ">=1.1", "tomli": ">=2"}
"""What samebytes cannot do without, and in which versions."""

EXTRAS = {
    "setuptools": {"setuptools": ">=61", "wheel": ""},
    "tools": {
        "samebytes-tools": f"=={__version__}",
        "build": ">=1.2",
        "installer": ">=0.7",
        "jinja2": ">=3.1",
        "psutil": ">=5.9",
        "pyelftools": ">=0.29",
        "python-discovery": ">=1.0",
        "shtab": ">=1.13",
        "tomlkit": ">=0.12",
    },
    "cluster": {"distributed": ">=2024.1"},
    "zlib": {"cmeel-zlib": ">=1.3"},
}
"""What each extra brings, and in which versions."""

_LEAST_SECONDS = 0.2  # a clock of processor time may tick only every 1/64 s (Windows)


@dataclass(frozen=True)
class Part:
    """A distribution that samebytes uses."""

    name: str
    version: str
    """Empty where it is not installed."""
    wanted: str
    """The versions that will do, as a specifier (PEP 440)."""

    @property
    def fits(self) -> bool:
        """Whether it is installed in such a version."""
        # Whoever has a pre-release here asked for it.
        return bool(self.version) and SpecifierSet(self.wanted).contains(self.version, prereleases=True)


@dataclass(frozen=True)
class Diagnosis:
    """What ``doctor`` finds out."""

    encoder: Choice
    """What makes the canonical stream here."""
    encoder_speed: float
    """Megabytes of contents in a second of one processor."""
    own_speed: float
    """The same of our own encoder."""
    encoder_fault: str
    """What is wrong with the bytes that come out; nothing as a rule."""
    core: tuple[Part, ...]
    """The runtime dependencies."""
    extras: dict[str, tuple[Part, ...]]
    """What each extra brings."""
    programs: dict[Program, Path | None]
    """Where the programs are that can be used; None for those that are not here."""

    @property
    def is_own(self) -> bool:
        """Whether our own encoder does it."""
        return self.encoder.provider is PURE

    @property
    def healthy(self) -> bool:
        """Whether everything that samebytes cannot do without is there and right."""
        return not self.encoder_fault and all(part.fits for part in self.core)


def diagnose(clock: Callable[[], float], environ: Mapping[str, str], candidate: Provider | None = None) -> Diagnosis:
    """Look at the running interpreter, what is installed for it, and the programs in ``PATH``.

    :param clock: gives seconds of processor time.
    :param environ: of whoever asks.
    :param candidate: what to look at instead of the interpreter's zlib.
    """
    choice = chosen() if candidate is None else choose([candidate])
    own_speed = speed(PURE, clock)
    return Diagnosis(
        encoder=choice,
        encoder_speed=own_speed if choice.provider is PURE else speed(choice.provider, clock),
        own_speed=own_speed,
        encoder_fault=_fault(choice.provider),
        core=_parts({name: wanted for name, wanted in CORE.items() if name != "tomli" or sys.version_info < (3, 11)}),
        extras={extra: _parts(names) for extra, names in EXTRAS.items()},
        programs={program: programs.find(program.name, environ) for program in programs.ALL},
    )


def speed(provider: Provider, clock: Callable[[], float]) -> float:
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


def _parts(wanted: Mapping[str, str]) -> tuple[Part, ...]:
    return tuple(Part(name, _version(name), versions) for name, versions in wanted.items())


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
