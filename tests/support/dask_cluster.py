"""A Dask cluster of real processes on the loopback interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Callable

PATIENCE = 180.0
"""Seconds after which something has gone wrong."""


class Cluster:
    """A scheduler and its workers, as processes of this test."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        """Start a scheduler; its files and those of workers are in *directory*, and they can import ``support``."""
        self.directory, self.file = directory, directory / "scheduler.json"
        path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environ = {**os.environ, **environ, "PYTHONPATH": os.pathsep.join(path)}
        self.processes: list[subprocess.Popen[str]] = []
        self.scheduler = self.start(
            *("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(self.file)),
        )
        self.wait_for(self.file.exists)
        self.address = json.loads(self.file.read_text())["address"]

    def worker(self) -> subprocess.Popen[str]:
        """Add a worker that does two things at once; nobody starts it again when it dies."""
        return self.start(
            *("-m", "distributed.cli.dask_worker", self.address, "--host", "127.0.0.1", "--no-dashboard"),
            *("--no-nanny", "--nthreads", "2", "--local-directory", str(self.directory)),
        )

    def start(self, *arguments: str, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a Python with *arguments* in the cluster's environment."""
        process = subprocess.Popen(
            [sys.executable, *arguments], env=self.environ, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        self.processes.append(process)
        return process

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once *condition* holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)

    def close(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.kill()
            process.communicate(timeout=PATIENCE)
