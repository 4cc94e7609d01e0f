"""The text of a pyproject.toml with samebytes put between front end and backend, and with it taken out again.

Taking out gives back every byte. Nearly always what samebytes put in is enough to know how: the former backend, and
its path, are in ``[tool.samebytes]`` as they were written, and their order there says where the path stood. Where
that is not enough, the statement in question is kept as a comment in its place (``RECORD``). Which statements need
that is found by trying, so a record is written only where the way back would be another one without it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

from samebytes.backend.config import LEGACY_BACKEND
from samebytes.errors import ConfigError

from . import tomltext
from .tomltext import Edit, Entry, Keys, Layout, Line

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OUTER_BACKEND = "samebytes.backend"

RECORD = "# without samebytes: "
"""Begins a comment that holds a line which the way back needs."""

DEFAULT_REQUIRES = "setuptools>=40.8.0"
"""What a missing [build-system] requires (PEP 517; pip and build asked for wheel as well until setuptools did)."""

_BACKEND = f'build-backend = "{OUTER_BACKEND}"'
_NEW_SYSTEM = ("[build-system]", f'requires = ["{DEFAULT_REQUIRES}", "samebytes"]', _BACKEND)
_NEW_TABLE = ("[tool.samebytes]", f'build-backend = "{LEGACY_BACKEND}"')

CREATED = "\n".join([*_NEW_SYSTEM, "", *_NEW_TABLE, ""])
"""The pyproject.toml of a project that had none."""

_SYSTEM, _TOOL, _OURS = ("build-system",), ("tool",), ("tool", "samebytes")
_REQUIRES, _OUTER, _OUTER_PATH = ((*_SYSTEM, key) for key in ("requires", "build-backend", "backend-path"))
_INNER, _INNER_PATH = ((*_OURS, key) for key in ("build-backend", "backend-path"))
_TABLES = (_SYSTEM, _OURS)

_NAMES_SAMEBYTES = re.compile(r"\s*samebytes\s*($|[^\w\s.-])", re.IGNORECASE)


@dataclass(frozen=True)
class _Setting:
    """A key that goes into [tool.samebytes]."""

    key: str
    raw: str
    statement: str
    """The whole of it, for a place where a statement of its own can stand."""


def parse(text: str) -> dict[str, Any]:
    """Return the values of a TOML document; two are equal if and only if the documents say the same.

    :raises tomllib.TOMLDecodeError: if it is malformed.
    """
    # Floats as they are written: NaN is not equal to itself.
    values: dict[str, Any] = tomllib.loads(text, parse_float=lambda number: ("float", number))
    return values


def names_samebytes(requirement: str) -> bool:
    """Say whether a requirement (PEP 508) is of us."""
    return _NAMES_SAMEBYTES.match(requirement) is not None


def wrapped(text: str) -> str:
    """Return *text*, a pyproject.toml that is well formed and not wrapped, with samebytes as its build backend.

    :raises ConfigError: if :func:`unwrapped` could not give every byte back.
    """
    layout = Layout(text, _TABLES)
    for recorded in _choices(_recordable(layout)):
        candidate = tomltext.apply(text, _wrapping(layout, recorded))
        if _leads_back(candidate, text):
            return candidate
    raise ConfigError(
        "is laid out so that unwrap could not give it back",
        remedy=f"Lay out [build-system] and [tool.samebytes] more plainly; remove comments that begin {RECORD!r}.",
    )


def unwrapped(text: str) -> str | None:
    """Return *text*, a pyproject.toml with samebytes as its backend, without it; None if there was none before."""
    if text == CREATED:
        return None
    layout = Layout(text, _TABLES)
    records = _records(layout)
    recorded = {name for record in records for name in record.names}
    return _restored(tomltext.apply(text, _unwrapping(layout, recorded)))


def _choices(lines: list[Line]) -> Iterator[tuple[Line, ...]]:
    """Return all choices out of *lines*, the smallest first."""
    return chain.from_iterable(combinations(lines, size) for size in range(len(lines) + 1))


def _leads_back(candidate: str, text: str) -> bool:
    try:
        parse(candidate)
        return unwrapped(candidate) == text
    except (ConfigError, tomllib.TOMLDecodeError):
        return False


# --- putting in


def _wrapping(layout: Layout, recorded: Collection[Line]) -> list[Edit]:
    """Return the edits that put samebytes in, the former lines of *recorded* kept as comments."""
    records = [_record(layout, line) for line in recorded]
    requires = layout.find(_REQUIRES)
    if requires is None:
        return [*records, *_new_system(layout)]
    return [*records, *_rewire(layout, requires, recorded), *_configure(layout, requires)]


def _new_system(layout: Layout) -> list[Edit]:
    """Return the edits that put a [build-system] at the end, which says what its absence means."""
    settled = _at_home(layout, _settings(layout))
    lines = _NEW_SYSTEM if settled is not None else (*_NEW_SYSTEM, "", *_NEW_TABLE)
    newline, end = layout.newline, len(layout.text)
    block = newline + newline.join(lines)
    ended = not layout.text or layout.text.endswith("\n")
    return [*(settled or ()), (end, end, block + newline if ended else newline + block)]


def _rewire(layout: Layout, requires: Entry, recorded: Collection[Line]) -> list[Edit]:
    """Return the edits to [build-system]."""
    edits = tomltext.append(layout.text, requires, "samebytes")
    outer, path = layout.find(_OUTER), layout.find(_OUTER_PATH)
    if outer:
        edits.append((outer.value, outer.end, f'"{OUTER_BACKEND}"'))
    else:
        edits.append(tomltext.insert_after(layout, requires, _relative(_OUTER, requires.base), f'"{OUTER_BACKEND}"'))
    if path and path.inline:
        edits += tomltext.remove_inline(layout, [path])
    elif path and path.line in recorded:  # the comment stands in its place
        edits.append((path.line.start, path.line.end, ""))
    elif path and outer and path.line.after == outer.line.start:
        edits.append((path.line.start, path.line.after, ""))
    elif path:
        edits += tomltext.remove_lines(layout, [path.line])
    return edits


def _configure(layout: Layout, requires: Entry) -> list[Edit]:
    """Return the edits that put the former backend into [tool.samebytes], after [build-system] if it is new."""
    settings = _settings(layout)
    settled = _at_home(layout, settings)
    if settled is not None:
        return settled
    last = _last_of_section(layout, requires.line)
    block = ["", "", f"[{'.'.join(_OURS)}]", *(setting.statement for setting in settings)]
    return [(last.end, last.end, layout.newline_of(last).join(block))]


def _settings(layout: Layout) -> list[_Setting]:
    """Return what has to go into [tool.samebytes], the path first if it stood first."""
    outer, path = layout.find(_OUTER), layout.find(_OUTER_PATH)
    raw = layout.raw(outer) if outer else f'"{LEGACY_BACKEND}"'
    settings = [] if layout.find(_INNER) else [_Setting("build-backend", raw, f"build-backend = {raw}")]
    if path and not layout.find(_INNER_PATH):
        statement = f"backend-path = {layout.raw(path)}"
        if path.base == _SYSTEM and not path.inline:
            statement = layout.text[path.line.start : path.line.end]
        at = 0 if outer and path.start < outer.start else len(settings)
        settings.insert(at, _Setting("backend-path", layout.raw(path), statement))
    return settings


def _at_home(layout: Layout, settings: Sequence[_Setting]) -> list[Edit] | None:
    """Return the edits that put *settings* into the table where it is already; None if it is nowhere yet."""
    if not settings:
        return []
    header, table, tool = layout.header(_OURS), layout.find(_OURS), layout.find(_TOOL)
    if header:
        newline = layout.newline_of(header)
        return [(header.end, header.end, newline + setting.statement) for setting in settings]
    if table:
        return _into(layout, table, {setting.key: setting.raw for setting in settings})
    dotted = _dotted_sibling(layout)
    if dotted:
        keys = [_relative((*_OURS, setting.key), dotted.base) for setting in settings]
        return [tomltext.insert_before(layout, dotted, key, setting.raw) for key, setting in zip(keys, settings)]
    if tool:
        pairs = ", ".join(f"{setting.key} = {setting.raw}" for setting in settings)
        return _into(layout, tool, {"samebytes": f"{{ {pairs} }}"})
    return None


def _dotted_sibling(layout: Layout) -> Entry | None:
    """Return the first entry that defines something in [tool.samebytes] from outside, by a dotted key."""
    return next((entry for entry in layout.entries if entry.path[:2] == _OURS and len(entry.base) < 2), None)


def _into(layout: Layout, table: Entry, pairs: Mapping[str, str]) -> list[Edit]:
    """Return the edits that put *pairs* at the beginning of an inline table."""
    children = layout.inside(table.path)
    if children:
        return [tomltext.insert_before(layout, children[0], key, raw) for key, raw in pairs.items()]
    return [(table.value + 1, table.end - 1, f" {', '.join(f'{key} = {raw}' for key, raw in pairs.items())} ")]


def _last_of_section(layout: Layout, line: Line) -> Line:
    """Return the line after which a new table may begin: no comment that belongs to a statement is cut off from it."""
    section = layout.section(line)
    at = max(i for i, other in enumerate(section) if other.kind == "pair")
    end = next((i for i, other in enumerate(section) if i > at and other.kind != "comment"), len(section))
    follows_header = end == len(section) and section[-1] is not layout.lines[-1]
    return section[at] if follows_header else section[end - 1]


def _relative(path: Keys, base: Keys) -> str:
    return ".".join(path[len(base) :])


# --- records


@dataclass(frozen=True)
class _Record:
    """Consecutive comments that hold former lines."""

    first: Line
    last: Line
    former: str
    names: tuple[tuple[str, Keys], ...]
    """Kind and path of each statement in it."""


def _recordable(layout: Layout) -> list[Line]:
    """Return the statements that may have to be recorded: all that putting in and taking out touch."""
    touched = (_REQUIRES, _OUTER, _OUTER_PATH, _OURS, _INNER, _INNER_PATH, _TOOL)
    lines = [entry.line for entry in map(layout.find, touched) if entry]
    header = layout.header(_OURS)
    return list(dict.fromkeys([*lines, *([header] if header else [])]))


def _record(layout: Layout, line: Line) -> Edit:
    """Return the edit that puts *line* as a comment before itself."""
    comment = "".join(RECORD + part for part in tomltext.split_lines(layout.text[line.start : line.end]))
    path = layout.find(_OUTER_PATH)
    goes = path and path.line == line and not path.inline
    return (line.start, line.start, comment if goes else comment + layout.newline_of(line))


def _records(layout: Layout) -> list[_Record]:
    """Return what :func:`_record` has left.

    :raises ConfigError: if somebody has edited it into what is not TOML.
    """
    runs: list[list[Line]] = []
    follows = False
    for line in layout.lines:
        is_record = line.kind == "comment" and layout.text.startswith(RECORD, line.start)
        if is_record and follows:
            runs[-1].append(line)
        elif is_record:
            runs.append([line])
        follows = is_record
    return [_read_record(layout, run) for run in runs]


def _read_record(layout: Layout, run: list[Line]) -> _Record:
    former = "".join(layout.text[line.start + len(RECORD) : line.after] for line in run)
    try:
        parse(former)
    except tomllib.TOMLDecodeError:
        number = layout.text.count("\n", 0, run[0].start) + 1
        raise ConfigError(
            f"line {number}: what follows {RECORD!r} is not a statement of TOML",
            remedy="Mend it, or remove the comment.",
        ) from None
    held = Layout(former, _TABLES, run[0].table)
    return _Record(run[0], run[-1], former, tuple(name for line in held.lines for name in _names(held, line)))


def _restored(text: str) -> str:
    """Return *text* with the lines recorded in it back in force, in place of the statement that follows each."""
    layout = Layout(text, _TABLES)
    edits = []
    for record in _records(layout):
        at = layout.lines.index(record.last) + 1
        following = layout.lines[at] if at < len(layout.lines) else record.last
        end, former = record.last.after, record.former
        if record.names and record.names[-1] in _names(layout, following):
            end = following.end
            former = former[: len(former) - (record.last.after - record.last.end)]
        edits.append((record.first.start, end, former))
    return tomltext.apply(text, edits)


def _names(layout: Layout, line: Line) -> list[tuple[str, Keys]]:
    if line.kind == "header":
        return [("header", line.table)]
    return [("pair", entry.path) for entry in layout.entries if entry.line == line and not entry.inline]


# --- taking out


def _unwrapping(layout: Layout, recorded: Collection[tuple[str, Keys]]) -> list[Edit]:
    """Return the edits that take samebytes out, but for what is *recorded*."""
    start = _start_of_new_system(layout.text)
    if start is not None:
        inside = layout.header(_OURS)
        whole = inside is not None and inside.start > start
        return [*([] if whole else _deconfigure(layout, recorded)), (start, len(layout.text), "")]
    return [*_unwire(layout, recorded), *_deconfigure(layout, recorded)]


def _start_of_new_system(text: str) -> int | None:
    """Return where what :func:`_new_system` has put at the end begins, if it is there."""
    for newline in ("\n", "\r\n"):
        for lines in ((*_NEW_SYSTEM, "", *_NEW_TABLE), _NEW_SYSTEM):
            block = newline + newline.join(lines)
            for added, ended in ((block + newline, True), (newline + block, False)):
                head = text[: len(text) - len(added)]
                if text.endswith(added) and ended == (not head or head.endswith("\n")):
                    return len(head)
    return None


def _unwire(layout: Layout, recorded: Collection[tuple[str, Keys]]) -> list[Edit]:
    """Return the edits to [build-system]."""
    requires, outer, path = (
        None if entry is None or _is_recorded(entry.path, recorded) else entry
        for entry in map(layout.find, (_REQUIRES, _OUTER, _OUTER_PATH))
    )
    inner = layout.find(_INNER)
    inner_path = None if _is_recorded(_OUTER_PATH, recorded) else layout.find(_INNER_PATH)
    edits = _without_samebytes(layout, requires) if requires else []
    gone = [path] if path else []  # it led to samebytes itself
    if outer and inner_path:
        edits.append(_path_back(layout, outer, inner_path, inner))
    if outer and not inner_path and (inner is None or _names_default(layout, inner)):
        gone.append(outer)
    elif outer:
        edits.append((outer.value, outer.end, layout.raw(inner) if inner else f'"{LEGACY_BACKEND}"'))
    return edits + _remove(layout, gone)


def _is_recorded(path: Keys, recorded: Collection[tuple[str, Keys]]) -> bool:
    return any(("pair", path[:length]) in recorded for length in range(1, len(path) + 1))


def _without_samebytes(layout: Layout, requires: Entry) -> list[Edit]:
    """Return the edits that take out the last requirement of samebytes."""
    names: list[str] = parse(f"it = {layout.raw(requires)}")["it"]
    ours = [index for index, name in enumerate(names) if names_samebytes(name)]
    return tomltext.drop(layout.text, requires, ours[-1]) if ours else []


def _names_default(layout: Layout, inner: Entry) -> bool:
    return bool(parse(f"it = {layout.raw(inner)}")["it"] == LEGACY_BACKEND)


def _path_back(layout: Layout, outer: Entry, path: Entry, inner: Entry | None) -> Edit:
    """Return the edit that puts ``backend-path`` beside [build-system]'s ``build-backend``."""
    first = inner is not None and path.start < inner.start
    if not outer.inline and outer.base == _SYSTEM and not path.inline and path.base == _OURS:
        statement = layout.text[path.line.start : path.line.end]
        newline = layout.newline_of(outer.line)
        at = outer.line.start if first else outer.line.end
        return (at, at, statement + newline if first else newline + statement)
    insert = tomltext.insert_before if first else tomltext.insert_after
    return insert(layout, outer, _relative(_OUTER_PATH, outer.base), layout.raw(path))


def _deconfigure(layout: Layout, recorded: Collection[tuple[str, Keys]]) -> list[Edit]:
    """Return the edits to [tool.samebytes], which goes if nothing is left in it."""
    found = [entry for entry in map(layout.find, (_INNER, _INNER_PATH)) if entry]
    gone = sorted((entry for entry in found if not _is_recorded(entry.path, recorded)), key=lambda entry: entry.start)
    if not gone:
        return []
    header = layout.header(_OURS)
    if header and ("header", _OURS) not in recorded and _holds_only(layout, header, gone):
        return [_remove_table(layout, header, gone[-1].line)]
    table = layout.find(_OURS)
    if table and len(layout.inside(_OURS)) == len(gone):
        gone = [table]
    return _remove(layout, gone)


def _holds_only(layout: Layout, header: Line, gone: Sequence[Entry]) -> bool:
    """Say whether the table of *header* is worth no header without the entries *gone*."""
    body = layout.section(header)[1:]
    lines = [entry.line for entry in gone]
    bare = layout.text[header.start : header.end].rstrip().endswith("]")
    return bare and body[: len(lines)] == lines and not any(line.kind == "pair" for line in body[len(lines) :])


def _remove_table(layout: Layout, header: Line, last: Line) -> Edit:
    """Return the edit that takes out a table, with the empty line before it."""
    at = layout.lines.index(header)
    if at == 0:
        return (0, last.after, "")
    empty = at > 1 and layout.lines[at - 1].start == layout.lines[at - 1].end
    return (layout.lines[at - 2 if empty else at - 1].end, last.end, "")


def _remove(layout: Layout, gone: Sequence[Entry]) -> list[Edit]:
    """Return the edits that take out *gone*, all of one table."""
    if gone and gone[0].inline:
        return tomltext.remove_inline(layout, sorted(gone, key=lambda entry: entry.start))
    return tomltext.remove_lines(layout, [entry.line for entry in gone])
