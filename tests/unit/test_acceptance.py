"""The oracle of what an index takes refuses bad files; and what normalize makes of odd ones, it takes."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from support import wheels, zips
from support.acceptance import BOMB_FROM, problems, record_problems
from support.wheels import FILES, INFO, RECORD, SOURCES, TOP, Member, members, record_of, sources

from samebytes.commands.main import main

LATIN = b"caf\xe9.py"
BROKEN_FIELD = b"\x75\x70\x09\x00\x01"


def good() -> list[zips.Member]:
    return [zips.Member(name.encode(), data) for name, data in {**FILES, RECORD: record_of(FILES)}.items()]


def saved(directory: Path, data: bytes) -> Path:
    return zips.saved(directory, data, wheels.WHEEL_NAME)


def test_ordinary_files_are_taken(tmp_path: Path) -> None:
    assert problems(saved(tmp_path, zips.build(*good()))) == []
    assert problems(wheels.write_wheel(tmp_path)) == []
    assert problems(wheels.write_sdist(tmp_path)) == []


def two(first: zips.Member, *more: zips.Member) -> bytes:
    return zips.build(first, zips.Member(b"pkg/b.py"), *more)


ONE = zips.Member(b"pkg/a.py")
FRAMES = {
    "twice in the local headers": two(ONE, ONE),
    "twice in the central directory": zips.build(ONE, zips.Member(b"pkg/b.py"), order=[0, 1, 1]),
    "b'pkg/b.py' is in one of": zips.build(ONE, zips.Member(b"pkg/b.py"), order=[0]),
    "b'pkg/other.py' is in one of": two(replace(ONE, local={"name": b"pkg/other.py"})),
    "disagree on b'pkg/a.py'": two(replace(ONE, local={"size": 1})),
    "has a data descriptor": two(replace(ONE, flags=8, descriptor=zips.descriptor(ONE))),
    "is encrypted": two(replace(ONE, flags=1)),
    "b'pkg/a.py' has a comment": two(replace(ONE, comment=b"PK")),
    "zip: has a comment": zips.build(ONE, comment=b"PK"),
    "trailing data": zips.build(ONE, suffix=b"more"),
    "unknown record at 0": zips.build(ONE, prefix=b"#!/bin/sh\n"),
    "unknown record": two(replace(ONE, after=b"smuggled")),
    "another place or size": zips.build(ONE, end={"size": 1}),
    "says 2 members in its end record, and has 1": zips.build(ONE, end={"count": 2}),
    "one of several disks": zips.build(ONE, end={"disk": 1}),
    "unprintable": two(zips.Member(b"pkg/\x7f.py")),
    "is not UTF-8": two(zips.Member(LATIN)),
    "compressed by method 12": two(replace(ONE, method=12)),
    "extra field twice": two(replace(ONE, extra=zips.zip64(1) * 2)),
    "broken extra field": two(replace(ONE, extra=BROKEN_FIELD)),
    "ends within a header": zips.build(ONE)[:20],
}


@pytest.mark.parametrize("reason", FRAMES)
def test_archives_that_two_tools_read_differently_are_refused(reason: str, tmp_path: Path) -> None:
    found = problems(saved(tmp_path, FRAMES[reason]))
    assert any(reason in problem for problem in found), found


RECORDS = {
    "does not list demo_pkg/tool.py": {name: data for name, data in FILES.items() if "tool" not in name},
    "lists demo_pkg/gone.py, which is not there": {**FILES, "demo_pkg/gone.py": b""},
    "demo_pkg/tool.py has another hash": {**FILES, "demo_pkg/tool.py": b"print('hallo')\n"},
    "demo_pkg/tool.py has another size": {**FILES, "demo_pkg/tool.py": b"print()\n"},
}


@pytest.mark.parametrize("reason", RECORDS)
def test_a_record_that_is_not_true_is_refused(reason: str, tmp_path: Path) -> None:
    found = problems(wheels.write_wheel(tmp_path, members(record=record_of(RECORDS[reason]))))
    assert f"RECORD: {reason}" in found


def test_a_record_with_weak_or_double_rows_is_refused() -> None:
    files = {**FILES, RECORD: record_of(FILES, "md5") + b"demo_pkg/tool.py,,\n"}
    found = list(record_problems(files, RECORD))
    assert "RECORD: demo_pkg/__init__.py has no hash of sha256 or better" in found
    assert "RECORD: lists demo_pkg/tool.py twice" in found


@pytest.mark.parametrize("missing", ["WHEEL", "METADATA", "RECORD"])
def test_a_wheel_without_its_papers_is_refused(missing: str, tmp_path: Path) -> None:
    given = [member for member in members() if member.name != f"{INFO}/{missing}"]
    assert f"{missing}: not found at {INFO}/{missing}" in problems(wheels.write_wheel(tmp_path, given))


METADATA = {
    "metadata: is of other, the filename says demo-pkg": b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n",
    "metadata: is of version 2.0, the filename says 1.0": b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 2.0\n",
    "is invalid": b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\nRequires-Dist: a b\n",
    "metadata: License-File LICENSE is not there": b"Metadata-Version: 2.4\nName: demo-pkg\nVersion: 1.0\nLicense-File: LICENSE\n",
}


@pytest.mark.parametrize("reason", METADATA)
def test_metadata_that_is_wrong_or_of_another_is_refused(reason: str, tmp_path: Path) -> None:
    papers = wheels.write_wheel(tmp_path, members({**FILES, f"{INFO}/METADATA": METADATA[reason]}))
    source = wheels.write_sdist(tmp_path, sources({**SOURCES, f"{TOP}/PKG-INFO": METADATA[reason]}))
    for path in (papers, source):
        assert any(reason in problem for problem in problems(path)), problems(path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("demo_pkg-1.0-py3-none-linux_x86_64.whl", "filename: platform linux_x86_64 is not taken"),
        ("demo_pkg-1.0-py3-none-macosx_12_1_arm64.whl", "filename: platform macosx_12_1_arm64 is not taken"),
        ("demo_pkg-1.0-py3-none-any.egg", "filename: is neither .whl nor .tar.gz"),
        ("demo_pkg-1.0-any.whl", "filename: Invalid wheel filename"),
        ("demo_pkg-next-py3-none-any.whl", "filename: "),
    ],
)
def test_names_are_refused(name: str, reason: str, tmp_path: Path) -> None:
    assert any(reason in problem for problem in problems(wheels.write_wheel(tmp_path, name=name)))


@pytest.mark.parametrize(
    "platform", ["win_amd64", "manylinux_2_34_x86_64", "musllinux_1_2_aarch64", "macosx_10_9_universal2"]
)
def test_platforms_are_taken(platform: str, tmp_path: Path) -> None:
    assert problems(wheels.write_wheel(tmp_path, name=f"demo_pkg-1.0-cp311-cp311-{platform}.whl")) == []


SDISTS = {
    "sdist: has 2 top directories: demo_pkg-1.0, stray": {**SOURCES, "stray/file": b""},
    "sdist: its directory is demo-pkg-1.0 and not demo_pkg-1.0": {
        name.replace("_", "-", 1): data for name, data in SOURCES.items() if "src" not in name
    },
    f"PKG-INFO: not found at {TOP}/PKG-INFO": {name: data for name, data in SOURCES.items() if "PKG-INFO" not in name},
    f"sdist: {TOP}/../../etc/passwd leads out of it": {**SOURCES, f"{TOP}/../../etc/passwd": b""},
}


@pytest.mark.parametrize("reason", SDISTS)
def test_bad_sdists_are_refused(reason: str, tmp_path: Path) -> None:
    assert reason in problems(wheels.write_sdist(tmp_path, sources(SDISTS[reason])))


def test_an_sdist_by_an_old_name_is_refused(tmp_path: Path) -> None:
    found = problems(wheels.write_sdist(tmp_path, name="demo-pkg-1.0.tar.gz"))
    assert "filename: would be demo_pkg-1.0.tar.gz (PEP 625)" in found


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / wheels.SDIST_NAME).write_bytes(b"no gzip")
    (problem,) = problems(tmp_path / wheels.SDIST_NAME)
    assert problem.startswith("tar: ")
    (problem,) = problems(saved(tmp_path, b"no zip"))
    assert problem.startswith("zip: ")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(BOMB_FROM >> 20)) + packer.compress(b"more")
    bomb = replace(ONE, packed=packed + packer.flush(), size=BOMB_FROM + 4, data=b"")
    assert problems(saved(tmp_path, zips.build(*good(), bomb))) == ["zip: unpacks to more than 50 times its size"]


ODD = {
    "a comment": zips.build(*good(), comment=b"built by hand"),
    "descriptors": zips.build(*[replace(one, flags=8, descriptor=zips.descriptor(one)) for one in good()]),
    "field of Info-ZIP": zips.build(
        *[replace(one, extra=zips.field_of(0x5455, struct.pack("<BL", 1, 0))) for one in good()]
    ),
    "directories": zips.build(zips.directory(b"demo_pkg/"), *good()),
    "ZIP64": zips.build(*good(), end64={}),
}


@pytest.mark.parametrize("oddity", ODD)
def test_odd_wheels_are_taken_once_they_are_normalized(oddity: str, tmp_path: Path) -> None:
    path = saved(tmp_path, ODD[oddity])
    assert main(["normalize", "-q", str(path)]) == 0
    assert problems(path) == []


def test_an_odd_sdist_is_taken_once_it_is_normalized(tmp_path: Path) -> None:
    path = wheels.write_sdist(tmp_path, [Member(TOP, kind=wheels.Kind.DIRECTORY), *sources()])
    assert main(["normalize", "-q", str(path)]) == 0
    assert problems(path) == []
