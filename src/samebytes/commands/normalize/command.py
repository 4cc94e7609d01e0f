"""``samebytes normalize``: finished archives into their canonical form."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ... import __version__, cores
from ...console import exit_status
from ...console.streams import Progress, style_of
from ...console.style import error_lines
from ...console.verbosity import QUIET, VERBOSE, add_verbosity
from ...epoch import parse_date_option
from ...errors import UsageError

if TYPE_CHECKING:
    from .normalize import NormalizeJob, NormalizeResult

MOST_JOBS = 256
"""A slip of the finger beyond that would start as many threads; no machine that builds packages has more processors."""

_DESCRIPTION = """\
Rewrite wheels and sdists into their canonical form: one order, one date, one
owner, one compression, nothing of the machine that built them. What they
install does not change. A file that is canonical already is not touched."""

_EPILOG = f"""\
The date is that of --date, else SOURCE_DATE_EPOCH, else the file's own if it
is canonical already, else 2020-02-02T00:00:00Z: never that of a clock.

examples:
  samebytes normalize dist/*                 in place, before you attest
  samebytes normalize dist -o canonical      copies; dist stays as it is
  samebytes normalize --check dist/*         what would change?
  samebytes normalize --json pkg.whl         digests, changes, proof

{exit_status.table(2, 3, 4, 5, 6, 8, exit_status.RECORD_REBUILT, exit_status.INTERRUPTED, exit_status.TERMINATED)}

With --check, 1 means that something would change. Where some files fail, the
others are normalized, and the status is that of the highest error."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "normalize",
        help="rewrite wheels and sdists into their canonical form",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths", metavar="FILE|DIR", nargs="+", type=Path, help="a wheel, a .tar.gz sdist, or a directory with such"
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="write the results to DIR; the inputs stay as they are"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; report what would change")
    add_shared_arguments(parser)
    parser.add_argument(
        "--rebuild-record", action="store_true", help="replace a RECORD that contradicts its wheel, and list how"
    )
    parser.add_argument(
        "--drop-signatures", action="store_true", help="remove RECORD.jws and RECORD.p7s, which would be invalid"
    )
    parser.add_argument(
        "--ignore-attestation",
        action="store_true",
        help="go on though an attestation or signature beside the file becomes invalid",
    )
    add_verbosity(parser)
    parser.set_defaults(run=run)


def add_shared_arguments(parser: argparse.ArgumentParser) -> None:
    """Add to *parser* the options that ``normalize`` and ``check`` share."""
    parser.add_argument(
        "--date",
        metavar="DATE",
        type=parse_date_option,
        help="the date: seconds since 1970, or such as 2020-02-02T00:00:00Z",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_jobs(parser)
    parser.add_argument(
        "--deflate",
        choices=("canonical", "keep"),
        default="canonical",
        help="keep: copy the compressed streams that a wheel has, verified; fast, but another zlib, other bytes",
    )
    parser.add_argument(
        "--disable", metavar="CODE", action="append", default=[], help="skip a pass, such as W002 (repeatable)"
    )
    parser.add_argument(
        "--enable", metavar="CODE", action="append", default=[], help="add an optional pass, such as W100 (repeatable)"
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add to *parser* ``-j``, a number from 1 to MOST_JOBS."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_JOBS):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_JOBS}")
        return int(text)

    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=number,
        default=cores.available(),
        help="number of parallel jobs (default: all CPUs)",
    )


def run(args: argparse.Namespace) -> int:
    """Normalize, or check if that is what the options say."""
    from .normalize import plan

    if not args.check:
        return _run(args, plan(args.paths, args.output), checking=False)
    if args.output is not None:
        raise UsageError("--check writes nothing, so -o has no meaning", remedy="Leave one of them away.")
    return check_archives(args)


def check_archives(args: argparse.Namespace) -> int:
    """Check the archives that *args* name, report each finding, and return the exit status."""
    from .normalize import plan

    return _run(args, plan([Path(path) for path in args.paths], trees=False), checking=True)


def _run(args: argparse.Namespace, steps: Sequence[NormalizeJob | NormalizeResult], *, checking: bool) -> int:
    """Do *steps*, report each as it is done, and return the exit status."""
    from .normalize import NormalizeOptions, given_date, normalize

    options = NormalizeOptions(
        date=given_date(args.date, os.environ),
        disable=tuple(args.disable),
        enable=tuple(args.enable),
        write=not checking,
        # What is only for writing, the command check does not have.
        rebuild_record=getattr(args, "rebuild_record", False),
        drop_signatures=getattr(args, "drop_signatures", False),
        ignore_attestation=getattr(args, "ignore_attestation", False),
        prove=args.json,  # only the document has the proof, and it costs reading all once more
        jobs=args.jobs,
        keep_streams=args.deflate == "keep",
    )
    results = normalize(steps, options)
    done = []
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress, closing(results):
        for number, step in enumerate(steps, start=1):
            progress.show(f"{'checking' if checking else 'normalizing'} {number} of {len(steps)}: {step.source.name}")
            done.append(next(results))
            progress.clear()
            _report(args, done[-1], checking=checking)
    status = _status_of(done, checking=checking)
    if args.json:
        from .report import normalize_document

        command = "check" if checking else "normalize"
        print(normalize_document(done, command=command, version=__version__, exit_status=status))
    return status


def _status_of(results: Sequence[NormalizeResult], *, checking: bool) -> int:
    """Return the exit status for *results*: that of the highest error, else what was found or rebuilt."""
    errors = [result.error.exit_status for result in results if result.error is not None]
    if errors:
        return max(errors)
    if checking:
        return exit_status.FINDINGS if any(result.changed for result in results) else exit_status.FINE
    return exit_status.RECORD_REBUILT if any(result.rebuilt_record for result in results) else exit_status.FINE


def _report(args: argparse.Namespace, result: NormalizeResult, *, checking: bool) -> None:
    from .report import finding_lines, located_message, summary_lines

    if result.error is not None:
        for line in error_lines(located_message(result), result.error.remedy, style_of(sys.stderr)):
            print(line, file=sys.stderr)
    elif not args.json and args.verbosity > QUIET:
        lines = finding_lines if checking else summary_lines
        for line in lines(result, style_of(sys.stdout), verbose=args.verbosity >= VERBOSE):
            print(line)
        sys.stdout.flush()
