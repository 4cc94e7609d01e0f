"""Programs of others that read archives, each asked for what it makes of one: what those of wheels and sdists share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Union

Answer = Union[dict[str, str], str]
"""What was read, by name, as the programs :mod:`support.zip_unpacker` and :mod:`support.tar_unpacker` make it; or a text:
a refusal."""

Reader = Callable[[Path, Path], Answer]
"""Reads a file, into an empty directory."""

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def python_of(version: str) -> str | None:
    """Return a CPython of that *version*: this one, one on PATH, or one of pyenv's."""
    if version == "{}.{}".format(*sys.version_info):
        return sys.executable
    places = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))]
    for place in places:
        if place and not subprocess.run([place, "-c", ""], check=False, capture_output=True).returncode:
            return str(place)
    return None


def has(python: str, module: str, attribute: str = "") -> bool:
    """Return whether *python* has that *module*, with that *attribute*."""
    code = f"import {module} as module" + (f"; module.{attribute}" if attribute else "")
    return not subprocess.run([python, "-I", "-c", code], check=False, capture_output=True).returncode


class Unpacker:
    """An interpreter that reads one archive after another, by the *program* of that path."""

    def __init__(self, python: str, program: str) -> None:
        command = [python, "-I", program]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, how: str, path: Path, directory: Path) -> Answer:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([how, str(path), str(directory)]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def running(
    command: Callable[[Path, Path], list[str]], tree: Callable[[str], dict[str, str]], *, piped: bool = False
) -> Reader:
    """Return the reader that is a program: it unpacks, and *tree* looks at what lies there then.

    :param command: the words, for an archive and a directory.
    :param piped: whether it gets the archive by standard input.
    """

    def run(path: Path, directory: Path) -> Answer:
        done = subprocess.run(
            command(path, directory),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Without a pipe nothing can be asked.
            input=path.read_bytes() if piped else b"",
            env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        if done.returncode:
            return f"status {done.returncode}: {done.stdout.decode('utf-8', 'replace').strip()[-300:]}"
        return tree(str(directory))

    return run


def uv_program() -> str | None:
    """Return the path of uv, of this environment or on PATH; None if it is not here."""
    return shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
