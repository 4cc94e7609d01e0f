"""``samebytes tree``: make installed trees canonical in place, and print their digests."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import __version__
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import UsageError

from .compiling import MODES, add_compiling, given_date, levels_of, venv_python

if TYPE_CHECKING:
    from .compiler import Compiler
    from .fix import Fixed

_DESCRIPTION = """\
Make trees of installed packages canonical, and digest them: virtual
environments, --target directories, site-packages in an unpacked image."""

_EPILOG = f"""\
examples:
  samebytes tree fix .venv            make canonical what pip or uv installed
  samebytes tree digest .venv         one digest of all that is in it

{exit_status.table()}

See 'samebytes tree COMMAND --help' for each."""

_FIX = """\
Make what pip or uv installed canonical in place: compiled modules, modes,
times, RECORDs (checked against the files first), and what each installer adds.
Two installs of the same wheels are the same bytes afterwards."""

_FIX_EPILOG = f"""\
The date is that of --date, else SOURCE_DATE_EPOCH, else 2020-02-02T00:00:00Z.

examples:
  samebytes tree fix .venv
  samebytes tree fix --check build/lib            report what would change
  samebytes tree fix --root IMAGE IMAGE/usr/lib/python3.12/site-packages
  samebytes tree fix --layout /var/task package   it will be at /var/task
  samebytes tree fix --layout /opt/app .venv      so will scripts and activate

{exit_status.table(2, 3, 4, 5, 8, exit_status.RECORD_REBUILT, exit_status.INTERRUPTED, exit_status.TERMINATED)}

With --check, 1 means that something would change."""

_DIGEST = """\
Print one SHA-256 of all names, modes, times, link targets and contents in a
directory. It is the digest of the directory's canonical tar, which --tar
writes, and the same on every machine."""

_DIGEST_EPILOG = f"""\
examples:
  samebytes tree digest .venv
  samebytes tree digest --tar layer.tar root      also write root as a tar

{exit_status.table(2, 4, 8)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its two verbs to *subparsers*."""
    parser = subparsers.add_parser(
        "tree", help="make installed packages canonical; digest a tree", description=_DESCRIPTION, epilog=_EPILOG
    )

    def show_help(_: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        # As argparse does for a missing argument; exit status 0 would hide it from scripts.
        return UsageError.exit_status

    parser.set_defaults(run=show_help)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", dest="verb")
    _add_fix(verbs)
    _add_digest(verbs)


def _add_fix(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "fix", help="make what pip or uv installed canonical", description=_FIX, epilog=_FIX_EPILOG
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the directory that was installed into")
    parser.add_argument("--check", action="store_true", help="write nothing; report what would change")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--root", metavar="ROOT", type=Path, default=Path("/"), help="the directory that will be / (default: /)"
    )
    place.add_argument("--layout", metavar="PATH", help="where DIR will be, if that is elsewhere")
    add_compiling(parser, "DIR's own, else the one that runs samebytes", "0, and those that are there")
    add_verbosity(parser)
    parser.set_defaults(run=run_fix)


def _add_digest(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("digest", help="print a tree's digest", description=_DIGEST, epilog=_DIGEST_EPILOG)
    parser.add_argument("directories", metavar="DIR", nargs="+", type=Path, help="a tree")
    parser.add_argument("--tar", metavar="FILE", type=Path, help="write the canonical tar there")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_verbosity(parser)
    parser.set_defaults(run=run_digest)


def run_fix(args: argparse.Namespace) -> int:
    """Fix a tree, or check it with --check."""
    from samebytes.epoch import DEFAULT_DATE

    from .fix import FixOptions, fix

    date, source = given_date(args.date)
    options = FixOptions(
        final=_final(args),
        date=DEFAULT_DATE if date is None else date,
        levels=levels_of(args),
        # No module is left that would have it.
        mode=MODES[0] if args.pyc == "none" else args.pyc,
        executable=args.executable,
        rebuild_record=args.rebuild_record,
        relocate=args.layout is not None or args.root != Path("/"),
        write=not args.check,
    )
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        progress.show(f"{'checking' if args.check else 'fixing'} {args.directory}")
        compiler = _compiler(args)
        fixed = fix(args.directory, options, compiler)
    return _report(args, fixed, "constant" if date is None else source)


def run_digest(args: argparse.Namespace) -> int:
    """Print the digest of each tree."""
    from .digest import digest
    from .report import digest_document, digest_lines

    if args.tar is not None and len(args.directories) > 1:
        raise UsageError("--tar writes one tree, and several are named", remedy="Name one, or omit --tar.")
    digests = [digest(directory, args.tar) for directory in args.directories]
    if args.json:
        print(digest_document(digests, version=__version__))
    else:
        for each in digests:
            print("\n".join(digest_lines(each, style_of(sys.stdout), verbose=args.verbosity >= VERBOSE)))
    return exit_status.FINE


def _final(args: argparse.Namespace) -> str:
    """Return where the directory will be in the end."""
    # POSIX paths: the tree may be for another system than this.
    if args.layout is not None:
        if not args.layout.startswith("/"):
            raise UsageError(f"--layout: {args.layout!r} is not absolute", remedy="Give an absolute path.")
        return str(args.layout)
    directory, root = Path(os.path.realpath(args.directory)), Path(os.path.realpath(args.root))
    if not directory.is_relative_to(root):
        raise UsageError(f"{args.directory}: is not in {args.root}", remedy="Name the --root that it is in.")
    return "/" if directory == root else f"/{directory.relative_to(root).as_posix()}"


def _compiler(args: argparse.Namespace) -> Compiler | None:
    """Return a compiler for the tree's own Python; None if nothing is to be compiled, or that Python is not known."""
    from .bytecode import minors_of
    from .compiler import Compiler

    if args.pyc == "none":
        return None
    python = args.python
    # A virtual environment names its own interpreter (PEP 405).
    if python is None and (args.directory / "pyvenv.cfg").is_file():
        python = venv_python(args.directory)
    if python is None:
        minors = minors_of(args.directory, _final(args))
        # Compiled by another Python, its modules would never be imported.
        if minors and sys.version_info[:2] not in minors:
            names = ", ".join(f"{major}.{minor}" for major, minor in sorted(minors))
            print(
                f"samebytes: note: the tree is for Python {names}, and this is another: nothing is compiled anew\n"
                "  Name one with --python to compile what is missing.",
                file=sys.stderr,
            )
            return None
        python = sys.executable
    return Compiler(python, args.pyc, args.jobs)


def _report(args: argparse.Namespace, fixed: Fixed, date_source: str) -> int:
    from .report import finding_lines, fix_document, summary_lines

    status = exit_status.FINE
    if args.check:
        status = exit_status.FINDINGS if fixed.changes else exit_status.FINE
    elif any(note.rule == "record-verified" for note in fixed.notes):
        status = exit_status.RECORD_REBUILT
    if args.json:
        print(fix_document(fixed, date_source, check=args.check, version=__version__, exit_status=status))
    elif args.verbosity > QUIET:
        style, verbose = style_of(sys.stdout), args.verbosity >= VERBOSE
        if args.check:
            lines = finding_lines(fixed, style, verbose=verbose)
        else:
            lines = summary_lines(fixed, date_source, style, verbose=verbose)
        print("\n".join(lines))
    return status
