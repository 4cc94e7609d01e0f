"""Wheels that a list names, a requirements file or a ``pylock.toml``: found, chosen and fetched, each by its hash.

Nothing is resolved: a list has to name all that is to be installed, each project by one release.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from samebytes.artifact.layout import ArtifactKind, parse_wheel_name
from samebytes.commands.normalize.executor import PATIENCE, in_order
from samebytes.errors import ArchiveError, ConfigError, OutputError, SamebytesError, UsageError

from ...building.interpreters import Python
from ...building.pylock import local_path, refuse_elsewhere
from ...index.cache import tried
from ...index.client import Index
from ...index.pages import File
from ...index.releases import is_for, release_of
from ...index.transport import is_address
from ...releases import formats, lock_files, requirements_file
from ...releases.formats import ListFormat
from ...releases.listed import ListedRelease, environment_of, shown
from ...releases.requirements_file import RequirementsList
from ...releases.selection import Selection, demand_hashes, few, fitting, may_have
from ...releases.variables import Variables

_THREADS = 8
"""How many pages or files are asked for at a time: most of the time is spent waiting."""
_SHOWN = 20
"""How many entries an error names."""
_FILE_NAME = re.compile(r"[A-Za-z0-9_.+!-]{1,250}\.whl", re.ASCII)
_UNHASHED = "the list has no strong hash of it, such as SHA-256, so nothing says which file is meant"
_WITH_HASHES = (
    "Lock with hashes (uv pip compile --generate-hashes, uv export, pip lock), or name wheels that you trust."
)


class Chosen(NamedTuple):
    """A wheel of a list, and where it is."""

    entry: ListedRelease
    file: File
    """Of this machine where its address is a ``file:`` one."""

    @property
    def origin(self) -> str:
        """Where it comes from, without credentials."""
        local = _local(self.file)
        return shown(self.file.url) if local is None else str(local)


class Lists(NamedTuple):
    """What lists of releases have."""

    entries: tuple[ListedRelease, ...]
    """Those to install."""
    skipped: tuple[ListedRelease, ...]
    """Those that are not for this environment, with the reason."""
    links: tuple[Path, ...]
    """Directories, and wheels, that lists name by ``--find-links``."""
    is_offline: bool
    """Whether one of them asks no index (``--no-index``)."""
    notes: tuple[str, ...]
    """What of them is not honoured."""


def read(paths: Iterable[Path], named: Iterable[Path], python: Python, variables: Variables) -> Lists:
    """Return the entries of the lists *paths*; a wheel of the same release among *named* stands for one.

    :param variables: those that requirements files may name.
    :raises ConfigError: if a list cannot be read.
    :raises SamebytesError: if there is an entry that cannot be installed; all of them are named.
    """
    # As markers see it: nothing else of an interpreter differs where it runs.
    name = python.implementation
    environment = {
        **environment_of(python),
        "implementation_name": name.lower(),
        "platform_python_implementation": name,
    }
    read_lists = [_list(path, environment, python, variables) for path in paths]
    found = [_with_release(entry) for one in read_lists for entry in one.entries]
    notes = tuple(note for one in read_lists for note in one.notes)
    own = {(canonicalize_name(parts.name), parts.version) for parts in (parse_wheel_name(path.name) for path in named)}
    skipped, wanted = [], []
    for entry in found:
        # A directory is passed over by those who verify, and not by those who install.
        if entry.skipped and not entry.place:
            skipped.append(entry)
        elif not _is_named(entry, own):
            wanted.append(entry)
    _refuse_all([(entry, _problem(entry)) for entry in wanted], notes)
    links = tuple(path for one in read_lists for path in one.links)
    is_offline = any(one.is_offline for one in read_lists)
    return Lists(_merged(wanted), tuple(skipped), links, is_offline, notes)


def _list(path: Path, environment: Mapping[str, str], python: Python, variables: Variables) -> RequirementsList:
    kind, document = formats.recognized(path)
    if kind is ListFormat.REQUIREMENTS:
        return requirements_file.read(path, environment, variables)
    if kind is ListFormat.UV_LOCK:
        raise UsageError(
            f"{path} is a uv.lock, which does not say what to install",
            remedy="Export what is to be installed: uv export -o pylock.toml.",
        )
    refuse_elsewhere(document, path, environment, python.version)
    return RequirementsList(tuple(lock_files.read_pylock(path, document, environment, python.version)))


def _with_release(entry: ListedRelease) -> ListedRelease:
    """Return *entry* with the release that its one file is of, if it names none itself."""
    release = release_of(entry.files[0].name) if len(entry.files) == 1 and not entry.version else None
    if release is None:
        return entry
    # Where no project is named, a path or the file stands for it.
    is_bare = entry.name.endswith(entry.files[0].name)
    return replace(entry, name=release[0] if is_bare else entry.name, version=str(release[1]))


def _is_named(entry: ListedRelease, named: Iterable[tuple[str, str]]) -> bool:
    name = canonicalize_name(entry.name)
    return any(name == one and entry.version in ("", version) for one, version in named)


def _problem(entry: ListedRelease) -> SamebytesError | None:
    """Return why *entry* cannot be installed; None if it may be."""
    if entry.place:
        return UsageError(
            f"it comes from {entry.place}, and only wheels are installed",
            remedy="Build the wheel of a directory or repository (samebytes build, pip wheel), and name it, too.",
        )
    if entry.files:
        return _problem_of_files(entry)
    if entry.error is not None:
        return entry.error
    if not entry.selection.hashes:
        return ConfigError(_UNHASHED, remedy=_WITH_HASHES)
    # A list of sdists alone: the index need not be asked.
    return _no_wheel("the list means its sdist") if entry.selection.kind is ArtifactKind.SDIST else None


def _problem_of_files(entry: ListedRelease) -> SamebytesError | None:
    if not any(file.name.endswith(".whl") for file in entry.files):
        return _no_wheel(f"{shown(entry.files[0].url)} is not a wheel")
    for file in entry.files:
        if not _is_of(file, entry):
            return ConfigError(f"{file.name!r} is not a wheel of it", remedy="Lock again, or correct the list.")
        if _is_malformed(file.url):
            return ConfigError(f"the address of {file.name} is malformed", remedy="Lock again, or correct the list.")
    return None if all(file.strongest for file in entry.files) else ConfigError(_UNHASHED, remedy=_WITH_HASHES)


def _is_malformed(url: str) -> bool:
    try:
        return "\0" in unquote(urlsplit(url).path)
    except ValueError:  # such as brackets that do not close
        return True


def _is_of(file: File, entry: ListedRelease) -> bool:
    """Return whether *file* has the name of a wheel of the release, by which it is stored and installed."""
    release = release_of(file.name)
    if release is None or not _FILE_NAME.fullmatch(file.name):
        return False
    try:
        return release == (canonicalize_name(entry.name), Version(entry.version))
    except InvalidVersion:
        return False


def _no_wheel(problem: str) -> UsageError:
    return UsageError(
        f"{problem}, and only wheels are installed",
        remedy="Build the wheel of an sdist (pip wheel --no-deps NAME==VERSION), and name it beside the list.",
    )


def _refuse_all(problems: Iterable[tuple[ListedRelease, SamebytesError | None]], notes: Iterable[str]) -> None:
    """Raise one error for all that is wrong, of the class of the first, with *notes* on what may be why."""
    wrong = [(entry.label, error) for entry, error in problems if error is not None]
    if not wrong:
        return
    first = wrong[0][1]
    # Said once of all that have it, as of a list without hashes each entry has the same.
    alike: dict[str, list[str]] = {}
    for label, error in wrong:
        alike.setdefault(error.message, []).append(label)
    lines = [f"{few(labels)}: {message}" for message, labels in alike.items()]
    remedy = " ".join([*dict.fromkeys(error.remedy for _, error in wrong), *(f"({note}.)" for note in notes)])
    if len(wrong) > 1:
        more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        lines = [f"{len(wrong)} entries cannot be installed:", *lines[:_SHOWN], *more]
    raise type(first)("\n    ".join(lines), remedy=remedy)


def _merged(entries: Iterable[ListedRelease]) -> tuple[ListedRelease, ...]:
    """Return *entries*, one for each project, and in the order of their names.

    :raises ConfigError: if two are of one project and not the same.
    """
    found: dict[str, ListedRelease] = {}
    for entry in entries:
        other = found.setdefault(canonicalize_name(entry.name), entry)
        if (other.version, other.selection.hashes, other.files) != (entry.version, entry.selection.hashes, entry.files):
            both = (
                f"{other.label} and {entry.label}" if other.label != entry.label else f"{entry.label} with two hashes"
            )
            raise ConfigError(
                f"the lists have {both}: one of them is to be installed", remedy="Leave away the one that is not."
            )
    return tuple(entry for _, entry in sorted(found.items()))


class Finder:
    """Where wheels of lists are: directories, addresses that lists give, and package indexes.

    :param links: directories that are looked into first, and wheels.
    :param index: the index to ask instead of what lists name; empty for those.
    :param environ: where the index of pip or uv is configured.
    :param offline: whether to ask nothing beyond this machine.
    """

    def __init__(self, links: Sequence[Path], index: str, environ: Mapping[str, str], *, offline: bool) -> None:
        self._links = [file for directory in links for file in _wheels_in(directory)]
        self._index, self._environ, self._offline = index, environ, offline
        self._clients: dict[str, Index] = {}
        self._lock = threading.Lock()

    def choose(self, entry: ListedRelease, python: Python) -> Chosen:
        """Return the wheel of *entry* that pip would take for *python*.

        :raises UsageError: if none is there, or fits.
        :raises ArchiveError: if no file has a hash that is locked.
        :raises IndexFailure: if the index cannot be reached or understood.
        """
        files = list(entry.files) or self._files(entry)
        wheels = [file for file in files if file.name.endswith(".whl")]
        if files and not wheels:
            raise _no_wheel("there is only an sdist with a hash that is locked")
        usable = [file for file in fitting(wheels, python) if is_for(file, python.version)]
        if not usable:
            raise UsageError(
                f"no wheel of it fits {python.implementation} {python.short} on {python.platform}: "
                f"there is {few(file.name for file in wheels) or 'none'}",
                remedy="Lock a release that has one; or build its wheel here, and name that beside the list.",
            )
        return Chosen(entry, self._placed(entry, usable[0]))

    def fetch(self, chosen: Chosen, directory: Path) -> Path:
        """Put a wheel into *directory*, verified; nothing is there afterwards if it is not the one that is meant.

        :raises ArchiveError: if it has another hash than the list gives.
        :raises IndexFailure: if it cannot be had.
        :raises OutputError: if it cannot be written.
        """
        file, local = chosen.file, _local(chosen.file)
        if local is None:
            client, bare = self._client_for(file)
            target = tried(lambda: client.download(bare, directory, recorded_by="the list"))
        else:
            target = directory / file.name
            _copy(local, target)
        # What the index says of a file need not be what the list says; and of a file's own hashes, none is another's.
        own = frozenset(f"{name}:{digest}" for name, digest in file.hashes.items())
        try:
            demand_hashes(target, Selection(hashes=own if chosen.entry.files else chosen.entry.selection.hashes))
        except ArchiveError:
            target.unlink()
            raise
        return target

    def _files(self, entry: ListedRelease) -> list[File]:
        """Return the files of the release that have a hash of *entry*."""
        try:
            release = canonicalize_name(entry.name), Version(entry.version)
        except InvalidVersion:
            raise ConfigError(f"{entry.version!r} is not a version", remedy="Correct the list.") from None
        found = [
            File(path.name, path.absolute().as_uri())
            for path in self._links
            if release_of(path.name) == release and _has_hash(path, entry.selection)
        ]
        if self._offline:
            if not found:
                raise self._nowhere(entry)
            return found
        of_release = [file for file in self._page(entry) if release_of(file.name) == release]
        locked = [file for file in of_release if may_have(file, entry.selection.hashes)]
        if not found and not of_release:
            raise UsageError(
                f"{self._addresses(entry)} no {entry.name} {entry.version}",
                remedy="Name another by --index-url, or a directory with its wheel by --find-links.",
            )
        if not found and not locked:
            raise ArchiveError(
                "no file of the release in the index has a hash that is locked",
                remedy="Do not install it before you know who changed it: the index, or the list.",
            )
        return [*found, *(file for file in locked if file.name not in {one.name for one in found})]

    def _placed(self, entry: ListedRelease, file: File) -> File:
        """Return *file* with the address where it is taken from."""
        if _local(file) is not None or not entry.files:
            return file
        # The lock file describes it: wherever it lies, it is the file by its hash.
        selection = Selection(hashes=frozenset(f"{name}:{digest}" for name, digest in file.hashes.items()))
        for path in self._links:
            if path.name == file.name and _has_hash(path, selection):
                return File(file.name, path.absolute().as_uri(), file.hashes)
        if self._offline:
            raise self._nowhere(entry)
        if file.url and not self._index:
            return file
        for one in self._page(entry):
            if one.name == file.name and may_have(one, selection.hashes):
                return File(file.name, one.url, file.hashes, size=one.size)
        raise ArchiveError(
            f"{self._addresses(entry)} no {file.name} with the hash that is locked",
            remedy="Name another by --index-url, or a directory with it by --find-links.",
        )

    def _nowhere(self, entry: ListedRelease) -> UsageError:
        return UsageError(
            f"no wheel of {entry.label} with a hash that is locked is in the directories of --find-links",
            remedy="Put it there (pip download --no-deps), or leave --no-index away.",
        )

    def _page(self, entry: ListedRelease) -> tuple[File, ...]:
        """Return the files of a project in all indexes that it may come from, each name once.

        Which index gives a file does not matter: it is taken by its hash. So no index can put its own in its place.
        """
        indexes = self._of(entry)
        found: dict[str, File] = {}
        missing: list[UsageError] = []
        for index in indexes:
            try:
                files = tried(partial(index.files, entry.name))
            except UsageError as error:  # it has no such project
                missing.append(error)
                continue
            for file in files:
                if may_have(file, entry.selection.hashes) and (file.strongest or file.name not in found):
                    found[file.name] = file
                else:
                    found.setdefault(file.name, file)
        if len(missing) == len(indexes):
            raise missing[0]
        return tuple(found.values())

    def _of(self, entry: ListedRelease) -> list[Index]:
        """Return the indexes that *entry* may come from."""
        named = [self._index] if self._index else [entry.index, *entry.further_indexes]
        return [self._client(address) for address in named]

    def _addresses(self, entry: ListedRelease) -> str:
        """Return how to call these in a message, with the verb for "have"."""
        addresses = [index.address for index in self._of(entry)]
        return f"the index {addresses[0]} has" if len(addresses) == 1 else f"the indexes {', '.join(addresses)} have"

    def _client_for(self, file: File) -> tuple[Index, File]:
        """Return whom to ask for *file*, and the file with an address without credentials."""
        if not is_address(file.url):
            raise ConfigError(f"{shown(file.url)!r} is not an address of http or https", remedy="Correct the list.")
        parts = urlsplit(file.url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        # Of an index that has been asked, the credentials are for its host, and its certificates hold for all.
        with self._lock:  # other threads add to them
            clients = list(self._clients.values())
        known = [client for client in clients if client.with_credentials(bare) != bare]
        client = known[0] if known else self._client(parts._replace(path="/", query="", fragment="").geturl())
        return client, File(file.name, bare, file.hashes, size=file.size)

    def _client(self, address: str) -> Index:
        with self._lock:
            if address not in self._clients:
                self._clients[address] = Index.configured(self._environ, address=address)
            return self._clients[address]


def obtained(
    lists: Lists,
    finder: Finder,
    python: Python,
    directory: Path,
    report: Callable[[str], None],
) -> Iterator[tuple[Path, Chosen]]:
    """Yield the wheel of each entry, in *directory*; all are found before the first is fetched.

    :param report: gets what is being done.
    :raises SamebytesError: if one cannot be had; of those that are not to be found, all are named.
    """
    stop = threading.Event()

    def choose(entry: ListedRelease) -> Chosen | SamebytesError:
        try:
            return finder.choose(entry, python)
        except (ArchiveError, ConfigError, UsageError) as error:  # a failure of the index is no matter of the entry
            return error

    entries, chosen, problems = lists.entries, [], []
    threads = min(_THREADS, len(entries))
    for number, result in enumerate(in_order(choose, entries, threads, stop, PATIENCE), 1):
        if isinstance(result, Chosen):
            chosen.append(result)
        else:
            problems.append((entries[number - 1], result))
        report(f"found {number} of {len(entries)} wheels")
    _refuse_all(problems, lists.notes)
    stop = threading.Event()
    paths = in_order(lambda one: finder.fetch(one, directory), chosen, threads, stop, PATIENCE)
    for number, (path, one) in enumerate(zip(paths, chosen), 1):
        report(f"fetched {number} of {len(chosen)} wheels: {path.name}")
        yield path, one


def remarks(lists: Lists, chosen: Iterable[Chosen]) -> tuple[str, ...]:
    """Return what is worth knowing: what is not honoured or not installed here, and files that were yanked."""
    skipped = [f"{entry.label}: {entry.skipped}" for entry in lists.skipped]
    yanked = [
        f"{one.file.name} was yanked{': ' + one.file.yanked if one.file.yanked else ''}"
        for one in chosen
        if one.file.yanked is not None
    ]
    return (*lists.notes, *skipped, *yanked)


def _wheels_in(directory: Path) -> list[Path]:
    if directory.suffix == ".whl" and directory.is_file():
        return [directory]
    if not directory.is_dir():
        raise UsageError(
            f"--find-links: {directory} is not a directory", remedy="Name a directory with wheels; pages are not read."
        )
    return sorted(path for path in directory.iterdir() if path.suffix == ".whl" and path.is_file())


def _has_hash(path: Path, selection: Selection) -> bool:
    try:
        demand_hashes(path, selection)
    except ArchiveError:
        return False
    return True


def _local(file: File) -> Path | None:
    """Return the path of a file of this machine; None for others."""
    if urlsplit(file.url).scheme != "file":
        return None
    return Path(local_path(file.url))


def _copy(source: Path, target: Path) -> None:
    """Copy a wheel: what is verified is then what is installed, whoever may write to where it was.

    :raises OutputError: if that fails.
    """
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(
            f"{source}: cannot be copied to {target.parent}: {error.strerror or error}",
            remedy="Is it there, and is there room for it? TMPDIR names another directory for temporary files.",
        ) from None
