"""The hooks' work: call the inner backend, rewrite what it made, look for leaks (PEP 517, PEP 660)."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import cores
from ..errors import BackendError, ConfigError, signals_raise
from . import fixed
from .flags import environment_roots
from .session import Interpreter, Session

if TYPE_CHECKING:
    from ..artifact.layout import ArtifactKind
    from ..passes.pipeline import Rewritten
    from .git import Modes

HAS_MODES = os.name != "nt"
"""Whether a file's mode says that it is executable."""

_open: dict[Path, Session] = {}
"""Sessions by source tree, kept from the probe for hooks to the call of one."""


def available() -> frozenset[str]:
    """Return the names of the optional hooks that the inner backend of the current directory's tree has."""
    with signals_raise(_ending):
        source = _source()
        try:
            return _session(source).inner.hooks()
        except BaseException:
            _close(source)
            raise


def call(hook: str, *args: Any, **kwargs: Any) -> Any:
    """Do the work of *hook* in the current directory's tree; its session ends with it, whatever happens."""
    work = _build if hook.startswith("build_") else _prepare if hook.startswith("prepare_") else _requires
    with signals_raise(_ending):
        source = _source()
        try:
            return work(_session(source, editable="editable" in hook), hook, *args, **kwargs)
        finally:
            _close(source)


# The parameters below have PEP 517's names, for front ends may pass them by name.
def _build(
    session: Session, hook: str, wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None
) -> str:
    """Build and rewrite an artifact; an editable wheel has its absolute paths on purpose (PEP 517, PEP 660).

    ``metadata_directory`` is not handed on, for what is there was rewritten; the wheel's METADATA must equal it.
    """
    made = session.build(hook, config_settings)
    target = Path(wheel_directory) / made.name
    for line in publish(session, made, target)[1]:
        _warn(f"{target.name}: {line}")
    if metadata_directory is not None:
        _compare_metadata(target, Path(metadata_directory))
    return target.name


def _prepare(session: Session, hook: str, metadata_directory: str, config_settings: Any = None) -> str:
    """Make a ``.dist-info`` directory, rewritten as the wheel's will be (PEP 517, PEP 660)."""
    from ..artifact.layout import ArtifactKind
    from ..passes.model import Context
    from ..passes.pipeline import normalize_files

    made, seen = session.directory("metadata")
    root = session.inner.metadata(hook, seen, made, config_settings)
    paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
    before = {path.relative_to(made).as_posix(): path.read_bytes() for path in paths}
    after = normalize_files(before, Context(session.dated.seconds, ArtifactKind.WHEEL, fresh=True), session.passes())
    shutil.copytree(root, Path(metadata_directory) / root.name, dirs_exist_ok=True)
    for member, data in after.items():
        if data != before[member]:
            Path(metadata_directory, member).write_bytes(data)
    return root.name


def _requires(session: Session, hook: str, config_settings: Any = None) -> list[str]:
    """Return the inner backend's further build requirements (PEP 517, PEP 660)."""
    return session.requires(hook.rpartition("_")[2], config_settings)


def _warn(text: str) -> None:
    sys.stdout.flush()  # where both are one file, what was printed before stays before it
    sys.stderr.write(f"samebytes: warning: {text}\n")
    sys.stderr.flush()


def _source() -> Path:
    """Return the source tree, which is the current directory (PEP 517)."""
    try:
        return Path(os.getcwd())
    except FileNotFoundError:
        message = "the current directory, which PEP 517 makes the source tree, does not exist"
        raise ConfigError(message, remedy="Change into the source tree.") from None


def _session(source: Path, editable: bool = False) -> Session:
    """Return the open session of the tree *source*, or open one."""
    if editable and source in _open and not _open[source].is_editable:
        _close(source)
    if source not in _open:
        roots = environment_roots(sys.prefix, sys.base_prefix, sys.path)
        # A front end may ask for the hooks and call none; and a signal may come just before a session would be closed.
        atexit.register(_close, source)
        _open[source] = Session(source, os.environ, _warn, editable=editable)
        _open[source].begin(Interpreter(sys.executable, roots), os.environ)
    return _open[source]


def _close(source: Path) -> None:
    if source in _open:
        _open[source].close()
        del _open[source]


def _ending(number: int) -> BaseException:
    """Return what a signal raises, so that clean-up happens; a front end shows no traceback of SystemExit."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def publish(session: Session, made: Path, target: Path) -> tuple[Rewritten, list[str]]:
    """Rewrite what the inner backend made into *target*; return how, and a line for each thing to warn of.

    :raises SamebytesError: as :func:`samebytes.passes.pipeline.rewrite` does.
    """
    from ..artifact.layout import ArtifactKind
    from ..artifact.opening import kind_of
    from ..passes.model import Context
    from ..passes.pipeline import Compression, rewrite

    kind = kind_of(made)
    record_date = session.dated.record and kind == ArtifactKind.SDIST
    modes = None if HAS_MODES else _modes(session, made, kind)
    context = Context(session.dated.seconds, kind, fresh=True, modes=modes, record_date=record_date)
    compression = Compression(cores.available(), keep=session.config.deflate == "keep")
    result = rewrite(made, target, context, session.passes(), compression)
    return result, list(_warnings(target, session, result, modes))


def _modes(session: Session, made: Path, kind: ArtifactKind) -> Modes:
    from ..artifact.opening import open_archive
    from ..passes.texts import made_by_setuptools
    from .git import Modes

    with open_archive(made) as archive:  # setuptools' sdists have the modes of modules
        copies_modules = kind == "wheel" and made_by_setuptools(archive, kind)
    return Modes(session.source, os.environ, copies_modules=copies_modules)


def _warnings(target: Path, session: Session, result: Rewritten, modes: Modes | None) -> Iterator[str]:
    """Give a line for each thing to warn of in the archive *target*, such as this machine's paths and names."""
    from ..artifact.opening import open_archive
    from .leaks import dates, listed, needles, of_the_build, search, warnings

    if faults := [f"{change.member}: {change.detail}" for change in result.changes if change.code == "W001"]:
        yield f"the inner backend's RECORD is wrong, and was written anew: {listed(faults, '; ')}"
    if modes and modes.unknown:
        reason = "neither this system nor git has that mode; taken for no. In a checkout by git, build with"
        yield f"is it executable? {reason} --sdist --wheel: {listed(modes.unknown)}"
    if session.is_editable:
        return
    paths = {
        "source directory": _forms(session.paths.source),
        "temporary directory": _forms(session.paths.temp),
        "build environment": [form for root in session.paths.environments for form in _forms(root)],
    }
    host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    user = os.environ.get("USER", os.environ.get("LOGNAME", os.environ.get("USERNAME", "")))
    given, built = session.dated.seconds if session.dated.given else None, (session.start, time.time())
    with open_archive(target) as archive:
        wanted = {**needles(paths, {"user name": user, "host name": host}), **dates(built, given)}
        leaks = of_the_build(search(archive, wanted), built, given, target.name, session.source)
    yield from warnings(leaks)


def _forms(path: Path) -> list[str]:
    """Return how *path* may be written, in strings of source code too; the fixed paths are those of every machine."""
    paths = () if path.is_relative_to(fixed.PLACE) else (path, path.resolve())
    return sorted({form for one in paths for form in (str(one), one.as_posix(), str(one).replace("\\", "\\\\"))})


def _compare_metadata(wheel: Path, prepared: Path) -> None:
    """Hold the wheel to the metadata that the front end may have resolved by already (PEP 517, ``build_wheel``).

    :raises BackendError: if METADATA differs; the wheel is removed, for nobody may take it for built.
    """
    from ..archive.entry import read_all
    from ..artifact.opening import open_archive

    try:
        promised = (prepared / "METADATA").read_bytes()
    except FileNotFoundError:  # nothing was promised
        return
    with open_archive(wheel) as archive:
        found = [read_all(entry.content) for entry in archive.entries if entry.name == f"{prepared.name}/METADATA"]
    if found == [promised]:
        return
    wheel.unlink()
    line = _first_difference(promised, found[0]) if found else f"there is no {prepared.name}/METADATA"
    raise BackendError(
        f"{wheel.name}: METADATA is not what prepare_metadata_for_build_wheel made: {line}",
        remedy="The inner backend must return the same metadata twice (PEP 517): does a version or a dependency "
        "depend on the clock, on the order of a set or on what an earlier build left behind?",
    )


def _first_difference(promised: bytes, found: bytes) -> str:
    def shown(line: bytes | None) -> str:
        return "nothing" if line is None else repr(line.decode("utf-8", "replace"))

    pairs = zip_longest(promised.splitlines(), found.splitlines())
    return next((f"{shown(old)} became {shown(new)}" for old, new in pairs if old != new), "its line ends differ")
