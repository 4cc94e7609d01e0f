"""The process that rebuilds one artifact for ``samebytes verify``; told of and ended as that of a build is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Callable

from ..reproducible_build.worker import work
from .rebuild import rebuild, task_from_plain

COMMAND = "import sys;sys.path[:]=filter(None,sys.path);import json;sys.path[:]=json.loads(sys.argv[1]);"
COMMAND += "from samebytes_tools.commands.verify.worker import main;sys.exit(main(sys.argv[3],sys.argv[2]=='verbose'))"
"""What ``python -c`` runs: the arguments are the search path as JSON, ``verbose`` or ``quiet``, and the directory."""


def main(directory: str, verbose: bool) -> int:
    """Do the task that this process is given, with the log in *directory*, and return the exit status."""
    return work(directory, verbose, _rebuild)


def _rebuild(data: Any, tell: Callable[[str], None]) -> Mapping[str, Any]:
    os.umask(0o022)
    return {"rebuilt": asdict(rebuild(task_from_plain(data), tell))}
