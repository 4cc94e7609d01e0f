"""Runs git: for the date of a build, for modes, and in samebytes-tools for sources and checkouts."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from ..archive.entry import Entry


def git(directory: Path | None, *words: str, environ: Mapping[str, str]) -> str:
    """Return what the git command *words* prints in *directory* (None for the current one).

    :raises UsageError: if git cannot be run, or fails: with what it says, for the caller to say what for.
    """
    # It must not wait for a password that nobody types, nor write to a repository that is only read (git(1)); and what
    # it says is quoted in messages, which are in English.
    quiet = {**environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    place = ["-C", str(directory)] if directory else []
    try:
        done = subprocess.run(
            ["git", *place, *words], env=quiet, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise UsageError(f"git cannot be run: {error.strerror}", remedy="Install the package git.") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise UsageError(said.decode("utf-8", "replace") or f"git {words[0]} failed")
    return os.fsdecode(done.stdout)


class Modes:
    """Which files are executable, where the file system has no such bit (Windows): those that git's index has so."""

    def __init__(self, source: Path, environ: Mapping[str, str], *, by_setuptools: bool) -> None:
        """Read the index; without one that has the project's own files, nothing is known.

        :param by_setuptools: whether that made the archive: it copies modules without their modes.
        """
        self.unknown: list[str] = []
        """Files that begin as executable ones do, and of which nothing is known; taken for not executable."""
        self._by_setuptools = by_setuptools
        self._index: dict[str, bool] = {}
        with suppress(UsageError):  # there is no git, or no repository
            rows = (row.partition("\t") for row in git(source, "ls-files", "-sz", environ=environ).split("\0"))
            self._index = {name: head.startswith("100755 ") for head, _, name in rows if (source / name).is_file()}
        if not {"pyproject.toml", "setup.py"} & set(self._index):  # the repository may be that of another project
            self._index = {}
        sizes = {(source / name).stat().st_size for name, executable in self._index.items() if executable}
        self._names: dict[bytes, list[str]] = defaultdict(list)
        """By contents, the files that have them, where one of these may be executable."""
        for name in self._index:
            if (source / name).stat().st_size in sizes:
                self._names[(source / name).read_bytes()].append(name)

    def __call__(self, entry: Entry) -> bool:
        """Return whether a file of an archive is an executable one of the source, the likest in its path."""
        from ..archive.entry import read_all

        if self._by_setuptools and entry.name.endswith(".py") and ".data/" not in entry.name:
            return False
        data, path = read_all(entry.content), entry.name.split("/")[::-1]
        if not self._index and data.startswith(b"#!"):
            self.unknown.append(entry.name)

        def likeness(name: str) -> tuple[int, bool]:
            shared = takewhile(lambda pair: pair[0] == pair[1], zip(path, name.split("/")[::-1]))
            return sum(1 for _ in shared), not self._index[name]

        names = self._names.get(data, ())
        return bool(names) and self._index[max(names, key=likeness)]
