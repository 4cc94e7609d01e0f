"""The published files of a release, each built again in the sandbox and compared: which they are, what came of them.

What is published is known from the index; only what was built, and how it compares, comes from the process in there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Callable

from packaging.version import Version

from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError, IndexFailure, UsageError

from ...building.interpreters import Python, describe
from ...building.source import sha256_of
from ...comparison.model import Verdict
from ...index.cache import CachedIndex
from ...index.pages import File
from ...index.releases import form_of, version_of
from ...releases.selection import Selection, is_comparable, select
from ..check.subject import SDIST
from . import findings
from .download import without_hosts
from .model import NOT_REBUILT, PLATFORM_WHEEL, PURE_WHEEL, Rebuild, State
from .sandbox.confined import End

_VERDICTS = frozenset(verdict.value for verdict in Verdict)


@lru_cache(maxsize=1)
def this_python() -> Python | None:
    """Return the interpreter that runs this, which runs in the sandbox, too."""
    return describe(sys.executable)


def files_of(listed: Sequence[File], name: str, version: str, sdist: str) -> Iterator[tuple[str, File]]:
    """Yield what is to be rebuilt of a release, with its kind: a pure wheel, the *sdist*, a wheel for this platform.

    Of several wheels of a kind, it is the one that pip takes here; none if it takes none of them.
    """
    release = Version(version)
    files = [file for file in listed if version_of(file.name, name) == release]
    wheels = [file for file in files if file.name.endswith(".whl")]
    pure = [file for file in wheels if file.name.endswith("-any.whl")]
    yield from ((PURE_WHEEL, file) for file in _taken(pure, f"{name}=={version}"))
    own = [file for file in files if file.name == sdist]
    # As verify does: if the one that was built is of a form without a canonical one, another of the release.
    comparable = [file for file in (*own, *files) if form_of(file.name) and is_comparable(file)]
    yield from ((SDIST, file) for file in (*comparable, *own)[:1])
    yield from ((PLATFORM_WHEEL, file) for file in _taken([one for one in wheels if one not in pure], name))


def _taken(wheels: Sequence[File], target: str) -> list[File]:
    python = this_python()
    if not wheels or python is None:
        return []
    try:
        return [select(wheels, Selection(kind=ArtifactKind.WHEEL), target, lambda: python)[0]]
    except UsageError:  # none is for this platform
        return []


def fetched(kind: str, file: File, index: CachedIndex) -> Rebuild:
    """Return what is known of a published *file*, which is in the cache then; with a reason if it cannot be had."""
    uploaded = ""
    if file.uploaded is not None:
        uploaded = datetime.fromtimestamp(file.uploaded, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = Rebuild(kind, file.name, NOT_REBUILT, file.hashes.get("sha256", ""), uploaded=uploaded)
    try:
        path = index.fetch(file)
        return replace(found, size=path.stat().st_size, sha256=sha256_of(path))
    except (ArchiveError, IndexFailure) as error:
        reason = f"{State.UNAVAILABLE.value}: {without_hosts(error.message, index.address)}"
        return replace(found, size=file.size or 0, reason=reason)


_TROUBLE = re.compile(
    rf"{State.UNAVAILABLE.value}: |is not there \(404\), though |cannot be reached: | answers 5\d\d | broke off: "
    r"| ended after [\d,]+ of [\d,]+ bytes"
)
"""What reasons have where the index was in trouble: of files that were asked for, or of what their builds needed."""


def is_missed(one: Rebuild) -> bool:
    """Return whether a published file was not rebuilt for what says nothing of it, such as a download that failed."""
    return one.state == NOT_REBUILT and _TROUBLE.search(one.reason) is not None


@dataclass(frozen=True)
class Rebuilt:
    """What came of all files of a release."""

    rebuilds: tuple[Rebuild, ...]
    state: State
    reason: str
    log: str


class RebuildAnswers:
    """What the process that rebuilds answers; nothing of it is trusted to have any form."""

    def __init__(self, wanted: Sequence[Rebuild], report: Callable[[str], None] | None) -> None:
        self._wanted, self._report = wanted, report
        self._found: dict[str, Mapping[str, Any]] = {}
        self._step = self._bug = ""

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take an answer."""
        if "step" in message:
            self._step = findings.line_from(message["step"], 200)
            if self._report is not None:
                self._report(self._step)
        one = message.get("rebuild")
        if isinstance(one, dict) and one.get("file") in [each.file for each in self._wanted]:
            # The first word counts: what comes later may be of a build that found the pipe.
            self._found.setdefault(one["file"], one)
        self._bug = self._bug or findings.text_from(message.get("bug") or message.get("error"), 500)

    def outcome(self, end: End, failure: str, address: str) -> Rebuilt:
        """Return what came of each file.

        :param failure: what was wrong with the index, if anything was.
        :param address: of the index in the sandbox, which is to be in no text.
        """
        at = f" ({self._step})" if self._step else ""
        why = f"ended, for {end.over}{at}" if end.over else self._bug or f"the process ended with {end.status}{at}"
        rebuilds = tuple(
            one if one.reason else self._rebuilt(one, failure or without_hosts(why, address), address)
            for one in self._wanted
        )
        log = next(filter(None, (findings.text_from(one.get("log")) for one in self._found.values())), "")
        is_full = any(one.get("full") is True for one in self._found.values())
        first = next((one.reason for one in rebuilds if one.reason), "")
        if end.over or (is_full and first):
            return Rebuilt(rebuilds, State.OVER_LIMIT, first, log or end.tail)
        if self._bug and len(self._found) < len(self._wanted):
            return Rebuilt(rebuilds, State.FAILED, first, end.tail)
        if any(one.state != NOT_REBUILT for one in rebuilds):
            return Rebuilt(rebuilds, State.EXAMINED, "", log)
        return Rebuilt(rebuilds, State.UNAVAILABLE if failure else State.NOT_BUILT, first, log)

    def _rebuilt(self, one: Rebuild, why: str, address: str) -> Rebuild:
        """Return *one* as it came out, or with the reason *why* not if nothing is known of it."""
        found = self._found.get(one.file)
        if found is None:
            return replace(one, reason=why)
        seconds = findings.seconds_from(found.get("seconds"))
        state, rebuilt = (findings.text_from(found.get(name), 64) for name in ("state", "rebuilt"))
        is_identical = state == Verdict.IDENTICAL.value
        # What is identical has the digest that the index knows, whoever says so.
        is_sound = re.fullmatch(r"[0-9a-f]{64}", rebuilt) and is_identical == (rebuilt == one.sha256)
        if state not in _VERDICTS or not is_sound:
            reason = without_hosts(findings.text_from(found.get("reason"), 2000), address)
            return replace(one, reason=reason or "what was said of it makes no sense", seconds=seconds)
        return replace(
            one,
            state=state,
            rebuilt=rebuilt,
            seconds=seconds,
            record=findings.record_from(found.get("record")),
            notes=tuple(without_hosts(note, address) for note in findings.lines_from(found.get("notes"))),
            causes=findings.causes_from(found.get("causes")),
        )
