"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from ..errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# EDQUOT is the quota's ENOSPC; Windows has none.
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR})
_LOOP = errno.ELOOP


@contextlib.contextmanager
def replacing(target: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Give a file, readable and writable, that takes *target*'s place when the block ends and vanishes if it raises.

    The file lies in the target's own directory, as ``.samebytes-*.tmp``, until it is synced and renamed. It gets the
    permission bits of the file that it replaces (else those that the umask leaves). A target that is a symbolic link
    stays one: the file that it points to is replaced.

    :param durable: wait until the contents are on the disk; after a crash of the machine, the file may else be cut off.
    :raises OutputError: if the file cannot be created, written, synced or renamed. Errors of other files that the
        block touches pass unchanged.
    """
    # Renaming would replace the link, and not what it points to.
    resolved = Path(os.path.realpath(target))
    mode = _mode_of(resolved)
    # In the same directory, for only within one file system renaming is atomic (POSIX, rename).
    temporary = resolved.parent / f".samebytes-{os.urandom(8).hex()}.tmp"
    try:
        with _opened(temporary, target, mode) as sink:
            yield sink
            _finish(sink, target, mode, durable)
        try:
            temporary.replace(resolved)
        except OSError as error:
            _refuse(target, error)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        _sync_directory(resolved.parent)


def _mode_of(resolved: Path) -> int | None:
    """Return the permission bits of the file to replace, or None if there is none yet."""
    try:
        found = resolved.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        _refuse(resolved, error)
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(f"{resolved}: is not a regular file", remedy="Name a file to write to.")
    return stat.S_IMODE(found.st_mode) & 0o777


@contextlib.contextmanager
def _opened(temporary: Path, target: Path, mode: int | None) -> Iterator[BinaryIO]:
    """Open the temporary file, readable by nobody else yet if the target's mode is still to be set."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600)
    except OSError as error:
        _refuse(target, error)
    sink = io.BufferedRandom(_Raw(descriptor, target))
    try:
        yield sink
    except BaseException:
        # Closing flushes, and may fail once more; the first failure is the one to report.
        with contextlib.suppress(OSError, OutputError):
            sink.close()
        raise
    sink.close()


class _Raw(io.FileIO):
    """The temporary file; errors in writing it name the target, which is what the user asked for."""

    def __init__(self, descriptor: int, target: Path) -> None:
        super().__init__(descriptor, "r+b")
        self._target = target

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            _refuse(self._target, error)


def _finish(sink: BinaryIO, target: Path, mode: int | None, durable: bool) -> None:
    sink.flush()
    try:
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(sink.fileno(), mode)
        if durable:
            os.fsync(sink.fileno())
    except OSError as error:
        _refuse(target, error)


def _sync_directory(directory: Path) -> None:
    """Make the new name last; without it, a crash of the system may leave the old file under it, whole."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(target: Path, error: OSError) -> NoReturn:
    if error.errno in _FULL:
        remedy = "Free some space there, or name a place on another disk. The file is as it was."
    elif error.errno in _MISSING:
        remedy = f"Create the directory {target.parent}, or name another place."
    elif error.errno == _LOOP:
        remedy = "The symbolic link leads in a circle: remove it, or name another place."
    else:
        remedy = f"Make the directory {target.parent} writable, or name another place. The file is as it was."
    raise OutputError(f"{target}: cannot be written: {error.strerror or error}", remedy=remedy) from error
