"""``-v`` and ``-q``, the same on every command."""

from __future__ import annotations

import argparse

QUIET = -1
NORMAL = 0
VERBOSE = 1


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add to *parser* ``-v`` and ``-q``; the parsed ``verbosity`` is QUIET, NORMAL or VERBOSE."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "-v",
        "--verbose",
        dest="verbosity",
        action="store_const",
        const=VERBOSE,
        default=NORMAL,
        help="print details, and tracebacks of bugs",
    )
    group.add_argument("-q", "--quiet", dest="verbosity", action="store_const", const=QUIET, help="print only errors")
