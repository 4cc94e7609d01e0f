"""RECORD, row by row: what follows from the files, and what is RECORD's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from samebytes.artifact.record import Mismatch, Row

from .causes.clues import findings_of
from .deferred import Ledger
from .model import Difference, Kind

__all__ = ["compare", "wrong"]

_MOST = 200


def compare(name: str, left: Ledger, right: Ledger, differing: Collection[str]) -> Difference | None:
    """Return how two RECORDs differ, or None if they do not; *differing* holds the keys of members that do."""
    if left.data == right.data:
        return None
    children = tuple(_rows(left, right, differing))[:_MOST]
    own = tuple(_form(left, right)) if not children else ()
    count = len(children)
    summary = f"{count} row{'s' * (count != 1)} differ{'s' * (count == 1)}" if children else "the same rows"
    following = bool(children) and all(child.summary.startswith("follows from") for child in children)
    if following:
        summary += ", which follows from the files"
    passes = ("W010",) if own or not children else ()
    return Difference(name, Kind.RECORD, summary, (), (), passes, (*children, *own))


def _rows(left: Ledger, right: Ledger, differing: Collection[str]) -> Iterator[Difference]:
    for key in dict.fromkeys([*left.rows, *right.rows]):
        one, other = left.rows.get(key), right.rows.get(key)
        texts = _text(one), _text(other)
        if texts[0] == texts[1]:
            continue
        name = (one or other or ("",))[0]
        detail = tuple(f"{sign}{text.decode()}" for sign, text in zip("-+", texts) if text)
        kind = Kind.RECORD if one and other else Kind.MISSING
        if key in differing:
            yield Difference(name, kind, f"follows from {name}", detail)
        elif one and other and (one.algorithm != other.algorithm or one.size != other.size or _padded(texts)):
            yield Difference(
                name,
                kind,
                "written otherwise",
                detail,
                findings_of(("D015",), texts[0], texts[1], f"row {name}"),
                ("W010",),
            )
        else:
            yield Difference(name, kind, "another row of the same file", detail)


def _text(row: Row | None) -> bytes:
    return ",".join(row[1:]).encode() if row else b""


def _padded(texts: tuple[bytes, bytes]) -> bool:
    return texts[0].replace(b"=,", b",") == texts[1].replace(b"=,", b",")


def _form(left: Ledger, right: Ledger) -> Iterator[Difference]:
    """Give what differs between two RECORDs of the same rows: their order, line ends, quoting."""
    one, other = left.data.splitlines(), right.data.splitlines()
    if one != other and sorted(one) == sorted(other):
        pairs = next(pair for pair in zip(one, other) if pair[0] != pair[1])
        findings = findings_of(("D009",), pairs[0], pairs[1], "order of rows")
        yield Difference("order of rows", Kind.RECORD, "rows in another order", (), findings, ("W010",))
    elif one == other:
        ends = _line_end(left.data), _line_end(right.data)
        findings = findings_of(("D014",) if ends[0] != ends[1] else ("D015",), *ends, "line ends")
        yield Difference("line ends", Kind.RECORD, "lines end otherwise", (), findings, ("W010",))
    else:
        pair = next(((a, b) for a, b in zip(one, other) if a != b), (left.data[-80:], right.data[-80:]))
        findings = findings_of(("D015",), *pair, "form of rows")
        yield Difference("form of rows", Kind.RECORD, "rows written otherwise", (), findings, ("W010",))


def _line_end(data: bytes) -> bytes:
    first = data.splitlines()[0] if data else b""
    return data[len(first) :][:2]


def wrong(name: str, left: Collection[Mismatch], right: Collection[Mismatch]) -> Difference | None:
    """Return what RECORD and the files disagree about on either side, or None if they agree on both."""
    if not left and not right:
        return None
    children = tuple(_mismatches("left", left)) + tuple(_mismatches("right", right))
    sides = " and ".join(side for side, found in (("left", left), ("right", right)) if found)
    return Difference(name, Kind.RECORD, f"does not agree with the files, {sides}", children=children[:_MOST])


def _mismatches(side: str, found: Collection[Mismatch]) -> Iterator[Difference]:
    for mismatch in found:
        text = mismatch.detail.encode("utf-8", "surrogateescape")
        sides = (text, b"") if side == "left" else (b"", text)
        findings = findings_of(("D022",), *sides, f"RECORD of the {side} side")
        yield Difference(mismatch.name, Kind.RECORD, f"{side}: {mismatch.detail}", (), findings)
