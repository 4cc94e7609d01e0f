"""JSON read without loss and written in one form, for documents that are rewritten and not only read (RFC 8259)."""

from __future__ import annotations

import json
from typing import NamedTuple, NoReturn, Union

DEEPEST = 100
"""How many arrays and objects may lie in one another; deeper documents are not read."""


class NotJsonError(ValueError):
    """The bytes are not a JSON text, or one that cannot be written again without loss."""


class Number(NamedTuple):
    """A number as it is spelled, for a float would lose digits."""

    text: str


Json = Union[None, bool, str, Number, list["Json"], dict[str, "Json"]]

_encoded = json.JSONEncoder(ensure_ascii=False).encode


def parse(data: bytes) -> Json:
    """Return the value of a JSON text in UTF-8.

    :raises NotJsonError: also for what RFC 8259 leaves open and we could not write again: a member name given twice in
        one object, half a surrogate pair, a byte order mark, nesting beyond DEEPEST.
    """
    try:
        text = data.decode("utf-8")
        value: Json = json.loads(
            text, object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_refuse
        )
        _check_depth(value)
        if "\\u" in text:
            serialize(value).encode("utf-8")  # Fails for half a surrogate pair, which an escape may give.
    except (RecursionError, ValueError) as error:
        raise NotJsonError(str(error)) from error
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    # RFC 8259, 4: readers differ in which of two members with one name they take.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJsonError("a member name is given twice")
    return found


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's json reads beyond the standard."""
    raise NotJsonError(f"{constant} is not JSON")


def _check_depth(value: Json) -> None:
    """Look at nesting without recursing, so that the interpreter's own limits never decide."""
    level: list[Json] = [value]
    for _ in range(DEEPEST + 1):
        values = [list(each.values()) if isinstance(each, dict) else each for each in level]
        level = [inner for each in values if isinstance(each, list) for inner in each]
        if not level:
            return
    raise NotJsonError(f"nested deeper than {DEEPEST}")


def serialize(value: Json) -> str:
    """Return the one text of *value*: members sorted by code points, indented by two spaces, a final line feed.

    Strings are escaped as little as RFC 8259 allows (as in RFC 8785, 3.2.2.2); numbers stay as they were spelled.
    """
    pieces: list[str] = []
    _write(value, "\n", pieces)
    pieces.append("\n")
    return "".join(pieces)


def _write(value: Json, line: str, pieces: list[str]) -> None:
    """Append the text of *value*; *line* is a line feed and the present indentation."""
    if isinstance(value, dict):
        _write_all("{}", [(_encoded(key) + ": ", value[key]) for key in sorted(value)], line, pieces)
    elif isinstance(value, list):
        _write_all("[]", [("", item) for item in value], line, pieces)
    else:
        pieces.append(value.text if isinstance(value, Number) else _encoded(value))


def _write_all(brackets: str, items: list[tuple[str, Json]], line: str, pieces: list[str]) -> None:
    if not items:
        pieces.append(brackets)
        return
    deeper = line + "  "
    for index, (label, item) in enumerate(items):
        pieces.append(("," if index else brackets[0]) + deeper + label)
        _write(item, deeper, pieces)
    pieces.append(line + brackets[1])
