"""The site's directory: written beside, then put in place whole; only a survey's site is ever replaced."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from samebytes.archive.atomic import real_path
from samebytes.errors import OutputError

from .addresses import MARKER

_MARK = json.dumps({"schema_version": 1, "what": "the static site of a samebytes survey; replaced as a whole"}) + "\n"


class Output:
    """A directory that is being filled."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: set[str] = set()
        self.files = 0
        self.bytes = 0

    def write(self, path: str, content: str) -> None:
        """Write a file as UTF-8, with line feeds, at a relative *path* with slashes."""
        data = content.encode("utf-8")
        target = self._root / path
        directory = path.rpartition("/")[0]
        if directory not in self._made:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(directory)
        # Not write_text, which gives lines the platform's ends.
        target.write_bytes(data)
        self.files += 1
        self.bytes += len(data)


@contextlib.contextmanager
def replacing(directory: Path) -> Iterator[Output]:
    """Give an output that takes the place of *directory* when the block ends, and vanishes if it raises.

    The files lie in a directory beside it, ``.samebytes-site-*.tmp``, until all are there. What was in *directory* is
    removed, but only if it was a survey's site, or empty. A symbolic link stays one.

    :raises OutputError: if *directory* is something else, or cannot be written.
    """
    target = real_path(directory)
    _check(target, directory)
    temporary = target.parent / f".samebytes-site-{os.urandom(8).hex()}.tmp"
    try:
        temporary.mkdir()
        output = Output(temporary)
        output.write(MARKER, _MARK)
        yield output
        # Once more: the site took a while, and somebody may have put files there.
        _check(target, directory)
        _swap(temporary, target)
    except OSError as error:
        raise OutputError(
            f"{directory}: the site cannot be written: {error.strerror or error}",
            remedy=f"Look at the room on the disk and the rights of {target.parent}. The directory is as it was.",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check(target: Path, shown: Path) -> None:
    """Refuse to replace anything but a survey's site."""
    # lexists: a link that leads nowhere is in the way, too.
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise OutputError(f"{shown}: is not a directory", remedy="Name a directory for the site.")
    if (target / MARKER).is_file():
        return
    with os.scandir(target) as entries:
        if next(entries, None) is not None:
            raise OutputError(
                f"{shown}: holds files, and is not the site of a survey",
                remedy="Name a new or an empty directory: all of it would be replaced.",
            )


def _swap(temporary: Path, target: Path) -> None:
    """Put *temporary* in *target*'s place; if that fails, what was there comes back."""
    if not target.exists():
        temporary.rename(target)
        return
    old = target.parent / f"{temporary.name}.old"
    target.rename(old)
    try:
        temporary.rename(target)
    except OSError:
        old.rename(target)
        raise
    # The new site is in place: what is left of the old one is no reason to fail.
    shutil.rmtree(old, ignore_errors=True)
