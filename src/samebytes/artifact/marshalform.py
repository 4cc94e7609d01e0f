"""One form for the code in a ``.pyc``: what :mod:`marshal` wrote, written again by a rule that knows only values.

The interpreter marks what it writes by how often each object is in use and by whether a string is interned just then,
so the same code comes out differently. Here the bytes are read, never run or loaded, and written by this rule:

- Values stand in the order in which the code refers to them, depth first; those in a frozenset in the order of their
  own bytes (written without references, all strings as ``u``).
- What occurs again, of the same type and value, is a reference to where it occurred first; only what is so referred to
  is marked as referable. None, True, False and Ellipsis are never references. Code objects and NaNs are so only where
  they were one object.
- A string is marked as interned if it has ASCII letters, digits and underscores only, or is a name somewhere in the
  code. (The interpreter interns those in any case.)
- A tuple, and a string of ASCII, is of the short kind where it is shorter than 256.

This file imports nothing of ours: other Pythons run it as it is.
Source: CPython's ``Python/marshal.c`` (versions 4 and 5) and ``Objects/codeobject.c``, 3.8 to 3.14.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from itertools import chain

__all__ = ["DEEPEST", "MOST_FLAT", "NotMarshalError", "is_known", "normalized"]

DEEPEST = 2000
"""How many values may lie in one another: marshal's own limit."""

MOST_FLAT = 16 << 20
"""Bytes: how much of what is in frozensets is written out to bring it into order, each value taken for 16 more."""

_FLAG_REF = 0x80
_SINGLETONS = b"NTF.S"
_TUPLES = [bytes((0x29, size)) for size in range(256)]
_LINE = 8
"""How many values a code object has before the number of its first line."""

_NESTED = {ord(")"): 2, ord("("): 5, ord(">"): 5, ord(":"): 1, ord("c"): 0}
"""The kinds of values with others in them, and how many bytes of their own they have; code objects' depend."""

_NAME_LETTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_unsigned = struct.Struct("<I").unpack_from
_reference = struct.Struct("<cI").pack


class NotMarshalError(ValueError):
    """The bytes are not what marshal writes for code, or are of a Python that is not known."""


class _Layout:
    """Where a code object has what; *names* are the fields whose strings are interned."""

    __slots__ = ("filename", "head", "names", "values")

    def __init__(self, head: int, values: int, filename: int, names: tuple[int, ...]) -> None:
        self.head = head
        self.values = values
        self.filename = filename
        self.names = names


# argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags; code, consts, names, varnames, freevars,
# cellvars, filename, name; firstlineno; linetable.
_UP_TO_3_10 = _Layout(head=24, values=9, filename=6, names=(2, 3, 4, 5, 7))

# argcount, posonlyargcount, kwonlyargcount, stacksize, flags; code, consts, names, localsplusnames, localspluskinds,
# filename, name, qualname; firstlineno; linetable, exceptiontable.
_FROM_3_11 = _Layout(head=20, values=10, filename=5, names=(2, 3, 6, 7))


# By magic number, of final releases only; source: CPython's list of them, ``pycore_magic_number.h``.
_LAYOUTS = {
    3413: _UP_TO_3_10,  # 3.8
    3425: _UP_TO_3_10,
    3439: _UP_TO_3_10,
    3495: _FROM_3_11,
    3531: _FROM_3_11,
    3571: _FROM_3_11,
    3627: _FROM_3_11,  # 3.14
}


def is_known(magic: int) -> bool:
    """Tell whether *magic* is the number of a Python whose code can be read here: CPython 3.8 to 3.14."""
    return magic in _LAYOUTS


def normalized(data: bytes, magic: int, filename: str | None = None) -> bytes:
    """Return *data*, the code in a ``.pyc`` with the *magic* number, in the one form.

    :param filename: if given, what ``co_filename`` says in the outermost code object and in each that agrees with it.
    :raises NotMarshalError: for anything that is not one code object, whole.
    """
    if magic not in _LAYOUTS:
        raise NotMarshalError(f"magic number {magic} is of no CPython from 3.8 to 3.14")
    reader = _Reader(data, _LAYOUTS[magic])
    root = reader.read()
    graph = reader.graph
    if graph.forms[root][:1] != b"c":
        raise NotMarshalError("it holds no code object")
    graph.intern_names()
    if filename is not None:
        graph.relocate(root, filename)
    return graph.written(root)


class _Graph:
    """Values by number: the same value has the same number, wherever it is."""

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self.forms = [bytes((kind,)) for kind in _SINGLETONS]
        """What is written of a value before those in it, without marks."""
        self.kids: dict[int, list[int]] = {}
        """What lies in a value, for those in which something does."""
        self.texts: dict[bytes, int] = {}
        self._leaves: dict[bytes, int] = {}
        self._nested: dict[tuple[object, ...], int] = {}
        self._odd: set[int] = set()
        """Strings that are not (yet) to be interned."""
        self._flat = 0

    def new(self, form: bytes) -> int:
        self.forms.append(form)
        return len(self.forms) - 1

    def leaf(self, form: bytes) -> int:
        found = self._leaves.get(form)
        if found is None:
            found = self._leaves[form] = self.new(form)
        return found

    def short(self, sized: bytes) -> int:
        """Return the number of a string of ASCII, not yet met, given with its size before it."""
        content = sized[1:]
        found = self.texts[content] = len(self.forms)
        if not content.translate(None, _NAME_LETTERS):
            self.forms.append(b"Z" + sized)
            return found
        if not content.isascii():
            raise NotMarshalError(f"the string {content!r} is not of ASCII, and is said to be so")
        self.forms.append(b"z" + sized)
        self._odd.add(found)
        return found

    def text(self, content: bytes) -> int:
        """Return the number of a string, given in UTF-8."""
        found = self.texts.get(content)
        if found is not None:
            return found
        size = len(content)
        if size < 256 and content.isascii():
            return self.short(bytes((size,)) + content)
        is_name = content.isascii() and not content.translate(None, _NAME_LETTERS)
        kind = b"A" if is_name else b"a" if content.isascii() else b"u"
        found = self.texts[content] = self.new(kind + size.to_bytes(4, "little") + content)
        if not is_name:
            self._odd.add(found)
        return found

    def whole(self, form: bytes, kids: list[int]) -> int:
        """Return the number of a value with others in it."""
        kind = form[0]
        if -1 in kids:
            raise NotMarshalError("a value in it lies in itself")
        if kind == 0x63:
            found = self.new(form)
            self.kids[found] = kids
            return found
        if kind == 0x3E:
            kids.sort(key=self._flattened)
        elif kind == 0x28 and len(kids) < 256:
            form = _TUPLES[len(kids)]
        key = (form, *kids)
        number = self._nested.get(key)
        if number is None:
            number = self._nested[key] = self.new(form)
            self.kids[number] = kids
        return number

    def intern_names(self) -> None:
        """Mark as interned what is a name somewhere."""
        codes = [kids for number, kids in self.kids.items() if self.forms[number][0] == 0x63]
        for names in {kids[field] for kids in codes for field in self.layout.names}:
            for name in self._odd.intersection(self.kids.get(names, (names,))):
                form = self.forms[name]
                self.forms[name] = {b"z": b"Z", b"a": b"A", b"u": b"t"}[form[:1]] + form[1:]
                self._odd.remove(name)

    def _flattened(self, number: int) -> bytes:
        """Return the value's bytes without any reference, all strings as ``u``: interned or not shows only later."""
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

    def relocate(self, root: int, filename: str) -> None:
        field = self.layout.filename
        old = self.kids[root][field]
        new = self.text(filename.encode("utf-8", "surrogatepass"))
        for number, kids in self.kids.items():
            if self.forms[number][:1] == b"c" and kids[field] == old:
                kids[field] = new

    def written(self, root: int) -> bytes:
        forms = self.forms
        uses = Counter(chain.from_iterable(self.kids.values()))
        # What is to be written of a value from now on; None where that changes with its first occurrence.
        now: list[bytes | None] = [form if uses[number] < 2 else None for number, form in enumerate(forms)]
        now[: len(_SINGLETONS)] = forms[: len(_SINGLETONS)]
        for number in self.kids:
            now[number] = None
        parts: list[bytes] = []
        referable = 0
        stack = [iter((root,))]
        while stack:
            for number in stack[-1]:
                form = now[number]
                if form is not None:
                    parts.append(form)
                    continue
                form = forms[number]
                if uses[number] > 1:
                    form = bytes((form[0] | _FLAG_REF,)) + form[1:]
                    now[number] = _reference(b"r", referable)
                    referable += 1
                parts.append(form)
                kids = self.kids.get(number)
                if kids:
                    stack.append(iter(kids))
                    break
            else:
                stack.pop()
        return b"".join(parts)


def _sortable(form: bytes) -> bytes:
    kind = form[:1]
    if kind == b"c":
        raise NotMarshalError("a frozenset holds a code object")
    if kind in b"zZ":
        return b"u" + form[1:2] + b"\0\0\0" + form[2:]
    return b"u" + form[1:] if kind in b"aAt" else form


class _Reader:
    """Reads one value, without recursion."""

    def __init__(self, data: bytes, layout: _Layout) -> None:
        self.graph = _Graph(layout)
        self._data = data
        self._at = 0
        self._places: list[int] = []
        """The number of each referable value."""

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
        """Read until all is whole; what is most frequent is read here."""
        data, places, graph = self._data, self._places, self.graph
        texts = graph.texts
        # Of what is begun and not whole: its own bytes, its place, what is in it, how many values are missing in it.
        begun: list[tuple[bytes, int, list[int], int]] = []
        kids: list[int] = []
        form, place, left, at = b"", -1, 1, 0
        while True:
            while left:
                kind = data[at]
                plain = kind & 0x7F
                if kind == 0x72:
                    number = places[_unsigned(data, at + 1)[0]]
                    at += 5
                elif plain & 0x5F == 0x5A:  # z, Z
                    start = at + 1
                    at += 2 + data[start]
                    number = texts.get(data[start + 1 : at], -1)
                    if number < 0:
                        number = graph.short(data[start:at])
                    if kind & _FLAG_REF:
                        places.append(number)
                elif plain in _NESTED:
                    begun.append((form, place, kids, left))
                    if len(begun) > DEEPEST:
                        raise NotMarshalError(f"at byte {at}, values are nested more than {DEEPEST} deep")
                    place = -1
                    if kind & _FLAG_REF:  # The place is taken before those of the values in it.
                        place = len(places)
                        places.append(-1)
                    form, left = (_TUPLES[data[at + 1]], data[at + 1]) if plain == 0x29 else self._begin(plain, at)
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
            if len(kids) == _LINE and form[0] == 0x63:
                kids.append(graph.new(data[at : at + 4]))
                at += 4
                left = graph.layout.values - _LINE
                continue
            number = graph.whole(form, kids)
            if place >= 0:
                places[place] = number
            form, place, kids, left = begun.pop()
            kids.append(number)
            left -= 1

    def _begin(self, kind: int, at: int) -> tuple[bytes, int]:
        """Return a value's own bytes, and how many values follow."""
        size = _NESTED[kind] or self.graph.layout.head + 1
        form = bytes((kind,)) + self._data[at + 1 : at + size]
        if kind == 0x63:
            return form, _LINE
        count = 3 if kind == 0x3A else int.from_bytes(form[1:], "little")
        if count > len(self._data) - at:
            raise NotMarshalError(f"at byte {at}, {count} values are announced, which cannot follow")
        return form, count

    def _leaf(self, kind: int) -> int:
        plain = kind & ~_FLAG_REF
        if plain in _SINGLETONS:  # Never counted as referable, whatever the mark says.
            return _SINGLETONS.index(plain)
        read = _LEAVES.get(plain)
        if read is None:
            raise NotMarshalError(f"type {plain:#x} at byte {self._at - 1} is none of those in code")
        number = read(self)
        if kind & _FLAG_REF:
            self._places.append(number)
        return number

    def _bytes(self) -> int:
        start = self._at
        size = self._size(4)
        self._at += size
        return self.graph.leaf(b"s" + self._data[start : self._at])

    def _number(self) -> int:
        return self.graph.leaf(b"i" + self._take(4))

    def _unicode(self) -> int:
        content = self._take(self._size(4))
        try:
            content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise NotMarshalError(f"the string before byte {self._at} is not UTF-8: {error.reason}") from None
        return self.graph.text(content)

    def _ascii(self) -> int:
        content = self._take(self._size(4))
        if not content.isascii():
            raise NotMarshalError(f"the string before byte {self._at} is not of ASCII, and is said to be so")
        return self.graph.text(content)

    def _doubles(self, count: int) -> int:
        content = self._take(8 * count)
        form = (b"g" if count == 1 else b"y") + content
        # A NaN equals nothing, so two of them must not become one.
        if any(number != number for number in struct.unpack(f"<{count}d", content)):  # noqa: PLR0124
            return self.graph.new(form)
        return self.graph.leaf(form)

    def _big(self) -> int:
        """Read an integer of digits to the base 2**15, whose count has its sign."""
        head = self._take(4)
        digits = self._take(2 * abs(int.from_bytes(head, "little", signed=True)))
        if any(high & 0x80 for high in digits[1::2]) or digits[-2:] in (b"", b"\0\0"):
            raise NotMarshalError(f"the integer before byte {self._at} is not in its one form")
        return self.graph.leaf(b"l" + head + digits)

    def _size(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _take(self, size: int) -> bytes:
        start = self._at
        self._at = start + size
        if self._at > len(self._data):
            raise IndexError
        return self._data[start : self._at]


_LEAVES: dict[int, Callable[[_Reader], int]] = {
    ord("i"): _Reader._number,
    ord("s"): _Reader._bytes,
    ord("u"): _Reader._unicode,
    ord("t"): _Reader._unicode,
    ord("a"): _Reader._ascii,
    ord("A"): _Reader._ascii,
    ord("g"): lambda reader: reader._doubles(1),
    ord("y"): lambda reader: reader._doubles(2),
    ord("l"): _Reader._big,
}
