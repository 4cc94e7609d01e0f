"""The whole way from a file to its canonical form, and what is said of it."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from support import wheels
from support.platforms import needs_open_files_moved
from support.wheels import (
    DATE,
    FILES,
    INFO,
    OLD,
    RECORD,
    TOP,
    Member,
    members,
    record_of,
    sources,
    unpack_sdist,
    unpack_wheel,
    write_sdist,
    write_wheel,
)

from samebytes.archive.entry import Archive, Kind, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import kind_of, open_archive
from samebytes.errors import ArchiveError, Interrupted, OutputError, RecordError, SignatureError
from samebytes.passes import ALL, DEFAULT, by_code, pipeline, select
from samebytes.passes.model import Change, Context, Pass, PassOutcome
from samebytes.passes.pipeline import (
    HELD,
    Rewritten,
    _sdist_difference,
    agreed_date,
    normalize_files,
    rewrite,
    run,
)

WHEEL = Context(DATE, ArtifactKind.WHEEL)
SDIST = Context(DATE, ArtifactKind.SDIST)


def date_of(path: Path) -> int | None:
    with open_archive(path) as archive:
        return agreed_date(archive)


def normalized(path: Path, context: Context | None = None) -> Rewritten:
    """Rewrite *path* in place, once more to see that nothing changes, and return the first account."""
    used = context or Context(DATE, kind_of(path))
    first = rewrite(path, path, used, DEFAULT, prove=True)
    data = path.read_bytes()
    assert first.after == (hashlib.sha256(data).hexdigest(), len(data))
    os.utime(path, (1, 1))
    again = rewrite(path, path, used._replace(rebuild_record=False), DEFAULT)
    assert (again.changes, again.before, again.after) == ((), first.after, first.after)
    assert path.read_bytes() == data
    assert path.stat().st_mtime == 1
    with open_archive(path) as archive:
        quiet = [one for one in DEFAULT if one.code not in ("W010", "G002")]
        assert all(outcome.changes == () for outcome in run(archive, used, quiet))
    return first


def codes(result: Rewritten) -> list[str]:
    return list(dict.fromkeys(change.code for change in result.changes))


def untidy() -> list[Member]:
    metadata = b"Name: demo-pkg\r\nMetadata-Version: 2.1\r\nVersion: 1.0\r\n"
    files = {**FILES, ".source-date-epoch": b"1\n", f"{INFO}/METADATA": metadata, f"{INFO}/top_level.txt": b"b\na\n"}
    given = [Member("demo_pkg", kind=Kind.DIRECTORY, mode=0o775), *members(files)]
    given.insert(1, given.pop(2))
    return [member if member.kind is Kind.DIRECTORY else Member(member.name, member.data, 0o664) for member in given]


def test_a_wheel_becomes_canonical(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, untidy())
    result = normalized(path)
    assert codes(result) == ["W005", "W002", "W004", "Z004", "Z002", "Z003", "Z001", "W010", "Z010"]
    found = unpack_wheel(path)
    names = ["demo_pkg/__init__.py", "demo_pkg/tool.py", "METADATA", "WHEEL", "top_level.txt", "RECORD"]
    assert list(found) == [name if "/" in name else f"{INFO}/{name}" for name in names]
    assert found[f"{INFO}/METADATA"] == b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\n"
    assert found[f"{INFO}/top_level.txt"] == b"a\nb\n"
    rest = {name: data for name, data in sorted(found.items()) if name != RECORD}
    assert found[RECORD] == record_of(rest)
    with zipfile.ZipFile(path) as file:
        assert {info.date_time for info in file.infolist()} == {(2023, 11, 14, 22, 13, 20)}
        assert {info.external_attr for info in file.infolist()} == {0o100644 << 16}


def test_an_sdist_becomes_canonical(tmp_path: Path) -> None:
    owner = (1000, 1000, "jane", "jane")
    given = [
        Member(TOP, kind=Kind.DIRECTORY),
        *(Member(m.name, m.data, 0o664, OLD + 0.5, owner=owner) for m in sources()[::-1]),
        Member(f"{TOP}/pyproject.toml", b"[build-system]\n"),
        Member(f"{TOP}/{TOP.partition('-')[0]}.egg-info/SOURCES.txt", b"b\na\n"),
    ]
    path = write_sdist(tmp_path, given)
    result = normalized(path, SDIST._replace(record_date=True))
    assert set(codes(result)) == {"T006", "S002", "S010", "T005", "T002", "T003", "T004", "T008", "G001", "T001"}
    found = unpack_sdist(path)
    assert list(found) == sorted(found)
    assert found[f"{TOP}/pyproject.toml"] == b"[build-system]\n"
    assert found[f"{TOP}/demo_pkg.egg-info/SOURCES.txt"] == b"a\nb\n"
    assert found[f"{TOP}/.source-date-epoch"] == b"%d\n" % DATE


@pytest.mark.parametrize("name", ["wheel", "sdist"])
def test_another_target_leaves_the_source_alone(tmp_path: Path, name: str) -> None:
    source = write_wheel(tmp_path) if name == "wheel" else write_sdist(tmp_path)
    before = source.read_bytes()
    target = tmp_path / "out" / source.name
    target.parent.mkdir()
    result = rewrite(source, target, Context(DATE, ArtifactKind(name)), DEFAULT)
    assert source.read_bytes() == before
    assert hashlib.sha256(target.read_bytes()).hexdigest() == result.after.sha256
    assert result.before.sha256 == hashlib.sha256(before).hexdigest()
    assert (result.payload_before, result.payload_after) == (None, None)
    # What is canonical is written to another place all the same.
    copy = tmp_path / "copy" / source.name
    copy.parent.mkdir()
    assert rewrite(target, copy, Context(DATE, ArtifactKind(name)), DEFAULT).changes == ()
    assert copy.read_bytes() == target.read_bytes()


@pytest.mark.parametrize("name", ["wheel", "sdist"])
def test_without_a_target_nothing_is_written(tmp_path: Path, name: str) -> None:
    source = write_wheel(tmp_path) if name == "wheel" else write_sdist(tmp_path)
    before = source.read_bytes()
    checked = rewrite(source, None, Context(DATE, ArtifactKind(name)), DEFAULT, prove=True)
    assert source.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == [source.name]
    assert checked.payload_before == checked.payload_after is not None
    written = rewrite(source, source, Context(DATE, ArtifactKind(name)), DEFAULT, prove=True)
    assert written == checked


def test_only_compression_differs_in_a_wheel(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    normalized(path)
    given = [Member(name, data, mtime=DATE, stored=True) for name, data in unpack_wheel(path).items()]
    write_wheel(tmp_path, given)
    result = normalized(path)
    found = {change.member: change.detail for change in result.changes if change.code == "Z010"}
    assert "demo_pkg/__init__.py" in found
    assert found["demo_pkg/__init__.py"].startswith("compressed to 480 bytes -> ")
    assert set(codes(result)) <= {"Z005", "Z010"}


def test_compression_to_the_same_size_is_told_too(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    normalized(path)
    with open_archive(path) as archive:
        size = next(
            entry.packed.size if entry.packed else -1
            for entry in archive.entries
            if entry.name == "demo_pkg/__init__.py"
        )
    data = bytearray(path.read_bytes())
    # A deflate stream may end in any bits after its end-of-block symbol; the unused ones are not looked at.
    start = data.index(b"demo_pkg/__init__.py") + len("demo_pkg/__init__.py")
    unused = next((bit for bit in range(7, 0, -1) if not data[start + size - 1] >> bit & 1), None)
    assert unused is not None
    data[start + size - 1] |= 1 << 7
    path.write_bytes(data)
    result = normalized(path)
    assert result.changes == (Change("Z010", "demo_pkg/__init__.py", f"compressed otherwise, to {size} bytes too"),)


def test_only_compression_differs_in_an_sdist(tmp_path: Path) -> None:
    path = write_sdist(tmp_path)
    normalized(path)
    packed = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=0))
    packed[8:10] = b"\0\xff"
    path.write_bytes(packed)
    assert normalized(path).changes == (Change("G002", "", "compressed otherwise"),)


def test_both_sdists_are_read_whatever_mode_their_files_have() -> None:
    """A file opened as ``w+b`` says ``rb+`` of itself up to Python 3.14, and ``wb+`` from 3.15 on."""

    class File(io.BytesIO):
        mode = "wb+"

    before, after = (gzip.compress(b"the same", level, mtime=0) for level in (1, 9))
    original, sink = File(before), File(after)
    assert _sdist_difference(original, sink) == Change("G002", "", "compressed otherwise")
    assert (original.getvalue(), sink.getvalue()) == (before, after)


def test_what_no_rule_explains_is_told(tmp_path: Path) -> None:
    """With every rule switched off that can be, the writer still has one form; the difference must not go unsaid."""
    some = [one for one in ALL if one.code in ("W001", "W010")]
    wheel = write_wheel(tmp_path, [Member(m.name, m.data, stored=not m.data) for m in sorted(members(), key=str)])
    with zipfile.ZipFile(wheel, "a") as file:
        file.comment = b"x"
    assert {c.code for c in rewrite(wheel, None, WHEEL, some).changes} >= {"Z007"}
    sdist = write_sdist(tmp_path)
    assert {c.code for c in rewrite(sdist, None, SDIST, []).changes} >= {"G001"}


def test_a_difference_that_no_pass_speaks_of_is_told(tmp_path: Path) -> None:
    def swap(archive: Archive, _: Context) -> PassOutcome:
        one, other, *rest = archive.entries
        changed = one._replace(content=other.content, packed=None)
        return PassOutcome(archive._replace(entries=(changed, other, *rest)))

    swapping = Pass("W900", "swap", "", swap, also_in_sdists=True)
    for path, context, code in (
        (write_wheel(tmp_path), WHEEL._replace(rebuild_record=True), "Z099"),
        (write_sdist(tmp_path), SDIST, "T099"),
    ):
        rewrite(path, path, context, DEFAULT)
        unspoken = [swapping, *(one for one in DEFAULT if one.code not in ("W001", "W010"))]
        assert rewrite(path, None, context, unspoken).changes == (
            Change(code, "", "the bytes differ, and no rule explains it"),
        )


def test_a_source_that_cannot_be_read_to_its_end_leaves_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    source, target = write_wheel(tmp_path), tmp_path / "out.whl"
    monkeypatch.setattr(pipeline, "_digest", fail)  # No disk at hand fails in that way.
    with pytest.raises(OSError, match="Input/output error"):
        rewrite(source, target, WHEEL, DEFAULT)
    assert list(tmp_path.iterdir()) == [source]


def test_reading_ends_once_it_is_to_stop(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    before, stop = path.read_bytes(), pipeline.Stop()
    assert rewrite(path, None, WHEEL, DEFAULT, stop=stop).changes
    stop.set()
    with pytest.raises(Interrupted):
        rewrite(path, path, WHEEL, DEFAULT, stop=stop)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_passes_that_are_switched_off_leave_things_as_they_are(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, untidy())
    rewrite(path, path, WHEEL, select(["Z001", "Z002", "Z003", "Z004", "W002", "W004", "W005"]))
    with zipfile.ZipFile(path) as file:
        infos = file.infolist()
        assert [info.filename for info in infos][:2] == ["demo_pkg/", "demo_pkg/tool.py"]
        assert infos[-1].filename == RECORD
        assert {info.date_time for info in infos} == {(2024, 5, 1, 10, 11, 12)}
        assert {info.external_attr >> 16 & 0o777 for info in infos} == {0o775, 0o664}
        assert b".source-date-epoch,sha256=" in file.read(RECORD)
        assert b"demo_pkg/," not in file.read(RECORD)


def test_a_wrong_record_leaves_the_file_alone(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, members(record=record_of({**FILES, "demo_pkg/tool.py": b"other"})))
    before = path.read_bytes()
    with pytest.raises(RecordError):
        rewrite(path, path, WHEEL, DEFAULT)
    assert path.read_bytes() == before
    assert [child.name for child in tmp_path.iterdir()] == [path.name]
    result = normalized(path, WHEEL._replace(rebuild_record=True))
    assert "W001" in codes(result)


def test_signatures_are_refused_or_dropped(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, [*members(), Member(f"{RECORD}.jws", b"{}")])
    with pytest.raises(SignatureError):
        rewrite(path, path, WHEEL, DEFAULT)
    result = normalized(path, WHEEL._replace(drop_signatures=True))
    assert "W006" in codes(result)
    assert f"{RECORD}.jws" not in unpack_wheel(path)


@pytest.mark.parametrize("stored", ["sha384", "sha512"])
def test_stronger_digests_are_verified_too(tmp_path: Path, stored: str) -> None:
    path = write_wheel(tmp_path, members(record=record_of(FILES, stored)))
    result = normalized(path)
    assert "W010" in codes(result)
    write_wheel(tmp_path, members(record=record_of({**FILES, "demo_pkg/tool.py": b"other"}, stored)))
    with pytest.raises(RecordError, match=f"tool.py: RECORD gives {stored}="):
        rewrite(path, path, WHEEL, DEFAULT)


@pytest.mark.parametrize(
    ("given", "name", "problem"),
    [
        (members(), "other-1.0-py3-none-any.whl", "belongs to another name or version"),
        (members(), "demo_pkg.whl", "not the file name of a wheel"),
        ([Member("a.py")], wheels.WHEEL_NAME, r"no \.dist-info directory"),
        ([*members(), Member("x-1.dist-info", kind=Kind.DIRECTORY)], wheels.WHEEL_NAME, r"2 \.dist-info directories"),
        ([*members(), Member("x-1.dist-info")], wheels.WHEEL_NAME, r"2 \.dist-info directories"),
        ([*members(), Member("x-1.dist-info/RECORD")], wheels.WHEEL_NAME, r"2 \.dist-info directories"),
        ([*members(), Member("link", kind=Kind.SYMLINK, target="x")], wheels.WHEEL_NAME, "'link': is a symbolic link"),
    ],
)
def test_wheels_of_another_layout_are_refused(tmp_path: Path, given: list[Member], name: str, problem: str) -> None:
    path = write_wheel(tmp_path, given, name)
    with pytest.raises(ArchiveError, match=problem) as caught:
        rewrite(path, path, WHEEL, DEFAULT)
    assert name in caught.value.message
    assert caught.value.remedy


def test_an_empty_sdist_is_refused(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, [Member(TOP, kind=Kind.DIRECTORY)])
    with pytest.raises(ArchiveError, match="no file in a top directory"):
        rewrite(path, path, SDIST, DEFAULT)


@pytest.mark.parametrize("others", [[], ["PKG-INFO.txt", "Pipfile"]])
def test_an_sdist_in_which_an_index_finds_no_pkg_info_is_refused(tmp_path: Path, others: list[str]) -> None:
    """An index takes what all names have in common for the top directory, letter by letter, and looks for PKG-INFO."""
    files = [Member(f"{TOP}/{name}", b"Name: demo\n") for name in ["PKG-INFO", *others]]
    path = write_sdist(tmp_path, [Member(TOP, kind=Kind.DIRECTORY), *files])
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="without PKG-INFO, or with nothing beside it"):
        rewrite(path, path, SDIST, DEFAULT)
    assert path.read_bytes() == before
    for name in ("setup.py", "p", "PKG-INFO/x"):
        path = write_sdist(tmp_path, [Member(f"{TOP}/{name}", b"x")])
        with pytest.raises(ArchiveError, match="without PKG-INFO"):
            rewrite(path, path, SDIST, DEFAULT)
    path = write_sdist(tmp_path, [Member(f"{TOP}/PKG-INFO", kind=Kind.DIRECTORY), Member(f"{TOP}/setup.py", b"x")])
    with pytest.raises(ArchiveError, match="without PKG-INFO"):
        rewrite(path, path, SDIST, DEFAULT)


def test_a_change_that_nobody_names_is_found_by_the_proof(tmp_path: Path) -> None:
    def spoil(archive: Archive, _: Context) -> PassOutcome:
        entry = archive.entries[0]
        changed = entry._replace(content=archive.entries[1].content)
        return PassOutcome(archive._replace(entries=(changed, *archive.entries[1:])))

    path = write_wheel(tmp_path)
    before = path.read_bytes()
    spoiling = Pass("W900", "spoil", "", spoil, also_in_sdists=True)
    with pytest.raises(OutputError, match="does not hold the same files"):
        rewrite(path, path, WHEEL, [DEFAULT[0], spoiling, *DEFAULT[1:]], prove=True)
    assert path.read_bytes() == before


def test_the_payload_proof_sees_modes_and_leaves_out_what_is_named(tmp_path: Path) -> None:
    proofs = []
    for number, (mode, record, data) in enumerate(
        [(0o644, None, FILES), (0o664, record_of(dict(reversed(FILES.items()))), FILES), (0o755, None, FILES)]
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        path = write_wheel(directory, [Member(m.name, m.data, mode) for m in members(data, record)])
        proofs.append(rewrite(path, None, WHEEL, DEFAULT, prove=True).payload_after)
    assert proofs[0] == proofs[1]
    assert proofs[0] != proofs[2]


def test_links_and_empty_directories_stay_in_an_sdist(tmp_path: Path) -> None:
    given = [
        *sources(),
        Member(f"{TOP}/link", kind=Kind.SYMLINK, target="pyproject.toml", mode=0o755),
        Member(f"{TOP}/empty", kind=Kind.DIRECTORY, mode=0o700),
    ]
    path = write_sdist(tmp_path, given)
    result = normalized(path)
    assert result.payload_before == result.payload_after
    with open_archive(path) as archive:
        found = {entry.name: (entry.kind, entry.mode, entry.target) for entry in archive.entries}
    assert found[f"{TOP}/link"] == (Kind.SYMLINK, 0o777, "pyproject.toml")
    assert found[f"{TOP}/empty"] == (Kind.DIRECTORY, 0o755, "")


def test_names_that_differ_in_case_are_noted(tmp_path: Path) -> None:
    path = write_sdist(tmp_path, [*sources(), Member(f"{TOP}/PYPROJECT.toml")])
    result = normalized(path)
    assert [note.code for note in result.notes] == ["T010"]
    assert "T010" not in codes(result)


@pytest.mark.parametrize(
    ("name", "kind"), [("a-1-py3-none-any.whl", "wheel"), ("a-1.tar.gz", "sdist"), ("deep.zip/a-1.tar.gz", "sdist")]
)
def test_kinds_are_told_by_name(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        (
            "a-1.zip",
            r"\.zip form are not supported: convert it to \.tar\.gz",
            "unzip a-1.zip && tar -czf a-1.tar.gz a-1",
        ),
        ("a-1.tar.bz2", r"\.tar\.bz2 form are not supported", "tar -xf a-1.tar.bz2 && tar -czf a-1.tar.gz a-1"),
        ("a-1.tgz", r"\.tgz form are not supported", "tar -czf a-1.tar.gz a-1"),
        ("a-1-py3.9.egg", "eggs are not supported", "wheel convert a-1-py3.9.egg"),
        ("a-1.exe", "neither a wheel", "Name a wheel"),
        ("a-1.WHL", "neither a wheel", "Name a wheel"),
        ("whl", "neither a wheel", "Name a wheel"),
    ],
)
def test_other_kinds_are_refused_with_a_way_out(name: str, problem: str, remedy: str) -> None:
    with pytest.raises(ArchiveError, match=problem) as caught:
        kind_of(Path("dist", name))
    assert str(Path("dist", name)) in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("write", [write_wheel, write_sdist])
def test_missing_and_broken_files_are_clear_errors(tmp_path: Path, write: object) -> None:
    path: Path = write(tmp_path)  # type: ignore[operator]
    path.write_bytes(path.read_bytes()[:-30])
    context = Context(DATE, kind_of(path))
    for act in (lambda: rewrite(path, path, context, DEFAULT), lambda: date_of(path)):
        with pytest.raises(ArchiveError):
            act()
    path.unlink()
    with pytest.raises(ArchiveError):
        rewrite(path, path, context, DEFAULT)
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_the_temporary_file_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    small = write_wheel(tmp_path)
    with pytest.raises(OutputError, match="cannot be written to a temporary file") as caught:
        rewrite(small, small, WHEEL, DEFAULT, prove=True)
    assert "TMPDIR" in caught.value.remedy
    assert rewrite(small, small, WHEEL, DEFAULT).changes, "without a proof it needs no temporary file"
    large = write_wheel(tmp_path, members({**FILES, "demo/data.bin": os.urandom(HELD)}))
    with pytest.raises(OutputError, match="cannot be written to a temporary file"):
        rewrite(large, large, WHEEL, DEFAULT)


def test_a_target_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with pytest.raises(OutputError):
        rewrite(path, tmp_path / "missing" / path.name, WHEEL, DEFAULT)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((DATE, DATE), DATE),
        ((DATE, DATE + 2), None),
        ((0, 0), 0),
        ((-1, -1), None),
        ((1.5, 1.5), None),
    ],
)
def test_the_date_is_the_members_if_all_agree(tmp_path: Path, times: tuple[float, float], expected: int | None) -> None:
    given = [Member(f"{TOP}/{number}", mtime=mtime) for number, mtime in enumerate(times)]
    given.append(Member(f"{TOP}/empty", kind=Kind.DIRECTORY, mtime=5))
    assert date_of(write_sdist(tmp_path, given)) == expected


def test_the_date_of_a_wheel_is_read_as_utc(tmp_path: Path) -> None:
    given = [Member(m.name, m.data, mtime=DATE) for m in members()]
    assert date_of(write_wheel(tmp_path, given)) == DATE
    assert date_of(write_wheel(tmp_path, [*given, Member("late", mtime=OLD)])) is None


def test_canonical_files_agree_on_their_date(tmp_path: Path) -> None:
    for path in (write_wheel(tmp_path), write_sdist(tmp_path)):
        normalized(path)
        assert date_of(path) == DATE


def test_prepared_metadata_becomes_what_the_wheel_will_hold() -> None:
    files = {
        f"{INFO}/METADATA": b"Name: a\nMetadata-Version: 2.1\nRequires-Dist: b\nRequires-Dist: a\n",
        f"{INFO}/WHEEL": b"Tag: b\nTag: a\n",
        f"{INFO}/top_level.txt": b"b\na\n",
        f"{INFO}/entry_points.txt": b"[b]\n[a]\n",
        f"{INFO}/RECORD": b"whatever\n",
    }
    found = normalize_files(files, WHEEL, ALL)
    assert found == {
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: a\nRequires-Dist: a\nRequires-Dist: b\n",
        f"{INFO}/WHEEL": b"Tag: a\nTag: b\n",
        f"{INFO}/top_level.txt": b"a\nb\n",
        f"{INFO}/entry_points.txt": b"[b]\n[a]\n",
        f"{INFO}/RECORD": b"whatever\n",
    }
    assert normalize_files(found, WHEEL, ALL) == found
    assert normalize_files(files, WHEEL, [by_code("Z001")]) == files


def test_contents_are_readable_while_the_archive_is_open(tmp_path: Path) -> None:
    with open_archive(write_sdist(tmp_path)) as archive:
        assert [read_all(entry.content) for entry in archive.entries] == [member.data for member in sources()]


@needs_open_files_moved
@pytest.mark.parametrize("new", [b"built meanwhile", None])
@pytest.mark.parametrize("through_link", [True, False])
def test_what_took_the_files_place_meanwhile_is_not_overwritten(
    through_link: bool, new: bytes | None, tmp_path: Path
) -> None:
    path = write_wheel(tmp_path, untidy())
    named = path
    if through_link:
        named = tmp_path / "link" / path.name
        named.parent.mkdir()
        named.symlink_to(path)

    def build(archive: Archive, _: Context) -> PassOutcome:
        if new is None:
            path.unlink()
        else:
            path.with_name("new").write_bytes(new)
            path.with_name("new").replace(path)
        return PassOutcome(archive)

    passes = (DEFAULT[0]._replace(run=build), *DEFAULT[1:])
    with pytest.raises(OutputError, match="was replaced, changed or removed since it was read"):
        rewrite(named, named, WHEEL, passes)
    assert (path.read_bytes() if path.exists() else None) == new
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ([] if new is None else [path.name])
