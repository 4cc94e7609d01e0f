"""``samebytes install``: install wheels so that two installs are the same bytes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from samebytes import __version__
from samebytes.console import exit_status
from samebytes.console.streams import Progress, style_of
from samebytes.console.verbosity import QUIET, VERBOSE, add_verbosity
from samebytes.errors import UsageError

from ..tree.compiling import add_compiling, given_date, levels_of, venv_python

if TYPE_CHECKING:
    from ..tree.compiled_cache import CompiledCache
    from .install import Installation
    from .interpreter import TargetInterpreter
    from .report import Fetched
    from .wheel import InstallOptions

_CACHE_LIMIT = 2048 << 20
"""Bytes, as its option says: those of some thousand wheels."""

_KINDS = ("posix", "win-amd64", "win-arm64", "win-ia32")

_STATUSES = (2, 3, 4, 5, 8, 9, exit_status.RECORD_REBUILT, 12, exit_status.INTERRUPTED, exit_status.TERMINATED)

_DESCRIPTION = """\
Install wheels so that the same wheels give the same tree, byte for byte and
time for time, on any machine, on any day and by any user. Dependencies are not
resolved, and nothing is built. Only what a list pins by hashes is fetched: a
requirements file, or a pylock.toml. Either all wheels are installed, or none."""

_EPILOG = f"""\
The date is that of --date, else SOURCE_DATE_EPOCH, else that of the wheels if
they are canonical and all have the same, else 2020-02-02T00:00:00Z.

examples:
  samebytes install wheels/ --target build/lib
  samebytes install *.whl --venv .venv
  samebytes install -r requirements.txt --venv .venv
  samebytes install pylock.toml --target build/lib
  samebytes install wheels/ --root image --prefix /usr --python python3.12
  samebytes install wheels/ --target package --layout /var/task
                                        the tree will be at /var/task

{exit_status.table(*_STATUSES)}"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *subparsers*."""
    parser = subparsers.add_parser(
        "install",
        help="install wheels, the same bytes every time",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "wheels",
        metavar="WHEEL|DIR|PYLOCK",
        nargs="*",
        type=Path,
        help="a wheel, a directory with wheels, or a pylock.toml (PEP 751)",
    )
    _add_lists(parser)
    parser.add_argument("--target", metavar="DIR", type=Path, help="install into one directory, scripts into its bin")
    parser.add_argument("--venv", metavar="DIR", type=Path, help="install into an existing virtual environment")
    parser.add_argument("--root", metavar="DIR", type=Path, help="install into the file system with this root")
    parser.add_argument("--prefix", metavar="PATH", help="path in ROOT, such as /usr (default: that of PYTHON)")
    parser.add_argument("--layout", metavar="PATH", help="where --target or --venv will be, if elsewhere")
    parser.add_argument(
        "--scripts", choices=_KINDS, default=_default_kind(), help="kind of scripts to write (default: %(default)s)"
    )
    _add_cache(parser)
    add_compiling(parser, "that of --venv, else the one that runs samebytes", "0")
    add_verbosity(parser)
    parser.set_defaults(run=run)


def _add_lists(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-r",
        "--requirement",
        metavar="FILE",
        action="append",
        default=[],
        type=Path,
        help="a requirements file with the hashes of all that it pins, or a pylock.toml (repeatable)",
    )
    parser.add_argument(
        "--find-links",
        metavar="DIR",
        action="append",
        default=[],
        type=Path,
        help="a directory in which the wheels of lists may be (repeatable)",
    )
    parser.add_argument("--no-index", action="store_true", help="take wheels of lists from --find-links only")
    parser.add_argument(
        "--index-url",
        metavar="URL",
        default="",
        help="the index to ask (default: where lists say, else that of pip or uv)",
    )


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache",
        metavar="DIR",
        type=Path,
        help="keep compiled modules there, for later installs; who can write to it decides nothing (default: no cache)",
    )
    parser.add_argument(
        "--cache-key",
        metavar="FILE",
        type=Path,
        help="the secret by which they are authenticated (default: one that is made in your configuration directory)",
    )
    parser.add_argument(
        "--cache-limit",
        metavar="MIB",
        type=_mebibytes,
        help="remove what was not used for longest where the cache has more at the end (default: 2048)",
    )


def _mebibytes(text: str) -> int:
    """Return a number of MiB in bytes.

    :raises ArgumentTypeError: if *text* is not one.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of MiB")
    return int(text) << 20


def _default_kind() -> str:
    if os.name != "nt":
        return "posix"
    import sysconfig

    # The names of installer's launchers; sysconfig calls 32-bit Windows win32.
    return {"win-arm64": "win-arm64", "win32": "win-ia32"}.get(sysconfig.get_platform(), "win-amd64")


def run(args: argparse.Namespace) -> int:
    """Install."""
    from ..tree.compile_ahead import CompilerAhead
    from .install import find_wheels, install
    from .interpreter import refuse_unfit

    _demand_one_place(args)
    lists = [path for path in args.wheels if _is_list(path)]
    named = find_wheels([path for path in args.wheels if path not in lists])
    date, source = given_date(args.date)
    with Progress(sys.stderr, quiet=args.verbosity <= QUIET) as progress:
        interpreter = _interpreter(args)
        with _fetched(args, named, [*lists, *args.requirement], interpreter, progress) as fetched:
            wheels = find_wheels([*named, *fetched.origins])
            if not wheels:
                raise UsageError("there is nothing to install here", remedy="Name wheels, or a list that has some.")
            progress.show(f"installing {_wheels(len(wheels))}")
            # Before anything is written, and by names alone.
            refuse_unfit(wheels, interpreter.implementation, interpreter.version, interpreter.abi)
            cache = _cache(args)
            compiler = None if args.pyc == "none" else CompilerAhead(interpreter.executable, args.pyc, args.jobs, cache)
            installation = install(wheels, _options(args, interpreter, date), compiler, progress.step)
            if cache is not None:
                cache.prune(time.time(), _CACHE_LIMIT if args.cache_limit is None else args.cache_limit)
    return _report(args, installation, source, fetched)


def _cache(args: argparse.Namespace) -> CompiledCache | None:
    if args.cache is None:
        for option, value in (("--cache-key", args.cache_key), ("--cache-limit", args.cache_limit)):
            if value is not None:
                raise UsageError(f"{option} is for a cache, and there is none", remedy="Name its directory by --cache.")
        return None
    from ..tree.compiled_cache import CompiledCache, key_in

    top = args.target or args.venv or args.root
    # In the system's root, or beneath a prefix in it, everything may be.
    if top and Path(os.path.realpath(args.cache)).is_relative_to(os.path.realpath(top)) and not os.path.ismount(top):
        raise UsageError(
            f"{args.cache}: the cache is in {top}, and would be a part of what is installed there",
            remedy="Name another directory by --cache.",
        )
    key = args.cache_key or _configuration(os.environ) / "samebytes" / "cache-key"
    return CompiledCache(args.cache, key_in(key, args.cache, is_created=args.cache_key is None))


def _configuration(environ: Mapping[str, str]) -> Path:
    """Return the user's directory of configuration (XDG Base Directory Specification; APPDATA on Windows).

    :raises UsageError: if there is none.
    """
    named = environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", "")
    # Relative ones are to be ignored, as that specification says.
    if os.path.isabs(named):
        return Path(named)
    try:
        return Path("~/.config").expanduser()
    except RuntimeError:  # a user of a container who is not in /etc/passwd
        raise UsageError(
            "--cache: there is no home directory for its key", remedy="Name a file for it by --cache-key, or set HOME."
        ) from None


def _is_list(path: Path) -> bool:
    """Return whether *path* is a lock file.

    :raises UsageError: if it is a list of another kind.
    """
    if path.suffix == ".whl" or path.is_dir():
        return False
    # Slow to import, and most installs are of wheels.
    from ...releases.formats import is_requirements, may_be_list

    if not may_be_list(path):
        return False
    if path.is_file() and is_requirements(path):
        raise UsageError(f"{path} may be a requirements file", remedy=f"Name it by -r: samebytes install -r {path}")
    # What is not there is reported as such where it is read.
    return path.is_file() or path.suffix in (".toml", ".lock")


@contextmanager
def _fetched(
    args: argparse.Namespace,
    named: tuple[Path, ...],
    lists: list[Path],
    interpreter: TargetInterpreter,
    progress: Progress,
) -> Iterator[Fetched]:
    """Give the wheels of *lists*, in a directory that is removed afterwards."""
    from .report import Fetched

    if not lists:
        if args.find_links or args.no_index or args.index_url:
            raise UsageError(
                "--find-links, --no-index and --index-url are for lists, and none is named",
                remedy="Name one: -r requirements.txt, or a pylock.toml; or a directory of wheels itself.",
            )
        yield Fetched({}, ())
        return
    # Slow to import, and most installs are of wheels.
    from ...building.interpreters import describe
    from ...building.scratch import naming_from, scratch
    from ...releases.variables import Variables
    from .lists import Finder, obtained, read, remarks

    python = describe(interpreter.executable)
    if python is None:
        raise UsageError(
            f"{interpreter.executable} does not say what it is", remedy="Name another Python with --python."
        )
    variables = Variables(os.environ)
    with variables.hidden():
        found = read(lists, named, python, variables)
        offline = args.no_index or found.is_offline
        finder = Finder([*args.find_links, *found.links], args.index_url, os.environ, offline=offline)
        with scratch() as directory:
            if found.entries:
                progress.step(f"looking for {_wheels(len(found.entries))}")
            pairs = list(obtained(found, finder, python, directory, progress.show))
            origins = {path: variables.shown(chosen.origin) for path, chosen in pairs}
            with naming_from(directory):
                yield Fetched(origins, remarks(found, [chosen for _, chosen in pairs]))


def _wheels(count: int) -> str:
    return "1 wheel" if count == 1 else f"{count:,} wheels"


def _demand_one_place(args: argparse.Namespace) -> None:
    places = [args.target, args.venv, args.root or args.prefix]
    if sum(place is not None for place in places) != 1:
        raise UsageError(
            "there must be one place to install into", remedy="Give --target, or --venv, or --root and --prefix."
        )
    if args.layout is not None and (args.root or args.prefix):
        raise UsageError("--layout has no meaning with --root and --prefix", remedy="Use --root: it will be /.")
    for option, path in (("--layout", args.layout), ("--prefix", args.prefix)):
        if path is not None and not path.startswith("/"):
            raise UsageError(f"{option}: {path!r} is not absolute", remedy="Give an absolute path.")


def _interpreter(args: argparse.Namespace) -> TargetInterpreter:
    """Return the interpreter that the wheels are installed for."""
    from .interpreter import ask

    if args.venv is None:
        return ask(args.python or sys.executable, args.prefix or "")
    python = venv_python(args.venv)
    if not python.exists():
        raise UsageError(
            f"{args.venv}: is not a virtual environment",
            remedy=f"Create it first: python -m venv --without-pip {args.venv}",
        )
    # Absolute but not resolved: the link leads to the base interpreter, which has other paths.
    return ask(args.python or str(Path.cwd() / python))


def _options(args: argparse.Namespace, interpreter: TargetInterpreter, date: int | None) -> InstallOptions:
    from .interpreter import TARGET, beneath_top
    from .wheel import InstallOptions

    given = Path(args.target or args.venv or args.root or args.prefix)
    top = _resolved(given if given.is_absolute() else Path.cwd() / given)  # the current directory may be gone
    executable, scheme = interpreter.executable, TARGET
    final = "/" if args.root is not None else args.layout or args.prefix or str(top)
    if args.venv is not None:
        # Where it will be: scripts name the interpreter of the place they are moved to.
        executable = str(venv_python(Path(final)))
        scheme = beneath_top(interpreter.paths, interpreter.prefix)
    elif args.target is None:
        scheme = beneath_top(interpreter.paths, final)
    levels = levels_of(args)
    return InstallOptions(
        top=top,
        final=final,
        scheme=scheme,
        executable=args.executable or executable,
        script_kind=args.scripts,
        date=date,
        levels=(0,) if levels is None else levels,
        rebuild_record=args.rebuild_record,
        jobs=args.jobs,
    )


def _resolved(path: Path) -> Path:
    """Return *path* with all links followed, unless another user planted one of them where many may write.

    :raises OutputError: if one did.
    """
    from samebytes.archive.atomic import real_path

    there = path
    # Up to what is there: real_path looks at links, and what is not there yet is none.
    while not os.path.lexists(there):
        there = there.parent
    real_path(there)
    return Path(os.path.realpath(path))


def _report(args: argparse.Namespace, installation: Installation, given_by: str, fetched: Fetched) -> int:
    from .report import document, lines

    rebuilt = any(laid.mismatches for laid in installation.wheels)
    status = exit_status.RECORD_REBUILT if rebuilt else exit_status.FINE
    source = {"given": given_by, "wheels": "the wheels' own"}.get(installation.date_source, "constant")
    if args.json:
        print(document(installation, source, fetched, version=__version__, exit_status=status))
    elif args.verbosity > QUIET:
        verbose = args.verbosity >= VERBOSE
        print("\n".join(lines(installation, source, fetched, style_of(sys.stdout), verbose=verbose)))
    return status
