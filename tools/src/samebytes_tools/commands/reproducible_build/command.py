"""``samebytes build``: any project, wrapped or not, built at fixed paths."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samebytes import __version__
from samebytes.artifact.layout import ArtifactKind
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import UsageError

from ...building.installers import AUTO, add_installer_option

if TYPE_CHECKING:
    from ...building.signatures import Sign
    from .artifacts import BuildResult
    from .build import BuildContext

_DESCRIPTION = """\
Build any project, wrapped or not, without changing it: a copy of it, in an
isolated environment, at paths that are the same everywhere. What comes out is
rewritten into canonical form. Without --sdist and --wheel: an sdist, and a
wheel from that sdist."""

_EPILOG = f"""\
The date is SOURCE_DATE_EPOCH, else [tool.samebytes] source-date-epoch, else
2020-02-02T00:00:00Z.

examples:
  samebytes build                       the project here, into dist/
  samebytes build --wheel -o out ../it  a wheel from the tree
  samebytes build --lock pylock.toml    and note the build requirements
  samebytes build --locked pylock.toml  with exactly those
  samebytes build --provenance it.json --sign key.pem

{exit_status.table(2, 3, 6, 7, 8, 9, exit_status.INTERRUPTED, exit_status.TERMINATED)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "build", help="build a project reproducibly", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.add_argument(
        "source", metavar="SRC", nargs="?", type=Path, default=Path(), help="the source tree (default: .)"
    )
    parser.add_argument("-s", "--sdist", action="store_true", help="build an sdist")
    parser.add_argument("-w", "--wheel", action="store_true", help="build a wheel, from the tree")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="directory for the results (default: SRC/dist)"
    )
    parser.add_argument(
        "-n", "--no-isolation", action="store_true", help="use the build requirements of this environment, install none"
    )
    parser.add_argument(
        "-x", "--skip-dependency-check", action="store_true", help="with -n: do not check that they are all installed"
    )
    parser.add_argument(
        "-C", "--config-setting", metavar="KEY[=VALUE]", action="append", default=[], help="passed to the backend"
    )
    add_installer_option(parser)
    parser.add_argument("--lock", metavar="FILE", type=Path, help="write the exact build requirements (PEP 751)")
    parser.add_argument("--locked", metavar="FILE", type=Path, help="build with exactly those of this pylock.toml")
    parser.add_argument("--build-constraint", metavar="FILE", type=Path, help="constrain the build requirements")
    parser.add_argument("--provenance", metavar="FILE", type=Path, help="write a record of the build (SLSA, in-toto)")
    add_sign(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build, and report the results."""
    from .build import BuildRequest, build

    _check_options(args)
    request = BuildRequest(
        source=args.source,
        output=_output(args),
        # In the enum's order, not that of the options.
        kinds=tuple(kind for kind in ArtifactKind if getattr(args, kind.value)),
        isolation=not args.no_isolation,
        check_dependencies=not args.skip_dependency_check,
        config_settings=settings_of(args.config_setting),
        write_lock=args.lock,
        locked=args.locked,
        constraint=args.build_constraint,
        provenance=args.provenance,
        installer=args.installer,
        sign=sign_of(args),
    )
    # What backend and pip print meanwhile would run into a line that is rewritten.
    environ = {**os.environ, "TERM": "dumb"} if args.verbosity >= VERBOSE else os.environ
    with Progress(sys.stderr, environ, quiet=args.verbosity <= QUIET) as progress:
        built = build(request, context_of(args.verbosity, progress))
    _report(args, built, request.output)
    return exit_status.FINE


def _output(args: argparse.Namespace) -> Path:
    path: Path = args.output or args.source / "dist"
    try:
        return path.absolute()  # unresolved, for links are looked at when it is written
    except FileNotFoundError:
        raise UsageError("the current directory does not exist any more", remedy="Go to one that does.") from None


def add_sign(parser: argparse._ActionsContainer) -> None:
    """Add ``--sign`` to *parser*, which has ``--provenance``."""
    parser.add_argument(
        "--sign", metavar="KEY", help="sign that record: with a private key (PEM), or 'sigstore' for that program"
    )


def sign_of(args: argparse.Namespace) -> Sign | None:
    """Return what ``--sign`` asks for, looked at before a long build.

    :raises SamebytesError: if there is nothing to sign, or the key is none.
    """
    from ...building.signatures import signer

    if args.sign and not args.provenance:
        raise UsageError("--sign signs a record, and none is written", remedy="Add --provenance FILE.")
    return signer(args.sign, os.environ) if args.sign else None


def context_of(verbosity: int, progress: Progress, seconds: float | None = None) -> BuildContext:
    """Return what a build needs of this process.

    :param seconds: the time that it may take.
    """
    from ...building.signatures import without_password
    from .build import BuildContext

    return BuildContext(
        environ=without_password(os.environ),
        report=progress.step,
        warn=lambda text: None if verbosity <= QUIET else warn(text, progress),
        show_log=lambda log: show_log(log, progress),
        verbose=verbosity >= VERBOSE,
        seconds=seconds,
    )


def warn(text: str, progress: Progress) -> None:
    """Print *text* as a warning, with the progress out of its way."""
    progress.clear()
    print(f"samebytes: {style_of(sys.stderr).notable('warning')}: {text}", file=sys.stderr)


def show_log(log: Path, progress: Progress) -> None:
    """Print all that backend and pip printed, as it is, for the reason of a failure is in there."""
    progress.clear()
    sys.stderr.flush()
    with log.open("rb") as printed:
        shutil.copyfileobj(printed, sys.stderr.buffer)
    sys.stderr.flush()


def _check_options(args: argparse.Namespace) -> None:
    for name in ("lock", "locked", "build_constraint", "provenance"):
        if args.no_isolation and getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} has no meaning with --no-isolation", remedy="Leave one of them out.")
    if args.no_isolation and args.installer != AUTO:
        raise UsageError("--installer has no meaning with --no-isolation", remedy="Leave one of them out.")
    if args.skip_dependency_check and not args.no_isolation:
        raise UsageError(
            "--skip-dependency-check has no meaning without --no-isolation", remedy="Leave it out, or add -n."
        )
    if args.locked and args.build_constraint:
        raise UsageError("--locked and --build-constraint exclude each other", remedy="Leave one of them out.")


def settings_of(given: Sequence[str]) -> dict[str, Any]:
    """Return the config settings as ``build`` does: a key given more than once has a list of values."""
    settings: dict[str, Any] = {}
    for text in given:
        key, _, value = text.partition("=")
        if key not in settings:
            settings[key] = value
        elif isinstance(settings[key], list):
            settings[key].append(value)
        else:
            settings[key] = [settings[key], value]
    return settings


def _report(args: argparse.Namespace, built: BuildResult, output: Path) -> None:
    from .report import as_json, lines, lock_lines, warning_lines

    style = style_of(sys.stdout)
    if args.json:
        print(as_json(built, output, version=__version__))
    elif args.verbosity > QUIET:
        print("\n".join(lines(built, output, style, verbose=args.verbosity >= VERBOSE)))
        if args.lock:
            print("\n".join(lock_lines(built, args.lock, style)))
    if args.verbosity > QUIET:
        for line in warning_lines(built, style_of(sys.stderr), locked=args.lock is not None):
            print(line, file=sys.stderr)
