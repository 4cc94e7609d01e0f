"""A process that does work for this one and tells of its steps, a line of JSON each."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Callable


def run_worker(command: Sequence[str], environ: Mapping[str, str], tell: Callable[[str], None]) -> int:
    """Run *command*, hand what it tells to *tell*, and return its exit status; it does not outlive an interruption."""
    worker = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(environ), encoding="utf-8"
    )
    try:
        for line in worker.stdout or ():
            tell(json.loads(line))
        return worker.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            worker.send_signal(signal.SIGTERM)
        worker.wait()
        raise
    finally:
        if worker.stdout:
            worker.stdout.close()
