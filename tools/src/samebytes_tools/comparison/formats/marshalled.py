"""Where the code of two compiled modules differs, value by value.

Both are read into one set of numbered values (:mod:`samebytes.artifact.marshal_reader`), so that whatever is equal is
seen to be so at once, however large it is or how often something refers to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from samebytes.artifact.magic_numbers import format_of
from samebytes.artifact.marshal_reader import CODE, FROZENSET, LINE, SINGLETONS, NotMarshalError, Values

__all__ = ["FieldChange", "Value", "changes"]

MOST_VISITED = 500_000
"""How many pairs of values that differ are looked into; ten values in them, and 40 characters of their place, are one.

A value that is referred to often is looked into each time, so hostile bytes may hold far more than they are long.
"""

_SINGLETONS = dict(zip(SINGLETONS, ("None", "True", "False", "Ellipsis", "StopIteration")))
_TUPLES = b"()"
_NUMBER = ord("i")
_BIG_NUMBER = ord("l")
_BYTES = ord("s")
_SHOWN_ELEMENTS = 20
_SHOWN_PARTS = 200
_SHOWN_BYTES = 60
_SHOWN_CHARACTERS = 200


class Value(NamedTuple):
    """One value of those that are read."""

    values: Values
    number: int

    @property
    def form(self) -> bytes:
        return self.values.forms[self.number]

    @property
    def kids(self) -> list[int] | None:
        """The numbers of the values in it; None if it is of a type that holds none."""
        return self.values.kids.get(self.number)

    @property
    def is_code(self) -> bool:
        return self.form[0] == CODE and self.kids is not None

    @property
    def is_set(self) -> bool:
        return self.form[0] == FROZENSET

    @property
    def text(self) -> bytes | None:
        """In UTF-8; None if it is not a string."""
        if self.form[0] in b"zZ":  # Its size takes one byte, those of the others four.
            return self.form[2:]
        return self.form[5:] if self.form[0] in b"aAut" else None

    def elements(self) -> list[bytes]:
        """Return each element of a frozenset in bytes that depend on its value alone, as they were written.

        :raises NotMarshalError: if a code object is among them, or all are too large.
        """
        return [self.values.flattened(number) for number in self.kids or ()]

    def content(self) -> bytes:
        """Return what a cause can be found in: a string or bytes, whole; else what is shown."""
        text = self.text
        if text is not None:
            return text
        return self.form[5:] if self.form[0] == _BYTES else self.shown().encode("utf-8", "backslashreplace")

    def shown(self) -> str:
        """Return it in one line, cut where it is long or nested deeply."""
        parts: list[str] = []
        # What is still to be shown, the next one last: values, and what stands between them.
        waiting: list[int | str] = [self.number]
        while waiting and len(parts) < _SHOWN_PARTS:
            each = waiting.pop()
            if isinstance(each, str):
                parts.append(each)
                continue
            value = Value(self.values, each)
            kids = value.kids
            if kids is None or value.is_code:
                parts.append(value._plain())
                continue
            parts.append("{" if value.is_set else "(")
            waiting.append("}" if value.is_set else ")")
            for place, kid in reversed(list(enumerate(kids[:_SHOWN_ELEMENTS]))):
                waiting += [kid, ", "] if place else [kid]
        return "".join(parts) + "..." * bool(waiting)

    def _plain(self) -> str:
        """Return a value without others in it, or the name of a code object."""
        form = self.form
        text = self.text
        if self.is_code:
            return f"<code {_name(self)}>"
        if text is not None:
            return text.decode("utf-8", "surrogatepass")[:_SHOWN_CHARACTERS]
        if form[0] == _NUMBER:
            return f"int {int.from_bytes(form[1:], 'little', signed=True)}"
        if form[0] == _BIG_NUMBER and len(form) <= _SHOWN_BYTES:
            return f"int {_big(form)}"
        if form[0] == _BYTES:
            return form[5:][:_SHOWN_BYTES].hex(" ")
        return _SINGLETONS.get(form[0]) or form[1:][:_SHOWN_BYTES].hex()


class FieldChange(NamedTuple):
    """A field of a code object that differs, or a value in it."""

    where: str
    """The code objects' names, and the field's."""
    left: Value
    right: Value


def changes(left: bytes, right: bytes, magic: int) -> list[FieldChange]:
    """Return the smallest values that differ, from the outside to the inside; *left* and *right* are marshalled code.

    :raises NotMarshalError: if one of them is not, is of a Python that is not known, or holds too much.
    """
    layout = format_of(magic).layout
    if layout is None:
        raise NotMarshalError(f"magic number {magic} is not of a Python that is known here")
    # Unsorted, for the order of a set may be all that differs.
    values = Values(layout, sorts_sets=False)
    found: list[FieldChange] = []
    cost = 0
    # A stack and not recursion: values are nested more deeply than calls may be.
    waiting = [("", Value(values, values.read(left)), Value(values, values.read(right)))]
    while waiting:
        where, one, other = waiting.pop()
        if one.number == other.number:
            continue
        # Of the place, too: its text grows with each level.
        cost += 1 + len(one.kids or ()) // 10 + len(where) // 40
        if cost > MOST_VISITED:
            raise NotMarshalError("its values refer to one another too often")
        if one.is_code and other.is_code:
            pairs = zip(_fields(one), _fields(other))
            name = f"{where}{_name(one)}."
            waiting += [(name + field, a, b) for (field, a), (_, b) in reversed(list(pairs))]
        elif one.form == other.form and one.form[0] in _TUPLES:
            unlike = [numbers for numbers in zip(one.kids or (), other.kids or ()) if numbers[0] != numbers[1]]
            inside = [(Value(values, a), Value(values, b)) for a, b in reversed(unlike)]
            # Elements of a tuple have the place of the tuple; of code objects in it, the name follows.
            waiting += [(where + "/" if a.is_code else where, a, b) for a, b in inside]
        elif _differ(one, other):
            found.append(FieldChange(where, one, other))
    return found


def _differ(one: Value, other: Value) -> bool:
    """Return whether two values with different numbers do differ: NaNs and what holds them may not."""
    if one.form != other.form or one.is_code:
        return True
    return one.elements() != other.elements() if one.kids is not None else False


def _fields(code: Value) -> Iterator[tuple[str, Value]]:
    """Give a code object's fields in their order, its plain numbers as values of that type."""
    values, layout = code.values, code.values.layout
    for index, name in enumerate(layout.numbers):
        yield name, Value(values, values.leaf(b"i" + code.form[1 + 4 * index : 5 + 4 * index]))
    for index, (name, number) in enumerate(zip(layout.values, code.kids or ())):
        yield name, Value(values, values.leaf(b"i" + values.forms[number]) if index == LINE else number)


def _name(code: Value) -> str:
    index = code.values.layout.values.index("co_name")
    text = Value(code.values, (code.kids or [])[index]).text
    return "?" if text is None else text.decode("utf-8", "surrogatepass")[:_SHOWN_CHARACTERS]


def _big(form: bytes) -> int:
    """Return the integer that is written in digits of 15 bits, their count first with its sign."""
    digits = (
        int.from_bytes(form[at : at + 2], "little") << 15 * index for index, at in enumerate(range(5, len(form), 2))
    )
    return sum(digits) * (-1 if form[4] & 0x80 else 1)
