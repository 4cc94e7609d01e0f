"""Finding the machine in what was built."""

from __future__ import annotations

import datetime
import email.utils
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from samebytes.archive.entry import Archive, Data, Entry, Kind
from samebytes.backend import leaks
from samebytes.backend.hooks import _forms
from samebytes.backend.leaks import DATE, dates, needles, of_the_build, search, warnings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "what-varies.md"


class Pieces:
    """Contents that come in pieces of a given size."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = data, step
        self.size = len(data)

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, self.size, self.step):
            yield self.data[start : start + self.step]


def archive(**files: bytes) -> Archive:
    return Archive("a.whl", tuple(Entry(name, Kind.FILE, 0o644, 0.0, Data(data)) for name, data in files.items()))


def test_a_path_is_found_and_told_with_its_file() -> None:
    wanted = needles({"source directory": ["/home/ada/src"]}, {})
    found = search(archive(good=b"nothing", bad=b"\x00/home/ada/src/a.c\x00"), wanted)
    assert found == {("source directory", "/home/ada/src"): ["bad"]}
    assert warnings(found) == ["the source directory '/home/ada/src' is in bad: the result depends on it"]


def test_a_path_is_found_as_source_code_and_build_systems_write_it(tmp_path: Path) -> None:
    path = tmp_path / "a\\b"
    wanted = needles({"source directory": _forms(path)}, {})
    for form in (str(path), repr(str(path)), path.as_posix(), path.resolve().as_posix()):
        assert search(archive(file=form.encode()), wanted), form


@pytest.mark.parametrize("step", [1, 3, 7, 4096])
def test_nothing_hides_between_two_pieces(step: int) -> None:
    data = b"x" * 4090 + b"/home/ada/src" + b"y" * 50
    entry = Entry("f", Kind.FILE, 0o644, 0.0, Pieces(data, step))
    assert len(search(Archive("a", (entry,)), needles({"path": ["/home/ada/src"]}, {}))) == 1


def test_names_count_only_as_words_and_only_if_they_tell_something() -> None:
    wanted = needles({}, {"user name": "lovelace", "host name": "localhost"})
    assert list(wanted) == [("user name", "lovelace")]
    assert search(archive(a=b"lovelaces"), wanted) == {}
    assert len(search(archive(a=b"by lovelace."), wanted)) == 1


@pytest.mark.parametrize("name", ["root", "runner", "ada", "", "Runner", "Administrator"])
def test_short_and_generic_names_are_not_searched_for(name: str) -> None:
    assert not needles({}, {"user name": name})


def test_many_files_are_counted() -> None:
    wanted = needles({"path": ["/home/ada"]}, {})
    files = {f"f{number}": b"/home/ada" for number in range(8)}
    assert warnings(search(archive(**files), wanted))[0].endswith("f4 and 3 more: the result depends on it")


DAYS = ["2020-11-29T17:19:26", "2025-05-09T00:00:00", "2023-01-02T23:59:59", "2024-02-29T12:00:00"]
NOTATIONS = [
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%d", "%Y%m%d%H%M", "D:%Y%m%d%H%M%SZ", "1.0+d%Y%m%d", "%Y/%m/%d",
    "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%b %d %Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%c",
    "%d %B %Y", "%a %b %d %H:%M:%S UTC %Y", "%a %b %d %I:%M:%S %p CEST %Y", "%a %b %d", "%a %b %d %H:%M",
]  # fmt: skip


def moment(day: str) -> float:
    return datetime.datetime.fromisoformat(f"{day}+00:00").timestamp()


def is_dated(text: str, start: float, given: int | None = None) -> bool:
    return bool(search(archive(file=f"built {text}, in C".encode()), dates((start, start + 9), given)))


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_day_of_a_build_is_found_as_it_is_usually_written(notation: str, day: str) -> None:
    start = moment(day)
    at = time.gmtime(start)
    text = time.strftime(notation, at)
    assert is_dated(text, start)
    assert is_dated(text.replace(" 0", "  ").replace("/0", "/"), start)  # as C's __DATE__ and people write it
    assert not is_dated(text, start + 3 * 86400)
    assert not is_dated(text, start, int(start))
    assert not is_dated(time.strftime(notation.replace("%Y", "2015"), at), start) or "%Y" not in notation
    assert not is_dated(time.strftime(notation.replace("%Y", "%Y7"), at), start) or "%Y" not in notation


@pytest.mark.parametrize("day", DAYS)
def test_the_second_of_a_build_is_found_with_and_without_parts_of_it(day: str) -> None:
    start = moment(day)
    ns = int(start) * 10**9
    for text in (
        f"{start}",
        f"{start:.0f}",
        f"{ns // 10**6}",
        f"{ns}",
        email.utils.formatdate(start),
        time.ctime(start),
    ):
        assert is_dated(text, start), text
    for text in (f"1{start:.0f}", f"{start:.0f}1", f"{start + 10**6:.0f}", f"a{start:.0f}b"[:8]):
        assert not is_dated(text, start), text


def test_the_local_day_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks.time, "localtime", lambda at: time.gmtime(at + 14 * 3600))
    start = moment(DAYS[0])
    assert [is_dated(day, start) for day in ("2020-11-28", "2020-11-29", "2020-11-30")] == [False, True, True]


def test_what_is_no_date_is_not_found() -> None:
    start = moment(DAYS[0])
    for text in (
        "(c) 2020",
        "2020",
        "2020.11.29",
        "v2020.11",
        "2020-11",
        "2020-12-29",
        "Nov 29",
        "Sun Nov 29 2015",
        "Nov",
    ):
        assert not is_dated(text, start), text
    rng = random.Random(1)
    digests = "\n".join(rng.randbytes(32).hex() for _ in range(3000)) + "".join(map(str, range(10**5)))
    assert not is_dated(digests, start)


@pytest.mark.parametrize("step", [1, 3, 7, 4096])
def test_no_date_hides_between_two_pieces(step: int) -> None:
    entry = Entry("f", Kind.FILE, 0o644, 0.0, Pieces(b"x" * 4090 + b" 29 Nov 2020 " + b"y" * 50, step))
    assert list(search(Archive("a", (entry,)), dates((moment(DAYS[0]),) * 2, None))) == [(DATE, "29 Nov 2020")]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_what_the_compiler_writes_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("const char *built = __DATE__;")
    start = time.time()
    subprocess.run(["gcc", "-c", "a.c"], cwd=tmp_path, check=True, env={"PATH": os.environ["PATH"]})
    found = search(archive(a=(tmp_path / "a.o").read_bytes()), dates(built := (start, time.time()), None))
    assert [members for _, members in of_the_build(found, built, None, "a-1.0.tar.gz", tmp_path).items()] == [["a"]]
    # As the warning says.
    environ = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1600000000"}
    subprocess.run(["gcc", "-c", "a.c"], cwd=tmp_path, check=True, env=environ)
    assert not search(archive(a=(tmp_path / "a.o").read_bytes()), dates(built, 1600000000))


def from_build(tree: Path, *texts: str, start: float, given: int | None = None, name: str = "p-1.0.whl") -> set[str]:
    found = {(DATE, text): ["f"] for text in texts}
    return {text for _, text in of_the_build(found, (start, start + 20), given, name, tree)}


def test_a_date_that_the_source_or_the_version_has_is_not_of_the_build(tmp_path: Path) -> None:
    start, dated = moment(DAYS[0]), ("2020-11-29", "29 Nov 2020", "20201129")
    (tmp_path / "docs").mkdir()
    for name, text in (("docs/changes.txt", "## 1.0 (2020-11-29)"), ("new.py", "29 Nov 2020")):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (start - 5, start - 5))
    os.utime(tmp_path / "new.py", (start + 1, start + 1))  # made by the build
    assert from_build(tmp_path, *dated, start=start) == {"29 Nov 2020", "20201129"}
    assert from_build(tmp_path, *dated, start=start, name="p-0.20201129-py3-none-any.whl") == {"29 Nov 2020"}
    # setuptools-scm has it from the clock.
    assert from_build(tmp_path, *dated, start=start, name="p-1.0+d20201129.tar.gz") == {"29 Nov 2020", "20201129"}


@pytest.mark.parametrize("place", ["p.egg-info", "src/p.egg-info", "build", ".git"])
def test_what_backends_leave_in_the_tree_is_not_its_source(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "PKG-INFO").write_text("2020-11-29")
    os.utime(tmp_path / place / "PKG-INFO", (0, 0))
    assert from_build(tmp_path, "2020-11-29", start=moment(DAYS[0])) == {"2020-11-29"}


def test_only_seconds_of_the_build_count(tmp_path: Path) -> None:
    start = time.time() - 10
    now = int(time.time())
    numbers = str(now), f"{now}000", str(now - 100), str(now + 100)
    assert from_build(tmp_path, *numbers, start=start) == {str(now), f"{now}000"}
    assert from_build(tmp_path, *numbers, start=start, given=now) == set()


def test_the_source_is_searched_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    if sys.platform == "linux":
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "name too long").symlink_to("a" * 300)  # is not only missing: stat(2) refuses to look
        (tmp_path / "tree").symlink_to(".")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 1 << 40)
    os.utime(tmp_path / "large", (0, 0))
    assert from_build(tmp_path, "2020-11-29", start=moment(DAYS[0])) == {"2020-11-29"}


def test_a_second_of_the_build_is_not_sought_in_the_source(tmp_path: Path) -> None:
    """No older file has it, and a log may have thousands."""
    (tmp_path / "odd.txt").write_text(text := f"{1606660800}")
    os.utime(tmp_path / "odd.txt", (0, 0))
    assert from_build(tmp_path, text, start=1606660800) == {text}


def test_many_dates_in_one_file_are_counted() -> None:
    (line,) = warnings({(DATE, f"16066608{number:02}"): ["p/log"] for number in range(100)})
    assert " is in p/log ('1606660800', '1606660801', '1606660802', '1606660803', '1606660804' and 95 more):" in line


def test_all_dates_make_one_warning() -> None:
    found = {
        (DATE, "2020-11-29"): ["p/a.py", "p/b.so"],
        ("user name", "lovelace"): ["p/a.py"],
        (DATE, "20201129"): ["p/a.py"],
    }
    name, date = warnings(found)
    assert name.startswith("the user name 'lovelace' is in p/a.py:")
    assert date == (
        "today's date is in p/a.py ('2020-11-29', '20201129'), p/b.so ('2020-11-29'): the result depends on it; give "
        "SOURCE_DATE_EPOCH or [tool.samebytes] source-date-epoch, and let what writes it take that, not the clock"
    )


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_page_shows_a_warning_as_it_is() -> None:
    module = "example_meson/_native.cpython-311-x86_64-linux-gnu.so"
    (said,) = warnings(search(archive(**{module: b"/home/ada/p"}), needles({"source directory": ["/home/ada/p"]}, {})))
    assert f".whl: {said}" in PAGE.read_text("utf-8").replace("\n", " ")
    page = {(DATE, "2026-11-29"): ["example/_build.py"], (DATE, "November 29, 2026"): ["example/help.html"]}
    assert f"any.whl: {warnings(page)[0]}" in PAGE.read_text("utf-8").replace("\n", " ")
