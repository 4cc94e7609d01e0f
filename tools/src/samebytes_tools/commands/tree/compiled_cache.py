"""Compiled modules that earlier installs made, kept in a directory that nobody has to trust.

What is kept of a wheel's modules is one file, authenticated with a key that is kept elsewhere: whoever can write to the
directory, and cannot read the key, can take things away, and put nothing in. Its name and its authentication cover all
that decides on the bytes: the sources, the interpreter, the rule of the one form, and how modules are bound to sources.

A compiled module holds the path where its source will be, once, as a string. Modules are compiled with a path that no
source can know, in the place of which that of each install is written. What comes out are the bytes that the compiler
gives for that path itself, as a path that occurs in the module's own constants is left to the compiler.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
import struct
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Callable, NamedTuple

from samebytes.archive.atomic import real_path
from samebytes.artifact import magic_numbers, marshal_reader, marshal_writer
from samebytes.errors import UsageError

from . import compile_worker, compiler
from .compiler import Compiled, Wanted

_FORMAT = b"samebytes compiled modules 1\n"
_DIGEST_SIZE = 32
_LEAST_KEY = 16
"""Bytes."""
_LARGEST = 256 << 20
"""Bytes of a file, whoever wrote it: far above those of any wheel."""
_OPENED = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Neither links nor pipes, which others may have put there."""
UNUSED_DAYS = 90
"""After which an entry is removed."""
_HOUR = 3600
_ENTRY = re.compile(r"[0-9a-f]{64}\.compiled")
"""No other files' name, should somebody name a directory of theirs as the cache."""
_UNFINISHED = re.compile(r"\.samebytes-\w+\.tmp")
_HEAD = struct.Struct("<II")
_NOTHING = 0xFFFFFFFF
"""In place of a length, for a module that is not kept."""
_SHORT = 256
"""Characters: longer strings are written in another way (``TYPE_SHORT_ASCII`` in Python/marshal.c)."""


class CachedSource(NamedTuple):
    """A module to compile, and the SHA-256 of its source."""

    wanted: Wanted
    digest: bytes
    place: str
    """Its name in the tree."""


class CompiledCache:
    """What is kept in a directory.

    :param directory: created if it is not there.
    :param key: by which what is in it is authenticated.
    """

    def __init__(self, directory: Path, key: bytes) -> None:
        self.directory = directory
        self.notes: list[tuple[Path, str]] = []
        """Files that were not used, or not written, and why."""
        self._key = key
        self._rule = _digest_of_rule()
        # Nobody who writes a source can know it: no constant is the same string.
        self._placeholder = f"/{os.urandom(16).hex()}"
        self._missed: list[tuple[bytes, Sequence[CachedSource]]] = []
        self._places: dict[Wanted, int] = {}
        """Where in the compiled module its path is, length first."""

    def compiled(self, wanted: Wanted, compile_: Callable[[Wanted], Compiled]) -> Compiled:
        """Return what *compile_* makes of *wanted*, so that it can be kept."""
        first = compile_(wanted._replace(filename=self._placeholder))
        made = first.data
        mark = self._placeholder.encode()
        if made.count(mark) == 1:
            at = made.index(mark) - 1
            data = _spliced(made[:at], made[at + 1 + len(mark) :], wanted.filename)
            if data:
                self._places[wanted] = at
                return first._replace(data=data)
        # What does not compile may have its reason in this moment; and some paths are of another form.
        return compile_(wanted)

    def recalled(self, sources: Sequence[CachedSource], interpreter: str) -> dict[Wanted, Compiled]:
        """Return those of *sources* that are kept; the others will be, by :meth:`keep`.

        :param interpreter: all that decides which code it makes.
        """
        identity = self._identity(sources, interpreter)
        parts = self._parts(identity, len(sources))
        if parts is None:
            self._missed.append((identity, sources))
            return {}
        found = {}
        for source, (head, tail) in zip(sources, parts):
            data = _spliced(head, tail, source.wanted.filename)
            if data:
                found[source.wanted] = Compiled(data, source=source.digest)
        return found

    def keep(self, compile_all: Callable[[Sequence[Wanted]], Iterable[Compiled]]) -> None:
        """Write what was not there: of each module, what *compile_all* returns."""
        for identity, sources in self._missed:
            parts = []
            for source, compiled in zip(sources, compile_all([source.wanted for source in sources])):
                at = self._places.get(source.wanted)
                # Not what somebody had put in the place of the source.
                if at is None or compiled.source != source.digest:
                    parts.append(_HEAD.pack(_NOTHING, 0))
                    continue
                tail = compiled.data[at + 1 + len(source.wanted.filename) :]
                parts += [_HEAD.pack(at, len(tail)), compiled.data[:at], tail]
            body = b"".join(parts)
            if len(_FORMAT) + _DIGEST_SIZE + len(body) > _LARGEST:  # which would not be read
                self.notes.append(
                    (self.directory, f"compiled modules of a wheel are not kept: {len(body)} bytes are too many")
                )
                continue
            try:
                _write(self._path(identity), _FORMAT + self._authentication(identity, body) + body)
            except OSError as error:
                self.notes.append((self.directory, f"compiled modules are not kept: {error.strerror or error}"))
                return

    def prune(self, now: float, limit: int) -> None:
        """Remove what was not used for :data:`UNUSED_DAYS`, and what was not for longest as long as there is too much.

        So are files that killed processes left unfinished. Others' files are left alone, and so is what may not be
        removed: who else uses the directory does it.

        :param now: seconds since 1970.
        :param limit: bytes of all that is kept.
        """
        with suppress(OSError):
            entries: list[tuple[float, int, str]] = []
            with os.scandir(self.directory) as children:
                for child in children:
                    is_entry = bool(_ENTRY.fullmatch(child.name))
                    if not is_entry and not _UNFINISHED.fullmatch(child.name):
                        continue
                    with suppress(OSError):  # another process was faster
                        found = child.stat(follow_symlinks=False)
                        if is_entry and stat.S_ISREG(found.st_mode):
                            entries.append((found.st_mtime, found.st_size, child.path))
                        # Written in a moment, unless the process was stopped.
                        elif not is_entry and found.st_mtime < now - _HOUR:
                            Path(child.path).unlink()
            total = sum(size for _, size, _ in entries)
            for used, size, path in sorted(entries):
                if total <= limit and used >= now - UNUSED_DAYS * 24 * _HOUR:
                    return
                # Whoever reads it has it open, and who comes later compiles.
                with suppress(OSError):
                    Path(path).unlink()
                    total -= size

    def _identity(self, sources: Iterable[CachedSource], interpreter: str) -> bytes:
        """Return a digest of all that decides on what is kept of *sources*, in their order."""
        state = hashlib.sha256(_FORMAT + self._rule)
        state.update(hashlib.sha256(interpreter.encode("utf-8", "surrogatepass")).digest())
        for source in sources:
            state.update(source.digest + bytes((source.wanted.optimize,)))
        return state.digest()

    def _path(self, identity: bytes) -> Path:
        # By the key, too: several users may share a directory, and none of them what is in it.
        return self.directory / f"{hmac.new(self._key, b'name' + identity, 'sha256').hexdigest()}.compiled"

    def _authentication(self, identity: bytes, body: bytes) -> bytes:
        return hmac.new(self._key, b"body" + identity + body, "sha256").digest()

    def _parts(self, identity: bytes, count: int) -> list[tuple[bytes, bytes]] | None:
        """Return what is kept, each module without its path; None if nothing is."""
        path = self._path(identity)
        try:
            data = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.notes.append((path, f"not read: {error.strerror or error}"))
            return None
        at = len(_FORMAT) + _DIGEST_SIZE
        body = data[at:]
        if not hmac.compare_digest(data[:at], _FORMAT + self._authentication(identity, body)):
            self.notes.append((path, "not used, for it was changed after it was written: compiled anew"))
            return None
        found, at = [], 0
        for _ in range(count):
            size, rest = _HEAD.unpack_from(body, at)
            start = at = at + _HEAD.size
            if size != _NOTHING:
                at += size + rest
            # An empty one is none.
            found.append((body[start : start + size], body[start + size : at]) if size != _NOTHING else (b"", b""))
        with suppress(OSError):  # read-only, or of another user
            # Used now, for prune; not what a link that was put there a moment ago leads to.
            os.utime(path, follow_symlinks=os.utime not in os.supports_follow_symlinks)
        return found


def _spliced(head: bytes, tail: bytes, filename: str) -> bytes:
    """Return the compiled module with *filename* between the two parts; nothing if it may be written otherwise."""
    if not head or not filename.isascii() or len(filename) >= _SHORT or "/" not in filename:
        return b""
    path = filename.encode("ascii")
    # As a constant of the module, it would be written once for both.
    if path in head or path in tail:
        return b""
    return b"".join((head, bytes((len(path),)), path, tail))


def _digest_of_rule() -> bytes:
    """Return a digest of the code that decides how compiled modules are written."""
    state = hashlib.sha256()
    for module in (compile_worker, compiler, marshal_writer, marshal_reader, magic_numbers):
        state.update(hashlib.sha256(Path(str(module.__file__)).read_bytes()).digest())
    return state.digest()


def _read(path: Path) -> bytes:
    """Return what a file holds, if it is one.

    :raises OSError: if it cannot be read.
    """
    with os.fdopen(os.open(path, _OPENED), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            raise OSError(None, "it is not a file of ours")
        return file.read(_LARGEST)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    :raises OSError: if that fails.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".samebytes-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def key_in(path: Path, directory: Path, *, is_created: bool) -> bytes:
    """Return the key in the file *path*, for what is kept in *directory*.

    :param is_created: whether to create it if it is not there.
    :raises UsageError: if it cannot be used, or is not a secret.
    :raises OutputError: if another user could have put a link there that leads to another file.
    """
    if os.path.lexists(path):
        real_path(path)
    if os.path.realpath(path).startswith(os.path.join(os.path.realpath(directory), "")):
        raise UsageError(f"{path}: the key is in the cache itself", remedy="Keep it where others cannot write.")
    try:
        if is_created and not path.exists():
            _create_key(path)
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            key = file.read(1 << 16)
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no key of the cache",
            remedy="Write random bytes into it: (umask 077; head -c 32 /dev/urandom > KEY). Without --cache-key, a key "
            "is made at the first use.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path}: the key of the cache cannot be used: {error.strerror or error}",
            remedy="Name another file by --cache-key.",
        ) from None
    _demand_secret(path, found)
    if len(key) < _LEAST_KEY:
        raise UsageError(
            f"{path}: a key of the cache has {_LEAST_KEY} bytes at least",
            remedy="Remove it: a new one is made, unless it is named by --cache-key. Then write random bytes into it.",
        )
    return key


def _demand_secret(path: Path, found: os.stat_result) -> None:
    if sys.platform == "win32":
        return
    if found.st_uid not in (0, os.geteuid()):
        raise UsageError(
            f"{path}: the key of the cache belongs to another user (number {found.st_uid})",
            remedy="Copy it into a file of your own, or name another by --cache-key.",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UsageError(
            f"{path}: others may read the key of the cache", remedy=f"Take that from them: chmod 600 {path}"
        )


def _create_key(path: Path) -> None:
    """Create a key, unless another process does: then it is that one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_DIGEST_SIZE))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:  # the file system has no hard links: of two processes at once, one compiles in vain
            Path(temporary).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
