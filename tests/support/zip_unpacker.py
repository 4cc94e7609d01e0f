"""Reads wheels as zipfile and pip do: a program that any Python from 3.9 runs.

It is started once for each interpreter, and answers a line of JSON, ``[how, path, directory]``, with another: what it
read or installed, by name, or a text that says why it did not. It knows nothing of the code under test.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import warnings
import zipfile
from pathlib import Path


def tree(directory: str) -> dict[str, str]:
    """Return what lies in *directory*, by name: ``d``, ``f`` or ``x`` with the contents' digest, or ``l`` and target."""
    found = {}
    todo = [""]
    while todo:
        parent = todo.pop()
        for name in os.listdir(os.path.join(directory, parent)):
            path = os.path.join(directory, parent, name)
            known = os.path.join(parent, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                found[known] = "l" + os.readlink(path)
            elif stat.S_ISDIR(mode):
                os.chmod(path, 0o700)
                found[known] = "d"
                todo.append(known)
            elif stat.S_ISREG(mode):
                os.chmod(path, 0o700)  # Else only root may read all of them.
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                found[known] = ("x" if mode & 0o111 else "f") + digest
            else:
                found[known] = f"a node of mode {mode:o}"
    return found


def by_zipfile(path: str, directory: str) -> dict[str, str]:
    """Return what zipfile reads; it unpacks nothing, for what it does to names is for the system at hand."""
    del directory
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            data = archive.read(info)
            if info.orig_filename in found:
                raise ValueError(f"{info.orig_filename!r} is there twice")
            if info.is_dir():
                found[info.orig_filename[:-1]] = f"d{len(data) or ''}"
            else:
                found[info.orig_filename] = "f" + hashlib.sha256(data).hexdigest()
    return found


def by_pip(path: str, directory: str) -> dict[str, str]:
    from pip._internal.models.scheme import Scheme
    from pip._internal.operations.install.wheel import install_wheel

    places = {name: os.path.join(directory, name) for name in ("platlib", "purelib", "headers", "scripts", "data")}
    name = os.path.basename(path).partition("-")[0]
    install_wheel(name, path, Scheme(**places), name, pycompile=False, warn_script_location=False)
    return tree(places["purelib"])


def by_installer(path: str, directory: str) -> dict[str, str]:
    from installer import install
    from installer.destinations import SchemeDictionaryDestination
    from installer.sources import WheelFile

    places = {name: os.path.join(directory, name) for name in ("platlib", "purelib", "headers", "scripts", "data")}
    with WheelFile.open(Path(path)) as source:
        install(source, SchemeDictionaryDestination(places, sys.executable, "posix"), {})
    return tree(places["purelib"])


HOW = {"zipfile": by_zipfile, "pip": by_pip, "installer": by_installer}


def answer(how: str, path: str, directory: str) -> dict[str, str] | str:
    """Return what was read, or why nothing was; whatever goes wrong is an answer."""
    try:
        return HOW[how](path, directory)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.umask(0o022)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
