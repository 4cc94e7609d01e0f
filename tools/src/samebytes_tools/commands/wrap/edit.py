"""The text of a pyproject.toml with samebytes put between front end and backend, and with it taken out again.

tomlkit's tree shows where the statements are. Values are replaced in it; new lines become part of the line end before
them (``trivia.trail``), because tomlkit's own way of adding keys and tables puts them behind the comments that belong
to the next table. What :func:`wrapped` adds, :func:`unwrapped` recognizes by its text, so that every byte comes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, Union

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Comment, InlineTable, Item, Key, Table

from samebytes.backend.config import LEGACY_BACKEND, LEGACY_REQUIRES, parsed_toml
from samebytes.errors import ConfigError

OUTER_BACKEND = "samebytes.backend"

# Both comments are for readers, and for unwrap: they distinguish what wrap added from the same thing written by hand.
_NONE_NAMED = "  # [build-system] named none"
_ADDED = "# Added by samebytes: a missing [build-system] means setuptools (PEP 517)."

_NEW_SYSTEM = f"""\
{_ADDED}
[build-system]
requires = ["{LEGACY_REQUIRES[0]}", "samebytes"]
build-backend = "{OUTER_BACKEND}\""""

_NEW_TABLE = f'\n\n[tool.samebytes]\nbuild-backend = "{LEGACY_BACKEND}"{_NONE_NAMED}'

CREATED = f"{_NEW_SYSTEM}{_NEW_TABLE}\n"
"""The pyproject.toml of a project that had none."""

_OURS = ("tool", "samebytes")
_INNER_KEYS = ("build-backend", "backend-path")

# By a pattern: a requirement that packaging cannot parse must not hide it, and "samebytes-tools" is another project.
_NAMES_SAMEBYTES = re.compile(r"\s*samebytes\s*($|[^\w\s.-])", re.IGNORECASE)

_COMMENT = r"[ \t]*(?:#[^\r\n]*)?"
_LAST = r"(?=(?:[ \t\r\n]|#.*\n)*\]\Z)"
"""Holds behind the last element of an array."""

_Owner = Union[tomlkit.TOMLDocument, Table, InlineTable]


class _Entry(NamedTuple):
    """A key and its value, and the table that directly holds them."""

    owner: _Owner
    position: int
    key: Key
    item: Any
    prefix: str
    """What a key beside this one begins with: ``build-system.`` among dotted keys, else nothing."""

    @property
    def statement(self) -> str:
        """The key and its value as they are written, with the comment behind them."""
        trivia = self.item.trivia
        return f"{self.key.as_string()}{self.key.sep}{self.item.as_string()}{trivia.comment_ws}{trivia.comment}"


def parse(text: str) -> dict[str, Any]:
    """Return the values of a TOML document; two are equal if and only if the documents have the same meaning.

    :raises ValueError: if it is malformed, or goes beyond what can be read or shown.
    """
    # Floats as they are written: NaN is not equal to itself.
    return parsed_toml(text, parse_float=lambda number: ("float", number))


def names_samebytes(requirement: str) -> bool:
    """Return whether *requirement* (PEP 508) is one of samebytes."""
    return _NAMES_SAMEBYTES.match(requirement) is not None


def wrapped(text: str) -> str:
    """Return *text*, a valid pyproject.toml that is not wrapped, with samebytes as its build backend.

    :raises ConfigError: if tomlkit cannot edit it.
    """
    return _with_line_feeds(text, _wrapped)


def unwrapped(text: str) -> str | None:
    """Return *text*, a pyproject.toml with samebytes as its backend, without it; None for what wrap has created.

    :raises ConfigError: if tomlkit cannot edit it.
    """
    return None if text == CREATED else _with_line_feeds(text, _unwrapped)


def _with_line_feeds(text: str, edit: Callable[[str], str]) -> str:
    """Return *text* edited; where all lines end in CRLF, new ones do so too."""
    # With mixed line ends, lines are left as they are, and new ones get LF.
    all_crlf = "\r\n" in text and text.count("\n") == text.count("\r\n")
    try:
        edited = edit(text.replace("\r\n", "\n") if all_crlf else text)
    # RecursionError: tomlkit descends into nested arrays by recursion.
    except (TOMLKitError, RecursionError):
        raise _not_editable() from None
    return edited.replace("\n", "\r\n") if all_crlf else edited


def _tree(text: str) -> tomlkit.TOMLDocument:
    document = tomlkit.parse(text)
    # tomlkit does not reproduce every layout.
    if tomlkit.dumps(document) != text:  # it would change tables that have nothing to do with us
        raise _not_editable()
    return document


def _not_editable() -> ConfigError:
    return ConfigError(
        "has a layout that tomlkit does not reproduce, so it cannot be edited without changing more",
        remedy="Edit [build-system] and [tool.samebytes] by hand; docs/how-to/wrap.md shows the lines.",
    )


def _find(owner: _Owner, *path: str, prefix: str = "") -> _Entry | None:
    """Return the entry of *path*, but for a table that only leads to others, without a header of its own."""
    body = owner.body if isinstance(owner, tomlkit.TOMLDocument) else owner.value.body
    for index, (key, item) in enumerate(body):
        if key is None or key.key != path[0]:
            continue
        if len(path) == 1 and not (isinstance(item, Table) and item.is_super_table()):
            return _Entry(owner, index, key, item, prefix)
        if len(path) > 1 and isinstance(item, (Table, InlineTable)):
            # One table may be spread over several places, so the next place is looked into as well.
            found = _find(item, *path[1:], prefix=f"{prefix}{key.as_string()}." if key.is_dotted() else "")
            if found:
                return found
    return None


# --- putting in


def _wrapped(text: str) -> str:
    document = _tree(text)
    settings = _settings(document)
    requires = _find(document, "build-system", "requires")
    if requires is None:
        settled = _settle(document, settings)
        return _append(tomlkit.dumps(document), _NEW_SYSTEM + ("" if settled else _NEW_TABLE))
    outer, path = (_find(document, "build-system", key) for key in _INNER_KEYS)
    if outer:
        outer.owner[outer.key] = OUTER_BACKEND
    else:
        _add(requires, f'build-backend = "{OUTER_BACKEND}"')
    _require(requires)
    if path:
        path.owner.remove(path.key)
    if _settle(document, settings):
        return tomlkit.dumps(document)
    block = "\n".join(["[tool.samebytes]", *settings])
    last = _last_line(document)
    if last is None:
        return _append(tomlkit.dumps(document), block)
    _add_text(last, f"\n\n{block}")
    return tomlkit.dumps(document)


def _settings(document: tomlkit.TOMLDocument) -> list[str]:
    """Return the statements that [tool.samebytes] has to get; their order records where the path was."""
    outer, path = (_find(document, "build-system", key) for key in _INNER_KEYS)
    raw = outer.item.as_string() if outer else f'"{LEGACY_BACKEND}"{_NONE_NAMED}'
    settings = [] if _find(document, *_OURS, "build-backend") else [f"build-backend = {raw}"]
    if path and not _find(document, *_OURS, "backend-path"):
        settings.insert(0 if outer and path.position < outer.position else 1, path.statement)
    return settings


def _settle(document: tomlkit.TOMLDocument, settings: list[str]) -> bool:
    """Put *settings* into [tool.samebytes]; return False if there is no such table yet."""
    table = _find(document, *_OURS)
    if table and isinstance(table.item, InlineTable):
        for statement in settings:
            _append_inline(table.item, statement)
    elif table and settings:
        # Behind the header: at the end of the table comments may stand that belong to the next one.
        _add_text(table.item, "\n".join(["", *settings]))
    return table is not None or not settings


def _last_line(document: tomlkit.TOMLDocument) -> Item | None:
    """Return the last line of the table [build-system]; None if it has no header."""
    system = _find(document, "build-system")
    if system is None or not isinstance(system.item, Table):
        return None
    body = system.item.value.body
    last = max(index for index, (key, _) in enumerate(body) if key is not None)
    end = next((index for index in range(last + 1, len(body)) if not isinstance(body[index][1], Comment)), None)
    if end is None and document.body[-1][1] is not system.item:
        end = last + 1  # the comments are right above the next header, so they belong to that
    item: Item = body[-1 if end is None else end - 1][1]
    return item


def _append(text: str, block: str) -> str:
    return f"{text}\n{block}\n" if not text or text.endswith("\n") else f"{text}\n\n{block}"


def _add(beside: _Entry, statement: str, before: bool = False) -> None:
    """Put *statement* on a line of its own next to an entry, or at the end of its inline table."""
    trivia = beside.item.trivia
    if isinstance(beside.owner, InlineTable):
        _append_inline(beside.owner, statement)
    elif before:
        # In the indentation, for tomlkit has no way to put a key before another.
        trivia.indent = f"{trivia.indent}{beside.prefix}{statement}\n{trivia.indent}"
    else:
        _add_text(beside.item, f"\n{trivia.indent}{beside.prefix}{statement}")


def _append_inline(table: InlineTable, statement: str) -> None:
    # Parsed, so that the value keeps its quotes.
    (pair,) = tomlkit.parse(statement).items()
    table.append(*pair)


def _add_text(item: Item, text: str) -> None:
    """Put *text* between an item's line and the end of it, so that a file without a final line end keeps none."""
    trail = item.trivia.trail
    item.trivia.trail = f"{trail[:-1]}{text}\n" if trail.endswith("\n") else trail + text


# --- taking out


def _unwrapped(text: str) -> str:
    text = _without_added_system(text)
    document = _tree(text)
    inner, path = (_find(document, *_OURS, key) for key in _INNER_KEYS)
    path_first = bool(inner and path and path.position < inner.position)
    # Parsed again: positions and items of the first tree are of the old text.
    document = _tree(_without_settings(text, document))
    # Found anew each time: it is another array then.
    while (requires := _find(document, "build-system", "requires")) and any(map(names_samebytes, requires.item)):
        _do_not_require(requires)
    outer_path = _find(document, "build-system", "backend-path")
    if outer_path:  # it led to samebytes itself
        outer_path.owner.remove(outer_path.key)
    outer = _find(document, "build-system", "build-backend")
    if outer and path:
        _add(outer, path.statement, before=path_first)
    if outer and (path or (inner and not inner.statement.endswith(_NONE_NAMED))):
        outer.owner[outer.key] = tomlkit.value(inner.item.as_string()) if inner else LEGACY_BACKEND
    elif outer:
        outer.owner.remove(outer.key)
    return tomlkit.dumps(document)


def _without_added_system(text: str) -> str:
    """Return *text* without the [build-system] that :func:`_wrapped` has appended, if it is still as it was."""
    for block in (_NEW_SYSTEM + _NEW_TABLE, _NEW_SYSTEM):
        head, found, tail = text.partition(block)
        if found and tail[:1] in ("", "\n"):
            # The inverse of _append; without a head, wrap had created the file, and it has grown since.
            return (head[:-1] + tail[1:] if tail else head[:-2]) if head else tail.lstrip("\n")
    return text


def _without_settings(text: str, document: tomlkit.TOMLDocument) -> str:
    """Return *text* without what names the inner backend, and without [tool.samebytes] if that is all it holds."""
    entries = [entry for key in _INNER_KEYS for entry in [_find(document, *_OURS, key)] if entry]
    # As they stand in the file, for the search below.
    entries.sort(key=lambda entry: entry.position)
    table = _find(document, *_OURS)
    if table and isinstance(table.item, Table) and _holds_only(table.item, entries):
        lines = "\n".join(entry.statement for entry in entries)
        found = re.search(rf"(\A|\n\n?)\[tool\.samebytes\]\n{re.escape(lines)}(?=\n|\Z)", text)
        if found:
            return (text[: found.start()] + text[found.end() :]).lstrip("" if found.start() else "\n")
    for entry in entries:
        entry.owner.remove(entry.key)
    return tomlkit.dumps(document)


def _holds_only(table: Table, entries: list[_Entry]) -> bool:
    """Return whether nothing but *entries* needs the header of *table*: its tables have headers of their own."""
    lines = [key for key, item in table.value.body if key and (key.is_dotted() or not isinstance(item, (Table, AoT)))]
    return bool(entries) and lines == [entry.key for entry in entries]


# --- [build-system] requires: edited as text, because tomlkit moves commas and comments, and loses elements behind them


def _require(requires: _Entry) -> None:
    """Append samebytes in the style of the requirement before it, unless one names it already."""
    names, raw = list(requires.item), requires.item.as_string()
    if any(map(names_samebytes, names)):
        return
    # At the front if nothing else works: there, no comma or comment is in the way.
    candidates = [f'["samebytes"{", " if names else ""}{raw[1:]}']
    if names:
        last = requires.item[-1].as_string()
        word = f"{last[0]}samebytes{last[0]}"
        for found in re.finditer(rf"(\r?\n[ \t]*|){re.escape(last)}([ \t]*,|)({_COMMENT}){_LAST}", raw):
            own_line, comma, comment = found.groups()
            new = f"{comment}{own_line}{word}{comma.strip()}" if own_line else f" {word}{comma.strip()}{comment}"
            candidates.insert(0, f"{raw[: found.start(2)]}{comma or ','}{new}{raw[found.end() :]}")
    _set_array(requires, candidates, [*names, "samebytes"])


def _do_not_require(requires: _Entry) -> None:
    """Remove the last requirement of samebytes, of which there is one."""
    names, raw = list(requires.item), requires.item.as_string()
    last = max(index for index, requirement in enumerate(names) if names_samebytes(requirement))
    word = re.escape(requires.item[last].as_string())
    ways = (
        (rf",({_COMMENT})(?:\r?\n[ \t]*| ){word}(,?){_LAST}", r"\2\1"),  # as appended above
        (rf"\r?\n[ \t]*{word},?{_COMMENT}(?=\r?\n)", ""),  # a line of its own
        (rf"{word}((?:[ \t\r\n]|#.*\n)*), ?", r"\1"),
        (word, ""),
    )
    candidates = [
        f"{raw[: found.start()]}{found.expand(new)}{raw[found.end() :]}"
        for pattern, new in ways
        for found in re.finditer(pattern, raw)
    ]
    del names[last]
    _set_array(requires, candidates, names)


def _set_array(entry: _Entry, candidates: list[str], names: list[str]) -> None:
    """Give *entry* the first candidate that holds *names*: the others were found in a comment or in a string.

    :raises ConfigError: if none does.
    """
    for text in candidates:
        try:
            values = parse(f"array = {text}")["array"]
        except ValueError:
            continue
        # Sorted, as the last resort puts samebytes first.
        if sorted(values) == sorted(names):
            entry.owner[entry.key] = tomlkit.value(text)
            return
    raise _not_editable()
