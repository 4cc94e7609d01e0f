"""Two worlds that one source is built in: directories, files and environment variables as the variations have them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..vcs.repository import refresh_index
from . import disorder, variations

LONG_AGO = 1_500_000_000
"""2017-07-14, in seconds since 1970."""

_JOBS = ("CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL", "MAX_JOBS", "NPY_NUM_BUILD_JOBS")

_LEFT_OUT = (
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "PYTHONHASHSEED",
    "LANGUAGE",
    "LC_CTYPE",
    "LC_COLLATE",
    "LC_MESSAGES",
    "LC_TIME",
)
"""Variables that a build does not get from whoever runs the check."""


@dataclass(frozen=True)
class Place:
    """A world made real."""

    applied: frozenset[str]
    """The names of the variations that make it another world than the first."""
    tree: Path
    temp: Path
    environment: Path
    """Where the isolated build environment belongs."""
    umask: int
    user: str
    host: str
    timezone: str
    locale: str
    hash_seed: str
    variables: Mapping[str, str]
    """The whole environment of what runs there."""
    prefix: tuple[str, ...]
    """A command that the build's own is given to."""
    disorderfs: str = ""
    """The program that shows the tree in another order, where it cannot be written in one."""

    @property
    def is_later(self) -> bool:
        """Whether the clock is moved there."""
        return "FAKETIME" in self.variables

    def shares_with(self, other: Place) -> bool:
        """Tell whether something in the two would lie in one place, so that they cannot be used at once."""
        return self.tree == other.tree or self.temp == other.temp


def place(
    root: Path,
    name: str,
    applied: Collection[str],
    environ: Mapping[str, str],
    disorderfs: str = "",
    steady_sleep: Path | None = None,
) -> Place:
    """Return the world below *root* that differs from the first by what is *applied*; nothing is made yet.

    :param name: of the source tree's directory; some projects take their version from it.
    :param environ: what the one who checks has; builds get most of it.
    :param disorderfs: the program, where that is needed for another order of files.
    :param steady_sleep: the library that moving the clock needs so that programs can sleep, where it could be built.
    """
    on = frozenset(applied)
    above = root / ("a-directory/that.is_much-longer/than-the-other-one/and-deeper-too" if "build-path" in on else "s")
    temporary = root / ("temporary-files-of-the-second-world" if "temp" in on else "t")
    locale = variations.other_locale() if "locales" in on else "C.UTF-8"
    result = Place(
        applied=on,
        tree=above / name,
        temp=temporary / "tmp",
        # By another number of letters than temp's, so that lengths tell them apart, too.
        environment=temporary / ("environment" if "temp" in on else "env"),
        umask=0o077 if "umask" in on else 0o022,
        user="somebody-else" if "user" in on else "ada",
        host=variations.OTHER_HOST if "host" in on else socket.gethostname(),
        timezone="WST13:45" if "timezone" in on else "UTC",
        locale=locale,
        hash_seed="4242" if "hash-seed" in on else "1",
        variables={},
        prefix=_prefix(on),
        disorderfs=disorderfs if "file-order" in on else "",
    )
    home = root / ("home-of-somebody-else" if "home" in on else "h")
    more = root / "programs" if "exec-path" in on else None
    clock = variations.moved_clock(environ, steady_sleep) if "time" in on else {}
    return _with_variables(result, {**environ, **clock}, home, more)


def _prefix(on: frozenset[str]) -> tuple[str, ...]:
    options: dict[str, object] = {}
    if "host" in on:
        options["host"] = variations.OTHER_HOST
    if "processors" in on:
        options["processors"] = 1
    return (sys.executable, "-I", "-S", variations.ENTER, json.dumps(options)) if options else ()


def _with_variables(result: Place, environ: Mapping[str, str], home: Path, more: Path | None) -> Place:
    on = result.applied
    path = environ.get("PATH", os.defpath)
    jobs = "3" if "parallelism" in on else "1"
    variables = {
        **_of_the_user(environ),
        "PATH": os.pathsep.join(filter(None, [path, str(more) if more else ""])),
        "HOME": str(home),
        "TMPDIR": str(result.temp),
        "USER": result.user,
        "LOGNAME": result.user,
        "TZ": result.timezone,
        "LANG": result.locale,
        "LC_ALL": result.locale,
        "PYTHONHASHSEED": result.hash_seed,
        "MAKEFLAGS": f"-j{jobs}",
        **dict.fromkeys(_JOBS, jobs),
        **({"COLUMNS": "201", "LINES": "61", "TERM": "xterm-256color"} if "terminal" in on else _DUMB),
        # A tree that is given away is "dubious" to git, which would not look at it then.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    return Place(**{**vars(result), "variables": variables})


_DUMB = {"COLUMNS": "80", "LINES": "24", "TERM": "dumb"}


def _of_the_user(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what builds get of *environ*; the homes of tools stay where they are, for HOME does not."""
    kept = {name: value for name, value in environ.items() if name not in _LEFT_OUT}
    home = environ.get("HOME")
    if home and Path(home, ".rustup").is_dir():
        kept.setdefault("RUSTUP_HOME", str(Path(home, ".rustup")))
    return kept


def lay_out(pristine: Path, where: Place) -> None:
    """Copy the tree *pristine* to where *where* has it, and make its other directories, all of them new and empty."""
    for directory in (where.tree, where.temp):
        remove(directory)
    home, programs = Path(where.variables["HOME"]), where.variables["PATH"].rpartition(os.pathsep)[2]
    more = [Path(programs)] if "exec-path" in where.applied else []
    for directory in (where.temp, where.tree.parent, home, *more):
        directory.mkdir(parents=True, exist_ok=True)
    behind = where.temp.parent / "behind" if where.disorderfs else where.tree
    remove(behind)
    _copy(pristine, behind, where)
    if "mtimes" in where.applied:
        _age(behind)
    if behind != where.tree:
        disorder.mount(where.disorderfs, behind, where.tree)
    refresh_index(where.tree)
    if "owner" in where.applied:
        _give_away(where.tree)


def _copy(source: Path, target: Path, where: Place) -> None:
    """Copy the directory *source*, its entries one after another in the world's order."""
    target.mkdir()
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: entry.name, reverse="file-order" in where.applied)
    for entry in entries:
        if entry.name == ".git" and "checkout" in where.applied:
            continue
        copy = target / entry.name
        if entry.is_symlink():
            copy.symlink_to(os.readlink(entry.path))
        elif entry.is_dir():
            _copy(Path(entry.path), copy, where)
        else:
            shutil.copy2(entry.path, copy)
            copy.chmod(_mode(entry.stat().st_mode, where.umask))
    shutil.copystat(source, target)
    target.chmod(_mode(stat.S_IRWXU, where.umask))


def _mode(mode: int, umask: int) -> int:
    """Return what git and tar give a file under *umask*: executable for all or for nobody."""
    return (0o777 if mode & stat.S_IXUSR else 0o666) & ~umask


def _age(tree: Path) -> None:
    paths = sorted(path for path in tree.rglob("*") if not path.is_symlink() and ".git" not in path.parts)
    for index, path in enumerate(paths):
        moment = LONG_AGO + index * 1000.125
        os.utime(path, (moment, moment))


def _give_away(tree: Path) -> None:
    if sys.platform != "win32":
        for path in [tree, *tree.rglob("*")]:
            os.chown(path, variations.STRANGER, variations.STRANGER, follow_symlinks=False)


def remove(directory: Path) -> None:
    """Remove *directory* with all that is in it, read-only directories too; nothing is said if it is not there."""
    disorder.unmount_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
    if not directory.is_dir():
        return
    for folder, names, _ in os.walk(directory):
        for name in names:
            with suppress(OSError):
                if not Path(folder, name).is_symlink():
                    Path(folder, name).chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)
