"""One package of a survey: its sdist built twice in each way, its published files rebuilt, and nothing else reached."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from samebytes.archive.atomic import make_directory
from samebytes.errors import IndexFailure, SamebytesError, UsageError

from ...building.installers import AUTO
from ...building.scratch import scratch
from ...index.cache import CachedIndex
from ...index.client import Index, configured_address
from ...index.serving import serving
from . import findings, rebuilds
from .download import NotThere, fetched, without_hosts
from .model import NOT_BUILT, Artifact, Examination, State, Target
from .sandbox import sandbox
from .sandbox.confined import End, Limits, run
from .sandbox.machine import cache_directory

_OTHERS = ("backend", "result", "error", "bug")
"""What the worker says once, beside its steps and rows."""

# Without "" in sys.path, json.py in the current directory would be imported.
WORKER = "import sys;sys.path[:]=filter(None,sys.path);import json;sys.path[:]=json.loads(sys.argv[1]);"
WORKER += "from samebytes_tools.commands.survey.worker import main;sys.exit(main())"
"""What ``python -c`` runs in the sandbox; the argument is the search path as JSON."""


@dataclass(frozen=True)
class Conditions:
    """How packages are examined; they can be sent to another process or machine."""

    cache: Path | None = None
    """A directory for what is downloaded, which several processes may share; None for one in the user's cache."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Of which builds get a few variables only."""
    scratch: Path | None = None
    """A directory for builds where there is no sandbox; None for that of temporary files."""
    limits: Limits = field(default_factory=Limits)
    """Of one package, in all ways together; and of all its published files together."""
    build_seconds: float = 900.0
    """Of one build."""
    wants_sandbox: bool = True
    builds: bool = True
    """Whether the sdist is built twice in each way."""
    as_is: bool = False
    """Whether that is done in the ways alone that are the package's own, without and with SOURCE_DATE_EPOCH."""
    verifies: bool = False
    """Whether published files are rebuilt, within the same limits once more."""
    installer: str = AUTO
    """What installs build requirements."""
    index: str = ""
    """The address of the package index; empty for what pip would use."""
    silence: float = 60.0
    """Seconds that the index may say nothing."""
    clock: Callable[[], float] = time.time
    """Gives the time in seconds since 1970."""
    report: Callable[[str], None] | None = None
    """Takes the steps of the work, from another thread; only where they are not sent away."""


def examine(target: Target, conditions: Conditions, stop: threading.Event | None = None) -> Examination:
    """Build what *target* names, and return what came of it, whatever that is.

    :param stop: once it is set, everything is ended.
    :raises Interrupted: if *stop* was set.
    """
    started = conditions.clock()
    found = Examination(target.name, target.version, State.FAILED, int(started), 0.0, rank=target.rank)
    try:
        found = _examined(target, conditions, stop, found)
    except NotThere as error:
        found = replace(found, state=error.state, reason=error.reason, version=error.version or target.version)
    except SamebytesError as error:
        found = replace(found, reason=error.message)
    except Exception as error:  # one package's trouble is not the end of the run
        found = replace(found, reason=f"{type(error).__name__}: {error}", log=traceback.format_exc())
    return replace(found, seconds=round(conditions.clock() - started, 2))


def _examined(target: Target, conditions: Conditions, stop: threading.Event | None, found: Examination) -> Examination:
    environ = conditions.environ
    cache = conditions.cache or cache_directory(environ) / "survey"
    make_directory(cache)
    where = conditions.index or _address(tuple(sorted(environ.items())))
    index = CachedIndex(Index.configured(environ, address=where, timeout=conditions.silence), cache)
    source = fetched(target, index, ".".join(map(str, sys.version_info[:3])))
    box = sandbox.find(environ, sandbox.readable(environ)) if conditions.wants_sandbox else sandbox.Sandbox()
    why_not = box.why_not if conditions.wants_sandbox else "no sandbox was wanted"
    notes = (*source.notes, *filter(None, [why_not]))
    found = replace(found, version=source.version, sdist=source.sdist, notes=notes)
    place = _Place(conditions, box, index, stop)
    if conditions.builds:
        found = _built(found, source.path, place)
    return _rebuilt(found, place) if conditions.verifies else found


@dataclass(frozen=True)
class _Place:
    """Where a package is built."""

    conditions: Conditions
    box: sandbox.Sandbox
    index: CachedIndex
    stop: threading.Event | None


def _built(found: Examination, sdist: Path, place: _Place) -> Examination:
    """Return *found* with what came of building *sdist* twice in each way."""
    answers = _Answers(place.conditions.report)
    is_private = bool(place.box.program)
    request = {"sdist": f"/run/{sdist.name}" if is_private else str(sdist)}
    # Through this process, so that the sandbox needs no credentials, and each file is downloaded once.
    with serving(place.index) as served:
        end = _in_sandbox(request, {sdist.name: sdist} if is_private else {}, place, served.address, answers.hear)
    failure = without_hosts(served.failure.message, place.index.address) if served.failure is not None else ""
    state, reason, log = answers.outcome(end, place.conditions.limits.room, failure)
    return answers.completed(replace(found, state=state, reason=reason, log=log, memory=end.memory), found.notes)


def _rebuilt(found: Examination, place: _Place) -> Examination:
    """Return *found* with what came of rebuilding the release's published files.

    What is said of the package as a whole is of those alone if nothing was built twice.
    """
    assert found.sdist is not None
    try:
        listed = place.index.files(found.name)
    except (IndexFailure, UsageError) as error:
        reason = without_hosts(error.message, place.index.address)
        if not place.conditions.builds:
            raise NotThere(State.UNAVAILABLE, reason, found.version) from None
        # What took an hour to build is not lost by that.
        return replace(found, notes=(*found.notes, f"published files were not rebuilt: {reason}"))
    wanted = [
        rebuilds.fetched(kind, file, place.index)
        for kind, file in rebuilds.files_of(listed, found.name, found.version, found.sdist.file)
    ]
    answers = rebuilds.RebuildAnswers(wanted, place.conditions.report)
    request = {
        "release": f"{found.name}=={found.version}",
        "files": [one.file for one in wanted if not one.reason],
    }
    # Anew, so that nothing that was built twice is heard or found here.
    with serving(place.index) as served:
        end = _in_sandbox(request, {}, place, served.address, answers.hear)
    failure = without_hosts(served.failure.message, place.index.address) if served.failure is not None else ""
    done = answers.outcome(end, failure, served.address)
    memory = max(found.memory or 0, end.memory or 0) or None
    found = replace(found, rebuilds=done.rebuilds, memory=memory, log=found.log or done.log)
    return found if place.conditions.builds else replace(found, state=done.state, reason=done.reason)


# To ask pip for it takes a process, and a run has thousands of packages.
@lru_cache(maxsize=8)
def _address(environ: tuple[tuple[str, str], ...]) -> str:
    return configured_address(dict(environ))


def _in_sandbox(
    request: Mapping[str, Any], given: Mapping[str, Path], place: _Place, index: str, hear: Callable[[Any], None]
) -> End:
    """Let a process in the sandbox do what *request* says, by the index at the address *index*; *hear* hears it.

    :param given: names of files in ``/run``, and what they are.
    """
    conditions, box = place.conditions, place.box
    is_private = bool(box.program)
    command = box.command(
        [sys.executable, "-c", WORKER, json.dumps(sys.path)],
        readable=sandbox.readable(conditions.environ),
        given=given,
        limits=conditions.limits,
    )
    with scratch(conditions.scratch) as directory:
        temp = sandbox.PRIVATE if is_private else str(directory)
        return run(
            command,
            {
                **request,
                "seconds": conditions.build_seconds,
                "is_private": is_private,
                "installer": conditions.installer,
                "as_is": conditions.as_is,
            },
            environ=sandbox.environment(conditions.environ, index, f"{temp}/home", temp),
            temp=temp,
            is_private=is_private,
            limits=conditions.limits,
            hear=hear,
            stop=place.stop,
        )


class _Answers:
    """What the process that builds answers; nothing of it is trusted to have any form."""

    def __init__(self, report: Callable[[str], None] | None) -> None:
        self._report = report
        self._artifacts: list[Artifact] = []
        self._others: dict[str, Any] = {}
        self._log = ""
        self._is_late = self._is_full = False
        self._step = ""

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take an answer."""
        if "step" in message:
            self._step = findings.line_from(message["step"], 200)
            if self._report is not None:
                self._report(self._step)
        elif isinstance(message.get("row"), dict):
            row = message["row"]
            # Bounded: a build may write to the pipe itself.
            self._artifacts = [*self._artifacts, *findings.artifacts_from(row.get("artifacts"))][: findings.MOST]
            self._is_late = self._is_late or row.get("late") is True
            self._is_full = self._is_full or row.get("full") is True
            self._log = self._log or findings.text_from(row.get("log"))
        else:
            self._others.update({name: message[name] for name in _OTHERS if name in message})

    def completed(self, found: Examination, notes: tuple[str, ...]) -> Examination:
        """Return *found* with what was built, and of what; *notes* come before those of the builds."""
        result, backend = (one if isinstance(one, dict) else {} for one in map(self._others.get, ("result", "backend")))
        requirements = findings.requirements_from(result.get("requirements"))
        name, version = "", ""
        if isinstance(backend.get("name"), str):
            path = findings.lines_from(backend.get("path"))
            name, version = findings.backend_of(backend["name"], path, requirements)
        wheels = [one.file for one in self._artifacts if one.file.endswith(".whl")]
        return replace(
            found,
            backend=name,
            backend_version=version,
            is_pure=all(file.endswith("-any.whl") for file in wheels) if wheels else None,
            requirements=requirements,
            artifacts=tuple(self._artifacts),
            varied=findings.lines_from(result.get("varied")),
            not_varied=findings.mapping_from(result.get("not_varied")),
            notes=(*notes, *findings.lines_from(result.get("notes"))),
        )

    def outcome(self, end: End, room: int, failure: str) -> tuple[State, str, str]:
        """Return what became of it, why there is no more, and what was said last.

        :param room: how many bytes could be written.
        :param failure: what was wrong with the index, if anything was.
        """
        at = f" ({self._step})" if self._step else ""
        bug, error = (findings.text_from(self._others.get(name), 500) for name in ("bug", "error"))
        first = next((one.reason for one in self._artifacts if one.reason), "")
        over = first if self._is_late else ""
        # Limits before errors: a build that runs out of memory fails in any way.
        if end.over:
            over = f"ended, for {end.over}{at}"
        elif self._is_full or findings.is_of_no_room(bug) or findings.is_of_no_room(error):
            over = f"there was no room left of {room >> 20:,} MiB{at}"
        if over:
            return State.OVER_LIMIT, over, self._log
        if "bug" in self._others:
            return State.FAILED, bug, end.tail
        if "error" in self._others:
            return State.NOT_BUILT, error, self._log
        if "result" not in self._others:
            reason = f"the build ended the process that ran it, with status {end.status}{at}"
            return State.NOT_BUILT, reason, end.tail
        if any(one.state != NOT_BUILT for one in self._artifacts):
            return State.EXAMINED, "", self._log
        # Where the index failed meanwhile, that may be the reason, and not the package.
        return State.UNAVAILABLE if failure else State.NOT_BUILT, failure or first, self._log
