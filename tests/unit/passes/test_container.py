"""Order, times, modes, owners and entries of the container: each rule on archives in memory, run twice."""

from __future__ import annotations

import pytest
from support.wheels import DATE, INFO, RECORD, SDIST_NAME, TOP, Member, archive, members, sources

from samebytes.archive.entry import Archive, Aspect, Deviation, Kind, Owner
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError
from samebytes.passes import ALL, by_code
from samebytes.passes.container import CODES, executable, zip_date
from samebytes.passes.model import Context, PassOutcome
from samebytes.passes.pipeline import run

WHEEL = Context(DATE, ArtifactKind.WHEEL)
SDIST = Context(DATE, ArtifactKind.SDIST)


def once(code: str, given: Archive, context: Context) -> PassOutcome:
    """Run one pass, demand that it applies and that a second run changes nothing, and return the first outcome."""
    one = by_code(code)
    assert one.applies(context)
    outcome = one.run(given, context)
    again = one.run(outcome.archive, context)
    assert again.changes == ()
    assert again.archive.entries == outcome.archive.entries
    return outcome


def names(given: Archive) -> list[str]:
    return [entry.name for entry in given.entries]


def test_a_wheels_payload_comes_first_and_record_last() -> None:
    given = [Member(name) for name in (RECORD, "b.py", f"{INFO}/WHEEL", "é.py", "zz.py", f"{INFO}/a", "B.py")]
    outcome = once("Z001", archive(given), WHEEL)
    assert names(outcome.archive) == ["B.py", "b.py", "zz.py", "é.py", f"{INFO}/WHEEL", f"{INFO}/a", RECORD]
    assert [tuple(change) for change in outcome.changes] == [
        ("Z001", "", f"first out of place: {RECORD}, position 1 -> 7")
    ]


def test_only_the_one_dist_info_directory_comes_last() -> None:
    given = [Member(name) for name in ("a.dist-info.py", f"{INFO}x", "z/a.dist-info/METADATA", f"{INFO}/A", RECORD)]
    assert once("Z001", archive(given), WHEEL).changes == ()


def test_an_sdist_is_sorted_by_the_bytes_of_the_names() -> None:
    given = [Member(f"{TOP}/{name}") for name in ("a/b", "a-b", "a", "é", "B")]
    outcome = once("T001", archive(given), SDIST)
    assert names(outcome.archive) == [f"{TOP}/{name}" for name in ("B", "a", "a-b", "a/b", "é")]
    assert outcome.changes[0].detail == f"first out of place: {TOP}/a/b, position 1 -> 4"


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (0, 315532800),
        (315532800, 315532800),
        (DATE + 1, DATE),
        (DATE, DATE),
        (4354819199, 4354819198),
        (10**11, 4354819198),
    ],
)
def test_zips_dates_are_even_and_clamped(date: int, expected: int) -> None:
    assert zip_date(date) == expected


def test_times_become_the_date() -> None:
    outcome = once("Z002", archive([Member("a"), Member("b", mtime=DATE)]), WHEEL._replace(date=DATE + 1))
    assert [entry.mtime for entry in outcome.archive.entries] == [DATE, DATE]
    assert [tuple(change) for change in outcome.changes] == [
        ("Z002", "a", "time 2024-05-01 10:11:12 -> 2023-11-14 22:13:20")
    ]


@pytest.mark.parametrize(
    ("mtime", "shown"),
    [
        (DATE + 0.25, "2023-11-14 22:13:20.25"),
        (-0.5, "1969-12-31 23:59:59.5"),
        (1e18, "1e+18 s"),
        (DATE + 1, "2023-11-14 22:13:21"),
    ],
)
def test_an_sdists_times_are_whole_and_not_clamped(mtime: float, shown: str) -> None:
    outcome = once("T002", archive([Member("t/a", mtime=mtime)]), Context(3, ArtifactKind.SDIST))
    assert outcome.archive.entries[0].mtime == 3
    assert outcome.changes[0].detail == f"time {shown} -> 1970-01-01 00:00:03"


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("a.py", 0o664, 0o644),
        ("a.py", 0o600, 0o644),
        ("a.sh", 0o655, 0o755),
        ("a.sh", 0o645, 0o755),
        ("a.sh", 0o700, 0o755),
        ("a.sh", 0o4755, 0o755),
        ("a.py", 0, 0o644),
        ("d-1.data/scripts/run", 0o644, 0o755),
        ("d-1.data/scripts/run", 0, 0o755),
        ("d-1.data/data/run", 0o644, 0o644),
    ],
)
def test_a_wheels_files_are_executable_or_not(name: str, mode: int, expected: int) -> None:
    outcome = once("Z003", archive([Member(name, mode=mode)]), WHEEL)
    assert outcome.archive.entries[0].mode == expected
    details = [] if mode == expected else [f"mode {mode:04o} -> {expected:04o}"]
    assert [change.detail for change in outcome.changes] == details


def test_in_an_sdist_a_scripts_directory_means_nothing() -> None:
    (entry,) = archive([Member("d-1.data/scripts/run")]).entries
    assert executable(entry, ArtifactKind.WHEEL)
    assert not executable(entry, ArtifactKind.SDIST)


def test_an_sdists_modes_go_by_kind() -> None:
    given = [
        Member("t/a", mode=0o600),
        Member("t/b", mode=0o744),
        Member("t/c", mode=0o700, kind=Kind.DIRECTORY),
        Member("t/d", mode=0o755, kind=Kind.SYMLINK, target="a"),
    ]
    outcome = once("T003", archive(given), SDIST)
    assert [entry.mode for entry in outcome.archive.entries] == [0o644, 0o755, 0o755, 0o777]
    assert outcome.changes[3].detail == "mode 0755 -> 0777"


def test_owners_are_nobody() -> None:
    given = archive([Member("t/a"), Member("t/b")])
    owners = [Owner(1000, 100, "jane", "users"), Owner(0, 5)]
    given = given._replace(entries=tuple(e._replace(owner=o) for e, o in zip(given.entries, owners)))
    outcome = once("T004", given, SDIST)
    assert [entry.owner for entry in outcome.archive.entries] == [Owner(), Owner()]
    assert [change.detail for change in outcome.changes] == [
        "owner 1000:100 (jane:users) -> 0:0",
        "owner 0:5 -> 0:0",
    ]


def test_a_wheel_has_no_directory_entries() -> None:
    given = [Member("pkg", kind=Kind.DIRECTORY), Member("pkg/a.py"), Member("empty", kind=Kind.DIRECTORY)]
    outcome = once("Z004", archive(given), WHEEL)
    assert names(outcome.archive) == ["pkg/a.py"]
    assert [change.member for change in outcome.changes] == ["pkg", "empty"]


def test_an_sdist_has_entries_for_empty_directories_only() -> None:
    given = [
        Member("t", kind=Kind.DIRECTORY),
        Member("t/full", kind=Kind.DIRECTORY),
        Member("t/full/deep", kind=Kind.DIRECTORY),
        Member("t/full/deep/empty", kind=Kind.DIRECTORY),
        Member("t/full-not", kind=Kind.DIRECTORY),
    ]
    outcome = once("T005", archive(given), SDIST)
    assert names(outcome.archive) == ["t/full/deep/empty", "t/full-not"]
    assert [change.member for change in outcome.changes] == ["t", "t/full", "t/full/deep"]


def test_of_members_given_twice_the_last_counts() -> None:
    given = archive([Member("t/a", b"1"), Member("t/b"), Member("t/a", b"1"), Member("t/a", b"3")])
    outcome = once("T006", given, SDIST)
    assert outcome.archive.entries == given.entries[1:2] + given.entries[3:]
    assert [change.member for change in outcome.changes] == ["t/a", "t/a"]


def test_names_that_differ_in_case_are_a_note() -> None:
    given = archive([Member("t/Read"), Member("t/a"), Member("t/READ")])
    outcome = once("T010", given, SDIST)
    assert outcome.archive is given
    assert [tuple(note) for note in outcome.notes] == [("T010", "t/READ", "is t/Read where case does not count")]


@pytest.mark.parametrize("aspect", Aspect)
def test_what_a_reader_noted_is_reported_once_by_the_code_that_is_for_it(aspect: Aspect) -> None:
    of_member, of_all = ((Deviation(aspect, where),) for where in ("of a member", "of all"))
    given = archive([Member("t/a", mtime=DATE), Member("t/b", mtime=DATE)])
    odd = given.entries[1]._replace(deviations=of_member)
    given = given._replace(entries=(given.entries[0], odd), deviations=of_all)
    code = CODES[aspect]
    context = WHEEL if code.startswith("Z") else SDIST
    assert by_code(code).applies(context)
    outcomes = run(given, context, [one for one in ALL if one.code[0] in "ZTG" and one.code != "Z001"])
    changes = [tuple(change) for outcome in outcomes for change in outcome.changes]
    assert changes == [(code, "", "of all"), (code, "t/b", "of a member")]
    last = outcomes[-1].archive
    assert last.deviations == ()
    assert not any(entry.deviations for entry in last.entries)


def test_the_order_of_a_wheel_without_metadata_is_an_error() -> None:
    with pytest.raises(ArchiveError, match=r"no \.dist-info directory"):
        by_code("Z001").run(archive([Member("a.py")]), WHEEL)


def test_no_pass_of_one_kind_applies_to_the_other() -> None:
    for one in ALL:
        if one.code[0] in "ZPC" or (one.code[0] == "W" and one.code != "W100"):
            assert (one.applies(WHEEL), one.applies(SDIST)) == (True, False), one.code
        elif one.code != "W100":
            assert (one.applies(WHEEL), one.applies(SDIST)) == (False, True), one.code


def test_a_canonical_container_is_left_alone() -> None:
    for given, context in ((archive(members()), WHEEL), (archive(sources(), SDIST_NAME), SDIST)):
        date = zip_date(DATE)
        canonical = given._replace(entries=tuple(entry._replace(mtime=date) for entry in given.entries))
        for one in ALL:
            if one.code[0] in "ZTG" and one.applies(context):
                assert one.run(canonical, context) == PassOutcome(canonical), one.code
