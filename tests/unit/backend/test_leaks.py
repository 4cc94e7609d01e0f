"""Finding the machine in what was built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samebytes.archive.entry import Archive, Data, Entry, Kind
from samebytes.backend.hooks import _forms
from samebytes.backend.leaks import needles, search, warnings

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


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here, only the tests")
def test_the_page_shows_a_warning_as_it_is() -> None:
    module = "example_meson/_native.cpython-311-x86_64-linux-gnu.so"
    (said,) = warnings(search(archive(**{module: b"/home/ada/p"}), needles({"source directory": ["/home/ada/p"]}, {})))
    assert f".whl: {said}" in PAGE.read_text("utf-8").replace("\n", " ")
