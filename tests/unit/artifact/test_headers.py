"""Header blocks: what is one, what order does to it, and that nothing else is done to it."""

from __future__ import annotations

import email.parser
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebytes.artifact import headers

ROUND_TRIP = [
    b"Name: a\n",
    b"Name: a\nVersion: 1\n\n",
    b"Name: a\n\nThe body.\r\n\r\nName: not a field\n",
    b"Name:a\n\tmore\n  and more\n   \nVersion: 1\n",
    b"NAME : a\n".replace(b" :", b":"),
    "Author: Zoë\n\nÄ".encode(),
    b"Author: Zo\xeb\n\n\xff",
    b"X-Empty:\n",
    b"\x21weird~: x\n",
]

NO_BLOCK = [
    b"",
    b"\n",
    b"\nName: a\n",
    b" Name: a\n",
    b"Name: a\nno colon here\n",
    b"Name: a\nwith space: b\n",
    b": no name\n",
    b"Name: a\0\n",
    b"Name: a\rVersion: 1\n",
    b"Name: a\r\r\nVersion: 1\r\r\n",
    b"Name: a\r",
    b"\xef\xbb\xbfName: a\n",
    "Näme: a\n".encode(),
    b"From somebody Mon Sep 17\nName: a\n",
]


@pytest.mark.parametrize("data", ROUND_TRIP)
def test_what_is_parsed_comes_back(data: bytes) -> None:
    block = headers.parse(data)
    assert block is not None
    assert headers.serialise(block) == data


@pytest.mark.parametrize("data", NO_BLOCK)
def test_what_is_no_block_is_told(data: bytes) -> None:
    assert headers.parse(data) is None


def test_crlf_becomes_lf_in_the_header_alone() -> None:
    block = headers.parse(b"Name: a\r\n folded\r\nVersion: 1\n\r\nBody\r\n")
    assert block is not None
    assert headers.serialise(block) == b"Name: a\n folded\nVersion: 1\n\nBody\r\n"


def test_a_missing_last_line_end_is_added() -> None:
    block = headers.parse(b"Name: a\nVersion: 1")
    assert block is not None
    assert block.body is None
    assert headers.serialise(block) == b"Name: a\nVersion: 1\n"


def test_fields_come_in_order_with_their_continuation_lines() -> None:
    block = headers.parse(b"X-Own: 2\nversion: 1\nLicense: a\n b\n\tc\nNAME: x\nX-Mine: 1\nMetadata-Version: 2.1\n\nB")
    assert block is not None
    ordered = headers.serialise(headers.in_order(block, headers.METADATA_ORDER))
    assert ordered == b"Metadata-Version: 2.1\nNAME: x\nversion: 1\nLicense: a\n b\n\tc\nX-Own: 2\nX-Mine: 1\n\nB"


def test_a_field_may_have_any_number_of_continuation_lines() -> None:
    """In time that grows with the number and not with its square, which for this one would be minutes."""
    block = headers.parse(b"Description: a\n" + b" b\n" * 300_000)
    assert block is not None
    assert [len(field.lines) for field in block.fields] == [300_001]


def test_repeated_fields_keep_their_order() -> None:
    block = headers.parse(b"Requires-Dist: z\nClassifier: b\nrequires-dist: a\nClassifier: a\nREQUIRES-DIST: m\n")
    assert block is not None
    ordered = headers.in_order(block, headers.METADATA_ORDER)
    assert [field.value for field in ordered.fields] == [b"b", b"a", b"z", b"a", b"m"]


def test_values_are_sorted_over_their_own_places() -> None:
    block = headers.parse(b"Tag: b\nBuild: 1\nTAG:  a\nTag:c\n d\nTag: aa\n")
    assert block is not None
    ordered = headers.with_sorted_values(block, ("Tag",))
    assert headers.serialise(ordered) == b"TAG:  a\nBuild: 1\nTag: aa\nTag: b\nTag:c\n d\n"


def test_the_tables_are_those_of_the_specifications() -> None:
    assert len(headers.METADATA_ORDER) == len(set(map(str.lower, headers.METADATA_ORDER))) == 32
    assert headers.METADATA_ORDER[:3] == ("Metadata-Version", "Name", "Version")
    assert headers.METADATA_ORDER[-1] == "Obsoletes"
    assert headers.WHEEL_ORDER == ("Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build")


NAMES = st.sampled_from([*headers.METADATA_ORDER, "X-Own", "tag", "name"])
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)


@given(st.lists(st.tuples(NAMES, VALUES, st.lists(VALUES, max_size=2)), min_size=1, max_size=8), st.binary(max_size=30))
def test_the_standard_library_reads_the_same_values_before_and_after(
    fields: list[tuple[str, str, list[str]]], body: bytes
) -> None:
    """Ordering changes no field's values and not the body, as email.parser, the practical standard, reads them."""
    text = "".join(f"{name}: {value}\n" + "".join(f" {more}\n" for more in rest) for name, value, rest in fields)
    data = text.encode() + b"\n" + body
    block = headers.parse(data)
    assert block is not None
    ordered = headers.serialise(headers.in_order(block, headers.METADATA_ORDER))
    again = headers.parse(ordered)
    assert again is not None
    assert headers.serialise(headers.in_order(again, headers.METADATA_ORDER)) == ordered
    before, after = (_values(one) for one in (data, ordered))
    assert before == after


def _values(data: bytes) -> tuple[dict[str, list[str]], bytes]:
    head, _, body = data.partition(b"\n\n")
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(head + b"\n\n")
    names = {name.lower() for name in message}
    return {name: [str(value) for value in message.get_all(name, [])] for name in names}, body
