"""Rules that hold for whatever a backend makes: one form for one content and date, and no way around RECORD."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.canonical_reader import check_sdist, check_wheel
from support.examples import examples
from support.wheels import (
    FILES,
    INFO,
    METADATA,
    RECORD,
    SDIST_NAME,
    TOP,
    WHEEL_NAME,
    Member,
    record_of,
    unpack_sdist,
    unpack_wheel,
    write_sdist,
    write_wheel,
)

from samebytes.archive import limits
from samebytes.archive.entry import Kind
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import kind_of
from samebytes.commands.normalize.normalize import ArtifactDate, DateSource, NormalizeOptions, normalize, plan
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import RecordError
from samebytes.passes import DEFAULT
from samebytes.passes.container import zip_date
from samebytes.passes.model import Context
from samebytes.passes.pipeline import Rewritten, rewrite

FEW = settings(max_examples=examples(60), deadline=None)

COMPONENTS = st.one_of(
    st.sampled_from(["a", "b.py", "B", "a-b", "a.b", "x y", "é", "日本", 'q"', "c,d", "__init__.py"]),
    # Without most of what the filter would refuse.
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Zl", "Zp"], exclude_characters="/\\:"),
        min_size=1,
        max_size=8,
    ),
).filter(
    lambda text: (
        not (
            limits.name_problem(text)
            or limits.windows_problem(text)
            or text.endswith((".dist-info", ".egg-info", ".data"))
        )
    )
)
NAMES = st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join)
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda data, times: data * times, st.binary(min_size=1, max_size=9), st.integers(1, 400)),
)
LINES = st.lists(st.sampled_from([b"b", b"a", b"", b"\xc3\xa9", b"a\r", b"a b"]), max_size=6).map(b"\n".join)
FIELDS = st.lists(
    st.sampled_from(
        [b"Name: a", b"X-Own: 1", b"Version: 1\r", b"requires-dist: z", b"Tag: b", b"Tag: a", b" more", b"", b"no"]
    ),
    max_size=8,
).map(b"\n".join)
DATES = st.one_of(st.sampled_from([0, 1, 315532799, 315532801, 4354819198]), st.integers(0, 4354819198))
TIMES = st.integers(315532800, 4354819198)


def one_tree(names: Sequence[str]) -> bool:
    """Return whether files of these names can lie in one directory, on every system."""
    folded = [limits.folded(name) for name in names]
    parents = {"/".join(name.split("/")[:count]) for name in folded for count in range(1, name.count("/") + 1)}
    return len(set(folded)) == len(folded) and not parents & set(folded)


def trees() -> st.SearchStrategy[dict[str, bytes]]:
    return st.dictionaries(NAMES, CONTENTS, max_size=5).filter(lambda files: one_tree(list(files)))


@st.composite
def wheel_files(draw: st.DrawFn) -> dict[str, bytes]:
    """Everything in a wheel but RECORD."""
    own = {
        f"{INFO}/METADATA": METADATA + draw(FIELDS),
        f"{INFO}/WHEEL": draw(FIELDS),
        f"{INFO}/top_level.txt": draw(LINES),
    }
    scripts = {f"demo_pkg-1.0.data/scripts/{name}": b"" for name in draw(st.sets(st.sampled_from("ab"), max_size=1))}
    files = {**draw(trees()), **own, **scripts}
    assume(one_tree([*files, RECORD]))
    return files


@st.composite
def sdist_files(draw: st.DrawFn) -> dict[str, bytes]:
    """Everything in an sdist."""
    own = {
        "PKG-INFO": draw(FIELDS),
        "src/demo_pkg.egg-info/SOURCES.txt": draw(LINES),
        "src/demo_pkg.egg-info/top_level.txt": draw(LINES),
    }
    files = {**draw(trees()), **own}
    assume(one_tree(list(files)))
    return {f"{TOP}/{name}": data for name, data in files.items()}


def parents_of(names: Sequence[str]) -> list[str]:
    found = {"/".join(name.split("/")[:count]): None for name in names for count in range(1, name.count("/") + 1)}
    return list(found)


@st.composite
def arrangements(draw: st.DrawFn, files: dict[str, bytes], runnable: frozenset[str]) -> list[Member]:
    """One of the ways in which a builder could put *files* into an archive."""
    directories = (
        draw(st.lists(st.sampled_from(parents_of(list(files))), unique=True)) if parents_of(list(files)) else []
    )
    made = [Member(name, data) for name, data in files.items()]
    made += [Member(name, kind=Kind.DIRECTORY) for name in directories]
    shuffled = draw(st.permutations(made))
    return [draw(disguises(member, member.name in runnable)) for member in shuffled]


@st.composite
def disguises(draw: st.DrawFn, member: Member, runnable: bool) -> Member:
    """A member with what depends on the machine."""
    mode = draw(st.integers(0, 0o777)) | 0o400
    return replace(
        member,
        mode=mode | 0o100 if runnable else mode & ~0o111,
        mtime=draw(TIMES),
        owner=(draw(st.integers(0, 5000)), 0, draw(st.sampled_from(["", "jane"])), ""),
        stored=draw(st.booleans()),
    )


def canonical(members: Sequence[Member], date: int, *, rebuild: bool = False) -> tuple[bytes, Rewritten]:
    """Write *members*, normalize them, demand that a second time changes nothing, and return the file's bytes."""
    with tempfile.TemporaryDirectory() as name:
        is_wheel = any(member.name.startswith(INFO) for member in members)
        path = (write_wheel if is_wheel else write_sdist)(Path(name), members)
        context = Context(date, kind_of(path), rebuild_record=rebuild)
        result = rewrite(path, path, context, DEFAULT, prove=True)
        data = path.read_bytes()
        assert rewrite(path, path, context._replace(rebuild_record=False), DEFAULT).changes == ()
        assert path.read_bytes() == data
        assert [child.name for child in Path(name).iterdir()] == [path.name]
    return data, result


def as_it_comes(path: Path) -> tuple[bytes, ArtifactDate]:
    """Normalize *path* without a date, demand that a second time changes nothing, and return bytes and date."""
    (result,) = normalize(plan([path]), NormalizeOptions())
    assert result.error is None
    assert result.date is not None
    data = path.read_bytes()
    (again,) = normalize(plan([path]), NormalizeOptions())
    assert not again.changed
    assert again.changes == ()
    assert again.date is not None
    assert again.date.seconds == result.date.seconds
    assert path.read_bytes() == data
    return data, result.date


def built(members: Sequence[Member], moment: int, directory: Path) -> Path:
    """Write *members* as a build does that puts them all into one second."""
    directory.mkdir()
    is_wheel = any(member.name.startswith(INFO) for member in members)
    return (write_wheel if is_wheel else write_sdist)(directory, [replace(one, mtime=moment) for one in members])


def with_record(files: dict[str, bytes], order: int = 1) -> dict[str, bytes]:
    return {**files, RECORD: record_of(dict(list(files.items())[::order]))}


@FEW
@given(st.data(), wheel_files(), DATES)
def test_a_wheel_has_one_form_however_it_was_packed(data: st.DataObject, files: dict[str, bytes], date: int) -> None:
    """D6: for one date, equal contents give equal bytes, and the independent reader finds them canonical."""
    runnable = frozenset(data.draw(st.sets(st.sampled_from(sorted(files)), max_size=2)))
    first, result = canonical(data.draw(arrangements(with_record(files), runnable)), date)
    second, _ = canonical(data.draw(arrangements(with_record(files, -1), runnable)), date)
    assert first == second
    assert check_wheel(first, date) == []
    assert result.payload_before == result.payload_after


@FEW
@given(st.data(), sdist_files(), DATES)
def test_an_sdist_has_one_form_however_it_was_packed(data: st.DataObject, files: dict[str, bytes], date: int) -> None:
    """D6, as for wheels."""
    runnable = frozenset(data.draw(st.sets(st.sampled_from(sorted(files)), max_size=2)))
    first, result = canonical(data.draw(arrangements(files, runnable)), date)
    second, _ = canonical(data.draw(arrangements(files, runnable)), date)
    assert first == second
    assert check_sdist(first, date) == []
    assert result.payload_before == result.payload_after


@FEW
@given(st.data(), st.one_of(wheel_files().map(with_record), sdist_files()), TIMES, TIMES)
def test_no_clock_gives_the_date(data: st.DataObject, files: dict[str, bytes], one: int, other: int) -> None:
    """Section 3: two builds of one source become one file, and no time in them counts, shared by all or not."""
    members = data.draw(arrangements(files, frozenset()))
    with tempfile.TemporaryDirectory() as name:
        paths = [built(members, moment, Path(name, str(number))) for number, moment in enumerate((one, other, one))]
        is_canonical = check_wheel if paths[0].suffix == ".whl" else check_sdist
        assume(all(is_canonical(path.read_bytes(), one) for path in paths))
        found = [as_it_comes(path) for path in paths]
        mixed = (write_wheel if paths[0].suffix == ".whl" else write_sdist)(Path(name), members)
        found.append(as_it_comes(mixed))
    assert set(found) == {(found[0][0], ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT))}
    assert is_canonical(found[0][0], DEFAULT_DATE) == []


@FEW
@given(st.data(), st.one_of(wheel_files().map(with_record), sdist_files()), DATES)
def test_a_canonical_file_keeps_its_date(data: st.DataObject, files: dict[str, bytes], date: int) -> None:
    """Section 3: what equals its canonical form on its own date is left as it is, whatever that date."""
    made, _ = canonical(data.draw(arrangements(files, frozenset())), date)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, WHEEL_NAME if made.startswith(b"PK") else SDIST_NAME)
        path.write_bytes(made)
        kept, found = as_it_comes(path)
    assert kept == made
    assert found.seconds == (zip_date(date) if made.startswith(b"PK") else date)


@FEW
@given(wheel_files(), DATES)
def test_only_what_is_named_is_changed_in_a_wheel(files: dict[str, bytes], date: int) -> None:
    """D6: everything else is the user's data and not touched."""
    with tempfile.TemporaryDirectory() as name:
        path = write_wheel(Path(name), [Member(member, data) for member, data in with_record(files).items()])
        result = rewrite(path, path, Context(date, ArtifactKind.WHEEL), DEFAULT)
        found = unpack_wheel(path)
    named = {change.member for change in result.changes if change.code[0] in "WPC"}
    assert found.keys() == {*files, RECORD}
    assert {member for member, data in files.items() if found[member] != data} == named - {RECORD}
    assert named <= {RECORD, f"{INFO}/METADATA", f"{INFO}/WHEEL", f"{INFO}/top_level.txt"}


@FEW
@given(sdist_files(), DATES)
def test_only_what_is_named_is_changed_in_an_sdist(files: dict[str, bytes], date: int) -> None:
    """D6, as for wheels."""
    with tempfile.TemporaryDirectory() as name:
        path = write_sdist(Path(name), [Member(member, data) for member, data in files.items()])
        result = rewrite(path, path, Context(date, ArtifactKind.SDIST), DEFAULT)
        found = unpack_sdist(path)
    named = {change.member for change in result.changes if change.code[0] == "S"}
    assert found.keys() == files.keys()
    assert {member for member, data in files.items() if found[member] != data} == named


@FEW
@given(st.data())
def test_a_wrong_record_never_passes(data: st.DataObject) -> None:
    """D6: one changed, added or lost file, or one changed byte of a row, is an error; nothing is written then."""
    files = dict(FILES)
    record = record_of(files, data.draw(st.sampled_from(["sha256", "sha384", "sha512"])))
    victim = data.draw(st.sampled_from(sorted(files)))
    how = data.draw(st.sampled_from(["changed", "added", "lost", "row"]))
    if how == "changed":
        files[victim] = data.draw(st.binary(max_size=99).filter(lambda other: other != FILES[victim]))
    elif how == "added":
        files[f"{victim}.more"] = data.draw(st.binary(max_size=9))
    elif how == "lost":
        del files[victim]
        assume(any(name.startswith(INFO) for name in files))
    else:
        record = spoilt(data, record, victim)
    members = [Member(name, content) for name, content in {**files, RECORD: record}.items()]
    with pytest.raises(RecordError):
        canonical(members, 0)
    rebuilt, result = canonical(members, 0, rebuild=True)
    assert check_wheel(rebuilt, 0) == []
    assert "W001" in {change.code for change in result.changes}


SLOPPY = {
    "left out": lambda _name, _digest, _size: [],
    "no digest": lambda name, _digest, size: [(name, "", size)],
    "name alone": lambda name, _digest, _size: [(name, "", "")],
    "wrong size": lambda name, digest, size: [(name, digest, "1" + size)],
    "no number": lambda name, digest, _size: [(name, digest, "many")],
    "weak digest": lambda name, digest, size: [(name, digest.replace("sha256", "md5"), size)],
    "dotted": lambda name, digest, size: [(f"./{name}", digest, size)],
    "absolute": lambda name, digest, size: [(f"/{name}", digest, size)],
    "backslashes": lambda name, digest, size: [(name.replace("/", "\\"), digest, size)],
    "twice": lambda name, digest, size: [(name, digest, size)] * 2,
    "directories": lambda name, digest, size: [(f"{name.partition('/')[0]}/", "", ""), (name, digest, size)],
    "right": lambda name, digest, size: [(name, digest, size)],
}
"""What a careless backend makes of a row: none of them says that a file is not what it was."""


@FEW
@given(st.data(), st.booleans())
def test_only_a_wrong_digest_is_wrong_in_what_a_backend_has_just_built(data: st.DataObject, wrong: bool) -> None:
    """Section 7.5: its RECORD is written anew, whatever else is wrong with it, and with a change for each fault."""
    true = record_of(FILES).decode().splitlines()
    rows = [tuple(line.split(",")) for line in true]
    made = [
        row
        for name, digest, size in rows
        for row in SLOPPY[data.draw(st.sampled_from(list(SLOPPY)))](name, digest, size)
    ]
    if wrong:
        name, digest, size = data.draw(st.sampled_from([row for row in rows if row[1]]))
        made = [row for row in made if row[0] != name]
        made.append((name, digest[:10] + ("A" if digest[10] != "A" else "B") + digest[11:], size))
    record = "".join(f"{','.join(row)}\n" for row in data.draw(st.permutations(made))).encode()
    with tempfile.TemporaryDirectory() as place:
        path = write_wheel(Path(place), [Member(name, content) for name, content in {**FILES, RECORD: record}.items()])
        context = Context(0, ArtifactKind.WHEEL, fresh=True)
        if wrong:
            with pytest.raises(RecordError, match="RECORD does not agree"):
                rewrite(path, path, context, DEFAULT)
            assert unpack_wheel(path)[RECORD] == record
            return
        result = rewrite(path, path, context, DEFAULT)
        found = path.read_bytes()
    assert found == canonical([Member(name, content) for name, content in with_record(dict(FILES)).items()], 0)[0]
    listed = {name for name, digest, size in made if (name, digest, size) in rows}
    assert {change.member for change in result.changes if change.code == "W001"} >= set(FILES) - listed


def spoilt(data: st.DataObject, record: bytes, victim: str) -> bytes:
    """Change one character of a row's digest or size, to another of the alphabet."""
    lines = record.decode().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{victim},"))
    line = lines[place]
    at = data.draw(st.integers(line.index("=") + 1, len(line) - 2))
    other = data.draw(st.sampled_from("0123456789" if line[at].isdigit() else "ABCxyz,"))
    assume(other != line[at])
    lines[place] = line[:at] + other + line[at + 1 :]
    return "".join(lines).encode()
