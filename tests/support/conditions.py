"""Two environments that one source is built in, as unlike as two machines of two people.

========================  ==========================================  ================================================
what                      ``CONTROL``                                 ``HOSTILE``
========================  ==========================================  ================================================
path of the tree          short                                       four directories deeper, and long
file system               the temporary directory's                   ``/dev/shm`` where that is large enough and may
                                                                      hold programs: it lists the newest file first
umask, modes of files     022                                         077: no file of the tree is for others to read
owner of the tree         the user                                    uid and gid 12345, where the tests run as root
                                                                      and git is not asked (it refuses such a tree)
checkout                  a git clone                                 an exported tarball's files, no repository (but
                                                                      for Meson, whose sdists need one: there a second
                                                                      repository, committed on another day)
order of creation         sorted                                      reversed
times of the files        the checkout's (now)                        2017, each file another, with fractions
HOME, USER, TMPDIR        of its own                                  of its own, TMPDIR longer
TZ                        UTC                                         13 hours and 45 minutes west
LC_ALL                    C.UTF-8                                     another that this machine has, at least plain C
PYTHONHASHSEED            1                                           4242
clock                     real                                        26 hours later with libfaketime, where there is
                                                                      one (not for cargo, which it hangs); otherwise
                                                                      real and more than 2 seconds later (the
                                                                      resolution of a zip's times)
========================  ==========================================  ================================================

What stays: the machine, the interpreter, the tools and their versions, PATH, and where the package index is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from samebytes_tools.variations import moved_clock as clocks

LONG_AGO = 1_500_000_000
"""2017-07-14, in seconds since 1970."""

STRANGER = 12345

ROOM_NEEDED = 2 << 30
"""Bytes free that a file system in memory must have before builds are put on it."""

_PASSED_ON = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PASSED_ON_PREFIXES = ("PIP_", "UV_", "RUSTUP_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Conditions:
    """The circumstances of a build; the table above says what each is for."""

    name: str
    below: str
    umask: int
    timezone: str
    hash_seed: str
    user: str
    exported: bool


CONTROL = Conditions("quiet", "q", 0o022, "UTC", "1", "ada", exported=False)
EXPERIMENT = Conditions(
    "hostile",
    "a-directory/that.is_much-longer/than-the-other-one/and-deeper-too",
    0o077,
    "WST13:45",
    "4242",
    "somebody-else-entirely",
    exported=True,
)
BOTH = (CONTROL, EXPERIMENT)


@dataclass(frozen=True)
class Place:
    """An environment made real: its directories, its variables, and the tree in it."""

    conditions: Conditions
    root: Path
    tree: Path
    home: Path
    tmp: Path
    variables: Mapping[str, str]

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        more: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run *command* in this environment and return what it gave; with *check*, fail with its whole output."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.home,
            env={**self.variables, **(more or {})},
            umask=self.conditions.umask,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{' '.join(map(str, command))} failed with {done.returncode} in the {self.conditions.name} environment:\n"
                f"{done.stdout}\n{done.stderr}"
            )
        return done

    def directory(self, name: str) -> Path:
        """Make and return a directory of this environment's, beside the tree."""
        path = self.root / name
        path.mkdir(mode=0o777 & ~self.conditions.umask)
        return path


def settle(
    conditions: Conditions, source: Path, root: Path, *, needs_git: bool = False, faketime: bool = True
) -> Place:
    """Put a copy of *source* below *root* as *conditions* has it, and return the place.

    :param needs_git: the tree must be a repository in every environment
    :param faketime: whether the clock may be moved, where the environment wants that and libfaketime is there
    """
    home, tmp = root / "home", root / ("tmp" if not conditions.exported else "temporary-files-of-this-build")
    tree = root / conditions.below / "tree"
    for directory in (home, tmp, tree.parent):
        directory.mkdir(parents=True)
    if conditions.exported:
        _export(source, tree, conditions)
        if needs_git:
            _commit(tree, "2018-08-08T08:08:08+08:00")
        elif os.geteuid() == 0:
            _give_away(tree)
    else:
        _clone(source, tree, root / "origin", conditions)
    variables = {**kept_variables(), **_variables(conditions, home, tmp)}
    if faketime and conditions.exported:
        variables.update(moved_clock(root))
    return Place(conditions, root, tree, home, tmp, variables)


def _variables(conditions: Conditions, home: Path, tmp: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "USER": conditions.user,
        "LOGNAME": conditions.user,
        "TZ": conditions.timezone,
        "LC_ALL": other_locale() if conditions.exported else "C.UTF-8",
        "PYTHONHASHSEED": conditions.hash_seed,
    }


def kept_variables() -> dict[str, str]:
    """Return what every environment takes from the real environment: the tools, and the way to the package index."""
    home = Path.home()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES) or name.lower() in _PROXIES
    }
    kept.setdefault("PIP_CACHE_DIR", str(home / ".cache" / "pip"))
    kept.setdefault("UV_CACHE_DIR", str(home / ".cache" / "uv"))
    kept.setdefault("RUSTUP_HOME", str(home / ".rustup"))
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    kept["PIP_NO_INPUT"] = "1"
    kept["UV_PYTHON"] = sys.executable
    kept["UV_PYTHON_DOWNLOADS"] = "never"
    for variable, names in {
        "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf"),
        "UV_CONFIG_FILE": (".config/uv/uv.toml",),
    }.items():
        found = [str(home / name) for name in names if (home / name).is_file()]
        if found:
            kept.setdefault(variable, found[0])
    return kept


def other_locale() -> str:
    """Return a locale other than C.UTF-8 that this machine has."""
    listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    others = [name for name in listed if name.lower() not in {"c", "posix", "c.utf8", "c.utf-8"}]
    return others[0] if others else "C"


def moved_clock(directory: Path) -> dict[str, str]:
    """Return the variables that move the clock by 26 hours; none without libfaketime.

    It is looked for where distributions have it, or is what the variable LIBFAKETIME names. What lets programs sleep
    nevertheless is put into *directory*.
    """
    clock = clocks.moved_clock(os.environ, clocks.prepare_clock(directory, os.environ))
    return {**clock, "FAKETIME": "+26h"} if "FAKETIME" in clock else {}


def wait_past(moment: float) -> None:
    """Sleep until no time that a build ended at *moment* left in an archive can be left by a build that starts now."""
    time.sleep(max(0.0, moment + 2.1 - time.time()))


def roomy_memory() -> Path | None:
    """Return a directory in memory that builds may use (free space, programs may run there), or None."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or not os.access(shm, os.W_OK):
        return None
    facts = os.statvfs(shm)
    no_programs = getattr(os, "ST_NOEXEC", 8)
    if facts.f_flag & no_programs or facts.f_bavail * facts.f_frsize < ROOM_NEEDED:
        return None
    return shm


def _tracked(source: Path) -> list[Path]:
    return sorted(path.relative_to(source) for path in source.rglob("*") if path.is_symlink() or path.is_file())


def _export(source: Path, tree: Path, conditions: Conditions) -> None:
    for index, name in enumerate(reversed(_tracked(source))):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target, follow_symlinks=False)
        if target.is_symlink():
            continue
        target.chmod((source / name).stat().st_mode & 0o777 & ~conditions.umask)
        moment = LONG_AGO + index * 1000.125
        os.utime(target, (moment, moment))
    for directory in [tree, *(path for path in tree.rglob("*") if path.is_dir())]:
        directory.chmod(0o777 & ~conditions.umask)


def _give_away(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def _clone(source: Path, tree: Path, origin: Path, conditions: Conditions) -> None:
    if shutil.which("git") is None:
        _copy(source, tree, conditions)
        return
    _copy(source, origin, conditions)
    _commit(origin, "2024-02-29T12:00:00+00:00")
    git("clone", "--quiet", str(origin), str(tree), umask=conditions.umask)


def _copy(source: Path, tree: Path, conditions: Conditions) -> None:
    for name in _tracked(source):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, tree / name, follow_symlinks=False)
        if not (tree / name).is_symlink():
            (tree / name).chmod((source / name).stat().st_mode & 0o777 & ~conditions.umask)


def _commit(tree: Path, date: str) -> None:
    git("init", "--quiet", str(tree))
    git("add", "--all", "--force", cwd=tree)
    git("commit", "--quiet", "--message", "All of it", cwd=tree, date=date)


def git(*arguments: str, cwd: Path | None = None, date: str = "", umask: int = 0o022) -> None:
    """Run git without anybody's configuration, as a fixed author."""
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
    }
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    subprocess.run(
        ["git", *arguments], cwd=cwd, env={**quiet, **identity, **dates}, umask=umask, check=True, capture_output=True
    )
