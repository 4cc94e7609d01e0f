"""Stock zlib from elsewhere than the interpreter: any shared library with its interface, called by ctypes.

Where an interpreter was linked with another zlib, a stock one is often on the machine nevertheless. It is as good as
the interpreter's own would be, and some twenty times faster than Python. Each is admitted like any provider.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .providers import LEVEL, MEM_LEVEL, RAW, Provider

# zlib.h: flushes, return codes, and the one method and strategy that are used here.
_Z_SYNC_FLUSH, _Z_FINISH, _Z_BLOCK = 2, 4, 5
_Z_OK, _Z_STREAM_END, _Z_BUF_ERROR = 0, 1, -5
_Z_DEFLATED, _Z_DEFAULT_STRATEGY = 8, 0

_NAMES = {
    "win32": ("zlib1.dll", "zlib.dll"),
    "darwin": ("libz.1.dylib", "libz.dylib"),
}
"""How the library is called; ``libz.so.1`` everywhere else."""

_ROOM = 64
"""Bytes beside ``deflateBound``, which counts no marker of a sync flush."""


class _Stream(ctypes.Structure):
    """``z_stream`` of zlib.h."""

    _fields_ = (
        ("next_in", ctypes.c_char_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


def found() -> Iterator[Provider]:
    """Give the libraries that can be loaded here, the likeliest one first."""
    for path in _places():
        try:
            # Under LD_PRELOAD, and in a program with a zlib of its own, the library's calls of its own functions would
            # end up in the other one's.
            library = ctypes.CDLL(path, mode=getattr(os, "RTLD_DEEPBIND", 0) | getattr(os, "RTLD_LOCAL", 0))
            library.zlibVersion.restype = ctypes.c_char_p
            yield by_library(library, path)
        except (OSError, AttributeError):  # It is not there, is no library for this machine, or no zlib.
            continue


def _places() -> Iterator[str]:
    """Give paths and names by which a zlib may be loaded."""
    names = _NAMES.get(sys.platform, ("libz.so.1",))
    # The package cmeel-zlib, which the extra ``zlib`` brings. Only from where packages are installed, for a source tree
    # that is the current directory may hold anything.
    for directory in map(Path, sys.path):
        if directory.is_absolute() and directory.name in ("site-packages", "dist-packages"):
            for folder in ("lib", "lib64"):
                for name in names:
                    if (directory / "cmeel.prefix" / folder / name).is_file():
                        yield str(directory / "cmeel.prefix" / folder / name)
    # Not by name alone where the current directory is looked in, too: on Windows, and on macOS (dlopen(3)).
    # CPython's installer for Windows brings a library for Tk.
    place = {"win32": Path(sys.base_prefix, "DLLs"), "darwin": Path("/usr/lib")}.get(sys.platform)
    yield from (str(place / name) if place else name for name in names)


def by_library(library: ctypes.CDLL, path: str) -> Provider:
    """Return the provider that *library*, loaded from *path*, would be.

    Its calls release the interpreter's lock, so threads run side by side.

    :raises AttributeError: if it lacks a function.
    """
    version: bytes = library.zlibVersion()
    init, prime, deflate = library.deflateInit2_, library.deflateSetDictionary, library.deflate
    bound, end = library.deflateBound, library.deflateEnd
    bound.restype, bound.argtypes = ctypes.c_ulong, (ctypes.c_void_p, ctypes.c_ulong)

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        stream = _Stream()
        at = ctypes.byref(stream)
        settings = (LEVEL, _Z_DEFLATED, RAW, MEM_LEVEL, _Z_DEFAULT_STRATEGY, version, ctypes.sizeof(stream))
        _check(init(at, *settings), _Z_OK)
        try:
            if window:
                _check(prime(at, window, len(window)), _Z_OK)
            # All of it in one call, so that it does not matter how a library behaves when its buffer is full.
            size = bound(at, len(segment)) + _ROOM
            room = bytearray(size)
            first = ctypes.c_char.from_buffer(room)
            stream.next_in, stream.avail_in = segment, len(segment)
            stream.next_out, stream.avail_out = ctypes.addressof(first), size
            if last:
                _check(deflate(at, _Z_FINISH), _Z_STREAM_END)
            else:
                _check(deflate(at, _Z_BLOCK), _Z_OK, _Z_BUF_ERROR)
                _check(deflate(at, _Z_SYNC_FLUSH), _Z_OK)
            return bytes(memoryview(room)[: size - stream.avail_out])
        finally:
            end(at)

    return Provider(f"zlib {version.decode('ascii', 'replace')} of {path}", encode, in_processes=False)


def _check(code: int, *good: int) -> None:
    """Raise what zlib's return *code* says, unless it is one of *good*."""
    if code not in good:
        raise OSError(f"zlib returned {code}")
