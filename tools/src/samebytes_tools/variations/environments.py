"""The two build environments (reprotest: control and experiment): paths, variables and identities of each."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .locales import FIRST, other_locale
from .moved_clock import PYTHON_CLOCK, moved_clock
from .variations import OTHER_HOST
from .workspace import ENTER

LONG_AGO = 1_500_000_000
"""2017-07-14, in seconds since 1970."""

# What cargo, CMake, PyTorch's extensions and numpy.distutils read; MAKEFLAGS reaches make alone.
_JOBS = ("CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL", "MAX_JOBS", "NPY_NUM_BUILD_JOBS")

# LANGUAGE outranks even LC_ALL for messages (gettext); PYTHONHOME would be another interpreter's than the build's.
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
class VariedEnvironment:
    """What one of the two builds is given: directories, environment variables, umask."""

    applied: frozenset[str]
    """The names of the variations by which it differs from the first."""
    tree: Path
    temp: Path
    virtual_environment: Path
    """Where the build requirements are installed."""
    home: Path
    programs: Path | None
    """An empty directory at the end of PATH."""
    umask: int
    user: str
    host: str
    timezone: str
    locale: str
    hash_seed: str
    prefix: tuple[str, ...] = ()
    """A command that the build's own is given to."""
    disorderfs: str = ""
    """The program that shows the tree in another order, where it cannot be written in one."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """All environment variables of what runs in it."""

    @property
    def is_later(self) -> bool:
        """Whether the clock of all its programs is moved."""
        return "FAKETIME" in self.variables

    @property
    def import_path(self) -> str:
        """What is first on PYTHONPATH in it: where Python's clock alone is moved, what does that."""
        return str(PYTHON_CLOCK) if "SAMEBYTES_CLOCK" in self.variables else ""

    def shares_with(self, other: VariedEnvironment) -> bool:
        """Return whether the two have a directory in common, so that they cannot be used at once."""
        return self.tree == other.tree or self.temp == other.temp


def varied_environment(
    root: Path,
    name: str,
    applied: Collection[str],
    environ: Mapping[str, str],
    disorderfs: str = "",
    for_clock: Path | None = None,
) -> VariedEnvironment:
    """Return the environment below *root* that differs from the first by what is *applied*; nothing is made yet.

    :param name: of the source tree's directory; some projects take their version from it.
    :param environ: the variables of the check itself; builds get most of them.
    :param disorderfs: the program, where that is needed for another order of files.
    :param for_clock: the directory that ``prepare_clock`` filled.
    """
    on = frozenset(applied)
    above = root / ("a-directory/that.is_much-longer/than-the-other-one/and-deeper-too" if "build-path" in on else "s")
    temporary = root / ("temporary-files-of-the-second-build" if "temp" in on else "t")
    user = "somebody-else" if "user" in on else "ada"
    result = VariedEnvironment(
        applied=on,
        tree=above / name,
        temp=temporary / "tmp",
        # Longer by another number of letters than temp is: so a difference in length alone says which path it is of.
        virtual_environment=temporary / ("environment" if "temp" in on else "env"),
        home=root / ("home-of-somebody-else" if "home" in on else "h"),
        programs=root / "programs" if "exec-path" in on else None,
        umask=0o077 if "umask" in on else 0o022,
        user=user,
        host=OTHER_HOST if "host" in on else socket.gethostname(),
        # POSIX form, which needs no tzdata; 13:45 away, so that the date differs more often than not. Its sign is
        # reversed.
        timezone="WST13:45" if "timezone" in on else "UTC",
        locale=other_locale() if "locales" in on else FIRST,
        hash_seed="4242" if "hash-seed" in on else "1",
        prefix=_prefix(on),
        disorderfs=disorderfs if "file-order" in on else "",
    )
    clock = moved_clock(environ, for_clock) if "time" in on else {}
    return replace(result, variables=_variables(result, {**environ, **clock}))


def _prefix(on: frozenset[str]) -> tuple[str, ...]:
    options: dict[str, object] = {}
    if "host" in on:
        options["host"] = OTHER_HOST
    if "processors" in on:
        options["processors"] = 1
    # Isolated: the build's own PYTHON* variables are for its interpreter, and must reach it unused.
    return (sys.executable, "-I", "-S", ENTER, json.dumps(options)) if options else ()


def _variables(of: VariedEnvironment, environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _LEFT_OUT}
    home = environ.get("HOME", "")
    if home and Path(home, ".rustup").is_dir():  # rustup looks for its toolchains in HOME, which is another here
        kept.setdefault("RUSTUP_HOME", str(Path(home, ".rustup")))
    jobs = "3" if "parallelism" in of.applied else "1"
    wide = "terminal" in of.applied
    return {
        **kept,
        # At its end, so that no program is found elsewhere.
        "PATH": os.pathsep.join(filter(None, [environ.get("PATH", os.defpath), str(of.programs or "")])),
        "HOME": str(of.home),
        "TMPDIR": str(of.temp),
        "USER": of.user,
        "LOGNAME": of.user,
        "TZ": of.timezone,
        "LANG": of.locale,
        "LC_ALL": of.locale,
        "PYTHONHASHSEED": of.hash_seed,
        "MAKEFLAGS": f"-j{jobs}",
        **dict.fromkeys(_JOBS, jobs),
        # shutil.get_terminal_size and argparse wrap texts by these.
        "COLUMNS": "201" if wide else "80",
        "LINES": "61" if wide else "24",
        # os.cpu_count() counts those of the machine, not those that may be used; Python 3.13 and later read this.
        "PYTHON_CPU_COUNT": "1" if "processors" in of.applied else "default",
        "TERM": "xterm-256color" if wide else "dumb",
        # A tree that is given away is "dubious" to git, which would not look at it then.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        # `git status` would rewrite the index of the tree (git(1)).
        "GIT_OPTIONAL_LOCKS": "0",
    }
