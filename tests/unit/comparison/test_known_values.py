"""What two builds are known to have had is recognized in what they wrote, and only where both had it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.cause import NO_CLUES
from samebytes_tools.comparison.causes.table import codes
from samebytes_tools.comparison.model import UNKNOWN_BUILD, UNKNOWN_BUILDS, KnownBuild, KnownBuilds
from samebytes_tools.comparison.observations import TextPair
from support.wheels import FILES, members, write_wheel

COMMIT = "8f3d2c1b0a9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c"

# 2026-11-30 03:36:00 and 2028-01-04 08:43:00 UTC
FIRST = KnownBuild(
    dates=(1796009760,),
    umask=0o022,
    locale="C.UTF-8",
    host="alpha",
    commit=COMMIT,
    columns=80,
    variables={"PATH": "/usr/bin:/bin", "TERM": "dumb"},
)
SECOND = KnownBuild(
    dates=(1830588180, 1_500_000_000),
    file_dates=(1_500_000_000, 1_531_536_000),
    owner="12345",
    umask=0o077,
    locale="de_DE",
    host="betazoid",
    columns=201,
    variables={"PATH": "/usr/bin:/bin:/srv/programs", "TERM": "xterm-256color"},
)

CASES = [
    # Of PEP 440, of the calendar, and counted
    ("demo 2026.11.30", "demo 2028.1.4", "D005"),
    ("demo 26.11.30", "demo 28.1.4", "D005"),
    ("v = '2026.334'", "v = '2028.4'", "D099"),  # %j has three digits
    ("v = '2026.334'", "v = '2028.004'", "D005"),
    ("1.0.dev20261130", "1.0.dev20280104", "D005"),
    ("data-20261130.txt", "data-20280104.txt", "D005"),
    ("DAY = 739950", "DAY = 740350", "D005"),
    ("DAY = 20787", "DAY = 21187", "D005"),
    ("in 2026-W49", "in 2028-W01", "D005"),
    ("on a Monday in November", "on a Tuesday in January", "D005"),
    ("(c) 2019-26 Ada", "(c) 2019-28 Ada", "D005"),
    # In the second build only files are of 2017.
    ("updated 2026-10-01T10:11:12", "updated 2017-07-14T02:56:40", "D011"),
    ("updated 2026-10-01", "updated 2017-07-14", "D011"),
    ("mtime 1790000000", "mtime 1500001000", "D011"),
    ("0o100644", "0o100600", "D010"),
    ("mode 755 of it", "mode 700 of it", "D010"),
    ("33188", "33152", "D010"),
    ("-rwxr-xr-x demo", "-rwx------ demo", "D010"),
    ("-rw-r--r-- demo", "-rwx------ demo", "D099"),
    ("0o644", "0o755", "D099"),
    ("of 0", "of 12345", "D012"),
    ("3.14", "3,14", "D006"),
    (f"'{COMMIT}'", "'unknown'", "D016"),
    (f"at {COMMIT[:9]}-dirty", "at nothing", "D016"),
    ("PATH is /usr/bin:/bin", "PATH is /usr/bin:/bin:/srv/programs", "D027"),
    ("on alpha.cfg", "on betazoid.cfg", "D004"),
    ("COLUMNS: 80", "COLUMNS: 201", "D029"),
    ("term dumb", "term xterm-256color", "D029"),
    ("term dumb", "term vt100", "D099"),
]


@pytest.mark.parametrize(("left", "right", "code"), CASES, ids=[f"{left} -> {right}" for left, right, _ in CASES])
def test_a_value_of_both_builds_shows_its_cause(left: str, right: str, code: str) -> None:
    seen = TextPair(left.encode(), right.encode())
    assert codes(seen, NO_CLUES._replace(builds=(FIRST, SECOND))) == (code,)


OF_NOBODY = [
    ("demo 2026.11.30", "demo 2028.1.4"),
    ("1.0.dev20261130", "1.0.dev20280104"),
    ("DAY = 739950", "DAY = 740350"),
    ("on a Friday", "on a Thursday"),
    ("(c) 2019-26 Ada", "(c) 2019-28 Ada"),
    ("0o100644", "0o100600"),
    ("of 0", "of 12345"),
    ("3.14", "3,14"),
    (f"'{COMMIT}'", "'unknown'"),
]


@pytest.mark.parametrize("builds", [UNKNOWN_BUILDS, (SECOND, FIRST)], ids=["unknown", "the other way round"])
@pytest.mark.parametrize(("left", "right"), OF_NOBODY)
def test_a_value_of_neither_build_shows_nothing(left: str, right: str, builds: KnownBuilds) -> None:
    if left == "3.14" and builds != UNKNOWN_BUILDS:
        builds = (FIRST, replace(SECOND, locale=FIRST.locale))
    seen = TextPair(left.encode(), right.encode())
    assert codes(seen, NO_CLUES._replace(builds=builds)) == ("D099",)


@pytest.mark.parametrize(
    ("left", "right", "builds", "causes"),
    [
        ("data-20261130.txt", "data-20280104.txt", (FIRST, SECOND), ("D005",)),
        ("alpha.cfg", "betazoid.cfg", (FIRST, SECOND), ("D004",)),
        ("alpha.cfg", "betazoid.cfg", (FIRST, UNKNOWN_BUILD), ("D099",)),
        ("alpha.cfg", "betazoid.cfg", UNKNOWN_BUILDS, ("D099",)),
        ("one.cfg", "two.cfg", (FIRST, SECOND), ("D099",)),
    ],
)
def test_a_name_of_a_file_shows_what_it_holds(
    left: str, right: str, builds: KnownBuilds, causes: tuple[str, ...], tmp_path: Path
) -> None:
    sides = []
    for name in (left, right):
        (tmp_path / name).mkdir()
        sides.append(write_wheel(tmp_path / name, members({**FILES, f"demo_pkg/{name}": b"x\n"})))
    assert compare_files(*sides, builds).causes == causes


def test_a_variable_that_holds_the_name_of_the_user_shows_that() -> None:
    """In one build the name may be too short to be looked for as a value of a variable."""
    first = replace(FIRST, user="ada", variables={"LOGNAME": "ada"})
    second = replace(SECOND, user="somebody-else", variables={"LOGNAME": "somebody-else"})
    seen = TextPair(b"compiled by ada@alpha", b"compiled by somebody-else@betazoid")
    assert codes(seen, NO_CLUES._replace(builds=(first, second))) == ("D003", "D004")


@pytest.mark.parametrize(
    ("right", "code"),
    [
        ("naïve".encode("iso8859-1"), "D006"),
        (b"na?ve", "D099"),
        ("naive".encode("iso8859-1"), "D099"),
        ("naîve".encode("iso8859-1"), "D099"),
    ],
)
def test_a_text_in_the_encoding_of_the_locale(right: bytes, code: str) -> None:
    for builds, expected in (((FIRST, SECOND), code), ((FIRST, FIRST), "D099"), (UNKNOWN_BUILDS, "D099")):
        assert codes(TextPair("naïve".encode(), right), NO_CLUES._replace(builds=builds)) == (expected,)
