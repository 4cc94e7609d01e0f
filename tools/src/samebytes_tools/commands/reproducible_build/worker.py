"""The process that builds, inside the place where all builds take place; ``samebytes build`` starts it.

Standard output carries objects of JSON, a line each: ``step`` while it goes on; ``built``, ``error``, ``full`` (no
room on the disk) or ``bug`` in the end. What the backend, pip and compilers say goes to a log, or with ``-v`` to
standard error.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from samebytes.console import exit_status
from samebytes.errors import SamebytesError

from ...building.worker import begin
from .build import LOG
from .inside import as_plain, build, job_from_plain

COMMAND = "import sys;sys.path[:]=filter(None,sys.path);import json;sys.path[:]=json.loads(sys.argv[1]);"
COMMAND += "from samebytes_tools.commands.reproducible_build.worker import main;"
COMMAND += "sys.exit(main(sys.argv[3],sys.argv[2]=='verbose'))"
"""What ``python -c`` runs: the arguments are the search path as JSON, ``verbose`` or ``quiet``, and the directory.

Nothing is imported from the current directory, unless the search path says so."""


def main(directory: str, verbose: bool) -> int:
    """Do the job that this process is asked for, with the log in *directory*, and return the exit status."""
    return work(directory, verbose, _build)


def work(directory: str, verbose: bool, do: Callable[[Any, Callable[[str], None]], Mapping[str, Any]]) -> int:
    """Let *do* turn the request, and a function that takes its steps, into the result that is told; or tell why not."""
    data, say = begin()
    try:
        if not verbose:
            _redirect(Path(directory, LOG))
        say(do(data, lambda step: say({"step": step})))
    except SamebytesError as error:
        say({"error": {"class": type(error).__name__, "message": error.message, "remedy": error.remedy}})
        return error.exit_status
    except Exception as error:  # told over there as any bug is
        traceback.print_exc()
        say({_kind(error): f"{type(error).__name__}: {error}"})
        return exit_status.UNEXPECTED
    return exit_status.FINE


def _build(data: Any, tell: Callable[[str], None]) -> Mapping[str, Any]:
    return {"built": as_plain(build(job_from_plain(data), os.environ, tell))}


def _kind(error: Exception) -> str:
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return "full" if isinstance(error, OSError) and error.errno in full else "bug"


def _redirect(log: Path) -> None:
    """Point standard output and error of this process and its children to the file *log*."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
