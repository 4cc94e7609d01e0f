"""What building twice showed, as annotations of the files in a tree's checkout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os.path import isfile
from pathlib import Path

from ...comparison.causes.table import by_code
from ...reporting.annotations import Annotation
from ...reporting.overview import OverviewRow, opening, overview
from ...reporting.readers import advice_for, on_normalizing
from .attribution import variations_of
from .report import comparisons, title
from .subject import CheckResult

_FILES_NAMED = 5


def annotated(results: Sequence[CheckResult], status: int, relative: Callable[[Path], str]) -> list[Annotation]:
    """Return what could not be built, then each cause of what differs; what normalizing removes is one of a source.

    :param status: that of the command: what it accepts is no error
    :param relative: returns where a file of a checkout is in it
    """
    level = "error" if status else "notice"
    failures = [each for result in results for each in _failures(result, relative)]
    return failures + [each for result in results for each in _causes(result, level, relative)]


def _failures(result: CheckResult, relative: Callable[[Path], str]) -> list[Annotation]:
    found = [] if result.error is None else [f"{result.error.message}\n{result.error.remedy}"]
    outcomes = result.ways[0].outcomes if result.ways else ()
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    found += [f"{failure.message}\n{failure.remedy}" for failure in failures]
    place = _place(result, (), relative)
    return [Annotation("error", f"{title(result)} could not be built", each, place) for each in dict.fromkeys(found)]


def _causes(result: CheckResult, level: str, relative: Callable[[Path], str]) -> list[Annotation]:
    rows = overview(comparisons(result), variations_of(result), advice_for(result.reader))
    removed = [row for row in rows if row.is_normalized]
    outcomes = result.ways[0].outcomes if result.ways else ()
    # What cannot be read as an archive has no causes.
    notes = dict.fromkeys(outcome.note for outcome in outcomes if outcome.note)
    found = [
        Annotation(level, f"{title(result)} differs: {_cause(row)}", _message(row), _place(result, row.files, relative))
        for row in rows
        if not row.is_normalized
    ]
    found += [Annotation(level, f"{title(result)} differs", note, _place(result, (), relative)) for note in notes]
    if removed:
        causes = ", ".join(dict.fromkeys(f"{row.code} {by_code(row.code).name}" for row in removed))
        message = f"{causes}\nRemedy: {on_normalizing(result.reader, result.accept)}"
        # Beside what matters more it is a warning.
        level = "warning" if found and level == "error" else level
        what = f"{title(result)} differs by what normalizing removes"
        found.append(Annotation(level, what, message, _place(result, (), relative)))
    return found


def _cause(row: OverviewRow) -> str:
    by = f" (varied: {' and '.join(row.variations)})" if row.variations else ""
    return f"{row.code} {by_code(row.code).name}{by}"


def _message(row: OverviewRow) -> str:
    more = f" and {len(row.files) - _FILES_NAMED:,} more" if len(row.files) > _FILES_NAMED else ""
    return f"{', '.join(row.files[:_FILES_NAMED])}{more}\nRemedy: {' '.join(opening(row.remedy)).rstrip()}"


def _place(result: CheckResult, names: Sequence[str], relative: Callable[[Path], str]) -> str:
    """Return the first file of the tree that is one of *names*, members of archives; else what says how it is built."""
    tree = Path(result.source)
    # Packages may be in a directory that a wheel has not.
    possible = [each for name in names for each in (name, f"src/{name}")]
    files = (tree / each for each in (*possible, "pyproject.toml", "setup.py"))
    # Path.is_file raises for names that are too long for a file system, which those of archives may be.
    return next((relative(file) for file in files if tree.is_dir() and isfile(file)), "")  # noqa: PTH113 (see above)
