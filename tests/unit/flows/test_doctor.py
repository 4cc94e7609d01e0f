from __future__ import annotations

import sys
import zlib

import pytest

from samebytes.flows import doctor


def test_diagnosis_of_this_interpreter() -> None:
    diagnosis = doctor.diagnose()
    assert diagnosis.executable == sys.executable
    assert diagnosis.zlib == zlib.ZLIB_RUNTIME_VERSION
    assert diagnosis.core["packaging"]
    assert set(diagnosis.extras) == {"build", "setuptools", "wrap"}


def test_reference_contents_need_a_second_segment_and_are_not_trivial() -> None:
    data = b"".join(doctor.reference_contents())
    assert 1 << 20 < len(data) < 2 << 20
    assert 0.2 < len(zlib.compress(data)) / len(data) < 0.9


def test_another_compressor_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.stream_digest() == doctor.REFERENCE_DIGEST
    monkeypatch.setattr("samebytes.archive.deflate.LEVEL", 5)
    assert doctor.stream_digest() != doctor.REFERENCE_DIGEST
    assert not doctor.diagnose().compression_ok
    assert not doctor.diagnose().healthy


def test_a_missing_dependency_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CORE", ("samebytes-is-without-this",))
    diagnosis = doctor.diagnose()
    assert diagnosis.core == {"samebytes-is-without-this": None}
    assert not diagnosis.healthy
