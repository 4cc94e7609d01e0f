"""Many things to verify: several at once, each a row, and what was verified before is not verified again."""

from __future__ import annotations

import hashlib
import json
import queue
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Callable

from samebytes.archive.atomic import make_directory
from samebytes.errors import OutputError

from ...building.filled import FilledEnvironments
from ...building.processes import kill_all
from ...building.scratch import scratch
from ...reporting.save import save, save_copy
from .remake import VerifyContext
from .report import VerifyRow, row_of
from .targets import VerifyTarget, described
from .verify import VerifyResult, verify_all

_TURN = 0.2
"""Seconds between two looks at signals, which do not end a wait everywhere."""
_PATIENCE = 10.0
"""Seconds that all threads together are given to clean up: some may wait for the network, which nothing ends."""


@dataclass(frozen=True)
class Step:
    """Something that happened."""

    label: str
    text: str
    """What is being done; empty if *row* is there."""
    number: int = -1
    """Which target it was."""
    row: VerifyRow | None = None
    """What came of a target."""


class VerifyState:
    """What was verified in an earlier life of a run: one document for each target in a directory."""

    def __init__(self, directory: Path, circumstances: Mapping[str, object]) -> None:
        """*circumstances* decide what is found beside the targets, for JSON: what was found in others is not taken.

        :raises OutputError: if the directory cannot be made.
        """
        make_directory(directory)
        self._directory, self._circumstances = directory, dict(circumstances)

    def kept(self, target: VerifyTarget) -> VerifyRow | None:
        """Return what came of *target*, if it was verified; what failed is tried again."""
        key = self._key(target)
        try:
            document = json.loads(self._path(target, key, ".json").read_text("utf-8"))
            row = VerifyRow(document["result"], tuple(document["causes"]))
            # Written by us, but anything may have happened to it since.
            is_ours = document["key"] == key and row.target == target.label and document["seal"] == _seal(document)
            return row if is_ours and row.verdict is not None else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def keep(self, target: VerifyTarget, row: VerifyRow) -> None:
        """Write down what came of *target*.

        :raises OutputError: if that is not possible.
        """
        if row.verdict is None:
            return
        key = self._key(target)
        document = {"key": key, "result": dict(row.result), "causes": [dict(one) for one in row.causes]}
        save(
            json.dumps({**document, "seal": _seal(document)}, ensure_ascii=True) + "\n",
            self._path(target, key, ".json"),
        )

    def keep_log(self, target: VerifyTarget, log: Path) -> None:
        """Copy the *log* of a build that failed."""
        save_copy(log, self._path(target, self._key(target), ".log"))

    def _key(self, target: VerifyTarget) -> str:
        return _hash({"circumstances": self._circumstances, **described(target)})

    def _path(self, target: VerifyTarget, key: str, suffix: str) -> Path:
        # The label is for people: it may hold anything, and have any length.
        return self._directory / f"{re.sub(r'[^A-Za-z0-9.+_-]', '-', target.label)[:80]}-{key[:16]}{suffix}"


def _seal(document: Mapping[str, Any]) -> str:
    """Return what shows that a kept document is whole; against whoever may write there, nothing would help."""
    return _hash([document["result"], document["causes"]])


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def verify_many(
    targets: Sequence[VerifyTarget], context: VerifyContext, jobs: int, state: VerifyState | None = None
) -> Iterator[Step]:
    """Verify *targets*, *jobs* at once, and yield what happens; a row for each, as they end.

    When the caller closes this generator, or an exception passes through, what is being built is ended.

    :raises OutputError: if a result cannot be written down.
    """
    stop = threading.Event()
    steps: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left: queue.SimpleQueue[tuple[int, VerifyTarget]] = queue.SimpleQueue()
    for pair in enumerate(targets):
        left.put(pair)
    # One directory for all of them, so that nothing is left by a thread that does not end in time.
    with scratch() as within:
        here = replace(
            context,
            build=replace(context.build, stop=stop),
            within=within,
            filled=FilledEnvironments(within / "filled"),
        )
        crew = [threading.Thread(target=_work, args=(left, steps, here, state, stop), daemon=True) for _ in range(jobs)]
        try:
            for thread in crew:
                thread.start()
            yield from _steps(steps, len(targets))
        finally:
            stop.set()
            kill_all(stop)
            _join(crew, _PATIENCE)


def _join(crew: Sequence[threading.Thread], patience: float) -> None:
    for thread in crew:
        while patience > 0 and thread.is_alive():
            thread.join(_TURN)
            patience -= _TURN


def _steps(steps: queue.SimpleQueue[Any], number: int) -> Iterator[Step]:
    while number:
        try:
            step = steps.get(timeout=_TURN)
        except queue.Empty:
            continue
        if isinstance(step, BaseException):
            raise step
        number -= step.row is not None
        yield step


def _work(
    left: queue.SimpleQueue[tuple[int, VerifyTarget]],
    steps: queue.SimpleQueue[Any],
    context: VerifyContext,
    state: VerifyState | None,
    stop: threading.Event,
) -> None:
    """Verify what is *left*, until nothing is, or until *stop*."""
    while not stop.is_set():
        try:
            number, target = left.get_nowait()
        except queue.Empty:
            return
        try:
            row = _row(target, context, state, partial(_report, steps, target.label))
            steps.put(Step(target.label, "", number, row))
        # Whatever it is, whoever waits for the row has to get it.
        except BaseException as error:
            steps.put(error)
            return


def _report(steps: queue.SimpleQueue[Any], label: str, text: str) -> None:
    steps.put(Step(label, text))


def _row(
    target: VerifyTarget, context: VerifyContext, state: VerifyState | None, report: Callable[[str], None]
) -> VerifyRow:
    if target.request is None:
        return row_of(VerifyResult(target.label, error=target.error, skipped=target.skipped))
    kept = state.kept(target) if state else None
    if kept is not None:
        return replace(kept, is_kept=True)

    def show_log(log: Path) -> None:
        if context.build.verbose or state is None:
            return
        try:
            state.keep_log(target, log)
        except OutputError as error:
            report(error.message)

    build = replace(context.build, report=report, show_log=show_log)
    result = next(verify_all([target.request], replace(context, build=build)))
    row = row_of(replace(result, target=target.label))
    if state:
        state.keep(target, row)
    return row
