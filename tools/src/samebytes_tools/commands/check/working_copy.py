"""The directories of one of the two builds: the source tree as its variations want it, and empty ones beside it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

from samebytes.backend import fixed

from ...variations import disorder
from ...variations.environments import LONG_AGO, VariedEnvironment
from ...variations.workspace import STRANGER
from ...vcs.repository import refresh_index


def lay_out(pristine: Path, environment: VariedEnvironment) -> None:
    """Copy the tree *pristine* to where *environment* has it, and make its other directories, new and empty."""
    tree, temp = environment.tree, environment.temp
    for directory in (tree, temp):
        remove(directory)
    for directory in filter(None, (temp, tree.parent, environment.home, environment.programs)):
        directory.mkdir(parents=True, exist_ok=True)
    behind = temp.parent / "behind" if environment.disorderfs else tree
    remove(behind)
    copies = _copy(pristine, behind, environment)
    if "mtimes" in environment.applied:
        _age(behind, copies)
    if behind != tree:
        disorder.mount(environment.disorderfs, behind, tree)
    # After the times were set and where the build sees the tree: git's index holds inode numbers and times.
    refresh_index(tree)
    if "owner" in environment.applied and sys.platform != "win32":
        for path in copies:
            # A link of the source may point out of the tree, to files that are not ours to give away.
            os.chown(tree / path.relative_to(behind), STRANGER, STRANGER, follow_symlinks=False)


def remove(directory: Path) -> None:
    """Remove *directory* with all that is in it, and unmount what disorderfs shows there."""
    # First: removing through the mount would leave the mount point busy.
    disorder.unmount_below(directory)
    fixed.remove(directory)


def _copy(source: Path, target: Path, environment: VariedEnvironment) -> list[Path]:
    """Copy the directory *source*, the entries of each in the order that *environment* wants; return all copies."""
    target.mkdir()
    copies = [target]
    # Not by recursion: a tree may be deeper than Python's stack.
    directories = [(source, target)]
    for directory, made in directories:
        with os.scandir(directory) as found:
            # tmpfs lists a directory by the order in which it was filled (ext4: by a hash of the names).
            entries = sorted(found, key=lambda entry: entry.name, reverse="file-order" in environment.applied)
        for entry in entries:
            if entry.name == ".git" and "checkout" in environment.applied:
                continue
            copy = made / entry.name
            copies.append(copy)
            if entry.is_symlink():
                copy.symlink_to(os.readlink(entry.path))
            elif entry.is_dir():
                copy.mkdir()
                directories.append((Path(entry.path), copy))
            else:
                shutil.copy2(entry.path, copy)
                copy.chmod(_mode(entry.stat().st_mode, environment.umask))
    # After the entries were written, each of which sets its directory's time.
    for directory, made in reversed(directories):
        shutil.copystat(directory, made)
        # After copystat, which copies the mode of the source, too.
        made.chmod(_mode(stat.S_IRWXU, environment.umask))
    return copies


def _mode(mode: int, umask: int) -> int:
    """Return the mode that git and tar give a file under *umask*: executable for all or for nobody."""
    return (0o777 if mode & stat.S_IXUSR else 0o666) & ~umask


def _age(tree: Path, copies: list[Path]) -> None:
    """Give each of *copies* another time, long ago, with a fraction of a second; *tree* and git's files keep theirs."""
    # Not by the whole path: the tree may lie below a directory of that name.
    names = (path.relative_to(tree) for path in sorted(copies[1:]))
    paths = [tree / name for name in names if ".git" not in name.parts and not (tree / name).is_symlink()]
    for index, path in enumerate(paths):
        # The fraction is exact in binary; ZIP cannot hold it (2 seconds), and tar only in PAX headers.
        moment = LONG_AGO + index * 1000.125
        os.utime(path, (moment, moment))
