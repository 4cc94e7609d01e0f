"""Where the statements of a TOML document stand in its text, so that a few bytes can be edited and all others kept.

A document that is edited as tomlkit's tree and rendered again cannot always be brought back to its former bytes
(a removed key's place, odd spacing, mixed line ends). So this splits the text into statements, lets tomlkit take
those of interest apart, and holds its answer against the text. The text must be valid TOML (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tomlkit

from samebytes.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit.items import Item, Key

Keys = tuple[str, ...]
"""The keys that lead to a table or value."""

Edit = tuple[int, int, str]
"""Put the text in place of what stands between the two offsets."""

_TOKEN = re.compile(
    r'''
    (?P<string> """(?:\\.|"{1,2}(?!")|[^"\\])*"{3,5} | \'\'\'(?:'{1,2}(?!')|[^'])*'{3,5} | "(?:\\.|[^"\\])*" | '[^']*' )
    | (?P<comment> \#[^\r\n]* )
    | (?P<newline> \r?\n )
    | (?P<open> [\[{] )
    | (?P<close> [\]}] )
    | (?P<comma> , )
    | (?P<space> [ \t]+ )
    | (?P<other> [^\s\[\]{},\#"']+ )
    ''',
    re.VERBOSE | re.DOTALL,
)

_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=\r?\n)")

_SILENT = frozenset({"space", "newline", "comment"})


@dataclass(frozen=True)
class Line:
    """One statement, however many lines long, or one blank or comment line."""

    kind: str
    """``"pair"``, ``"header"``, ``"comment"`` or ``"blank"``."""
    start: int
    end: int
    """Without the line end, with the comment."""
    after: int
    """With the line end."""
    table: Keys
    """The table whose header is in force; a header's own."""


@dataclass(frozen=True)
class Entry:
    """A key and its value, as a statement or inside an inline table."""

    path: Keys
    base: Keys
    """The table that the key is relative to."""
    start: int
    """Where the key begins."""
    value: int
    end: int
    """Where the value ends."""
    line: Line
    inline: bool


@dataclass(frozen=True)
class Element:
    """An element of an array."""

    start: int
    end: int
    comma: int | None
    """Where the comma after it ends."""


@dataclass(frozen=True)
class _Token:
    kind: str
    start: int
    end: int


class Layout:
    """A TOML document's text, and where the entries of the *tables* asked for stand in it.

    *base* is the table in force at the beginning. Inline tables among those asked for are looked into as well.

    :raises MissingExtraError: if tomlkit is not installed.
    """

    def __init__(self, text: str, tables: Iterable[Keys], base: Keys = ()) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._tomlkit = tomlkit
        self._tables = frozenset(prefix for table in tables for prefix in _prefixes(table))
        self.lines = tuple(self._split(base))
        self.entries = tuple(entry for line in self.lines for entry in self._entries(line))

    def find(self, path: Keys) -> Entry | None:
        """Return the entry that defines *path*, unless headers or dotted keys do."""
        return next((entry for entry in self.entries if entry.path == path), None)

    def header(self, path: Keys) -> Line | None:
        """Return the header ``[path]``."""
        return next((line for line in self.lines if line.kind == "header" and line.table == path), None)

    def inside(self, path: Keys) -> list[Entry]:
        """Return the entries written directly in the table *path*."""
        return [entry for entry in self.entries if entry.base == path]

    def raw(self, entry: Entry) -> str:
        """Return the value of *entry* as it is written."""
        return self.text[entry.value : entry.end]

    def newline_of(self, line: Line) -> str:
        """Return the end of *line*; that of the document's lines where it has none."""
        return self.text[line.end : line.after] or self.newline

    def indent(self, entry: Entry) -> str:
        """Return what stands before the key of *entry* in its line."""
        return self.text[entry.line.start : entry.start]

    def section(self, line: Line) -> list[Line]:
        """Return the lines from the header that governs *line* to the last one before the next header."""
        at = self.lines.index(line)
        first = max((i for i in range(at + 1) if self.lines[i].kind == "header"), default=0)
        rest = range(first + 1, len(self.lines))
        last = next((i for i in rest if self.lines[i].kind == "header"), len(self.lines))
        return list(self.lines[first:last])

    def _split(self, table: Keys) -> Iterator[Line]:
        for tokens in _logical_lines(self.text):
            start, after = tokens[0].start, tokens[-1].end
            end = tokens[-1].start if tokens[-1].kind == "newline" else after
            kind = _kind(tokens)
            if kind == "header":
                table = self._header_path(tokens)
            yield Line(kind, start, end, after, table)

    def _header_path(self, tokens: list[_Token]) -> Keys:
        opens = [token for token in tokens if token.kind == "open"]
        close = next(token for token in tokens if token.kind == "close")
        key, _ = self._key_value(self.text[opens[-1].end : close.start].strip(" \t") + " = 0", close.start)
        # A table of an array is none of those that one can ask for.
        return tuple(part.key for part in key) + ("[]",) * (len(opens) - 1)

    def _entries(self, line: Line) -> Iterator[Entry]:
        if line.kind == "pair" and line.table in self._tables:
            entry = self._entry(line.start, line.end, line.table, line, False)
            yield entry
            yield from self._nested(entry)

    def _nested(self, entry: Entry) -> Iterator[Entry]:
        if entry.path not in self._tables or not self.raw(entry).startswith("{"):
            return
        for element in elements(self.text, entry.value, entry.end):
            child = self._entry(element.start, element.end, entry.path, entry.line, True)
            yield child
            yield from self._nested(child)

    def _entry(self, start: int, end: int, base: Keys, line: Line, inline: bool) -> Entry:
        key, value = self._key_value(self.text[start:end], start)
        key_start = start + len(value.trivia.indent)
        value_start = key_start + len(key.as_string() + key.sep)
        # tomlkit is the judge of where a key ends; here its answer is held against the text.
        if self.text[key_start:value_start] != key.as_string() + key.sep:
            raise self._not_understood(start)
        tokens = _tokens(self.text, value_start, end)
        value_end = max(token.end for token in tokens if token.kind not in _SILENT)
        path = base + tuple(part.key for part in key)
        return Entry(path, base, key_start, value_start, value_end, line, inline)

    def _key_value(self, statement: str, at: int) -> tuple[Key, Item]:
        try:
            key, value = self._tomlkit.key_value(statement)
        except self._tomlkit.exceptions.TOMLKitError:
            raise self._not_understood(at) from None
        return key, value

    def _not_understood(self, at: int) -> ConfigError:
        number = self.text.count("\n", 0, at) + 1
        return ConfigError(
            f"line {number}: the layout of this statement is not understood",
            remedy="Write it more plainly, or make the edit by hand.",
        )


def elements(text: str, start: int, end: int) -> list[Element]:
    """Return the elements of the array, or the entries of the inline table, that stands between the two offsets."""
    found: list[Element] = []
    depth, first, last = 0, -1, -1
    for token in _tokens(text, start, end):
        if depth == 1 and token.kind in {"comma", "close"}:
            if first >= 0:
                found.append(Element(first, last, token.end if token.kind == "comma" else None))
            first = -1
        elif depth > 0 and token.kind not in _SILENT:
            first = token.start if first < 0 else first
            last = token.end
        depth += (token.kind == "open") - (token.kind == "close")
    return found


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return *text* with the *edits* made; those that insert at one place, in the order given.

    What two of them remove may overlap; anything else may not.
    """
    pieces, done = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        if start < done and new:
            raise ValueError(f"edits overlap at {start}")
        pieces += [text[done:start], new]
        done = max(done, end)
    return "".join([*pieces, text[done:]])


def append(text: str, array: Entry, word: str) -> list[Edit]:
    """Return the edits that put the string *word* at the end of *array*, in the style of the element before it."""
    found = elements(text, array.value, array.end)
    if not found:
        return [(array.value + 1, array.value + 1, f'"{word}"')]
    last = found[-1]
    token = f"{text[last.start]}{word}{text[last.start]}"
    own = _line_before(text, array.value, last.start)
    if last.comma:
        lead = " " if own is None else text[own : last.start]
        at = last.comma if own is None else _end_of_silence(text, last.comma)
        return [(at, at, f"{lead}{token},")]
    if own is None:
        return [(last.end, last.end, f", {token}")]
    at = _end_of_silence(text, last.end)
    return [(last.end, last.end, ","), (at, at, f"{text[own : last.start]}{token}")]


def drop(text: str, array: Entry, index: int) -> list[Edit]:
    """Return the edits that take the element at *index* out of *array*: the inverse of :func:`append` at its end."""
    found = elements(text, array.value, array.end)
    gone = found[index]
    edits = [(*_span_of(text, array, found, index), "")]
    if index and gone is found[-1] and not gone.comma:
        before = found[index - 1]
        edits.append((before.end, before.comma or before.end, ""))
    return edits


def _span_of(text: str, array: Entry, found: list[Element], index: int) -> tuple[int, int]:
    """Return what goes with an element: its line where it has one, else the blanks on one side."""
    gone = found[index]
    end = gone.comma or gone.end
    own = _line_before(text, array.value, gone.start)
    if own is not None and _REST_OF_LINE.match(text, end):
        return own, _end_of_silence(text, end)
    if own is not None and gone is found[-1]:
        before = [token.kind for token in _tokens(text, array.value, own) if token.kind != "space"]
        return (gone.start if before[-1] == "comment" else own), end  # a comment must not swallow the bracket
    if own is None and index:
        return found[index - 1].comma or found[index - 1].end, end
    return gone.start, found[index + 1].start if gone is not found[-1] else end


def insert_after(layout: Layout, entry: Entry, key: str, raw: str) -> Edit:
    """Return the edit that puts ``key = raw`` behind *entry*."""
    if entry.inline:
        return (entry.end, entry.end, f", {key} = {raw}")
    return (entry.line.end, entry.line.end, f"{layout.newline_of(entry.line)}{layout.indent(entry)}{key} = {raw}")


def insert_before(layout: Layout, entry: Entry, key: str, raw: str) -> Edit:
    """Return the edit that puts ``key = raw`` in front of *entry*."""
    if entry.inline:
        return (entry.start, entry.start, f"{key} = {raw}, ")
    # With the line end that stands before it, for that is the one which remove_lines takes.
    at = layout.lines.index(entry.line)
    newline = layout.newline_of(layout.lines[max(at - 1, 0)])
    return (entry.line.start, entry.line.start, f"{layout.indent(entry)}{key} = {raw}{newline}")


def remove_lines(layout: Layout, lines: Sequence[Line]) -> list[Edit]:
    """Return the edits that take *lines* out, each with the line end before it; with its own at the beginning."""
    if layout.lines[0] in lines:
        return [(line.start, line.after, "") for line in lines]
    return [(layout.lines[layout.lines.index(line) - 1].end, line.end, "") for line in lines]


def remove_inline(layout: Layout, gone: Sequence[Entry]) -> list[Edit]:
    """Return the edits that take the entries *gone* out of the inline table that they are in."""
    siblings = layout.inside(gone[0].base)
    kept = [entry for entry in siblings if entry not in gone]
    if not kept:
        table = layout.find(gone[0].base)
        return [(table.value + 1, table.end - 1, "")] if table else []
    tail = [entry for entry in gone if entry.start > kept[-1].start]
    edits: list[Edit] = [(kept[-1].end, tail[-1].end, "")] if tail else []
    for entry in gone:
        if entry not in tail:
            edits.append((entry.start, siblings[siblings.index(entry) + 1].start, ""))
    return edits


def split_lines(text: str) -> list[str]:
    """Return the lines of *text* with their ends; TOML knows no others than LF and CRLF."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _line_before(text: str, floor: int, at: int) -> int | None:
    """Return where the line end before the line of *at* begins, if only blanks stand between; not before *floor*."""
    newline = text.rfind("\n", floor, at)
    if newline < 0 or text[newline:at].strip(" \t\n"):
        return None
    return newline - (text[newline - 1] == "\r")


def _end_of_silence(text: str, at: int) -> int:
    """Return where the line of *at* ends, if nothing but blanks and a comment follow; else *at*."""
    match = _REST_OF_LINE.match(text, at)
    return match.end() if match else at


def _prefixes(path: Keys) -> list[Keys]:
    return [path[:length] for length in range(len(path) + 1)]


def _tokens(text: str, start: int, end: int) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text, start, end):
        yield _Token(str(match.lastgroup), match.start(), match.end())


def _logical_lines(text: str) -> Iterator[list[_Token]]:
    tokens: list[_Token] = []
    depth = 0
    for token in _tokens(text, 0, len(text)):
        tokens.append(token)
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind == "newline" and not depth:
            yield tokens
            tokens = []
    if tokens:
        yield tokens


def _kind(tokens: list[_Token]) -> str:
    first = next((token.kind for token in tokens if token.kind not in {"space", "newline"}), "blank")
    return {"blank": "blank", "comment": "comment", "open": "header"}.get(first, "pair")
