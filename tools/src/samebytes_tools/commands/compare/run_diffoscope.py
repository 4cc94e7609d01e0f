"""diffoscope, where it is installed: what it says of two files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from samebytes.console import programs
from samebytes.errors import MissingExtraError

from ...building.processes import Runner, TooLate

TIMEOUT = 300.0
"""Seconds for a pair of files."""
MOST = 1 << 18
"""Bytes of a report."""

_OPTIONS = (
    "--no-progress",
    "--text-color=never",
    f"--max-text-report-size={MOST}",
    "--exclude-directory-metadata=yes",
)
_SAME, _DIFFERENT = 0, 1


def find(environ: Mapping[str, str]) -> str:
    """Return the path of diffoscope, as ``PATH`` in *environ* has it.

    :raises MissingExtraError: if it is not installed.
    """
    program = programs.find("diffoscope", environ)
    if program is None:
        raise MissingExtraError(
            "--diffoscope needs the program diffoscope, and there is none in PATH",
            remedy="Install it ('apt install diffoscope-minimal', 'pip install diffoscope'), or leave the option away.",
        )
    return str(program)


def report(program: str, directory: Path, left: str, right: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what *program* says of the files *left* and *right* in *directory*, a private one; also if it fails."""
    out, log = directory / "report", directory / "log"
    command = [program, *_OPTIONS, f"--text={out}", left, right]
    try:
        status = Runner(log, seconds=TIMEOUT).run(command, cwd=directory, environ=environ)
    except TooLate:
        return (f"diffoscope was ended after {TIMEOUT:g} seconds",)
    except OSError as error:
        return (f"diffoscope cannot be run: {error.strerror}",)
    if status not in (_SAME, _DIFFERENT):
        return (f"diffoscope failed with status {status}", *_lines(log)[-5:])
    return _lines(out) or ("diffoscope found no difference",)


def _lines(file: Path) -> tuple[str, ...]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    return tuple(data.decode("utf-8", "backslashreplace").splitlines())
