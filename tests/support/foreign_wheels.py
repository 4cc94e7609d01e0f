"""Ready-made wheels for other systems, from the package index, as their repair tools would get them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path, PurePosixPath

from support.artifacts import record_of
from support.conditions import kept_variables

WINDOWS = "editdistance==0.8.1"
"""A small extension for Windows that needs msvcp140.dll, and was published without it."""
RUNTIME = "msvc-runtime==14.44.35112"
"""The wheel that has msvcp140.dll in it."""
MACOS = "pyzmq==27.3.0"
"""An extension for macOS (universal2) with two libraries in zmq/.dylibs that delocate put there."""

_FROM = "@loader_path/../../.dylibs/libzmq.5.dylib"
_TO = "/build/lib/libzmq.5.dylib"


@cache
def fetched(requirement: str, platform: str, directory: Path) -> Path:
    """Download the wheel of *requirement* for CPython 3.11 on *platform*."""
    out = directory / platform
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", platform, "--python-version=3.11", "--dest", str(out), requirement]
    done = subprocess.run(command, env=kept_variables(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob(f"{requirement.partition('==')[0].replace('-', '_')}-*.whl")
    return wheel


def runtime_library(directory: Path) -> Path:
    """Return a directory with msvcp140.dll."""
    with zipfile.ZipFile(fetched(RUNTIME, "win_amd64", directory)) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".data/data/msvcp140.dll"))
        library = Path(wheel.extract(name, directory / "runtime"))
    return library.parent


def not_yet_delocated(wheel: Path, target: Path) -> tuple[Path, Path]:
    """Undo what delocate did to the wheel of MACOS: return a wheel that needs its libraries, and where those are.

    The extension then names the library by the path that it was linked by. The string is shorter than the one that
    delocate wrote, and is padded with zeros, as load commands are.
    """
    libraries, wheels = target / "libraries", target / "wheels"
    libraries.mkdir(parents=True)
    wheels.mkdir()
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if "/.dylibs/" in name and not name.endswith("/"):
                (libraries / PurePosixPath(name).name).write_bytes(archive.read(name))
            elif not name.endswith(("/", "/RECORD")):
                files[name] = archive.read(name).replace(_FROM.encode(), _TO.encode().ljust(len(_FROM), b"\0"))
    (info,) = {name.partition("/")[0] for name in files if ".dist-info/" in name}
    files[f"{info}/RECORD"] = record_of(files, f"{info}/RECORD")
    with zipfile.ZipFile(wheels / wheel.name, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheels / wheel.name, libraries
