"""The builds of one package of a survey, in the process that is in the sandbox."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from samebytes.backend.config import load

from ...building.interpreters import describe
from ...building.source import unpack
from ...variations import workspace as workspaces
from ...variations.variations import Obstacle, choice
from ...vcs.checkout import make_checkout, wants_checkout
from ..check.sources import check_all
from ..check.subject import CheckContext, CheckOptions, Form, Subject
from .findings import result_as_plain, way_as_plain

Say = Callable[[Mapping[str, Any]], None]

COMMAND = (
    "import sys,json;sys.path[:]=json.loads(sys.argv.pop(1));from samebytes.commands.main import main;sys.exit(main())"
)
"""What ``python -c`` runs as the command ``samebytes``: nothing is imported from where it runs."""


def build(request: Mapping[str, Any], environ: Mapping[str, str], clock: Callable[[], float], say: Say) -> None:
    """Build the sdist that *request* names in all ways, and say what came of it.

    :param request: ``sdist``, its path; ``seconds`` that one build may take; ``is_private``, whether the directory for
        temporary files is not watched; ``as_is``, whether no other ways are wanted; ``installer``.
    :raises SamebytesError: if it is no source to build.
    """
    with tempfile.TemporaryDirectory(prefix="samebytes-source-") as directory:
        # Here and not outside: what is unpacked is not trusted.
        tree = unpack(Path(request["sdist"]), Path(directory))
        backend = load(tree).backend
        say({"backend": {"name": backend.name, "path": list(backend.path)}})
        is_checkout = wants_checkout(backend, tree)
        if is_checkout:
            make_checkout(tree, environ)
        form = Form.TREE if is_checkout else Form.SDIST
        python = describe(sys.executable)
        if python is None:
            # A fault of this machine, such as its load; the check itself would take it for one without anything to say.
            raise RuntimeError(f"{sys.executable} runs this, and does not answer what it is")
        subject = Subject(str(tree) if is_checkout else request["sdist"], form, python)
        context = _context(request, environ, clock, say, wants_checkout=is_checkout)
        for result in check_all([subject], _options(request), context):
            if result.error is not None:
                raise result.error
            say({"result": result_as_plain(result)})


def _options(request: Mapping[str, Any]) -> CheckOptions:
    return CheckOptions(
        normalized=not request["as_is"],
        installer=request["installer"],
        dated=True,
        timeout=request["seconds"],
        builder=() if request["as_is"] else (sys.executable, "-c", COMMAND, json.dumps(sys.path)),
        # What cannot be built as is takes no more of the time that the package has.
        gives_up=True,
    )


def _context(
    request: Mapping[str, Any],
    environ: Mapping[str, str],
    clock: Callable[[], float],
    say: Say,
    *,
    wants_checkout: bool,
) -> CheckContext:
    # Where the temporary directory is watched, builds stay in it.
    workspace = workspaces.workspace(environ, keep_order=request["is_private"])
    obstacles = workspaces.obstacles(workspace, environ)
    if wants_checkout:
        obstacles["checkout"] = Obstacle("the backend makes sdists of checkouts only: the sdist was made one")
    return CheckContext(
        environ=environ,
        workspace=workspace,
        vary=choice([]).applicable(obstacles),
        left_out=obstacles,
        download=_nothing_to_download,
        clock=clock,
        report=lambda step: say({"step": step.partition(": ")[2]}),
        on_way=lambda way: say({"row": way_as_plain(way)}),
    )


def _nothing_to_download(*_: object) -> tuple[Path, tuple[str, ...]]:
    raise AssertionError("the sdist is here")
