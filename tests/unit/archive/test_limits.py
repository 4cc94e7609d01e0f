"""What a hostile archive may not do, and what an honest one may."""

from __future__ import annotations

import io
import ntpath
import sys
import time
import unicodedata
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samebytes.archive import limits
from samebytes.archive.limits import (
    MAX_NAME_BYTES,
    beneath_files,
    case_collisions,
    check_formats,
    check_links,
    check_name,
    folded,
    name_problem,
    windows_problem,
)
from samebytes.errors import HostileArchiveError


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a",
            "a/b",
            "..a",
            "a..",
            "...",
            ".hidden",
            "a b",
            "é/ü",
            "ab:c",
            "a/b:c",
            "C",
            "1:2",
            "x" * 255,
            "x" * 255 + "/y",
        ),
        # Characters that many names have for good reasons: joiners of scripts and emoji, marks, wide blanks.
        *("क्\u200dष", "👩\u200d💻", "e\u0301", "a\u3000b", "a\xa0b", "\U000e0061"),
    ],
)
def test_honest_names(name: str) -> None:
    assert name_problem(name) == ""
    check_name("it.whl", name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("/", "absolute"),
        ("/a", "absolute"),
        ("//a", "absolute"),
        ("..", "'..'"),
        ("../a", "'..'"),
        ("a/..", "'..'"),
        ("a/../b", "'..'"),
        ("C:", "drive letter"),
        ("C:a", "drive letter"),
        ("a:b", "drive letter"),
        ("z:/a", "drive letter"),
        ("\\a", "backslash"),
        ("a\\..\\b", "backslash"),
        ("a\0", "NUL"),
        ("Icon\r", "the control character U+000D"),
        ("a\nb", "the control character U+000A"),
        ("\x1b[31m", "the control character U+001B"),
        ("a\x7f", "the control character U+007F"),
        ("a\x85b", "the control character U+0085"),
        ("a\u2028b", "the control character U+2028"),
        ("yp.\u202efdp", "the control character U+202E"),
        ("\u2067a", "the control character U+2067"),
        ("a//b", "empty component"),
        ("a/", "empty component"),
        (".", "component '.'"),
        ("./a", "component '.'"),
        ("a/./b", "component '.'"),
        ("x" * (MAX_NAME_BYTES + 1), "longer than 4096 bytes"),
        ("é" * 2049, "longer than 4096 bytes"),
        ("\udcff" * 2000, "longer than 4096 bytes"),
        ("x" * 256, "a component of the name is longer than 255 bytes"),
        ("a/" + "é" * 128 + "/b", "a component of the name is longer than 255 bytes"),
    ],
)
def test_hostile_names(name: str, problem: str) -> None:
    assert problem in name_problem(name)
    with pytest.raises(HostileArchiveError, match=r"it\.whl") as caught:
        check_name("it.whl", name)
    assert problem in caught.value.message
    assert caught.value.remedy


def test_error_shows_names_safely() -> None:
    with pytest.raises(HostileArchiveError) as caught:
        check_name("it.whl", "../\x1b[31m\n" + "x" * 9999)
    assert "\\x1b[31m\\n" in caught.value.message
    assert len(caught.value.message) < 400


def test_case_collisions() -> None:
    assert list(case_collisions(["a", "B", "A", "b", "a", "straße", "STRASSE"])) == [
        ("a", "A"),
        ("B", "b"),
        ("straße", "STRASSE"),
    ]
    assert list(case_collisions(["a", "b", "a/B", "b/B"])) == []


def test_every_character_that_ends_a_line_or_turns_its_direction_is_refused() -> None:
    """Whatever ``str.splitlines`` and Unicode's own tables say: installers read RECORD by the one, people by the other."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        turns = unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        marks = unicodedata.name(character, "").endswith(("-TO-RIGHT MARK", "-TO-LEFT MARK", "LETTER MARK"))
        if turns or marks or len(f"a{character}b".splitlines()) > 1 or unicodedata.category(character) == "Cc":
            assert name_problem(f"a{character}b"), hex(code)


DEVICES = ["con", "PRN", "Aux", "nul", "CONIN$", "conout$", *(f"com{n}" for n in "123456789¹²³"), "LPT1", "lpt³"]


@pytest.mark.parametrize("device", DEVICES)
def test_devices(device: str) -> None:
    for name in (device, f"a/{device}", f"{device}/a", f"a/{device}.txt", f"{device}.tar.gz", f"{device} .txt"):
        assert "device" in windows_problem(name), name
    for name in (f"a{device}", f"{device}a", f"{device}-1", f"{device}a.txt", f"a.{device}", f"{device}_/b"):
        assert windows_problem(name) == "", name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a.", "dot or a blank"),
        ("a./b", "dot or a blank"),
        ("a /b", "dot or a blank"),
        ("b/a ", "dot or a blank"),
        ("...", "dot or a blank"),
        ("a:b", "stream"),
        ("pkg/a.py::$DATA", "stream"),
    ],
)
def test_names_that_windows_reads_otherwise(name: str, problem: str) -> None:
    assert problem in windows_problem(name)


@pytest.mark.parametrize(
    "name", ["a", "a.b/c", " a", ".a", "a b/c d", "com0", "com10", "lpt", "console", "null", "a?b"]
)
def test_names_that_are_the_same_on_windows(name: str) -> None:
    assert windows_problem(name) == ""


@pytest.mark.skipif(not hasattr(ntpath, "isreserved"), reason="ntpath.isreserved is new in Python 3.13")
@given(st.text(st.sampled_from("acomnulptx1²0$./ :?"), max_size=9))
def test_what_python_calls_reserved_is_refused(name: str) -> None:
    """All of it but the characters that Windows refuses outright, which lead to an error and to no other file."""
    name = f"pkg/{name}"  # not at the start, where one letter and a colon are a drive
    reserved = ntpath.isreserved(name.replace("?", "_"))
    assert name_problem(name) or bool(windows_problem(name)) == reserved


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("caf\xe9.py", "cafe\u0301.py"),
        ("CAF\xc9.py", "cafe\u0301.py"),
        ("\u1e9b\u0323", "\u1e9b\u0323".upper()),
        ("\u212b", "\xe5"),
        ("\u01f0", "J\u030c"),
        ("stra\xdfe", "STRASSE"),
        ("a", "a."),
        ("a/b", "a. ./B "),
        ("a\u200cb", "ab"),
        ("\ufeffa", "A"),
        ("\u0345\u03b1", "\u0399\u0391"),
    ],
)
def test_names_that_are_one_elsewhere(first: str, second: str) -> None:
    assert folded(first) == folded(second)
    assert list(case_collisions([first, second])) == [(first, second)]


@given(st.text(max_size=20))
def test_case_and_canonical_forms_do_not_count(name: str) -> None:
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, name)
        assert folded(name) == folded(other) == folded(other.casefold()) == folded(f"{name}. .")


@pytest.mark.parametrize(("first", "second"), [("fi", "\ufb01x"), ("2", "\xb2"), ("a/b", "ab"), ("a", "\uff41")])
def test_names_that_no_file_system_folds(first: str, second: str) -> None:
    assert folded(first) != folded(second)


def test_beneath_files() -> None:
    assert list(beneath_files({"a", "b/c"}, ["a", "a/x", "b/c", "b/c/d/e", "b/d", "ab/c"])) == [
        ("a/x", "a"),
        ("b/c/d/e", "b/c"),
    ]
    assert list(beneath_files({"a"}, ["b/x", "b/y", "a/x", "a/y"])) == [("a/x", "a"), ("a/y", "a")]
    assert list(beneath_files(set(), ["a/b"])) == []


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("top/a", "b"),
        ("top/a", "./b"),
        ("top/a", "none/of/these"),
        ("top/d/a", "../b"),
        ("top/d/e/a", "../../b"),
        ("top/d/e/a", ".././../b"),
        ("top/a", "..d/e..//f/"),
        ("top/d/e/a", ".."),
        ("top/a", "."),
    ],
)
def test_links_that_stay_inside(name: str, target: str) -> None:
    check_links("it.tar.gz", {name: target})


@pytest.mark.parametrize(
    ("name", "target", "problem"),
    [
        ("top/a", "", "points nowhere"),
        ("top/a", "/etc/passwd", "is absolute"),
        ("top/a", "C:/x", "is absolute"),
        ("top/a", "b\\c", "NUL or a backslash"),
        ("top/a", "b\0", "NUL or a backslash"),
        ("top/a", "x" * 5000, "longer than 4096"),
        ("top/a", "..", "leads out"),
        ("top/a", "../top/b", "leads out"),
        ("top/a", "../other", "leads out"),
        ("top/d/a", "../../../etc", "leads out"),
        ("top/a", "d/../../b", "leads out"),
        ("top/a", "a", "in a circle"),
        ("top/a", "d/../b", "goes up by '..'"),
        ("top/d/a", "../e/../b", "goes up by '..'"),
        ("top/d/a", "./.e/./..", "goes up by '..'"),
        ("top/a", "d/e/../b", "goes up by '..'"),
        ("top/d/a", "...//..", "goes up by '..'"),
        ("a", "b", "leads out"),
        ("a", "../b", "leads out"),
    ],
)
def test_links_that_escape(name: str, target: str, problem: str) -> None:
    with pytest.raises(HostileArchiveError, match=r"it\.tar\.gz") as caught:
        check_links("it.tar.gz", {name: target})
    assert problem in caught.value.message


def test_link_is_followed_through_other_links() -> None:
    # Word for word, x/y/up/../.. is top/x; but up leads to top, and from there '..' leads out.
    check_links("it.tar.gz", {"top/x/y/up": "../.."})
    with pytest.raises(HostileArchiveError, match=r"'top/escape': .*leads out"):
        check_links("it.tar.gz", {"top/x/y/up": "../..", "top/escape": "x/y/up/../.."})
    check_links("it.tar.gz", {"top/x/y/up": "../..", "top/in": "x/y/up/z"})


def test_links_in_a_circle_are_refused() -> None:
    with pytest.raises(HostileArchiveError, match="in a circle"):
        check_links("it.tar.gz", {"top/a": "b", "top/b": "c/../a"})
    chain = {f"top/{number}": f"{number + 1}" for number in range(60)}
    with pytest.raises(HostileArchiveError, match=r"'top/0': .*in a circle"):
        check_links("it.tar.gz", chain)
    check_links("it.tar.gz", dict(list(chain.items())[20:]))


def test_all_links_together_may_take_so_many_steps() -> None:
    # Each of a chain of links walks all that its 39 predecessors do.
    links = {f"top/{number}": "./" * 100 + str(number + 1) for number in range(40)}
    steps = sum(1 + (40 - number) * 101 + 40 - number for number in range(40))
    assert steps < limits.budgets().link_steps
    check_links("it.tar.gz", links)
    many = {f"top/{part}/{name[4:]}": target for part in range(4) for name, target in links.items()}
    with pytest.raises(HostileArchiveError, match=f"more than {limits.budgets().link_steps} steps to follow"):
        check_links("it.tar.gz", many)
    # The components of the names count too: a tree is made of them.
    with pytest.raises(HostileArchiveError, match="steps to follow"):
        check_links("it.tar.gz", {f"top/{number}" + "/d" * 2000: "x" for number in range(200)})


def test_targets_that_go_down_far_take_no_quadratic_time() -> None:
    """As many links as may be followed, each with the most components that a target can have."""
    target = "/".join(["d"] * 2000)
    began = time.process_time()
    check_links("x.tar.gz", {f"a/{number}": target for number in range(130)})
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("target", "down"),
    [
        ("../a/f", 0),
        ("./.././a/f", 0),
        ("f", 0),
        ("..", 0),
        ("./f/..", 1),
        ("f/../g", 1),
        ("f//../g", 1),
        (".../..", 1),
    ],
)
def test_a_target_goes_up_only_at_its_beginning(target: str, down: bool) -> None:
    with pytest.raises(HostileArchiveError, match="that it has gone down to") if down else nullcontext():
        check_links("x.tar.gz", {"a/b/c/l": target})


def _tar_header(field: bytes, name: bytes = b"x") -> bytes:
    """Return the header of a tar, with *field* for the checksum, where it is ``%b`` the right one."""
    block = bytearray(name.ljust(148, b"\0") + b" " * 8 + bytes(356))
    block[148:156] = field.replace(b"%b", b"%06o" % sum(block))
    return bytes(block) + bytes(1024)


IMAGE = bytes(32769) + b"CD001" + bytes(2048)
END = b"PK\5\6"


@pytest.mark.parametrize(
    ("data", "is_zip", "problem"),
    [
        (_tar_header(b"%b\0 "), True, "tar header"),
        (_tar_header(b"%b\0 "), False, "tar header"),
        (_tar_header(b"\0\t%b"), True, "tar header"),
        (_tar_header(b"\x80\0\0\0\0\0\1\x78"), True, "tar header"),
        (bytes(257) + b"ustar" + bytes(250), False, "tar header"),
        (bytes(257) + b"ustar" + bytes(249), False, ""),
        (_tar_header(b"000000\0 "), True, ""),
        (IMAGE, True, "ISO 9660"),
        (IMAGE, False, ""),
        (bytes(7 * 2048) + IMAGE, True, "ISO 9660"),
        (bytes(8 * 2048) + IMAGE, True, ""),
        (b"\0" + IMAGE, True, ""),
        (END, False, "ZIP file"),
        (END, True, ""),
        (bytes(9) + END + bytes(65553), False, "ZIP file"),
        (bytes(9) + END + bytes(65554), False, ""),
    ],
)
def test_what_is_an_archive_of_another_format_too_is_refused(data: bytes, is_zip: bool, problem: str) -> None:
    with pytest.raises(HostileArchiveError, match=problem) if problem else nullcontext():
        check_formats(io.BytesIO(data), "it", is_zip=is_zip)


def test_a_tar_header_of_signed_bytes_is_one() -> None:
    """Old tars added up signed bytes, and bsdtar and GNU tar take that."""
    block = bytearray(b"\xe9".ljust(148, b"\0") + b" " * 8 + bytes(356))
    block[148:156] = b"%06o\0 " % (256 - 0x17)
    with pytest.raises(HostileArchiveError, match="tar header"):
        check_formats(io.BytesIO(bytes(block)), "it", is_zip=True)


@pytest.mark.parametrize("name", ["a.py;1", "a;", "d/a;;07", "a\xadb", "\u200d", "\ue000", "a\ufeff", "\U0010ffff"])
def test_names_that_unzip_changes_or_uv_refuses_are_refused(name: str) -> None:
    assert windows_problem(name)


@pytest.mark.parametrize("name", ["a;b", "a;1/b", "a;\u0661", "\u2764\ufe0f", "\U000e0100", "\U0001f600"])
def test_names_that_only_look_like_it_are_taken(name: str) -> None:
    assert windows_problem(name) == ""
