"""The verdicts hold what they say: held against really normalizing, for whatever two archives there are."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.causes.table import by_code, codes
from samebytes_tools.comparison.formats.marshalled import changes
from samebytes_tools.comparison.model import Comparison, Verdict
from samebytes_tools.comparison.observations import TextPair
from support.examples import examples
from support.wheels import (
    INFO,
    METADATA,
    RECORD,
    TOP,
    WHEEL,
    Member,
    record_of,
    write_sdist,
    write_wheel,
)

from samebytes.archive.entry import Kind
from samebytes.artifact.marshal_reader import NotMarshalError
from samebytes.artifact.opening import kind_of
from samebytes.errors import RecordError, SignatureError
from samebytes.passes import DEFAULT
from samebytes.passes.model import Context
from samebytes.passes.pipeline import rewrite

FEW = settings(max_examples=examples(60), deadline=None)
DATE = 1_600_000_000

BODIES = st.one_of(
    st.sampled_from([b"", b"a", b"X = 1\n", b"b\na\n", b"a\nb\n", b"a\r\nb\r\n"]), st.binary(max_size=20)
)
FIELDS = st.lists(
    st.sampled_from([b"Requires-Dist: b", b"Requires-Dist: a", b"Classifier: x", b"License: MIT", b"Keywords: k\r"]),
    max_size=4,
).map(lambda lines: b"".join(line + b"\n" for line in lines))
TAGS = st.lists(st.sampled_from([b"Tag: py2-none-any", b"Generator: other 2", b"Build: 1"]), max_size=3).map(
    lambda lines: WHEEL + b"".join(line + b"\n" for line in lines)
)
SBOM = b'{"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:%s", "components": [{"name": "a"}]}'
SERIALS = st.sampled_from([b"11111111-2222-3333-4444-555555555555", b"99999999-2222-3333-4444-555555555555"])
PYC_HEADS = st.sampled_from([b"\0\0\0\0\1\2\3\4\6\0\0\0", b"\0\0\0\0\4\3\2\1\6\0\0\0", b"\0\0\0\0\1\2\3\4\5\0\0\0"])


@st.composite
def wheel_files(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a wheel, many of them with contents that passes change."""
    files = {
        f"{INFO}/METADATA": METADATA + draw(FIELDS),
        f"{INFO}/WHEEL": draw(TAGS),
        "demo_pkg/__init__.py": draw(BODIES),
        "demo_pkg/m.py": b"X = 1\n",
        "demo_pkg/m.pyc": (3495).to_bytes(2, "little") + b"\r\n" + draw(PYC_HEADS) + b"\xe3code",
        f"{INFO}/sboms/x.cdx.json": SBOM % draw(SERIALS),
        f"{INFO}/top_level.txt": draw(BODIES),
        f"{INFO}/entry_points.txt": b"[console_scripts]\na = b:c\n",
        "demo_pkg-1.0.data/scripts/run": b"#!python\n",
        f"{INFO}/RECORD.jws": b"{}",
        ".source-date-epoch": b"1\n",
    }
    kept = draw(st.sets(st.sampled_from(sorted(files)), min_size=8))
    return {name: data for name, data in files.items() if name in kept or name.startswith(f"{INFO}/M")}


@st.composite
def sdist_files(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of an sdist."""
    return {
        f"{TOP}/PKG-INFO": METADATA + draw(FIELDS),
        f"{TOP}/demo_pkg.egg-info/SOURCES.txt": draw(BODIES),
        f"{TOP}/demo_pkg.egg-info/PKG-INFO": METADATA + draw(FIELDS),
        f"{TOP}/a.py": draw(BODIES),
    }


@st.composite
def packed(draw: st.DrawFn, files: dict[str, bytes], sdist: bool) -> list[Member]:
    """One of the ways in which a builder could pack *files*; modes are those of some umask."""
    umask = draw(st.sampled_from([0o022, 0o002, 0o077]))
    runnable = draw(st.sets(st.sampled_from(sorted(files)), max_size=1))
    if not sdist:
        listed = {name: data for name, data in files.items() if not name.endswith(".jws")}
        wrong = draw(st.sampled_from([b"", b"", b"", b"gone.py,,\n"]))
        files = {**files, RECORD: wrong + record_of(dict(draw(st.permutations(list(listed.items())))))}
    made = [
        Member(
            name,
            data,
            (0o777 if name in runnable else 0o666) & ~umask,
            draw(st.sampled_from([1_500_000_000, 1_600_000_000])),
            stored=draw(st.booleans()),
            owner=draw(st.sampled_from([(0, 0, "", ""), (1000, 1000, "ada", "ada")])),
        )
        for name, data in files.items()
    ]
    if draw(st.booleans()):
        made.append(Member(f"{TOP}/more" if sdist else "demo_pkg", kind=Kind.DIRECTORY, mode=0o755))
    if sdist and draw(st.booleans()):
        made.append(Member(f"{TOP}/link", kind=Kind.SYMLINK, target=draw(st.sampled_from(["a.py", "PKG-INFO"]))))
    return draw(st.permutations(made))


@st.composite
def pairs(draw: st.DrawFn, sdist: bool) -> tuple[list[Member], list[Member]]:
    """Two archives: of the same files, or of files of which some are others."""
    files = sdist_files() if sdist else wheel_files()
    one = draw(files)
    other = {**one, **dict(draw(st.sets(st.sampled_from(sorted(draw(files).items())), max_size=2)))}
    return draw(packed(one, sdist)), draw(packed(draw(st.sampled_from([one, other])), sdist))


Writer = Callable[[Path, Sequence[Member]], Path]


def both(members: tuple[list[Member], list[Member]], write: Writer) -> tuple[Comparison, bool]:
    """Compare two archives, and return whether normalizing them with one date gives the same bytes."""
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for side, given_members in zip(("left", "right"), members):
            Path(name, side).mkdir()
            paths.append(write(Path(name, side), given_members))
        found = compare_files(paths[0], paths[1])
        return found, normal(paths[0]) is not None and normal(paths[0]) == normal(paths[1])


def normal(path: Path) -> bytes | None:
    target = path.with_name(f"normal-{path.name}")
    if not target.exists():
        try:
            rewrite(path, target, Context(DATE, kind_of(path)), DEFAULT)
        except (RecordError, SignatureError):
            return None
    return target.read_bytes()


def check(found: Comparison, is_one_form: bool) -> None:
    if found.verdict is Verdict.IDENTICAL:
        assert found.left.sha256 == found.right.sha256
        assert found.differences == ()
        return
    assert (found.verdict is Verdict.NORMALIZED) == is_one_form
    assert found.differences
    assert found.causes
    if is_one_form:
        assert "D099" not in found.causes or all(
            each.passes for each in found.differences if any(finding.code == "D099" for finding in each.findings)
        )
    for code in found.causes:
        by_code(code)


@FEW
@given(pairs(sdist=False))
def test_wheels_are_the_same_after_normalization_exactly_if_they_are(
    members: tuple[list[Member], list[Member]],
) -> None:
    """NORMALIZED: ``samebytes normalize`` with one date makes them the same bytes."""
    check(*both(members, write_wheel))


@FEW
@given(pairs(sdist=True))
def test_sdists_are_the_same_after_normalization_exactly_if_they_are(
    members: tuple[list[Member], list[Member]],
) -> None:
    """NORMALIZED, as for wheels."""
    check(*both(members, write_sdist))


PLANTED = st.sampled_from([0o4644, 0o2644, 0o1644, 0o646, 0o666])


@FEW
@given(st.data(), wheel_files(), PLANTED)
def test_a_planted_mode_is_never_the_same(data: st.DataObject, files: dict[str, bytes], mode: int) -> None:
    """A mode that no umask gives, on one file of one side, is no small matter."""
    files.pop(f"{INFO}/RECORD.jws", None)
    members = [Member(name, content) for name, content in {**files, RECORD: record_of(files)}.items()]
    victim = data.draw(st.sampled_from([member for member in members if "/scripts/" not in member.name]))
    planted = [replace(member, mode=mode) if member is victim else member for member in members]
    found, _ = both((members, planted), write_wheel)
    assert found.verdict is Verdict.DIFFERENT
    assert any(victim.name == each.name for each in found.walk())


@FEW
@given(st.data(), wheel_files())
def test_a_wrong_record_is_never_the_same(data: st.DataObject, files: dict[str, bytes]) -> None:
    """A RECORD that does not agree with the files, on either side, is named."""
    victim = data.draw(st.sampled_from(sorted(name for name in files if not name.endswith(".jws"))))
    listed = {name: content for name, content in files.items() if not name.endswith(".jws")}
    lie = {**listed, victim: listed[victim] + b"!"}
    right = {**files, RECORD: record_of(listed)}
    wrong = {**files, RECORD: record_of(lie)}
    sides = [[Member(name, content) for name, content in side.items()] for side in (right, wrong)]
    for members in ((sides[0], sides[1]), (sides[1], sides[0])):
        found, _ = both(members, write_wheel)
        assert found.verdict is Verdict.DIFFERENT
        assert "D022" in found.causes


@settings(max_examples=examples(500), deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_two_pieces_have_a_cause(left: bytes, right: bytes) -> None:
    """What differs has at least one code; what is the same has none."""
    assert bool(codes(TextPair(left, right))) == (left != right)


CODE = marshal.dumps(compile("def f(a, b=(1, 2.5)):\n    return a in {'x', 'y'}, 2**70, 'é'\n", "/a/b.py", "exec"))


@settings(max_examples=examples(500), deadline=None)
@given(st.data(), st.sampled_from([3413, 3425, 3439, 3495, 3531, 3571, 3627, 3650]))
def test_hostile_code_is_refused(data: st.DataObject, magic: int) -> None:
    """Bytes that nobody vouches for are read or refused, and nothing else happens."""
    at = data.draw(st.integers(0, len(CODE)))
    hostile = CODE[:at] + data.draw(st.binary(max_size=20)) + CODE[data.draw(st.integers(at, len(CODE))) :]
    for left, right in ((hostile, CODE), (CODE, hostile), (hostile, hostile)):
        try:
            found = changes(left, right, magic)
        except NotMarshalError:
            continue
        assert left != right or not found
        assert all(len(change.left.shown()) < 5000 for change in found)
