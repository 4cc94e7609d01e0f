"""``samebytes doctor``: what is samebytes running on, and does compression come out right here?"""

from __future__ import annotations

import argparse
import os
import sys
import time

from ...console import exit_status
from ...console.streams import style_of
from ...console.verbosity import QUIET, add_verbosity

_DESCRIPTION = """\
Show the versions of samebytes, Python and zlib, who compresses here (the
interpreter's zlib if it gives the canonical bytes, else our own encoder), why,
and how fast; which extras and programs are here, and what brings the others.
Worth pasting into a report of a bug."""

_EPILOG = f"""\
examples:
  samebytes doctor
  samebytes doctor -q || echo 'not fit for work'

{exit_status.table(1)}

1 means that something here is not as samebytes needs it."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "doctor", help="show what samebytes runs on, and what is missing", description=_DESCRIPTION, epilog=_EPILOG
    )
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the diagnosis."""
    from .diagnosis import diagnose

    diagnosis = diagnose(time.process_time, os.environ)
    if args.verbosity > QUIET:
        from .report import diagnosis_lines

        print("\n".join(diagnosis_lines(diagnosis, style_of(sys.stdout))))
    return exit_status.FINE if diagnosis.healthy else exit_status.FINDINGS
