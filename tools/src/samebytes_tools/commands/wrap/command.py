"""``samebytes wrap`` and ``samebytes unwrap``: make a project build through samebytes, and undo that."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes.console import exit_status
from samebytes.console.streams import style_of
from samebytes.console.style import harmless
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity

if TYPE_CHECKING:
    from .wrap import Rewiring

_WRAP = """\
Edit pyproject.toml so that every front end builds the project through
samebytes, with its present build backend. Comments and layout are kept."""

_UNWRAP = """\
Edit pyproject.toml so that the project builds without samebytes. This undoes
'samebytes wrap' byte for byte, or reports where it cannot."""

_WRAP_EPILOG = f"""\
examples:
  samebytes wrap                        wrap the project here
  samebytes wrap --check                check that it is wrapped
  samebytes wrap --diff                 show the change, write nothing
  samebytes wrap --diff SRC > wrap.patch
                                        for 'patch -p1' and 'git apply'

{exit_status.table(1, 2, 3, 8)}

With --check, 1 means that the project is not wrapped, or that its
[build-system] requires does not name samebytes."""

_UNWRAP_EPILOG = f"""\
examples:
  samebytes unwrap                      unwrap the project here
  samebytes unwrap --diff               show the change, write nothing

{exit_status.table(2, 3, 8)}"""

_NO_REQUIREMENT = '[build-system] requires does not name "samebytes": add it, or isolated builds will not find it'


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to *subparsers*."""
    wrap = subparsers.add_parser(
        "wrap", help="edit pyproject.toml to build through samebytes", description=_WRAP, epilog=_WRAP_EPILOG
    )
    unwrap = subparsers.add_parser(
        "unwrap", help="undo wrap: build without samebytes", description=_UNWRAP, epilog=_UNWRAP_EPILOG
    )
    for parser, verb in ((wrap, "wrap"), (unwrap, "unwrap")):
        parser.add_argument(
            "source", metavar="SRC", nargs="?", type=Path, default=Path(), help="the project's directory (default: .)"
        )
        what = parser.add_mutually_exclusive_group() if verb == "wrap" else parser
        what.add_argument("--diff", action="store_true", help="write nothing; print the change as a patch")
        if verb == "wrap":
            what.add_argument(
                "--check", action="store_true", help="write nothing; exit with 1 if the project is not wrapped"
            )
        add_verbosity(parser)
        parser.set_defaults(run=run, verb=verb)


def run(args: argparse.Namespace) -> int:
    """Wrap or unwrap, by ``args.verb``."""
    from . import wrap as flow

    if getattr(args, "check", False):
        return _check(args)
    rewiring = flow.wrap(args.source) if args.verb == "wrap" else flow.unwrap(args.source)
    patch = flow.diff(rewiring)
    if args.diff:
        _write(patch)
    else:
        flow.carry_out(rewiring)
        if args.verbosity >= VERBOSE:
            _write(patch)
    if args.verbosity > QUIET:
        _report(args, rewiring)
    return exit_status.FINE


def _check(args: argparse.Namespace) -> int:
    """Report whether the project is wrapped, and its configuration one that its build would accept."""
    from samebytes.backend.config import load

    from .wrap import wrap

    rewiring = wrap(args.source)
    if not rewiring.changes:
        load(args.source)  # refuses what only a build would, such as an unknown key in [tool.samebytes]
    subject, backend = harmless(str(rewiring.path)), harmless(rewiring.backend)
    finding = None
    if rewiring.changes:
        to_do = f"samebytes wrap{_argument(args.source)}"
        finding = f"{subject}: {backend} does not build through samebytes (to change that: {to_do})"
    elif not rewiring.requires_samebytes:
        finding = f"{subject}: {_NO_REQUIREMENT}"
    if args.verbosity > QUIET:
        print(finding or f"{style_of(sys.stdout).bold(subject)}: {backend} builds through samebytes")
    return exit_status.FINDINGS if finding else exit_status.FINE


def _write(patch: bytes) -> None:
    """Write bytes to stdout, because a patch of a file with CRLF, or in UTF-8, must arrive as it is."""
    # What print() has buffered must come before what goes to the buffer beneath it.
    sys.stdout.flush()
    sys.stdout.buffer.write(patch)
    sys.stdout.buffer.flush()


def _report(args: argparse.Namespace, rewiring: Rewiring) -> None:
    """Print what was done, or would be, and what comes next; on stderr where the patch is on stdout."""
    # So that `samebytes wrap --diff > wrap.patch` has the patch alone.
    stream = sys.stderr if args.diff else sys.stdout
    style = style_of(stream)
    lines = [f"{style.bold(harmless(str(rewiring.path)))}: {_outcome(args, rewiring)}"]
    if rewiring.changes and not args.diff:
        lines.append(f"next: python -m build{_argument(args.source)}")
    notes = rewiring.notes if rewiring.requires_samebytes else (_NO_REQUIREMENT, *rewiring.notes)
    lines += [style.notable(f"note: {note}") for note in notes]
    print("\n".join(lines), file=stream)


def _outcome(args: argparse.Namespace, rewiring: Rewiring) -> str:
    backend = harmless(rewiring.backend)
    if args.verb == "wrap":
        return _wrap_outcome(args, rewiring, backend)
    if not rewiring.changes:
        return f"is not wrapped: {backend} builds by itself; nothing to do"
    if rewiring.after is None:
        return f"{'would be' if args.diff else 'is'} removed, because wrap created it: setup.py builds by itself"
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
