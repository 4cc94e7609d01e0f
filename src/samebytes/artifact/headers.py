"""Header blocks: METADATA, PKG-INFO and WHEEL, read and written without touching a value.

A block is lines of ``Name: value``, each with the continuation lines that follow it (those that begin with a space or
a tab), up to the first empty line; what comes after that is the body. The rules are those that
:mod:`email.parser` follows under its ``compat32`` policy, which the core metadata specification names as the standard
in practice. Fields are compared without regard to case; names and values are never respelled or refolded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

_METADATA_FIELDS = """
Metadata-Version Name Version Dynamic Platform Supported-Platform Summary Description Description-Content-Type Keywords
Author Author-email Maintainer Maintainer-email License License-Expression License-File Classifier Requires-Dist
Requires-Python Requires-External Project-URL Provides-Extra Import-Name Import-Namespace Provides-Dist Obsoletes-Dist
Home-page Download-URL Requires Provides Obsoletes
"""

METADATA_ORDER = tuple(_METADATA_FIELDS.split())
"""The fields in the order in which the core metadata specification, version 2.5, describes them.

Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

WHEEL_ORDER = ("Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build")
"""The fields of WHEEL in the order of the wheel specification's example.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

# RFC 5322, 3.6.8: a name is any printable ASCII but the colon and blanks.
_FIELD = re.compile(rb"[!-9;-~]+:")

_LINE_END = re.compile(rb"\r?\n")
_EMPTY_LINE = re.compile(rb"(?:\A|\r?\n)\r?\n")
"""With the end of the line before it."""


class Field(NamedTuple):
    """A field with its continuation lines."""

    name: str
    """As spelled in the file."""
    lines: tuple[bytes, ...]
    """The lines, name included, without line ends."""

    @property
    def value(self) -> bytes:
        """What follows the colon, continuation lines included, without the white space around it."""
        return b"\n".join(self.lines)[len(self.name) + 1 :].strip()


class Block(NamedTuple):
    """A header block and what comes after it."""

    fields: tuple[Field, ...]
    body: bytes | None
    """Everything after the first empty line, untouched; None where there is no empty line."""


def parse(data: bytes) -> Block | None:
    """Return *data* as a block, or None if it is not one: no field, a line without colon, a NUL, a lone CR."""
    end = _EMPTY_LINE.search(data)
    head, body = (data, None) if end is None else (data[: end.start()], data[end.end() :])
    lines = _LINE_END.split(head)
    if end is None and not lines[-1]:
        lines.pop()  # It is what follows the last line end.
    fields: list[tuple[str, list[bytes]]] = []
    for line in lines:
        match = _FIELD.match(line)
        # Parsers differ on whether a lone CR ends a line, and so on which fields there are.
        if b"\r" in line or b"\0" in line:
            return None
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(line)
        elif match is not None:
            fields.append((match.group()[:-1].decode("ascii"), [line]))
        else:
            return None
    return Block(tuple(Field(name, tuple(held)) for name, held in fields), body) if fields else None


def serialise(block: Block) -> bytes:
    """Return *block* as bytes, its header lines ended by LF."""
    head = b"".join(line + b"\n" for field in block.fields for line in field.lines)
    return head if block.body is None else head + b"\n" + block.body


def in_order(block: Block, order: Iterable[str]) -> Block:
    """Return *block* with its fields in the given order; unknown fields follow, and equal ones keep theirs."""
    rank = {name.lower(): index for index, name in enumerate(order)}
    last = len(rank)
    # Sorting is stable: the order of a field's values may mean something, as that of Requires-Dist does to resolvers.
    return block._replace(fields=tuple(sorted(block.fields, key=lambda field: rank.get(field.name.lower(), last))))


def with_sorted_values(block: Block, names: Collection[str]) -> Block:
    """Return *block* with the values of each named field sorted by their bytes, over the places that they hold."""
    fields = list(block.fields)
    for name in names:
        places = [index for index, field in enumerate(fields) if field.name.lower() == name.lower()]
        ordered = sorted((fields[index] for index in places), key=lambda field: field.value)
        for index, field in zip(places, ordered):
            fields[index] = field
    return block._replace(fields=tuple(fields))
