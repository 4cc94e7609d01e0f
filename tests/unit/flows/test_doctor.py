from __future__ import annotations

import sys
import time
import zlib

import pytest

from samebytes.deflate.providers import PURE, Provider, by_zlib
from samebytes.flows import doctor


def test_diagnosis_of_this_interpreter() -> None:
    diagnosis = doctor.diagnose(time.process_time)
    assert diagnosis.executable == sys.executable
    assert diagnosis.zlib == zlib.ZLIB_RUNTIME_VERSION
    assert diagnosis.core["packaging"]
    assert set(diagnosis.extras) == {"build", "setuptools", "wrap"}
    assert diagnosis.healthy
    assert diagnosis.encoder_speed > 0
    assert diagnosis.own_speed > 0


def test_another_compressor_is_told_and_ours_takes_its_place() -> None:
    def another(segment: bytes, window: bytes, last: bool) -> bytes:
        return by_zlib().encode(segment, window, last) + b"?"

    diagnosis = doctor.diagnose(time.process_time, Provider("fakelib 1", another, in_processes=False))
    assert diagnosis.is_own
    assert diagnosis.encoder.reason.startswith("fakelib 1 gives another stream for text")
    assert diagnosis.encoder_speed == diagnosis.own_speed
    assert diagnosis.healthy, "the bytes are right, only slow"


def test_speed_is_bytes_in_the_time_that_passed() -> None:
    now = iter(range(10))
    sizes = []

    def encode(segment: bytes, window: bytes, last: bool) -> bytes:
        sizes.append(len(segment))
        return b""

    speed = doctor.speed(Provider("none", encode, in_processes=False), lambda: float(next(now)))
    assert speed == pytest.approx(sizes[0] / 1e6 / 3)


def test_an_encoder_of_ours_that_errs_makes_ill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samebytes.deflate.pure.encode_segment", lambda *_: b"wrong")
    diagnosis = doctor.diagnose(time.process_time)
    assert PURE.name in diagnosis.encoder_fault
    assert not diagnosis.healthy


def test_a_missing_dependency_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CORE", ("samebytes-is-without-this",))
    diagnosis = doctor.diagnose(time.process_time)
    assert diagnosis.core == {"samebytes-is-without-this": None}
    assert not diagnosis.healthy
