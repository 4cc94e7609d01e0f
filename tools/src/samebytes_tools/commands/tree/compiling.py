"""Options about dates, compiled modules and scripts, which ``install`` and ``tree fix`` share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from samebytes.commands.normalize.command import add_jobs
from samebytes.epoch import from_environment, parse_date_option

MODES = ("checked-hash", "unchecked-hash", "none")


def add_compiling(parser: argparse.ArgumentParser, python: str, levels: str) -> None:
    """Add the options to *parser*; *python* and *levels* describe their defaults."""
    parser.add_argument("--date", metavar="DATE", help="date: seconds since 1970, or such as 2020-02-02T00:00:00Z")
    parser.add_argument("--python", metavar="PYTHON", help=f"interpreter that compiles (default: {python})")
    parser.add_argument(
        "--pyc",
        choices=MODES,
        default=MODES[0],
        help="how Python finds that a compiled module is stale: by the hash of its source (default), or never; none: "
        "no compiled modules",
    )
    parser.add_argument(
        "--optimize",
        metavar="LEVEL",
        type=int,
        choices=(0, 1, 2),
        action="append",
        help=f"compile at this level: 0, 1 or 2 (repeatable; default: {levels})",
    )
    parser.add_argument("--executable", metavar="PATH", help="interpreter in the first line of scripts")
    parser.add_argument("--rebuild-record", action="store_true", help="replace a RECORD that contradicts its files")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_jobs(parser)


def given_date(option: str | None) -> tuple[int | None, str]:
    """Return the date given by *option* or SOURCE_DATE_EPOCH, None if neither gives one, and the name of its source."""
    if option is not None:
        return parse_date_option(option), "--date"
    return from_environment(os.environ), "SOURCE_DATE_EPOCH"


def levels_of(args: argparse.Namespace) -> tuple[int, ...] | None:
    """Return the levels of optimization in *args*; None if there are none, () for no compiled modules at all."""
    if args.pyc == "none":
        return ()
    return None if args.optimize is None else tuple(sorted(set(args.optimize)))


def venv_python(directory: Path) -> Path:
    """Return the interpreter of the virtual environment *directory*."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
