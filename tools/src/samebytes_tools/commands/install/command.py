"""``samebytes install``: wheels laid out so that two installs are the same bytes."""

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

from ..tree.compiling import add_compiling, compiler_for, given_date, levels_of, venv_python

if TYPE_CHECKING:
    from ..tree.places import Places
    from .install import Installed, Options

_KINDS = ("posix", "win-amd64", "win-arm64", "win-ia32")

_DESCRIPTION = """\
Install wheels so that the same wheels give the same tree, byte for byte and
time for time: nothing of the machine, the day or the user is in it. No
dependencies are resolved, and nothing is fetched or built. All is installed,
or nothing."""

_EPILOG = f"""\
The date is that of --date, else SOURCE_DATE_EPOCH, else that of the wheels'
members if they all have the same, else 2020-02-02T00:00:00Z.

examples:
  samebytes install wheels/ --target build/lib
  samebytes install *.whl --venv .venv
  samebytes install wheels/ --root image --prefix /usr --python python3.12
  samebytes install wheels/ --target package --layout /var/task
                                                  it will lie there

{exit_status.table(2, 3, 4, 5, 8, 9, exit_status.RECORD_REBUILT, exit_status.INTERRUPTED, exit_status.TERMINATED)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "install",
        help="install wheels, the same bytes every time",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("wheels", metavar="WHEEL|DIR", nargs="+", type=Path, help="a wheel, or a directory with wheels")
    parser.add_argument("--target", metavar="DIR", type=Path, help="all into one directory, scripts into its bin")
    parser.add_argument("--venv", metavar="DIR", type=Path, help="into a virtual environment that is there already")
    parser.add_argument("--root", metavar="DIR", type=Path, help="into the file system that will have this root")
    parser.add_argument("--prefix", metavar="PATH", help="below this path of it, such as /usr (default: PYTHON's own)")
    parser.add_argument("--layout", metavar="PATH", help="where --target or --venv will lie, if that is elsewhere")
    parser.add_argument(
        "--scripts", choices=_KINDS, default=_default_kind(), help="of what kind they are (default: %(default)s)"
    )
    add_compiling(parser, "the environment's own, else the one that runs samebytes", "0")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def _default_kind() -> str:
    if os.name != "nt":
        return "posix"
    import sysconfig

    return {"win-arm64": "win-arm64", "win32": "win-ia32"}.get(sysconfig.get_platform(), "win-amd64")


def run(args: argparse.Namespace) -> int:
    """Install."""
    from .install import find_wheels, install
    from .tags import refuse_unfit

    _demand_one_place(args)
    wheels = find_wheels(args.wheels)
    date, source = given_date(args.date)
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        progress.show(f"installing {len(wheels)} wheels")
        places = _places(args)
        refuse_unfit(wheels, places.implementation, places.version, places.abi)
        options = _options(args, places, date)
        compiler = None if args.pyc == "none" else compiler_for(places, args.pyc, args.jobs)
        installed = install(wheels, options, compiler)
    return _report(args, installed, source)


def _demand_one_place(args: argparse.Namespace) -> None:
    places = [args.target, args.venv, args.root or args.prefix]
    if sum(place is not None for place in places) != 1:
        raise UsageError(
            "there must be one place to install into", remedy="Give --target, or --venv, or --root and --prefix."
        )
    if args.layout is not None and (args.root or args.prefix):
        raise UsageError("--layout has no meaning with --root and --prefix", remedy="Use --root: it will be /.")
    for option, path in (("--layout", args.layout), ("--prefix", args.prefix)):
        if path is not None and not path.startswith("/"):
            raise UsageError(f"{option}: {path!r} is not absolute", remedy="Give the whole path.")


def _places(args: argparse.Namespace) -> Places:
    """Ask the interpreter that things are installed for."""
    from ..tree.places import ask

    if args.venv is None:
        return ask(args.python or sys.executable, args.prefix or "")
    python = venv_python(args.venv)
    if not python.exists():
        raise UsageError(
            f"{args.venv}: there is no virtual environment",
            remedy=f"Make one first: python -m venv --without-pip {args.venv}",
        )
    return ask(args.python or str(Path.cwd() / python))


def _options(args: argparse.Namespace, places: Places, date: int | None) -> Options:
    from .install import Options
    from .scheme import TARGET, beneath_top

    top = Path(os.path.realpath(args.target or args.venv or args.root or args.prefix))
    executable, scheme = places.executable, TARGET
    final = "/" if args.root is not None else args.layout or args.prefix or str(top)
    if args.venv is not None:
        executable = str(venv_python(Path(final)))
        scheme = beneath_top(places.paths, places.prefix)
    elif args.target is None:
        scheme = beneath_top(places.paths, final)
    levels = levels_of(args)
    return Options(
        top=top,
        final=final,
        scheme=scheme,
        executable=args.executable or executable,
        script_kind=args.scripts,
        date=date,
        levels=(0,) if levels is None else levels,
        rebuild_record=args.rebuild_record,
        jobs=args.jobs,
    )


def _report(args: argparse.Namespace, installed: Installed, source: str) -> int:
    from .report import document, lines

    rebuilt = any(laid.mismatches for laid in installed.wheels)
    status = exit_status.RECORD_REBUILT if rebuilt else exit_status.FINE
    told = {"given": source, "members": "the members' own"}.get(installed.date_source, "constant")
    if args.json:
        print(document(installed, told, version=__version__, exit_status=status))
    elif args.verbosity > QUIET:
        for line in lines(installed, told, style_of(sys.stdout), verbose=args.verbosity >= VERBOSE):
            print(line)
    return status
