"""The options for what a CI service shows of a run, Markdown and annotations, which several commands share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from samebytes.errors import UsageError

if TYPE_CHECKING:
    from .annotations import Annotation

_STDOUT = "-"
_OPTIONS = ("markdown", "annotations")


def add_ci_arguments(group: Any) -> None:
    """Add ``--markdown`` and ``--annotations`` to *group*, a parser or a group of its arguments."""
    group.add_argument(
        "--markdown",
        metavar="FILE",
        type=Path,
        help="write a short report as Markdown, such as to $GITHUB_STEP_SUMMARY ('-': print it instead)",
    )
    group.add_argument(
        "--annotations",
        metavar="FILE",
        type=Path,
        help="write what differs as annotations for GitHub ('-': print them, in a workflow's log)",
    )


def is_stdout(target: Path | None) -> bool:
    """Return whether *target* stands for standard output."""
    return str(target) == _STDOUT


def check_ci_arguments(args: argparse.Namespace) -> None:
    """Refuse at once what could not be written after all the work.

    :raises UsageError: if a directory is missing, or two documents would be printed.
    """
    for name in _OPTIONS:
        path = getattr(args, name)
        if is_stdout(path) and args.json:
            raise UsageError(f"--json and --{name} - are both to be printed", remedy=f"Name a file after --{name}.")
        if path and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: there is no such directory", remedy="Make it first, or name another place.")


def write_ci(
    args: argparse.Namespace,
    document: Callable[[], str],
    annotations: Callable[[Callable[[Path], str]], Sequence[Annotation]],
    environ: Mapping[str, str],
    out: TextIO,
) -> None:
    """Write what *args* ask for: what *document* returns, and *annotations* for paths as the checkout has them.

    What is to be printed goes to *out*, annotations last.

    :raises OutputError: if a file cannot be written.
    """
    from .annotations import lines
    from .save import save_summary

    def put(text: str, target: Path) -> None:
        if is_stdout(target):
            out.write(text)
        else:
            save_summary(text, target, environ)

    if args.markdown is not None:
        put(document(), args.markdown)
    if args.annotations is not None:
        # The runner takes files for relative to the checkout, wherever a step runs.
        checkout = environ.get("GITHUB_WORKSPACE", "")
        found = annotations(lambda path: _relative(path, checkout))
        put("".join(f"{line}\n" for line in lines(found)), args.annotations)


def _relative(path: Path, checkout: str) -> str:
    if checkout and path.absolute().is_relative_to(checkout):
        path = path.absolute().relative_to(checkout)
    return os.path.normpath(path).replace(os.sep, "/")
