"""Another clock for the second build: by libfaketime, or as far as it goes without, that of Python and of gcc."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from samebytes.console import programs

CLOCK_MOVED = 403 * 86400 + 5 * 3600 + 7 * 60
"""Seconds: another year, month, day, hour and minute."""

PYTHON_CLOCK = Path(__file__).with_name("python_clock")
"""The directory that must be first on PYTHONPATH for SAMEBYTES_CLOCK to have an effect."""

_STOPPED = 1_927_857_906
"""2031-02-03 04:05:06 UTC, in seconds since 1970."""

_STEADY_SLEEP = Path(__file__).with_name("steady_sleep.c")

_COMPILER = """\
#!/bin/sh
# What gcc runs as its compiler, with the moved date for __DATE__ and __TIME__, unless the project gives it one.
program=$(unset COMPILER_PATH && "$COLLECT_GCC" -print-prog-name={name}) || exit
: "${{SOURCE_DATE_EPOCH=$(($(date +%s) + {moved}))}}"
export SOURCE_DATE_EPOCH
exec "$program" "$@"
"""


def moved_clock(environ: Mapping[str, str], made: Path | None = None) -> dict[str, str]:
    """Return the variables that move the clock: of all programs by libfaketime, else of Python, and of gcc.

    :param made: the directory that ``prepare_clock`` filled; None where it was not called.
    """
    library = programs.find("libfaketime", environ)
    if library is None or not _works(str(library)):
        compilers = made / "compilers" if made else None
        variables = {"SAMEBYTES_CLOCK": f"+{CLOCK_MOVED * 10**9}"}
        return {**variables, "COMPILER_PATH": str(compilers)} if compilers and compilers.is_dir() else variables
    steady_sleep = made / "steady_sleep.so" if made else None
    first = steady_sleep if steady_sleep and steady_sleep.is_file() else None
    # What was preloaded already stays first: symbols are looked up in that order (ld.so(8)).
    preloaded = [str(each) for each in (environ.get("LD_PRELOAD"), first, library) if each]
    return {"LD_PRELOAD": " ".join(preloaded), **_by_libfaketime(f"+{CLOCK_MOVED}")}


def frozen_clock(environ: Mapping[str, str], made: Path | None = None) -> dict[str, str]:
    """Return the variables that let the clock stand still on a moment in the future, as far as it can be moved."""
    moved = moved_clock(environ, made)
    # A date without a sign before it is one for good (faketime(1)).
    stopped = {"FAKETIME": "2031-02-03 04:05:06", "SAMEBYTES_CLOCK": f"={_STOPPED * 10**9}"}
    return {**moved, **{name: value for name, value in stopped.items() if name in moved}}


def _by_libfaketime(clock: str) -> dict[str, str]:
    return {
        "FAKETIME": clock,
        # Timeouts are measured by that clock, and builds need it as it is.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # What it does to waits on that clock lets threads spin (ten times as long on one processor).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


@functools.cache
def _works(library: str) -> bool:
    """Return whether *library*, preloaded, moves the clock of this interpreter."""
    # Tried: it may be of another machine or C library (its package on PyPI is for "any"), or have a path with a space.
    variables = {**os.environ, "LD_PRELOAD": library, **_by_libfaketime(f"+{CLOCK_MOVED}")}
    command = [sys.executable, "-I", "-S", "-c", "import time; print(time.time())"]
    done = subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        return float(done.stdout) > time.time() + CLOCK_MOVED / 2
    except ValueError:
        return False


def is_moved(environ: Mapping[str, str]) -> bool:
    """Return whether the clock of all programs can be moved here, by libfaketime."""
    return "FAKETIME" in moved_clock(environ)


def movable_alone(environ: Mapping[str, str]) -> str:
    """Return whose clock alone can be moved here, as ``Python and gcc``; empty if that of all programs can."""
    if is_moved(environ):
        return ""
    with tempfile.TemporaryDirectory(prefix="samebytes-") as trial:
        prepare_clock(Path(trial), environ)
        return "Python and gcc" if "COMPILER_PATH" in moved_clock(environ, Path(trial)) else "Python"


def prepare_clock(directory: Path, environ: Mapping[str, str]) -> Path:
    """Make in *directory* what ``moved_clock`` needs beside libfaketime, or in its place, and return *directory*.

    That is the library that lets programs sleep while libfaketime moves their clock, or what gives gcc another date.
    Where there is no C compiler, or it fails, nothing is made: libfaketime is used as it is then, and where a build
    fails because of that, it is built again with the clock left alone.
    """
    compiler = programs.find("cc", environ)
    if compiler is None:
        return directory
    # CFLAGS, CPATH and the like are for the project that is checked.
    kept = {name: value for name, value in environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    if is_moved(environ):
        _build_steady_sleep(compiler, directory / "steady_sleep.so", kept)
    # Elsewhere it is no gcc, and where macOS has no compiler, its cc asks in a window whether to install one.
    elif "COMPILER_PATH" not in environ and sys.platform not in ("darwin", "win32"):
        _make_compilers(compiler, directory / "compilers", kept)
    return directory


def _build_steady_sleep(compiler: Path, library: Path, environ: Mapping[str, str]) -> None:
    # LD_PRELOAD has no way to write these in a path (ld.so(8)).
    if any(separator in str(library) for separator in ": "):
        return
    command = [str(compiler), "-O1", "-fPIC", "-shared", "-o", str(library), str(_STEADY_SLEEP)]
    if _output_of(command, environ) is None:
        library.unlink(missing_ok=True)


def _make_compilers(compiler: Path, directory: Path, environ: Mapping[str, str]) -> None:
    """Make the programs that gcc finds in *directory*, its COMPILER_PATH; none if that does not change ``__DATE__``.

    Not SOURCE_DATE_EPOCH for the whole build: a project that goes by it would differ for that alone.
    """
    directory.mkdir()
    for name in ("cc1", "cc1plus"):
        path = directory / name
        path.write_text(_COMPILER.format(name=name, moved=CLOCK_MOVED), encoding="ascii")
        path.chmod(0o755)
    source = directory / "date.c"
    source.write_text("__DATE__", encoding="ascii")
    command = [str(compiler), "-E", "-P", str(source)]
    # clang is one program, and reads nothing there.
    real, moved = _output_of(command, environ), _output_of(command, {**environ, "COMPILER_PATH": str(directory)})
    source.unlink()
    if not moved or moved == real:
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def _output_of(command: list[str], environ: Mapping[str, str]) -> bytes | None:
    """Return what *command* prints; None if it fails."""
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return None if done.returncode else done.stdout
