"""The code of compiled modules in the canonical form, by docs/reference/sbom-and-pyc.md ("P002") alone.

Plain recursion on plain values, for clearness: it is written to be held against the document, not to be fast.
"""

from __future__ import annotations

import re
import struct
import sys
from collections import Counter
from typing import Any

MAGICS = {3413, 3425, 3439, 3495, 3531, 3571, 3627}
DEEPEST = 2000
MOST_WRITTEN_OUT = 16 << 20

FIXED = {b"N", b"T", b"F", b".", b"S"}


class LeftAlone(Exception):
    """The bytes are not what the rule is for."""


class Value:
    """A value: its type in the simplest notation, its own bytes, and the values in it."""

    def __init__(self, kind: bytes, own: bytes, parts: list[Value], middle: bytes = b"") -> None:
        self.kind = kind
        self.own = own
        self.parts = parts
        self.middle = middle
        """Of a code object: the four bytes after its eighth value."""
        nan = kind in (b"g", b"y") and any(number != number for number in struct.unpack(f"<{len(own) // 8}d", own))  # noqa: PLR0124
        self.same: Any = id(self) if kind == b"c" or nan else (kind, own, tuple(part.same for part in parts))


class Reader:
    def __init__(self, data: bytes, magic: int) -> None:
        self.data = data
        self.at = 0
        self.old = magic <= 3439
        self.referable: list[Value | None] = []

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise LeftAlone("it ends early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")

    def value(self, depth: int = 0) -> Value:
        kind = self.take(1)[0]
        plain = bytes((kind & 0x7F,))
        if kind == ord("r"):
            place = self.number()
            found = self.referable[place] if place < len(self.referable) else None
            if found is None:
                raise LeftAlone("a reference to nothing whole")
            return found
        if plain in FIXED:
            return Value(plain, b"", [])
        place = len(self.referable)
        if kind & 0x80:
            self.referable.append(None)
        found = self.inside(plain, depth)
        if kind & 0x80:
            self.referable[place] = found
        return found

    def inside(self, kind: bytes, depth: int) -> Value:
        if kind in (b")", b"(", b">", b":", b"c") and depth >= DEEPEST:
            raise LeftAlone("too deep")
        if kind in (b"z", b"Z", b"a", b"A", b"u", b"t"):
            text = self.take(self.number(1 if kind in b"zZ" else 4))
            try:
                text.decode("ascii" if kind in b"zZaA" else "utf-8", "surrogatepass" if kind in b"ut" else "strict")
            except UnicodeDecodeError:
                raise LeftAlone("no such string") from None
            return Value(b"u", text, [])
        if kind in (b"i", b"g", b"y"):
            return Value(kind, self.take({b"i": 4, b"g": 8, b"y": 16}[kind]), [])
        if kind == b"s":
            return Value(kind, self.take(self.number()), [])
        if kind == b"l":
            return self.long()
        if kind == b"c":
            own = self.take(24 if self.old else 20)
            parts = [self.value(depth + 1) for _ in range(8)]
            middle = self.take(4)
            return Value(b"c", own, parts + [self.value(depth + 1) for _ in range(1 if self.old else 2)], middle)
        if kind in (b")", b"(", b">", b":"):
            count = 3 if kind == b":" else self.number(1 if kind == b")" else 4)
            if count > len(self.data):
                raise LeftAlone("it ends early")
            parts = [self.value(depth + 1) for _ in range(count)]
            if kind == b">":
                parts.sort(key=self.written_out)
            return Value(b"(" if kind == b")" else kind, b"", parts)
        raise LeftAlone(f"type {kind!r}")

    def long(self) -> Value:
        head = self.take(4)
        digits = [self.number(2) for _ in range(abs(struct.unpack("<i", head)[0]))]
        if not digits or digits[-1] == 0 or max(digits) > 0x7FFF:
            raise LeftAlone("no such integer")
        return Value(b"l", head + struct.pack(f"<{len(digits)}H", *digits), [])

    written = 0

    def written_out(self, value: Value) -> bytes:
        if value.kind == b"c":
            raise LeftAlone("code in a frozenset")
        head = b"u" + struct.pack("<L", len(value.own)) + value.own if value.kind == b"u" else head_of(value, set())
        self.written += len(head) + 16
        if self.written > MOST_WRITTEN_OUT:
            raise LeftAlone("frozensets too large")
        return head + b"".join(map(self.written_out, value.parts))


def head_of(value: Value, names: set[bytes]) -> bytes:
    """Return what is written of a value before those in it."""
    size = struct.pack("<L", len(value.parts) if value.kind in (b"(", b">") else len(value.own))
    if value.kind == b"u":
        ascii_only = all(byte < 128 for byte in value.own)
        interned = value.own in names or re.fullmatch(rb"[A-Za-z0-9_]*", value.own) is not None
        kinds = b"tu" if not ascii_only else b"Zz" if len(value.own) < 256 else b"Aa"
        kind = kinds[:1] if interned else kinds[1:]
        return kind + (size[:1] if kind in b"zZ" else size) + value.own
    if value.kind == b"(":
        return b")" + size[:1] if len(value.parts) < 256 else b"(" + size
    if value.kind == b">":
        return b">" + size
    return value.kind + (size if value.kind == b"s" else b"") + value.own


def canonical_code(data: bytes, magic: int, source: bytes) -> bytes:
    """Return the code *data* as it has to be where its source is called *source* in the wheel.

    :raises LeftAlone: if it has to stay as it is.
    """
    deepest = sys.getrecursionlimit()
    sys.setrecursionlimit(deepest + 6 * DEEPEST)
    try:
        reader = Reader(data, magic)
        root = reader.value()
        if root.kind != b"c" or reader.at != len(data):
            raise LeftAlone("not one code object")
        renamed(root, reader.old, source)
        names: set[bytes] = set()
        uses: Counter[Any] = Counter()
        look(root, reader.old, names, uses, set())
        return b"".join(write(root, names, uses, {}))
    finally:
        sys.setrecursionlimit(deepest)


def codes(value: Value, seen: set[int]) -> list[Value]:
    if id(value) in seen:
        return []
    seen.add(id(value))
    found = [value] if value.kind == b"c" else []
    return found + [code for part in value.parts for code in codes(part, seen)]


def renamed(root: Value, old: bool, source: bytes) -> None:
    field = 6 if old else 5
    was = root.parts[field].same
    for code in codes(root, set()):
        if code.parts[field].same == was:
            code.parts[field] = Value(b"u", source, [])


def look(value: Value, old: bool, names: set[bytes], uses: Counter[Any], seen: set[Any]) -> None:
    """Collect the names in code objects, and count how often each value would be written."""
    uses[value.same] += 1
    if value.same in seen:
        return
    seen.add(value.same)
    if value.kind == b"c":
        for field in (2, 3, 4, 5, 7) if old else (2, 3, 6, 7):
            part = value.parts[field]
            names.update(each.own for each in (part, *part.parts) if each.kind == b"u")
    for part in value.parts:
        look(part, old, names, uses, seen)


def write(value: Value, names: set[bytes], uses: Counter[Any], numbers: dict[Any, int]) -> list[bytes]:
    if value.same in numbers:
        return [b"r" + struct.pack("<L", numbers[value.same])]
    head = head_of(value, names)
    if uses[value.same] > 1 and value.kind not in FIXED:
        numbers[value.same] = len(numbers)
        head = bytes((head[0] | 0x80,)) + head[1:]
    parts = [write(part, names, uses, numbers) for part in value.parts]
    inside = [b"".join(part) for part in parts]
    if value.kind == b"c":
        inside.insert(8, value.middle)
    return [head, *inside]
