"""``samebytes wrap`` and ``samebytes unwrap``: a project's pyproject.toml through samebytes, and back."""

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
samebytes, with the backend that it has now. Comments and layout are kept."""

_UNWRAP = """\
Edit pyproject.toml so that the project builds without samebytes. What
'samebytes wrap' did is undone byte for byte."""

_WRAP_EPILOG = f"""\
examples:
  samebytes wrap                        the project here
  samebytes wrap --check                is it wrapped, and rightly?
  samebytes wrap --diff                 show the change, write nothing
  samebytes wrap --diff SRC > wrap.patch
                                        for 'patch -p1' and 'git apply'

{exit_status.table(1, 2, 3, 8, 9)}

With --check, 1 says that the project is not wrapped, or that its
[build-system] requires does not name samebytes."""

_UNWRAP_EPILOG = f"""\
examples:
  samebytes unwrap                      the project here
  samebytes unwrap --diff               show the change, write nothing

{exit_status.table(2, 3, 8, 9)}"""

_NO_REQUIREMENT = '[build-system] requires does not name "samebytes": add it, or isolated builds will not find it'


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
        what = parser.add_mutually_exclusive_group() if verb == "wrap" else parser
        what.add_argument("--diff", action="store_true", help="write nothing; print the change as a patch")
        if verb == "wrap":
            what.add_argument("--check", action="store_true", help="write nothing; exit with 1 if it is not so already")
        add_verbosity(parser)
        parser.set_defaults(run=run, verb=verb)


def run(args: argparse.Namespace) -> int:
    """Wrap or unwrap, as ``args.verb`` says."""
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
        _tell(args, rewiring)
    return exit_status.FINE


def _check(args: argparse.Namespace) -> int:
    """Say what is not as ``wrap`` would have it."""
    from .wrapped import examine

    rewiring = examine(args.source)
    subject, backend = harmless(str(rewiring.path)), harmless(rewiring.backend)
    if rewiring.changes:
        finding = f"{subject}: {backend} does not build through samebytes (to change that: {_wrap_command(args)})"
    elif not rewiring.requires_samebytes:
        finding = f"{subject}: {_NO_REQUIREMENT}"
    else:
        if args.verbosity > QUIET:
            print(f"{style_of(sys.stdout).bold(subject)}: {backend} builds through samebytes")
        return exit_status.FINE
    if args.verbosity > QUIET:
        print(finding)
    return exit_status.FINDINGS


def _wrap_command(args: argparse.Namespace) -> str:
    return f"samebytes wrap{_argument(args.source)}"


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
        lines.append(style.notable(f"note: {_NO_REQUIREMENT}"))
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
