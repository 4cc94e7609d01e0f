"""zlib-ng in zlib's place under an unmodified Python: its real C source, built as ``libz.so.1``, put there by LD_PRELOAD.

The source is what the sdist of the Python package zlib-ng carries. As a program, this builds the library and prints its
path::

    python3 tests/support/foreign_zlib.py DIRECTORY
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

VARIABLE = "SAMEBYTES_TEST_ZLIB_NG"
"""Names the library where it is built already; without it, the tests build it themselves."""

REQUIREMENT = "zlib-ng==1.1.0 --hash=sha256:08a3a8468d4f130e3dc80d28ec42fcc7a878a57dfed616233e791066327d78a3"


def library(shared: Path) -> Path:
    """Return the library that VARIABLE names, or the one in *shared*, built now if no other process has done so.

    Skips the test where it cannot be built: on another system, without a compiler or without a package index.
    """
    import pytest

    named = os.environ.get(VARIABLE)
    if named:
        assert Path(named).is_file(), f"{VARIABLE} names {named}, which is not there"
        return Path(named)
    missing = [tool for tool in ("cc", "make") if shutil.which(tool) is None]
    if sys.platform != "linux" or missing:
        pytest.skip(f"zlib-ng is built on Linux only, with a compiler and make; missing: {missing or 'Linux'}")
    with (shared / "zlib-ng.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = shared / "zlib-ng" / "libz.so.1"
        try:
            return built if built.exists() else build(built.parent)
        except NoIndex as error:
            pytest.skip(f"the source of zlib-ng cannot be had: {error}")


class NoIndex(Exception):
    """The source cannot be downloaded."""


def build(directory: Path) -> Path:
    """Download, build, and return the path of ``libz.so.1`` in *directory*.

    :raises NoIndex: if the source cannot be had.
    """
    directory.mkdir(parents=True, exist_ok=True)
    sources = _unpacked(_downloaded(directory), directory)
    _run(["./configure", "--zlib-compat"], sources)
    _run(["make", f"-j{os.cpu_count()}", "shared"], sources)
    version = version_of(sources / "libz.so.1")
    assert "zlib-ng" in version, version
    return Path(shutil.copy(sources / "libz.so.1", directory))


def version_of(path: Path) -> str:
    """Return what the library at *path* says that it is."""
    zlib_version = ctypes.CDLL(str(path)).zlibVersion
    zlib_version.restype = ctypes.c_char_p
    return str(zlib_version().decode())


@cache
def preloaded(python: str, path: Path) -> dict[str, str]:
    """Return the variables under which *python* has the library at *path* for zlib; skip if that is not possible."""
    import pytest

    variables = {"LD_PRELOAD": str(path)}
    command = [python, "-c", "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"]
    version = subprocess.run(
        command, env={**os.environ, **variables}, check=True, capture_output=True, text=True
    ).stdout.strip()
    if version != version_of(path):
        pytest.skip(f"{python} does not load its zlib from a shared library: it still has {version}")
    return variables


def _downloaded(directory: Path) -> Path:
    """Let pip get the one file that has the right digest."""
    wanted = directory / "wanted.txt"
    wanted.write_text(f"{REQUIREMENT}\n", "ascii")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-input"]
    options = ["--no-deps", "--no-binary", "zlib-ng", "--require-hashes", "-r", str(wanted), "-d", str(directory)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        assert "DO NOT MATCH THE HASHES" not in done.stderr, done.stderr
        raise NoIndex(done.stderr.strip().rpartition("\n")[2] or "pip failed")
    (sdist,) = directory.glob("zlib_ng-*.tar.gz")
    return sdist


def _unpacked(sdist: Path, directory: Path) -> Path:
    """Unpack *sdist* and return the directory of the C source in it."""
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(directory / "source", filter="data")
        else:  # releases of Python before PEP 706; the hash says what the file is
            archive.extractall(directory / "source")
    (configure,) = (directory / "source").glob("*/src/zlib_ng/zlib-ng/configure")
    return configure.parent


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout[-3000:]}"


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
