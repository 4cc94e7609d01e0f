"""Builds as they are made elsewhere: on Windows, or by the command of a front end; asked for by variables.

They are variables so that records and ``--env`` carry them like any other that a release was made with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from samebytes.backend.config import Backend
from samebytes.errors import UsageError

from ...building.builder import Project

TEXT = "SAMEBYTES_TEXT"
"""``crlf``: text files that Python writes in the build end their lines as on Windows."""
FRONT_END = "SAMEBYTES_FRONT_END"
"""What made the release, with options that decide what is in it.

``flit build`` takes what git tracks; ``uv build`` has a uv_build of its own release in itself; ``setup.py bdist_wheel``
gives its options to the backend's hook; ``python setup.py`` calls no hook, for releases of setuptools before PEP 517.
"""
DIRECTORIES = "SAMEBYTES_DIRECTORIES"
"""Names, with commas between them, of empty directories in the tree: what the builder's tree had beside the source.

setuptools takes them for namespace packages where a project lists its packages by ``find_namespace_packages``.
"""
SETUPTOOLS = "SAMEBYTES_SETUPTOOLS"
"""``debian``: requirements and extras are sorted, as the setuptools of Debian and Ubuntu does.

Its patch sort-for-reproducibility.patch is in python3-setuptools of Debian 12, and in that of Ubuntu 24.04.
"""
COMMIT = "SETUPTOOLS_SCM_PRETEND_METADATA"
"""setuptools-scm's own, from its release 9.0 on: what it would ask git for (its documentation, "Overrides")."""

MODES = "SAMEBYTES_MODES"
"""Permission bits of files, in octal.

``664`` is for a tree and a build with umask 002; a mode by which they may be executed is that of a file system which
has one for all files, such as ``777`` on mounts of Windows' disks.
"""

_ON_WINDOWS = '''\
"""Lets text files be written as on Windows, where every line feed becomes two bytes (io.TextIOWrapper, "newline")."""

import builtins
import io

_open = io.open


def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    if newline is None and isinstance(mode, str) and "b" not in mode and set(mode) & set("wax"):
        newline = "\\r\\n"
    return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)


builtins.open = io.open = open
'''

_WITH_MODE = '''\
"""Lets all files have the one mode that they had on another file system."""

import functools
import os
import stat


def _seen(function, *given, **more):
    found = function(*given, **more)
    if not stat.S_ISREG(found.st_mode):
        return found
    more = {name: getattr(found, name) for name in _more}
    return os.stat_result((found.st_mode & ~0o777 | {mode}, *found[1:]), more)


# What no index leads to, such as times with fractions of a second.
_indexed = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")
_more = [name for name in dir(os.stat_result) if name.startswith("st_") and name not in _indexed]


for _name in ("stat", "lstat", "fstat"):
    _function = getattr(os, _name)
    # pathlib makes it an attribute of a class before Python 3.10, which would make a function a method.
    _seeing = functools.partial(_seen, _function)
    for _functions in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        if _function in _functions:
            _functions.add(_seeing)
    setattr(os, _name, _seeing)
'''
_WITHOUT_PKG_INFO = '''\
"""Leaves the PKG-INFO of the tree out where that is listed; what opens it by its name finds it."""

import functools
import os
import sys

_tree, _listdir, _scandir = {tree}, os.listdir, os.scandir


def _leaves_out(path):
    return os.path.samefile("." if path is None else path, _tree)


def listdir(path=None):
    names = _listdir(path)
    return [name for name in names if os.fsdecode(name) != "PKG-INFO"] if _leaves_out(path) else names


class scandir:
    def __init__(self, path=None):
        self._entries, self._leaves_out = _scandir(path), _leaves_out(path)

    def __iter__(self):
        return self

    def __next__(self):
        entry = next(self._entries)
        if self._leaves_out and os.fsdecode(entry.name) == "PKG-INFO":
            return next(self._entries)
        return entry

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._entries.close()


# pathlib makes it an attribute of a class before Python 3.10, which would make a function a method.
os.listdir, os.scandir = functools.partial(listdir), scandir
if _scandir in os.supports_fd:  # else shutil.rmtree would do without descriptors
    os.supports_fd |= {os.listdir, os.scandir}
# Classes that keep it since they were imported: of glob from Python 3.13 on, of pathlib before 3.11.
for _module, _name in (("glob", "_StringGlobber"), ("pathlib", "_NormalAccessor")):
    _class = getattr(sys.modules.get(_module), _name, None)
    if _class is not None:
        _class.scandir = scandir
        _class.listdir = staticmethod(os.listdir)
'''

_BY_FLIT = '''\
"""A backend that calls flit's own command, in a repository that has all files of the tree."""

import os
import shlex
import shutil
import subprocess
import sys

# What the module imports, where flit has to import it to find out the version.
try:
    from flit_core.buildapi import get_requires_for_build_sdist
except ImportError:  # before flit 2
    from flit.buildapi import get_requires_for_build_sdist


def build_sdist(sdist_directory, config_settings=None):
    options = shlex.split(os.environ["{variable}"])[2:]
    flit = [sys.executable, "-m", "flit", "build"]
    # Before these options, every sdist had a generated setup.py.
    known = subprocess.run([*flit, "--help"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    options = [option for option in options if option in known or "setup-py" not in option]
    if "--no-use-vcs" not in options:
        subprocess.run(["git", "init", "-q", "."], check=True)
        # What flit itself adds to an sdist was not in the repository; it refuses files that are neither in nor ignored.
        subprocess.run(["git", "add", "-A", "-f", ".", ":!/PKG-INFO"], check=True)
        with open(os.path.join(".git", "info", "exclude"), "w") as file:
            file.write("/PKG-INFO")
        # What was the default has to be asked for since flit 4.
        options += ["--use-vcs"] * ("--use-vcs" in known)
    # It would ask the index for the list of valid classifiers.
    environ = {**os.environ, "FLIT_NO_NETWORK": "1"}
    subprocess.run([*flit, "--format", "sdist", *options], check=True, env=environ)
    (name,) = os.listdir("dist")
    shutil.move(os.path.join("dist", name), sdist_directory)
    return name
'''.replace("{variable}", FRONT_END)
_OF_DEBIAN = '''\
"""The project's own backend, with a setuptools that sorts requirements and extras."""

import functools
import importlib
import sys

# First: where Python has no distutils any more, setuptools brings it.
import setuptools.command.egg_info

import distutils.dist

_module, _, _object = {backend}.partition(":")
_backend = functools.reduce(getattr, filter(None, _object.split(".")), importlib.import_module(_module))
_write = distutils.dist.DistributionMetadata.write_pkg_file


def _write_sorted(self, file):
    if getattr(self, "provides_extras", None):
        if isinstance(self.provides_extras, dict):
            self.provides_extras = dict.fromkeys(sorted(self.provides_extras))
        else:
            self.provides_extras = type(self.provides_extras)(sorted(self.provides_extras))
    return _write(self, file)


for _name in ("setuptools.command.egg_info", "setuptools._requirestxt", "setuptools.command._requirestxt"):
    # Where requires.txt is written depends on the release.
    _place = sys.modules.get(_name)
    if hasattr(_place, "yield_lines"):
        _place.yield_lines = functools.partial(lambda lines, *given: sorted(lines(*given)), _place.yield_lines)
distutils.dist.DistributionMetadata.write_pkg_file = _write_sorted


def __getattr__(name):
    return getattr(_backend, name)
'''
_BY_SCRIPT = '''\
"""A backend that calls setup.py, as was done before there were hooks."""

import os
import shlex
import subprocess
import sys


def get_requires_for_build_wheel(config_settings=None):
    return ["wheel"]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _made(wheel_directory, "bdist_wheel", *shlex.split(os.environ["{variable}"])[2:])


def build_sdist(sdist_directory, config_settings=None):
    return _made(sdist_directory, "sdist", "--formats=gztar")


def _made(directory, *command):
    before = set(os.listdir(directory))
    subprocess.run([sys.executable, "setup.py", *command, "--dist-dir", directory], check=True)
    (name,) = set(os.listdir(directory)) - before
    return name
'''.replace("{variable}", FRONT_END)
_BY_UV = """\
\"\"\"The backend that uv has in itself, whatever release of uv_build the project asks for.\"\"\"

import subprocess
import sys
import sysconfig


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _made("build-wheel", wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    return _made("build-sdist", sdist_directory)


def _made(command, directory):
    uv = sysconfig.get_path("scripts") + "/uv"
    done = subprocess.run([uv, "build-backend", command, directory], check=True, stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8").splitlines()[-1]
"""
_FLIT = "flit build"
UV_BUILD = "uv build"
"""The command of uv that made a file, which has no options here."""
_SCRIPT = "python setup.py"
_BDIST_WHEEL = "setup.py bdist_wheel"
_OF_WHEELS = re.compile(r"--universal|--(?:python-tag|build-number)=[\w.]+")
_OPTIONS = {
    _FLIT: re.compile(r"--setup-py|--no-setup-py|--no-use-vcs"),
    UV_BUILD: re.compile(r"(?!)"),
    _SCRIPT: _OF_WHEELS,
    _BDIST_WHEEL: _OF_WHEELS,
}
"""Commands, and which options of them are known."""
_BACKENDS = {
    _FLIT: ("samebytes_flit", _BY_FLIT),
    UV_BUILD: ("samebytes_uv", _BY_UV),
    _SCRIPT: ("samebytes_setup", _BY_SCRIPT),
}
"""Commands that take the place of the project's own backend: the module that calls each, and its source."""
_SETUPTOOLS = re.compile(r"setuptools(?![\w.-]*[\w])", re.IGNORECASE)
_LONGEST = 2000
"""Characters of a variable; systems start no program with one that is much longer."""
_MODE = re.compile(r"[4-7][0-7]{2}")
_PACKAGE = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)


def flit_build(*, generates: bool, tracked: bool) -> str:
    """Return the command of flit that made an sdist.

    :param generates: whether it wrote a ``setup.py``.
    :param tracked: whether it took all files of the repository.
    """
    return " ".join([_FLIT, *["--setup-py"] * generates, *["--no-use-vcs"] * (not tracked)])


def setup_script(options: Iterable[str]) -> str:
    """Return the command that made an sdist, or a wheel by *options*, without any hook."""
    return " ".join([_SCRIPT, *options])


def bdist_wheel(options: Iterable[str]) -> str:
    """Return the command of setup.py that made a wheel."""
    return " ".join([_BDIST_WHEEL, *options])


def directories(names: Iterable[str]) -> str:
    """Return the value of the variable for empty directories, which has those of *names* that a package can have.

    It is empty where it would be too long: any number of them can stand in a published file.
    """
    found = ",".join(sorted(name for name in names if _PACKAGE.fullmatch(name)))
    return found if len(found) <= _LONGEST else ""


def modes(there: Mapping[str, int], here: Mapping[str, int]) -> str:
    """Return the value of the variable for modes that make those of files *here* what they are *there*.

    It is empty where one does not do for all files that differ, or where none do.
    """
    differ = [name for name, mode in here.items() if there.get(name, mode) != mode]
    plain = {there[name] for name in differ if not here[name] & 0o100} or {there[name] & ~0o111 for name in differ}
    value = plain.pop() if len(plain) == 1 else 0
    fits = all(there[name] == _mode_of(value, here[name]) for name in differ)
    return f"{value:o}" if fits and _MODE.fullmatch(f"{value:o}") else ""


def _mode_of(value: int, mode: int) -> int:
    """Return the mode, where it is *value* for others, of a file that has *mode*: who may read it may execute it."""
    return value | (value & 0o444) >> 2 if mode & 0o100 else value


def umask(given: Mapping[str, str]) -> int:
    """Return the umask of a build with *given* variables.

    :raises UsageError: if they are none that can be given.
    """
    _check(given)
    mode = int(given.get(MODES, "644"), 8)
    return 0o022 if mode & 0o111 else 0o666 & ~mode


def commit(node: str) -> str:
    """Return the value of the variable for the commit *node*, as a file of setuptools-scm abbreviates it."""
    return f'{{node="{node}"}}'


def imitated(
    project: Project, given: Mapping[str, str], tree: Path, directory: Path, home: Path, *, is_remade: bool = False
) -> tuple[Project, str]:
    """Return the project to build in place of *project*, and a directory to import from, as *given* variables say.

    :param tree: its source, which is private, too.
    :param directory: a private one, for what Python imports.
    :param home: the build's home directory, which has no configuration yet.
    :param is_remade: whether an sdist is built, of which *tree* may have a ``PKG-INFO`` that its backend added.
    :raises UsageError: if a variable has a value that it cannot have.
    """
    _check(given)
    front_end, options = _command(given.get(FRONT_END, ""))
    for name in filter(None, given.get(DIRECTORIES, "").split(",")):
        if not os.path.lexists(tree / name):
            (tree / name).mkdir()
    startup = [_ON_WINDOWS] if given.get(TEXT) else []
    mode = int(given.get(MODES, "0"), 8)
    if mode & 0o111:
        startup.append(_WITH_MODE.replace("{mode}", oct(mode)))
    elif mode:
        for path in (Path(folder, name) for folder, _, names in os.walk(tree) for name in names):
            if not path.is_symlink():
                path.chmod(_mode_of(mode, path.stat().st_mode))
    if is_remade and (tree / "PKG-INFO").is_file():
        startup.append(_WITHOUT_PKG_INFO.replace("{tree}", repr(str(tree))))
    modules = {"sitecustomize.py": "\n\n".join(startup)} if startup else {}
    if given.get(SETUPTOOLS) and not project.backend.path:
        modules["samebytes_debian.py"] = _OF_DEBIAN.replace("{backend}", repr(project.backend.name))
        project = replace(project, backend=Backend("samebytes_debian"))
    if front_end in _BACKENDS:
        backend, source = _BACKENDS[front_end]
        modules[f"{backend}.py"] = source
        project = replace(project, backend=Backend(backend), requires=_requirements(front_end, project.requires))
    elif front_end:
        # Every release of setuptools reads them there, and no file of the source differs for it.
        name = "pydistutils.cfg" if os.name == "nt" else ".pydistutils.cfg"
        lines = [option[2:] if "=" in option else f"{option[2:]}=1" for option in options]
        (home / name).write_text("\n".join(["[bdist_wheel]", *lines, ""]), encoding="utf-8")
    if not modules:
        return project, ""
    directory.mkdir()
    for name, source in modules.items():
        (directory / name).write_text(source, encoding="utf-8")
    return project, str(directory)


def _check(given: Mapping[str, str]) -> None:
    """Check the values of variables, but for the front end's."""
    text = given.get(TEXT, "")
    if text not in ("", "crlf"):
        raise UsageError(f"{TEXT} is {text!r}, which is not a kind of text", remedy=f"Write {TEXT}=crlf.")
    if not all(map(_PACKAGE.fullmatch, filter(None, given.get(DIRECTORIES, "").split(",")))):
        raise UsageError(
            f"{DIRECTORIES} is {given[DIRECTORIES]!r}, which is not names of directories with commas between them",
            remedy=f"Write {DIRECTORIES}=dist,build: names that a Python package can have.",
        )
    if not _MODE.fullmatch(given.get(MODES, "644")):
        raise UsageError(f"{MODES} is {given[MODES]!r}, which is no mode of files", remedy=f"Write {MODES}=664.")
    if given.get(SETUPTOOLS, "") not in ("", "debian"):
        raise UsageError(
            f"{SETUPTOOLS} is {given[SETUPTOOLS]!r}, which is not a distribution whose setuptools is known",
            remedy=f"Write {SETUPTOOLS}=debian.",
        )


def _requirements(front_end: str, requires: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is installed for a backend that calls *front_end*, of a project that *requires* that."""
    if front_end == UV_BUILD:
        return ("uv",)
    if front_end == _FLIT:
        return (*requires, "flit")
    # That it has hooks is what pip wants of a project that names no requirement.
    return tuple("setuptools" if _SETUPTOOLS.match(one) else one for one in requires)


def _command(text: str) -> tuple[str, list[str]]:
    """Return a front end's command and its options; nothing if *text* is empty."""
    words = text.split()
    command, options = " ".join(words[:2]), words[2:]
    known = _OPTIONS.get(command)
    if words and (known is None or not all(map(known.fullmatch, options))):
        raise UsageError(
            f"{FRONT_END} is {text!r}, which is not a command that can be imitated",
            remedy=f"Write {' or '.join(_OPTIONS)}, with options that decide what is in the file.",
        )
    return command, options
