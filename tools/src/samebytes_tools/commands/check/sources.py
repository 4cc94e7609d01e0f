"""Do sources give the same bytes twice? Each is built in two environments that differ in all that can be varied."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from samebytes.errors import SamebytesError, UsageError
from samebytes.passes.pipeline import Stop

from .subject import CheckContext, CheckOptions, CheckResult, Form, Subject
from .twice import SourceCheck
from .working_copy import remove


def check_all(
    subjects: Sequence[Subject], options: CheckOptions, context: CheckContext
) -> Generator[CheckResult, None, None]:
    """Check *subjects*, several at once, and yield their results in order; an error of one does not stop the others.

    When the caller closes this generator, or a signal raises in it, all builds are ended, and nothing is left of them.
    """
    subjects = [replace(subject, slug=slug) for subject, slug in zip(subjects, _slugs(subjects))]
    stop = Stop()
    with ThreadPoolExecutor(max(1, min(options.jobs, len(subjects)))) as pool:
        pending = [pool.submit(_examined, subject, options, context, stop, len(subjects)) for subject in subjects]
        try:
            for future in pending:
                yield _awaited(future)
        finally:
            stop.set()
            for future in pending:
                future.cancel()


def _slugs(subjects: Sequence[Subject]) -> Iterator[str]:
    taken: set[str] = set()
    for subject in subjects:
        name = subject.text if subject.form is Form.NAME else Path(subject.text).resolve().name
        plain = re.sub(r"[^A-Za-z0-9._=-]+", "-", name).strip("-.") or "source"
        slug = f"{plain}-py{subject.python.version}" if subject.python else plain
        free = next(one for one in chain([slug], (f"{slug}-{n}" for n in count(2))) if one not in taken)
        taken.add(free)
        yield free


def _awaited(future: Future[CheckResult]) -> CheckResult:
    """Wait for *future* in short turns: on Windows, Ctrl-C is only noticed between them."""
    while not wait([future], timeout=0.5).done:
        pass
    return future.result()


def _examined(subject: Subject, options: CheckOptions, context: CheckContext, stop: Stop, beside: int) -> CheckResult:
    version = subject.python.version if subject.python else ""
    try:
        if subject.error is not None or subject.python is None:
            return CheckResult(subject.text, version, subject.error)
        private = Path(tempfile.mkdtemp(prefix="samebytes-", dir=context.workspace.directory))
        try:
            check = SourceCheck(subject, subject.python, options, context, stop, private)
            return check.result(at_once=options.jobs > beside)
        finally:
            remove(private)
    except SamebytesError as error:
        return CheckResult(subject.text, version, error)
    except OSError as error:
        what = UsageError(
            f"{subject.text}: {error.filename or context.workspace.directory}: {error.strerror}",
            remedy="Builds take place in TMPDIR: is there room, and may you write there?",
        )
        return CheckResult(subject.text, version, what)
