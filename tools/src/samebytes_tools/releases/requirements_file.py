"""Requirements files of pip: each line an entry, or options that hold for all.

Source: pip's documentation, "Requirements File Format".
"""

from __future__ import annotations

import codecs
import optparse
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import parsed_toml, toml_bytes
from samebytes.errors import ConfigError, UsageError

from ..building.markers import applies
from ..building.pylock import local_path
from . import listed
from .listed import ListedRelease
from .selection import Selection
from .variables import Variables

_COMMENT = re.compile(r"(^|(?<=\s))#.*$")
_VCS = re.compile(r"(git|hg|svn|bzr)\+")
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_REMOTE = re.compile(r"https?:", re.IGNORECASE)
_LARGEST = 16 << 20
"""Bytes of a file."""
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Those of UTF-32 begin with those of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_PLACES = {"requirements", "constraints", "editables", "links"}
"""Options whose value is all that follows: uv reads a path with blanks so, where pip takes its first word."""


class RequirementsList(NamedTuple):
    """What a requirements file has, with those that it names."""

    entries: tuple[ListedRelease, ...]
    links: tuple[Path, ...] = ()
    """Directories, and wheels, of ``--find-links``."""
    is_offline: bool = False
    """Whether no index is to be asked (``--no-index``)."""
    notes: tuple[str, ...] = ()
    """Options that are not honoured, each with file and line."""


class _Line(NamedTuple):
    file: Path
    number: int
    raw: str
    """Without comments."""
    text: str
    """With the values of variables."""
    is_constraint: bool

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.number}"


def read(path: Path, environment: Mapping[str, str], variables: Variables) -> RequirementsList:
    """Return what the requirements file *path* has, and those that it names by ``-r`` and ``-c``.

    :param environment: what markers find other than in this interpreter.
    :param variables: those that ``${NAME}`` stands for.
    :raises ConfigError: if a file cannot be read.
    """
    with variables.hidden():
        reader = _Reader(environment, variables)
        reader.read(path)
        return reader.found()


class _Reader:
    """Reads files line by line, in the order in which pip does."""

    def __init__(self, environment: Mapping[str, str], variables: Variables) -> None:
        self._environment, self._variables = environment, variables
        self._entries: list[ListedRelease] = []
        self._constraints: dict[str, list[tuple[ListedRelease, SpecifierSet, _Line]]] = {}
        """By the project, in its canonical form."""
        self._refused: set[str] = set()
        self._links: list[Path] = []
        self._notes: list[str] = []
        self._index = ""
        self._further: list[str] = []
        self._offline: _Line | None = None
        self._hashes_demanded: _Line | None = None
        self._only = {"--only-binary": set[str](), "--no-binary": set[str]()}
        """Names of projects, and ``:all:``."""

    def read(self, path: Path) -> None:
        """Read *path* and all that it names, each file where it is named, and once as what it is named for."""
        seen = {(os.path.realpath(path), False)}
        stack = [_lines(path, self._variables, is_constraint=False)]
        while stack:
            line = next(stack[-1], None)
            if line is None:
                stack.pop()
                continue
            for nested, is_constraint in self._line(line):
                # A file may name itself, or be named twice, and be a list of requirements and of constraints.
                further = os.path.realpath(str(nested).replace("\0", "")), is_constraint
                if further not in seen:
                    stack.append(_lines(nested, self._variables, is_constraint=is_constraint))
                seen.add(further)

    def found(self) -> RequirementsList:
        """Return all of it. As in pip, options hold for all lines, wherever they stand, and the last index counts."""
        index, further = self._index, tuple(dict.fromkeys(self._further))
        if self._offline is not None and (index or further):
            self._note(self._offline, "with --no-index, the indexes that lists name are not asked")
            index, further = "", ()
        entries = [
            replace(self._shown(self._settled(entry)), index=index, further_indexes=further) for entry in self._entries
        ]
        notes = tuple(self._variables.shown(note) for note in dict.fromkeys(self._notes))
        return RequirementsList(tuple(entries), tuple(self._links), self._offline is not None, notes)

    def _line(self, line: _Line) -> list[tuple[Path, bool]]:
        """Take *line*, and return the files that it names, each with whether it has constraints."""
        # What is wrong is an entry of its own, so that those who verify go on with the others.
        try:
            text, given = _split(line.text)
        except ValueError as error:
            # What splitting leaves of a value, which may be a credential, is no more what is hidden.
            problem = str(error) if line.text == line.raw else "it cannot be split with the values of its variables"
            self._refuse(line, problem, "Write one requirement or option a line; what has blanks in quotes.")
            return []
        try:
            return self._taken(line, text, given)
        except ValueError:  # of urllib, whose message may have parts of the address
            self._variables.hide(line.raw)
            self._refuse(line, "it has an address that is malformed", "Correct the address.")
            return []

    def _taken(self, line: _Line, text: str, given: optparse.Values) -> list[tuple[Path, bool]]:
        if not text and given.editables:
            if len(given.editables) > 1:
                self._note(line, "of several --editable on one line, only the first counts, as in pip")
            self._add(_editable(given.editables[0]), line)
        elif not text:
            return self._options(line, given)
        else:
            others = [name for name, value in _said(given).items() if name not in _OF_REQUIREMENTS and value]
            if others:
                self._note(line, f"options after a requirement count for nothing, {_OPTIONS[others[0]][-1]} here")
            self._requirement(text, given, line)
        return []

    def _requirement(self, text: str, given: optparse.Values, line: _Line) -> None:
        hashes = listed.strong(value.partition(":")[::2] for value in given.hashes or ())
        try:
            requirement = Requirement(text)
        except InvalidRequirement as malformed:
            # Whatever is in it may be a credential.
            self._variables.hide(line.raw)
            entry, specifier = _by_place(text, malformed, hashes), None
        else:
            entry, specifier = _entry(requirement, hashes, self._environment)
        if line.is_constraint:
            if specifier is None and not entry.skipped:
                self._note(line, "a constraint by address or path is not read")
            elif specifier is not None:
                self._constraints.setdefault(canonicalize_name(entry.name), []).append((entry, specifier, line))
            return
        if given.built and entry.error is None and not entry.skipped:
            # pip builds what has options for its build, even where there is a wheel.
            entry = replace(entry, selection=replace(entry.selection, kind=ArtifactKind.SDIST))
        self._add(entry, line)

    def _add(self, entry: ListedRelease, line: _Line) -> None:
        if line.is_constraint:
            self._note(line, "a directory is no constraint, and not read")
        else:
            self._entries.append(entry)

    def _options(self, line: _Line, given: optparse.Values) -> list[tuple[Path, bool]]:
        """Take the options of a line that has nothing else."""
        named = (given.further, given.requirements, given.constraints, given.links)
        for address in (given.index or "", *(one for group in named for one in group or ())):
            if _is_malformed(address):
                self._refuse(line, f"the address {_bare(address)} is malformed", "Correct the address.")
                return []
        files = []
        for names, is_constraint in ((given.requirements, False), (given.constraints, True)):
            for name in names or ():
                if _REMOTE.match(name):
                    self._refuse(line, f"{listed.shown(name)} is not fetched", "Download it, and name the file there.")
                else:
                    files.append((_beside(line, name), is_constraint))
        self._index = given.index or self._index
        self._further += given.further or ()
        self._offline = line if given.no_index else self._offline
        for place in given.links or ():
            self._link(place, line)
        for option, names in given.formats or ():
            self._format(option, names)
        self._hashes_demanded = line if given.require_hashes else self._hashes_demanded
        if given.trusted:
            self._note(
                line, "--trusted-host has no effect: certificates are verified. PIP_CERT names an authority of yours"
            )
        if given.features:
            self._note(line, "--use-feature has no effect: it is pip's own")
        if given.hashes or given.built or given.settings:
            self._note(line, "an option for a requirement has no effect on a line without one")
        return files

    def _link(self, place: str, line: _Line) -> None:
        """Take a place of ``--find-links``, which pip looks for beside the file first."""
        is_local = place.startswith("file:") or "://" not in place
        path = Path((local_path(place) if place.startswith("file:") else place).replace("\0", ""))
        path = line.file.parent / path if os.path.lexists(line.file.parent / path) else path
        if not is_local:
            self._note(
                line, f"--find-links {listed.shown(place)}: pages are not read. Download its wheels into a directory"
            )
        # Those of Path raise errors for names that are too long.
        elif os.path.isdir(path) or (os.path.isfile(path) and path.suffix == ".whl"):  # noqa: PTH112, PTH113
            self._links.append(path)
        else:
            self._note(line, f"--find-links {path}: is neither a directory nor a wheel")

    def _format(self, option: str, names: str) -> None:
        """Take a value of ``--no-binary`` or ``--only-binary``, of which the later one counts."""
        own = self._only[option]
        (other,) = (value for key, value in self._only.items() if key != option)
        for name in names.split(","):
            if name == ":none:":
                own.clear()
            elif name == ":all:":
                own.clear()
                other.clear()
                own.add(name)
            else:
                own.add(canonicalize_name(name))
                other.discard(canonicalize_name(name))

    def _kind(self, name: str) -> ArtifactKind | None:
        for key in (canonicalize_name(name), ":all:"):
            if key in self._only["--only-binary"]:
                return ArtifactKind.WHEEL
            if key in self._only["--no-binary"]:
                return ArtifactKind.SDIST
        return None

    def _settled(self, entry: ListedRelease) -> ListedRelease:
        """Return *entry* with what options and constraints say of it."""
        if entry.skipped:
            return entry
        for pin, specifier, line in self._constraints.get(canonicalize_name(entry.name), ()):
            if not pin.skipped:
                try:
                    entry = _constrained(entry, pin, specifier, line)
                except ConfigError as error:
                    # Without files: they are what is installed, whatever else is wrong.
                    return replace(entry, files=(), error=error)
        if entry.error is None and not entry.place:
            kind = entry.selection.kind or self._kind(entry.name)
            entry = replace(entry, selection=replace(entry.selection, kind=kind))
            if self._hashes_demanded and not entry.selection.hashes:
                problem = f"it has no strong hash, such as SHA-256, and {self._hashes_demanded.where} demands one"
                entry = replace(entry, error=ConfigError(problem, remedy="Lock with hashes."))
        return entry

    def _shown(self, entry: ListedRelease) -> ListedRelease:
        """Return *entry* without the values of variables where it is shown; addresses that are asked stay."""
        shown = self._variables.shown
        return replace(
            entry,
            # The index is asked for a name with a version, which may have the value of a variable by chance.
            name=entry.name if entry.version else shown(entry.name),
            notes=tuple(map(shown, entry.notes)),
            skipped=shown(entry.skipped),
            place=shown(entry.place),
            error=entry.error and self._variables.in_error(entry.error),
        )

    def _refuse(self, line: _Line, problem: str, remedy: str) -> None:
        # A file that is named as requirements and as constraints is read twice.
        if line.where not in self._refused:
            self._entries.append(ListedRelease(line.where, error=ConfigError(problem, remedy=remedy)))
        self._refused.add(line.where)

    def _note(self, line: _Line, text: str) -> None:
        self._notes.append(f"{line.where}: {text}")


def _constrained(entry: ListedRelease, pin: ListedRelease, specifier: SpecifierSet, line: _Line) -> ListedRelease:
    """Return *entry* under the constraint *pin*, of its project; what is not pinned takes its version, as uv does.

    Where both have hashes, those that both have count.

    :raises ConfigError: if they contradict each other.
    """
    if entry.version and not specifier.contains(entry.version, prereleases=True):
        raise ConfigError(
            f"{line.where} allows {entry.name}{specifier or ''} only", remedy="Lock again, or correct one of them."
        )
    own, others = entry.selection.hashes, pin.selection.hashes
    hashes = own & others if own and others else own | others
    if own and others and not hashes:
        raise ConfigError(f"{line.where} has other hashes of it", remedy="Lock again.")
    # Those of an address belong to its file.
    if not entry.files:
        notes = tuple(note for note in entry.notes if note != listed.NO_HASH or not hashes)
        entry = replace(entry, selection=replace(entry.selection, hashes=hashes), notes=notes)
    if (
        entry.version
        or entry.files
        or entry.place
        or not pin.version
        or not entry.allowed.contains(pin.version, prereleases=True)
    ):
        return entry
    return replace(
        pin,
        name=entry.name,
        selection=replace(pin.selection, hashes=hashes),
        notes=() if hashes else pin.notes,
    )


class _Parser(optparse.OptionParser):
    """pip's own parser is optparse's: what it takes (abbreviations, values in the next word) is taken."""

    def error(self, msg: str) -> NoReturn:
        raise ValueError(msg)


_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "index": ("-i", "--pypi-url", "--index-url"),
    "further": ("--extra-index-url",),
    "requirements": ("-r", "--requirement"),
    "constraints": ("-c", "--constraint"),
    "editables": ("-e", "--editable"),
    "links": ("-f", "--find-links"),
    "trusted": ("--trusted-host",),
    "features": ("--use-feature",),
    "formats": ("--no-binary", "--only-binary"),
    "no_index": ("--no-index",),
    "require_hashes": ("--require-hashes",),
    # Versions are pinned and wheels are taken anyway.
    "moot": ("--pre", "--prefer-binary"),
    "hashes": ("--hash",),
    "built": ("--global-option", "--install-option"),
    "settings": ("-C", "--config-setting", "--config-settings"),
}
_OF_REQUIREMENTS = {"hashes", "built", "settings"}
_SWITCHES = {"no_index", "require_hashes", "moot"}


@cache
def _parser() -> _Parser:
    parser = _Parser(add_help_option=False)
    for name, options in _OPTIONS.items():
        if name in _SWITCHES:
            parser.add_option(*options, dest=name, action="store_true")
        elif name == "formats":
            parser.add_option(*options, dest=name, type="string", action="callback", callback=_take_format)
        else:
            parser.add_option(*options, dest=name, action="store" if name == "index" else "append")
    return parser


def _take_format(_: optparse.Option, name: str, value: str, parser: optparse.OptionParser) -> None:
    """Keep the order of these two options."""
    assert parser.values is not None
    parser.values.formats = [*(parser.values.formats or ()), (name, value)]


def _said(given: optparse.Values) -> dict[str, Any]:
    return vars(given)


def _split(line: str) -> tuple[str, optparse.Values]:
    """Return the requirement on *line*, and the options that follow or stand alone.

    :raises ValueError: if there is an option that pip does not know, or something behind one.
    """
    found = re.search(r"(^|(?<=\s))-", line)
    text, options = (line[: found.start()].strip(), line[found.start() :]) if found else (line, "")
    given, rest = _parser().parse_args(shlex.split(options))
    named = [name for name in _PLACES if _said(given)[name]]
    if rest and not text and len(named) == 1 and options.endswith(rest[-1]):
        _said(given)[named[0]][-1] = " ".join([_said(given)[named[0]][-1], *rest])
    elif rest:
        raise ValueError(f"{' '.join(rest)!r} stands behind options, where pip passes over it")
    return text, given


def _beside(line: _Line, name: str) -> Path:
    """Return the path of a file that *line* names."""
    return line.file.parent / (local_path(name) if name.startswith("file:") else name)


def _is_malformed(address: str) -> bool:
    """Return whether *address* is none, though it begins like one; paths are not malformed."""
    try:
        urlsplit(address if "://" in address else "")
    except ValueError:  # such as brackets that do not close
        return True
    return False


def _bare(address: str) -> str:
    """Return a malformed *address* without what may be credentials in it."""
    return re.sub(r"//.*@", "//", re.split(r"[?#]", address)[0])


def _lines(path: Path, variables: Variables, *, is_constraint: bool) -> Iterator[_Line]:
    """Yield the lines of the file *path*, joined where they are continued; the file is read before the first."""
    found: list[_Line] = []
    held, first = "", 0
    for number, line in enumerate([*text_of(path).splitlines(), ""], 1):
        is_comment = line.lstrip().startswith("#")
        first = first if held else number
        # pip joins first, and a comment ends what is joined.
        if line.endswith("\\") and not is_comment:
            held += line.strip("\\")
            continue
        whole = _COMMENT.sub("", f"{held} {line}" if is_comment else held + line).strip()
        held = ""
        if whole:
            variables.hide_in_addresses(whole)
            found.append(_Line(path, first, whole, variables.expanded(whole), is_constraint))
    return iter(found)


def text_of(path: Path) -> str:
    """Return what the file *path* has, a requirements file or whatever may be one.

    :raises ConfigError: if it cannot be read.
    """
    try:
        # Not by its size, which a pipe or a device does not have.
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ConfigError(f"{path} is too large for a requirements file", remedy="Name a requirements file.")
        return decoded(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="Check the path.") from None
    except ValueError as error:  # a NUL in its name, too
        raise ConfigError(f"{path} cannot be read as UTF-8: {error}", remedy="Name a requirements file.") from None


def decoded(data: bytes) -> str:
    """Return *data* as text, in UTF-8 or as its byte order mark says.

    :raises ValueError: if it is not.
    """
    # As PowerShell writes what is redirected into a file; pip looks for these marks, too.
    return data.decode(next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8"))


def _editable(where: str) -> ListedRelease:
    found, where = re.search(r"[#&]egg=([\w.-]+)", where), _CREDENTIALS.sub("//", where)
    if _VCS.match(where):
        return listed.repository(found[1] if found else where.rpartition("/")[2], "", where)
    return listed.directory(found[1] if found else _project_in(where) or where, "", where, editable=True)


def _project_in(where: str) -> str:
    """Return the name of the project in the directory *where*, if its pyproject.toml has it (PEP 621)."""
    path = Path(local_path(where) if where.startswith("file:") else where.partition("[")[0])
    try:
        table = parsed_toml(toml_bytes(path / "pyproject.toml").decode("utf-8")).get("project", {})
    except (OSError, ValueError, ConfigError):
        return ""
    name = table.get("name") if isinstance(table, dict) else None
    return name if isinstance(name, str) else ""


def _entry(
    requirement: Requirement, hashes: frozenset[str], environment: Mapping[str, str]
) -> tuple[ListedRelease, SpecifierSet | None]:
    """Return the entry of a requirement, and the versions that it allows; None if it is not by version."""
    name, marker = requirement.name, str(requirement.marker or "")
    try:
        is_for_us = applies(marker, environment)
    except ConfigError as error:  # such as python_version ~= 'three', which is of the right form
        return ListedRelease(name, error=error), None
    if not is_for_us:
        return ListedRelease(name, skipped=listed.elsewhere(marker)), None
    if requirement.url:
        is_vcs = _VCS.match(requirement.url)
        url = requirement.url
        return listed.repository(name, "", url) if is_vcs else listed.address(name, "", url, hashes), None
    allowed = requirement.specifier
    pins = [one.version for one in allowed if one.operator in ("==", "===") and "*" not in one.version]
    if len(pins) != 1:
        unpinned = listed.unpinned(name, str(requirement))
        return replace(unpinned, allowed=allowed, selection=Selection(hashes=hashes)), allowed
    notes = () if hashes else (listed.NO_HASH,)
    return ListedRelease(name, pins[0], Selection(hashes=hashes), notes=notes), allowed


def _by_place(text: str, error: InvalidRequirement, hashes: frozenset[str]) -> ListedRelease:
    """Return an entry that is no requirement (PEP 508): pip takes addresses and paths, too."""
    label = _bare(text) if _is_malformed(text) else listed.shown(text)
    if _VCS.match(text):
        return listed.repository(label, "", text)
    if re.match(r"(https?|file):", text):
        # Addresses of archives that are made on demand end in the name of a branch.
        name = listed.file_name(text)
        return listed.address(name if re.search(r"\.(whl|zip|tar|t?gz|bz2|xz)$", name) else label, "", text, hashes)
    text = _CREDENTIALS.sub("//", text)
    if re.match(r"\.|/|[\w.-]+/|.+\.(whl|gz|zip)$", text):
        problem = UsageError("it is a path of this machine: no index published it", remedy="Name the file.")
        if text.endswith(".whl"):
            return replace(listed.address(text, "", Path(text).absolute().as_uri(), hashes), error=problem)
        return ListedRelease(text, error=problem)
    return ListedRelease(
        text, error=ConfigError(f"it is not a requirement: {error}".splitlines()[0], remedy="Correct the line.")
    )
