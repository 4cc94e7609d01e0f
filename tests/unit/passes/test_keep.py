"""``deflate = "keep"``: the streams that a wheel already has are copied, each one verified."""

from __future__ import annotations

import hashlib
import random
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.commands.install.install import is_canonical
from support import zip_mutants
from support.wheels import DATE, FILES, INFO, METADATA, OLD, RECORD, SOURCES, TOP, record_of
from support.zips import Member, build, saved

from samebytes.archive.entry import CHUNK_SIZE, Written
from samebytes.artifact.layout import ArtifactKind
from samebytes.artifact.opening import open_archive
from samebytes.errors import ArchiveError, RecordError
from samebytes.passes import DEFAULT, pipeline
from samebytes.passes.model import Context
from samebytes.passes.pipeline import Compression, Rewritten, agreed_date, rewrite

WHEEL = "demo_pkg-1.0-py3-none-any.whl"
NOISE = random.Random(1).randbytes(3 * CHUNK_SIZE)
MIXED = {
    **FILES,
    f"{INFO}/METADATA": b"Name: demo-pkg\nMetadata-Version: 2.1\nVersion: 1.0\n",
    "demo_pkg/large.txt": b"".join(b"%d squared is %d\n" % (n, n * n) for n in range(20_000)),
    "demo_pkg/noise.bin": NOISE,
    "demo_pkg/empty": b"",
    "demo_pkg/z.py": b"last = True\n" * 9,
}


def packed_hard(data: bytes) -> bytes:
    """Deflated as samebytes never does: at level 1, with little memory."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15, 1)
    return packer.compress(data) + packer.flush()


def wheel(tmp_path: Path, files: dict[str, bytes], **lies: object) -> Path:
    """A wheel with streams of its own, RECORD first; *lies* are about demo_pkg/large.txt, or what is in its place."""
    liar = "demo_pkg/large.txt"
    contents = {RECORD: record_of(files), **files}
    given = []
    for name, data in contents.items():
        facts = {"packed": packed_hard(data), **(lies if name == liar else {})}
        given.append(Member(name.encode(), data, **facts))  # type: ignore[arg-type]
    return saved(tmp_path, build(*given)).rename(tmp_path / WHEEL)


def kept(path: Path, target: Path | None = None, jobs: int = 1) -> Rewritten:
    context = Context(DATE, ArtifactKind.WHEEL)
    return rewrite(path, target or path, context, DEFAULT, Compression(jobs, keep=True), prove=True)


def streams(path: Path) -> dict[str, bytes]:
    with open_archive(path) as archive:
        return {entry.name: b"".join(entry.packed.chunks()) for entry in archive.entries if entry.packed}


def test_streams_are_copied_and_all_else_is_canonical(tmp_path: Path) -> None:
    path = wheel(tmp_path, MIXED)
    before = streams(path)
    result = kept(path)
    after = streams(path)
    rewritten = {RECORD, f"{INFO}/METADATA"}
    assert {name: data for name, data in after.items() if name not in rewritten} == {
        name: data for name, data in before.items() if name not in rewritten
    }
    codes = {change.code for change in result.changes}
    assert {"W002", "W010", "Z001", "Z002"} <= codes
    assert "Z010" not in codes
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1] == RECORD
        assert archive.read("demo_pkg/noise.bin") == NOISE
        listed = archive.read(RECORD).decode()
    digest = hashlib.sha256(MIXED["demo_pkg/large.txt"]).digest()
    assert record_of({"demo_pkg/large.txt": MIXED["demo_pkg/large.txt"]}).decode().splitlines()[0] in listed
    assert any(one.sha256 == digest for one in result.written)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads help with however little there is."""
    monkeypatch.setattr("samebytes.archive.zip_writer.WORTHWHILE_TO_READ", 0)


@pytest.mark.usefixtures("eager")
def test_twice_changes_nothing_and_the_number_of_threads_neither(tmp_path: Path) -> None:
    path = wheel(tmp_path, {**MIXED, **{f"demo_pkg/{n}.bin": NOISE for n in range(8)}})
    kept(path, tmp_path / "one.whl")
    for jobs in (2, 4):
        kept(path, tmp_path / "some.whl", jobs)
        assert (tmp_path / "some.whl").read_bytes() == (tmp_path / "one.whl").read_bytes()
    kept(path)
    data = path.read_bytes()
    again = kept(path)
    assert (again.changes, path.read_bytes()) == ((), data)


def test_what_is_canonical_stays_so(tmp_path: Path) -> None:
    path = wheel(tmp_path, MIXED)
    rewrite(path, path, Context(DATE, ArtifactKind.WHEEL), DEFAULT)
    assert kept(path).changes == ()


def test_an_sdist_is_compressed_anew(tmp_path: Path) -> None:
    import io
    import tarfile

    path = tmp_path / "demo_pkg-1.0.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, data in {**SOURCES, f"{TOP}/large.txt": MIXED["demo_pkg/large.txt"]}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), OLD
            archive.addfile(info, io.BytesIO(data))
    context = Context(DATE, ArtifactKind.SDIST)
    rewrite(path, tmp_path / "kept.tar.gz", context, DEFAULT, Compression(keep=True))
    rewrite(path, path, context, DEFAULT)
    assert (tmp_path / "kept.tar.gz").read_bytes() == path.read_bytes()


LARGE = MIXED["demo_pkg/large.txt"]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("lies", "problem"),
    [
        ({"crc": 7}, "its CRC is"),
        ({"size": len(LARGE) + 1}, "that it declares"),
        ({"size": len(LARGE) - 1}, "holds more than the"),
        ({"packed": packed_hard(LARGE)[:-9]}, "its compressed data ends too early"),
        ({"packed": packed_hard(LARGE) + b"more"}, "its compressed data goes on after its end"),
        ({"packed": packed_hard(LARGE)[:5000] + b"\xff" * 5000}, "'demo_pkg/large.txt'"),
    ],
)
def test_streams_that_lie_are_refused(
    tmp_path: Path, lies: dict[str, object], problem: str, jobs: int, keep: bool
) -> None:
    path = wheel(tmp_path, MIXED, **lies)
    data = path.read_bytes()
    with pytest.raises(ArchiveError) as caught:
        rewrite(path, path, Context(DATE, ArtifactKind.WHEEL), DEFAULT, Compression(jobs, keep))
    assert problem in caught.value.message
    assert "demo_pkg/large.txt" in caught.value.message
    assert path.read_bytes() == data
    assert [found.name for found in tmp_path.iterdir()] == [WHEEL]


def test_contents_that_record_contradicts_are_refused(tmp_path: Path) -> None:
    files = {**FILES, f"{INFO}/METADATA": METADATA}
    other = {**files, "demo_pkg/tool.py": b"print('hullo')\n"}
    given = [Member(name.encode(), data, packed=packed_hard(data)) for name, data in other.items()]
    path = saved(tmp_path, build(*given, Member(RECORD.encode(), record_of(files)))).rename(tmp_path / WHEEL)
    data = path.read_bytes()
    with pytest.raises(RecordError, match=r"demo_pkg/tool\.py"):
        kept(path)
    assert path.read_bytes() == data


def own_date_of(path: Path) -> bool:
    try:
        return rewrite(path, None, OTHER_DATE, DEFAULT, own_date=True).own_date
    except ArchiveError:
        return False


OTHER_DATE = Context(OLD, ArtifactKind.WHEEL, rebuild_record=True, drop_signatures=True)


@pytest.fixture
def writings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with every archive that is written."""
    seen: list[object] = []
    write = pipeline._write

    def counted(*arguments: Any) -> tuple[Written, ...]:
        seen.append(arguments)
        return write(*arguments)

    monkeypatch.setattr(pipeline, "_write", counted)
    return seen


def test_whether_an_archive_is_canonical_takes_one_writing_at_most(tmp_path: Path, writings: list[object]) -> None:
    path = wheel(tmp_path, MIXED)
    assert agreed(path) != OLD
    assert not is_canonical(path)
    assert not writings  # its members are in another order
    kept(path)
    writings.clear()
    assert not is_canonical(path)
    assert len(writings) == 1  # only the streams differ
    assert not own_date_of(path)
    rewrite(path, path, Context(DATE, ArtifactKind.WHEEL), DEFAULT)
    writings.clear()
    assert is_canonical(path)
    assert len(writings) == 1
    assert own_date_of(path)


def test_it_is_canonical_if_and_only_if_it_keeps_its_date_when_rewritten(tmp_path: Path) -> None:
    path = wheel(tmp_path, MIXED)
    rewrite(path, path, Context(DATE, ArtifactKind.WHEEL), DEFAULT)
    plain = path.read_bytes()
    found = set()
    for seed in range(150):
        path.write_bytes(zip_mutants.mutant(seed, [plain])[0])
        found.add(own_date_of(path))
        assert is_canonical(path) == own_date_of(path), seed
    assert found == {False, True}


def agreed(path: Path) -> int | None:
    with open_archive(path) as archive:
        return agreed_date(archive)
