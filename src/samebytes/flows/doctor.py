"""What samebytes finds itself running on, and whether its compression comes out right here."""

from __future__ import annotations

import hashlib
import platform
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from .. import __version__
from ..archive.deflate import compress

REFERENCE_DIGEST = "66effd6b2eecaf35b1b8d4d4885811248ce90a77827a50af17cbc0e0d9837f7c"
"""SHA-256 of the canonical deflate stream of :func:`reference_contents`, from stock zlib 1.2.8 to 1.3.1 alike."""

EXTRAS = {"build": "build", "setuptools": "setuptools", "wrap": "tomlkit"}
"""Each extra, and the distribution that it stands for."""

CORE = ("packaging", "pyproject-hooks", *(("tomli",) if sys.version_info < (3, 11) else ()))


@dataclass(frozen=True)
class Diagnosis:
    """All that there is to say, ready to be shown."""

    samebytes: str
    python: str
    executable: str
    platform: str
    zlib: str
    """The version of the zlib that is loaded, as it gives it."""
    compression_ok: bool
    core: dict[str, str | None]
    """The version of each runtime dependency; None where it is missing."""
    extras: dict[str, str | None]
    """The version of each extra's distribution; None where it is not installed."""

    @property
    def healthy(self) -> bool:
        """Whether everything that samebytes cannot do without is there and right."""
        return self.compression_ok and None not in self.core.values()


def diagnose() -> Diagnosis:
    """Look at the running interpreter and what is installed for it."""
    return Diagnosis(
        samebytes=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        platform=platform.platform(),
        zlib=zlib.ZLIB_RUNTIME_VERSION,
        compression_ok=stream_digest() == REFERENCE_DIGEST,
        core={name: _version(name) for name in CORE},
        extras={extra: _version(name) for extra, name in EXTRAS.items()},
    )


def stream_digest() -> str:
    """Return the SHA-256 of the canonical deflate stream of :func:`reference_contents` as it comes out here."""
    digest = hashlib.sha256()
    for piece in compress(reference_contents()):
        digest.update(piece)
    return digest.hexdigest()


def reference_contents() -> Iterator[bytes]:
    """Yield some 1.3 MB: words in a chaotic order, then noise, for what compressors do differs with the data.

    More than one segment, so that the priming of the second is seen too.
    """
    words = [hashlib.sha256(b"%d" % number).hexdigest()[: 2 + number % 11].encode() for number in range(512)]
    state = 1
    for _ in range(640):
        line = []
        for _ in range(256):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF  # the C standard's example of rand()
            line.append(words[(state >> 16) % len(words)])
        yield b" ".join(line) + b"\n"
    for number in range(512):
        yield hashlib.sha256(b"noise %d" % number).digest()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
