"""Directories for temporary files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from samebytes.backend.fixed import remove
from samebytes.errors import SamebytesError


@contextmanager
def scratch(within: Path | None = None) -> Iterator[Path]:
    """Yield a new directory, which is removed with all that is in it, whatever happens.

    :param within: where it is made; None: where temporary files belong.
    :raises OSError: if it cannot be made.
    """
    # Unlike what mkdtemp returns, it is removed also if a signal comes before the try block.
    directory = TemporaryDirectory(prefix="samebytes-", dir=within)
    # Resolved, as compilers record real paths, and leaks are searched for by this one.
    path = Path(directory.name).resolve()
    try:
        yield path
    finally:
        remove(path)  # read-only directories, too
        # What is busy stays.
        with suppress(OSError):
            directory.cleanup()


@contextmanager
def naming_from(directory: Path) -> Iterator[None]:
    """Let errors name what is in *directory* as it is called there: the directory is gone when they are read."""
    try:
        yield
    except SamebytesError as error:
        error.message = error.message.replace(os.path.join(directory, ""), "")
        raise
