"""Which program installs build requirements."""

from __future__ import annotations

import argparse

AUTO, PIP, UV = "auto", "pip", "uv"


def add_installer_option(parser: argparse._ActionsContainer) -> None:
    """Add ``--installer`` to *parser*."""
    parser.add_argument(
        "--installer",
        choices=(AUTO, PIP, UV),
        default=AUTO,
        help="what installs build requirements (default: auto, uv where it does what pip would, else pip)",
    )
