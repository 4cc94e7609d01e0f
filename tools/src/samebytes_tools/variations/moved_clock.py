"""Another clock for the second build: libfaketime, and what lets programs sleep while it moves their clock."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from samebytes.console import programs

CLOCK_MOVED = 400 * 86400 + 5 * 3600 + 7 * 60
"""Seconds: another year, month, day, hour and minute."""

STEADY_SLEEP = Path(__file__).with_name("steady_sleep.c")


def moved_clock(environ: Mapping[str, str], steady_sleep: Path | None = None) -> dict[str, str]:
    """Return the variables that move the clock; none without libfaketime.

    :param steady_sleep: the library that must come before it, so that programs can sleep.
    """
    library = programs.find("libfaketime", environ)
    if library is None:
        return {}
    return {
        # What was preloaded already stays first: symbols are looked up in that order (ld.so(8)).
        "LD_PRELOAD": " ".join(str(each) for each in (environ.get("LD_PRELOAD"), steady_sleep, library) if each),
        "FAKETIME": f"+{CLOCK_MOVED}",
        # Timeouts are measured by that clock, and builds need it as it is.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # What it does to waits on that clock lets threads spin (ten times as long on one processor).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


def frozen_clock(environ: Mapping[str, str], steady_sleep: Path | None = None) -> dict[str, str]:
    """Return the variables that let the clock stand still, on a moment in the future; none without libfaketime."""
    moved = moved_clock(environ, steady_sleep)
    # A date without a sign before it is one for good (faketime(1)).
    return {**moved, "FAKETIME": "2031-02-03 04:05:06"} if moved else {}


def build_steady_sleep(directory: Path, environ: Mapping[str, str]) -> Path | None:
    """Compile the library that lets programs sleep while libfaketime moves their clock, and return where it is.

    None where there is no C compiler, or it fails: libfaketime is used as it is then, and where a build fails because
    of that, it is built again with the clock left alone.
    """
    compiler = programs.find("cc", environ)
    library = directory / "steady_sleep.so"
    # LD_PRELOAD has no way to write these in a path (ld.so(8)).
    if compiler is None or any(separator in str(library) for separator in ": "):
        return None
    command = [str(compiler), "-O1", "-fPIC", "-shared", "-o", str(library), str(STEADY_SLEEP)]
    # CFLAGS, CPATH and the like are for the project that is checked.
    kept = {name: value for name, value in environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    done = subprocess.run(command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return library if done.returncode == 0 and library.is_file() else None
