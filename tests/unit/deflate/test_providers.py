"""Who is let compress, who is not and why, and what catches those who pass all reference streams and err later."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.artifacts import sdist, wheel
from support.deflate_inputs import NOT_STOCK, STOCK_ZLIB, words
from support.differences import digest
from support.imitation import NAME, VERSION, erring, imitation, is_no_vector
from support.processes import import_path

from samebytes.deflate import providers
from samebytes.deflate.providers import PURE, SAMPLE_SIZE, Provider, by_zlib, choose, cross_check, fault_of
from samebytes.deflate.stream import SEGMENT_SIZE, Encoder, Segment
from samebytes.deflate.vectors import DIGESTS
from samebytes.errors import EncoderError

against_zlib = pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)


@against_zlib
def test_stock_zlib_is_let_in() -> None:
    choice = choose([by_zlib()])
    assert choice.provider.name == f"the interpreter's zlib {zlib.ZLIB_RUNTIME_VERSION}"
    assert not choice.provider.in_processes
    assert choice.reason == f"it gives the {len(DIGESTS)} reference streams"


@against_zlib
def test_a_module_that_is_like_stock_zlib_is_let_in() -> None:
    assert choose([by_zlib(imitation())]).provider.name == f"{NAME} {VERSION}"
    assert choose([by_zlib(imitation(ZLIB_RUNTIME_VERSION=None))]).provider.name == NAME


def test_our_own_encoder_has_no_fault() -> None:
    assert fault_of(PURE) == ""


def refusing() -> ModuleType:
    def compressobj(*_: object, **zdict: bytes) -> object:
        raise zlib.error("not today")

    return imitation(compressobj=compressobj)


def without_dictionaries() -> ModuleType:
    def compressobj(level: int, method: int, wbits: int, memory: int, strategy: int) -> object:
        return zlib.compressobj(level, method, wbits, memory, strategy)

    return imitation(compressobj=compressobj)


def of_one_level() -> ModuleType:
    def compressobj(level: int, *settings: int, **zdict: bytes) -> object:
        raise ValueError(f"Invalid compression level: {level}. Compression level should be between 0 and 3")

    return imitation(compressobj=compressobj)


def out_of_memory() -> ModuleType:
    def compressobj(*_: object, **zdict: bytes) -> object:
        raise MemoryError

    return imitation(compressobj=compressobj)


CANNOT = "cannot make the canonical stream"


@against_zlib
@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (ModuleType(NAME), f"{CANNOT} (AttributeError: module '{NAME}' has no attribute 'compressobj')"),
        (imitation(Z_BLOCK=None), f"{CANNOT} (AttributeError: module '{NAME}' has no attribute 'Z_BLOCK')"),
        (refusing(), f"{CANNOT} (error: not today)"),
        (of_one_level(), f"{CANNOT} (ValueError: Invalid compression level: 6. "),
        (without_dictionaries(), f"{CANNOT} (TypeError: "),
        (out_of_memory(), f"{CANNOT} (MemoryError: )"),
        (imitation(compressobj=lambda *_, **__: None), f"{CANNOT} (AttributeError: "),
        (erring(lambda data: len(data) == 9000), "gives another stream for a segment primed by a whole window"),
        (erring(bool), "gives another stream for text that is longer than the window"),
    ],
    ids=["empty", "no Z_BLOCK", "raises", "no level 6", "no zdict", "no memory", "None", "once", "always"],
)
def test_others_are_refused_with_a_reason(module: ModuleType, reason: str) -> None:
    choice = choose([by_zlib(module)])
    assert choice.provider is PURE
    assert f"{NAME} {reason}" in choice.reason.replace(f" {VERSION}", "")
    assert choice.reason.endswith("; this gives the right bytes, slowly")


FOREIGN = pytest.mark.parametrize("name", ["zlib_ng.zlib_ng", "isal.isal_zlib"])


@FOREIGN
def test_real_other_compressors_are_refused(name: str) -> None:
    module = pytest.importorskip(name, reason=f"{name} is not installed")
    choice = choose([by_zlib(module)])
    assert choice.provider is PURE
    assert name in choice.reason


def test_whoever_is_interrupted_is_not_taken_for_faulty() -> None:
    def encode(*_: object) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        choose([Provider("interrupted", encode, in_processes=False)])


@against_zlib
def test_who_agrees_passes_the_cross_check() -> None:
    cross_check(by_zlib(), words(9000))
    cross_check(by_zlib(), b"x")
    cross_check(PURE, words(9000))


@against_zlib
def test_who_passes_all_reference_streams_and_errs_on_other_contents_fails_it() -> None:
    almost = choose([by_zlib(erring(is_no_vector))]).provider
    assert almost is not PURE
    with pytest.raises(EncoderError) as caught:
        cross_check(almost, words(9000))
    assert caught.value.message == (
        f"{NAME} {VERSION} and {PURE.name} compress the same {SAMPLE_SIZE} bytes to different streams"
    )
    assert "Nothing was written." in caught.value.remedy
    assert "samebytes doctor" in caught.value.remedy
    assert caught.value.exit_status == 11


def test_a_forced_zlib_ng_fails_it() -> None:
    module = pytest.importorskip("zlib_ng.zlib_ng", reason="zlib-ng is not installed")
    with pytest.raises(EncoderError, match=r"zlib_ng\.zlib_ng .* and samebytes' own encoder"):
        cross_check(by_zlib(module), words(SAMPLE_SIZE))


def checked(tasks: list[list[Segment]], monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what of *tasks* was compared, of a provider that nobody has used yet."""
    seen: list[bytes] = []
    monkeypatch.setattr(providers, "cross_check", lambda _, contents: seen.append(contents))
    with Encoder(1, by_zlib(imitation())) as encoder:
        for task in tasks:
            encoder.encode(task, len)
    return seen


def whole(*contents: bytes) -> list[Segment]:
    return [Segment(data, b"", True) for data in contents]


def test_the_first_contents_are_compared_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked([whole(b"one", b"two"), whole(b"three")], monkeypatch) == [b"one"]


def test_what_is_empty_is_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked([[], whole(b""), whole(b"", b"", b"one", b"two"), whole(b"three")], monkeypatch) == [b"one"]


MAIN = """
import sys

from support.imitation import erring, is_no_vector

sys.modules["zlib"] = erring(is_no_vector)

from samebytes.commands.main import main

sys.exit(main(sys.argv[1:]))
"""
"""The command line under an interpreter whose zlib errs beyond the reference streams."""

SIZES = {"small": 500, "large": 3 * SEGMENT_SIZE}


@against_zlib
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("kind", [wheel, sdist])
def test_such_a_zlib_ends_the_command_before_anything_is_written(kind: Any, size: int, tmp_path: Path) -> None:
    """The first member is empty, as so many are."""
    path = kind(tmp_path, files={"demo/__init__.py": b"", "demo/words.txt": words(10_000) * (size // 10_000 + 1)})
    before = digest(path)
    command = [sys.executable, "-c", MAIN, "normalize", "--jobs", "2", str(path)]
    done = subprocess.run(command, env={**os.environ, **import_path()}, capture_output=True, text=True, check=False)
    assert done.returncode == 11, done.stderr
    assert f"the interpreter's zlib {VERSION} and {PURE.name} compress the same " in done.stderr
    assert "Nothing was written. Please report it, with the output of `samebytes doctor`." in done.stderr
    assert digest(path) == before
    assert list(tmp_path.iterdir()) == [path]
