"""What counts as the same, and what never does."""

from __future__ import annotations

import py_compile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.commands.check.facts import differing
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.model import UNKNOWN_BUILD, Comparison, KnownBuild, NodeKind, Verdict
from support.wheels import (
    FILES,
    INFO,
    METADATA,
    SOURCES,
    TOP,
    WHEEL,
    Member,
    members,
    sources,
    unpack_wheel,
    write_sdist,
    write_wheel,
)

from samebytes.archive.entry import Kind as Nature
from samebytes.errors import ArchiveError, HostileArchiveError, UsageError

REQUIRED = METADATA + b"Requires-Dist: a\nRequires-Dist: b\nClassifier: X\nClassifier: Y\n\nText\n"
ENTRY_POINTS = b"[console_scripts]\none = demo_pkg:one\ntwo = demo_pkg:two\n"


def wheels(tmp_path: Path, left: Sequence[Member], right: Sequence[Member]) -> Comparison:
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
    return compare_files(write_wheel(tmp_path / "l", left), write_wheel(tmp_path / "r", right))


def sdists(tmp_path: Path, left: Sequence[Member], right: Sequence[Member]) -> Comparison:
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
    return compare_files(write_sdist(tmp_path / "l", left), write_sdist(tmp_path / "r", right))


def of_files(tmp_path: Path, left: dict[str, bytes], right: dict[str, bytes]) -> Comparison:
    return wheels(tmp_path, members({**FILES, **left}), members({**FILES, **right}))


def named(found: Comparison) -> set[str]:
    return {each.name for each in found.walk()}


@pytest.mark.parametrize(
    ("name", "left", "right", "verdict"),
    [
        ("METADATA", REQUIRED, REQUIRED.replace(b"X\nClassifier: Y", b"Y\nClassifier: X"), Verdict.PAYLOAD),
        ("METADATA", REQUIRED, REQUIRED.replace(b"a\nRequires-Dist: b", b"b\nRequires-Dist: a"), Verdict.DIFFERENT),
        ("METADATA", REQUIRED, REQUIRED.replace(b"Requires-Dist: b\n", b""), Verdict.DIFFERENT),
        ("METADATA", REQUIRED, REQUIRED.replace(b"Dist: b", b"Dist: b; extra == 'x'"), Verdict.DIFFERENT),
        ("METADATA", REQUIRED, REQUIRED.replace(b"Text", b"Other"), Verdict.DIFFERENT),
        ("METADATA", REQUIRED, REQUIRED.replace(b"Name: demo-pkg\nVersion: 1.0", b"Version: 1.0\nName: demo-pkg"), Verdict.NORMALIZED),
        ("METADATA", b"no: block\n no", b"other", Verdict.DIFFERENT),
        ("WHEEL", WHEEL, WHEEL.replace(b"demo 1", b"other 2"), Verdict.PAYLOAD),
        ("WHEEL", WHEEL, WHEEL.replace(b"true", b"false"), Verdict.DIFFERENT),
        ("WHEEL", WHEEL, WHEEL.replace(b"py3", b"py2"), Verdict.DIFFERENT),
        ("entry_points.txt", ENTRY_POINTS, b"[console_scripts]\ntwo = demo_pkg:two\none = demo_pkg:one\n", Verdict.PAYLOAD),
        ("entry_points.txt", ENTRY_POINTS, ENTRY_POINTS.replace(b"pkg:two", b"pkg:evil"), Verdict.DIFFERENT),
        ("entry_points.txt", ENTRY_POINTS, ENTRY_POINTS + b"two = demo_pkg:evil\n", Verdict.DIFFERENT),
        ("top_level.txt", b"a\nb\n", b"b\na\n", Verdict.NORMALIZED),
        ("top_level.txt", b"a\nb\n", b"b\nc\n", Verdict.DIFFERENT),
    ],
)  # fmt: skip
def test_metadata_counts_by_its_meaning(tmp_path: Path, name: str, left: bytes, right: bytes, verdict: Verdict) -> None:
    found = of_files(tmp_path, {f"{INFO}/{name}": left}, {f"{INFO}/{name}": right})
    assert found.verdict is verdict


def test_metadata_of_another_project_s_files_counts_by_its_bytes(tmp_path: Path) -> None:
    found = of_files(tmp_path, {"demo_pkg/WHEEL": WHEEL}, {"demo_pkg/WHEEL": WHEEL.replace(b"demo 1", b"other 2")})
    assert found.verdict is Verdict.DIFFERENT


def test_a_lost_right_to_be_executed_is_different(tmp_path: Path) -> None:
    given = members()
    given[0] = replace(given[0], mode=0o755)
    found = wheels(tmp_path, given, members())
    assert found.verdict is Verdict.DIFFERENT
    (node,) = [each for each in found.walk() if each.kind is NodeKind.MEMBER]
    assert node.summary == "executable on the left side only"


def test_scripts_are_executable_whatever_their_mode(tmp_path: Path) -> None:
    """Installers make them so."""
    script = f"{INFO[: -len('.dist-info')]}.data/scripts/run"
    given = members({**FILES, script: b"#!python\n"})
    found = wheels(tmp_path, given, [replace(each, mode=0o755) if each.name == script else each for each in given])
    assert found.verdict is Verdict.NORMALIZED


@pytest.mark.parametrize("mode", [0o4644, 0o2644, 0o646, 0o666])
def test_a_planted_mode_is_different(tmp_path: Path, mode: int) -> None:
    given = members()
    found = wheels(tmp_path, given, [replace(given[0], mode=mode), *given[1:]])
    assert found.verdict is Verdict.DIFFERENT
    assert found.causes == ("D099",)
    assert given[0].name in named(found)


def made_on(directory: Path, side: str, external: int, system: int) -> Path:
    (directory / side).mkdir(exist_ok=True)
    path = write_wheel(directory / side, members())
    files = unpack_wheel(path)
    with zipfile.ZipFile(path, "w") as file:
        for number, (name, data) in enumerate(files.items()):
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.external_attr = (0o100644 if number else external) << 16
            info.create_system = 3 if number else system
            file.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ((0o755, 3), (0o100644, 3), Verdict.DIFFERENT),  # executable for uv, unzip and bsdtar, not for pip
        ((0o100755, 0), (0o100755, 3), Verdict.DIFFERENT),  # for pip and uv, not for unzip and bsdtar
        ((0o755, 3), (0o755, 3), Verdict.IDENTICAL),
        ((0o100644, 0), (0o100644, 3), Verdict.NORMALIZED),  # for nobody
        ((0o644, 0), (0o100600, 3), Verdict.NORMALIZED),
        ((0o100755, 3), (0o100711, 3), Verdict.NORMALIZED),  # for everybody
    ],
)
def test_a_mode_that_readers_take_otherwise_is_different(
    tmp_path: Path, one: tuple[int, int], other: tuple[int, int], verdict: Verdict
) -> None:
    paths = made_on(tmp_path, "left", *one), made_on(tmp_path, "right", *other)
    for left, right in (paths, paths[::-1]):
        found = compare_files(left, right)
        assert found.verdict is verdict
        summaries = [each.summary for each in found.walk() if each.kind is NodeKind.MEMBER]
        assert bool(summaries) == (verdict is Verdict.DIFFERENT)
        assert all(text.startswith("not taken alike by all readers: ") for text in summaries)


@pytest.mark.parametrize(
    ("system", "verdict"), [(0, Verdict.DIFFERENT), (11, Verdict.DIFFERENT), (10, Verdict.NORMALIZED)]
)
def test_a_name_that_a_reader_translates_is_different(tmp_path: Path, system: int, verdict: Verdict) -> None:
    """unzip takes a name that DOS made for one in its code page, though it is marked UTF-8."""
    paths = []
    for number, made_by in enumerate((system, 3)):
        (tmp_path / str(number)).mkdir()
        path = write_wheel(tmp_path / str(number), members({"demo_pkg/gr\u00fcn.py": b"", **FILES}))
        files = unpack_wheel(path)
        with zipfile.ZipFile(path, "w") as file:
            for name, data in files.items():
                info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
                info.external_attr, info.create_system = 0o100644 << 16, made_by
                file.writestr(info, data)
        paths.append(path)
    assert compare_files(paths[0], paths[1]).verdict is verdict


def test_a_planted_mode_on_both_sides_is_no_difference(tmp_path: Path) -> None:
    given = [replace(each, mode=0o4644) for each in members()]
    found = wheels(tmp_path, given, given[::-1])
    assert found.verdict is Verdict.NORMALIZED


def test_a_mode_that_is_the_same_is_no_difference_whatever_other_files_have(tmp_path: Path) -> None:
    """All files of the left wheel may be written by everybody, of the right one a single one."""
    everything = [replace(each, mode=0o666) for each in members()]
    found = wheels(tmp_path, everything, [everything[0], *members()[1:]])
    assert found.causes == ("D010",)
    assert everything[0].name not in named(found)


def test_a_wrong_record_on_both_sides_is_reported_and_different(tmp_path: Path) -> None:
    given = members(record=b"demo_pkg/tool.py,sha256=AAAA,15\n")
    found = wheels(tmp_path, given, given[::-1])
    assert found.verdict is Verdict.DIFFERENT
    assert "D022" in found.causes


def test_wheels_without_record_are_different(tmp_path: Path) -> None:
    given = members()[:-1]
    found = wheels(tmp_path, given, given[::-1])
    assert found.verdict is Verdict.DIFFERENT
    assert "D022" in found.causes


def test_a_signed_record_cannot_be_normalized(tmp_path: Path) -> None:
    given = [*members(), Member(f"{INFO}/RECORD.jws", b"{}")]
    found = wheels(tmp_path, given, given[::-1])
    assert found.verdict is Verdict.PAYLOAD


def test_another_signature_is_different(tmp_path: Path) -> None:
    sides = [[*members(), Member(f"{INFO}/RECORD.jws", data)] for data in (b"{}", b"[]")]
    assert wheels(tmp_path, *sides).verdict is Verdict.DIFFERENT


def test_a_file_on_one_side_is_different(tmp_path: Path) -> None:
    found = of_files(tmp_path, {}, {"demo_pkg/more.py": b""})
    assert found.verdict is Verdict.DIFFERENT
    (node,) = [each for each in found.differences if each.kind is NodeKind.MISSING]
    assert (node.name, node.summary) == ("demo_pkg/more.py", "only on the right side")


def test_what_follows_names_no_cause_of_its_own(tmp_path: Path) -> None:
    found = of_files(tmp_path, {"demo_pkg/at": b"on 2026-11-20\n"}, {"demo_pkg/at": b"on 2026-11-21\n"})
    assert found.causes == ("D005",)
    record = found.differences[-1]
    assert record.kind is NodeKind.RECORD
    assert [child.summary for child in record.children] == ["follows from demo_pkg/at"]


def test_sha512_records_are_verified(tmp_path: Path) -> None:
    from support.wheels import record_of

    right = record_of(FILES, "sha512")
    found = wheels(tmp_path, members(), members(record=right))
    assert found.verdict is Verdict.NORMALIZED
    assert found.causes == ("D015",)
    (tmp_path / "again").mkdir()
    wrong = record_of({**FILES, "demo_pkg/tool.py": b"!"}, "sha512")
    assert wheels(tmp_path / "again", members(), members(record=wrong)).verdict is Verdict.DIFFERENT


def test_a_member_whose_packed_bytes_are_equal_is_verified_on_both_sides(tmp_path: Path) -> None:
    """The right side declares another CRC of the same compressed bytes."""
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
    one, other = write_wheel(tmp_path / "l"), write_wheel(tmp_path / "r", members()[::-1])
    data = bytearray(other.read_bytes())
    name = b"demo_pkg/tool.py"
    local, central = data.index(name) - 30, data.rindex(name) - 46
    for place in (local + 14, central + 16):
        data[place] ^= 1
    other.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"its CRC is .* not the") as damaged:
        compare_files(one, other)
    assert "damaged" in damaged.value.remedy


def test_sdists_count_by_their_files_and_links(tmp_path: Path) -> None:
    link = Member(f"{TOP}/link", kind=Nature.SYMLINK, target="PKG-INFO")
    found = sdists(tmp_path, [*sources(), link], [replace(link, target="pyproject.toml"), *sources()])
    assert found.verdict is Verdict.DIFFERENT
    assert f"{TOP}/link" in named(found)


def test_metadata_of_an_sdist_counts_by_its_meaning(tmp_path: Path) -> None:
    info = f"{TOP}/PKG-INFO"
    left = sources({**SOURCES, info: REQUIRED})
    right = sources({**SOURCES, info: REQUIRED.replace(b"X\nClassifier: Y", b"Y\nClassifier: X")})
    assert sdists(tmp_path, left, right).verdict is Verdict.PAYLOAD


def test_a_directory_that_is_empty_counts(tmp_path: Path) -> None:
    more = Member(f"{TOP}/empty", kind=Nature.DIRECTORY, mode=0o755)
    assert sdists(tmp_path, sources(), [*sources(), more]).verdict is Verdict.DIFFERENT


def test_a_directory_that_others_imply_does_not_count(tmp_path: Path) -> None:
    more = Member(f"{TOP}/src", kind=Nature.DIRECTORY, mode=0o755)
    found = sdists(tmp_path, sources(), [*sources(), more])
    assert found.verdict is Verdict.NORMALIZED
    assert found.causes == ("D019",)


def test_releases_of_other_versions_are_compared_member_by_member(tmp_path: Path) -> None:
    left, right = tmp_path / "demo_pkg-1.0.tar.gz", tmp_path / "demo_pkg-1.1.tar.gz"
    write_sdist(tmp_path, sources(), left.name)
    renamed = [replace(each, name=each.name.replace("1.0", "1.1")) for each in sources()]
    write_sdist(tmp_path, renamed, right.name)
    found = compare_files(left, right)
    assert found.verdict is Verdict.DIFFERENT
    assert [each.name for each in found.differences] == ["release", "gzip-header"]


def test_other_kinds_have_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="different kinds") as wrong:
        compare_files(write_wheel(tmp_path), write_sdist(tmp_path))
    assert "two wheels" in wrong.value.remedy


def test_broken_and_hostile_archives_are_refused(tmp_path: Path) -> None:
    whole = write_wheel(tmp_path)
    missing = tmp_path / "away" / whole.name
    with pytest.raises(ArchiveError, match="cannot be opened") as absent:
        compare_files(whole, missing)
    assert absent.value.remedy
    missing.parent.mkdir()
    missing.write_bytes(whole.read_bytes()[:-30])
    with pytest.raises(ArchiveError):
        compare_files(whole, missing)
    write_wheel(missing.parent, [*members(), Member("../escape", b"")])
    with pytest.raises(HostileArchiveError, match=r"\.\.") as hostile:
        compare_files(whole, missing)
    assert hostile.value.remedy


def test_identical_files_must_be_archives_too(tmp_path: Path) -> None:
    for side in ("l", "r"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a-1-py3-none-any.whl").write_bytes(b"nothing of the kind")
    with pytest.raises(ArchiveError):
        compare_files(tmp_path / "l/a-1-py3-none-any.whl", tmp_path / "r/a-1-py3-none-any.whl")


def test_what_is_known_to_be_left_over_is_reported_as_such_and_nothing_else(tmp_path: Path) -> None:
    """Of four members that differ without a reason, two are known to differ for what an earlier build left."""
    left = {
        **FILES,
        "demo_pkg/lone.txt": b"1",
        "demo_pkg/other.txt": b"2",
        "demo_pkg/a.txt": b"3",
        "demo_pkg/b.txt": b"4",
    }
    right = {**FILES, "demo_pkg/a.txt": b"word", "demo_pkg/b.txt": b"word"}
    known = KnownBuild(left_over=frozenset({"demo_pkg/lone.txt", "demo_pkg/a.txt"}))
    for side, contents in (("l", left), ("r", right)):
        (tmp_path / side).mkdir()
        write_wheel(tmp_path / side, members(contents))
    name = next((tmp_path / "l").iterdir()).name
    found = compare_files(tmp_path / "l" / name, tmp_path / "r" / name, (UNKNOWN_BUILD, known))
    codes = {
        each.name: {finding.code for node in each.walk() for finding in node.findings} for each in found.differences
    }
    assert codes["demo_pkg/lone.txt"] == codes["demo_pkg/a.txt"] == {"D020"}
    assert codes["demo_pkg/other.txt"] == codes["demo_pkg/b.txt"] == {"D099"}


def test_a_compiled_module_follows_its_source_also_where_both_are_left_over(tmp_path: Path) -> None:
    sides = []
    for side, source in (("l", b"X = 1\n"), ("r", b"X = 22\n")):
        (tmp_path / side).mkdir()
        path = tmp_path / side / "demo.py"
        path.write_bytes(source)
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(path), str(tmp_path / side / "demo.pyc"), "demo.py", invalidation_mode=mode)
        held = {f"demo_pkg/{name}": (tmp_path / side / name).read_bytes() for name in ("demo.py", "demo.pyc")}
        sides.append(write_wheel(tmp_path / side, members({**FILES, **held})))
    known = KnownBuild(left_over=frozenset({"demo_pkg/demo.py", "demo_pkg/demo.pyc"}))
    found = compare_files(*sides, (UNKNOWN_BUILD, known))
    (node,) = [each for each in found.differences if each.kind is NodeKind.PYC]
    assert node.summary.startswith("follows from demo_pkg/demo.py")
    assert [finding for each in node.walk() for finding in each.findings] == []
    assert found.causes == ("D020",)


@pytest.mark.parametrize("where", ["demo_pkg", INFO, "demo_pkg-1.0.data/data/share"])
@pytest.mark.parametrize(("known", "code"), [("by_chance", "D030"), ("by_clock", "D005"), ("left_over", "D020")])
def test_what_builds_show_counts_wherever_a_member_lies(where: str, known: str, code: str, tmp_path: Path) -> None:
    name = f"{where}/sign.txt"
    sides = []
    for word in (b"abc", b"xyz"):
        (tmp_path / word.decode()).mkdir()
        sides.append(write_wheel(tmp_path / word.decode(), members({**FILES, name: word})))
    shown = frozenset(fact.member for fact in differing("wheel", *sides))
    builds = UNKNOWN_BUILD, replace(UNKNOWN_BUILD, **{known: shown})
    assert compare_files(*sides, builds).causes == (code,)


def test_an_order_that_no_build_explains_stays_open_beside_what_is_by_chance(tmp_path: Path) -> None:
    sides = []
    for number, text in enumerate((b"aaa\nx, y, z\n", b"bbb\ny, z, x\n")):
        (tmp_path / str(number)).mkdir()
        sides.append(write_wheel(tmp_path / str(number), members({**FILES, "demo_pkg/a.txt": text})))
    place = ("demo_pkg/a.txt", "", "line 2")
    for known, code in (("by_chance", "D030"), ("by_clock", "D005")):
        shown = {known: frozenset({"demo_pkg/a.txt"})}
        for orders, causes in (
            ({}, {code, "D008"}),
            ({place: "D009"}, {code, "D009"}),
            ({place: "D099"}, {code, "D099"}),
        ):
            build = replace(UNKNOWN_BUILD, orders=orders, **shown)
            assert set(compare_files(*sides, (UNKNOWN_BUILD, build)).causes) == causes
