"""Do sources give the same bytes twice? Each is built in two environments that differ in all that can be varied."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from samebytes.commands.normalize.executor import in_order
from samebytes.errors import SamebytesError, UsageError
from samebytes.passes.pipeline import Stop

from ...building.filled import FilledEnvironments
from ...building.processes import kill_all
from ...building.scratch import naming_from, scratch
from .subject import CheckContext, CheckOptions, CheckResult, Form, Subject
from .twice import SourceCheck
from .working_copy import remove

_PATIENCE = 0.7
"""Seconds that threads have after a signal to clear up; what they started has half a second of its own to end."""


def check_all(
    subjects: Sequence[Subject], options: CheckOptions, context: CheckContext
) -> Generator[CheckResult, None, None]:
    """Check *subjects*, several at once, and yield their results in order; an error of one does not stop the others.

    When the caller closes this generator, or a signal raises in it, all builds are ended, and nothing is left of them.
    """
    subjects = [replace(subject, slug=slug) for subject, slug in zip(subjects, _slugs(subjects))]
    # A source takes one job of its own; only what is left over is for its second build.
    stop, at_once = Stop(), options.jobs > len(subjects)
    used: list[Path] = []
    if len(subjects) > 1:
        # Named here and made within the try: a signal between the two would leave a directory that nobody knows.
        used.append(Path(context.workspace.directory, f"samebytes-{secrets.token_hex(8)}"))
        context = replace(context, filled=FilledEnvironments(used[0]))

    def result_of(subject: Subject) -> CheckResult:
        return _examined(subject, options, context, stop, used, at_once=at_once)

    try:
        for path in used:
            path.mkdir(0o700)
        yield from in_order(result_of, subjects, max(1, min(options.jobs, len(subjects))), stop, _PATIENCE)
    finally:
        # At once: threads that have not ended by now wait for these.
        kill_all(stop)
        for private in filter(Path.exists, used):  # by a thread that has not ended, and is not to write there any more
            with suppress(OSError):
                # Renamed first, so that a thread that still runs fails on its next file, and does not fill what is
                # being removed.
                remove(private.rename(f"{private}-unwanted"))


def _slugs(subjects: Sequence[Subject]) -> Iterator[str]:
    taken: set[str] = set()
    for subject in subjects:
        name = subject.text if subject.form is Form.NAME else Path(subject.text).resolve().name
        # It names directories of --keep and --logs, and lines of progress, on every system.
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", name).strip("-.") or "source"
        slug = f"{plain}-py{subject.python.version}" if subject.python else plain
        # Two trees may have one name in different directories.
        free = next(one for one in chain([slug], (f"{slug}-{n}" for n in count(2))) if one not in taken)
        taken.add(free)
        yield free


def _of(subject: Subject, options: CheckOptions, context: CheckContext) -> tuple[CheckOptions, CheckContext]:
    """Return how *subject* itself is to be checked.

    :raises UsageError: if it requires what cannot be varied.
    """
    if subject.accept is not None:
        options = replace(options, accept=subject.accept)
    if subject.choice is not None:
        vary, left_out = subject.choice.applicable(context.obstacles), subject.choice.left_out(context.obstacles)
        context = replace(context, vary=vary, left_out=left_out, required=subject.choice.demanded)
    return options, context


def _examined(
    subject: Subject, options: CheckOptions, context: CheckContext, stop: Stop, used: list[Path], *, at_once: bool
) -> CheckResult:
    version = subject.python.version if subject.python else ""
    try:
        if subject.error is not None or subject.python is None:
            return CheckResult(subject.text, version, subject.error)
        options, context = _of(subject, options, context)
        with scratch(context.workspace.directory) as private, naming_from(private / "source"):
            used.append(private)
            try:
                return SourceCheck(subject, subject.python, options, context, stop, private).result(at_once=at_once)
            finally:
                remove(private)  # unmounts, too
    except SamebytesError as error:
        return CheckResult(subject.text, version, error)
    # Of one source, most often a full disk; the others may still succeed, and check_all goes on with them.
    except OSError as error:
        what = UsageError(
            f"{subject.text}: {error.filename or context.workspace.directory}: {error.strerror}",
            remedy="Builds take place in TMPDIR: is there room, and may you write there?",
        )
        return CheckResult(subject.text, version, what)
