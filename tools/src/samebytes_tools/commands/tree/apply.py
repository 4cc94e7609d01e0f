"""Carries out what was planned in a tree: each file whole or not at all, times last."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.atomic import replacing
from samebytes.archive.entry import CHUNK_SIZE, Kind
from samebytes.errors import OutputError

from .plan import Plan, TreeChange
from .walk import Node

_SECOND = 1_000_000_000


class Touch(NamedTuple):
    """The mode and time that a file or directory is to get."""

    node: Node
    mode: int | None
    """None to leave it."""
    mtime: bool
    """Whether to set the time; after any other change it is set anyway."""


def touches(plan: Plan, top: Node, date: int) -> tuple[Touch, ...]:
    """Return which modes and times are not as they should be, without those of removed files."""
    found = []
    for node in (*plan.nodes.values(), top):
        if node.name in plan.removed:
            continue
        mode = mode_for(node)
        touch = Touch(node, mode if mode != node.mode else None, node.stat.st_mtime_ns != date * _SECOND)
        if touch.mode is not None or touch.mtime:
            found.append(touch)
    return tuple(found)


def mode_for(node: Node) -> int:
    """Return the mode that *node* is to have."""
    if node.kind is Kind.SYMLINK:
        return node.mode
    return 0o755 if node.kind is Kind.DIRECTORY or node.mode & stat.S_IXUSR else 0o644


def written_mode(plan: Plan, name: str) -> int:
    """Return the mode that the file *name* is to have after it is written."""
    node = plan.file(name)
    return 0o644 if node is None else mode_for(node)


def changes_of(touch: Touch) -> tuple[TreeChange, ...]:
    """Return the changes that a touch makes."""
    changes = []
    if touch.mode is not None:
        changes.append(TreeChange("mode", touch.node.name, f"{touch.node.mode:04o} -> {touch.mode:04o}"))
    if touch.mtime:
        changes.append(TreeChange("mtime", touch.node.name, "set to the date"))
    return tuple(changes)


def demand_permission(plan: Plan, changed: Iterable[Touch]) -> None:
    """Refuse, before anything is changed, what could not be finished.

    :raises OutputError: if something belongs to another user, or a directory cannot be written to.
    """
    changed = tuple(changed)
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    foreign = [touch.node for touch in changed if user not in (0, touch.node.stat.st_uid)]
    if foreign:
        more = f", and so do {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise OutputError(
            f"{foreign[0].path}: belongs to another user (number {foreign[0].stat.st_uid}){more}; nothing was changed",
            remedy="Run as the user who installed it.",
        )
    opened = {Path(touch.node.path) for touch in changed if touch.mode is not None}
    for directory in sorted({plan.root, *_parents(plan)}):
        if directory.is_dir() and directory not in opened and not os.access(directory, os.W_OK | os.X_OK):
            raise OutputError(
                f"{directory}: cannot be written to; nothing was changed",
                remedy="Make it writable (it may be on a read-only file system), or run as its owner.",
            )


def _parents(plan: Plan) -> set[Path]:
    """Return the directories whose contents change, those that are not there yet too."""
    parents = set()
    for name in (*plan.writes, *plan.removed):
        parent = posixpath.dirname(name)
        parents.add(parent)
        while parent and parent not in plan.nodes:
            parent = posixpath.dirname(parent)
            parents.add(parent)
    return {plan.root / parent for parent in parents}


def apply(plan: Plan, changed: Iterable[Touch], date: int, *, durable: bool = True) -> None:
    """Carry out what is planned. Ended early, it leaves whole files, and can be run again.

    :param durable: wait until what is written is on the disk.
    :raises OutputError: if something cannot be written or changed.
    """
    directories = [touch for touch in changed if touch.node.kind is Kind.DIRECTORY]
    for touch in directories:
        _set_mode(touch)
    for name in sorted(plan.writes, key=lambda name: (name.endswith("/RECORD"), name)):
        # The import system detects a compiled module that was cut off, so nothing waits for the disk to have it.
        _write(plan, name, date, durable=durable and not name.endswith(".pyc"))
    for name in sorted(plan.removed, reverse=True):
        path = plan.root / name
        with _refusing(path):
            (path.rmdir if path.is_dir() and not path.is_symlink() else path.unlink)()
    others = (touch for touch in changed if touch.node.kind is not Kind.DIRECTORY)
    touched = [touch for touch in others if touch.node.name not in plan.writes]
    for touch in touched:
        _touch(touch, date)
    unshared = {Path(touch.node.path).parent for touch in touched if _is_shared(touch.node)}
    for directory in {Path(touch.node.path) for touch in directories} | _parents(plan) | unshared:
        if directory.is_dir():
            _set_time(directory, date)


def _write(plan: Plan, name: str, date: int, *, durable: bool) -> None:
    path = plan.root / name
    with _refusing(path):
        make_directories(path.parent)
        if path.is_symlink():
            path.unlink()  # else the file that it points to would be replaced, which may be outside the tree
        with replacing(path, durable=durable) as sink:
            sink.write(plan.writes[name])
        path.chmod(written_mode(plan, name))
    _set_time(path, date)


def make_directories(directory: Path) -> None:
    """Create a directory and those above it, with modes that no umask decides.

    :raises OSError: if one cannot be created.
    """
    if not directory.is_dir():
        make_directories(directory.parent)
        with suppress(FileExistsError):  # another thread was faster
            directory.mkdir()
            directory.chmod(0o755)


def _touch(touch: Touch, date: int) -> None:
    path = Path(touch.node.path)
    if _is_shared(touch.node):
        # An inode of its own: uv's hard links lead into its cache, whose modes and times are not ours.
        # The same bytes again: thousands of waits for the disk would guard against little.
        with _refusing(path), path.open("rb") as source, replacing(path, durable=False) as sink:
            shutil.copyfileobj(source, sink, CHUNK_SIZE)
        touch = touch._replace(mode=mode_for(touch.node))  # the new one has what the umask left
    _set_mode(touch)
    _set_time(path, date)


def _is_shared(node: Node) -> bool:
    """Return whether a file has other names, too."""
    return node.kind is Kind.FILE and node.stat.st_nlink > 1


def _set_mode(touch: Touch) -> None:
    if touch.mode is not None:
        with _refusing(Path(touch.node.path)):
            Path(touch.node.path).chmod(touch.mode)


def _set_time(path: Path, date: int) -> None:
    with _refusing(path):
        os.utime(path, (date, date), follow_symlinks=os.utime not in os.supports_follow_symlinks)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    remedy = "Fix that and run it again: what is done already is right, and what is not is as it was."
    try:
        yield
    except OutputError as error:
        raise OutputError(error.message, remedy=remedy) from error
    except OSError as error:
        raise OutputError(f"{path}: cannot be changed: {error.strerror or error}", remedy=remedy) from error
