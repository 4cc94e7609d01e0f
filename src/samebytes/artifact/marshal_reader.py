"""Reads what :mod:`marshal` wrote, as bytes: nothing is loaded, run or built, and no input makes it crash or grow.

``marshal.loads`` may crash on bytes that nobody vouches for, and understands those of its own Python only. Here every
size is held against what is left, nesting is bounded, and nothing recurses. The time is in proportion to the input, and
the result never larger than it: a value that occurs again is a number that occurs again, however much lies in it.

Other Pythons run this file too, so it imports nothing of ours but the table of magic numbers.
Source: CPython's ``Python/marshal.c`` (versions 4 and 5), 3.8 to 3.14.
"""

from __future__ import annotations

import struct

from .magic_numbers import CodeLayout

DEEPEST = 2000
"""How many values may lie in one another: marshal's own limit (``MAX_MARSHAL_STACK_DEPTH``)."""

MOST_FLAT = 2 << 20
"""Bytes: how much of what is in frozensets is written out to compare it, each value taken for 16 more."""

MOST_DIFFERENT = 250_000
"""How many different values a module may have, beside one for every twenty bytes."""

CODE, FROZENSET, SLICE, REFERENCE, TUPLE, SHORT_TUPLE = b"c>:r()"
"""The types of values that hold others, and of a reference, by the byte that marshal writes for each."""

SINGLETONS = b"NTF.S"
"""None, True, False, Ellipsis and StopIteration, whose numbers are their places here."""

LINE = 8
"""How many values a code object has before the number of its first line."""

_FLAG_REF = 0x80
"""Set in the byte of the type where a later value may be a reference to this one (``FLAG_REF``)."""

# How many bytes of their own, the type included, the values have that hold others; code objects' depend on the Python.
_NESTED = {SHORT_TUPLE: 2, TUPLE: 5, FROZENSET: 5, SLICE: 1, CODE: 0}

# The beginnings of short tuples, made once: most of what is nested is one.
_TUPLES = [bytes((SHORT_TUPLE, size)) for size in range(256)]

# The interpreter interns constants of these characters only (``all_name_chars`` in Objects/codeobject.c).
_NAME_LETTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

_BYTES, _INTEGER, _BIG_INTEGER = b"sil"
"""A big integer has digits to the base 2**15, and before them their count, with its sign (``PyLong_MARSHAL_SHIFT``)."""

# Bytes of an integer, a float and a complex number.
_FIXED_SIZES = {_INTEGER: 4, ord("g"): 8, ord("y"): 16}

_unsigned = struct.Struct("<I").unpack_from


class NotMarshalError(ValueError):
    """The bytes are not what marshal writes for code, or are of a Python that is not known."""


class Values:
    """Values by number: what is of the same type and equal has the same number, in all that is read into one of these.

    Code objects and NaNs are an exception: each that is written has a number of its own, also where two are equal.

    :param layout: of code objects.
    :param sorts_sets: whether frozensets are given in one order, not as they were written; two of the same elements
        have the same number only then.
    """

    def __init__(self, layout: CodeLayout, *, sorts_sets: bool) -> None:
        self.layout = layout
        self.forms = [bytes((kind,)) for kind in SINGLETONS]
        """What marshal writes of a value before those in it, never marked as referable, strings in their shortest type.

        Strings of which :attr:`unlike_names` has the number are not marked as interned, all others are.
        """
        self.kids: dict[int, list[int]] = {}
        """The values in a value, for all that can hold some. A code object's are its layout's ``values``."""
        self.unlike_names: set[int] = set()
        """Strings that the interpreter does not intern by what they are."""
        self._sorts_sets = sorts_sets
        self._most = MOST_DIFFERENT
        self._texts: dict[bytes, int] = {}
        self._leaves: dict[bytes, int] = {}
        self._nested: dict[tuple[object, ...], int] = {}
        self._flat = 0

    def read(self, data: bytes) -> int:
        """Return the number of the code object that is all of *data*.

        :raises NotMarshalError: if it is not what marshal writes for a code object, or bytes follow.
        :raises OverflowError: if it holds far more different values than real code does.
        """
        # Real ones have one for every twenty bytes; each takes some hundred bytes here.
        self._most = len(self.forms) + MOST_DIFFERENT + len(data) // 20
        number = _Reader(data, self).read()
        if self.forms[number][0] != CODE:
            raise NotMarshalError("it holds no code object")
        return number

    def leaf(self, form: bytes) -> int:
        """Return the number of a value without others in it that is not a string."""
        found = self._leaves.get(form)
        if found is None:
            found = self._leaves[form] = self._new(form)
        return found

    def text(self, content: bytes) -> int:
        """Return the number of a string, given in UTF-8."""
        found = self._texts.get(content)
        if found is not None:
            return found
        size = len(content)
        if size < 256 and content.isascii():
            return self._short(bytes((size,)) + content)
        is_name = content.isascii() and not content.translate(None, _NAME_LETTERS)
        kind = b"A" if is_name else b"a" if content.isascii() else b"u"
        found = self._texts[content] = self._new(kind + size.to_bytes(4, "little") + content)
        if not is_name:
            self.unlike_names.add(found)
        return found

    def flattened(self, number: int) -> bytes:
        """Return a value's bytes without references, all strings as ``u``: what they depend on is the value alone.

        :raises NotMarshalError: if a code object lies in it, or, all calls taken together, it would be too much.
        """
        parts = []
        stack = [number]
        while stack:
            each = stack.pop()
            parts.append(_sortable(self.forms[each]))
            self._flat += len(parts[-1]) + 16
            if self._flat > MOST_FLAT:
                raise NotMarshalError(f"its frozensets hold more than {MOST_FLAT} bytes")
            stack.extend(reversed(self.kids.get(each, ())))
        return b"".join(parts)

    def _new(self, form: bytes) -> int:
        self.forms.append(form)
        if len(self.forms) > self._most:
            raise OverflowError(f"a compiled module holds more than {self._most} different values, for its size")
        return len(self.forms) - 1

    def _short(self, sized: bytes) -> int:
        """Return the number of a string of ASCII, not yet met, given with its size before it."""
        content = sized[1:]
        if not content.isascii():
            raise NotMarshalError(f"the string {content!r} is of a type for ASCII, and is not ASCII")
        is_name = not content.translate(None, _NAME_LETTERS)
        found = self._texts[content] = self._new((b"Z" if is_name else b"z") + sized)
        if not is_name:
            self.unlike_names.add(found)
        return found

    def _whole(self, form: bytes, kids: list[int]) -> int:
        """Return the number of a value that holds others, all of which are read."""
        kind = form[0]
        if -1 in kids:
            raise NotMarshalError("a value in it lies in itself")
        if kind == CODE:
            found = self._new(form)
            self.kids[found] = kids
            return found
        if kind == FROZENSET and self._sorts_sets:
            kids.sort(key=self.flattened)
        elif kind == TUPLE and len(kids) < 256:
            form = _TUPLES[len(kids)]
        key = (form, *kids)
        number = self._nested.get(key)
        if number is None:
            number = self._nested[key] = self._new(form)
            self.kids[number] = kids
        return number


def _sortable(form: bytes) -> bytes:
    kind = form[:1]
    if kind == b"c":
        raise NotMarshalError("a frozenset holds a code object")
    if kind in b"zZ":
        return b"u" + form[1:2] + b"\0\0\0" + form[2:]
    return b"u" + form[1:] if kind in b"aAt" else form


class _Reader:
    """Reads one value, without recursion."""

    def __init__(self, data: bytes, values: Values) -> None:
        self._values = values
        self._data = data
        self._at = 0
        self._places: list[int] = []
        """The number of each referable value, in the order in which they begin; -1 for one that is not whole yet."""

    def read(self) -> int:
        """Return the number of the value.

        :raises NotMarshalError: if it is not what marshal writes, or bytes follow.
        """
        try:
            root = self._read()
        except (IndexError, struct.error):
            self._at = len(self._data) + 1
        if self._at > len(self._data):
            raise NotMarshalError(f"it ends at byte {len(self._data)}, before the code does")
        if self._at < len(self._data):
            raise NotMarshalError(f"{len(self._data) - self._at} bytes follow the code")
        return root

    def _read(self) -> int:  # noqa: PLR0912, PLR0915 - calls would double the time
        """Read until all is whole.

        Strings, references and tuples are read here, not in a function each: they are nine of ten values.
        """
        data, places, values = self._data, self._places, self._values
        texts = values._texts
        # Of what is begun and not whole: its own bytes, its place, what is in it, how many values are missing in it.
        begun: list[tuple[bytes, int, list[int], int]] = []
        kids: list[int] = []
        form, place, left, at = b"", -1, 1, 0
        while True:
            while left:
                kind = data[at]
                plain = kind & 0x7F
                if kind == REFERENCE:
                    number = places[_unsigned(data, at + 1)[0]]
                    at += 5
                elif plain & 0x5F == 0x5A:  # z and Z, which differ in one bit: a short string, plain or interned
                    start = at + 1
                    at += 2 + data[start]
                    number = texts.get(data[start + 1 : at], -1)
                    if number < 0:
                        number = values._short(data[start:at])
                    if kind & _FLAG_REF:
                        places.append(number)
                elif kind in SINGLETONS:
                    number = SINGLETONS.index(kind)
                    at += 1
                elif plain in _NESTED:
                    begun.append((form, place, kids, left))
                    if len(begun) > DEEPEST:
                        raise NotMarshalError(f"at byte {at}, values are nested more than {DEEPEST} deep")
                    place = -1
                    if kind & _FLAG_REF:  # The place is taken before those of the values in it.
                        place = len(places)
                        places.append(-1)
                    if plain == SHORT_TUPLE:
                        left = data[at + 1]
                        form = _TUPLES[left]
                    else:
                        form, left = self._begin(plain, at)
                    at += len(form)
                    kids = []
                    continue
                else:
                    self._at = at + 1
                    number = self._leaf(kind)
                    at = self._at
                kids.append(number)
                left -= 1
            if not begun:
                self._at = at
                return kids[0]
            if len(kids) == LINE and form[0] == CODE:
                # Not a value but four bytes, without a type; a number of its own, for it is never a reference.
                kids.append(values._new(data[at : at + 4]))
                at += 4
                left = len(values.layout.values) - LINE - 1
                continue
            number = values._whole(form, kids)
            if place >= 0:
                places[place] = number
            form, place, kids, left = begun.pop()
            kids.append(number)
            left -= 1

    def _begin(self, kind: int, at: int) -> tuple[bytes, int]:
        """Return a value's own bytes, and how many values follow."""
        size = _NESTED[kind] or self._values.layout.head + 1
        form = bytes((kind,)) + self._data[at + 1 : at + size]
        if kind == CODE:
            return form, LINE
        count = 3 if kind == SLICE else int.from_bytes(form[1:], "little")
        if count > len(self._data) - at or len(form) < size:  # A value takes a byte at least, and the number four.
            raise NotMarshalError(f"at byte {at}, {count} values are announced, which cannot follow")
        return form, count

    def _leaf(self, kind: int) -> int:
        plain = kind & ~_FLAG_REF
        if plain in SINGLETONS:  # Never counted as referable, whatever the mark says (``r_object`` in marshal.c).
            return SINGLETONS.index(plain)
        if plain in b"sutaA":
            size = self._take(4)
            content = self._take(int.from_bytes(size, "little"))
            number = self._values.leaf(b"s" + size + content) if plain == _BYTES else self._text(plain, content)
        elif plain in _FIXED_SIZES:
            content = self._take(_FIXED_SIZES[plain])
            # A NaN equals nothing, so two of them must not become one.
            is_nan = plain != _INTEGER and any(v != v for v in struct.unpack(f"<{len(content) // 8}d", content))  # noqa: PLR0124
            number = (self._values._new if is_nan else self._values.leaf)(bytes((plain,)) + content)
        elif plain == _BIG_INTEGER:
            head = self._take(4)
            digits = self._take(2 * abs(int.from_bytes(head, "little", signed=True)))
            if any(high & 0x80 for high in digits[1::2]) or digits[-2:] in (b"", b"\0\0"):
                raise NotMarshalError(f"the integer before byte {self._at} is not in its one form")
            number = self._values.leaf(b"l" + head + digits)
        else:
            raise NotMarshalError(f"type {plain:#x} at byte {self._at - 1} does not occur in code")
        if kind & _FLAG_REF:
            self._places.append(number)
        return number

    def _text(self, kind: int, content: bytes) -> int:
        if kind in b"aA" and not content.isascii():
            raise NotMarshalError(f"the string before byte {self._at} is of a type for ASCII, and is not ASCII")
        try:
            content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise NotMarshalError(f"the string before byte {self._at} is not UTF-8: {error.reason}") from None
        return self._values.text(content)

    def _take(self, size: int) -> bytes:
        start = self._at
        self._at = start + size
        if self._at > len(self._data):
            raise IndexError
        return self._data[start : self._at]
