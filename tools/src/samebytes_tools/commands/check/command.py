"""``samebytes check``: are these archives canonical? Does this source give the same bytes twice?"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import __version__
from samebytes.commands.normalize.command import add_shared_arguments, check_archives
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.style import error_lines
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import SamebytesError, UsageError

from ...building.installers import AUTO, add_installer_option
from ...reporting.ci import add_ci_arguments, is_stdout, write_ci

if TYPE_CHECKING:
    from ...building.interpreters import Python
    from ...variations.variations import Obstacle
    from ...variations.workspace import Workspace
    from .subject import CheckContext, CheckOptions, CheckResult, Subject

_DESCRIPTION = """\
Archives: check whether wheels and sdists are in canonical form. Nothing is
written. Each finding is a line: the file, a code, the member, and what is not
as it would be. The same as 'samebytes normalize --check'.

Source trees, and names on the package index: build an sdist, a wheel, and a
wheel from the sdist, twice, in two environments that differ in all that can
be varied on this machine, with the project's own backend as it is. What
differs is reported, with its cause and with what to do about it. Where the
bytes do not show the cause, up to five more builds of each kind look for it."""

_EPILOG = f"""\
The date that the members of archives should have is that of --date, else
SOURCE_DATE_EPOCH, else their own if the file is canonical on it, else
2020-02-02T00:00:00Z.

examples:
  samebytes check dist/*
  samebytes check --json dist/* > findings.json
  samebytes check .                        build the tree here, twice
  samebytes check --bisect .               and find which variation matters
  samebytes check --accept normalized .    what normalizing removes is no fault
  samebytes check --vary=-all,+umask .     with another umask, all else alike
  samebytes check --normalized idna==3.10  and what samebytes would fix
  samebytes check --list                   what is varied, and what cannot be

{exit_status.table(1, 2, 3, 4, 5, 6, exit_status.INTERRUPTED, exit_status.TERMINATED)}

Of sources: 0 all as equal as --accept asks for, 1 something differs more, 2
something could not be built.
Where some fail, the others are checked, and the status is the highest."""

# With the defaults, as argparse does not say whether an option was given.
_SOURCES_ONLY: dict[str, object] = {
    "build": False,
    "vary": [],
    "require": [],
    "normalized": False,
    "bisect": False,
    "accept": None,
    "python": [],
    "sdist": False,
    "wheel": False,
    "no_isolation": False,
    "installer": AUTO,
    "config_setting": [],
    "timeout": None,
    "keep": None,
    "logs": None,
    "html": None,
    "junit": None,
    "markdown": None,
    "annotations": None,
}
_SCREEN = 20
"""Lines of a report that are seen at once in a terminal, with the prompt and the command."""

_ARCHIVES_ONLY: dict[str, object] = {"date": None, "deflate": "canonical", "disable": [], "enable": []}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "check",
        help="check archives, or that a source builds reproducibly",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths",
        metavar="WHAT",
        nargs="*",
        help="a wheel or a .tar.gz sdist, or a directory of them; a source tree; NAME or NAME==VERSION",
    )
    add_shared_arguments(parser)
    _add_source_arguments(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options for sources")
    group.add_argument("--build", action="store_true", help="build the given sdists twice")
    group.add_argument("--list", action="store_true", help="list the variations, and which can be applied here")
    group.add_argument(
        "--vary",
        metavar="[+-]NAME,...",
        action="append",
        default=[],
        help="leave variations out (-NAME) or require them (+NAME); 'all' is each of them: --vary=-all,+time",
    )
    group.add_argument(
        "--require",
        metavar="NAME,...",
        action="append",
        default=[],
        help="fail where these cannot be varied; 'all' is each that is varied: --require time,locale",
    )
    group.add_argument("--normalized", action="store_true", help="also show what normalizing and the backend would fix")
    group.add_argument(
        "--bisect", action="store_true", help="find which variation makes each difference, by more builds"
    )
    group.add_argument(
        "--accept",
        choices=("identical", "normalized", "payload"),
        help="how equal two builds have to be for status 0; --bisect looks for what differs more (default: identical)",
    )
    group.add_argument(
        "--python",
        metavar="X",
        action="append",
        default=[],
        help="build with that interpreter: a version such as 3.12, or a path (repeatable)",
    )
    group.add_argument("-s", "--sdist", action="store_true", help="build sdists only (with -w: and wheels of the tree)")
    group.add_argument("-w", "--wheel", action="store_true", help="build wheels of the tree only")
    group.add_argument(
        "-n",
        "--no-isolation",
        action="store_true",
        help="use the interpreter's build requirements, install none",
    )
    add_installer_option(group)
    group.add_argument(
        "-C", "--config-setting", metavar="KEY[=VALUE]", action="append", default=[], help="passed to the backend"
    )
    group.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="end each build that takes longer")
    group.add_argument("--keep", metavar="DIR", type=Path, help="directory for what was built")
    group.add_argument("--logs", metavar="DIR", type=Path, help="directory for all that the builds print")
    group.add_argument("--html", metavar="FILE", type=Path, help="write an HTML page")
    group.add_argument("--junit", metavar="FILE", type=Path, help="write JUnit XML")
    add_ci_arguments(group)


def run(args: argparse.Namespace) -> int:
    """Check archives or sources, whichever it is, and report each finding."""
    # Missing under 'normalize --check', which shares this function.
    if getattr(args, "list", False):
        return _list(args)
    if not args.paths:
        raise UsageError(
            "there is nothing to check",
            remedy="Name an archive, a source tree or a project: see 'samebytes check --help'.",
        )
    # 'normalize --check' comes here with archives alone, and has no options for sources.
    sources = [_is_source(str(path), build=getattr(args, "build", None)) for path in args.paths]
    if any(sources):
        return _check_sources(args, sources)
    _demand_archives(args)
    _refuse(args, _SOURCES_ONLY, "an archive")
    return check_archives(args)


def _demand_archives(args: argparse.Namespace) -> None:
    """Refuse a directory that is neither a source tree nor one of archives, before options are held against it."""
    for path in args.paths if hasattr(args, "build") else ():
        try:
            names = os.listdir(path) if Path(path).is_dir() else None
        except OSError:  # reported where it is read
            continue
        if names is not None and not any(name.endswith((".whl", ".tar.gz")) for name in names):
            raise UsageError(
                f"{path}: no pyproject.toml or setup.py is in it, which a source tree has, and no wheels or sdists",
                remedy="Name the directory that pyproject.toml is in, or the archives.",
            )


def _is_source(text: str, *, build: bool | None) -> bool:
    """Return whether *text* is to be built; *build* is None where nothing is."""
    if build is None:
        return False
    path = Path(text)
    # Before names: a directory that is called like a project is meant itself.
    if path.is_dir():
        # Imported here and below: 'check' of archives must start as fast as 'normalize' does.
        from samebytes.artifact.layout import is_source_tree

        return is_source_tree(path)
    if path.exists():
        return build
    from ...index.releases import is_name  # it loads what networks need

    return is_name(text)


def _refuse(args: argparse.Namespace, options: dict[str, object], what: str) -> None:
    for name, default in options.items():
        if getattr(args, name, default) != default:
            raise UsageError(
                f"--{name.replace('_', '-')} has no meaning for {what}", remedy="See 'samebytes check --help'."
            )


def _check_sources(args: argparse.Namespace, sources: Sequence[bool]) -> int:
    from ...building.builder import without_warnings_of_backends
    from .sources import check_all

    if not all(sources):
        archive = args.paths[list(sources).index(False)]
        raise UsageError(
            f"{archive} is an archive, and others are sources to build",
            remedy="Check them in two runs; --build builds sdists that are given.",
        )
    _refuse(args, _ARCHIVES_ONLY, "a source")
    _check_targets(args)
    subjects, results, printed = _subjects(args), [], 0
    explained: set[str] = set()
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        checks = check_all(subjects, _options(args), _context(args, progress, subjects))
        # Closed at once on Ctrl-C; left to the garbage collector, builds would go on running.
        with without_warnings_of_backends(), closing(checks):
            for result in checks:
                # Results go to standard output, often the same terminal: a progress line would be left in front of
                # them.
                progress.clear()
                results.append(result)
                if printed:
                    print()
                printed += _print(args, result, explained)
    status = max(result.status for result in results)
    _write(args, results, status)
    if printed:
        _close(results, printed)
    return status


def _check_targets(args: argparse.Namespace) -> None:
    """Refuse at once what could not be written after all the work."""
    from ...reporting.ci import check_ci_arguments

    check_ci_arguments(args)
    for path in filter(None, (args.html, args.junit)):
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: there is no such directory", remedy="Make it first, or name another place.")
    for path in filter(None, (args.keep, args.logs)):
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is not a directory", remedy="Name another one.")


def _subjects(args: argparse.Namespace) -> list[Subject]:
    """Return each source with each interpreter; one that is missing is an error of the subject."""
    from dataclasses import replace

    from ...building import interpreters
    from .settings import settings_of
    from .subject import Form, Subject

    pythons: list[tuple[Python | None, SamebytesError | None]] = []
    for asked in args.python or [sys.executable]:
        try:
            pythons.append((interpreters.named(asked, os.environ), None))
        except SamebytesError as error:
            pythons.append((None, error))
    found = []
    # Each once: a source that is named twice would be built four times.
    for text in dict.fromkeys(args.paths):
        path = Path(text)
        form = Form.TREE if path.is_dir() else Form.SDIST if path.exists() else Form.NAME
        subject = Subject(text, form, None)
        # Not of a release: what its maintainers accept is not for who checks it to accept.
        if form is Form.TREE:
            try:
                own = settings_of(path, args.vary, args.require, args.accept)
                subject = replace(subject, accept=own.accept, choice=own.choice, note=own.note)
            except SamebytesError as error:
                found.append(replace(subject, error=error))
                continue
        found += [replace(subject, python=python, error=error) for python, error in pythons]
    return found


def _options(args: argparse.Namespace) -> CheckOptions:
    from ..reproducible_build.command import settings_of
    from .subject import FROM_SDIST, SDIST, WHEEL, CheckOptions

    chosen = tuple(kind for kind in (SDIST, WHEEL) if getattr(args, kind))
    return CheckOptions(
        kinds=chosen or (SDIST, WHEEL, FROM_SDIST),
        normalized=args.normalized,
        bisect=args.bisect,
        accept=args.accept or "identical",
        isolation=not args.no_isolation,
        installer=args.installer,
        config_settings=settings_of(args.config_setting),
        timeout=args.timeout,
        jobs=args.jobs,
        keep=args.keep,
        logs=args.logs,
    )


def _context(args: argparse.Namespace, progress: Progress, subjects: Sequence[Subject]) -> CheckContext:
    from ...index import releases
    from ...variations.variations import choice
    from .subject import CheckContext

    wanted = choice(args.vary, args.require)
    where, obstacles = _here(wanted.wanted.union(*(each.choice.wanted for each in subjects if each.choice)))
    # Several sources are built at once, and Progress is not thread-safe.
    lock, several = threading.Lock(), len(subjects) > 1

    def report(text: str) -> None:
        with lock:
            # Each begins with the name of its source.
            progress.step(text if several else text.partition(": ")[2])

    return CheckContext(
        environ=os.environ,
        workspace=where,
        vary=wanted.applicable(obstacles),
        left_out=wanted.left_out(obstacles),
        required=wanted.demanded,
        obstacles=obstacles,
        download=lambda text, python, directory: releases.sdist(text, python.version, directory, os.environ),
        clock=time.time,
        report=report,
    )


def _here(wanted: frozenset[str]) -> tuple[Workspace, dict[str, Obstacle]]:
    """Return where builds take place, and what of all that could be varied cannot be varied there."""
    from ...variations.workspace import obstacles, workspace

    where = workspace(os.environ, keep_order="file-order" in wanted)
    return where, obstacles(where, os.environ)


def _list(args: argparse.Namespace) -> int:
    from ...variations.variations import choice
    from .text import variation_lines

    # With file-order even if it is switched off, for only then a place that allows it is looked for.
    _, obstacles = _here(choice(args.vary).wanted | {"file-order"})
    print("\n".join(variation_lines(obstacles, style_of(sys.stdout))))
    return exit_status.FINE


def _print(args: argparse.Namespace, result: CheckResult, explained: set[str]) -> int:
    """Print what became of one source and return how many lines that is."""
    from ...reporting.difference_tree import View, branches_for
    from .report import LABELS, failures, title
    from .text import lines

    style, number = style_of(sys.stdout), 0
    if result.error is not None:
        for line in error_lines(f"{title(result)}: {result.error.message}", result.error.remedy, style_of(sys.stderr)):
            print(line, file=sys.stderr)
    elif args.verbosity <= QUIET:
        for line in (line for each in failures(result) for line in error_lines(*each, style_of(sys.stderr))):
            print(line, file=sys.stderr)
    elif not args.json and not is_stdout(args.markdown):
        view = View(style, args.verbosity >= VERBOSE, branches_for(sys.stdout.encoding or "ascii"), LABELS)
        for line in lines(result, view, explained):
            print(line)
            number += 1
        # The next source takes minutes, and a pipe is block-buffered.
        sys.stdout.flush()
    return number


def _close(results: Sequence[CheckResult], printed: int) -> None:
    """Print the verdict last, where the first lines are not seen any more, or there are several."""
    from .report import summary
    from .text import closing

    if len(results) > 1:
        print(f"\n{summary(results)}")
    elif printed > _SCREEN:
        print(f"\n{closing(results[0], style_of(sys.stdout))}")


def _write(args: argparse.Namespace, results: Sequence[CheckResult], status: int) -> None:
    """Write the reports that are wanted."""
    from ...reporting.save import save
    from . import annotated, junit, markdown
    from . import report as check_source

    if args.html is not None:
        from . import page  # with Jinja2, which only pages need

        save(page.document(results, version=__version__, moment=int(time.time())), args.html)
    if args.junit is not None:
        save(junit.document(results), args.junit)
    if args.json:
        print(check_source.document(results, version=__version__, exit_status=status))
    write_ci(
        args,
        lambda: markdown.document(results, version=__version__),
        lambda relative: annotated.annotated(results, status, relative),
        os.environ,
        sys.stdout,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    # Also refuses nan, inf, and what is beyond the range of timers of the platform.
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
