"""A project whose in-tree backend writes what it can see of its environment into the wheel: a member for each variation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from support.projects import write_tree

LEAKS = {
    "build-path": "os.getcwd()",
    "temp": "tempfile.gettempdir()",
    "home": "os.path.expanduser('~')",
    "user": "getpass.getuser()",
    "host": "socket.gethostname()",
    "umask": "os.stat(new('file')).st_mode & 0o777",
    "owner": "os.stat('pyproject.toml').st_uid",
    "mtimes": "os.stat('pyproject.toml').st_mtime",
    "file-order": "os.listdir('data')",
    "timezone": "time.localtime(0)[:6]",
    "locales": "os.environ['LC_ALL']",
    "hash-seed": "list(set('abcdefghijklmnop'))",
    "time": "time.localtime().tm_year",
    "processors": "len(os.sched_getaffinity(0))",
    "parallelism": "os.environ['MAKEFLAGS']",
    "terminal": "shutil.get_terminal_size().columns",
    "exec-path": "os.environ['PATH']",
    "leftovers": "os.path.isdir('dist')",
    "checkout": "os.path.isdir('.git')",
}
"""Variation -> what of it the backend sees, as a Python expression."""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "leaky_backend"
backend-path = ["backend"]
"""

_BACKEND = """\
import base64
import getpass
import gzip
import hashlib
import io
import os
import shutil
import socket
import tarfile
import tempfile
import time
import zipfile

LEAKS = {leaks!r}
METADATA = "Metadata-Version: 2.1\\nName: leaky\\nVersion: 1.0\\n"
INFO = "leaky-1.0.dist-info/"


def new(name):
    path = os.path.join(tempfile.mkdtemp(), name)
    open(path, "w").close()
    return path


def row(name, text):
    data = text.encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return "%s,sha256=%s,%d\\n" % (name, digest, len(data))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {{"leaky/" + name: repr(eval(leak)) + "\\n" for name, leak in LEAKS.items()}}
    files["leaky/__init__.py"] = "VALUE = 1\\n"
    files[INFO + "METADATA"] = METADATA
    files[INFO + "WHEEL"] = "Wheel-Version: 1.0\\nGenerator: leaky\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[INFO + "RECORD"] = "".join(row(*file) for file in files.items()) + INFO + "RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(wheel_directory, "leaky-1.0-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0)), text)
    return "leaky-1.0-py3-none-any.whl"


def build_sdist(sdist_directory, config_settings=None):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as sdist:
        names = ["pyproject.toml", "backend/leaky_backend.py", *("data/" + name for name in sorted(os.listdir("data")))]
        for name in names:
            with open(name, "rb") as file:
                add(sdist, name, file.read())
        add(sdist, "PKG-INFO", METADATA.encode())
    with open(os.path.join(sdist_directory, "leaky-1.0.tar.gz"), "wb") as file:
        file.write(gzip.compress(held.getvalue(), mtime=0))
    return "leaky-1.0.tar.gz"


def add(sdist, name, data):
    info = tarfile.TarInfo("leaky-1.0/" + name)
    info.size = len(data)
    sdist.addfile(info, io.BytesIO(data))
"""


def leaky_project(root: Path, leaks: Iterable[str], extra: str = "") -> Path:
    """Write a project into whose wheel *leaks*, names of variations, get; *extra* is Python that the backend ends with.

    Its sdist is the same in all environments.
    """
    backend = _BACKEND.format(leaks={name: LEAKS[name] for name in leaks})
    files = {"pyproject.toml": PYPROJECT, "backend/leaky_backend.py": backend + extra}
    return write_tree(root, {**files, **{f"data/{number:02d}": "" for number in range(12)}})
