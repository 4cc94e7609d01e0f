"""Carries out what was planned in a tree: each file whole or not at all, times last."""

from __future__ import annotations

import os
import posixpath
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from samebytes.archive.entry import CHUNK_SIZE, Kind
from samebytes.errors import OutputError

from .directories import Directories
from .plan import Plan, TreeChange
from .walk import Node

# Compared in nanoseconds: as a float, a time loses its last digits.
_SECOND = 1_000_000_000
_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
"""Bits that somebody has set on purpose: no installer does, and no wheel has them."""


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
    # The owner's bit, as in archives (D6): others' may be the umask's.
    base = 0o755 if node.kind is Kind.DIRECTORY or node.mode & stat.S_IXUSR else 0o644
    return base | node.mode & _SPECIAL


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
    # Only the owner and root may set modes and times (chmod(2), utimensat(2)).
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    foreign = [touch.node for touch in changed if user not in (0, touch.node.stat.st_uid)]
    if foreign:
        more = f", and so do {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise OutputError(
            f"{foreign[0].path}: belongs to another user (number {foreign[0].stat.st_uid}){more}; nothing was changed",
            remedy="Run as the user who installed it.",
        )
    # Those get a mode with the right to write first, in apply.
    opened = {Path(touch.node.path) for touch in changed if touch.mode is not None}
    for directory in sorted({plan.root, *(plan.root / name for name in _parents(plan))}):
        if directory.is_dir() and directory not in opened and not os.access(directory, os.W_OK | os.X_OK):
            raise OutputError(
                f"{directory}: cannot be written to; nothing was changed",
                remedy="Make it writable (it may be on a read-only file system), or run as its owner.",
            )


def _parents(plan: Plan) -> set[str]:
    """Return the directories whose contents change, those that are not there yet too; the top's name is empty."""
    parents = set()
    for name in (*plan.writes, *plan.removed):
        parent = posixpath.dirname(name)
        parents.add(parent)
        while parent and parent not in plan.nodes:
            parent = posixpath.dirname(parent)
            parents.add(parent)
    return parents


def apply(plan: Plan, changed: Iterable[Touch], date: int, *, own: bool = False) -> None:
    """Carry out what is planned. Ended early, it leaves whole files, and can be run again.

    :param own: whether nothing depends on the tree yet, so that new files get their names at once, and the disk is not
        waited for.
    :raises OutputError: if something cannot be written or changed.
    """
    with Directories(plan.root) as tree:
        # Modes of directories first, or nothing in them could be written; their times last, as writing changes them.
        directories = [touch for touch in changed if touch.node.kind is Kind.DIRECTORY]
        for touch in directories:
            if touch.mode is None:
                continue
            with _refusing(plan, touch.node.name):
                tree.change(touch.node.name, touch.node.stat, touch.mode, None)
        # RECORD last: until it is there, what it lists need not be complete.
        for name in sorted(plan.writes, key=lambda name: (name.endswith("/RECORD"), name)):
            # The import system detects a compiled module that was cut off, so nothing waits for the disk to have it.
            with _refusing(plan, name, "written"):
                _write(tree, plan, name, date, durable=not own and not name.endswith(".pyc"), own=own)
        # In reverse, so that directories are empty when it is their turn.
        for name in sorted(plan.removed, reverse=True):
            with _refusing(plan, name):
                tree.remove(name, is_directory=plan.nodes[name].kind is Kind.DIRECTORY)
        others = (touch for touch in changed if touch.node.kind is not Kind.DIRECTORY)
        touched = [touch for touch in others if touch.node.name not in plan.writes]
        for touch in touched:
            with _refusing(plan, touch.node.name):
                _touch(tree, touch, date)
        # A copy took the place of the link, which changed the directory's time.
        unshared = {posixpath.dirname(touch.node.name) for touch in touched if _is_shared(touch.node)}
        dated = {touch.node.name for touch in directories} | _parents(plan) | unshared
        for name in sorted({"" if name == "." else name for name in dated} - plan.removed):
            with _refusing(plan, name):
                tree.change(name or ".", None, None, date)


def _write(tree: Directories, plan: Plan, name: str, date: int, *, durable: bool, own: bool) -> None:
    tree.make(posixpath.dirname(name), plan.nodes)
    node = plan.file(name)
    if own and name not in plan.nodes and sys.platform != "win32":
        with os.fdopen(tree.create(name), "wb") as file:
            file.write(plan.writes[name])
            file.flush()
            os.fchmod(file.fileno(), written_mode(plan, name))
            os.utime(file.fileno(), (date, date))
        return
    _replace(tree, name, [plan.writes[name]], written_mode(plan, name), date, node, durable=durable)


def _replace(
    tree: Directories, name: str, chunks: Iterable[bytes], mode: int, date: int, node: Node | None, *, durable: bool
) -> None:
    """Put a new file in the place of *node*, or of a link: what that points to may be outside the tree.

    Its owner stays the same where root does this, or a file with the setuid bit would become root's.
    """
    directory = posixpath.dirname(name)
    # In the same directory, for a rename must not cross file systems; _plan_leftovers knows the name.
    temporary = posixpath.join(directory, f".samebytes-{os.urandom(8).hex()}.tmp")
    try:
        # Within: a signal that comes when the file is made, and not yet known of, leaves nothing either.
        descriptor = tree.create(temporary)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            if sys.platform != "win32":
                # After the owner: chown(2) clears setuid and setgid.
                os.fchmod(descriptor, mode if _has_owner_of(descriptor, node) else mode & ~_SPECIAL)
                # Before the rename, so that nobody sees the file with another time.
                os.utime(descriptor, (date, date))
            if durable:
                os.fsync(descriptor)
        tree.replace(temporary, name)
    except BaseException:
        with suppress(OSError):
            tree.remove(temporary, is_directory=False)
        raise
    if sys.platform == "win32":
        # By its name: Windows has neither fchmod nor utime of descriptors.
        tree.change(name, None, mode, date)
    if durable:
        # The rename itself is in the directory (fsync(2)).
        tree.sync(directory)


def _has_owner_of(descriptor: int, node: Node | None) -> bool:
    """Give the open file the owner and group of *node* if root does this, and return whether it has them."""
    if node is None or sys.platform == "win32":
        return True
    made, wanted = os.fstat(descriptor), (node.stat.st_uid, node.stat.st_gid)
    if (made.st_uid, made.st_gid) != wanted:
        if os.geteuid() != 0:
            return False
        os.fchown(descriptor, *wanted)
    return True


def make_directories(directory: Path) -> None:
    """Create a directory and those above it, with modes that no umask decides.

    :raises OSError: if one cannot be created.
    """
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        with suppress(FileExistsError):  # another thread was faster
            path.mkdir()
            path.chmod(0o755)


def _touch(tree: Directories, touch: Touch, date: int) -> None:
    node = touch.node
    if node.kind is Kind.SYMLINK:
        tree.date_link(node.name, date)
    elif _is_shared(node):
        # An inode of its own: uv's hard links lead into its cache, whose modes and times are not ours.
        # The same bytes again: thousands of waits for the disk would guard against little.
        with os.fdopen(tree.open(node.name, node.stat), "rb") as source:
            chunks = iter(lambda: source.read(CHUNK_SIZE), b"")
            _replace(tree, node.name, chunks, mode_for(node), date, node, durable=False)
    else:
        tree.change(node.name, node.stat, touch.mode, date)


def _is_shared(node: Node) -> bool:
    """Return whether a file has other names, too."""
    return node.kind is Kind.FILE and node.stat.st_nlink > 1


@contextmanager
def _refusing(plan: Plan, name: str, what: str = "changed") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{plan.root / name}: cannot be {what}: {error.strerror or error}",
            remedy="Fix that and run it again: what is done already is right, and what is not is as it was.",
        ) from error
