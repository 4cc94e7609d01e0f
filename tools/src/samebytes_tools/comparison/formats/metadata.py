"""METADATA, PKG-INFO and WHEEL, field by field; and what they mean, whatever their form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from samebytes.artifact import headers

from ..causes.cause import CauseClues
from ..causes.table import explain, explained, reduced
from ..excerpts import shared
from ..members import MemberPair, only_on
from ..model import Difference, NodeKind
from ..observations import FieldValues, Nature, OfNature, Reordered, Unexplained
from ..requirements import meaning
from . import text

__all__ = ["compare", "look", "same_entry_points", "same_metadata", "same_wheel_file"]

_ORDER_PASSES = {"*.dist-info/METADATA": "W002", "*.dist-info/WHEEL": "W003", "PKG-INFO": "S001"}
"""The pass that puts the fields into order, by member."""

_UNORDERED = frozenset({"classifier", "provides-extra", "dynamic", "platform", "supported-platform", "license-file"})
"""Fields of METADATA whose values are a set; resolvers go by the order of Requires-Dist."""


_VERSION = "metadata-version"
_ADDED = frozenset({"dynamic", "license-file"})
"""Fields that backends fill in by themselves once they write a release of the metadata that has them."""


def look(member: MemberPair) -> Difference | None:
    """Return how two header blocks differ, or None if the member is not known to be one, or is not."""
    code = _ORDER_PASSES.get(member.key) or ("S001" if member.key.endswith(".egg-info/PKG-INFO") else "")
    held = member.held(text.LARGEST) if code else None
    return compare(member.name, *held, code, member.clues) if held else None


def compare(name: str, left: bytes, right: bytes, order_code: str, clues: CauseClues) -> Difference | None:
    """Return how two header blocks differ, or None where one of them is not a header block.

    *order_code* is the pass that puts the fields into order.
    """
    one, other = headers.parse(left), headers.parse(right)
    if one is None or other is None:
        return None
    children = [*_fields(one, other, order_code, clues), *_bodies(one, other, clues)]
    if not children:
        children = [_form(left, right, order_code, clues)]
    summary = ", ".join(dict.fromkeys(child.name for child in children))
    passes = (order_code,) if children and all(child.passes for child in children) else ()
    return Difference(name, NodeKind.METADATA, f"differs in {summary}", passes=passes, children=tuple(children))


def _fields(left: headers.Block, right: headers.Block, order_code: str, clues: CauseClues) -> Iterator[Difference]:
    one, other = _by_name(left), _by_name(right)
    for name in dict.fromkeys([*one, *other]):
        values = one.get(name, []), other.get(name, [])
        if values[0] != values[1]:
            spelt = next(field.name for block in (left, right) for field in block.fields if field.name.lower() == name)
            if name in _ADDED and one.get(_VERSION) != other.get(_VERSION) and not all(values):
                nature = OfNature(Nature.BACKEND_SPELLING, *(b"\n".join(side) for side in values))
                lines = tuple(f"{sign}{_shown(value)}" for sign, side in zip("-+", values) for value in side)
                yield only_on(bool(values[0]), spelt, explain(nature, f"field {spelt}", clues), lines)
            else:
                yield _field(spelt, values[0], values[1], order_code, clues)
    # With other fields on the sides, the order follows from those.
    if list(one) != list(other) and set(one) == set(other):
        lists = [list(dict.fromkeys(field.name for field in block.fields)) for block in (left, right)]
        place = next(number for number, (a, b) in enumerate(zip(*lists)) if a.lower() != b.lower())
        excerpts = (", ".join(names[place : place + 3]).encode() for names in lists)
        seen, where = OfNature(Nature.BACKEND_SPELLING, *excerpts), f"field {place + 1}"
        summary, passes = "fields in another order", (order_code,)
        yield explained("order of fields", NodeKind.METADATA, summary, seen, where, clues, passes=passes)


def _by_name(block: headers.Block) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for field in block.fields:
        found.setdefault(field.name.lower(), []).append(field.value)
    return found


def _field(name: str, left: Sequence[bytes], right: Sequence[bytes], order_code: str, clues: CauseClues) -> Difference:
    where = f"field {name}"
    one, other = b"\n".join(left), b"\n".join(right)
    if Counter(left) == Counter(right):
        # W100, which sorts other fields, runs only where somebody asks for it; the cause's remedy names it.
        passes = (order_code,) if name.lower() == "tag" else ()
        detail = (*(f"-{_shown(value)}" for value in left), *(f"+{_shown(value)}" for value in right))
        summary = "the same values in another order"
        seen = Reordered(one, other)
        return explained(name, NodeKind.METADATA, summary, seen, where, clues, detail=detail, passes=passes)
    on_left, on_right = set(left), set(right)
    lines = tuple(f"-{_shown(value)}" for value in left if value not in on_right)
    lines += tuple(f"+{_shown(value)}" for value in right if value not in on_left)
    if not left or not right:
        return only_on(bool(left), name, explain(Unexplained(one, other), where, clues), lines)
    # Tags are a set, so all of one side's are held against all of the other's; the values of other fields in pairs.
    pairs = zip(left, right) if len(left) == len(right) and name.lower() != "tag" else [(one, other)]
    values = (FieldValues(a, b, name.lower()) for a, b in pairs if a != b)
    findings = reduced(finding for seen in values for finding in explain(seen, where, clues))
    return Difference(name, NodeKind.METADATA, "another value", lines, findings)


def _bodies(left: headers.Block, right: headers.Block, clues: CauseClues) -> Iterator[Difference]:
    if left.body == right.body:
        return
    one, other = ((block.body or b"").replace(b"\r\n", b"\n") for block in (left, right))
    # How many of these there are is up to the backend, and shows nowhere.
    if one != other and one.strip(b"\n") == other.strip(b"\n"):
        ends = (_empty_lines(body) for body in (one, other))
        seen = OfNature(Nature.BACKEND_SPELLING, *ends)
        yield explained("description", NodeKind.METADATA, "empty lines around it", seen, "description", clues)
        return
    found = text.compare("description", left.body or b"", right.body or b"", clues, Nature.GENERATED_LINE_ENDS)
    if found.findings or found.summary:
        yield found
        return
    bodies = (b"(none)" if block.body is None else block.body for block in (left, right))
    seen = OfNature(Nature.BACKEND_SPELLING, *bodies)
    yield explained("description", NodeKind.METADATA, "an empty line after the fields", seen, "after the fields", clues)


def _empty_lines(body: bytes) -> bytes:
    """Return how many line ends there are around a text."""
    first = len(body) - len(body.lstrip(b"\n"))
    return b"%d before, %d after" % (first, len(body) - first - len(body.strip(b"\n")))


def _form(left: bytes, right: bytes, order_code: str, clues: CauseClues) -> Difference:
    """Return what the fields' values do not show: line ends, spaces, spelling of names, order of repetitions."""
    is_ends = (b"\r\n" in left) != (b"\r\n" in right)
    at = shared(left, right)
    excerpts = (side[max(0, at - 40) : at + 40] for side in (left, right))
    seen = OfNature(Nature.GENERATED_LINE_ENDS if is_ends else Nature.BACKEND_SPELLING, *excerpts)
    blocks = headers.parse(left), headers.parse(right)
    ordered = [headers.in_order(block, headers.METADATA_ORDER) for block in blocks if block is not None]
    passes = (order_code,) if len(ordered) == 2 and ordered[0] == ordered[1] else ()
    name = "line ends" if is_ends else "form"
    return explained(name, NodeKind.METADATA, "written otherwise", seen, f"offset {at}", clues, passes=passes)


def _shown(value: bytes) -> str:
    return value[:300].decode("utf-8", "backslashreplace").replace("\n", " ")


# -- what they mean


def same_metadata(left: bytes, right: bytes) -> bool:
    """Return whether two METADATA files mean the same to installers and people: fields by name, sets as sets."""
    return _meanings_agree(left, right, _UNORDERED, frozenset())


def same_wheel_file(left: bytes, right: bytes) -> bool:
    """Return whether two WHEEL files mean the same to installers: all but who generated it."""
    return _meanings_agree(left, right, frozenset({"tag"}), frozenset({"generator"}))


def _meanings_agree(left: bytes, right: bytes, unordered: frozenset[str], ignored: frozenset[str]) -> bool:
    if left == right:
        return True
    meanings = []
    for data in (left, right):
        block = headers.parse(data)
        if block is None:
            return False
        fields = {
            name: sorted(values) if name in unordered else [meaning(name, value) for value in values]
            # Names are case-insensitive, as in RFC 5322.
            for name, values in _by_name(block).items()
            if name not in ignored
        }
        # How many empty lines are around the description shows nowhere.
        meanings.append((fields, (block.body or b"").replace(b"\r\n", b"\n").strip(b"\n")))
    return meanings[0] == meanings[1]


def same_entry_points(left: bytes, right: bytes) -> bool:
    """Return whether two entry_points.txt files declare the same: groups and names in whatever order."""
    one, other = _entry_points(left), _entry_points(right)
    return left == right or (one is not None and one == other)


def _entry_points(data: bytes) -> dict[str, dict[str, str]] | None:
    """Return names and objects by group, or None for what is not plain: unreadable, given twice, or continued."""
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return None
    found: dict[str, dict[str, str]] = {}
    group: dict[str, str] | None = None
    for line in lines:
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if line.startswith("[") and line.rstrip().endswith("]") and line.rstrip()[1:-1] not in found:
            group = found.setdefault(line.rstrip()[1:-1], {})
            continue
        name, sign, value = line.partition("=")
        # Where readers differ, two files do not mean the same for sure.
        if group is None or not sign or line[:1].isspace() or name.strip() in group:
            return None
        group[name.strip()] = value.strip()
    return found
