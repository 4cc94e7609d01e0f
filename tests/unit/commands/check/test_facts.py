"""What differs between two archives, as facts."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from samebytes_tools.commands.check.facts import DifferingFact, differing, drawn, named_alike
from support.artifacts import sdist, wheel


def rewritten(source: Path, target: Path, change: object) -> Path:
    """Copy a wheel, its members changed by *change*, a function of the list of (info, data)."""
    with zipfile.ZipFile(source) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for info, data in change(members):  # type: ignore[operator]
            archive.writestr(info, data)
    return target


@pytest.fixture
def original(tmp_path: Path) -> Path:
    return wheel(tmp_path)


def found(original: Path, change: object) -> set[tuple[str, str]]:
    other = rewritten(original, original.parent / "other" / original.name, change)
    same = rewritten(original, original.parent / "same" / original.name, lambda members: members)
    assert differing("wheel", same, same) == frozenset()
    return {(fact.member, fact.aspect) for fact in differing("wheel", same, other)}


def with_first(**values: object) -> object:
    def change(members: list[tuple[zipfile.ZipInfo, bytes]]) -> list[tuple[zipfile.ZipInfo, bytes]]:
        for name, value in values.items():
            setattr(members[0][0], name, value)
        return members

    return change


def test_the_same_bytes_have_none(tmp_path: Path) -> None:
    for make in (wheel, sdist):
        assert differing("x", make(tmp_path), make(tmp_path)) == frozenset()


def test_time_mode_contents_order_and_presence(original: Path) -> None:
    first = zipfile.ZipFile(original).namelist()[0]
    assert found(original, with_first(date_time=(1999, 1, 1, 0, 0, 0))) == {(first, "time")}
    assert found(original, with_first(external_attr=0o100600 << 16)) == {(first, "mode")}
    assert found(original, lambda members: members[::-1]) == {("", "order")}
    assert found(original, lambda members: [(members[0][0], b"other"), *members[1:]]) == {(first, "contents")}
    assert found(original, lambda members: members[1:]) == {("", "order"), (first, "presence")}


def test_what_record_tells_of_others_is_not_told_twice(original: Path) -> None:
    (record,) = (name for name in zipfile.ZipFile(original).namelist() if name.endswith("RECORD"))

    def change(names: set[str]) -> object:
        return lambda members: [(info, data + b"\n" if info.filename in names else data) for info, data in members]

    first = zipfile.ZipFile(original).namelist()[0]
    assert found(original, change({first, record})) == {(first, "contents")}
    assert found(original, change({record})) == {(record, "contents")}


def test_the_container_and_the_name(original: Path) -> None:
    stored = rewritten(original, original.parent / "a" / original.name, lambda members: members)
    with_comment = shutil.copy(stored, original.parent / original.name.replace("-py3-", "-py2.py3-"))
    assert differing("wheel", stored, Path(with_comment)) == {DifferingFact("wheel", "", "name")}
    with zipfile.ZipFile(original, "a") as archive:
        archive.comment = b"comment"
    other = wheel(original.parent / "b") if (original.parent / "b").mkdir() is None else original
    assert differing("wheel", original, other) == {DifferingFact("wheel", "", "container")}


def test_archives_that_are_none_differ_too(tmp_path: Path) -> None:
    one, other = tmp_path / "a-1.whl", tmp_path / "b" / "a-1.whl"
    other.parent.mkdir()
    one.write_bytes(b"one")
    other.write_bytes(b"other")
    assert differing("wheel", one, other) == {DifferingFact("wheel", "", "container")}


def presence(*names: str) -> frozenset[DifferingFact]:
    return frozenset(DifferingFact("wheel", name, "presence") for name in names)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"static/app.77c0.js"}, {"static/app.77c0.js"}),
        # Of another length, in another directory, and of another kind
        ({"static/app.77c01.js", "other/app.77c0.js", "static/app.77c0.py"}, set()),
        (set(), set()),
        ({f"static/app.{number:04}.js" for number in range(1000)}, set()),  # of a whole tree
    ],
)
def test_names_that_are_drawn_anew_are_alike(names: set[str], expected: set[str]) -> None:
    by_moment = presence("static/app.1f2e.js", "static/app.0d3c.js")
    assert named_alike(names, by_moment) == expected
    assert drawn(presence(*names), by_moment) == presence(*expected)
    assert named_alike(names, presence("static/app.1f2e.js")) == set()  # missing in one build: no other name


def test_names_with_seconds_are_alike_however_these_go_on() -> None:
    by_moment = presence("demo-1.0.dev1796011893.dist-info/METADATA", "demo-1.0.dev1796011896.dist-info/METADATA")
    name = "demo-1.0.dev1830849514.dist-info/METADATA"
    assert named_alike({name, "demo-1.0.devABCDEFGHIJ.dist-info/METADATA"}, by_moment) == {name}
