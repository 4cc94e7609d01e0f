"""Fixed paths (D2): every build on every machine at the same place, so that no path can make a difference.

Each build sees a private directory there, in a mount namespace of its own: nobody can take the place from others, and
nobody waits for it. Where the kernel does not allow that, root may take the directory itself, for one build at a time;
all others run at a random path.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Callable, NamedTuple

PLACE = Path("/srv/samebytes")
"""Where builds take place, on every machine alike. It is there in their mount namespaces only: the directory that it is
in belongs to root, is on every Linux system (Filesystem Hierarchy Standard, 3.17), and keeps what it has there too."""

IN_USE = "SAMEBYTES_FIXED_PATHS"
"""Set in the environment of what runs there, so that a build inside a build goes elsewhere."""

_ENTER = str(Path(__file__).with_name("enter.py"))


class Place(NamedTuple):
    """Where a build takes place."""

    root: Path
    """The path that the build sees."""
    private: Path
    """The same directory as seen from here."""
    prefix: tuple[str, ...] = ()
    """A command that the build's own is given to."""

    @property
    def is_fixed(self) -> bool:
        """Whether it is where every build takes place."""
        return self.root == PLACE


def place(
    private: Path,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
    trees: Mapping[str, Path] = MappingProxyType({}),
    ending: ExitStack | None = None,
) -> Place:
    """Return a place whose contents are those of *private*, an existing empty directory, and fixed if that can be.

    *private* itself, with one warning, is the place where nothing better is to be had.

    :param trees: directories that are mounted in it, by their names there: a hook owns neither source tree nor
        environment.
    :param ending: ends with the build, which owns all that is in the place; None: the directory itself is not taken.
    """
    if _runs_nothing(private):
        warn(f"programs in {private.parent} may not be run (noexec), and many builds need that: set TMPDIR")
    why = _why_not(environ)
    here = None if why else mounted(private, trees) or (_taken(ending) if ending else None)
    if here is None:
        why = why or "the kernel allows no mount namespace"
        warn(f"not building at the fixed path {PLACE}: {why}; paths that prefix maps do not reach may differ")
    return here or Place(private, private)


def mounted(private: Path, trees: Mapping[str, Path] = MappingProxyType({})) -> Place | None:
    """Return the place with *private* mounted on it and *trees* in it, or None if the kernel does not allow that."""
    for name in trees:
        (private / name).mkdir(exist_ok=True)
    mounts = [[str(private), str(PLACE)], *([str(path), str(PLACE / name)] for name, path in trees.items())]
    # Neither the tree nor PYTHONPATH nor site-packages may have a say in what runs before the namespace is there.
    prefix = (sys.executable, "-I", "-S", _ENTER, json.dumps(mounts))
    # Whether the kernel allows it depends on more than can be asked (sysctls, seccomp, AppArmor): so it is tried.
    attempt = [*prefix, sys.executable, "-I", "-S", "-c", ""]
    done = subprocess.run(attempt, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Place(PLACE, private, prefix) if done.returncode == 0 else None


def _taken(ending: ExitStack) -> Place | None:
    """Make the directory itself, as root can in a container; None if it cannot be had, or others could exchange it."""
    around = PLACE.parent.stat()
    if around.st_uid != 0 or around.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or _runs_nothing(PLACE.parent):
        return None
    try:
        PLACE.mkdir()  # the lock, too: only one build can make it
    except OSError:  # Not allowed, or another build was faster.
        return None
    ending.callback(remove, PLACE)
    PLACE.chmod(0o755)  # whatever the umask
    return Place(PLACE, PLACE)


def remove(directory: Path) -> None:
    """Remove *directory* with all that is in it, read-only directories too, and whole if a signal comes meanwhile."""
    try:
        _remove(directory)
    except BaseException:
        _remove(directory)
        raise


def _remove(directory: Path) -> None:
    with suppress(RecursionError):  # before Python 3.13
        shutil.rmtree(directory, ignore_errors=True)
    top = str(directory)
    found = [top] if directory.is_dir() and not directory.is_symlink() else []
    for number, path in enumerate(found):  # from above: a directory has to be writable to be looked into
        with suppress(OSError):
            os.chmod(path, stat.S_IRWXU)
            # Moved up where it is far down: rmtree recurses, and opens a file for each level.
            near = Path(path).rename(f"{top}/.{number}") if len(path) > len(top) + 200 else path
            for entry in list(os.scandir(near)):
                facts = entry.stat(follow_symlinks=False)
                # Windows' junctions are directories to Python, and may lead out of here.
                if stat.S_ISDIR(facts.st_mode) and not getattr(facts, "st_reparse_tag", 0):
                    found.append(entry.path)
                elif os.name == "nt":  # which deletes no read-only file, such as those of git
                    os.chmod(entry.path, stat.S_IWRITE)
    shutil.rmtree(directory, ignore_errors=True)


def _why_not(environ: Mapping[str, str]) -> str:
    """Return why there is no place of that name here, or nothing; what somebody has there is not to be hidden."""
    if not sys.platform.startswith("linux"):
        return "only Linux has mount namespaces"
    if environ.get(IN_USE):
        return "this build runs inside one that is there"
    if not PLACE.parent.is_dir():
        return f"there is no directory {PLACE.parent}"
    return "there is something else" if os.path.lexists(PLACE) else ""


def _runs_nothing(directory: Path) -> bool:
    if sys.platform != "linux":  # elsewhere Python does not know which flag it is
        return False
    return bool(os.statvfs(directory).f_flag & os.ST_NOEXEC)
