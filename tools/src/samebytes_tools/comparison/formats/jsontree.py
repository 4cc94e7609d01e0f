"""JSON, by the path of keys; software bills of materials (PEP 770) with what is random in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from samebytes.artifact.jsontext import Json, NotJsonError, Number, parse, serialize

from ..causes.causes import UNKNOWN
from ..causes.clues import Clues, codes, findings_of
from ..model import Difference, Kind

__all__ = ["LARGEST", "compare"]

LARGEST = 2 << 20
"""Bytes of a document that is read, for in memory it takes up to 20 times as much."""

_MOST = 200
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_IDENTITY = re.compile(
    r"serialNumber|documentNamespace|creationInfo\.created|metadata\.timestamp"
    r"|annotations\[\d+\]\.(?:timestamp|annotationDate)|.*\.time(?:Start|End|Activated)"
)
"""Where CycloneDX and SPDX say which document it is, and when it was made."""


def compare(name: str, left: bytes, right: bytes, clues: Clues) -> Difference | None:
    """Return how two JSON documents differ, or None if one is none, or they differ in their layout alone."""
    try:
        one, other = parse(left), parse(right)
    except NotJsonError:
        return None
    walk = _Walk(clues, _is_sbom(one) and _is_sbom(other))
    children = tuple(islice(walk.compare("", one, other), _MOST + 1))
    if not children:
        return None
    count = f"more than {_MOST}" if len(children) > _MOST else str(len(children))
    summary = f"{count} value{'s' * (len(children) != 1)} differ{'s' * (len(children) == 1)}"
    return Difference(name, Kind.JSON, summary, children=children[:_MOST])


def _is_sbom(document: Json) -> bool:
    return isinstance(document, dict) and ("spdxVersion" in document or document.get("bomFormat") == "CycloneDX")


class _Walk:
    """Two documents, compared from their roots."""

    def __init__(self, clues: Clues, is_sbom: bool) -> None:
        self._clues = clues
        self._is_sbom = is_sbom

    def compare(self, path: str, left: Json, right: Json) -> Iterator[Difference]:
        """Give the values that differ below *path*."""
        if isinstance(left, dict) and isinstance(right, dict):
            yield from self._objects(path, left, right)
        elif isinstance(left, list) and isinstance(right, list):
            yield from self._arrays(path, left, right)
        elif left != right:
            yield self._value(path, left, right)

    def _objects(self, path: str, left: dict[str, Json], right: dict[str, Json]) -> Iterator[Difference]:
        for key in dict.fromkeys([*left, *right]):
            below = f"{path}.{key}" if path else key
            if key not in left or key not in right:
                yield self._missing(
                    below, "right" if key in right else "left", _text((right if key in right else left)[key])
                )
            else:
                yield from self.compare(below, left[key], right[key])
        if left == right and list(left) != list(right):
            sides = ", ".join(left).encode(), ", ".join(right).encode()
            findings = findings_of(("D008",), *sides, f"keys of {path or 'the document'}")
            yield Difference(path or "keys", Kind.JSON, "the same keys in another order", (), findings)

    def _arrays(self, path: str, left: list[Json], right: list[Json]) -> Iterator[Difference]:
        texts = [_text(item) for item in left], [_text(item) for item in right]
        if texts[0] != texts[1] and Counter(texts[0]) == Counter(texts[1]):
            sides = b", ".join(texts[0]), b", ".join(texts[1])
            findings = findings_of((self._order(texts[0]),), *sides, path)
            yield Difference(path, Kind.JSON, "the same elements in another order", (), findings)
        elif len(left) == len(right):
            for index, (one, other) in enumerate(zip(left, right)):
                yield from self.compare(f"{path}[{index}]", one, other)
        else:
            for side, mine, others in (("left", texts[0], texts[1]), ("right", texts[1], texts[0])):
                for text in (Counter(mine) - Counter(others)).elements():
                    yield self._missing(f"{path}[]", side, text)

    def _order(self, texts: list[bytes]) -> str:
        named = [text for text in texts if b"/" in text or text.decode("utf-8", "replace") in self._clues.names]
        return "D009" if len(named) * 2 > len(texts) else "D008"

    def _missing(self, path: str, side: str, text: bytes) -> Difference:
        sides = (text, b"") if side == "left" else (b"", text)
        return Difference(path, Kind.MISSING, f"only on the {side} side", (), findings_of((UNKNOWN,), *sides, path))

    def _value(self, path: str, left: Json, right: Json) -> Difference:
        one, other = _text(left), _text(right)
        identity = self._is_sbom and self._is_identity(path, one.decode("utf-8"), other.decode("utf-8"))
        found = ("D018",) if identity else codes(_labelled(path, one), _labelled(path, other), self._clues)
        detail = tuple(f"{sign}{text[:300].decode('utf-8', 'replace')}" for sign, text in (("-", one), ("+", other)))
        return Difference(path, Kind.JSON, "another value", detail, findings_of(found, one, other, path))

    def _is_identity(self, path: str, left: str, right: str) -> bool:
        return bool(_IDENTITY.fullmatch(path)) or (left != right and _UUID.sub("", left) == _UUID.sub("", right))


def _labelled(path: str, text: bytes) -> bytes:
    """Return a value behind its key, which may tell what a number is."""
    return path.rpartition(".")[2].encode() + b": " + text


def _text(value: Json) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return value.text.encode("ascii") if isinstance(value, Number) else serialize(value).strip().encode("utf-8")
