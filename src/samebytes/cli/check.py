"""``samebytes check``: are these archives canonical?"""

from __future__ import annotations

import argparse
from pathlib import Path

from . import exit_status
from .normalize import add_shared_arguments, options_from, report
from .verbosity import add_verbosity

_DESCRIPTION = """\
Say whether wheels and sdists are in canonical form. Nothing is written. Each
finding is a line: the file, a code, the member, and what is not as it would be.
The same as 'samebytes normalize --check'."""

_EPILOG = f"""\
The date that the members should have is that of --date, else SOURCE_DATE_EPOCH,
else their own if they all have the same, else 2020-02-02T00:00:00Z.

examples:
  samebytes check dist/*
  samebytes check --date 2024-05-01 pkg.whl
  samebytes check --json dist/* > findings.json

{exit_status.table(1, 2, 3, 4, 5, 6, exit_status.INTERRUPTED, exit_status.TERMINATED)}

Where some files fail, the others are checked, and the status is that of the
highest error."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "check",
        help="say whether wheels and sdists are in canonical form",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("paths", metavar="FILE", nargs="+", type=Path, help="a wheel or a .tar.gz sdist")
    add_shared_arguments(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, and tell of each finding."""
    from ..flows.check import check, plan

    steps = plan(args.paths)
    return report(args, "check", steps, check(steps, options_from(args)))
