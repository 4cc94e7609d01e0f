"""Reads what :mod:`marshal` writes, without running or building anything that it describes.

Python's own ``marshal.loads`` may crash on bytes that nobody vouches for. Here they are only read: every length is held
against what is there, nesting is bounded, and a code object is a tuple of its fields.
Source: CPython's ``Python/marshal.c``, versions 2 to 4, of Python 3.8 to 3.14.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

__all__ = ["Code", "FrozenSet", "NotMarshalError", "Value", "load"]

DEEPEST = 60
"""How many values may lie in one another; a function in a function takes two."""

MOST_VALUES = 2_000_000
"""How many values are read, each counted as often as something refers to it."""

_FLAG_REF = 0x80


class NotMarshalError(ValueError):
    """The bytes are not what marshal writes, or of a version that is not known."""


@dataclass(frozen=True)
class Text:
    """A string, with how it was written left out."""

    text: str


@dataclass(frozen=True)
class FrozenSet:
    """The elements of a set, in the order in which they were written."""

    elements: tuple[Value, ...]


@dataclass(frozen=True)
class Code:
    """A code object: its fields by CPython's names."""

    fields: tuple[tuple[str, Value], ...]

    def get(self, name: str) -> Value:
        """Return a field; None where this version has none of that name."""
        return next((value for field, value in self.fields if field == name), None)


@dataclass(frozen=True)
class Number:
    """A number by its kind and its bytes; kinds that compare equal stay apart."""

    kind: str
    data: bytes


Value = Union[None, str, bytes, Text, Number, FrozenSet, Code, "tuple[Value, ...]"]
"""What is read; singletons are names such as ``"None"``."""

_SINGLETONS = {b"N": "None", b"T": "True", b"F": "False", b".": "Ellipsis", b"S": "StopIteration"}

_HEAD = (
    ("co_argcount", "l"),
    ("co_posonlyargcount", "l"),
    ("co_kwonlyargcount", "l"),
)
_LAYOUTS: tuple[tuple[int, tuple[tuple[str, str], ...]], ...] = (
    (
        3495,  # Python 3.11: bpo-46841 and others, stable from its first beta
        (
            *_HEAD,
            ("co_stacksize", "l"),
            ("co_flags", "l"),
            ("co_code", "o"),
            ("co_consts", "o"),
            ("co_names", "o"),
            ("co_localsplusnames", "o"),
            ("co_localspluskinds", "o"),
            ("co_filename", "o"),
            ("co_name", "o"),
            ("co_qualname", "o"),
            ("co_firstlineno", "l"),
            ("co_linetable", "o"),
            ("co_exceptiontable", "o"),
        ),
    ),
    (
        3410,  # Python 3.8: PEP 570
        (
            *_HEAD,
            ("co_nlocals", "l"),
            ("co_stacksize", "l"),
            ("co_flags", "l"),
            ("co_code", "o"),
            ("co_consts", "o"),
            ("co_names", "o"),
            ("co_varnames", "o"),
            ("co_freevars", "o"),
            ("co_cellvars", "o"),
            ("co_filename", "o"),
            ("co_name", "o"),
            ("co_firstlineno", "l"),
            ("co_linetable", "o"),
        ),
    ),
)
"""A code object's fields, ``l`` for four bytes and ``o`` for an object, by the first magic number that has them."""


def load(data: bytes, magic: int) -> Value:
    """Return the one value in *data*, written by the Python whose ``.pyc`` files have the *magic* number.

    :raises NotMarshalError: for anything else, also if bytes follow.
    """
    layout = next((fields for first, fields in _LAYOUTS if first <= magic < 3700), None)
    if layout is None:
        raise NotMarshalError(f"magic number {magic} is of no Python that is known here")
    reader = _Reader(data, layout)
    try:
        value = reader.value(0)
    except RecursionError:  # However deep the caller's own stack is.
        raise NotMarshalError("it is nested too deeply") from None
    if reader.at != len(data):
        raise NotMarshalError(f"{len(data) - reader.at} bytes follow the value")
    return value


class _Reader:
    def __init__(self, data: bytes, layout: tuple[tuple[str, str], ...]) -> None:
        self._data = data
        self._layout = layout
        self._refs: list[tuple[Value, int]] = []
        self._count = 0
        self.at = 0

    def value(self, depth: int) -> Value:
        self._count += 1
        if depth > DEEPEST or self._count > MOST_VALUES:
            raise NotMarshalError("it is nested too deeply, or holds too much")
        byte = self._take(1)[0]
        kind = bytes([byte & ~_FLAG_REF])
        if byte & _FLAG_REF:
            # The place is taken before what lies in it is read, as marshal does.
            place, before = len(self._refs), self._count
            self._refs.append(("(being read)", 1))
            found = self._of_kind(kind, depth)
            self._refs[place] = (found, self._count - before + 1)
            return found
        return self._of_kind(kind, depth)

    def _of_kind(self, kind: bytes, depth: int) -> Value:
        if kind in _SINGLETONS:
            return _SINGLETONS[kind]
        read = _READERS.get(kind)
        if read is None:
            raise NotMarshalError(f"type {kind!r} at byte {self.at - 1} is not known")
        return read(self, depth)

    def _take(self, size: int) -> bytes:
        data = self._data[self.at : self.at + size]
        if size < 0 or len(data) != size:
            raise NotMarshalError("it ends early")
        self.at += size
        return data

    def _long(self) -> int:
        (number,) = struct.unpack("<i", self._take(4))
        return int(number)

    def reference(self, _: int) -> Value:
        number = self._long()
        if not 0 <= number < len(self._refs):
            raise NotMarshalError(f"reference to value {number} of {len(self._refs)}")
        found, weight = self._refs[number]
        # A value that is referred to counts each time, for whoever walks through all of it meets it each time.
        self._count += weight
        return found

    def number(self, size: int, kind: str) -> Value:
        return Number(kind, self._take(size))

    def big(self, _: int) -> Value:
        return Number("int", self._take(2 * abs(self._long())))

    def sized(self, width: int) -> bytes:
        size = self._take(1)[0] if width == 1 else self._long()
        return self._take(size)

    def sequence(self, width: int, depth: int) -> tuple[Value, ...]:
        size = self._take(1)[0] if width == 1 else self._long()
        if not 0 <= size <= len(self._data) - self.at:
            raise NotMarshalError("a sequence is longer than what is left")
        return tuple(self.value(depth + 1) for _ in range(size))

    def frozen_set(self, depth: int) -> Value:
        return FrozenSet(self.sequence(4, depth))

    def slice(self, depth: int) -> Value:
        return tuple(self.value(depth + 1) for _ in range(3))

    def code(self, depth: int) -> Value:
        fields = [(name, self._field(form, depth)) for name, form in self._layout]
        return Code(tuple(fields))

    def _field(self, form: str, depth: int) -> Value:
        return Number("int", self._take(4)) if form == "l" else self.value(depth + 1)


def _text(data: bytes, encoding: str) -> Value:
    try:
        return Text(data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict"))
    except UnicodeDecodeError as error:
        raise NotMarshalError(str(error)) from None


_READERS: dict[bytes, Callable[[_Reader, int], Value]] = {
    b"i": lambda reader, _: reader.number(4, "int"),
    b"g": lambda reader, _: reader.number(8, "float"),
    b"y": lambda reader, _: reader.number(16, "complex"),
    b"l": _Reader.big,
    b"s": lambda reader, _: reader.sized(4),
    b"u": lambda reader, _: _text(reader.sized(4), "utf-8"),
    b"t": lambda reader, _: _text(reader.sized(4), "utf-8"),
    b"a": lambda reader, _: _text(reader.sized(4), "latin-1"),
    b"A": lambda reader, _: _text(reader.sized(4), "latin-1"),
    b"z": lambda reader, _: _text(reader.sized(1), "latin-1"),
    b"Z": lambda reader, _: _text(reader.sized(1), "latin-1"),
    b")": lambda reader, depth: reader.sequence(1, depth),
    b"(": lambda reader, depth: reader.sequence(4, depth),
    b"<": _Reader.frozen_set,
    b">": _Reader.frozen_set,
    b":": _Reader.slice,
    b"r": _Reader.reference,
    b"c": _Reader.code,
}
