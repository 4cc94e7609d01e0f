from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.artifacts import TIMES, sdist, wheel
from support.platforms import needs_links, needs_modes

from samebytes.archive.entry import Archive, Entry, Kind
from samebytes.commands.normalize import normalize as flow
from samebytes.commands.normalize.normalize import (
    ArtifactDate,
    DateSource,
    NormalizeJob,
    NormalizeOptions,
    NormalizeResult,
    normalize,
    plan,
)
from samebytes.epoch import DEFAULT_DATE
from samebytes.errors import (
    ArchiveError,
    ConfigError,
    Interrupted,
    OutputError,
    RecordError,
    SignatureError,
    UsageError,
)
from samebytes.passes import pipeline
from samebytes.passes.pipeline import Rewritten


def run(*paths: Path, output: Path | None = None, **options: object) -> list[NormalizeResult]:
    return list(normalize(plan(paths, output), NormalizeOptions(**options)))  # type: ignore[arg-type]


def only(*paths: Path, output: Path | None = None, **options: object) -> NormalizeResult:
    (result,) = run(*paths, output=output, **options)
    return result


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(directory: Path) -> list[str]:
    return sorted(child.name for child in directory.iterdir())


def identity(path: Path) -> tuple[int, int]:
    """What changes as soon as a file is replaced or written to."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


# In place and to a directory


@pytest.mark.parametrize("make", [wheel, sdist])
def test_in_place_and_a_second_time_untouched(make: object, tmp_path: Path) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    before = sha256(path)
    first = only(path)
    assert first.error is None
    assert first.changed
    assert first.changes
    assert first.output == path
    assert first.rewritten is not None
    assert first.rewritten.before.sha256 == before
    assert (first.rewritten.after.sha256, first.rewritten.after.size) == (sha256(path), path.stat().st_size)
    seen = identity(path)
    second = only(path)
    assert not second.changed
    assert second.changes == ()
    assert identity(path) == seen
    assert names(tmp_path) == [path.name]


def test_order_and_times_of_the_input_do_not_matter(tmp_path: Path) -> None:
    one = wheel(tmp_path / "one")
    two = wheel(tmp_path / "two", times=TIMES[::-1], order=1)
    assert sha256(one) != sha256(two)
    assert all(result.changed for result in run(one, two))
    assert sha256(one) == sha256(two)


@pytest.mark.parametrize("make", [wheel, sdist])
def test_to_a_directory_that_is_created(make: object, tmp_path: Path) -> None:
    path = make(tmp_path / "in")  # type: ignore[operator]
    seen = identity(path)
    result = only(path, output=tmp_path / "a" / "b")
    assert result.output == tmp_path / "a" / "b" / path.name
    assert identity(path) == seen
    assert names(tmp_path / "in") == [path.name]
    # What is canonical is written there as well.
    again = only(result.output, output=tmp_path / "c")
    assert not again.changed
    assert sha256(tmp_path / "c" / path.name) == sha256(result.output)


def test_without_write_nothing_is_written(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    seen = identity(path)
    result = only(path, write=False)
    assert result.changed
    assert result.output is None
    assert identity(path) == seen
    assert names(tmp_path) == [path.name]
    assert only(path).changes == result.changes


@needs_modes
def test_permission_bits_are_kept(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    path.chmod(0o640)
    only(path)
    assert path.stat().st_mode & 0o777 == 0o640


@needs_links
def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    path = wheel(tmp_path / "real")
    link = tmp_path / path.name
    link.symlink_to(path)
    assert only(link).changed
    assert link.is_symlink()
    assert not only(path).changed


# Which files


def test_a_directory_means_the_archives_in_it(tmp_path: Path) -> None:
    paths = {wheel(tmp_path), sdist(tmp_path), sdist(tmp_path, "other")}
    wheel(tmp_path / "deeper", "deep")
    (tmp_path / "notes.txt").write_text("no archive")
    (tmp_path / "folder.whl").mkdir()
    assert {result.source for result in run(tmp_path)} == paths


def test_a_directory_without_archives_is_an_error(tmp_path: Path) -> None:
    error = only(tmp_path).error
    assert isinstance(error, UsageError)
    assert "no wheels (.whl) or sdists (.tar.gz) in it" in error.message


def test_a_source_tree_points_to_dist(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    error = only(tmp_path).error
    assert isinstance(error, UsageError)
    assert "is a source tree" in error.message
    assert str(tmp_path / "dist") in error.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    assert isinstance(only(tmp_path).error, ArchiveError)
    tmp_path.chmod(0o700)


@needs_links
def test_links_in_a_circle_are_missing_files(tmp_path: Path) -> None:
    loop = tmp_path / "loop.whl"
    loop.symlink_to(loop)
    assert isinstance(only(loop).error, UsageError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.whl"
    os.mkfifo(pipe)
    error = only(pipe).error
    assert isinstance(error, ArchiveError)
    assert "not a regular file" in error.message


@needs_links
def test_named_twice_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)
    link = tmp_path / "link.whl"
    link.symlink_to(path)
    monkeypatch.chdir(tmp_path)
    assert len(plan([path, Path(path.name), tmp_path, link])) == 1


def test_two_of_one_name_are_refused_before_any_work(tmp_path: Path) -> None:
    one, two = wheel(tmp_path / "one"), wheel(tmp_path / "two")
    with pytest.raises(UsageError, match="would both become") as caught:
        plan([one, two], tmp_path / "out")
    assert str(one) in caught.value.message
    assert str(two) in caught.value.message
    assert not (tmp_path / "out").exists()


def test_output_into_the_inputs_own_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="output directory is the one"):
        plan([wheel(tmp_path)], tmp_path / "x" / "..")


# Errors are results, and the others go on


def test_errors_are_results(tmp_path: Path) -> None:
    good, last = wheel(tmp_path), sdist(tmp_path)
    missing, broken = tmp_path / "missing.whl", tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK\x03\x04 and no more")
    results = run(missing, good, broken, last, jobs=3)
    assert [result.source for result in results] == [missing, good, broken, last]
    errors = [type(result.error) for result in results]
    assert errors == [UsageError, type(None), ArchiveError, type(None)]
    assert results[1].changed
    assert results[3].changed
    assert results[2].output is None
    assert broken.read_bytes() == b"PK\x03\x04 and no more"


@pytest.mark.parametrize("name", ["demo-1.0.zip", "demo.egg", "README", "demo-1.0.tar.bz2"])
def test_other_kinds_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"PK\x05\x06" + bytes(18))
    error = only(path).error
    assert isinstance(error, ArchiveError)
    assert name in error.message
    assert error.remedy or "convert" in error.message


def test_a_wrong_record_is_an_error_and_can_be_rebuilt(tmp_path: Path) -> None:
    path = wheel(tmp_path, record=b"demo/__init__.py,sha256=AAAA,3\n")
    before = sha256(path)
    assert isinstance(only(path).error, RecordError)
    assert sha256(path) == before
    result = only(path, rebuild_record=True)
    assert result.error is None
    assert result.rebuilt_record
    again = only(path)
    assert not again.changed
    assert not again.rebuilt_record


def test_an_output_directory_that_cannot_be_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    steps = plan([wheel(tmp_path)], tmp_path / "file" / "out")
    with pytest.raises(OutputError, match=r"out: cannot be written: (Not a directory|.*exists)"):
        list(normalize(steps, NormalizeOptions()))


def test_unknown_codes_are_refused_before_any_work(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    before = sha256(path)
    for options in (NormalizeOptions(disable=("Z987",)), NormalizeOptions(enable=("nonsense",))):
        with pytest.raises(ConfigError):
            list(normalize(plan([path]), options))
    assert sha256(path) == before


def test_a_disabled_pass_is_left_out(tmp_path: Path) -> None:
    codes = {change.code for change in only(wheel(tmp_path), disable=("Z002",)).changes}
    assert "Z001" in codes
    assert "Z002" not in codes


def test_a_bug_says_with_which_file_it_came_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)

    def broken(*_: object, **__: object) -> Rewritten:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(flow, "rewrite", broken)
    with pytest.raises(RuntimeError, match=r"demo-1\.0-py3-none-any\.whl: ZeroDivisionError: by zero"):
        run(path)


# The date


@pytest.mark.parametrize("make", [wheel, sdist])
def test_the_constant_where_no_date_is_given(make: Callable[..., Path], tmp_path: Path) -> None:
    result = only(make(tmp_path))
    assert result.date == ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT)
    assert str(result.date) == "2020-02-02T00:00:00Z (constant: none was given)"


def test_a_time_that_all_members_share_is_not_taken(tmp_path: Path) -> None:
    """A quick build puts all its members into one two-second slot, and that is the clock's."""
    result = only(wheel(tmp_path, times=TIMES[:1]))
    assert result.date == ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT)
    assert "Z002" in {change.code for change in result.changes}


@pytest.mark.parametrize("make", [wheel, sdist])
@pytest.mark.parametrize("write", [True, False])
def test_a_canonical_file_keeps_its_date(make: Callable[..., Path], write: bool, tmp_path: Path) -> None:
    given = ArtifactDate(1500000000, DateSource.ENVIRONMENT)
    assert str(given) == "2017-07-14T02:40:00Z (SOURCE_DATE_EPOCH)"
    path = make(tmp_path)
    assert only(path, date=given).date == given
    seen = identity(path)
    result = only(path, write=write)
    assert result.date == ArtifactDate(1500000000, DateSource.OWN)
    assert str(result.date) == "2017-07-14T02:40:00Z (its own: it is canonical)"
    assert (result.changes, identity(path)) == ((), seen)


def repacked(path: Path, record: Callable[[bytes], bytes] = bytes, level: int = 6) -> None:
    """Write the canonical wheel *path* anew by zipfile, with another RECORD or other streams, and all else alike."""
    with zipfile.ZipFile(path) as old:
        found = [(info, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w") as new:
        for was, data in found:
            info = zipfile.ZipInfo(was.filename, was.date_time)
            info.external_attr, info.extract_version = was.external_attr, was.extract_version
            info.compress_type, info.create_system = was.compress_type, was.create_system
            contents = record(data) if was.filename.endswith("RECORD") else data
            new.writestr(info, contents, compresslevel=level)


def rows_turned(record: bytes) -> bytes:
    return b"".join(record.splitlines(keepends=True)[::-1])


CONTENTS = {"demo/__init__.py": b"".join(b"VALUE_%d = %d\n" % (number, number**3) for number in range(999))}
GIVEN = ArtifactDate(1500000000, DateSource.OPTION)


def test_a_file_that_is_canonical_but_for_its_streams(tmp_path: Path) -> None:
    """It keeps its date only where its streams are to be kept: then it is as these options make it."""
    path = wheel(tmp_path, files=CONTENTS)
    only(path, date=GIVEN)
    canonical = path.read_bytes()
    repacked(path)
    assert path.read_bytes() == canonical
    repacked(path, level=1)
    fast = path.read_bytes()
    assert only(path, keep_streams=True).date == ArtifactDate(GIVEN.seconds, DateSource.OWN)
    assert path.read_bytes() == fast
    result = only(path)
    assert result.date == ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT)
    assert {change.code for change in result.changes} == {"Z002", "Z010"}


@pytest.mark.parametrize("turned", [True, False])
def test_what_is_not_canonical_is_compressed_once(
    turned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To find out whether it is must not cost what it costs to make it so."""
    path = wheel(tmp_path, times=TIMES[:1], files=CONTENTS)
    if turned:
        only(path, date=GIVEN)
        repacked(path, rows_turned)
    compressed: list[int] = []
    expect = pipeline.Encoder.expect
    monkeypatch.setattr(pipeline.Encoder, "expect", lambda self, size: (compressed.append(size), expect(self, size)))
    assert only(path).date == ArtifactDate(DEFAULT_DATE, DateSource.CONSTANT)
    assert len(compressed) == 1


# Attestations


@pytest.mark.parametrize("suffix", [".publish.attestation", ".asc", ".sigstore", ".sigstore.json"])
def test_what_is_attested_is_not_changed(suffix: str, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    attestation = Path(f"{path}{suffix}")
    attestation.write_text("{}")
    before = sha256(path)
    for output in (None, tmp_path / "out"):
        error = only(path, output=output).error
        assert isinstance(error, SignatureError)
        assert attestation.name in error.message
        assert "--ignore-attestation" in error.remedy
    assert sha256(path) == before
    assert only(path, ignore_attestation=True).changed
    assert attestation.exists()
    assert only(path).error is None, "canonical already: the attestation stays valid"


def test_a_check_does_not_mind_attestations(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    Path(f"{path}.publish.attestation").write_text("{}")
    assert only(path, write=False).error is None


def test_an_attestation_beside_the_output_counts(tmp_path: Path) -> None:
    path = wheel(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{path.name}.publish.attestation").write_text("{}")
    assert isinstance(only(path, output=tmp_path / "out").error, SignatureError)


# Proof


@pytest.mark.parametrize("make", [wheel, sdist])
def test_the_payload_is_proved_to_be_the_same(make: object, tmp_path: Path) -> None:
    result = only(make(tmp_path), prove=True)  # type: ignore[operator]
    assert result.rewritten is not None
    assert result.rewritten.payload_after == result.rewritten.payload_before


# Stopping


def test_closing_early_stops_the_rest_and_leaves_no_stray_file(tmp_path: Path) -> None:
    noise = os.urandom(3_000_000)
    paths = [wheel(tmp_path, f"demo{number}", {f"demo{number}.bin": noise}) for number in range(6)]
    with closing(normalize(plan(paths), NormalizeOptions(jobs=2))) as results:
        first = next(results)
    assert first.changed
    assert names(tmp_path) == sorted(path.name for path in paths)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("samebytes")] == []


def test_members_stop_between_pieces() -> None:
    class Endless:
        size = 1

        def chunks(self):  # type: ignore[no-untyped-def]
            while True:
                yield b"x"

    stop = pipeline.Stop()
    archive = Archive("a", (Entry("f", Kind.FILE, 0o644, 0.0, Endless()),))
    chunks = iter(pipeline.stoppable(archive, stop).entries[0].content.chunks())
    assert next(chunks) == b"x"
    stop.set()
    with pytest.raises(Interrupted):
        next(chunks)


def test_jobs_carry_their_paths(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert plan([path]) == (NormalizeJob(path, path),)
    assert plan([path], tmp_path / "out") == (NormalizeJob(path, tmp_path / "out" / path.name),)
