"""METADATA, PKG-INFO and WHEEL, field by field; and what they mean, whatever their form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from samebytes.artifact import headers

from ..causes import repaired
from ..causes.clues import Clues, codes, findings_of
from ..model import Difference, Finding, Kind
from .text import compare as compare_text
from .text import reduced

__all__ = ["compare", "same_entry_points", "same_metadata", "same_wheel_file"]

_UNORDERED = frozenset({"classifier", "provides-extra", "dynamic", "platform", "supported-platform", "license-file"})
"""Fields of METADATA whose values are a set; resolvers go by the order of Requires-Dist."""

_BACKENDS_OWN = frozenset({"generator", "metadata-version", "wheel-version"})
"""Fields that a backend fills in by itself."""


def compare(name: str, left: bytes, right: bytes, order_code: str, clues: Clues) -> Difference | None:
    """Return how two header blocks differ, or None where one of them is none.

    *order_code* is the pass that puts the fields into order.
    """
    one, other = headers.parse(left), headers.parse(right)
    if one is None or other is None:
        return None
    children = [*_fields(one, other, order_code, clues), *_bodies(one, other, clues)]
    if not children:
        children = [*_form(left, right, order_code)]
    summary = ", ".join(dict.fromkeys(child.name for child in children))
    passes = (order_code,) if children and all(child.passes for child in children) else ()
    return Difference(name, Kind.METADATA, f"differs in {summary}", passes=passes, children=tuple(children))


def _fields(left: headers.Block, right: headers.Block, order_code: str, clues: Clues) -> Iterator[Difference]:
    one, other = _by_name(left), _by_name(right)
    for name in dict.fromkeys([*one, *other]):
        values = one.get(name, []), other.get(name, [])
        if values[0] != values[1]:
            spelt = next(field.name for block in (left, right) for field in block.fields if field.name.lower() == name)
            yield _field(spelt, values[0], values[1], order_code, clues)
    if list(one) != list(other) and set(one) == set(other):
        yield _order_of_fields(left, right, order_code)


def _by_name(block: headers.Block) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for field in block.fields:
        found.setdefault(field.name.lower(), []).append(field.value)
    return found


def _field(name: str, left: Sequence[bytes], right: Sequence[bytes], order_code: str, clues: Clues) -> Difference:
    where = f"field {name}"
    lines = tuple(f"-{_shown(value)}" for value in left if value not in right) + tuple(
        f"+{_shown(value)}" for value in right if value not in left
    )
    if Counter(left) == Counter(right):
        passes = (order_code,) if name.lower() == "tag" else ("W100",) if name.lower() in _SORTABLE else ()
        findings = findings_of(("D008",), b"\n".join(left), b"\n".join(right), where)
        detail = (*(f"-{_shown(value)}" for value in left), *(f"+{_shown(value)}" for value in right))
        # W100 runs only where somebody asks for it, so it is named in the remedy and not here.
        passes = passes if passes != ("W100",) else ()
        return Difference(name, Kind.METADATA, "the same values in another order", detail, findings, passes)
    if not left or not right:
        side = "right" if right else "left"
        return Difference(
            name, Kind.MISSING, f"only on the {side} side", lines, _value_findings(name, left, right, where, clues)
        )
    return Difference(
        name, Kind.METADATA, "another value", lines, reduced(_value_findings(name, left, right, where, clues))
    )


_SORTABLE = frozenset({"requires-dist", "provides-extra", "classifier"})


def _value_findings(
    name: str, left: Sequence[bytes], right: Sequence[bytes], where: str, clues: Clues
) -> tuple[Finding, ...]:
    one, other = b"\n".join(left), b"\n".join(right)
    if name.lower() in _BACKENDS_OWN and left and right:
        return findings_of(("D015",), one, other, where)
    if not left or not right:
        return findings_of(("D099",), one, other, where)
    if name.lower() == "tag" and repaired.are_tags(left, right):
        return findings_of(("D024",), one, other, where)
    if len(left) == len(right):
        return tuple(finding for a, b in zip(left, right) for finding in findings_of(codes(a, b, clues), a, b, where))
    return findings_of(codes(one, other, clues), one, other, where)


def _order_of_fields(left: headers.Block, right: headers.Block, order_code: str) -> Difference:
    lists = [list(dict.fromkeys(field.name for field in block.fields)) for block in (left, right)]
    place = next(number for number, (a, b) in enumerate(zip(*lists)) if a.lower() != b.lower())
    excerpt = [", ".join(names[place : place + 3]).encode() for names in lists]
    findings = findings_of(("D015",), excerpt[0], excerpt[1], f"field {place + 1}")
    return Difference("order of fields", Kind.METADATA, "fields in another order", (), findings, (order_code,))


def _bodies(left: headers.Block, right: headers.Block, clues: Clues) -> Iterator[Difference]:
    if left.body == right.body:
        return
    found = compare_text("description", left.body or b"", right.body or b"", clues)
    yield found if found.findings or found.summary else _nothing_but_empty_line(left, right)


def _nothing_but_empty_line(left: headers.Block, right: headers.Block) -> Difference:
    bodies = [b"(none)" if block.body is None else block.body for block in (left, right)]
    findings = findings_of(("D015",), bodies[0], bodies[1], "after the fields")
    return Difference("description", Kind.METADATA, "an empty line after the fields", (), findings)


def _form(left: bytes, right: bytes, order_code: str) -> Iterator[Difference]:
    """Give what the fields' values do not show: line ends, spaces, the spelling of names, the order of repetitions."""
    code = "D014" if (b"\r\n" in left) != (b"\r\n" in right) else "D015"
    at = next((place for place, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    excerpts = left[max(0, at - 40) : at + 40], right[max(0, at - 40) : at + 40]
    blocks = headers.parse(left), headers.parse(right)
    cured = (
        blocks[0] is not None
        and blocks[1] is not None
        and headers.in_order(blocks[0], headers.METADATA_ORDER) == headers.in_order(blocks[1], headers.METADATA_ORDER)
    )
    name = "line ends" if code == "D014" else "form"
    passes = (order_code,) if cured else ()
    yield Difference(
        name, Kind.METADATA, "written otherwise", (), findings_of((code,), *excerpts, f"offset {at}"), passes
    )


def _shown(value: bytes) -> str:
    return value[:300].decode("utf-8", "backslashreplace").replace("\n", " ")


# -- what they mean


def same_metadata(left: bytes, right: bytes) -> bool:
    """Tell whether two METADATA files mean the same to installers and people: fields by name, sets as sets."""
    return _meanings_agree(left, right, _UNORDERED, frozenset())


def same_wheel_file(left: bytes, right: bytes) -> bool:
    """Tell whether two WHEEL files mean the same to installers: all but who generated it."""
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
            name: sorted(values) if name in unordered else values
            for name, values in _by_name(block).items()
            if name not in ignored
        }
        meanings.append((fields, (block.body or b"").replace(b"\r\n", b"\n").strip(b"\n")))
    return meanings[0] == meanings[1]


def same_entry_points(left: bytes, right: bytes) -> bool:
    """Tell whether two entry_points.txt files declare the same: groups and names in whatever order."""
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
    for line in _meaningful(lines):
        if line.startswith("[") and line.rstrip().endswith("]") and line.rstrip()[1:-1] not in found:
            group = found.setdefault(line.rstrip()[1:-1], {})
            continue
        name, sign, value = line.partition("=")
        if group is None or not sign or line[:1].isspace() or name.strip() in group:
            return None
        group[name.strip()] = value.strip()
    return found


def _meaningful(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line.strip() and not line.startswith(("#", ";")))
