"""The doctor's diagnosis, as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from ..flows.doctor import Diagnosis
from .terminal import Style


def diagnosis_lines(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    """Yield the lines of ``samebytes doctor``."""
    yield _row("samebytes", diagnosis.samebytes)
    yield _row("Python", f"{diagnosis.python} {style.dim(diagnosis.executable)}")
    yield _row("platform", diagnosis.platform)
    yield _row("zlib", diagnosis.zlib)
    yield _row("encoder", f"{diagnosis.encoder.provider.name}: {diagnosis.encoder.reason}")
    yield _row("compression", style.bad(diagnosis.encoder_fault) if diagnosis.encoder_fault else style.good("ok"))
    yield _row("speed", _speed(diagnosis))
    for name, version in diagnosis.core.items():
        yield _row(name, version or style.bad("missing"))
    for extra, found in diagnosis.extras.items():
        yield _row(f"[{extra}]", found or style.dim(f"not installed (pip install 'samebytes[{extra}]')"))


def _speed(diagnosis: Diagnosis) -> str:
    speed = f"{diagnosis.encoder_speed:.1f} MB/s on one processor"
    return speed if diagnosis.is_own else f"{speed} (our own encoder: {diagnosis.own_speed:.1f} MB/s)"


def _row(name: str, value: str) -> str:
    return f"{name:<16} {value}"
