"""What is tried where nothing but the archive differs, or the modes of files and what they name of their build."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import tarfile
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from samebytes_tools.building.builder import Project
from samebytes_tools.building.interpreters import Python
from samebytes_tools.building.provenance import BACKEND
from samebytes_tools.building.source import SourceTree
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.reproducible_build.command import context_of
from samebytes_tools.commands.verify import imitations
from samebytes_tools.commands.verify import verify as verification
from samebytes_tools.commands.verify.attempts import BuildCandidate, RebuildAttempt, RebuildTrial
from samebytes_tools.commands.verify.candidates import BuildClues, candidates, newest_of_then
from samebytes_tools.commands.verify.metadata import read as read_metadata
from samebytes_tools.commands.verify.packing import improved, to_the_byte
from samebytes_tools.commands.verify.published import PublishedArtifact
from samebytes_tools.commands.verify.remake import Made, Recovered, VerifyContext
from samebytes_tools.commands.verify.time_zones import zone_of
from samebytes_tools.commands.verify.traits import read, traits
from samebytes_tools.commands.verify.verify import VerifyRequest
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.comparison.model import Verdict
from samebytes_tools.index.client import Index
from support.artifacts import METADATA
from support.indexes import Server, serving
from support.processes import run_python
from support.wheels import OLD, Member, spelt, write_sdist, write_wheel

from samebytes.artifact.layout import ArtifactKind
from samebytes.backend.config import Backend
from samebytes.console.streams import Progress
from samebytes.console.verbosity import QUIET
from samebytes.errors import BackendError, UsageError

PYTHON = Python("python", "CPython", "3.11.7", (3, 11), "linux-x86_64", "glibc-2.36", "1.3")
PYTHONS = [replace(PYTHON, version=f"3.{minor}.1", minor=(3, minor)) for minor in (13, 11, 10, 9, 8)]
PROJECT = Project(Backend("flit_core.buildapi"), ("flit_core",))
HOUR = 3600
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
NAME = "demo-1.0-py3-none-any.whl"
PKG_INFO = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def wheel_of(directory: Path, *times: float, mode: int = 0o644, run: int = 0o755, data: bytes = b"") -> Path:
    """Write a wheel whose files have those *times*, the rest the last of them, and return it."""
    directory.mkdir()
    files = {
        "demo.py": b"",
        "demo.sh": b"",
        "demo.txt": data,
        "demo-1.0.dist-info/METADATA": METADATA,
        "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: demo 1\nTag: py3-none-any\n",
    }
    rows = [f"{name},{spelt(held)},{len(held)}\n" for name, held in files.items()]
    record = "demo-1.0.dist-info/RECORD"
    members = [
        Member(name, held, run if name.endswith(".sh") else mode, times[min(number, len(times) - 1)])
        for number, (name, held) in enumerate(files.items())
    ]
    text = "".join([*rows, f"{record},,\n"]).encode()
    return write_wheel(directory, [*members, Member(record, text, 0o644, times[-1])], NAME)


def sdist_of(
    directory: Path, *, form: int = tarfile.PAX_FORMAT, device: bytes = b"0000000\0" * 2, binary: bool = False
) -> Path:
    """Write an sdist by tarfile, whose first name is too long for one header, and return it.

    :param device: what headers have for device numbers.
    :param binary: whether the first size is no octal number, but one in base 256.
    """
    directory.mkdir()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as file:
        for name in (f"demo-1.0/{'long' * 40}.py", "demo-1.0/PKG-INFO"):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(PKG_INFO), int(OLD)
            file.addfile(info, io.BytesIO(PKG_INFO))
    raw = bytearray(buffer.getvalue())
    if binary:
        raw[124:136] = b"\x80" + int(raw[124:135], 8).to_bytes(11, "big")
    for start in range(0, len(raw), 512):
        if raw[start + 257 : start + 262] == b"ustar":
            raw[start + 329 : start + 345] = device
            raw[start + 148 : start + 156] = b" " * 8
            raw[start + 148 : start + 156] = b"%06o\0 " % sum(raw[start : start + 512])
    path = directory / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.fileobj.write(raw)  # type: ignore[union-attr]
    return path


def clues(
    server: Server, published: Path, made: Path, pythons: Sequence[Python] = PYTHONS, *distributions: str
) -> BuildClues:
    how = Recovered(BACKEND, PYTHON, "", (), 1_726_000_000, {}, {}, (ArtifactKind.WHEEL,))
    installed = tuple(InstalledDistribution(*one.split("=="), "", {}) for one in distributions)
    metadata, index = read_metadata(published), Index(server.address)
    compared = compare_files(published, made)
    return BuildClues(
        published, Made(made, installed), how, metadata, published.parent, "x", index, lambda: pythons, compared
    )


@pytest.mark.parametrize(
    ("hours", "zone"),
    [(-5.0, "UTC+5"), (2.0, "UTC-2"), (5.5, "UTC-5:30"), (-0.25, "UTC+0:15"), (0.1, ""), (15.0, ""), (24.0, "")],
)
def test_a_time_zone(server: Server, tmp_path: Path, hours: float, zone: str) -> None:
    there = wheel_of(tmp_path / "there", OLD + hours * HOUR, OLD + hours * HOUR, OLD)
    asked = clues(server, there, wheel_of(tmp_path / "here", OLD))
    found = list(to_the_byte(asked))
    assert [one.how.given for one in found] == [{"TZ": zone}] * bool(zone)
    # What somebody asked for stays.
    assert not zone or not list(to_the_byte(replace(asked, how=found[0].how)))
    if zone:
        # What the zone means is the C library's to say.
        local = subprocess.run(
            [sys.executable, "-c", f"import time; print(time.mktime(time.gmtime(0)[:8] + (0,)) / {HOUR})"],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert float(local.stdout) == -hours


PLACES = (
    *("Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Athens", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "America/Anchorage", "America/Halifax", "America/St_Johns"),
    *("Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland", "Asia/Kolkata", "America/Argentina/Buenos_Aires"),
)
LOCAL = "import sys, time; print([time.localtime(int(one))[:6] for one in sys.argv[1:]])"


def local_times(zone: str, times: Sequence[int]) -> str:
    """Return what the C library makes of *times* in a *zone*."""
    command = [sys.executable, "-c", LOCAL, *map(str, times)]
    done = subprocess.run(command, env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("place", PLACES)
def test_summer_time(place: str) -> None:
    """What is found gives the times of the tz database, for all moments and not just those it was found by."""
    draw, zone = random.Random(place), zoneinfo.ZoneInfo(place)
    # Since 2010, when the last of these places had done with summer time; and each half hour of a year.
    moments = [draw.randrange(1_262_304_000, 1_760_000_000) for _ in range(300)]
    moments += range(1_704_067_200, 1_704_067_200 + 366 * 86400, 1800)
    here = {str(number): float(moment) for number, moment in enumerate(moments)}
    there = {
        name: datetime.fromtimestamp(moment, zone).replace(tzinfo=timezone.utc).timestamp()
        for name, moment in here.items()
    }
    found = zone_of(there, here)
    assert found
    sample = [*moments[:300], *moments[300::7]]
    assert local_times(found, sample) == local_times(place, sample)


def test_an_hour_of_summer_time(server: Server, tmp_path: Path) -> None:
    """As of packaging 24.1, which was built in London: some files are of winter, and flit's own of January."""
    summer, winter, constant = 1_717_975_002.0, 1_710_065_236.0, 1_451_606_400.0
    there = wheel_of(tmp_path / "there", summer + HOUR, winter, constant)
    asked = clues(server, there, wheel_of(tmp_path / "here", summer, winter, constant))
    assert [one.how.given for one in to_the_byte(asked)] == [{"TZ": "UTC+0DST,M3.5.0/1,M10.5.0/2"}]


def test_times_that_no_zone_explains(server: Server, tmp_path: Path) -> None:
    here = wheel_of(tmp_path / "here", OLD)
    several = wheel_of(tmp_path / "several", OLD + HOUR, OLD + 2 * HOUR, OLD)
    assert not list(to_the_byte(clues(server, several, here)))
    # A zone would leave the modes as they are.
    both = wheel_of(tmp_path / "both", OLD + HOUR, OLD, mode=0o664)
    assert not list(to_the_byte(clues(server, both, here)))
    assert not list(to_the_byte(clues(server, here, here)))


@pytest.mark.parametrize(
    ("mode", "run", "value"),
    [(0o664, 0o775, "664"), (0o600, 0o700, "600"), (0o644, 0o775, "664"), (0o664, 0o764, ""), (0o264, 0o755, "")],
)
def test_modes_of_another_umask(server: Server, tmp_path: Path, mode: int, run: int, value: str) -> None:
    there = wheel_of(tmp_path / "there", OLD, mode=mode, run=run)
    found = list(to_the_byte(clues(server, there, wheel_of(tmp_path / "here", OLD))))
    assert [one.how.given for one in found] == [{imitations.MODES: value}] * bool(value)


def test_one_mode_for_all_files(server: Server, tmp_path: Path) -> None:
    """Which files can be executed is part of what is installed, so that they are not the same after normalization."""
    here = wheel_of(tmp_path / "here", OLD)
    there = wheel_of(tmp_path / "there", OLD, mode=0o777, run=0o777)
    # RECORD's mode is the backend's own.
    assert not list(candidates(clues(server, there, here)))
    members = [
        Member(f"demo-1.0/{name}", b"", 0o777, owner=(1000, 1000, "me", "me")) for name in ("PKG-INFO", "demo.py")
    ]
    (tmp_path / "sdists").mkdir()
    one = write_sdist(tmp_path / "sdists", members, "demo-1.0.tar.gz")
    other = write_sdist(tmp_path, [replace(member, mode=0o644) for member in members], "demo-1.0.tar.gz")
    assert [found.how.given for found in candidates(clues(server, one, other))] == [{imitations.MODES: "777"}]
    assert not list(candidates(clues(server, other, one)))


@posix
def test_files_that_are_seen_with_one_mode(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    _, where = imitations.imitated(PROJECT, {imitations.MODES: "777"}, tmp_path, tmp_path / "modules", tmp_path)
    code = (
        "import os, pathlib, posix, shutil\n"
        "with open('file') as file: seen = [os.stat('file'), os.lstat('file'), os.fstat(file.fileno())]\n"
        "seen += [pathlib.Path('file').stat(), pathlib.Path('file').lstat()]\n"
        "assert {one.st_mode for one in seen} == {0o100777}, seen\n"
        "real = posix.stat('file')\n"
        "others = [name for name in dir(real) if name.startswith('st_') and name not in ('st_mode', 'st_atime_ns')]\n"
        "assert all(getattr(one, name) == getattr(real, name) for one in seen for name in others if 'atime' not in name)\n"
        "assert os.stat('.') == posix.stat('.') and shutil.rmtree.avoids_symlink_attacks\n"
        "shutil.copy('file', 'copied'); print(oct(posix.stat('copied').st_mode))\n"
    )
    done = run_python("-c", code, cwd=tmp_path, path=where)
    assert done.stdout.strip() == "0o100777", done.stderr
    assert imitations.umask({imitations.MODES: "777"}) == 0o022


@posix
def test_a_tree_and_a_build_of_another_umask(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    for name, mode in (("a", 0o644), ("sub/b", 0o755), ("sub/c", 0o600)):
        (tree / name).write_bytes(b"")
        (tree / name).chmod(mode)
    (tree / "link").symlink_to("missing")
    given = {imitations.MODES: "664"}
    assert imitations.imitated(PROJECT, given, tree, tmp_path / "none", tmp_path) == (PROJECT, "")
    found = {path.name: path.stat().st_mode & 0o777 for path in tree.rglob("*") if path.is_file()}
    assert found == {"a": 0o664, "b": 0o775, "c": 0o664}
    assert imitations.umask(given) == 0o002
    assert imitations.umask({}) == 0o022


@pytest.mark.parametrize("value", ["", "rw", "0664", "66", "264", "689"])
def test_modes_that_there_are_not(value: str) -> None:
    with pytest.raises(UsageError, match="which is no mode of files"):
        imitations.umask({imitations.MODES: value})


@pytest.mark.parametrize(
    ("form", "device", "expected"),
    [
        (tarfile.PAX_FORMAT, b"0000000\0" * 2, ("POSIX", "zeros")),
        (tarfile.PAX_FORMAT, b"\0" * 16, ("POSIX", "none")),
        (tarfile.GNU_FORMAT, b"0000000\0" * 2, ("GNU", "zeros")),
    ],
)
def test_traits_of_tars(tmp_path: Path, form: int, device: bytes, expected: tuple[str, str]) -> None:
    for binary in (False, True):
        found = traits(read(sdist_of(tmp_path / str(binary), form=form, device=device, binary=binary)))
        assert (found["tar format"], found["device numbers"]) == expected


def test_a_python_that_writes_such_headers(server: Server, tmp_path: Path) -> None:
    old, new = sdist_of(tmp_path / "old"), sdist_of(tmp_path / "new", device=b"\0" * 16)
    (found,) = to_the_byte(clues(server, old, new))
    assert found.how.python.short == "3.8"
    assert found.change == "Python 3.8 (device numbers: zeros)"
    # Packed by a newer one, if an older one runs here; or there is none.
    by_old = replace(clues(server, new, old), how=replace(found.how, python=PYTHONS[-1]))
    assert [one.how.python.short for one in to_the_byte(by_old)] == ["3.13"]
    assert not list(to_the_byte(clues(server, old, new, PYTHONS[:-1])))
    assert not list(to_the_byte(clues(server, old, old)))


@pytest.mark.parametrize(
    ("until", "newest"),
    [(1_577_836_800, 8), (1_609_459_200, 9), (1_730_419_200, 13), (1_727_740_800, 12), (1_514_764_800, 6), (None, 99)],
)
def test_the_newest_python_of_a_time(until: int | None, newest: int) -> None:
    """2020-01-01, 2021-01-01, 2024-11-01, 2024-10-01, and 2018-01-01, before there was one each year."""
    assert newest_of_then(until) == newest


@pytest.mark.parametrize(
    ("own", "until", "builds_with", "tried"),
    [
        (13, 1_609_459_200, "3.9", ["3.13", "3.9"]),
        (13, 1_609_459_200, "3.10", ["3.13", "3.9", "3.10"]),
        (13, 1_609_459_200, "3.13", ["3.13"]),
        # The rest are not tried; nor is any where there was this Python already.
        (13, 1_609_459_200, "3.11", ["3.13", "3.9", "3.10"]),
        (9, 1_609_459_200, "3.8", ["3.9"]),
        (11, None, "3.9", ["3.11"]),
    ],
)
def test_an_older_python_where_this_one_is_too_young(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: int, until: int | None, builds_with: str, tried: list[str]
) -> None:
    path = wheel_of(tmp_path / "there", 1_730_419_200)
    (tmp_path / "tree").mkdir()
    asked: list[str] = []

    def remake(how: Recovered, *_: object) -> Made:
        asked.append(how.python.short)
        if how.python.short != builds_with:
            raise BackendError("no longer in the standard library", remedy="Take an older Python.")
        return Made(path, ())

    monkeypatch.setattr(verification, "remake", remake)
    pythons = [*PYTHONS, replace(PYTHON, version="3.9.2t", minor=(3, 9), free_threaded=True)]
    monkeypatch.setattr(verification, "installed", lambda *_: pythons)
    python = next(one for one in pythons if one.minor == (3, own))
    how = Recovered(BACKEND, python, "", (), until, {}, {}, (ArtifactKind.WHEEL,))
    artifact, metadata = PublishedArtifact(path, ""), read_metadata(path)
    with Progress(io.StringIO(), {}, quiet=True) as progress:
        context = VerifyContext(context_of(QUIET, progress, 60), lambda: Index("http://localhost:9/simple"))
        steps = verification._Verification(VerifyRequest(str(path), source=str(tmp_path / "tree")), context, tmp_path)
        source = SourceTree(tmp_path / "tree", "")
        if builds_with in tried:
            assert steps._made(how, artifact, metadata, source)[0].python.short == builds_with
            noted = [f"it does not build with Python 3.{own}, which is younger than it is"] * (len(tried) > 1)
            assert steps._notes == noted
        else:
            with pytest.raises(BackendError):
                steps._made(how, artifact, metadata, source)
    assert asked == tried


def publish(server: Server, project: str, *versions: str) -> None:
    names = [f"{project}-{version}-py3-none-any.whl" for version in versions]
    server.page(project, [{"filename": name, "url": f"/files/{name}", "hashes": {}} for name in names])


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (b"by Babel 2.12.1\n", b"by Babel 2.13.1\n", ["2.12.1"]),
        (b"# babel==2.12.1 of then\n", b"# babel==2.13.1 of then\n", ["2.12.1"]),
        # Of no release, of another project, of a release that is part of another one.
        (b"by Babel 2.12.2\n", b"by Babel 2.13.1\n", []),
        (b"by Abel 2.12.1\n", b"by Abel 2.13.1\n", []),
        (b"by Babel 2.12.1\n", b"by Babel 2.13.1.7\n", []),
        (b"by nothing\n", b"by Babel 2.13.1\n", []),
    ],
)
def test_a_release_that_a_file_names(
    server: Server, tmp_path: Path, there: bytes, here: bytes, expected: list[str]
) -> None:
    publish(server, "babel", "2.12.1", "2.13.1", "2.13.1.7")
    paths = [wheel_of(tmp_path / name, OLD, data=data) for name, data in (("there", there), ("here", here))]
    found = list(candidates(clues(server, *paths, PYTHONS, "Babel==2.13.1")))
    assert [one.how.pins for one in found] == [(f"babel=={version}",) for version in expected]


def test_the_last_build_is_for_the_archive(tmp_path: Path, server: Server) -> None:
    """Once the contents are the same, what is left of the attempts goes to times, modes and headers."""
    here, zone = wheel_of(tmp_path / "here", OLD), wheel_of(tmp_path / "zone", OLD + HOUR)
    other = wheel_of(tmp_path / "other", OLD + HOUR, data=b"Babel 2.13.1")
    published = wheel_of(tmp_path / "there", OLD + HOUR, data=b"")
    how = Recovered(BACKEND, PYTHON, "", (), None, {}, {}, (ArtifactKind.WHEEL,))

    def trial(path: Path) -> RebuildTrial:
        return RebuildTrial(how, Made(path, ()), compare_files(published, path))

    def seen(best: RebuildTrial) -> BuildClues:
        return clues(server, published, best.made.path)

    built: list[str] = []

    def build(candidate: BuildCandidate) -> RebuildTrial:
        built.append(candidate.change)
        return trial(zone)

    best, tried = improved(trial(here), seen, build, 3)
    assert best.comparison.verdict == Verdict.IDENTICAL
    assert tried == (RebuildAttempt("TZ=UTC-1", Verdict.IDENTICAL, is_kept=True),)
    assert improved(trial(here), seen, build, 0)[1] == ()
    assert improved(trial(zone), seen, build, 3)[1] == ()
    # Contents that differ are not for it.
    assert improved(trial(other), seen, build, 3)[1] == ()
    assert built == ["TZ=UTC-1"]
