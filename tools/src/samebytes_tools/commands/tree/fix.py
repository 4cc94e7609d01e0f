"""Makes canonical in place what pip or uv installed: a virtual environment, a ``--target``, a site-packages."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from samebytes.archive.entry import Kind
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import OutputError, UsageError

from .apply import apply, changes_of, demand_permission, touches
from .bytecode import plan_bytecode
from .compiler import Compiler
from .installed import distributions, same_headers, same_metadata, same_records
from .plan import Plan, TreeChange
from .venv_paths import plan_paths
from .walk import Node, walk

_TOP_DIRECTORIES = frozenset(
    (
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "media",
        "mnt",
        "proc",
        "root",
        "run",
        "sbin",
        "sys",
        "tmp",
        "usr",
        "var",
    )
)
"""Filesystem Hierarchy Standard 3.0, section 3, without what only some machines have."""
_MOST_STAGED = 4
"""Of these, the most that a staging tree is taken to have."""


class FixOptions(NamedTuple):
    """How to fix a tree."""

    final: str
    """Where the tree's top will be, absolute."""
    date: int = DEFAULT_DATE
    """Seconds since 1970 UTC."""
    levels: tuple[int, ...] | None = None
    """Levels of optimization to compile at; None for 0 and what is there; none at all for no compiled modules."""
    mode: str = "checked-hash"
    """How compiled modules that are not compiled anew are bound to their source; the compiler has a mode of its own."""
    executable: str | None = None
    """The interpreter in generated scripts; None for the one that they name already."""
    rebuild_record: bool = False
    write: bool = True
    """False to find what would change, and write nothing."""
    relocate: bool = False
    """Whether a virtual environment's own path, in its scripts and the like, becomes *final*."""
    own: bool = False
    """Whether the tree was made by this process, for itself alone so far: all in it is meant to be fixed, and nothing
    depends on it yet."""


class Fixed(NamedTuple):
    """What was changed in a tree, or would be."""

    root: Path
    date: int
    distributions: int
    changes: tuple[TreeChange, ...]
    notes: tuple[TreeChange, ...]


def fix(
    root: Path,
    options: FixOptions,
    compiler: Compiler | None,
    digests: Mapping[str, tuple[bytes, int]] = MappingProxyType({}),
) -> Fixed:
    """Make the tree at *root* canonical, or find what that would change.

    :param compiler: compiles modules anew; None to put those that are there into their one form.
    :param digests: SHA-256 and size of files, by name in the tree, as far as they are known.
    :raises UsageError: if *root* is not a directory, or is a whole file system.
    :raises ArchiveError: if something in it cannot be read.
    :raises RecordError: if a RECORD contradicts its files; nothing was changed.
    :raises OutputError: if something cannot be written.
    """
    try:
        if not options.own and is_whole_system(root):
            raise UsageError(
                f"{root}: is a whole file system, whose modes and times have a meaning of their own",
                remedy=f"Name what pip or uv installed into, such as {root / 'usr/lib/python3/dist-packages'}.",
            )
        plan, found = planned(root, options, compiler, digests)
        top = Node(".", os.fspath(root), Kind.DIRECTORY, root.stat())
        # What this process made has no mounts.
        if not options.own:
            _refuse_mounts(plan, top)
        changed = touches(plan, top, options.date)
        changes = (*plan.changes, *(change for touch in changed for change in changes_of(touch)))
        if options.write and changes:
            demand_permission(plan, changed)
            apply(plan, changed, options.date, own=options.own)
    except OSError as error:
        raise OutputError(
            f"{error.filename or root}: cannot be used: {error.strerror or error}",
            remedy="Fix that and run it again.",
        ) from error
    return Fixed(root, options.date, found, changes, tuple(plan.notes))


def planned(
    root: Path,
    options: FixOptions,
    compiler: Compiler | None,
    digests: Mapping[str, tuple[bytes, int]] = MappingProxyType({}),
) -> tuple[Plan, int]:
    """Return the plan for the files at *root*, without modes and times, and how many distributions there are.

    :raises: as :func:`fix` does; nothing is written.
    """
    plan = Plan(root, walk(root), digests)
    listed = distributions(plan, options.final, rebuild_record=options.rebuild_record, own=options.own)
    found = tuple(same_headers(plan, distribution) for distribution in listed)
    for distribution in found:
        same_metadata(plan, distribution, options.executable)
    # What this process made has the right one.
    if not options.own:
        plan_paths(plan, options.final, relocate=options.relocate)
    _plan_leftovers(plan, {place for distribution in found for place in distribution.rows})
    plan_bytecode(plan, found, options.final, options.levels, compiler, options.mode)
    plan.remove_emptied()
    same_records(plan, found)
    return plan, len(found)


def is_whole_system(root: Path) -> bool:
    """Return whether *root* holds more than what was installed: a machine's root, an image's, that of a container.

    :raises OSError: if it cannot be read.
    """
    if not root.is_dir():
        return False
    # lexists: in an image, it may be a link that leads nowhere from here.
    if os.path.lexists(root / "etc" / "passwd") or os.path.samestat(root.stat(), Path("/").stat()):
        return True
    names = {name for name in os.listdir(root) if name in _TOP_DIRECTORIES and (root / name).is_dir()}
    # A virtual environment can have bin, lib and etc; the staging tree of a package usr and etc, or usr and var.
    # A mount point with usr is the root of a container or an image, however few directories it has.
    return "usr" in names and (len(names) > _MOST_STAGED or (len(names) > 1 and os.path.ismount(root)))


def _refuse_mounts(plan: Plan, top: Node) -> None:
    """Refuse a tree in which another file system is mounted: it is there for everybody who sees it elsewhere."""
    for name, node in plan.nodes.items():
        # Bind mounts of one file system have the same number, and are not seen here.
        if node.stat.st_dev != top.stat.st_dev:
            raise UsageError(
                f"{node.path}: another file system is mounted there, which is no part of what was installed",
                remedy=f"Unmount it, or name a directory in {plan.root} that does not contain {name}.",
            )


def _plan_leftovers(plan: Plan, listed: Collection[str]) -> None:
    """Plan to remove the empty ``.lock`` that uv leaves at the top, and what a killed run of this user's has left."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    for name, node in plan.nodes.items():
        is_ours = re.search(r"(?:^|/)\.samebytes-[0-9a-f]{16}\.tmp$", name) and node.stat.st_uid == user
        if is_ours and node.kind is Kind.FILE and name not in listed:
            plan.remove("leftover", name, "removed: a killed run of samebytes left it")
    lock = plan.file(".lock")
    # uv's is empty; a .lock with contents is somebody else's.
    if lock is not None and lock.stat.st_size == 0:
        plan.remove("uv-cache", ".lock", "removed: uv's lock, which nothing holds when it is done")
