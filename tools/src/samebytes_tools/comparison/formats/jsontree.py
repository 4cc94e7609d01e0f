"""JSON, by the path of keys; software bills of materials (PEP 770) with what is random in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from samebytes.artifact.jsontext import Json, NotJsonError, Number, parse, serialize

from ..causes import variables
from ..causes.cause import CauseClues
from ..causes.table import explain, explained
from ..members import MemberPair, only_on
from ..model import Difference, NodeKind
from ..observations import JsonValue, Nature, OfNature, Reordered, Unexplained, on_side

if TYPE_CHECKING:
    from typing_extensions import TypeGuard  # in typing from Python 3.10 on

__all__ = ["LARGEST", "compare", "look"]

LARGEST = 2 << 20
"""Bytes of a document that is read, for in memory it takes up to 20 times as much."""

# By name, as every text of digits is JSON, too.
_SUFFIXES = (".json", ".spdx", ".cdx", ".ipynb")
_MOST = 200


def look(member: MemberPair) -> Difference | None:
    """Return how two JSON documents differ; None where :func:`compare` gives none, or they are called otherwise."""
    held = member.held(LARGEST) if member.key.endswith(_SUFFIXES) else None
    return compare(member.name, *held, member.clues) if held else None


def compare(name: str, left: bytes, right: bytes, clues: CauseClues) -> Difference | None:
    """Return how two JSON documents differ, or None if one is not JSON, or they differ in their layout alone."""
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
    return Difference(name, NodeKind.JSON, summary, children=children[:_MOST])


def _is_sbom(document: Json) -> bool:
    # The members that both specifications require.
    return isinstance(document, dict) and ("spdxVersion" in document or document.get("bomFormat") == "CycloneDX")


class _Walk:
    """Two documents, compared from their roots."""

    def __init__(self, clues: CauseClues, is_sbom: bool) -> None:
        self._clues = clues
        self._is_sbom = is_sbom

    def compare(self, path: str, left: Json, right: Json) -> Iterator[Difference]:
        """Give the values that differ below *path*."""
        if isinstance(left, dict) and isinstance(right, dict):
            yield from self._objects(path, left, right)
        elif isinstance(left, list) and isinstance(right, list):
            yield from self._arrays(path, left, right)
        elif left != right:
            one, other = _text(left), _text(right)
            detail = tuple(f"{sign}{text[:300].decode('utf-8', 'replace')}" for sign, text in zip("-+", (one, other)))
            seen = JsonValue(one, other, path, self._is_sbom)
            yield explained(path, NodeKind.JSON, "another value", seen, path, self._clues, detail=detail)

    def _objects(self, path: str, left: dict[str, Json], right: dict[str, Json]) -> Iterator[Difference]:
        written = variables.changed(left, right, self._clues.builds)
        if written:
            sides = [serialize({name: side[name] for name in sorted(written & side.keys())}) for side in (left, right)]
            seen = OfNature(Nature.VARIABLES, *(text.encode("utf-8", "surrogatepass") for text in sides))
            summary = "variables of the environment"
            yield explained(path or "variables", NodeKind.JSON, summary, seen, path, self._clues)
        for key in dict.fromkeys([*left, *right]):
            if key in written:
                continue
            below = f"{path}.{key}" if path else key
            if key in left and key in right:
                yield from self.compare(below, left[key], right[key])
            else:
                yield self._missing(below, key in left, _text((left if key in left else right)[key]))
        # Objects are unordered (RFC 8259, section 4), but their bytes differ.
        if left == right and list(left) != list(right):
            keys = Reordered(", ".join(left).encode(), ", ".join(right).encode())
            summary, where = "the same keys in another order", f"keys of {path or 'the document'}"
            yield explained(path or "keys", NodeKind.JSON, summary, keys, where, self._clues)

    def _arrays(self, path: str, left: list[Json], right: list[Json]) -> Iterator[Difference]:
        # As bytes, for Counter needs what can be hashed.
        one, other = [_text(item) for item in left], [_text(item) for item in right]
        named = _identified(left, right)
        if one != other and Counter(one) == Counter(other):
            yield self._reordered(path, one, other)
        elif named is not None:
            if list(named[0]) != list(named[1]):
                yield self._reordered(
                    path, *([name.encode("utf-8", "surrogatepass") for name in side] for side in named)
                )
            for name, item in named[0].items():
                yield from self.compare(f"{path}[{name}]", item, named[1][name])
        elif len(left) == len(right):
            # With as many elements, those at one place stand for each other; else only lone ones are reported.
            for index, (a, b) in enumerate(zip(left, right)):
                yield from self.compare(f"{path}[{index}]", a, b)
        else:
            yield from (self._missing(f"{path}[]", True, text) for text in (Counter(one) - Counter(other)).elements())
            yield from (self._missing(f"{path}[]", False, text) for text in (Counter(other) - Counter(one)).elements())

    def _reordered(self, path: str, left: list[bytes], right: list[bytes]) -> Difference:
        # References in an SBOM have slashes, and are no files.
        sides = [
            [text.decode("utf-8", "replace") for text in side] if not self._is_sbom else [] for side in (left, right)
        ]
        seen = Reordered(b", ".join(left), b", ".join(right), sides[0], sides[1])
        return explained(path, NodeKind.JSON, "the same elements in another order", seen, path, self._clues)

    def _missing(self, path: str, is_left: bool, text: bytes) -> Difference:
        return only_on(is_left, path, explain(Unexplained(*on_side(text, is_left)), path, self._clues))


_IDENTITIES = ("bom-ref", "ref", "SPDXID", "id")
"""What objects in a list are called by, in CycloneDX, SPDX and elsewhere."""


def _identified(left: list[Json], right: list[Json]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """Return the objects of two lists by what they are called, or None unless each list has all of the same names."""
    for key in _IDENTITIES:
        sides: list[dict[str, Json]] = [
            {str(each[key]): each for each in side if _is_called(each, key)} for side in (left, right)
        ]
        if len(sides[0]) == len(left) > 1 and len(sides[1]) == len(right) and sides[0].keys() == sides[1].keys():
            return sides[0], sides[1]
    return None


def _is_called(value: Json, key: str) -> TypeGuard[dict[str, Json]]:
    return isinstance(value, dict) and isinstance(value.get(key), str)


def _text(value: Json) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    # Numbers as they are written: 1.0 and 1 are one value in Python.
    return value.text.encode("ascii") if isinstance(value, Number) else serialize(value).strip().encode("utf-8")
