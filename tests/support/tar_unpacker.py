"""Unpacks sdists as tarfile, pip and an index read them: a program that any Python from 3.9 runs.

It is started once for each interpreter, and answers a line of JSON, ``[how, path, directory]``, with another: the tree
that it unpacked, or a text that says why it did not. It knows nothing of the code under test.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tarfile
import warnings
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
                if not mode & 0o400:  # Only root may read it. (What has it by another name has the mode, too.)
                    os.chmod(path, mode | 0o400)
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                found[known] = ("x" if mode & 0o100 else "f") + digest
            else:
                found[known] = f"a node of mode {mode:o}"
    return found


def by_tarfile(path: str, directory: str) -> None:
    with tarfile.open(path, "r:gz", encoding="utf-8") as archive:
        archive.extractall(directory, filter="data")


def by_tarfile_in_a_stream(path: str, directory: str) -> None:
    with tarfile.open(path, "r|gz", encoding="utf-8") as archive:
        archive.extractall(directory, filter="data")


def by_pip(path: str, directory: str) -> None:
    from pip._internal.utils.unpacking import unpack_file

    unpack_file(path, directory)


def by_index(path: str, directory: str) -> None:
    """What an index looks at when a file is uploaded: PKG-INFO in the directory that all names have in common."""
    del directory
    with tarfile.open(path, "r:gz") as archive:
        names = archive.getnames() or [""]
    first, last = min(names), max(names)
    common = next((first[:end] for end in range(len(first), 0, -1) if last.startswith(first[:end])), "")  # by letters
    if common in ("", ".", "/"):
        raise ValueError("there is no one top-level directory")
    if os.path.join(common, "PKG-INFO") not in names:
        raise ValueError(f"there is no PKG-INFO in {common!r}")


HOW = {"tarfile": by_tarfile, "stream": by_tarfile_in_a_stream, "pip": by_pip, "index": by_index}


def answer(how: str, path: str, directory: str) -> dict[str, str] | str:
    """Return the tree, or why there is none; whatever goes wrong is an answer."""
    try:
        HOW[how](path, directory)
        return tree(directory)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.umask(0o022)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
