"""What a command writes into one file that the user names, reports above all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from samebytes.archive.atomic import make_directory, real_path, replacing
from samebytes.errors import OutputError


def save(text: str, target: Path) -> None:
    """Write *text* to *target* as UTF-8 (:func:`output`).

    :raises OutputError: if it cannot be written; what was there before still is.
    """
    with output(target) as sink:
        sink.write(text.encode("utf-8"))


def save_summary(text: str, target: Path, environ: Mapping[str, str]) -> None:
    """Write *text* to *target* as :func:`save` does; below what is there if it is GitHub's summary of this step.

    :raises OutputError: if it cannot be written.
    """
    if str(target) == environ.get("GITHUB_STEP_SUMMARY") and target.is_file():
        before = target.read_text("utf-8", "replace")
        # An empty line, or a table would go on.
        text = f"{before.rstrip()}\n\n{text}" if before.strip() else text
    save(text, target)


@contextmanager
def output(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes *target*'s place when the block ends: whole, or, if the block raises, not at all.

    A pipe or a character device, such as ``/dev/stdout``, gets all of it then.

    :raises OutputError: if it cannot be written, or another user planted what is there (``real_path``).
    """
    special = _special(target)
    if special is None:
        with replacing(target) as sink:
            yield sink
        return
    path, found = special
    # Held back, so that a pipe gets nothing of what fails half-way.
    with tempfile.TemporaryFile() as held:
        yield held
        held.seek(0)
        try:
            with path.open("wb") as through:
                # Somebody may have exchanged it between the look and the opening.
                if not os.path.samestat(os.fstat(through.fileno()), found):
                    raise OutputError(f"{target}: was exchanged for something else", remedy="Name another place.")
                shutil.copyfileobj(held, through)
        except OSError as error:
            raise OutputError(
                f"{target}: cannot be written: {error.strerror or error}", remedy="Name a file to write to."
            ) from None


def save_tree(source: Path, target: Path) -> None:
    """Copy the files in the directory *source* to *target*, each whole or not at all; links and pipes are left out.

    :raises OutputError: if one cannot be written.
    """
    directories = [(source, target)]
    for folder, there in directories:  # not os.walk, which recurses before Python 3.12
        make_directory(there)
        for path in folder.iterdir():
            # A build may leave links to anything of the machine.
            if path.is_symlink():
                continue
            if path.is_dir():
                directories.append((path, there / path.name))
            elif path.is_file():
                save_copy(path, there / path.name)


def save_copy(source: Path, target: Path) -> None:
    """Copy the file *source* to *target*, whole or not at all.

    :raises OutputError: if it cannot be written; what was there before still is.
    """
    with source.open("rb") as made, replacing(target) as sink:
        shutil.copyfileobj(made, sink)


def _special(target: Path) -> tuple[Path, os.stat_result] | None:
    """Return where the pipe or device is that *target* leads to, or None if it leads to none."""
    path = real_path(target)
    try:
        found = path.stat()
    except OSError:
        return None
    # Not block devices: nobody means to overwrite a disk with a report.
    return (path, found) if stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode) else None
