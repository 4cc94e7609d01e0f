"""``samebytes check`` of archives: whether they are in canonical form. samebytes-tools adds sources to it."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...console import exit_status
from ...console.verbosity import add_verbosity
from ..extensions import missing
from ..normalize.command import add_shared_arguments, check_archives

_DESCRIPTION = """\
Report whether wheels and sdists are in canonical form. Nothing is written.
Each finding is a line: the file, a code, the member, and the deviation. The
same as 'samebytes normalize --check'.

With samebytes-tools (pip install 'samebytes[tools]'), this command also builds
source trees twice, and reports what differs, why, and what to do about it."""

_EPILOG = f"""\
The date that the members should have is that of --date, else
SOURCE_DATE_EPOCH, else their own if the file is canonical on it, else
2020-02-02T00:00:00Z.

examples:
  samebytes check dist/*
  samebytes check --json dist/* > findings.json

{exit_status.table(1, 2, 3, 4, 5, 6, exit_status.INTERRUPTED, exit_status.TERMINATED)}

Where some fail, the others are checked, and the status is the highest."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "check", help="check whether archives are canonical", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "paths", metavar="FILE|DIR", nargs="+", help="a wheel, a .tar.gz sdist, or a directory with such"
    )
    add_shared_arguments(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check archives.

    :raises MissingExtraError: for a source tree, which samebytes-tools builds.
    """
    from ...artifact.layout import is_source_tree

    trees = [path for path in map(Path, args.paths) if path.is_dir() and is_source_tree(path)]
    if trees:
        raise missing(f"{trees[0]} is a source tree, and building it twice")
    return check_archives(args)
