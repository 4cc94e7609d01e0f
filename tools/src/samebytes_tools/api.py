"""What ``import samebytes`` offers where samebytes-tools is installed: two archives compared, a source built twice.

The functions follow the commands of the same names, also in that builds read the environment. Errors are raised as a
:class:`samebytes.SamebytesError`; nothing is printed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from samebytes import cores
from samebytes.api import StrPath, one_file
from samebytes.errors import BackendError, UsageError

from .commands.check.subject import (
    FROM_SDIST,
    SDIST,
    WHEEL,
    CheckContext,
    CheckOptions,
    CheckOutcome,
    Failure,
    Form,
    Subject,
)
from .commands.compare.compare import ComparedPair, compare_pair
from .comparison.model import Comparison, Difference, Verdict

__all__ = ["CheckOutcome", "Checked", "Comparison", "Difference", "Verdict", "check", "compare"]


@dataclass(frozen=True)
class Checked:
    """What came of building one source twice."""

    source: Path
    python: str
    """The version of the interpreter that it was built by."""
    outcomes: tuple[CheckOutcome, ...]
    """One for each kind of artifact."""
    varied: tuple[str, ...]
    """What differed between the two builds, by the names that ``samebytes check --list`` shows."""
    not_varied: Mapping[str, str] = field(default_factory=dict)
    """What should have differed and could not, and why."""
    notes: tuple[str, ...] = ()

    @property
    def is_reproducible(self) -> bool:
        """Whether both builds gave the same bytes, of every kind."""
        return all(outcome.is_same for outcome in self.outcomes)


def compare(left: StrPath, right: StrPath) -> Comparison:
    """Say how equal two wheels or two sdists are, what differs, and why.

    :raises SamebytesError: if one of them cannot be read, or they are not of one kind.
    """
    paths = one_file(left, "compare"), one_file(right, "compare")
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file", remedy="Check the path.")
    result = compare_pair(ComparedPair(paths[0].name, *paths))
    if result.error is not None:
        raise result.error
    assert result.comparison is not None  # where there is no error
    return result.comparison


def check(
    source: StrPath,
    *,
    kinds: Sequence[str] = (SDIST, WHEEL, FROM_SDIST),
    vary: Sequence[str] = (),
    python: str | None = None,
    isolation: bool = True,
    config_settings: Mapping[str, str | list[str]] | None = None,
    timeout: float | None = None,
    jobs: int | None = None,
) -> Checked:
    """Build a source tree or an sdist twice, in two environments, and return whether the bytes are the same.

    What the project's build runs, is run on this machine.

    :param kinds: what to build: ``"sdist"``, ``"wheel"`` (of the tree), ``"wheel from sdist"``.
    :param vary: variations to leave out (``"-time"``) or to demand (``"+umask"``), as ``--vary`` has them.
    :param python: the interpreter, as a version or a path; None: this one.
    :param isolation: False: use the interpreter's build requirements, and install none.
    :param timeout: seconds for one build.
    :param jobs: with more than 1, both builds run at once where they can; None: as many as there are processors.
    :raises BackendError: if something could not be built.
    :raises SamebytesError: if the source is none, the interpreter is missing, or something cannot be varied.
    """
    from .building import interpreters

    unknown = [kind for kind in kinds if kind not in (SDIST, WHEEL, FROM_SDIST)]
    if unknown or not kinds:
        raise UsageError(
            f"{', '.join(unknown) or 'nothing'}: is no kind of artifact",
            remedy=f"The kinds are {SDIST!r}, {WHEEL!r} and {FROM_SDIST!r}.",
        )
    interpreter = interpreters.named(python or sys.executable, os.environ)
    subject = Subject(os.fspath(source), _form(Path(source)), interpreter)
    options = CheckOptions(
        kinds=tuple(kinds),
        isolation=isolation,
        config_settings=dict(config_settings or {}),
        timeout=timeout,
        jobs=cores.available() if jobs is None else max(1, jobs),
    )
    return _checked(subject, options, _context(vary))


def _checked(subject: Subject, options: CheckOptions, context: CheckContext) -> Checked:
    from .building.builder import without_warnings_of_backends
    from .commands.check.sources import check_all

    with without_warnings_of_backends(), closing(check_all([subject], options, context)) as results:
        result = next(results)
    if result.error is not None:
        raise result.error
    outcomes = result.ways[0].outcomes
    for outcome in outcomes:
        if outcome.failure is not None:
            raise _cannot_build(subject.text, outcome, outcome.failure)
    left_out = {name: obstacle.why for name, obstacle in result.left_out.items()}
    return Checked(Path(subject.text), result.python, outcomes, result.applied, left_out, result.notes)


def _cannot_build(source: str, outcome: CheckOutcome, failure: Failure) -> BackendError:
    said = "".join(f"\n  | {line}" for line in failure.tail)
    return BackendError(f"{source}: {outcome.kind}: {failure.message}{said}", remedy=failure.remedy)


def _context(vary: Sequence[str]) -> CheckContext:
    """Return what of this machine two builds need; nothing is downloaded by name, and steps are not reported."""
    from .index import releases
    from .variations.variations import choice
    from .variations.workspace import obstacles, workspace

    wanted = choice(vary)
    where = workspace(os.environ, keep_order="file-order" in wanted.wanted)
    found = obstacles(where, os.environ)
    return CheckContext(
        environ=os.environ,
        workspace=where,
        vary=wanted.applicable(found),
        left_out=wanted.left_out(found),
        required=wanted.demanded,
        download=lambda text, interpreter, into: releases.sdist(text, interpreter.version, into, os.environ),
        clock=time.time,
    )


def _form(source: Path) -> Form:
    if source.is_dir():
        return Form.TREE
    if source.name.endswith(".whl"):
        raise UsageError(
            f"{source} is a wheel, and check builds sources",
            remedy="normalize(path, write=False) says whether a wheel is canonical.",
        )
    if not source.exists():
        raise UsageError(f"{source}: there is no such file or directory", remedy="Name a source tree or an sdist.")
    return Form.SDIST
