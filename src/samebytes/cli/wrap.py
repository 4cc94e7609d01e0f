"""``samebytes wrap`` and ``samebytes unwrap``: a project's pyproject.toml through samebytes, and back."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..report.terminal import harmless
from . import exit_status
from .terminal import style_of
from .verbosity import QUIET, VERBOSE, add_verbosity

if TYPE_CHECKING:
    from ..flows.wrap import Rewiring

_WRAP = """\
Edit pyproject.toml so that every front end builds the project through
samebytes, with the backend that it has now. Comments and layout are kept."""

_UNWRAP = """\
Edit pyproject.toml so that the project builds without samebytes. What
'samebytes wrap' did is undone byte for byte."""

_WRAP_EPILOG = f"""\
examples:
  samebytes wrap                        the project here
  samebytes wrap --diff                 show the change, write nothing
  samebytes wrap --diff SRC > wrap.patch
                                        for 'patch -p1' and 'git apply'

{exit_status.table(2, 3, 8, 9)}"""

_UNWRAP_EPILOG = f"""\
examples:
  samebytes unwrap                      the project here
  samebytes unwrap --diff               show the change, write nothing

{exit_status.table(2, 3, 8, 9)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to *subparsers*."""
    wrap = subparsers.add_parser(
        "wrap", help="edit pyproject.toml to build through samebytes", description=_WRAP, epilog=_WRAP_EPILOG
    )
    unwrap = subparsers.add_parser(
        "unwrap", help="undo wrap, byte for byte", description=_UNWRAP, epilog=_UNWRAP_EPILOG
    )
    for parser, verb in ((wrap, "wrap"), (unwrap, "unwrap")):
        parser.add_argument(
            "source", metavar="SRC", nargs="?", type=Path, default=Path(), help="the project's directory (default: .)"
        )
        parser.add_argument("--diff", action="store_true", help="write nothing; print the change as a patch")
        add_verbosity(parser)
        parser.set_defaults(run=run, verb=verb)


def run(args: argparse.Namespace) -> int:
    """Wrap or unwrap, as ``args.verb`` says."""
    from ..flows import wrap as flow

    rewiring = flow.wrap(args.source) if args.verb == "wrap" else flow.unwrap(args.source)
    patch = flow.diff(rewiring)
    if args.diff:
        _write(patch)
    else:
        flow.carry_out(rewiring)
        if args.verbosity >= VERBOSE:
            _write(patch)
    if args.verbosity > QUIET:
        _tell(args, rewiring)
    return exit_status.FINE


def _write(patch: bytes) -> None:
    """Write bytes to stdout: a patch of a file with CRLF, or one in UTF-8, must arrive as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(patch)
    sys.stdout.buffer.flush()


def _tell(args: argparse.Namespace, rewiring: Rewiring) -> None:
    """Say what was done, or would be, and what comes next; on stderr where stdout is the patch's."""
    stream = sys.stderr if args.diff else sys.stdout
    style = style_of(stream)
    subject = harmless(str(rewiring.path))
    lines = [f"{style.bold(subject)}: {_outcome(args, rewiring)}"]
    if rewiring.changes and not args.diff:
        lines.append(f"next: python -m build{_argument(args.source)}")
    if not rewiring.requires_samebytes:
        note = 'note: [build-system] requires does not name "samebytes": add it, or isolated builds will not find it'
        lines.append(style.notable(note))
    print("\n".join(lines), file=stream)


def _outcome(args: argparse.Namespace, rewiring: Rewiring) -> str:
    backend = harmless(rewiring.backend)
    if args.verb == "wrap":
        return _wrap_outcome(args, rewiring, backend)
    if not rewiring.changes:
        return f"is not wrapped: {backend} builds by itself; nothing to do"
    if rewiring.after is None:
        return f"{'would be' if args.diff else 'is'} removed, as wrap had made it: setup.py builds by itself"
    return f"{backend} {'would build' if args.diff else 'builds'} by itself"


def _wrap_outcome(args: argparse.Namespace, rewiring: Rewiring, backend: str) -> str:
    if not rewiring.changes:
        return f"is wrapped already: {backend} builds through samebytes; nothing to do"
    if args.diff:
        return f"{backend} would build through samebytes"
    undo = f"samebytes unwrap{_argument(args.source)}"
    created = "created: " if rewiring.before is None else ""
    return f"{created}{backend} builds through samebytes (undo: {undo})"


def _argument(source: Path) -> str:
    return "" if source == Path() else f" {shlex.quote(harmless(str(source)))}"
