"""The library that lets programs sleep while libfaketime moves their clock (see the C file beside this one)."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from samebytes.console import programs

SOURCE = Path(__file__).with_suffix(".c")


def built(directory: Path, environ: Mapping[str, str]) -> Path | None:
    """Compile the library into *directory*, and return where it is.

    None where there is no C compiler, or it fails: then libfaketime is used as it is, and a build that its fault ends
    is built again with the clock left alone.
    """
    compiler = programs.find("cc", environ)
    library = directory / "steady_sleep.so"
    # LD_PRELOAD has no way to write these in a path (ld.so(8)).
    if compiler is None or any(separator in str(library) for separator in ": "):
        return None
    command = [str(compiler), "-O1", "-fPIC", "-shared", "-o", str(library), str(SOURCE)]
    kept = {name: value for name, value in environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    done = subprocess.run(command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return library if done.returncode == 0 and library.is_file() else None
