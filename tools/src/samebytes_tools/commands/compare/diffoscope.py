"""diffoscope, where it is installed, asked about members that a comparison knows as bytes only."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from samebytes.archive.entry import Entry
from samebytes.archive.entry import Kind as EntryKind
from samebytes.artifact.opening import open_archive
from samebytes.console import programs
from samebytes.errors import MissingExtraError, OutputError

from ...building.processes import CommandRunner, TooLate
from ...comparison.model import Comparison, Difference, NodeKind

TIMEOUT = 300.0
"""Seconds for a pair of files."""

MOST = 1 << 18
"""Bytes of a report."""

NAME = "diffoscope"
"""Of the program, and of the difference that holds its report."""

_OPTIONS = (
    "--no-progress",
    "--text-color=never",
    # A report on large binaries may have gigabytes.
    f"--max-text-report-size={MOST}",
    # The two lie in directories that were made just now.
    "--exclude-directory-metadata=yes",
)
_SAME, _DIFFERENT = 0, 1
"""Its exit statuses where nothing has failed."""

_BYTES_ONLY = frozenset({NodeKind.HEX, NodeKind.STRINGS})


class Diffoscope(NamedTuple):
    """The program, and the variables that it runs with."""

    program: str
    environ: Mapping[str, str]

    def report(self, directory: Path, left: str, right: str) -> tuple[str, ...]:
        """Return what it says of the files *left* and *right* in *directory*, a private one; also if it fails."""
        out, log = directory / "report", directory / "log"
        command = [self.program, *_OPTIONS, f"--text={out}", left, right]
        try:
            # By relative names, so that the report has no temporary path.
            status = CommandRunner(log, seconds=TIMEOUT).run(command, cwd=directory, environ=self.environ)
        except TooLate:
            return (f"diffoscope was ended after {TIMEOUT:g} seconds",)
        except OSError as error:
            return (f"diffoscope cannot be run: {error.strerror}",)
        if status not in (_SAME, _DIFFERENT):
            return (f"diffoscope failed with status {status}", *_lines(log)[-5:])
        return _lines(out) or ("diffoscope found no difference",)


def find(environ: Mapping[str, str]) -> Diffoscope:
    """Return diffoscope, as ``PATH`` in *environ* has it.

    :raises MissingExtraError: if it is not installed.
    """
    program = programs.find(NAME, environ)
    if program is None:
        raise MissingExtraError(
            "--diffoscope needs the program diffoscope, and there is none in PATH",
            remedy="Install it ('apt install diffoscope-minimal', 'pip install diffoscope'), or leave the option away.",
        )
    return Diffoscope(str(program), environ)


def _lines(file: Path) -> tuple[str, ...]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    return tuple(data.decode("utf-8", "backslashreplace").splitlines())


def deepen(comparison: Comparison, diffoscope: Diffoscope, announce: Callable[[str], None]) -> Comparison:
    """Return *comparison* with a report below each member that it shows, in whole or part, as bytes only.

    What lies in an archive in the archive is looked at with that archive.

    :param announce: takes the name of each such member before it is looked at
    :raises OutputError: if there is no room for their contents.
    """
    if not any(map(_is_bytes_only, comparison.differences)):
        return comparison
    left, right = Path(comparison.left.path), Path(comparison.right.path)
    with open_archive(left) as one, open_archive(right) as other:
        sides = [{entry.name: entry for entry in side.entries} for side in (one, other)]
        deeper = []
        for difference in comparison.differences:
            pair = [side.get(difference.name) for side in sides]
            files = [entry for entry in pair if entry is not None and entry.kind is EntryKind.FILE]
            reports: tuple[Difference, ...] = ()
            if len(files) == 2 and _is_bytes_only(difference):
                announce(difference.name)
                lines = tuple(_looked_at(files, diffoscope))
                reports = (Difference(NAME, NodeKind.TEXT, "what diffoscope says", lines),)
            deeper.append(replace(difference, children=(*difference.children, *reports)))
    return replace(comparison, differences=tuple(deeper))


def _is_bytes_only(difference: Difference) -> bool:
    """Return whether all or part of a member could be shown as bytes or embedded texts only."""
    return difference.kind is not NodeKind.CONTAINER and any(node.kind in _BYTES_ONLY for node in difference.walk())


def _looked_at(pair: Sequence[Entry], diffoscope: Diffoscope) -> Sequence[str]:
    """Return the report on two members; the files have their names, by which diffoscope knows their type."""
    name = PurePosixPath(pair[0].name).name
    try:
        with tempfile.TemporaryDirectory(prefix="samebytes-") as directory:
            private = Path(directory).resolve()
            for label, entry in zip("AB", pair):
                (private / label).mkdir()
                with (private / label / name).open("wb") as sink:
                    for chunk in entry.content.chunks():
                        sink.write(chunk)
            return diffoscope.report(private, f"A/{name}", f"B/{name}")
    except OSError as error:
        raise OutputError(
            f"{pair[0].name}: cannot be written to a temporary file: {error.strerror or error}",
            remedy="Make room, or point TMPDIR at a directory with more.",
        ) from error
