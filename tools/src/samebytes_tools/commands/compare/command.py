"""``samebytes compare``: what differs between two archives or trees, why, and what to do about it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import __version__
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.style import error_lines, harmless
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import SamebytesError, UsageError

from ...reporting.ci import add_ci_arguments, check_ci_arguments, is_stdout, write_ci

if TYPE_CHECKING:
    from .compare import PairResult
    from .diffoscope import Diffoscope

LEVELS = ("identical", "normalized", "payload")
"""What may be asked for, each level holding for those before it, too."""

_DESCRIPTION = """\
Report how equal two wheels or two sdists are, what differs, why, and what to
do about it. Of two directories, the archives in them are compared in pairs by
name; directories without archives are compared as trees of installed packages."""

_EPILOG = f"""\
The verdict is the first of these that holds:
  identical                 the same bytes
  same after normalization  'samebytes normalize' with one date makes them so,
                            of trees 'samebytes tree fix' with one --layout
  same payload              what is installed is the same
  different

examples:
  samebytes compare one/pkg.whl two/pkg.whl
  samebytes compare one/dist two/dist --html report.html
  samebytes compare one/.venv/lib two/.venv/lib
  samebytes compare old.whl new.whl --exclude '*.so' --exclude 'pkg/_version.py'
  samebytes compare one/dist two/dist --markdown "$GITHUB_STEP_SUMMARY"
  samebytes compare --accept payload old.whl new.whl && echo good enough
  samebytes compare --json old.tar.gz new.tar.gz | jq '.pairs[].comparison'

{exit_status.table(1, 2, 4, 8, 9, exit_status.INTERRUPTED, exit_status.TERMINATED)}

1 means that a verdict is worse than what --accept asks for, or that a file has
no counterpart. Where some files cannot be compared, the others are, and the
status is that of the highest error."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "compare",
        help="compare two archives or trees, and explain what differs",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("left", metavar="A", type=Path, help="wheel, .tar.gz sdist, directory of those, or tree")
    parser.add_argument("right", metavar="B", type=Path, help="what to compare it with")
    parser.add_argument(
        "--accept",
        choices=LEVELS,
        default="identical",
        help="least equal verdict that exits with 0 (default: %(default)s)",
    )
    parser.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="leave out members of that name, such as '*.so' or 'docs/*'; the verdict is on the rest (repeatable)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--html", metavar="FILE", type=Path, help="also write a report as an HTML page")
    add_ci_arguments(parser)
    parser.add_argument(
        "--diffoscope", action="store_true", help="also run diffoscope on members that can only be shown as bytes"
    )
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, and report on each pair."""
    check_ci_arguments(args)
    for target in filter(None, (args.html, args.markdown, args.annotations)):
        _check_target(target, (args.left, args.right))
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        results = _compared(args, progress)
    status = status_of(results, accept=args.accept)
    _report(args, results, status)
    return status


def _check_target(page: Path, inputs: Iterable[Path]) -> None:
    """Refuse at once what could not be written after all the work, or would replace what is compared."""
    if not page.absolute().parent.is_dir():
        raise UsageError(f"{page}: there is no such directory", remedy="Make it first, or name another place.")
    # By the file, as it may have several names.
    if any(page.exists() and path.exists() and page.samefile(path) for path in inputs):
        raise UsageError(f"{page} is to be compared and to be written", remedy="Name another file to write to.")


def _compared(args: argparse.Namespace, progress: Progress) -> list[PairResult]:
    from ...comparison.exclusion import Exclusion
    from .compare import compare, plan
    from .diffoscope import find

    pairs = plan(args.left, args.right)
    if args.diffoscope and any(pair.left is not None and pair.left.is_dir() for pair in pairs):
        raise UsageError(
            "--diffoscope looks into archives, and these are trees",
            remedy="diffoscope compares directories itself: diffoscope A B.",
        )
    # That it is missing is reported before the work begins.
    diffoscope = find(os.environ) if args.diffoscope else None
    exclusion = Exclusion(args.exclude)
    results = compare(args.left, args.right, exclusion=exclusion)
    done = []
    for number, pair in enumerate(pairs, start=1):
        progress.show(f"comparing {number} of {len(pairs)}: {pair.name}")
        result = next(results)
        done.append(_deepened(result, diffoscope, progress) if diffoscope else result)
    progress.clear()
    for pattern in (each for each in args.exclude if each not in exclusion.used):
        line = harmless(f"samebytes: note: --exclude {pattern}: nothing is called so")
        print(line, file=sys.stderr)
    return done


def _deepened(result: PairResult, diffoscope: Diffoscope, progress: Progress) -> PairResult:
    """Return *result* with what diffoscope says of its members."""
    from .diffoscope import deepen

    if result.comparison is None:
        return result
    try:
        deeper = deepen(result.comparison, diffoscope, lambda member: progress.show(f"diffoscope looks at {member}"))
        return replace(result, comparison=deeper)
    except SamebytesError as error:
        return replace(result, comparison=None, error=error)


def status_of(results: Iterable[PairResult], *, accept: str) -> int:
    """Return the highest error's status, else whether all verdicts are at least *accept*, one of LEVELS."""
    results = list(results)
    errors = [result.error.exit_status for result in results if result.error is not None]
    if errors:
        return max(errors)
    accepted = LEVELS[: LEVELS.index(accept) + 1]
    verdicts = [result.comparison.verdict.name.lower() if result.comparison else "missing" for result in results]
    return exit_status.FINE if all(verdict in accepted for verdict in verdicts) else exit_status.FINDINGS


def _report(args: argparse.Namespace, results: Sequence[PairResult], status: int) -> None:
    from ...reporting.difference_tree import View, branches_for
    from .report import annotated, as_json, as_markdown, as_page, lines

    if args.html:
        from ...reporting.save import save

        save(as_page(results, version=__version__), args.html)
    for result in results:
        if result.error is not None:
            lines_ = error_lines(result.error.message, result.error.remedy, style_of(sys.stderr))
            print("\n".join(lines_), file=sys.stderr)
    if args.json:
        print(as_json(results, version=__version__, accept=args.accept, exit_status=status))
    elif args.verbosity > QUIET and not is_stdout(args.markdown):
        branches = branches_for(sys.stdout.encoding or "ascii")
        for line in lines(results, View(style_of(sys.stdout), args.verbosity >= VERBOSE, branches)):
            print(line)
    write_ci(
        args,
        lambda: as_markdown(results, version=__version__),
        lambda _: annotated(results, status),
        os.environ,
        sys.stdout,
    )
