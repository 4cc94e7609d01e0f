"""``-v`` and ``-q``, the same on every command."""

from __future__ import annotations

import argparse
from typing import Any

QUIET, NORMAL, VERBOSE = -1, 0, 1


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add to *parser* ``-v`` and ``-q``; the parsed ``verbosity`` is QUIET, NORMAL or VERBOSE."""
    group = parser.add_mutually_exclusive_group()
    setting: dict[str, Any] = {"dest": "verbosity", "action": "store_const", "default": NORMAL}
    group.add_argument("-v", "--verbose", const=VERBOSE, help="print details, and tracebacks of bugs", **setting)
    group.add_argument("-q", "--quiet", const=QUIET, help="print only errors", **setting)
