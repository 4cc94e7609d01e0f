"""``samebytes survey``: many packages of the index, each built twice in five ways; the results in a store."""

from __future__ import annotations

import argparse
import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import __version__
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.verbosity import QUIET, add_verbosity
from samebytes.errors import UsageError

from ...building.installers import add_installer_option
from ..check.command import _seconds

if TYPE_CHECKING:
    from .examine import Conditions
    from .executors import Executor
    from .model import Examination, Run, Target
    from .run import Event

_DESCRIPTION = """\
Examine many packages of the index: each sdist is built twice, in two build
environments that differ in all that can be varied: as it is, as it is with
SOURCE_DATE_EPOCH set, normalized, through samebytes' backend, and by 'samebytes
build'. The results are kept in a store."""

_EPILOG = f"""\
examples:
  samebytes survey run --top 100       the 100 most downloaded packages
  samebytes survey export --json -     all that is known, as JSON
  samebytes survey site -o site        pages of it

{exit_status.table()}

'samebytes survey COMMAND --help' says more about each."""

_RUN = """\
Examine packages, and keep what comes of it. The same command goes on where it
was, however it ended; several may work for one store at once. A build sees
neither your home nor your credentials nor an earlier build's caches."""

_RUN_EPILOG = f"""\
examples:
  samebytes survey run --top 100
  samebytes survey run --packages idna numpy==2.1.0 more.txt
  samebytes survey run                          go on with what is left
  samebytes survey run --new --top 100          all of them once more
  samebytes survey run --retry                  what the index did not give
  samebytes survey run --verify --packages idna rebuild its newest release, too
  samebytes survey run --top 1000 --scheduler tcp://HOST:8786

{exit_status.table(2, 9, 13, 14, exit_status.INTERRUPTED, exit_status.TERMINATED)}

0 says that the run is complete, whatever it found."""

_EXPORT = """\
Write all that is in a store as one JSON document: every run, and every
examination, each on a line of its own, in a fixed order."""

_EXPORT_EPILOG = f"""\
examples:
  samebytes survey export --json survey.json
  samebytes survey export --store all.sqlite --logs > survey.json

{exit_status.table(2, 8, 13)}"""

_MERGE = """\
Join stores that were made apart, or exported documents, into one store. Doing
it again changes nothing."""

_MERGE_EPILOG = f"""\
examples:
  samebytes survey merge all.sqlite one.sqlite two.sqlite
  samebytes survey merge all.sqlite docs/survey/survey.json

{exit_status.table(2, 13)}"""

_SITE = """\
Write a store as a static site: an overview, a page for each package and each
cause, badges, and the same as JSON. It needs no server and loads nothing."""

_SITE_EPILOG = f"""\
examples:
  samebytes survey site -o site
  samebytes survey site -o site --store all.sqlite --address https://HOST/survey

{exit_status.table(2, 8, 9, 13)}"""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_BUILD_SECONDS = 900.0
_LONGEST_OPERATOR = 200


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its verbs to *subparsers*."""
    parser = subparsers.add_parser(
        "survey", help="which packages of the index can be reproduced", description=_DESCRIPTION, epilog=_EPILOG
    )
    parser.set_defaults(run=lambda _: _show_help(parser))
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", dest="verb")
    _add_run(verbs)
    _add_export(verbs)
    _add_merge(verbs)
    _add_site(verbs)


def _show_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return UsageError.exit_status


def _add_run(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("run", help="examine packages", description=_RUN, epilog=_RUN_EPILOG)
    what = parser.add_argument_group("what to examine")
    what.add_argument(
        "--packages",
        metavar="WHAT",
        nargs="+",
        default=[],
        help="NAME, NAME==VERSION, or a file that has one a line",
    )
    what.add_argument(
        "--top", metavar="N", type=_count, help="the N most downloaded of the list that comes with samebytes"
    )
    what.add_argument(
        "--top-file", metavar="FILE", type=Path, help="another list, as top-pypi-packages has them (default: all of it)"
    )
    what.add_argument(
        "--retry",
        action="store_true",
        help="packages that could not be downloaded, wholly or in part, or failed, the last time",
    )
    how = what.add_mutually_exclusive_group()
    how.add_argument("--verify", action="store_true", help="rebuild the published files of each release, too")
    how.add_argument("--verify-only", action="store_true", help="rebuild published files, and build nothing twice")
    what.add_argument(
        "--as-is",
        action="store_true",
        help="build as packages stand only, without and with SOURCE_DATE_EPOCH: half the builds",
    )
    what.add_argument(
        "--operator", metavar="TEXT", type=_operator, default="", help="who runs it, for pages of rebuilt files"
    )
    what.add_argument("--new", action="store_true", help="begin another run, even if the last is not complete")
    _add_store(parser)
    _add_limits(parser)
    _add_workers(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    add_installer_option(parser)
    group = parser.add_argument_group("limits for one package, in all ways together")
    group.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=3600.0, help="time (default: 3600)")
    group.add_argument("--memory", metavar="SIZE", type=_size, default=6 << 30, help="memory (default: 6G)")
    group.add_argument("--output", metavar="SIZE", type=_size, default=6 << 30, help="files (default: 6G)")
    group.add_argument(
        "--no-sandbox", action="store_true", help="build without a sandbox: only for packages that you would run"
    )


def _add_workers(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("workers")
    group.add_argument("--jobs", metavar="N", type=_count, help="number of packages at once (default: all CPUs)")
    group.add_argument("--scheduler", metavar="ADDRESS", help="use the workers of a Dask cluster")
    group.add_argument(
        "--runner", metavar="NAME", default="runner", help="name of this runner to others; a UUID is appended"
    )
    group.add_argument("--cache", metavar="DIR", type=Path, help="directory of downloads (default: in your cache)")


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="PATH",
        type=Path,
        default=Path(),
        help="the SQLite file, or a directory: samebytes-survey.sqlite in it (default: .)",
    )


def _add_export(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("export", help="write all as JSON", description=_EXPORT, epilog=_EXPORT_EPILOG)
    parser.add_argument("--json", metavar="FILE", default="-", help="the file (default: -, standard output)")
    parser.add_argument("--logs", action="store_true", help="include the output of failed builds")
    _add_store(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run_export)


def _add_merge(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("merge", help="join stores", description=_MERGE, epilog=_MERGE_EPILOG)
    parser.add_argument("store", metavar="STORE", type=Path, help="the store to add to; made if it is not there")
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+", type=Path, help="what to add: a store, or an exported .json file"
    )
    add_verbosity(parser)
    parser.set_defaults(run=run_merge)


def _add_site(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("site", help="write a static site", description=_SITE, epilog=_SITE_EPILOG)
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="directory of the site")
    parser.add_argument(
        "--address", metavar="URL", default="", help="address of the published site, for the snippets of badges"
    )
    _add_store(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run_site)


def run(args: argparse.Namespace) -> int:
    """Work for a run until nothing is left of it."""
    from samebytes.backend.config import CANONICAL_FORM

    from ..check.subject import AS_IS
    from .model import Run
    from .report import summary_lines
    from .run import Runner, join, like_the_last, missed, work
    from .sandbox.machine import described
    from .store.store import Store

    targets = _targets(args)
    with Store(args.store) as store:
        ways = {"ways": AS_IS} if args.as_is else {}
        fresh = Run(
            *(str(uuid.uuid4()), int(time.time()), __version__, CANONICAL_FORM, {**described(os.environ), **ways}),
            builds=not args.verify_only,
            verifies=args.verify or args.verify_only,
            operator=args.operator,
        )
        if args.retry and not (fresh.verifies or fresh.as_is):
            fresh = like_the_last(store, fresh)
        again = missed(store, fresh) if args.retry else []
        one = join(store, fresh, again or targets, new=args.new or bool(again))
        total, left = len(store.targets(one.id)), store.left(one.id)
        if left:
            # Two with one name would give back what the other holds.
            runner = Runner(f"{args.runner}-{uuid.uuid4()}", time.time)
            # Closed at once on a signal: builds are ended, and packages given back.
            with closing(work(store, one.id, _executor(args, one), runner)) as events:
                _follow(args, events, total)
        elif args.verbosity > QUIET:
            print(f"the run is complete: {total:,} packages; --new begins another", file=sys.stderr)
        if args.verbosity > QUIET:
            for line in summary_lines(store.headline(), one, style_of(sys.stdout)):
                print(line)
    return exit_status.FINE


def _targets(args: argparse.Namespace) -> list[Target]:
    """Return what is named, each once, with its place in the list of the most downloaded."""
    from . import targets

    if args.retry and (args.packages or args.top is not None or args.top_file is not None or args.new):
        raise UsageError("--retry names its packages itself", remedy="Name no packages, and not --new.")
    if args.as_is and args.verify_only:
        raise UsageError(
            "--verify-only builds nothing twice, and --as-is says how to", remedy="Leave one of them away."
        )
    where = "the bundled list" if args.top_file is None else str(args.top_file)
    names = targets.bundled() if args.top_file is None else targets.ranked(_text(args.top_file), where)
    found = [target for what in args.packages for target in _named(what)]
    if args.top is not None or args.top_file is not None:
        found += targets.top(names, args.top or len(names), where)
    return targets.placed(found, targets.ranks(names))


def _named(what: str) -> list[Target]:
    from . import targets

    if Path(what).is_file():
        return list(targets.from_lines(_text(Path(what)), what))
    # No name of a project has a slash; a missing list would be looked for on the index.
    if "/" in what or what.endswith(".txt"):
        raise UsageError(f"there is no file {what}", remedy="Name a package, or a file that has one a line.")
    return [targets.from_line(what, "--packages")]


def _text(path: Path) -> str:
    from ...releases.requirements_file import decoded

    try:
        return decoded(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="Name another file.") from None
    except ValueError:
        raise UsageError(f"{path} is not text in UTF-8", remedy="Name another file.") from None


def examine_here(conditions: Conditions, target: Target, stop: threading.Event) -> Examination:
    """Examine *target* on this machine, whichever it is: with its own environment."""
    from .examine import examine

    # With a worker's own variables: those of the caller name places of another machine.
    return examine(target, replace(conditions, environ=dict(os.environ)), stop)


def _executor(args: argparse.Namespace, run: Run) -> Executor:
    from samebytes.cores import available

    from .examine import Conditions
    from .executors import Local
    from .sandbox.confined import Limits

    conditions = Conditions(
        # Absolute, as workers run elsewhere.
        cache=None if args.cache is None else args.cache.absolute(),
        limits=Limits(seconds=args.timeout, memory=args.memory, room=args.output),
        build_seconds=min(_BUILD_SECONDS, args.timeout),
        wants_sandbox=not args.no_sandbox,
        # As the run was begun: whoever goes on with it may have named nothing.
        builds=run.builds,
        verifies=run.verifies,
        as_is=run.as_is,
        installer=args.installer,
    )
    task = partial(examine_here, conditions)
    if args.scheduler is None:
        return Local(args.jobs or available(), task)
    from .cluster import Cluster

    return Cluster(args.scheduler, task, jobs=args.jobs)


def _follow(args: argparse.Namespace, events: Iterator[Event], total: int) -> None:
    """Report what happens: a line for each package, and how far it is while nothing happens."""
    from .report import Pace, finished_line, progress_line

    began, done = time.monotonic(), 0
    style = style_of(sys.stdout)
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        for event in events:
            done += event.finished is not None
            pace = Pace(total, done, time.monotonic() - began)
            if event.finished is not None and args.verbosity > QUIET:
                progress.clear()
                print(finished_line(event.finished, event, pace, style), flush=True)
            progress.show(progress_line(event, pace))


def run_export(args: argparse.Namespace) -> int:
    """Write a store as JSON."""
    from .store.exported import document, save
    from .store.store import Store

    with Store(args.store, make=False) as store:
        if args.json == "-":
            for piece in document(store, version=__version__, logs=args.logs):
                sys.stdout.write(piece)
        else:
            save(store, Path(args.json), version=__version__, logs=args.logs)
    return exit_status.FINE


def run_merge(args: argparse.Namespace) -> int:
    """Join stores."""
    from .store.exported import Exported
    from .store.merge import merge
    from .store.store import Store

    with Store(args.store) as store:
        for path in args.sources:
            with ExitStack() as stack:
                is_document = path.suffix == ".json"
                source = Exported(path) if is_document else stack.enter_context(Store(path, make=False))
                merged = merge(store, source)
            if args.verbosity > QUIET:
                print(f"{path}: new runs: {merged.runs:,}, examinations: {merged.examinations:,}")
    return exit_status.FINE


def run_site(args: argparse.Namespace) -> int:
    """Write the site of a store."""
    from .site import write_site
    from .store.store import Store

    with Store(args.store, make=False) as store, Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        written = write_site(store, args.output, report=progress.show, address=args.address)
    if args.verbosity > QUIET:
        print(f"{written.directory}: {written.packages:,} packages, {written.files:,} files, {written.bytes:,} bytes")
    return exit_status.FINE


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _operator(text: str) -> str:
    if not text.isprintable() or len(text) > _LONGEST_OPERATOR:
        raise argparse.ArgumentTypeError(f"it is to be one line of {_LONGEST_OPERATOR} characters at most")
    return text


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, such as 500M or 6G")
    return size
