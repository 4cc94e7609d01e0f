"""The process that builds one package of a survey, in the sandbox; what it tells is JSON, an object a line.

``step`` while it goes on, ``backend``, ``row`` for each way as soon as it is done; in the end ``result``, ``error``
(what is wrong with the package) or ``bug``.
"""

from __future__ import annotations

import os
import time
import traceback
import warnings
from pathlib import Path

from samebytes.console import exit_status
from samebytes.errors import SamebytesError

from ...building.worker import begin
from .job import build


def main() -> int:
    """Do what this process is asked for, and return the exit status."""
    request, say = begin()
    os.umask(0o022)
    warnings.simplefilter("ignore")  # releases of pyproject-hooks repeat what backends warn of
    Path(os.environ["HOME"]).mkdir(parents=True, exist_ok=True)
    try:
        build(request, os.environ, time.time, say)
    except SamebytesError as error:
        say({"error": error.message})
    except Exception as error:  # told over there
        traceback.print_exc()
        say({"bug": f"{type(error).__name__}: {error}"})
        return exit_status.UNEXPECTED
    return exit_status.FINE
