"""The process that builds one package of a survey, in the sandbox; what it tells is JSON, an object a line.

``step`` while it goes on, ``backend``, ``row`` for each way as soon as it is done; in the end ``result``, ``error``
(what is wrong with the package) or ``bug``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from ..backend.config import load
from ..errors import SamebytesError
from ..flows.check_source import check
from ..flows.source import unpack
from ..flows.subject import Around, Form, Options, Subject
from ..outside import variations
from ..outside.checkout import make_checkout
from ..outside.interpreters import describe
from ..outside.worker import begin
from ..survey.findings import result_as_plain, row_as_plain
from . import exit_status

COMMAND = "import sys,json;sys.path[:]=json.loads(sys.argv.pop(1));from samebytes.cli import main;sys.exit(main())"
"""What ``python -c`` runs as the command ``samebytes``: nothing is imported from where it runs."""

FROM_CHECKOUT = ("mesonpy",)
"""Backends that make sdists of git checkouts only."""


def main() -> int:
    """Do what this process is asked for, and return the exit status."""
    request, say = begin()
    os.umask(0o022)
    Path(os.environ["HOME"]).mkdir(parents=True, exist_ok=True)
    try:
        _build(request, say)
    except SamebytesError as error:
        say({"error": error.message})
    except Exception as error:  # told over there
        traceback.print_exc()
        say({"bug": f"{type(error).__name__}: {error}"})
        return exit_status.UNEXPECTED
    return exit_status.FINE


def _build(request: Mapping[str, Any], say: Callable[[Mapping[str, Any]], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="samebytes-source-") as directory:
        tree = unpack(Path(request["sdist"]), Path(directory))
        backend = load(tree).backend
        say({"backend": {"name": backend.name, "path": list(backend.path)}})
        wants_checkout = backend.name.partition(".")[0] in FROM_CHECKOUT and not backend.path
        if wants_checkout:
            make_checkout(tree, os.environ)
        form = Form.TREE if wants_checkout else Form.SDIST
        subject = Subject(str(tree) if wants_checkout else request["sdist"], form, describe(sys.executable))
        for result in check([subject], _options(request), _around(request, say, wants_checkout=wants_checkout)):
            if result.error is not None:
                raise result.error
            say({"result": result_as_plain(result)})


def _options(request: Mapping[str, Any]) -> Options:
    return Options(
        normalized=True,
        timeout=request["seconds"],
        builder=(sys.executable, "-c", COMMAND, json.dumps(sys.path)),
        gives_up=True,
    )


def _around(request: Mapping[str, Any], say: Callable[[Mapping[str, Any]], None], *, wants_checkout: bool) -> Around:
    # Where the temporary directory is watched, builds stay in it.
    ground = variations.ground(request.get("is_private", True), os.environ)
    obstacles = variations.obstacles(ground, os.environ)
    if wants_checkout:
        obstacles["checkout"] = "the backend makes sdists of checkouts only: the sdist was made one"
    return Around(
        environ=os.environ,
        ground=ground,
        vary=frozenset(variations.NAMES) - set(obstacles),
        left_out=obstacles,
        download=_nothing_to_download,
        clock=time.time,
        tell=lambda step: say({"step": step.partition(": ")[2]}),
        hear=lambda row: say({"row": row_as_plain(row)}),
    )


def _nothing_to_download(*_: object) -> Path:
    raise AssertionError("the sdist is here")
