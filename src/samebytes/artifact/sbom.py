"""Software bills of materials in wheels (PEP 770): the same document without clock, random numbers and build paths.

Recognized are CycloneDX in JSON and SPDX 2 in JSON. The rules, exactly: ``docs/reference/sbom-and-pyc.md``.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple
from uuid import UUID, uuid5

from .jsontext import Json, NotJsonError, parse, serialize
from .locations import relative, source_root

LARGEST = 16 << 20
"""Bytes; a larger document is left alone, for in memory it takes up to 20 times as much."""

NAMESPACE = UUID("2bf58dff-7987-5a67-a080-18d885b700eb")
"""The name space of identifiers derived from a document's content: UUIDv5, URL name space, of
``https://github.com/samebytes/samebytes/sbom`` (RFC 9562, 5.5)."""

_UUID = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

_PLACE = "\0"
"""Stands for the document's own UUID until that is known; documents that hold this character are left alone."""

_MOST_SORTABLE = 64 << 20
"""Characters of texts by which the members of sets are sorted: what lies in ten sets counts ten times."""


class NormalizedSbom(NamedTuple):
    """A document in its canonical form."""

    data: bytes
    details: tuple[str, ...]
    """What was changed, for people; nothing if it was the layout alone."""


class _Format(NamedTuple):
    """What the rules need to know of a format. Paths are the member names to a value; arrays add nothing to them."""

    version: tuple[str, str]
    """The member of the document by which the format is known, and a pattern of its value."""
    identity: tuple[str, str]
    """The member that names the document, and a pattern of its value with the document's own UUID as its group."""
    names: tuple[str, ...]
    """The members by which objects are named and referred to."""
    is_time: Callable[[tuple[str, ...]], bool]
    """Whether a path leads to the time at which the document, or a statement in it, was made or its build ran."""
    is_set: Callable[[tuple[str, ...]], bool]
    """Whether a path leads to an array whose order means nothing."""


# The times and sets of both formats, and why no others: docs/reference/sbom-and-pyc.md, "What is replaced".
_FORMATS = (
    _Format(
        version=("bomFormat", "CycloneDX"),
        identity=("serialNumber", f"urn:uuid:({_UUID})"),
        names=("bom-ref", "ref"),
        is_time=lambda path: (
            path[-1] in {"timeStart", "timeEnd", "timeActivated"}
            if path[0] == "formulation"
            else path in {("metadata", "timestamp"), ("annotations", "timestamp")}
        ),
        is_set=lambda path: path[-1] in {"components", "services", "dependencies", "dependsOn", "provides"},
    ),
    _Format(
        version=("spdxVersion", r"SPDX-2\.[0-9]+"),
        identity=("documentNamespace", f"(?s:.*)(?<![0-9A-Za-z])({_UUID})"),
        names=("SPDXID", "spdxElementId"),
        is_time=lambda path: path == ("creationInfo", "created") or path[-1] == "annotationDate",
        is_set=lambda path: (
            path in {(name,) for name in ("packages", "files", "snippets", "relationships", "documentDescribes")}
            or path == ("packages", "hasFiles")
        ),
    ),
)


def normalize(data: bytes, date: int, elsewhere: Container[str] = frozenset()) -> NormalizedSbom | None:
    """Return a document's canonical form, or None if it is to be left alone: not recognized, signed, or ambiguous.

    *date* is in seconds since 1970-01-01 UTC. *elsewhere* holds the UUIDs, in lower case, that other documents
    mention: a document that one of them names keeps its name.
    """
    made = None if len(data) > LARGEST else _once(data, date, elsewhere)
    if made is None or not made.details:
        return made
    # A file URL in another one is found only when the outer one has become relative, and one in a time of day goes with
    # it. What is ambiguous in such a way would be another document each time, so it is left alone.
    return made if _once(made.data, date) == NormalizedSbom(made.data, ()) else None


def _once(data: bytes, date: int, elsewhere: Container[str] = frozenset()) -> NormalizedSbom | None:
    try:
        document = parse(data)
    except NotJsonError:
        return None
    if not isinstance(document, dict) or _is_untouchable(document):
        return None
    declared = [each for each in _FORMATS if _match(each.version, document)]
    if len(declared) != 1:  # It is in neither format, or in both.
        return None
    match = _match(declared[0].identity, document)
    own = match[1] if match else None
    if own is not None and own.lower() in elsewhere:
        return None
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(date))
    return _Rewriting(declared[0], document, own, stamp).result()


def uuids(data: bytes) -> frozenset[str]:
    """Return all UUIDs that *data* mentions, in lower case."""
    return frozenset(found.decode("ascii").lower() for found in re.findall(_UUID.encode("ascii"), data))


def _match(expected: tuple[str, str], document: dict[str, Json]) -> re.Match[str] | None:
    """Return how a member of *document* matches its pattern as a whole; None if it does not."""
    member, pattern = expected
    value = document.get(member)
    return re.fullmatch(pattern, value) if isinstance(value, str) else None


def _values(document: Json) -> Iterator[Json]:
    """Give *document* and every value in it."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _is_untouchable(document: Json) -> bool:
    """Return whether the document or a part of it is signed, or our placeholder is in use."""
    for value in _values(document):
        if isinstance(value, str) and _PLACE in value:
            return True
        if isinstance(value, dict) and ("signature" in value or any(_PLACE in key for key in value)):
            return True
    return False


class _Rewriting:
    """One document on its way to its canonical form, and what was found to change."""

    def __init__(self, found: _Format, document: dict[str, Json], own: str | None, stamp: str) -> None:
        self._format = found
        self._document = document
        self._own = own
        self._stamp = stamp
        self._root = source_root(value for value in _values(document) if isinstance(value, str))
        self._old_times: list[str] = []
        self._moved = 0
        self._sorted = self._sortable = 0
        self._named: dict[str, set[str]] = {}

    def result(self) -> NormalizedSbom | None:
        """Return the canonical form, or None if two objects that had different names would have one."""
        rewritten = self._value(self._document, ())
        if any(len(former) > 1 for former in self._named.values()):
            return None
        details = self._details()
        if self._own is not None:
            # Of the document with the placeholder in it, so that the UUID does not depend on itself.
            digest = hashlib.sha256(serialize(rewritten).encode("utf-8")).hexdigest()
            new = str(uuid5(NAMESPACE, digest))
            rewritten = _placed(rewritten, new)
            if new != self._own:
                details.insert(0, f"{self._format.identity[0]} {self._own} -> {new}")
        return NormalizedSbom(serialize(rewritten).encode("utf-8"), tuple(details))

    def _value(self, value: Json, path: tuple[str, ...]) -> Json:
        if isinstance(value, dict):
            return {name: self._value(inner, (*path, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return self._array([self._value(inner, path) for inner in value], path)
        return self._text(value, path) if isinstance(value, str) else value

    def _array(self, items: list[Json], path: tuple[str, ...]) -> Json:
        if len(items) < 2 or not self._format.is_set(path):
            return items
        # Inner arrays are sorted by now, so that the text to sort by does not depend on the order either.
        ordered = sorted(items, key=self._key)
        self._sorted += ordered != items
        return ordered

    def _key(self, item: Json) -> tuple[str, str]:
        """Return what a member of a set is sorted by: its name if it has one, then its whole text."""
        text = serialize(item)
        self._sortable += len(text)
        if self._sortable > _MOST_SORTABLE:
            raise OverflowError("the sets of an SBOM lie too deep in one another")
        if not isinstance(item, dict):
            return (item if isinstance(item, str) else "", text)
        names = [name for name in (item.get(member) for member in self._format.names) if isinstance(name, str)]
        return (names[0] if names else "", text)

    def _text(self, text: str, path: tuple[str, ...]) -> str:
        if self._format.is_time(path):
            self._old_times += [text] if text != self._stamp else []
            return self._stamp
        placed = text if self._own is None else text.replace(self._own, _PLACE)
        moved = placed if self._root is None else relative(placed, self._root)
        self._moved += moved != placed
        # Two objects whose names differed by nothing but a path would be one to whatever refers to them.
        if path[-1] == self._format.names[0]:
            self._named.setdefault(moved, set()).add(text)
        return moved

    def _details(self) -> list[str]:
        details = []
        if len(self._old_times) == 1:
            details.append(f"timestamp {_shown(self._old_times[0])} -> {self._stamp}")
        elif self._old_times:
            details.append(f"{len(self._old_times)} timestamps -> {self._stamp}")
        if self._moved:
            details.append(f"{_counted(self._moved, 'path')} made relative to {_shown(str(self._root))}")
        if self._sorted:
            details.append(f"{_counted(self._sorted, 'list')} sorted")
        return details


def _placed(value: Json, own: str) -> Json:
    """Return *value* with the document's own UUID where its placeholder is."""
    if isinstance(value, dict):
        return {name: _placed(inner, own) for name, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, own) for inner in value]
    return value.replace(_PLACE, own) if isinstance(value, str) else value


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shown(text: str) -> str:
    """Return *text* for a message of one line: nothing in it moves the cursor, and it ends."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 100 else shown[:97] + "..."
