"""Who makes the canonical stream: the interpreter's zlib where it is known to give these bytes, else our own encoder.

Builds of Python come with several libraries under the name of zlib (stock zlib, zlib-ng, ISA-L, Cloudflare's,
Chromium's), and each compresses to other bytes. So a zlib is admitted only after it has reproduced reference streams.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Callable, NamedTuple

from ..errors import EncoderError
from .vectors import DIGESTS, vectors

# zlib's own defaults, in which its streams are the same since 1.2.8 (docs/explanation/zlib.md).
LEVEL = 6
MEM_LEVEL = 8

RAW = -15
"""zlib's way to ask for a stream without header and checksum, for a window of 2**15 bytes."""

SAMPLE_SIZE = 4096
"""How many bytes of a run's first contents are encoded twice, to compare."""


class Provider(NamedTuple):
    """Something that encodes segments."""

    name: str
    encode: Callable[[bytes, bytes, bool], bytes]
    """Gives the part of the stream for a segment, the window before it, and whether it is the last one."""
    in_processes: bool
    """Whether only processes run it side by side, for it holds the interpreter; else threads do."""


class Choice(NamedTuple):
    """The provider in use, and why."""

    provider: Provider
    reason: str


def by_zlib(module: Any = zlib) -> Provider:
    """Return the provider that *module*, with the interface of ``zlib``, would be."""

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        primed = {"zdict": window} if window else {}
        compressor = module.compressobj(LEVEL, module.DEFLATED, RAW, MEM_LEVEL, module.Z_DEFAULT_STRATEGY, **primed)
        parts = [compressor.compress(segment)]
        # The block is ended first, the sync marker comes second and alone: zlib repeats the marker when it exactly
        # fills the caller's buffer, and where that happens would depend on how Python sizes its buffers.
        flushes = (module.Z_FINISH,) if last else (module.Z_BLOCK, module.Z_SYNC_FLUSH)
        return b"".join([*parts, *map(compressor.flush, flushes)])

    version = getattr(module, "ZLIB_RUNTIME_VERSION", "")
    name = "the interpreter's zlib" if module is zlib else module.__name__
    return Provider(f"{name} {version}".strip(), encode, in_processes=False)


def _encode_ourselves(segment: bytes, window: bytes, last: bool) -> bytes:
    from .pure import encode_segment  # Loaded late: most builds need it for the comparison of one sample only.

    return encode_segment(segment, window, last)


def candidates() -> Iterator[Provider]:
    """Give those that may be canonical here, each looked for only if the one before it is not."""
    yield by_zlib()
    from .libraries import found  # Loaded late: few interpreters need it, and loading ctypes takes time.

    yield from found()


PURE = Provider("samebytes' own encoder, in Python", _encode_ourselves, in_processes=True)


def choose(candidates: Iterable[Provider]) -> Choice:
    """Return the first of *candidates* that is canonical, as far as reference streams show, else our own encoder."""
    faults: list[str] = []
    for candidate in candidates:
        fault = fault_of(candidate)
        if not fault:
            return Choice(candidate, "; ".join([f"it gives the {len(DIGESTS)} reference streams", *faults]))
        faults.append(f"{candidate.name} {fault}")
    return Choice(PURE, "; ".join([*faults, "this gives the right bytes, slowly"]))


def fault_of(provider: Provider) -> str:
    """Return in what way *provider* is not canonical, or nothing if all reference streams come out right."""
    for vector in vectors():
        try:
            encoded = provider.encode(vector.segment, vector.window, vector.last)
        except Exception as error:  # Whatever stands in for zlib may lack levels, constants, anything.
            return f"cannot make the canonical stream ({type(error).__name__}: {error})"
        if hashlib.sha256(encoded).hexdigest() != DIGESTS[vector.name]:
            return f"gives another stream for {vector.name}"
    return ""


def cross_check(provider: Provider, contents: bytes) -> None:
    """Let *provider* and our own encoder both encode the first SAMPLE_SIZE bytes of *contents*.

    :raises EncoderError: if they do not agree; it names both.
    """
    sample = contents[:SAMPLE_SIZE]
    if provider is not PURE and provider.encode(sample, b"", True) != PURE.encode(sample, b"", True):
        raise EncoderError(
            f"{provider.name} and {PURE.name} compress the same {len(sample)} bytes to different streams",
            remedy="Nothing was written. Please report it, with the output of `samebytes doctor`.",
        )
