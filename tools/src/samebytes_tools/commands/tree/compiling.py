"""Options about compiled modules, and the interpreter that makes them: what ``install`` and ``tree fix`` share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import cores
from samebytes.commands.normalize.command import number_of_jobs
from samebytes.epoch import from_environment, parse_date_option

if TYPE_CHECKING:
    from .bytecode import Compiler
    from .places import Places

MODES = ("checked-hash", "unchecked-hash", "none")


def add_compiling(parser: argparse.ArgumentParser, python: str, levels: str) -> None:
    """Give *parser* the options; *python* and *levels* say what their defaults are."""
    parser.add_argument("--date", metavar="DATE", help="the date: seconds since 1970, or such as 2020-02-02T00:00:00Z")
    parser.add_argument("--python", metavar="PYTHON", help=f"the interpreter that compiles (default: {python})")
    parser.add_argument(
        "--pyc",
        choices=MODES,
        default=MODES[0],
        help="what decides that a compiled module is stale: its source's hash (default), or nothing; or make none",
    )
    parser.add_argument(
        "--optimize",
        metavar="LEVEL",
        type=int,
        choices=(0, 1, 2),
        action="append",
        help=f"compile at this level: 0, 1 or 2 (repeatable; default: {levels})",
    )
    parser.add_argument("--executable", metavar="PATH", help="what scripts are run by, in their first line")
    parser.add_argument("--rebuild-record", action="store_true", help="replace a RECORD that contradicts its files")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=number_of_jobs,
        default=cores.available(),
        help="number of parallel jobs (default: all CPUs)",
    )


def given_date(option: str | None) -> tuple[int | None, str]:
    """Return the date that is given, if any is, and by what."""
    if option is not None:
        return parse_date_option(option), "--date"
    return from_environment(os.environ), "SOURCE_DATE_EPOCH"


def levels_of(args: argparse.Namespace) -> tuple[int, ...] | None:
    """Return the levels that *args* ask for; None where they say nothing, none at all for no compiled modules."""
    if args.pyc == "none":
        return ()
    return None if args.optimize is None else tuple(sorted(set(args.optimize)))


def venv_python(directory: Path) -> Path:
    """Return the interpreter of the virtual environment *directory*."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def compiler_for(places: Places, mode: str, jobs: int) -> Compiler:
    """Return what compiles for an interpreter.

    :param mode: ``checked-hash`` or ``unchecked-hash``.
    """
    from .compiler import Compiler

    return Compiler(places.executable, mode, jobs)
