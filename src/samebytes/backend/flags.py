"""How compilers are kept from writing build paths into their output, by the right channel for each build system (D2).

A wrong channel leaks or changes more than it cures: setuptools replaces the interpreter's flags by CFLAGS, CMake
ignores CPPFLAGS, Meson writes every flag that it is given into what projects install, RUSTFLAGS hides the project's
own flags.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .config import Config

SOURCE_NAME = "."
ENVIRONMENT_NAME = "/samebytes-env"
TEMP_NAME = "/samebytes-tmp"
CARGO_NAME = "/samebytes-cargo"
"""What the paths are called in debug information, ``__FILE__`` and panics."""

_BIN = "bin"
_COMPILERS = ("cc", "gcc", "clang", "c++", "g++", "clang++", "gfortran", "flang")
_DISTRIBUTION = re.compile(r"RPM_BUILD_ROOT|NIX_BUILD_TOP|DEB_BUILD_\w+")
_FLAG_VARIABLES = ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "FFLAGS", "LDFLAGS", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
_MAPPED = re.compile(r"-f(?:file|debug|macro)-prefix-map|--remap-path-prefix|/pathmap:", re.IGNORECASE)


class Paths(NamedTuple):
    """The directories of one build that differ from build to build; absolute."""

    source: Path
    environments: tuple[Path, ...]
    """Where build requirements are installed, when that is not the interpreter's own prefix."""
    temp: Path


class Additions(NamedTuple):
    """What is added to the inner backend's environment."""

    variables: dict[str, str]
    files: dict[str, str]
    """Executable files to write into the temporary directory: path in it -> text."""


def environment_roots(prefix: str, base_prefix: str, search_path: Iterable[str]) -> tuple[Path, ...]:
    """Return the roots of the environments that modules are imported from, the interpreter's own prefix left out.

    That is the virtual environment (build, uv) and what pip puts onto ``sys.path`` instead of one.
    """
    roots = [Path(prefix)] if prefix != base_prefix else []
    for entry in search_path:  # of pip, .../overlay/lib/python3.X/site-packages; it has no prefix of its own
        found = re.fullmatch(r"(.+?)[\\/]lib(?:64)?(?:[\\/]python[\d.]+t?)?[\\/]site-packages", entry, re.IGNORECASE)
        if found and Path(found[1]) not in (Path(base_prefix), *roots):
            roots.append(Path(found[1]))
    return tuple(roots)


def are_inherited(environ: Mapping[str, str], config: Config) -> bool:
    """Return whether flags are left alone: the project asks for it, or a distribution or user maps paths itself."""
    if config.flags == "inherit" or any(_DISTRIBUTION.fullmatch(name) for name in environ):
        return True
    return any(_MAPPED.search(environ.get(name, "")) for name in _FLAG_VARIABLES)


def prefix_maps(paths: Paths, home: str = "") -> list[tuple[str, str]]:
    """Return pairs of a path and its name, most specific last, for of several maps the last match wins (GCC, rustc).

    A path that a map cannot express, with ``=`` in it, is left out.
    """
    named = [(paths.temp, TEMP_NAME), *((root, ENVIRONMENT_NAME) for root in paths.environments)]
    named.append((paths.source, SOURCE_NAME))
    if home:
        named.insert(0, (Path(home), CARGO_NAME))
    # A compiler writes the path that it was given, or what getcwd(3) says, which has no links in it.
    pairs = {str(form): name for path, name in named for form in (path, path.resolve())}
    return sorted(((path, name) for path, name in pairs.items() if "=" not in path), key=lambda pair: len(pair[0]))


_RELATIVE_RUN_PATH = "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON"
"""The run path for use in the build directory goes by ``$ORIGIN``; installing overwrites it, and its length stays."""


def additions(
    environ: Mapping[str, str], config: Config, paths: Paths, platform: str, tree: Path | None = None
) -> Additions:
    """Return the variables, all added to what *environ* has, that keep *paths* out of compiled code.

    :param platform: as ``sys.platform``.
    :param tree: the source tree as this process sees it, where the build sees it elsewhere.
    """
    tools = _tools(config, tree or paths.source)
    maps = [f"-ffile-prefix-map={path}={name}" for path, name in prefix_maps(paths)]
    link = _link_flags(environ, config, paths, platform)
    variables = _msvc(environ, paths) if platform == "win32" else _c(environ, maps, link, tools)
    files: dict[str, str] = {}
    if platform != "win32" and ("meson" in tools or config.backend.path):
        files = _compiler_wrappers(environ, [*maps, *_link_flags({}, config, paths, platform)])
        variables["PATH"] = f"{paths.temp / _BIN}:{environ.get('PATH', '')}"
    if "rust" in tools:
        more = _rust(environ, config, paths, platform)
        variables, files = {**variables, **more.variables}, {**files, **more.files}
    if "go" in tools:
        variables["GOFLAGS"] = _appended(environ, "GOFLAGS", ["-trimpath"])
    return Additions(variables, files)


def _tools(config: Config, source: Path) -> frozenset[str]:
    """Return the build systems in use, judged by the backend's name, the build requirements and the tree."""
    names = {re.split(r"[^\w-]", text.strip(), maxsplit=1)[0].lower().replace("_", "-") for text in config.requires}
    module = config.backend.package.replace("_", "-")
    names.add({"mesonpy": "meson-python"}.get(module, module))
    tools = {"meson"} if names & {"meson-python", "meson"} else {"cmake"} if "scikit-build-core" in names else {"c"}
    if names & {"maturin", "setuptools-rust"} or (source / "Cargo.toml").is_file():
        tools.add("rust")
    if names & {"setuptools-golang"} or (source / "go.mod").is_file():
        tools.add("go")
    return frozenset(tools)


def _c(environ: Mapping[str, str], maps: list[str], link: list[str], tools: frozenset[str]) -> dict[str, str]:
    """Return GCC's and Clang's flags: CPPFLAGS for setuptools, CFLAGS and the like for CMake, nothing for Meson.

    CMake has a setting of its own for run paths.
    """
    variables = {}
    for variable in ("CPPFLAGS",) if "c" in tools else ("CFLAGS", "CXXFLAGS", "FFLAGS") if "cmake" in tools else ():
        variables[variable] = _appended(environ, variable, maps)
    if "cmake" in tools:
        # Before the user's, so that theirs count.
        variables["CMAKE_ARGS"] = " ".join(filter(None, [_RELATIVE_RUN_PATH, environ.get("CMAKE_ARGS", "")]))
    if link and "meson" not in tools:
        variables["LDFLAGS"] = _appended(environ, "LDFLAGS", link)
    return variables


def _link_flags(environ: Mapping[str, str], config: Config, paths: Paths, platform: str) -> list[str]:
    flags = []
    if any("-mingw32" in environ.get(name, "") for name in ("CC", "CXX", "LDSHARED")):
        flags.append("-Wl,--no-insert-timestamp")  # of the linking, in what runs on Windows; other linkers refuse it
    if config.debug_info == "strip":
        flags.append("-Wl,-S" if platform == "darwin" else "-Wl,--strip-debug")
    if platform == "darwin":
        # The debug map names object files by their paths, which have no links in them (ld(1)).
        flags.append(f"-Wl,-oso_prefix,{paths.source.resolve()}/")
    return flags


def _compiler_wrappers(environ: Mapping[str, str], flags: Sequence[str]) -> dict[str, str]:
    """Return what stands before the compilers on PATH, which Meson and setuptools call by these names.

    No variable can carry the flags under Meson, which reads each once and hands it to the project. And an in-tree
    backend may add maps of its own, to the source tree's true path (propcache): ours have to come last to count. A
    compiler that is named by its path is not reached, nor is one of MinGW, whose flags these must not get.
    """
    found = {name: shutil.which(name, path=environ.get("PATH")) for name in _COMPILERS}
    return {f"{_BIN}/{name}": _wrapper([path], flags) for name, path in found.items() if path}


def _msvc(environ: Mapping[str, str], paths: Paths) -> dict[str, str]:
    """Return MSVC's: ``_CL_`` and ``_LINK_`` are appended to the command lines of cl.exe and link.exe."""
    maps = [f'"/pathmap:{path}={name}"' for path, name in prefix_maps(paths)]
    compile_flags = " ".join(["/experimental:deterministic", *maps])  # without the first, cl.exe takes no maps
    return {
        "_CL_": f"{environ.get('_CL_', '')} {compile_flags}".strip(),
        "_LINK_": f"{environ.get('_LINK_', '')} /experimental:deterministic /Brepro /PDBALTPATH:%_PDB%".strip(),
    }


def _rust(environ: Mapping[str, str], config: Config, paths: Paths, platform: str) -> Additions:
    """Return rustc's: appended to RUSTFLAGS where the user set them, else through a wrapper.

    Setting RUSTFLAGS would switch off every ``rustflags`` of the project's cargo configuration (The Cargo Book,
    "Configuration", build.rustflags).
    """
    user = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    home = environ.get("CARGO_HOME") or (f"{user}/.cargo" if user else "")
    flags = [f"--remap-path-prefix={path}={name}" for path, name in prefix_maps(paths, home)]
    if config.debug_info == "strip":
        flags += ["-C", "strip=debuginfo"]
    if environ.get("CARGO_ENCODED_RUSTFLAGS"):  # cargo reads it before RUSTFLAGS, and just one of the two
        return Additions({"CARGO_ENCODED_RUSTFLAGS": "\x1f".join([environ["CARGO_ENCODED_RUSTFLAGS"], *flags])}, {})
    if environ.get("RUSTFLAGS") and not any(" " in flag for flag in flags):  # cargo splits it at blanks
        return Additions({"RUSTFLAGS": " ".join([environ["RUSTFLAGS"], *flags])}, {})
    chained = [environ["RUSTC_WRAPPER"]] if environ.get("RUSTC_WRAPPER") else []
    wrapper = paths.temp / "rustc-wrapper"
    if platform != "win32":
        return Additions({"RUSTC_WRAPPER": str(wrapper)}, {wrapper.name: _wrapper(chained, flags)})
    chain, maps = (" ".join(f'"{word}"' for word in words) for words in (chained, flags))
    # Variables are Unicode; a batch file is read in the code page of the console.
    own = {"RUSTC_WRAPPER": f"{wrapper}.cmd", "SAMEBYTES_RUSTC": chain, "SAMEBYTES_MAPS": maps}
    return Additions(own, {f"{wrapper.name}.cmd": "@%SAMEBYTES_RUSTC% %* %SAMEBYTES_MAPS%\r\n"})


def _wrapper(command: Sequence[str], flags: Sequence[str]) -> str:
    words = [*map(shlex.quote, command), '"$@"', *map(shlex.quote, flags)]
    return f"#!/bin/sh\nexec {' '.join(words)}\n"


def _appended(environ: Mapping[str, str], variable: str, flags: Iterable[str]) -> str:
    return " ".join(filter(None, [environ.get(variable, ""), *map(shlex.quote, flags)]))
