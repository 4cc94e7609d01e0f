"""What takes long to be made, and all workers of a test run share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def shared(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a directory that *make* has filled; the worker that asks first does it, and the others wait for it.

    They are to change nothing in it. What *make* raises is raised, and the next one that asks tries again.

    :param name: another for each directory
    """
    import fcntl  # which Windows has not

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # that of the whole run; in it, each worker has its own
    directory, complete = base / f"shared-{name}", base / f"shared-{name}.complete"
    with (base / f"shared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            make(directory)
            complete.touch()
    return directory
