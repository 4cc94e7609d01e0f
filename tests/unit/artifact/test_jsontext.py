from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebytes.artifact.jsontext import DEEPEST, NotJsonError, Number, parse, serialize

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def test_one_form() -> None:
    data = b'\r\n{"b":[1.50,{},[],-0,1E5],"a\\u00e9\\/":"\\u0041\\u2028\\n\\u001F\\u007f\\"","\xc3\xa9":null,"B":true}'
    expected = (
        '{\n  "B": true,\n  "aé/": "A\u2028\\n\\u001f\x7f\\"",\n  "b": [\n    1.50,\n    {},\n    [],\n    -0,\n'
        '    1E5\n  ],\n  "é": null\n}\n'
    )
    assert serialize(parse(data)) == expected
    assert serialize(parse(expected.encode())) == expected


def test_members_are_sorted_by_code_points_and_not_by_utf_16() -> None:
    assert list(json.loads(serialize({"\U0001f600": None, "\uffee": None}))) == ["\uffee", "\U0001f600"]


def test_numbers_keep_their_digits() -> None:
    digits = "1" * 5000
    assert parse(digits.encode()) == Number(digits)
    assert serialize(parse(b"3.141592653589793238462643383279")) == "3.141592653589793238462643383279\n"


@given(VALUES)
def test_nothing_is_lost_and_the_form_is_the_json_modules(value: object) -> None:
    """The form is that of ``json.dumps`` with these options, so that it can be had without us."""
    expected = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    for spelled in (json.dumps(value), json.dumps(value, indent="\t", ensure_ascii=False), expected):
        assert serialize(parse(spelled.encode())) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "\\u0062": 2}}',
        b"NaN",
        b"[-Infinity]",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        '"é"'.encode("utf-16"),
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"a\nb"',
        b"{} {}",
        b"{'a': 1}",
        b"01",
        b"[1,]",
        b"[" * (DEEPEST + 1) + b"1" + b"]" * (DEEPEST + 1),
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_cannot_be_written_again_is_refused(data: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse(data)


def test_nesting_up_to_the_limit_is_read() -> None:
    data = b"[" * DEEPEST + b"1" + b"]" * DEEPEST
    assert serialize(parse(data)).split() == ["["] * DEEPEST + ["1"] + ["]"] * DEEPEST
