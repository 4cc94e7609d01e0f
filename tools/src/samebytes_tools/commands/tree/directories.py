"""The directories of a tree, each opened in the one above it: no link is followed, whoever changes it meanwhile."""

from __future__ import annotations

import os
import posixpath
import stat
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_BELOW_DESCRIPTORS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
"""False on Windows, where only administrators make links."""
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = getattr(os, "O_CLOEXEC", 0) | _NOFOLLOW | getattr(os, "O_BINARY", 0)
_DIRECTORY = _FLAGS | getattr(os, "O_DIRECTORY", 0)
# O_BINARY: Windows would translate line ends.
_READ = os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0)  # not to wait at a pipe that was put there


class Directories:
    """A context in which what is in the tree *top* is reached by names relative to it, separated by ``/``.

    *top* itself may be a link. Errors are OSErrors with whole paths.
    """

    def __init__(self, top: Path) -> None:
        self._top = os.fspath(top)
        self._root = -1
        # One directory is kept open: names come sorted, so most are in the last one.
        self._open: tuple[str, int] = ("", -1)
        self._made: set[str] = set()

    def __enter__(self) -> Directories:
        if _BELOW_DESCRIPTORS:
            # The top alone may be a link: the user named it.
            self._root = os.open(self._top, os.O_RDONLY | (_DIRECTORY & ~_NOFOLLOW))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()
        if self._root >= 0:
            os.close(self._root)

    def path(self, name: str) -> str:
        """Return the path of *name*, for messages."""
        return self._top if name in ("", ".") else os.path.join(self._top, *name.split("/"))

    def scan(self, name: str) -> Iterator[os.DirEntry[str]]:
        """Yield what is in the directory *name*."""
        with self._naming(name), os.scandir(self._descriptor(name) if _BELOW_DESCRIPTORS else self.path(name)) as found:
            yield from found

    def link_target(self, name: str) -> str:
        """Return where the link *name* points, as stored."""
        with self._at(name) as (last, parent):
            return os.readlink(last, dir_fd=parent)

    def make(self, name: str, known: Container[str]) -> None:
        """Create the directory *name* and those above it, with modes that no umask decides, unless they are there.

        :param known: those that were there, so that it is an error if they are not.
        """
        done = ""
        for part in filter(None, name.split("/")):
            done = posixpath.join(done, part)
            if done in known or done in self._made:
                continue
            # mkdir(2) goes by the umask, so that the mode is set afterwards.
            with self._at(done) as (last, parent):
                try:
                    # Not exist_ok of makedirs, which would take a link to a directory for one.
                    os.mkdir(last, dir_fd=parent)
                except FileExistsError:
                    continue
            self.change(done, None, 0o755, None)
            self._made.add(done)

    def remove(self, name: str, *, is_directory: bool) -> None:
        """Remove a file, a link or an empty directory."""
        # A descriptor of what is removed would stand for the next directory of its name.
        self._forget()
        with self._at(name) as (last, parent):
            (os.rmdir if is_directory else os.unlink)(last, dir_fd=parent)

    def create(self, name: str) -> int:
        """Return the descriptor of the new file *name*, which only its owner can read; nothing may be there."""
        with self._at(name) as (last, parent):
            # O_EXCL does not follow a link either (open(2)).
            return os.open(last, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=parent)

    def replace(self, source: str, target: str) -> None:
        """Give the file *source* the name *target*, in the same directory, in place of what has it."""
        with self._at(target) as (last, parent):
            source = posixpath.basename(source) if _BELOW_DESCRIPTORS else self.path(source)
            os.replace(source, last, src_dir_fd=parent, dst_dir_fd=parent)

    def sync(self, name: str) -> None:
        """Wait until the names in the directory *name* are on the disk, where that can be waited for."""
        if _BELOW_DESCRIPTORS:
            with self._naming(name):
                os.fsync(self._descriptor(name))

    def open(self, name: str, expected: os.stat_result | None = None) -> int:
        """Return a descriptor to read the file or directory *name* by.

        :param expected: what it has to be.
        :raises OSError: if it cannot be opened, or is something else by now.
        """
        with self._at(name) as (last, parent):
            descriptor = os.open(last, _READ, dir_fd=parent)
            return demand_same(descriptor, expected)

    def change(self, name: str, expected: os.stat_result | None, mode: int | None, date: int | None) -> None:
        """Set mode and time of the file or directory *name*, as far as they are given.

        :param expected: what it has to be.
        :raises OSError: if that cannot be done, or it is something else by now.
        """
        if sys.platform == "win32":
            if mode is not None:
                os.chmod(self.path(name), mode)
            if date is not None:
                os.utime(self.path(name), (date, date))
            return
        with self._naming(name):
            try:
                descriptor = self.open(name, expected)
            # A file without the right to read, which its owner may set time and mode of all the same.
            except PermissionError:
                self._change_unreadable(name, expected, mode, date)
                return
            try:
                if mode is not None:
                    os.fchmod(descriptor, mode)
                if date is not None:
                    os.utime(descriptor, (date, date))
            finally:
                os.close(descriptor)

    def date_link(self, name: str, date: int) -> None:
        """Set the time of the link *name* itself, where the system can do that."""
        with self._at(name) as (last, parent):
            # False on Windows.
            if os.utime in os.supports_follow_symlinks:
                os.utime(last, (date, date), dir_fd=parent, follow_symlinks=False)

    def _change_unreadable(
        self, name: str, expected: os.stat_result | None, mode: int | None, date: int | None
    ) -> None:
        """Do the same for a file that its owner may not read: by its entry in /proc (Linux)."""
        if not hasattr(os, "O_PATH"):
            raise PermissionError(13, os.strerror(13))
        with self._at(name) as (last, parent):
            descriptor = demand_same(os.open(last, os.O_PATH | _FLAGS, dir_fd=parent), expected)
            try:
                if stat.S_ISLNK(os.fstat(descriptor).st_mode):
                    raise OSError(None, "is a symbolic link now")
                if mode is not None:
                    os.chmod(f"/proc/self/fd/{descriptor}", mode)
                if date is not None:
                    os.utime(f"/proc/self/fd/{descriptor}", (date, date))
            finally:
                os.close(descriptor)

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[str, int | None]]:
        """Give what the system calls take for *name*: its last part and the directory that this is in."""
        with self._naming(name):
            if _BELOW_DESCRIPTORS:
                parent, last = posixpath.split(name)
                yield last or ".", self._descriptor(parent)
            else:
                yield self.path(name), None

    def _descriptor(self, name: str) -> int:
        """Return the descriptor of the directory *name*, valid until another one is asked for."""
        if name in ("", "."):
            return self._root
        if name != self._open[0]:
            self._forget()
            current = self._root
            for part in name.split("/"):
                try:
                    below = os.open(part, os.O_RDONLY | _DIRECTORY, dir_fd=current)
                finally:
                    if current != self._root:
                        os.close(current)
                current = below
            self._open = (name, current)
        return self._open[1]

    def _forget(self) -> None:
        # Forgotten first: after a signal in between, the number would be closed again, or be another file's by then.
        (_, descriptor), self._open = self._open, ("", -1)
        if descriptor >= 0:
            os.close(descriptor)

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if (
                error.filename is None
                or not os.path.isabs(str(error.filename))
                or str(error.filename).startswith("/proc/")
            ):
                # With a dir_fd, errors name the last part of the path only.
                error.filename = self.path(name)
            raise


def open_expected(path: str, expected: os.stat_result) -> int:
    """Return a descriptor to read the file at *path* by, whatever happened to the directories above it.

    Where *expected* is a link, as uv can make of every file, it is the file that it leads to.

    :raises OSError: if it cannot be opened, is no regular file, or is not *expected* any more.
    """
    is_link = stat.S_ISLNK(expected.st_mode)
    descriptor = os.open(path, _READ & ~_NOFOLLOW if is_link else _READ)
    if is_link and not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(None, "leads to something else than a file", path)
    return demand_same(descriptor, None if is_link else expected)


def demand_same(descriptor: int, expected: os.stat_result | None) -> int:
    """Return *descriptor* if it is that of the file *expected*; else close it.

    :raises OSError: if it is not.
    """
    # By device and inode: a name may stand for another file between the walk and now.
    if expected is None or not _BELOW_DESCRIPTORS or os.path.samestat(os.fstat(descriptor), expected):
        return descriptor
    os.close(descriptor)
    raise OSError(None, "was replaced meanwhile")
