"""``samebytes verify``: rebuild what was published, and compare."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from samebytes import __version__
from samebytes.artifact.layout import ArtifactKind
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.style import harmless
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import Interrupted, OutputError, UsageError

from ...building.installers import UV, add_installer_option
from ..reproducible_build.command import add_sign, context_of, settings_of, sign_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...building.signatures import Sign, Trust
    from ...index.client import Index
    from .remake import VerifyContext
    from .report import VerifyRow
    from .targets import VerifyTarget
    from .verify import VerifyRequest, VerifyResult

_DESCRIPTION = """\
Rebuild a published wheel or sdist and compare: from its source, with the
Python and platform that its tags name, with the release of the backend that
wrote it, and with build requirements as they were when it was uploaded."""

_EPILOG = f"""\
The source is the release's own sdist, unless --source or --from-vcs is given.
The index is pip's. What a project builds is run on this machine, as pip would
run it.

examples:
  samebytes verify idna                 its newest release
  samebytes verify idna==3.10
  samebytes verify dist/pkg-1.0-py3-none-any.whl --source .
  samebytes verify pkg==1.0 --sdist --source https://HOST/pkg.git@v1.0
  samebytes verify pkg==1.0 --from-vcs
  samebytes verify -r requirements.txt --state audit
  samebytes verify uv.lock --html audit.html
  samebytes verify .venv
  samebytes verify pkg==1.0 --env PKG_NO_EXTENSIONS=1
  samebytes verify pkg==1.0 --provenance pkg.json
  samebytes verify --from pkg.json
  samebytes verify --from pkg.json --key maintainer.pub

{exit_status.table(1, 2, 3, 4, 5, 6, 7, 8, 9, 12, exit_status.INTERRUPTED, exit_status.TERMINATED)}

Where some cannot be verified, the others are, and the status is that of the
highest error."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "verify", help="rebuild what was published, and compare the two", description=_DESCRIPTION, epilog=_EPILOG
    )
    _add_targets(parser.add_argument_group("what to verify"))
    _add_source(parser.add_argument_group("its source, or a record to follow"))
    _add_build(parser.add_argument_group("how to build"))
    _add_outputs(parser.add_argument_group("what is written, and the exit status"))
    add_verbosity(parser)
    parser.set_defaults(run=run)


def _add_targets(group: argparse._ArgumentGroup) -> None:
    """Add what names files: one, those of a release, or those of a list."""
    group.add_argument(
        "targets",
        metavar="FILE|NAME[==VERSION]|LIST",
        nargs="*",
        help="what was published; a pylock.toml or uv.lock, or a virtual environment: all that is in it",
    )
    group.add_argument(
        "-r", "--requirement", metavar="FILE", type=Path, action="append", default=[], help="all of a requirements file"
    )
    kind = group.add_mutually_exclusive_group()
    kind.add_argument("-s", "--sdist", action="store_true", help="of a release, verify the sdist")
    kind.add_argument(
        "-w", "--wheel", action="store_true", help="of a release, verify a wheel (default, if one is for this Python)"
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument("--file", metavar="NAME", default="", help="of a release, verify the file of that name")
    which.add_argument("--all", action="store_true", help="of a release, verify every file")
    which.add_argument("--tag", default="", help="of a release, verify a wheel with that tag (cp312-*-manylinux*)")
    group.add_argument("--jobs", metavar="N", type=_count, help="of a list, so many at once (default: all CPUs)")
    group.add_argument(
        "--state", metavar="DIR", type=Path, help="of a list, keep what was verified there, and go on from it"
    )


def _add_source(group: argparse._ArgumentGroup) -> None:
    """Add what names the source, and the record, which has a source, too."""
    group.add_argument("--source", metavar="SRC", help="the source: a tree, an sdist, or GIT-URL-OR-DIR@REF")
    group.add_argument(
        "--from-vcs",
        action="store_true",
        help="the source is the commit that it was published from, as attestations or the tags of its repository say; "
        "its sdist has to come from that, too",
    )
    group.add_argument("--from", dest="record", metavar="RECORD", type=Path, help="rebuild exactly as recorded there")
    group.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="of --from: it is signed with that public key",
    )
    group.add_argument("--identity", metavar="WHO", default="", help="of --from: it is signed by WHO, by sigstore")
    group.add_argument("--issuer", metavar="URL", default="", help="with --identity: who vouches for that")


def _add_build(group: argparse._ArgumentGroup) -> None:
    """Add what is known of the build, and limits of rebuilds."""
    group.add_argument("--python", metavar="X.Y|PATH", help="build with that interpreter")
    group.add_argument("--locked", metavar="FILE", type=Path, help="with the build requirements of that pylock.toml")
    group.add_argument(
        "-C", "--config-setting", metavar="KEY[=VALUE]", action="append", default=[], help="passed to the backend"
    )
    group.add_argument(
        "--env", metavar="NAME=VALUE", action="append", default=[], help="a variable that the release was made with"
    )
    add_installer_option(group)
    group.add_argument(
        "--image",
        metavar="NAME",
        nargs="?",
        const="",
        help="rebuild wheels for manylinux and musllinux in a container image (default: that of their tag)",
    )
    group.add_argument(
        "--engine", metavar="PROGRAM", default="", help="the container engine (default: podman, else docker)"
    )
    group.add_argument(
        "--attempts",
        metavar="N",
        type=_attempts,
        default=3,
        help="build up to so many times more, as the file shows that it may have been built, where the first build "
        "gives something else (default: 3)",
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=3600.0,
        help="end a build that takes longer (default: 3600)",
    )


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    """Add what is reported where, and which verdict is good enough."""
    group.add_argument("-o", "--output", metavar="DIR", type=Path, help="directory for the rebuilt file")
    group.add_argument("--provenance", metavar="FILE", type=Path, help="write a record of the rebuild (SLSA)")
    add_sign(group)
    group.add_argument("--json", action="store_true", help="print one JSON document")
    group.add_argument("--html", metavar="FILE", type=Path, help="write an HTML page")
    group.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML")
    group.add_argument(
        "--accept",
        choices=("identical", "normalized", "payload"),
        default="normalized",
        help="the verdict that is needed for status 0 (default: normalized)",
    )


def run(args: argparse.Namespace) -> int:
    """Verify, and report the verdicts."""
    from ...building.builder import without_warnings_of_backends
    from .published import release_named
    from .remake import VerifyContext

    _part_image(args)
    if args.file and not args.targets:
        args.targets = [release_named(args.file)]
    _check_options(args)
    sign = sign_of(args)
    # What backend and pip print meanwhile would run into a line that is rewritten.
    environ = {**os.environ, "TERM": "dumb"} if args.verbosity >= VERBOSE else os.environ
    progress = Progress(sys.stderr, environ, quiet=args.verbosity <= QUIET)
    with progress, without_warnings_of_backends():
        context = VerifyContext(context_of(args.verbosity, progress, args.timeout), _index(), installer=args.installer)
        if _is_of_lists(args):
            return _run_many(args, context, progress)
        from .verify import verify_all

        results = list(verify_all(_requests(args), context))
    return _report(args, results, sign)


def _part_image(args: argparse.Namespace) -> None:
    """Take what follows ``--image`` for something to verify, where it cannot be the name of an image, or nothing is."""
    is_lone = not (args.targets or args.requirement or args.record)
    is_target = args.image and ("==" in args.image or args.image.endswith((".whl", ".tar.gz")))
    if is_target or (args.image and (is_lone or Path(args.image).exists())):
        args.targets, args.image = [args.image, *args.targets], ""
    if args.image is not None and args.installer == UV:
        raise UsageError("--installer uv is for this machine: an image has pip", remedy="Leave one of them out.")
    if args.engine and args.image is None:
        raise UsageError("--engine is for --image", remedy="Give --image as well, or leave it away.")


def _is_of_lists(args: argparse.Namespace) -> bool:
    """Return whether something is named that has many entries."""
    from .targets import is_list

    # Looked at all of them: each may be a mistake.
    named = [is_list(target) for target in args.targets]
    is_list_there = bool(args.requirement or args.all or any(named))
    for name in ("jobs", "state"):
        if getattr(args, name) and not is_list_there:
            raise UsageError(f"--{name} is for lists of releases", remedy="Name a lock file, an environment, or --all.")
    for name in ("source", "provenance"):
        if getattr(args, name) and is_list_there:
            raise UsageError(f"--{name} is for one release, and a list is named", remedy="Verify them one by one.")
    return is_list_there


def _run_many(args: argparse.Namespace, context: VerifyContext, progress: Progress) -> int:
    """Verify all entries of what is named, and report them as a table."""
    from samebytes.cores import available

    from .many import VerifyState, verify_many

    progress.show("Reading what is to be verified")
    targets, notes = _targets(args, context)
    if notes and args.verbosity > QUIET:
        progress.clear()
        sys.stderr.writelines(harmless(f"samebytes: note: {note}") + "\n" for note in notes)
    state = VerifyState(args.state, _circumstances(context)) if args.state else None
    rows: dict[int, VerifyRow] = {}
    try:
        for step in verify_many(targets, context, min(args.jobs or available(), len(targets) or 1), state):
            where = f"[{len(rows) + (step.row is not None)}/{len(targets)}]"
            if step.row is None:
                progress.show(f"{where} {step.label}: {step.text}")
                continue
            rows[step.number] = step.row
            kept = " (as before)" if step.row.is_kept else ""
            progress.step(f"{where} {step.label}: {step.row.outcome}{kept}")
    except (KeyboardInterrupt, Interrupted, OutputError):
        progress.clear()
        _show_unfinished(args, [rows[number] for number in sorted(rows)], len(targets))
        raise
    progress.clear()
    return _report_many(args, [rows[number] for number in sorted(rows)])


def _show_unfinished(args: argparse.Namespace, rows: Sequence[VerifyRow], number: int) -> None:
    """Print the *rows* that are there of a *number* of entries: they may be hours of work."""
    from . import table

    # Documents for programs are whole or not there.
    if not rows or args.json or args.verbosity <= QUIET:
        return
    for line in table.lines(rows, style_of(sys.stdout), args.accept, verbose=args.verbosity >= VERBOSE):
        print(line)
    kept = "" if args.state else " --state DIR keeps them for the next run."
    print(f"{len(rows):,} of {number:,} entries were reached.{kept}", flush=True)


def _circumstances(context: VerifyContext) -> dict[str, object]:
    """Return what decides on verdicts beside the command line: which file pip would take here, and how it is built."""
    from ...building.provenance import this_python
    from .verify import inherited

    python, variables = this_python(), inherited(context.build.environ)
    found = {"samebytes": __version__, "index": context.index().address, "variables": variables}
    return {**found, "python": [python.implementation, python.short, python.version, python.platform]}


def _targets(args: argparse.Namespace, context: VerifyContext) -> tuple[list[VerifyTarget], list[str]]:
    """Return all that is named, entry by entry, and notes on what of lists is not honoured."""
    from ...building.interpreters import named
    from ...building.provenance import this_python
    from . import targets
    from .targets import VerifyTarget

    common = _common(args)
    python = named(args.python, os.environ) if args.python else this_python()
    found: list[VerifyTarget] = []
    notes: list[str] = []

    def add(path: Path) -> None:
        entries, said = targets.of_list(path, common, python, os.environ)
        found.extend(entries)
        notes.extend(said)

    for path in args.requirement:
        add(path)
    for target in args.targets:
        if args.all:
            found += targets.of_all_files(target, common, python, context.index)
        elif targets.is_list(target):
            add(Path(target))
        else:
            found.append(VerifyTarget(target, replace(common, target=target)))
    return found, notes


def _common(args: argparse.Namespace) -> VerifyRequest:
    """Return what the command line asks of everything that is verified."""
    from ...releases.selection import Selection
    from .image import ImageRequest
    from .verify import VerifyRequest

    return VerifyRequest(
        target="",
        selection=Selection(
            kind=ArtifactKind.SDIST if args.sdist else ArtifactKind.WHEEL if args.wheel else None,
            file=args.file,
            tag=args.tag,
        ),
        source=args.source or "",
        from_vcs=args.from_vcs,
        python=args.python or "",
        locked=args.locked,
        config_settings=settings_of(args.config_setting),
        variables=_variables(args.env),
        record=args.record,
        trust=_trust(args),
        output=args.output,
        image=None if args.image is None else ImageRequest(args.image, args.engine),
        attempts=args.attempts,
    )


def _trust(args: argparse.Namespace) -> Trust:
    """Return whose signatures of the record count."""
    from ...building.signatures import Trust

    given = [f"--{name}" for name in ("key", "identity", "issuer") if getattr(args, name)]
    if given and not args.record:
        raise UsageError(f"{given[0]} is for the record of --from", remedy="Add --from RECORD.")
    if bool(args.identity) != bool(args.issuer):
        raise UsageError(
            "--identity and --issuer go together", remedy="Anybody can have an identity of some provider: name both."
        )
    if args.key and args.identity:
        raise UsageError("--key and --identity exclude each other", remedy="A record is signed in one of two ways.")
    return Trust(tuple(args.key), args.identity, args.issuer)


def _requests(args: argparse.Namespace) -> list[VerifyRequest]:
    """Return what the command line asks for."""
    from .verify import requests_of

    common = _common(args)
    if args.targets:
        requests = [replace(common, target=target) for target in args.targets]
    else:
        requests = requests_of(args.record, common)
    if args.provenance and len(requests) != 1:
        raise UsageError("a record is of one rebuild, and several are to be verified", remedy="Verify them one by one.")
    return requests


def _variables(given: Sequence[str]) -> dict[str, str]:
    """Return the variables that ``--env`` gives.

    :raises UsageError: if one is not NAME=VALUE, or not for a build.
    """
    from ...building.provenance import check_variable

    found = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark:
            raise UsageError(f"--env {text} is not NAME=VALUE", remedy=f"Write --env {name}=VALUE.")
        check_variable(name)
        found[name] = value
    return found


def _check_options(args: argparse.Namespace) -> None:
    if not (args.targets or args.record or args.requirement):
        raise UsageError("there is nothing to verify", remedy="Name a file, NAME==VERSION, a list, or --from RECORD.")
    if args.record and (args.requirement or args.all):
        raise UsageError("--from is for what its record is of", remedy="Leave -r or --all away.")
    if (args.file or args.tag) and len(args.targets) != 1:
        raise UsageError("--file and --tag choose among the files of one release", remedy="Name one release.")
    if args.from_vcs and (args.source or args.record):
        other = "--source" if args.source else "--from"
        raise UsageError(f"--from-vcs and {other} exclude each other", remedy="Each of them names the source.")
    for name in ("locked", "config_setting", "env"):
        if args.record and getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--from and {option} exclude each other", remedy="A record has its own.")
    for name in ("provenance", "html", "junit"):
        path = getattr(args, name)
        if path and not path.resolve().parent.is_dir():
            raise UsageError(f"the directory of {path} does not exist", remedy="Make it first.")
        # Before what takes hours.
        if path and (path.is_dir() or not os.access(path.resolve().parent, os.W_OK)):
            problem = f"--{name} {path}: {'is a directory' if path.is_dir() else 'its directory cannot be written to'}"
            raise UsageError(problem, remedy="Name a file in a directory that can be written to.")


def _index() -> Callable[[], Index]:
    """Return what gives the package index, which is only looked for when it is needed."""

    # Configured once, as that may run pip; pages are kept by the Index itself.
    @cache
    def index() -> Index:
        from ...index.client import Index

        return Index.configured(os.environ)

    return index


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    # Also refuses nan and inf.
    if not 0 < seconds < 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _attempts(text: str) -> int:
    return 0 if re.fullmatch(r"0+", text) else _count(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _status(rows: Sequence[VerifyRow], accept: str) -> int:
    """Return the highest error's status, else whether all verdicts are good enough."""
    # Before verdicts: what could not be verified must not pass for equal because the rest is.
    errors: list[int] = [row.result["error"]["exit_status"] for row in rows if row.result["error"]]
    if errors:
        return max(errors)
    verified = [row for row in rows if row.verdict is not None]
    return exit_status.FINE if all(row.is_good(accept) for row in verified) else exit_status.FINDINGS


def _report_many(args: argparse.Namespace, rows: Sequence[VerifyRow]) -> int:
    """Report *rows* as they are asked for, and return the exit status."""
    from ...reporting.save import save
    from . import report, table

    status = _status(rows, args.accept)
    # What took hours is shown whether or not a file can be written.
    with ExitStack() as after:
        if args.junit:
            after.callback(lambda: save(table.as_junit(rows, args.accept), args.junit))
        if args.html:
            after.callback(lambda: save(table.as_page(rows, version=__version__, accept=args.accept), args.html))
        if args.json:
            print(report.as_json(rows, version=__version__, accept=args.accept, exit_status=status))
        elif args.verbosity > QUIET:
            for line in table.lines(rows, style_of(sys.stdout), args.accept, verbose=args.verbosity >= VERBOSE):
                print(line)
    return status


def _report(args: argparse.Namespace, results: Sequence[VerifyResult], sign: Sign | None) -> int:
    """Report *results* as they are asked for, and return the exit status."""
    from samebytes.console.style import error_lines

    from ...building.provenance import text
    from ...reporting.difference_tree import View, branches_for
    from ...reporting.save import save
    from .report import as_json, as_page, lines, row_of
    from .table import as_junit

    rows = [row_of(result) for result in results]
    status = _status(rows, args.accept)

    def keep_record() -> None:
        verified = results[0].verified
        if args.provenance and verified is not None:
            made = text(verified.record)
            for path, written in (sign(made, args.provenance) if sign else {args.provenance: made}).items():
                save(written, path)

    # As with lists: it is shown in any case.
    with ExitStack() as after:
        if args.junit:
            after.callback(lambda: save(as_junit(rows, args.accept), args.junit))
        if args.html:
            after.callback(lambda: save(as_page(results, version=__version__), args.html))
        after.callback(keep_record)
        if args.json:
            print(as_json(rows, version=__version__, accept=args.accept, exit_status=status))
            return status
        for result in results:
            if result.error is not None:
                # With one target the message names it already.
                message = result.error.message if len(results) == 1 else f"{result.target}: {result.error.message}"
                print("\n".join(error_lines(message, result.error.remedy, style_of(sys.stderr))), file=sys.stderr)
        if args.verbosity > QUIET:
            view = View(style_of(sys.stdout), args.verbosity >= VERBOSE, branches_for(sys.stdout.encoding or ""))
            for line in lines(results, view):
                print(line)
    return status
