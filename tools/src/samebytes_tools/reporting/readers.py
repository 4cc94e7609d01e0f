"""Remedies by who reads them: what may be changed by one is to be reported by another."""

from __future__ import annotations

import enum

from ..comparison.causes.cause import WRAP
from ..comparison.causes.table import UNKNOWN, by_code
from .overview import Advice


class Reader(enum.Enum):
    """Who reads a report, as far as what is checked shows that."""

    WRAPPED = "maintainer, whose project is built by samebytes.backend"
    MAINTAINER = "maintainer"
    """Of a project that another backend builds."""
    OUTSIDER = "auditor or packager"
    """Who has a release, and does not change the project."""


WITHOUT_BACKEND = (
    (WRAP, 'Let samebytes call your build backend: "samebytes wrap" writes that into pyproject.toml.'),
    (
        '\n\nor in pyproject.toml, with build-backend = "samebytes.backend":\n\n'
        "    [tool.samebytes]\n    fixed-paths = true",
        "",
    ),
    (":\n\n    [tool.samebytes]\n    fixed-paths = true\n\nor build by:", ", build by:"),
    (
        '    [tool.samebytes]\n    source-date-epoch = "vcs"  # or seconds',
        "    export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)\n    python -m build  # and samebytes check",
    ),
    ('; take "LC_ALL" out of inherit in [tool.samebytes]', ""),
    ('; take "TZ" out of inherit in [tool.samebytes]', ""),
    ('enable = ["W100"] in [tool.samebytes], or samebytes', "samebytes"),
    (
        'Strip when linking instead of later:\n\n    [tool.samebytes]\n    debug-info = "strip"\n\nor leave',
        "Strip when linking instead of later (LDFLAGS=-Wl,-s), or leave",
    ),
)
"""What remedies say of a project's ``[tool.samebytes]``, and what is said where that would not be read."""

_FIXED = frozenset({"D001", "D002", "D006", "D007", "D008", "D009", "D010"})
"""Causes of which ``samebytes build`` takes the occasion away: paths, locale, zone, hash seed, directories, umask."""

_REPORT = (
    "Report it to the maintainers as {name}: what they can do about it is under that name among the causes in the "
    "documentation of samebytes."
)


def advice_to(reader: Reader, code: str, *, normalized: bool, inside: bool) -> str:
    """Return what *reader* can do about a cause where it was found; the rest is as in :meth:`.Cause.advice`."""
    cause = by_code(code)
    if reader is Reader.OUTSIDER and inside and code != UNKNOWN:
        return f"{_first_aid(code)}{_REPORT.format(name=f'{code} {cause.name}')}"
    text = cause.advice(normalized=normalized, inside=inside)
    if reader is not Reader.WRAPPED:
        for there, instead in WITHOUT_BACKEND:
            text = text.replace(there, instead)
    return text


def advice_for(reader: Reader) -> Advice:
    """Return what gives the remedies for *reader* by cause and place."""
    return lambda code, is_normalized: advice_to(reader, code, normalized=is_normalized, inside=not is_normalized)


def _first_aid(code: str) -> str:
    """Return what helps without a change of the project."""
    if code in _FIXED:
        return "Build it where that is the same each time:\n\n    samebytes build SOURCE\n\n"
    if code == "D005":
        command = "SOURCE_DATE_EPOCH=1580601600 samebytes build SOURCE"
        return f"Give all builds one date, which many tools take:\n\n    {command}\n\n"
    return ""


def on_normalizing(reader: Reader, accept: str) -> str:
    """Return what *reader* can do where normalizing makes all the same, if *accept* is what ``--accept`` has taken."""
    more = " With --accept normalized, check accepts it." if accept == "identical" else ""
    if reader is Reader.OUTSIDER:
        return f"Compare normalized copies, as samebytes verify does.{more}"
    wrap = "" if reader is Reader.WRAPPED else ", or run 'samebytes wrap' once"
    return f"Run 'samebytes normalize dist/*' before you publish{wrap}.{more}"
