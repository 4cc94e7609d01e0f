from __future__ import annotations

import importlib.util
import marshal
import os
import py_compile
from pathlib import Path

import pytest
from support.canonical_code import canonical_code

from samebytes.archive.entry import Archive, Aspect, Data, Deviation, Entry, Kind, Packed, read_all
from samebytes.artifact.layout import ArtifactKind
from samebytes.errors import ArchiveError
from samebytes.passes.model import Context, Pass
from samebytes.passes.pyc import LARGEST, PYC, PYC_CODE, reheaded

OLD = Packed(True, 9, lambda: iter((b"old bytes",)))

CONTEXT = Context(date=1580601600, kind=ArtifactKind.WHEEL)
SOURCE = b"ANSWER = 42\n"


def compiled(tmp_path: Path, mtime: int = 1_700_000_000, **options: object) -> bytes:
    source = tmp_path / "m.py"
    source.write_bytes(SOURCE)
    os.utime(source, (mtime, mtime))
    mode = options.pop("mode", py_compile.PycInvalidationMode.TIMESTAMP)
    target = py_compile.compile(
        str(source), cfile=str(tmp_path / "m.pyc"), dfile="m.py", doraise=True, invalidation_mode=mode, **options
    )
    return Path(target).read_bytes()


def member(name: str, data: bytes) -> Entry:
    return Entry(name, Kind.FILE, 0o644, 0, Data(data), packed=OLD)


def archive(**members: bytes) -> Archive:
    return Archive("m-1-py3-none-any.whl", tuple(member(name, data) for name, data in members.items()))


def contents(of: Archive) -> dict[str, bytes]:
    return {entry.name: read_all(entry.content) for entry in of.entries}


@pytest.mark.parametrize(("one", "code"), [(PYC, "P001"), (PYC_CODE, "P002")])
def test_they_are_passes_of_wheels_alone(one: Pass, code: str) -> None:
    assert one.code == code
    assert one.switchable
    assert one.default
    assert one.applies(CONTEXT)
    assert not one.applies(CONTEXT._replace(kind=ArtifactKind.SDIST))


def test_headers_no_longer_hold_a_time(tmp_path: Path) -> None:
    names = ["p/__pycache__/m.cpython-311.pyc", "p/__pycache__/m.cpython-311.opt-1.pyc", "p/m.pyc"]

    def wheel(mtime: int) -> Archive:
        data = compiled(tmp_path, mtime)
        return archive(**{"p/m.py": SOURCE}, **dict.fromkeys(names, data))

    first = PYC.run(wheel(1_000_000_000), CONTEXT)
    second = PYC.run(wheel(1_700_000_000), CONTEXT)
    assert contents(first.archive) == contents(second.archive)
    assert [change.member for change in first.changes] == names
    assert {change.code for change in first.changes} == {"P001"}
    digest = importlib.util.source_hash(SOURCE).hex()
    assert first.changes[0].detail == f"header: source time 1000000000 and size 12 -> checked hash {digest}"
    again = PYC.run(first.archive, CONTEXT)
    assert again.changes == ()
    assert again.archive == first.archive


def test_the_code_and_everything_else_of_the_member_stay(tmp_path: Path) -> None:
    data = compiled(tmp_path)
    entry = Entry(
        "m.pyc",
        Kind.FILE,
        0o755,
        5.0,
        Data(data),
        deviations=(Deviation(Aspect.ZIP_EXTRA_FIELDS, "extra"),),
        packed=OLD,
    )
    before = Archive("x.whl", (entry, member("m.py", SOURCE)), (Deviation(Aspect.ZIP_COMMENTS, "comment"),))
    after = PYC.run(before, CONTEXT).archive
    assert read_all(after.entries[0].content)[16:] == data[16:]
    assert after.entries[0].content.size == len(data)
    assert after.entries[0]._replace(content=entry.content, packed=OLD) == entry
    assert after.entries[0].packed is None, "the packed bytes found are those of other contents"
    assert after.entries[1] is before.entries[1]
    assert (after.name, after.deviations) == (before.name, before.deviations)


@pytest.mark.parametrize(
    "mode", [py_compile.PycInvalidationMode.CHECKED_HASH, py_compile.PycInvalidationMode.UNCHECKED_HASH]
)
def test_hash_based_modules_stay(tmp_path: Path, mode: py_compile.PycInvalidationMode) -> None:
    before = archive(**{"m.py": SOURCE, "m.pyc": compiled(tmp_path, mode=mode)})
    assert PYC.run(before, CONTEXT).changes == ()


def test_a_module_without_its_source_stays(tmp_path: Path) -> None:
    before = archive(**{"p/m.pyc": compiled(tmp_path), "m.py": SOURCE, "q/__pycache__/m.x.pyc": compiled(tmp_path)})
    outcome = PYC.run(before, CONTEXT)
    assert outcome.archive is before
    assert outcome.changes == ()


def test_a_module_of_another_source_stays(tmp_path: Path) -> None:
    assert PYC.run(archive(**{"m.py": SOURCE + b"\n", "m.pyc": compiled(tmp_path)}), CONTEXT).changes == ()


@pytest.mark.parametrize("size", [0, 3, 15, 16])
def test_a_truncated_module_stays(tmp_path: Path, size: int) -> None:
    before = archive(**{"m.py": SOURCE, "m.pyc": compiled(tmp_path)[:size]})
    assert PYC.run(before, CONTEXT).changes == ()


def test_directories_and_links_are_no_modules(tmp_path: Path) -> None:
    data = Data(compiled(tmp_path))
    entries = (
        member("m.py", SOURCE),
        Entry("m.pyc", Kind.DIRECTORY, 0o755, 0, data),
        Entry("n.py", Kind.DIRECTORY, 0o755, 0, Data(SOURCE)),
        Entry("n.pyc", Kind.FILE, 0o644, 0, data),
    )
    assert PYC.run(Archive("x.whl", entries), CONTEXT).changes == ()


def test_a_source_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    class Broken(Data):
        def chunks(self):  # type: ignore[no-untyped-def]
            raise ArchiveError("m.py: CRC mismatch")

    entries = (Entry("m.py", Kind.FILE, 0o644, 0, Broken(SOURCE)), member("m.pyc", compiled(tmp_path)))
    with pytest.raises(ArchiveError, match="CRC"):
        PYC.run(Archive("x.whl", entries), CONTEXT)


# P002: the code

TELLING = b"import os\n\ndef f(x):\n    return x in {'b', 'a', 'c'}, 'two words', os.name\n"


def code_of(directory: str) -> bytes:
    """Return a compiled module as marshal happens to write it for a source in *directory*."""
    code = compile(TELLING, f"{directory}/p/m.py", "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + (3).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)


def test_the_code_is_the_same_wherever_it_was_compiled() -> None:
    names = ["p/__pycache__/m.cpython-311.pyc", "p/m.pyc"]
    outcomes = [
        PYC_CODE.run(archive(**{"p/m.py": TELLING}, **dict.fromkeys(names, code_of(place))), CONTEXT)
        for place in ("/home/alice", "/tmp/build-x1y2")
    ]
    assert contents(outcomes[0].archive) == contents(outcomes[1].archive)
    assert [change.member for change in outcomes[0].changes] == names
    assert {change.detail for change in outcomes[0].changes} == {"code: written by value, as compiled from p/m.py"}
    assert outcomes[0].archive.entries[1].packed is None
    again = PYC_CODE.run(outcomes[0].archive, CONTEXT)
    assert (again.changes, again.archive) == ((), outcomes[0].archive)
    after = contents(outcomes[0].archive)[names[0]]
    assert after[:16] == code_of("/any")[:16]
    code = marshal.loads(after[16:])
    assert code == compile(TELLING, "p/m.py", "exec", dont_inherit=True)
    assert {each.co_filename for each in (code, *code.co_consts) if hasattr(each, "co_filename")} == {"p/m.py"}


def test_the_document_says_the_same_of_the_code() -> None:
    """The independent reader knows the rule from docs/reference/sbom-and-pyc.md alone."""
    data = code_of("/home/alice")
    after = contents(PYC_CODE.run(archive(**{"m.py": TELLING, "m.pyc": data}), CONTEXT).archive)["m.pyc"]
    assert canonical_code(data[16:], int.from_bytes(data[:2], "little"), b"m.py") == after[16:]


@pytest.mark.parametrize(
    "data",
    [
        code_of("/a")[:-1],
        code_of("/a") + b"N",
        code_of("/a")[:16],
        code_of("/a")[:16] + b"N",
        (336).to_bytes(2, "little") + code_of("/a")[2:],
        code_of("/a") + bytes(LARGEST),
    ],
    ids=["truncated", "more follows", "no code", "no code object", "another Python", "too large"],
)
def test_code_that_stays(data: bytes) -> None:
    assert PYC_CODE.run(archive(**{"m.py": TELLING, "m.pyc": data}), CONTEXT).changes == ()


def test_code_without_its_source_is_the_program_and_stays() -> None:
    assert PYC_CODE.run(archive(**{"p/m.pyc": code_of("/a"), "m.py": TELLING}), CONTEXT).changes == ()


@pytest.mark.parametrize("cuts", [[], [3], [16], [10, 17], [1, 2, 3, 4, 20]])
def test_contents_are_given_with_the_new_header(cuts: list[int]) -> None:
    data = bytes(range(40))

    class Cut(Data):
        def chunks(self):  # type: ignore[no-untyped-def]
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                yield data[start:end]

    content = reheaded(b"H" * 16, Cut(data))
    assert content.size == 40
    assert read_all(content) == b"H" * 16 + data[16:]
    assert read_all(content) == b"H" * 16 + data[16:], "contents can be read again"
