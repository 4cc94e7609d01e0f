"""Files that appear whole or not at all, whatever happens meanwhile, and only where no other user leads us."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

from ..errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# EDQUOT is the quota's ENOSPC; Windows has none.
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EEXIST})
_LOOP = errno.ELOOP
_MOST_LINKS = 40
"""As many as Linux follows (path_resolution(7))."""
_OWN_PIPE = re.compile(r"pipe:\[\d+\]")
"""What /dev/stdout leads to where it is a pipe: no path (proc(5))."""
_PAUSES = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0) if sys.platform == "win32" else ()
"""Seconds between the attempts: virus scanners and indexers open new files for a moment."""


class _Place(NamedTuple):
    """Where a file is, or will be, with all links followed."""

    directory: int | None
    """The open directory, so that nobody can exchange it for a link; None on Windows, which has no such calls."""
    name: str
    """The file's name in it; the whole path if there is none."""
    path: Path
    found: os.stat_result | None
    """What is there now."""


@contextlib.contextmanager
def replacing(target: Path, *, durable: bool = True, unchanged: os.stat_result | None = None) -> Iterator[BinaryIO]:
    """Give a file, readable and writable, that takes *target*'s place when the block ends and vanishes if it raises.

    The file lies in the target's own directory, as ``.samebytes-*.tmp``, until it is synced and renamed. It gets the
    permission bits of the file that it replaces (else those that the umask leaves). A target that is a symbolic link
    stays one: the file that it points to is replaced.

    :param durable: wait until the contents are on the disk; after a crash of the machine, the file may else be cut off.
    :param unchanged: what ``os.stat`` returned of the target; another file, or new contents, are not overwritten.
    :raises OutputError: if the file cannot be created, written, synced or renamed, or another user planted what is
        there (:func:`real_path`). Errors of other files that the block touches pass unchanged.
    """
    with _place(target) as place:
        if place.found is not None and not stat.S_ISREG(place.found.st_mode):
            raise OutputError(f"{target}: is not a regular file", remedy="Name a file to write to.")
        mode = None if place.found is None else stat.S_IMODE(place.found.st_mode) & 0o777
        # In the same directory, for only within one file system renaming is atomic (POSIX, rename).
        temporary = os.path.join(os.path.dirname(place.name), f".samebytes-{os.urandom(8).hex()}.tmp")
        try:
            with _opened(temporary, place.directory, target, mode) as sink:
                yield sink
                _finish(sink, target, mode, durable)
            try:
                _check_unchanged(place, target, unchanged)
                _patiently(os.replace, temporary, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
            except OSError as error:
                _refuse(target, error)
        except BaseException:
            with contextlib.suppress(OSError):
                _patiently(os.unlink, temporary, dir_fd=place.directory)
            raise
        if durable:
            _sync_directory(place)


def real_path(target: Path) -> Path:
    """Return where an output named *target* belongs, with all links followed.

    In a directory with the sticky bit where others may write, such as ``/tmp``, links, files and pipes count only if
    they belong to us or to the directory's owner: what Linux's ``protected_symlinks``, ``protected_regular`` and
    ``protected_fifos`` do where they are set (proc_sys_fs(5)), and for all parts of the path.

    :raises OutputError: if there is one of another user, or the directory does not exist.
    """
    with _place(target) as place:
        return place.path


def followed(path: Path) -> Path:
    """Return what *path* leads to; unlike ``Path.resolve``, no error where links go round in circles."""
    try:
        return Path(os.path.realpath(path))
    except OSError:  # Not every Windows finds where long paths and other file systems lead.
        return path.absolute()


def make_directory(directory: Path) -> None:
    """Make *directory* and those above it where they do not exist; links are followed as in :func:`real_path`.

    :raises OutputError: if one cannot be made, or what is there is not a directory.
    """
    with _place(directory, make=True):
        pass


@contextlib.contextmanager
def _place(target: Path, *, make: bool = False) -> Iterator[_Place]:
    try:
        if sys.platform == "win32":
            if make:
                target.mkdir(parents=True, exist_ok=True)
            path = followed(target)
            place = _Place(None, str(path), path, _lstat(str(path)))
        else:
            place = _walked(target, make)
    except OSError as error:
        _refuse(target, error)
    try:
        yield place
    finally:
        if place.directory is not None:
            os.close(place.directory)


if sys.platform != "win32":
    _WALK = getattr(os, "O_PATH", 0) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

    def _walked(target: Path, make: bool) -> _Place:
        """Find *target*, one name after the other, each looked up in the directory that the one before it opened."""
        left, here, path, links = [*target.parts], os.open(".", _WALK), Path(), 0
        try:
            while left:
                name = left.pop(0)
                found = _lstat(name, here)
                if found is None and make:
                    os.mkdir(name, dir_fd=here)
                    found = _lstat(name, here)
                if found is None and not left:
                    return _Place(here, name, path / name, None)
                if found is not None and not stat.S_ISDIR(found.st_mode):
                    _check_planted(path / name, found, os.fstat(here))
                if found is not None and stat.S_ISLNK(found.st_mode):
                    links += 1
                    to = os.readlink(name, dir_fd=here)
                    if _OWN_PIPE.fullmatch(to):
                        return _Place(here, name, path / name, os.stat(name, dir_fd=here))
                    if links > _MOST_LINKS:
                        raise OSError(_LOOP, os.strerror(_LOOP))
                    left[:0] = Path(to).parts
                elif left or make:
                    inner = os.open(name, _WALK, dir_fd=here)
                    os.close(here)
                    here, path = inner, path / name
                else:
                    return _Place(here, name, path / name, found)
            return _Place(here, ".", path, os.stat(".", dir_fd=here))
        except BaseException:
            os.close(here)
            raise

    def _check_planted(path: Path, found: os.stat_result, around: os.stat_result) -> None:
        shared = around.st_mode & stat.S_ISVTX and around.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if shared and found.st_uid not in (os.geteuid(), around.st_uid):
            what = "link" if stat.S_ISLNK(found.st_mode) else "file"
            raise OutputError(
                f"{path}: this {what} belongs to another user, in a directory where others may write too",
                remedy="Name a place in a directory of your own. Nothing was written.",
            )


def _lstat(name: str, directory: int | None = None) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _check_unchanged(place: _Place, target: Path, before: os.stat_result | None) -> None:
    now = _lstat(place.name, place.directory)
    if before is not None and (now is None or _identity(now, before) != _identity(before, now)):
        raise OutputError(
            f"{target}: was replaced, changed or removed since it was read",
            remedy="What is there now was left alone. Run it again.",
        )


def _identity(one: os.stat_result, other: os.stat_result) -> tuple[int, ...]:
    # A name more or less changes st_ctime_ns too, and is no reason; on Windows it is when the file was made.
    changed = one.st_ctime_ns if one.st_nlink == other.st_nlink == 1 else 0
    return one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, changed


@contextlib.contextmanager
def _opened(temporary: str, directory: int | None, target: Path, mode: int | None) -> Iterator[BinaryIO]:
    """Open the temporary file, readable by nobody else yet if the target's mode is still to be set."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600, dir_fd=directory)
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
        if mode is not None and sys.platform != "win32":  # whose one bit, read-only, would keep the file from its place
            os.fchmod(sink.fileno(), mode)
        if durable:
            os.fsync(sink.fileno())
    except OSError as error:
        _refuse(target, error)


def _patiently(do: Callable[..., None], *names: str, **directories: int | None) -> None:
    """Rename or remove a file, which Windows refuses while another program has one of them open."""
    for pause in _PAUSES:
        with contextlib.suppress(PermissionError):
            do(*names, **directories)
            return
        time.sleep(pause)
    do(*names, **directories)


def _sync_directory(place: _Place) -> None:
    """Make the new name last; without it, a crash of the system may leave the old file under it, whole."""
    with contextlib.suppress(OSError):
        descriptor = os.open(os.path.dirname(place.name) or ".", os.O_RDONLY, dir_fd=place.directory)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refuse(target: Path, error: OSError) -> NoReturn:
    if error.errno in _FULL:
        remedy = "Free some space there, or name a place on another disk. The file is as it was."
    elif error.errno in _MISSING:
        remedy = f"Create the directory {target.parent}, or name another place."
    elif sys.platform == "win32" and isinstance(error, PermissionError):
        remedy = f"Is {target.name} open in another program, or read-only? Change that, and run it again."
    elif error.errno == _LOOP:
        remedy = "The symbolic link leads in a circle: remove it, or name another place."
    else:
        remedy = f"Make the directory {target.parent} writable, or name another place. The file is as it was."
    raise OutputError(f"{target}: cannot be written: {error.strerror or error}", remedy=remedy) from error
