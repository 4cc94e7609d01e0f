"""The process that builds, inside the place where all builds take place; ``samebytes build`` starts it.

Standard output carries one line of JSON for each step; what the backend, pip and compilers say goes to a log, or
with ``-v`` to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from ..errors import SamebytesError
from ..flows.build import JOB, LOG, RESULT
from ..flows.build_inside import Job, as_json, build
from . import exit_status

COMMAND = "import sys,json;sys.path[:]=json.loads(sys.argv[1]);from samebytes.cli.build_worker import main;"
COMMAND += "sys.exit(main(sys.argv[3],sys.argv[2]=='verbose'))"
"""What ``python -c`` runs: the arguments are the search path as JSON, ``verbose`` or ``quiet``, and the directory."""


def main(directory: str, verbose: bool) -> int:
    """Do the job that is described in *directory*, leave the result there, and return the exit status."""
    root = Path(directory)
    values = json.loads((root / JOB).read_text(encoding="utf-8"))
    job = Job(**{**values, "kinds": tuple(values["kinds"]), "locked": tuple(values["locked"])})
    steps = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _redirect(root / LOG, verbose)

    def tell(text: str) -> None:
        print(json.dumps(text), file=steps, flush=True)

    try:
        built = build(job, os.environ, tell)
    except SamebytesError as error:
        failure = {"message": error.message, "remedy": error.remedy, "exit_status": error.exit_status}
        (root / RESULT).write_text(json.dumps({"error": failure}), encoding="utf-8")
        return error.exit_status
    (root / RESULT).write_text(as_json(built), encoding="utf-8")
    return exit_status.FINE


def _redirect(log: Path, verbose: bool) -> None:
    """Point standard output, and unless *verbose* standard error, of this process and its children elsewhere."""
    sys.stdout.flush()
    if verbose:
        os.dup2(2, 1)
        return
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
