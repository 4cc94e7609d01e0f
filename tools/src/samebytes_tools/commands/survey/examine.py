"""One package of a survey: its sdist downloaded, and built twice in each way where nothing else can be reached."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from samebytes.backend.fixed import remove
from samebytes.errors import Interrupted, SamebytesError

from ...index.cache import CachedIndex
from ...index.client import Index, configured_address
from ...index.serving import Served, serving
from . import findings
from .download import NotThere, fetched, without_hosts
from .model import Artifact, Examination, Requirement, State, Target
from .sandbox import sandbox
from .sandbox.confined import End, Limits, run

__all__ = ["Around", "Limits", "examine"]

WORKER = "import sys;sys.path[:]=filter(None,sys.path);import json;sys.path[:]=json.loads(sys.argv[1]);"
WORKER += "from samebytes_tools.commands.survey.worker import main;sys.exit(main())"
"""What ``python -c`` runs in the sandbox; the argument is the search path as JSON."""


@dataclass(frozen=True)
class Around:
    """What of the outside world an examination needs; it can be sent to another process or machine."""

    cache: Path
    """A directory for what is downloaded; several processes may share it."""
    environ: Mapping[str, str]
    """Of which builds get a few variables only."""
    scratch: Path | None = None
    """A directory for builds where there is no sandbox; None for that of temporary files."""
    limits: Limits = field(default_factory=Limits)
    """Of one package, in all ways together."""
    build_seconds: float = 900.0
    """Of one build."""
    wants_sandbox: bool = True
    index: str = ""
    """The address of the package index; empty for what pip would use."""
    silence: float | None = None
    """Seconds that the index may say nothing; None for as long as pip would wait."""
    clock: Callable[[], float] = time.time
    """Gives the time in seconds since 1970."""
    tell: Callable[[str], None] | None = None
    """Takes the steps of the work, from another thread; only where it is not sent away."""


def examine(target: Target, around: Around, stop: threading.Event | None = None) -> Examination:
    """Build what *target* names in all ways, and say what came of it, whatever that is.

    :param stop: once it is set, everything is ended.
    :raises Interrupted: if *stop* was set.
    """
    started = around.clock()
    found = Examination(target.name, target.version, State.FAILED, int(started), 0.0, rank=target.rank)
    try:
        found = _examined(target, around, stop, found)
    except Interrupted:
        raise
    except NotThere as error:
        found = replace(found, state=error.state, reason=error.reason, version=error.version or target.version)
    except SamebytesError as error:
        found = replace(found, reason=error.message)
    except Exception as error:  # one package's trouble is not the end of the run
        found = replace(found, reason=f"{type(error).__name__}: {error}", log=traceback.format_exc())
    return replace(found, seconds=round(around.clock() - started, 2))


def _examined(target: Target, around: Around, stop: threading.Event | None, found: Examination) -> Examination:
    around.cache.mkdir(parents=True, exist_ok=True)
    where = around.index or _address(tuple(sorted(around.environ.items())))
    index = CachedIndex(Index.configured(around.environ, address=where, timeout=around.silence), around.cache)
    python = ".".join(map(str, sys.version_info[:3]))
    path, version, sdist = fetched(target, index, python)
    found = replace(found, version=version, sdist=sdist)
    with serving(index) as served:
        job = _Job(around, index.address, served, path)
        end = job.run(stop)
    return job.examination(found, end)


@lru_cache(maxsize=8)
def _address(environ: tuple[tuple[str, str], ...]) -> str:
    return configured_address(dict(environ))


class _Job:
    """The builds of one sdist, in a process of their own, and what that told."""

    def __init__(self, around: Around, origin: str, served: Served, sdist: Path) -> None:
        """*origin* is the address of the index that is served."""
        self._around, self._origin, self._served, self._sdist = around, origin, served, sdist
        self._artifacts: list[Artifact] = []
        self._told: dict[str, Any] = {}
        self._log = ""
        self._is_late = self._is_full = False
        self._step = ""

    def run(self, stop: threading.Event | None) -> End:
        """Let it happen."""
        around = self._around
        readable = sandbox.readable(around.environ)
        self._box = sandbox.find(around.environ, readable) if around.wants_sandbox else sandbox.Sandbox()
        scratch = Path(tempfile.mkdtemp(prefix="samebytes-", dir=around.scratch))
        temp = sandbox.PRIVATE if self._box.program else str(scratch)
        name = self._sdist.name
        given = {name: self._sdist} if self._box.program else {}
        environ = sandbox.environment(around.environ, self._served.address, f"{temp}/home", temp)
        command = [sys.executable, "-c", WORKER, json.dumps(sys.path)]
        request = {
            "sdist": f"/run/{name}" if given else str(self._sdist),
            "seconds": around.build_seconds,
            "is_private": bool(self._box.program),
        }
        try:
            return run(
                self._box.command(command, readable=readable, given=given, size=around.limits.room),
                request,
                environ=environ,
                temp=temp,
                is_private=bool(self._box.program),
                limits=around.limits,
                hear=self._hear,
                stop=stop,
            )
        finally:
            remove(scratch)

    def _hear(self, message: Mapping[str, Any]) -> None:
        """Take what the process tells; nothing of it is trusted to have any form."""
        if "step" in message:
            self._step = findings.text_from(message["step"], 200)
            if self._around.tell is not None:
                self._around.tell(self._step)
        elif isinstance(message.get("row"), dict):
            row = message["row"]
            self._artifacts += findings.artifacts_from(row.get("artifacts"))
            self._is_late = self._is_late or row.get("late") is True
            self._is_full = self._is_full or row.get("full") is True
            self._log = self._log or findings.text_from(row.get("log"))
        else:
            self._told.update(message)

    def examination(self, found: Examination, end: End) -> Examination:
        """Return what is to be known of the package."""
        told = self._told.get("result")
        told = told if isinstance(told, dict) else {}
        requirements = findings.requirements_from(told.get("requirements"))
        backend = self._told.get("backend")
        name, version = self._backend(backend, requirements)
        state, reason, log = self._state(end)
        return replace(
            found,
            state=state,
            reason=reason,
            log=log,
            memory=end.memory,
            backend=name,
            backend_version=version,
            is_pure=_is_pure(self._artifacts),
            requirements=requirements,
            artifacts=tuple(self._artifacts),
            varied=findings.lines_from(told.get("varied")),
            not_varied=findings.mapping_from(told.get("not_varied")),
            notes=(*self._notes(), *findings.lines_from(told.get("notes"))),
        )

    def _backend(self, told: object, requirements: tuple[Requirement, ...]) -> tuple[str, str]:
        if not isinstance(told, dict) or not isinstance(told.get("name"), str):
            return "", ""
        return findings.backend_of(told["name"], findings.lines_from(told.get("path")), requirements)

    def _notes(self) -> tuple[str, ...]:
        if not self._around.wants_sandbox:
            return ("no sandbox was wanted",)
        return (self._box.why_not,) if self._box.why_not else ()

    def _state(self, end: End) -> tuple[State, str, str]:
        """Return what became of it, why there is no more, and what was said last."""
        at = f" ({self._step})" if self._step else ""
        over = self._over(end, at)
        if over:
            return State.OVER_LIMIT, over, self._log
        if "bug" in self._told:
            return State.FAILED, self._said("bug"), end.tail
        if "error" in self._told:
            return State.NOT_BUILT, self._said("error"), self._log
        if "result" in self._told:
            return self._state_of_builds()
        return State.NOT_BUILT, f"the build ended the process that ran it, with status {end.status}{at}", end.tail

    def _over(self, end: End, at: str) -> str:
        """Return the limit that was passed, or nothing."""
        if end.over:
            return f"ended, for {end.over}{at}"
        if self._is_full or any(map(findings.is_of_no_room, (self._said("bug"), self._said("error")))):
            return f"there was no room left of {self._around.limits.room >> 20:,} MiB{at}"
        return self._first_reason() if self._is_late else ""

    def _said(self, name: str) -> str:
        return findings.text_from(self._told.get(name), 500)

    def _state_of_builds(self) -> tuple[State, str, str]:
        failure = self._served.failure
        if any(one.state != "could not be built" for one in self._artifacts):
            return State.EXAMINED, "", self._log
        if failure is not None:
            return State.UNAVAILABLE, without_hosts(failure.message, self._origin), self._log
        return State.NOT_BUILT, self._first_reason(), self._log

    def _first_reason(self) -> str:
        return next((one.reason for one in self._artifacts if one.reason), "")


def _is_pure(artifacts: list[Artifact]) -> bool | None:
    wheels = [one.file for one in artifacts if one.file.endswith(".whl")]
    return all(name.endswith("-any.whl") for name in wheels) if wheels else None
