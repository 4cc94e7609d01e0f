"""W001 and W010: a wrong RECORD never passes, and the one written is of the very bytes written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from support import wheels
from support.wheels import DATE, INFO, RECORD, Member, archive, record_of, spelt

from samebytes.archive.entry import Archive, Data, Deferred, Entry, Kind, Written, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import RecordError
from samebytes.passes import by_code
from samebytes.passes.model import Change, Context, PassOutcome

WHEEL = Context(DATE, ArtifactKind.WHEEL)
REBUILD = WHEEL._replace(rebuild_record=True)
TOOL = "demo_pkg/tool.py"
FILES = dict(sorted(wheels.FILES.items()))
TRUE = record_of(FILES)


def write(entries: Sequence[Entry]) -> tuple[dict[str, bytes], tuple[Written, ...]]:
    """Do what a writer does with contents: read them in turn, once, and make the deferred ones when they come."""
    contents: dict[str, bytes] = {}
    written: list[Written] = []
    for entry in entries:
        content = entry.content
        data = content.make(tuple(written)) if isinstance(content, Deferred) else read_all(content)
        contents[entry.name] = data
        written.append(Written(entry.name, len(data), hashlib.sha256(data).digest(), 0, 0))
    return contents, tuple(written)


def run(given: Archive, context: Context = WHEEL, **replaced: bytes) -> tuple[dict[str, bytes], list[Change]]:
    """Verify, rewrite some files as other passes do, finish, write, and return contents and all changes."""
    first = by_code("W001").run(given, context)
    entries = tuple(
        entry._replace(content=Data(replaced["tool"])) if "tool" in replaced and entry.name == TOOL else entry
        for entry in first.archive.entries
    )
    last = by_code("W010").run(first.archive._replace(entries=entries), context)
    contents, written = write(last.archive.entries)
    assert last.late is not None
    return contents, [*first.changes, *last.changes, *last.late(written)]


def members(record: bytes = TRUE, files: dict[str, bytes] = FILES) -> list[Member]:
    return wheels.members(files, record)


def wheel(record: bytes = TRUE, files: dict[str, bytes] = FILES) -> Archive:
    return archive(members(record, files))


def canonical(files: dict[str, bytes]) -> bytes:
    return record_of(dict(sorted(files.items(), key=lambda item: item[0].encode())))


def test_a_true_record_passes_and_is_canonical_the_second_time() -> None:
    contents, changes = run(wheel())
    assert contents[RECORD] == canonical(FILES)
    assert changes == []
    again, changes = run(wheel(contents[RECORD]))
    assert again == contents
    assert changes == []


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        (TRUE.replace(b"\n", b"\r\n"), "line ends -> LF"),
        (b"".join(TRUE.splitlines(True)[::-1]), "rows in another order -> sorted by name"),
        (TRUE + b"demo_pkg/,,\n", "0 of 5 rows written anew, 1 dropped"),
        (record_of(FILES, "sha512"), "4 of 5 rows written anew"),
        (TRUE.replace(b",15\n", b",\n"), "1 of 5 rows written anew"),
    ],
)
def test_true_records_of_other_forms_become_canonical(record: bytes, detail: str) -> None:
    contents, changes = run(wheel(record))
    assert contents[RECORD] == canonical(FILES)
    assert changes == [Change("W010", RECORD, detail)]


def test_files_that_passes_rewrote_are_verified_as_they_were() -> None:
    contents, changes = run(wheel(), tool=b"new")
    assert contents[RECORD] == canonical({**FILES, TOOL: b"new"})
    assert [change.code for change in changes] == ["W010"]
    damaged = {**FILES, TOOL: b"damaged"}
    with pytest.raises(RecordError, match=r"tool\.py"):
        run(wheel(TRUE, damaged), tool=b"new")


def test_files_that_passes_dropped_are_verified_too() -> None:
    given = wheel(record_of({**FILES, ".source-date-epoch": b"1\n"}), {**FILES, ".source-date-epoch": b"2\n"})
    first = by_code("W001").run(given, WHEEL)
    dropped = by_code("W005").run(first.archive, WHEEL)
    last = by_code("W010").run(dropped.archive, WHEEL)
    with pytest.raises(RecordError, match=r"\.source-date-epoch: RECORD gives"):
        write(last.archive.entries)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_damage_is_found_by_every_algorithm(algorithm: str) -> None:
    given = wheel(record_of(FILES, algorithm), {**FILES, TOOL: b"print('hellO')\n"})
    with pytest.raises(RecordError) as caught:
        run(given)
    old, new = spelt(FILES[TOOL], algorithm), spelt(b"print('hellO')\n", algorithm)
    assert caught.value.message == (
        "demo_pkg-1.0-py3-none-any.whl: RECORD does not agree with the files (one mismatch):\n"
        f"    {TOOL}: RECORD gives {old}, the file has {new}"
    )
    assert "--rebuild-record" in caught.value.remedy


WRONG = {
    "a wrong size": (TRUE.replace(b",15\n", b",16\n"), TOOL, "RECORD gives 16 bytes, the file has 15"),
    "an unlisted file": (record_of({k: v for k, v in FILES.items() if k != TOOL}), TOOL, "RECORD does not list it"),
    "a missing file": (record_of({**FILES, "gone.py": b""}), "gone.py", "RECORD lists it, the wheel has no such file"),
    "a file listed twice": (TRUE + f"{TOOL},{spelt(FILES[TOOL])},15\n".encode(), TOOL, "RECORD lists it twice"),
    "a weak digest": (
        TRUE.replace(spelt(FILES[TOOL]).encode(), b"md5=x"),
        TOOL,
        "RECORD gives md5=x, which is not one",
    ),
    "no digest": (TRUE.replace(spelt(FILES[TOOL]).encode(), b""), TOOL, "RECORD gives no digest"),
    "backslashes": (TRUE.replace(b"demo_pkg/tool", b"demo_pkg\\tool"), "demo_pkg\\tool.py", "spells its name with"),
    "no text": (b"\xff", RECORD, "it is not UTF-8"),
    "nothing": (b"", TOOL, "RECORD does not list it"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_record_is_an_error_unless_it_is_rebuilt(case: str) -> None:
    record, name, detail = WRONG[case]
    with pytest.raises(RecordError) as caught:
        run(wheel(record))
    assert f"{name}: " in caught.value.message
    assert detail in caught.value.message
    contents, changes = run(wheel(record), REBUILD)
    assert contents[RECORD] == canonical(FILES)
    found = [change for change in changes if change.code == "W001"]
    assert any(change.member == name and detail in change.detail for change in found)
    assert run(wheel(contents[RECORD])) == (contents, [])


def test_all_mismatches_are_told_but_no_more_than_twenty() -> None:
    files = {**FILES, **{f"pkg/{number:02}.py": b"" for number in range(30)}}
    record = record_of({name: data + b"x" if name.startswith("pkg/") else data for name, data in files.items()})
    record += b"gone.py,,\n"
    with pytest.raises(RecordError, match=r"\(32 mismatches\)") as caught:
        run(wheel(record, files))
    assert caught.value.message.count("\n") == 21
    assert caught.value.message.endswith("... and 12 more")
    _, changes = run(wheel(record, files), REBUILD)
    assert len([change for change in changes if change.code == "W001"]) == 32


def test_a_missing_record_is_an_error_unless_it_is_rebuilt() -> None:
    given = archive(members()[:-1])
    with pytest.raises(RecordError, match=f"there is no {RECORD}") as caught:
        run(given)
    assert "--rebuild-record" in caught.value.remedy
    contents, changes = run(given, REBUILD)
    assert contents[RECORD] == canonical(FILES)
    assert changes == [Change("W001", RECORD, "there is none -> written from the files")]


def test_directories_have_no_rows_and_may_be_listed() -> None:
    given = [Member("demo_pkg", kind=Kind.DIRECTORY), *members(TRUE + b"demo_pkg,,\n")]
    contents, changes = run(archive(given))
    assert contents[RECORD] == TRUE
    assert changes == [Change("W010", RECORD, "0 of 5 rows written anew, 1 dropped")]


def test_signatures_need_no_rows() -> None:
    first = by_code("W001").run(archive([*members(), Member(f"{INFO}/RECORD.jws", b"{}")]), WHEEL)
    assert first.changes == ()


def test_record_is_made_last_wherever_it_stood() -> None:
    given = members()
    contents, changes = run(archive([given[-1], *given[:-1]]))
    assert list(contents)[-1] == RECORD
    assert contents[RECORD] == canonical(FILES)
    assert changes == [Change("W010", RECORD, "moved to the end, to be written last")]


def test_a_record_alone_is_written_without_verification() -> None:
    """W010 can run by itself, as in a sequence of passes that a caller chose; it must not lose the files then."""
    outcome: PassOutcome = by_code("W010").run(wheel(b""), WHEEL)
    assert write(outcome.archive.entries)[0][RECORD] == canonical(FILES)
