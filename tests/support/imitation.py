"""Modules that pass for ``zlib``, up to a point: real ones, with everything that it has, and one thing changed."""

from __future__ import annotations

import hashlib
import zlib
from types import ModuleType
from typing import Any, Callable

from samebytes.deflate.vectors import vectors

NAME = "almost_zlib"
VERSION = "9.8.7"


def imitation(**changed: Any) -> ModuleType:
    """Return a module that is as ``zlib`` is but for what is *changed*; None takes a name away."""
    module = ModuleType(NAME)
    names = {name: getattr(zlib, name) for name in dir(zlib) if not name.startswith("_")}
    for name, value in {**names, "ZLIB_RUNTIME_VERSION": VERSION, **changed}.items():
        if value is not None:
            setattr(module, name, value)
    return module


def erring(errs: Callable[[bytes], bool]) -> ModuleType:
    """Return a module whose compressors give another, valid stream for data of which *errs* is true."""

    def compressobj(level: int, method: int, wbits: int, memory: int, strategy: int, zdict: bytes = b"") -> _Compressor:
        return _Compressor(errs, (level, method, wbits, memory), strategy, zdict)

    return imitation(compressobj=compressobj)


class _Compressor:
    """A compressor of zlib's that is only made once the data is there."""

    def __init__(
        self, errs: Callable[[bytes], bool], settings: tuple[int, int, int, int], strategy: int, zdict: bytes
    ) -> None:
        self._errs = errs
        self._settings = settings
        self._strategy = strategy
        self._zdict = zdict

    def compress(self, data: bytes) -> bytes:
        strategy = zlib.Z_HUFFMAN_ONLY if self._errs(data) else self._strategy
        level, method, wbits, memory = self._settings
        primed = {"zdict": self._zdict} if self._zdict else {}
        self._real = zlib.compressobj(level, method, wbits, memory, strategy, **primed)
        return self._real.compress(data)

    def flush(self, mode: int) -> bytes:
        return self._real.flush(mode)


_KNOWN = frozenset(hashlib.sha256(vector.segment).digest() for vector in vectors())


def is_no_vector(data: bytes) -> bool:
    """Say whether *data* is none of the contents that compressors are tried with."""
    return hashlib.sha256(data).digest() not in _KNOWN
