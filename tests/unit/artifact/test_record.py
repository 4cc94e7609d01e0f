"""RECORD: read with tolerance, compared strictly, written one way."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wheels import spelt

from samebytes.archive.entry import Data
from samebytes.artifact import record
from samebytes.artifact.record import Mismatch, Row

OWN = "p-1.dist-info/RECORD"
GOOD = spelt(b"x")


def row_of(name: str, data: bytes) -> Row:
    return record.row(name, hashlib.sha256(data).digest(), len(data))


def faults(text: str) -> list[Mismatch]:
    return list(record.parse(text.encode(), OWN).faults)


def test_rows_are_read() -> None:
    listing = record.parse(f'a.py,{GOOD},1\r\n"b,""c"".py",{GOOD},\n{OWN},,\n'.encode(), OWN)
    assert listing.faults == ()
    assert listing.rows == {"a.py": Row("a.py", GOOD, "1"), 'b,"c".py': Row('b,"c".py', GOOD, "")}


@pytest.mark.parametrize(
    "text",
    [
        "pkg/,,\n",
        f"pkg/,{GOOD},0\n",
        f"{OWN}.jws,,\n{OWN}.p7s,,\n",
        f"{OWN},,\n",
        "pkg/,sha256=x,one\npkg/,,\n",
        f"a.py,{GOOD}=,1\n",
        f"a.py,{spelt(b'', 'sha384')},\n",
        f"a.py,{spelt(b'', 'sha512')},0\n",
    ],
)
def test_what_is_tolerated(text: str) -> None:
    assert faults(text) == []


def test_a_row_for_a_directory_is_known_by_its_entry() -> None:
    assert record.parse(b"empty,,\n", OWN, {"empty"}) == ({}, ())
    assert record.parse(b"empty,,\n", OWN).faults == (Mismatch("empty", "RECORD gives no digest"),)


@pytest.mark.parametrize(
    ("text", "name", "detail"),
    [
        ("a.py,,\n", "a.py", "gives no digest"),
        ("a.py,md5=abc,1\n", "a.py", "md5=abc, which is not one of sha256, sha384, sha512"),
        ("a.py,sha1=abc,1\n", "a.py", "sha1=abc"),
        ("a.py,nonsense,1\n", "a.py", "nonsense"),
        (f"a.py,{GOOD},one\n", "a.py", "'one' bytes, which is not a number"),
        (f"a.py,{GOOD},-1\n", "a.py", "not a number"),
        (f"a.py,{GOOD},{'9' * 5000}\n", "a.py", "not a number"),
        (f"a.py,{GOOD},1,more\n", "a.py", "4 columns"),
        (f"a.py,{GOOD}\n", "a.py", "2 columns"),
        (f"{OWN}\n", OWN, "1 columns"),
        ("pkg/\n", "pkg/", "1 columns"),
        (f"a.py,{GOOD},1\n\n", OWN, "line 2 is empty"),
        (f"a.py,{GOOD},1\r\r\n", OWN, "line 2 is empty"),
        ("pkg\x85/,,\n", OWN, "U+0085"),
        (f"a.py,{GOOD},1\na.py,{GOOD},1\n", "a.py", "lists it twice"),
        (f"pkg\\a.py,{GOOD},1\n", "pkg\\a.py", "backslashes"),
        (f"{OWN},{GOOD},1\n", OWN, "digest or size of itself"),
        (f'"a.py,{GOOD},1\n', OWN, "cannot be read: unexpected end of data"),
        (f'"a"b.py,{GOOD},1\n', OWN, "line 1 cannot be read"),
    ],
)
def test_what_is_wrong_in_itself(text: str, name: str, detail: str) -> None:
    (fault,) = faults(text)
    assert fault.name == name
    assert detail in fault.detail


def test_what_is_not_utf8_is_wrong() -> None:
    listing = record.parse(b"a.py,\xff,\n", OWN)
    assert listing.rows == {}
    assert listing.faults == (Mismatch(OWN, "it is not UTF-8 at byte 5, so it cannot be read"),)


def test_names_are_compared_both_ways() -> None:
    listing = record.parse(f"a.py,{GOOD},1\ngone.py,{GOOD},1\n".encode(), OWN)
    assert record.compare_names(listing, ["a.py", "new.py"]) == (
        Mismatch("gone.py", "RECORD lists it, the wheel has no such file"),
        Mismatch("new.py", "RECORD does not list it"),
    )


@pytest.mark.parametrize("algorithm", record.ALGORITHMS)
def test_contents_are_examined_by_the_rows_own_algorithm(algorithm: str) -> None:
    row = Row("a", spelt(b"right", algorithm), "5")
    assert record.examine(row, Data(b"right")) is None
    assert record.examine(row._replace(digest=row.digest + "="), Data(b"right")) is None
    wrong = record.examine(row, Data(b"wrong"))
    detail = f"RECORD gives {row.digest}, the file has {spelt(b'wrong', algorithm)}"
    assert wrong == Mismatch("a", detail, contradicts=True)


def test_sizes_are_compared_where_there_are_any() -> None:
    row = Row("a", spelt(b"right"), "")
    assert record.examine(row, Data(b"right")) is None
    wrong = record.examine(row._replace(size="6"), Data(b"right"))
    assert wrong == Mismatch("a", "RECORD gives 6 bytes, the file has 5")


def test_the_canonical_record_is_sorted_by_bytes_with_itself_last() -> None:
    files = [row_of("ä.py", b""), row_of("b.py", b"x"), row_of("B.py", b""), row_of("zz.dist-info/A", b"")]
    expected = "".join(
        [
            f"B.py,{spelt(b'')},0\n",
            f"b.py,{spelt(b'x')},1\n",
            f"zz.dist-info/A,{spelt(b'')},0\n",
            f"ä.py,{spelt(b'')},0\n",
            f"{OWN},,\n",
        ]
    )
    assert record.serialise(files, OWN) == expected.encode()


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\\/\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    min_size=1,
    max_size=12,
)


@given(st.dictionaries(NAMES, st.binary(max_size=8), max_size=6))
def test_what_is_written_is_read_again(files: dict[str, bytes]) -> None:
    """Whatever a file is called, RECORD names it, for the csv module as for us (PEP 376)."""
    data = record.serialise([row_of(name, content) for name, content in files.items()], OWN)
    listing = record.parse(data, OWN)
    assert listing.faults == ()
    assert {row.name: row.size for row in listing.rows.values()} == {name: str(len(files[name])) for name in files}
    assert all(record.examine(listing.rows[name], Data(content)) is None for name, content in files.items())
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [row[0] for row in rows] == [*sorted(files, key=str.encode), OWN]


def test_what_was_in_a_record_is_quoted_too() -> None:
    """A row of a file elsewhere is kept as it was, whatever it holds."""
    kept = Row('a "b"', 'sha256=x,"y"', "1\r")
    data = record.serialise([kept, Row("c\r", "", "")], OWN)
    assert data == b'"a ""b""","sha256=x,""y""","1\r"\n"c\r",,\n' + f"{OWN},,\n".encode()
    assert tuple(next(csv.reader(io.StringIO(data.decode(), newline="")))) == kept
    undecodable = record.serialise([Row("\udcff", "", "")], OWN)
    assert undecodable.startswith(b"\xff,,\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"a,,\nb,,\n", b"a,,\nb,,\n", ""),
        (b"a,,\r\nb,,\n", b"a,,\nb,,\n", "line ends -> LF"),
        (b"b,,\na,,\n", b"a,,\nb,,\n", "rows in another order -> sorted by name"),
        (b"b,,1\na,,\n", b"a,,\nb,,\n", "1 of 2 rows written anew"),
        (b"b,,1\na,,\nc,,\n", b"a,,\nb,,\n", "1 of 2 rows written anew, 1 dropped"),
    ],
)
def test_what_was_written_anew_is_reported(old: bytes, new: bytes, told: str) -> None:
    assert record.difference(old, new) == told


def test_a_disagreement_lists_no_more_than_twenty() -> None:
    wrong = [Mismatch(f"f{n}", "RECORD does not list it") for n in range(23)]
    error = record.disagreement("a.whl", map(str, wrong), "Build it again.")
    lines = error.message.split("\n")
    assert lines[0] == "a.whl: RECORD does not agree with the files (23 mismatches):"
    assert lines[1] == "    f0: RECORD does not list it"
    assert lines[20:] == ["    f19: RECORD does not list it", "    ... and 3 more"]
    assert error.remedy == "Build it again."
    assert "(one mismatch)" in record.disagreement("a.whl", ["f: x"], "").message


@pytest.mark.parametrize("loose", [False, True])
def test_a_slash_before_all_names_is_said_once(loose: bool) -> None:
    own = "demo-1.0.dist-info/RECORD"
    text = b"/a.py,sha256=AAAA,3\n/b.py,sha256=AAAA,3\n/" + own.encode() + b",,\n"
    listing = record.parse(text, own, loose=loose)
    assert listing.faults == (Mismatch(own, "RECORD begins all its 3 names with a slash"),)
    assert list(listing.rows) == ["a.py", "b.py"]
    assert record.compare_names(listing, {"a.py", "b.py"}) == ()
    # Not where it is of some, nor where an installed RECORD has absolute paths: those are as they are.
    for other in (text + b"c.py,sha256=AAAA,3\n", text.replace(b"/demo", b"/usr/demo")):
        assert "/a.py" in record.parse(other, own).rows
        assert not any("all its" in fault.detail for fault in record.parse(other, own).faults)
