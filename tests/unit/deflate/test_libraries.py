"""Stock zlib by ctypes: which libraries are found, and that each makes the canonical stream or is refused."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.deflate_inputs import NOT_STOCK, STOCK_ZLIB, noise, words
from support.imitation import imitation
from support.processes import modules_loaded_by

from samebytes.deflate import libraries, providers
from samebytes.deflate.libraries import by_library, found
from samebytes.deflate.providers import PURE, by_zlib, choose, fault_of
from samebytes.deflate.stream import SEGMENT_SIZE, WINDOW_SIZE, Encoder, Segment, segments

SYSTEM = next(iter(found()), None)
system = pytest.mark.skipif(SYSTEM is None, reason="no zlib can be loaded as a shared library")
against_zlib = pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)


def cut(data: bytes) -> list[Segment]:
    return list(segments([data]))


@system
@against_zlib
@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"x",
        lambda: bytes(3 * SEGMENT_SIZE),
        lambda: noise(SEGMENT_SIZE),
        lambda: noise(SEGMENT_SIZE + 1),
        lambda: words(2 * SEGMENT_SIZE + 12_345),
        lambda: words(WINDOW_SIZE),
    ],
    ids=["empty", "a byte", "zeros", "noise", "a byte more than a segment", "words", "a window"],
)
def test_every_segment_is_as_stock_zlib_makes_it(make: Callable[[], bytes]) -> None:
    assert SYSTEM is not None
    assert fault_of(SYSTEM) == ""
    for segment in cut(make()):
        assert SYSTEM.encode(*segment) == by_zlib().encode(*segment)
        assert SYSTEM.encode(segment.data, segment.window, False) == by_zlib().encode(
            segment.data, segment.window, False
        )


@system
@against_zlib
def test_threads_use_it_side_by_side() -> None:
    assert SYSTEM is not None
    assert not SYSTEM.in_processes
    data = words(3 * SEGMENT_SIZE)
    with Encoder(4, SYSTEM) as several, Encoder(1, by_zlib()) as one:
        results: tuple[list[bytes], list[bytes]] = ([], [])
        for encoder, result in zip((several, one), results):
            for segment in cut(data):
                encoder.encode([segment], result.extend)
            encoder.drain()
    assert results[0] == results[1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("samebytes")]


@system
@against_zlib
def test_it_takes_the_place_of_an_interpreters_zlib_that_gives_other_bytes() -> None:
    foreign = by_zlib(imitation(compressobj=lambda *_, **__: None))
    choice = choose([foreign, *found()])
    assert choice.provider.name.startswith("zlib ")
    assert choice.reason.startswith("it gives the 8 reference streams; ")
    assert foreign.name in choice.reason


def test_what_is_no_zlib_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = tmp_path / "libz.so.1"
    garbage.write_bytes(b"\x7fELF, and nothing else")
    others = [str(garbage), str(tmp_path / "missing.so"), str(tmp_path)]
    if ctypes.util.find_library("m"):
        others.append(str(ctypes.util.find_library("m")))
    monkeypatch.setattr(libraries, "_places", lambda: iter(others))
    assert list(found()) == []
    assert choose(found()).provider is PURE


@system
def test_one_that_fails_is_refused_with_what_it_returned() -> None:
    name = getattr(SYSTEM, "name", "").rpartition(" of ")[2]

    class Failing:
        """The library, but that it never compresses anything."""

        def __init__(self) -> None:
            self._library = ctypes.CDLL(name)
            self._library.zlibVersion.restype = ctypes.c_char_p

        def __getattr__(self, function: str) -> object:
            return (lambda *_: -2) if function == "deflate" else getattr(self._library, function)

    assert fault_of(by_library(Failing(), name)) == (  # type: ignore[arg-type]
        "cannot make the canonical stream (OSError: zlib returned -2)"
    )


def _names() -> tuple[str, ...]:
    return libraries._NAMES.get(sys.platform, ("libz.so.1",))


def test_the_package_is_looked_for_only_where_packages_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source tree that is the current directory, and so on sys.path, must not bring a library that is loaded."""
    name = _names()[0]
    for place in ("tree", "env/site-packages", "debian/dist-packages"):
        for folder in ("lib", "lib64"):
            (tmp_path / place / "cmeel.prefix" / folder).mkdir(parents=True)
            (tmp_path / place / "cmeel.prefix" / folder / name).touch()
    monkeypatch.chdir(tmp_path / "env")
    monkeypatch.setattr(
        sys, "path", ["", "site-packages", *map(str, (tmp_path / "tree", tmp_path / "debian" / "dist-packages"))]
    )
    listed = list(libraries._places())
    expected = [tmp_path / "debian" / "dist-packages" / "cmeel.prefix" / folder / name for folder in ("lib", "lib64")]
    assert listed[:2] == list(map(str, expected))
    assert not [place for place in listed[2:] if str(tmp_path) in place]


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("win32", ["{base}/DLLs/zlib1.dll", "{base}/DLLs/zlib.dll"]),
        ("darwin", ["/usr/lib/libz.1.dylib", "/usr/lib/libz.dylib"]),
    ],
)
def test_no_library_is_loaded_by_its_name_alone(
    platform: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On Windows and macOS, the current directory is looked in as well; on Linux it is not (ld.so(8))."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    assert list(libraries._places()) == [str(Path(name.format(base=tmp_path))) for name in expected]


@against_zlib
def test_where_the_interpreters_zlib_is_stock_ctypes_is_not_loaded() -> None:
    assert "ctypes" not in modules_loaded_by("from samebytes.deflate.stream import chosen; chosen()")


def test_candidates_begin_with_the_interpreters_own() -> None:
    assert next(iter(providers.candidates())).name == by_zlib().name
