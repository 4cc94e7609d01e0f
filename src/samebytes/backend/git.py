"""Runs git: for the date of a build, for modes, and in samebytes-tools for sources and checkouts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
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
        raise UsageError(f"git cannot be run: {error.strerror}", remedy="Install git.") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise UsageError(said.decode("utf-8", "replace") or f"git {words[0]} failed")
    return done.stdout.decode(sys.getfilesystemencoding(), "surrogateescape")  # os.fsdecode refuses more on Windows


class Modes:
    """Which files are executable, where the file system has no such bit (Windows): those that git's index has so."""

    def __init__(self, source: Path, environ: Mapping[str, str], *, copies_modules: bool) -> None:
        """Read the index; without one that has the project's own files, nothing is known.

        :param copies_modules: whether the archive's modules were copied without their modes.
        """
        self.unknown: list[str] = []
        """Files that begin as executable ones do, and of which nothing is known; taken for not executable."""
        self._copies_modules = copies_modules
        listed = ""
        with suppress(UsageError):  # there is no git, or no repository; git before 2.36 has no modes of submodules
            listed = git(source, "ls-files", "-sz", environ=environ)
            if "160000 " in listed:
                listed = git(source, "ls-files", "-sz", "--recurse-submodules", environ=environ)
        rows = (row.partition("\t") for row in listed.split("\0"))
        index = {name: head.startswith("100755 ") for head, _, name in rows if (source / name).is_file()}
        self._index = index if {"pyproject.toml", "setup.py"} & set(index) else {}  # it may be another project's
        self._sizes = {(source / name).stat().st_size for name, executable in self._index.items() if executable}
        self._modes: dict[tuple[bytes, str], bool] = {}
        """By contents and the end of a path: whether the file of that path is executable, else all that end so."""
        alike = [each for each in self._index if (source / each).stat().st_size in self._sizes]
        for name in sorted(alike, key=lambda each: -each.count("/")):  # whole paths after those that end like them
            data = (source / name).read_bytes()
            for end in _ends(name):
                self._modes[data, end] = self._index[name] and (end == name or self._modes.get((data, end), True))

    def __call__(self, entry: Entry) -> bool:
        """Return whether a file of an archive is an executable one of the source, the likest in its path."""
        is_module = self._copies_modules and entry.name.endswith(".py") and ".data/" not in entry.name
        if not (is_module or self._index) and next(iter(entry.content.chunks()), b"").startswith(b"#!"):
            self.unknown.append(entry.name)
        if is_module or entry.content.size not in self._sizes:  # most, and they may be large
            return False
        data = b"".join(entry.content.chunks())
        return next((self._modes[data, end] for end in _ends(entry.name) if (data, end) in self._modes), False)


def _ends(name: str) -> list[str]:
    """Return the last parts of a path, from all of them to none."""
    return [*(name.split("/", parts)[-1] for parts in range(name.count("/") + 1)), ""]
