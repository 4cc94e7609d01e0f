"""``samebytes doctor``: what is samebytes running on, and does compression come out right here?"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ... import __version__
from ...console import exit_status, programs
from ...console.streams import style_of
from ...console.style import Style
from ...console.verbosity import QUIET, add_verbosity

if TYPE_CHECKING:
    from .diagnosis import Diagnosis, Part

_DESCRIPTION = """\
Show the versions of samebytes, Python and zlib, who compresses here (the
interpreter's zlib if it gives the canonical bytes, else a stock zlib that can
be loaded, else our own encoder), why, and how fast; which extras and programs
are here, and what brings the others. Worth pasting into a report of a bug."""

_EPILOG = f"""\
examples:
  samebytes doctor
  samebytes doctor -q || echo 'not fit for work'

{exit_status.table(1)}

1 means that something here is not as samebytes needs it."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "doctor", help="show what samebytes runs on, and what is missing", description=_DESCRIPTION, epilog=_EPILOG
    )
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the diagnosis."""
    from .diagnosis import diagnose

    diagnosis = diagnose(time.process_time, os.environ)
    if args.verbosity > QUIET:
        print("\n".join(diagnosis_lines(diagnosis, style_of(sys.stdout))))
    return exit_status.FINE if diagnosis.healthy else exit_status.FINDINGS


def diagnosis_lines(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    """Yield the lines of ``samebytes doctor``."""
    import platform  # here, for --help imports every command, and needs neither
    import zlib

    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield _row("samebytes", __version__)
    yield _row("Python", f"{python} {style.dim(sys.executable)}")
    yield _row("platform", platform.platform())
    yield _row("zlib", zlib.ZLIB_RUNTIME_VERSION)
    yield _row("encoder", f"{diagnosis.encoder.provider.name}: {diagnosis.encoder.reason}")
    yield _row("compression", style.bad(diagnosis.encoder_fault) if diagnosis.encoder_fault else style.good("ok"))
    own = "" if diagnosis.is_own else f" (our own encoder: {diagnosis.own_speed:.1f} MB/s)"
    yield _row("speed", f"{diagnosis.encoder_speed:.1f} MB/s on one processor{own}")
    for part in diagnosis.core:
        yield _row(part.name, part.version if part.fits else style.bad(_unfit(part)))
    for extra, parts in diagnosis.extras.items():
        yield _row(f"[{extra}]", _extra(extra, parts, style))
    for program, path in diagnosis.programs.items():
        yield _row(program.name, str(path) if path else style.dim(programs.missing(program.name).partition(" is ")[2]))
        if path is None:
            yield _row("", style.dim(f"for {program.use}"))


def _unfit(part: Part) -> str:
    wanted = f"{part.name}{part.wanted}"
    found = f"{part.version}, and samebytes needs {wanted}" if part.version else "missing"
    return f"{found} (pip install '{wanted}')"


def _extra(extra: str, parts: Sequence[Part], style: Style) -> str:
    """Return the versions of *parts*, or what to do about the first that is not as it should be."""
    wrong = next((part for part in parts if not part.fits), None)
    if wrong is None:
        return ", ".join(f"{part.name} {part.version}" for part in parts)
    fault = f"{wrong.version} is not {wrong.wanted}" if wrong.version else "is not installed"
    return style.dim(f"{wrong.name} {fault} (pip install 'samebytes[{extra}]')")


def _row(name: str, value: str) -> str:
    return f"{name:<16} {value}"
