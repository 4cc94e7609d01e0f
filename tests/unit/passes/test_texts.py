"""METADATA, WHEEL, PKG-INFO and lists of lines: what is changed, what is said of it, what is left alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.wheels import DATE, INFO, METADATA, SDIST_NAME, SOURCES, TOP, archive, contents_of, members, sources

from samebytes.archive.entry import Entry, Kind, Streamed
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError, SignatureError
from samebytes.passes import by_code
from samebytes.passes.model import Change, Context
from samebytes.passes.texts import sorted_lines

WHEEL = Context(DATE, ArtifactKind.WHEEL)
SDIST = Context(DATE, ArtifactKind.SDIST)


def changed(code: str, files: dict[str, bytes], context: Context) -> tuple[dict[str, bytes], tuple[Change, ...]]:
    """Run one pass on *files*, demand that a second run changes nothing, and return what changed and why."""
    is_wheel = context.kind == "wheel"
    given = archive(members(files) if is_wheel else sources(files), *(() if is_wheel else (SDIST_NAME,)))
    outcome = by_code(code).run(given, context)
    assert by_code(code).run(outcome.archive, context).changes == ()
    before, after = contents_of(given), contents_of(outcome.archive)
    rewritten = {name: data for name, data in after.items() if before.get(name) != data}
    assert {change.member for change in outcome.changes} == {*rewritten, *(before.keys() - after.keys())}
    for entry in outcome.archive.entries:
        if entry.name in rewritten:
            assert entry.packed is None
    return rewritten, outcome.changes


@pytest.mark.parametrize(
    ("code", "name", "context"),
    [
        ("W002", f"{INFO}/METADATA", WHEEL),
        ("S001", f"{TOP}/PKG-INFO", SDIST),
        ("S001", f"{TOP}/src/demo_pkg.egg-info/PKG-INFO", SDIST),
    ],
)
def test_metadata_is_put_in_order(code: str, name: str, context: Context) -> None:
    data = b"Name: demo-pkg\r\nMetadata-Version: 2.1\r\nVersion: 1.0\r\n\r\nText\r\n"
    files = {f"{INFO}/x": b"", f"{TOP}/setup.py": b"", name: data}
    if context is WHEEL:
        del files[f"{TOP}/setup.py"]
    else:
        del files[f"{INFO}/x"]
    rewritten, changes = changed(code, files, context)
    assert rewritten == {name: b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\n\nText\r\n"}
    assert changes == (Change(code, name, "field 1: 'Name' -> 'Metadata-Version'; line ends CRLF -> LF"),)


@pytest.mark.parametrize(
    "name", [f"{INFO}/other/METADATA", "pkg/METADATA", "METADATA", "vendor/x-1.dist-info/METADATA", f"{INFO}/metadata"]
)
def test_other_files_called_metadata_are_the_users(name: str) -> None:
    assert changed("W002", {f"{INFO}/x": b"", name: b"Version: 1\nName: a\n"}, WHEEL) == ({}, ())


@pytest.mark.parametrize(
    "name", [f"{TOP}/tests/PKG-INFO", f"{TOP}/tests/other.egg-info/PKG-INFO", f"{TOP}/demo_pkg.egg-info/x/PKG-INFO"]
)
def test_other_files_called_pkg_info_are_the_users(name: str) -> None:
    assert changed("S001", {name: b"Version: 1\nName: a\n"}, SDIST) == ({}, ())


@pytest.mark.parametrize("data", [b"", b"Name a\nVersion: 1\n", b"\x00\xff", b"Version: 1\rName: a\n"])
def test_what_is_no_header_block_is_left_alone(data: bytes) -> None:
    for code, name in (("W002", "METADATA"), ("W003", "WHEEL")):
        assert changed(code, {f"{INFO}/{name}": data}, WHEEL) == ({}, ())


def test_a_missing_line_end_is_told() -> None:
    _, changes = changed("W002", {f"{INFO}/METADATA": METADATA[:-1]}, WHEEL)
    assert [change.detail for change in changes] == ["line end added"]


def test_the_tags_of_wheel_are_sorted() -> None:
    data = b"Tag: py3-none-any\nTag: py2-none-any\nWheel-Version: 1.0\nBuild: 1\n"
    rewritten, _ = changed("W003", {f"{INFO}/WHEEL": data}, WHEEL)
    assert rewritten == {f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\nBuild: 1\n"}


def test_only_the_tags_out_of_order_are_told_by_value() -> None:
    _, changes = changed("W003", {f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nTag: b\nTag: a\n"}, WHEEL)
    assert [change.detail for change in changes] == ["field 2: Tag 'b' -> 'a'"]


@pytest.mark.parametrize(
    ("data", "expected", "detail"),
    [
        (b"b\na\nb\n", b"a\nb\nb\n", "line 1: 'b' -> 'a'"),
        (b"a\r\nb\r\n", b"a\nb\n", "line ends CRLF -> LF"),
        (b"a\nb", b"a\nb\n", "line end added"),
        (b"a\n\n\n", b"a\n", "empty lines at the end dropped"),
        (b"b\n\na\n", b"\na\nb\n", "line 1: 'b' -> ''"),
        (b"\r\n", b"\n", "line ends CRLF -> LF"),
        (b"\n\n", b"\n", "empty lines at the end dropped"),
        (b"\xff\n\xc3\xa9\n", b"\xc3\xa9\n\xff\n", "line 1: '\ufffd' -> 'é'"),
        (b"b" * 99 + b"\na\n", b"a\n" + b"b" * 99 + b"\n", "line 1: '" + "b" * 57 + "...' -> 'a'"),
    ],
)
def test_lines_are_sorted(data: bytes, expected: bytes, detail: str) -> None:
    assert sorted_lines(data) == (expected, detail)
    assert sorted_lines(expected) == (expected, "")


@pytest.mark.parametrize("data", [b"", b"\n", b"a\nb\nb\n", b"b\0\na\n", b"b\ra\n", b"b\na\r", b"b\r\r\na\r\r\n"])
def test_other_lines_are_left_alone(data: bytes) -> None:
    assert sorted_lines(data) == (data, "")


def test_lists_are_sorted_where_they_are_lists() -> None:
    data = b"b\na\n"
    info = f"{TOP}/demo_pkg.egg-info"
    files = {f"{info}/{name}": data for name in ("SOURCES.txt", "top_level.txt", "requires.txt")}
    assert list(changed("S002", files, SDIST)[0]) == [f"{info}/SOURCES.txt"]
    assert list(changed("S003", files, SDIST)[0]) == [f"{info}/top_level.txt"]
    files = {f"{INFO}/top_level.txt": data, "pkg/top_level.txt": data, f"{INFO}/SOURCES.txt": data}
    assert changed("W004", files, WHEEL)[0] == {f"{INFO}/top_level.txt": b"a\nb\n"}


def test_values_are_sorted_only_where_that_is_asked_for() -> None:
    data = b"Metadata-Version: 2.1\nRequires-Dist: z\nRequires-Dist: a\nProject-URL: z, z\nProject-URL: a, a\n"
    expected = b"Metadata-Version: 2.1\nRequires-Dist: a\nRequires-Dist: z\nProject-URL: z, z\nProject-URL: a, a\n"
    for name, context, code in ((f"{INFO}/METADATA", WHEEL, "W002"), (f"{TOP}/PKG-INFO", SDIST, "S001")):
        assert changed(code, {name: data}, context) == ({}, ())
        assert changed("W100", {name: data}, context)[0] == {name: expected}


def test_the_reserved_date_file_leaves_a_wheel() -> None:
    files = {".source-date-epoch": b"1\n", "pkg/.source-date-epoch": b"1\n", f"{INFO}/.source-date-epoch": b"1\n"}
    _, changes = changed("W005", files, WHEEL)
    assert [change.member for change in changes] == [".source-date-epoch"]


def test_signatures_are_an_error_unless_they_may_be_dropped() -> None:
    files = {f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b"", "pkg/RECORD.jws": b"data"}
    with pytest.raises(SignatureError, match=r"demo_pkg-1\.0-py3-none-any\.whl: .*RECORD\.jws signs RECORD") as caught:
        changed("W006", files, WHEEL)
    assert "--drop-signatures" in caught.value.remedy
    _, changes = changed("W006", files, WHEEL._replace(drop_signatures=True))
    assert [change.member for change in changes] == [f"{INFO}/RECORD.jws", f"{INFO}/RECORD.p7s"]


RECORDING = SDIST._replace(record_date=True)
DATE_FILE = f"{TOP}/.source-date-epoch"


@pytest.mark.parametrize(("old", "said"), [({}, "none"), ({DATE_FILE: b"5\n"}, "another one")])
def test_the_date_is_recorded(old: dict[str, bytes], said: str) -> None:
    rewritten, changes = changed("S010", {**SOURCES, **old}, RECORDING)
    assert rewritten == {DATE_FILE: b"%d\n" % DATE}
    assert changes == (Change("S010", DATE_FILE, f"{said} -> {DATE}"),)


def test_the_date_is_not_recorded_twice_nor_unasked() -> None:
    assert changed("S010", {**SOURCES, DATE_FILE: b"%d\n" % DATE}, RECORDING) == ({}, ())
    assert changed("S010", SOURCES, SDIST) == ({}, ())


def test_an_sdist_without_its_one_directory_is_an_error() -> None:
    with pytest.raises(ArchiveError, match="no file in a top directory"):
        changed("S001", {"PKG-INFO": b""}, SDIST)


CRLF = b"#!python\r\nName: a\r\nText\r\r\nsrc\\a.py\r\n"
LF = b"#!python\nName: a\nText\nsrc\\a.py\n"
EGG_INFO = f"{TOP}/src/demo_pkg.egg-info"
BY_SETUPTOOLS = {f"{INFO}/WHEEL": b"Wheel-Version: 1.0\r\nGenerator: setuptools (84.2.1)\r\n"}
SDIST_OF_SETUPTOOLS = {f"{TOP}/setup.cfg": b"[egg_info]\r\ntag_build = \r\n", f"{EGG_INFO}/SOURCES.txt": b""}
FRESH = {"W007": WHEEL._replace(fresh=True), "S004": SDIST._replace(fresh=True)}


@pytest.mark.parametrize(
    ("code", "name", "others"),
    [
        ("W007", f"{INFO}/METADATA", {}),
        ("W007", f"{INFO}/entry_points.txt", {}),
        ("W007", "demo_pkg-1.0.data/scripts/run", BY_SETUPTOOLS),
        ("S004", f"{TOP}/PKG-INFO", {}),
        ("S004", f"{EGG_INFO}/PKG-INFO", SDIST_OF_SETUPTOOLS),
        ("S004", f"{EGG_INFO}/not-zip-safe", SDIST_OF_SETUPTOOLS),
    ],
)
def test_what_a_backend_wrote_as_text_is_as_on_every_platform(code: str, name: str, others: dict[str, bytes]) -> None:
    files = {**others, name: CRLF}
    rewritten, changes = changed(code, files, FRESH[code])
    assert rewritten[name] == LF
    assert Change(code, name, "written as on every platform") in changes
    # The canonical form of an archive that anybody has must not depend on who wrote it.
    assert changed(code, files, FRESH[code]._replace(fresh=False)) == ({}, ())


@pytest.mark.parametrize(
    ("code", "name", "others"),
    [
        ("W007", "demo_pkg/METADATA", BY_SETUPTOOLS),
        ("W007", f"{INFO}/LICENSE", BY_SETUPTOOLS),
        ("W007", f"{INFO}/licenses/METADATA", BY_SETUPTOOLS),
        ("W007", "demo_pkg-1.0.data/scripts/run", {f"{INFO}/WHEEL": b"Generator: flit 4.2.0\n"}),
        ("W007", "demo_pkg-1.0.data/data/run", BY_SETUPTOOLS),
        ("S004", f"{TOP}/setup.cfg", {}),
        ("S004", f"{TOP}/setup.cfg", {f"{TOP}/other.egg-info/SOURCES.txt": b""}),
        ("S004", f"{EGG_INFO}/PKG-INFO", {f"{TOP}/setup.cfg": b"[flake8]\n", f"{EGG_INFO}/SOURCES.txt": b""}),
        ("S004", f"{TOP}/tests/setup.cfg", SDIST_OF_SETUPTOOLS),
        ("S004", f"{TOP}/tests/other.egg-info/PKG-INFO", SDIST_OF_SETUPTOOLS),
        ("S004", f"{TOP}/setup.py", SDIST_OF_SETUPTOOLS),
    ],
)
def test_what_the_project_committed_keeps_its_line_ends(code: str, name: str, others: dict[str, bytes]) -> None:
    data = b"[egg_info]\r\nx\r\n" if name.endswith("setup.cfg") else CRLF
    assert name not in changed(code, {**others, name: data}, FRESH[code])[0]


def test_other_scripts_of_setuptools_are_copies() -> None:
    files = {**BY_SETUPTOOLS, "demo_pkg-1.0.data/scripts/run": b"#!/bin/sh\r\n", f"{INFO}/zip-safe": b"\0\r\n"}
    assert list(changed("W007", files, FRESH["W007"])[0]) == [f"{INFO}/WHEEL"]


def test_a_program_among_the_scripts_is_not_read_whole() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"\x7fELF"
        raise AssertionError("read on")

    given = archive(members(BY_SETUPTOOLS))
    program = Entry("demo_pkg-1.0.data/scripts/run", Kind.FILE, 0o755, 0, Streamed(1 << 40, chunks))
    outcome = by_code("W007").run(given._replace(entries=(*given.entries, program)), FRESH["W007"])
    assert [change.member for change in outcome.changes] == [f"{INFO}/WHEEL"]


def test_names_in_a_list_of_sources_have_slashes() -> None:
    files = {**SDIST_OF_SETUPTOOLS, f"{EGG_INFO}/SOURCES.txt": b"src\\a.py\nsetup.py\n"}
    assert changed("S004", files, FRESH["S004"])[0][f"{EGG_INFO}/SOURCES.txt"] == b"src/a.py\nsetup.py\n"


def test_many_carriage_returns_take_no_time_in_the_square_of_their_number() -> None:
    """These took minutes of a processor, and now take some milliseconds."""
    start = time.process_time()
    assert changed("S004", {f"{TOP}/PKG-INFO": b"\r" * 400_000 + b"x\r\n"}, FRESH["S004"])[0] == {
        f"{TOP}/PKG-INFO": b"\r" * 400_000 + b"x\n"
    }
    assert time.process_time() - start < 20
