"""The doctor's diagnosis, as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from ..flows.doctor import Diagnosis
from .terminal import Style

_NOT_OK = "not ok: the bytes differ from the reference stream"


def diagnosis_lines(diagnosis: Diagnosis, style: Style) -> Iterator[str]:
    """Yield the lines of ``samebytes doctor``."""
    yield _row("samebytes", diagnosis.samebytes)
    yield _row("Python", f"{diagnosis.python} {style.dim(diagnosis.executable)}")
    yield _row("platform", diagnosis.platform)
    yield _row("zlib", diagnosis.zlib)
    yield _row("compression", style.good("ok") if diagnosis.compression_ok else style.bad(_NOT_OK))
    for name, version in diagnosis.core.items():
        yield _row(name, version or style.bad("missing"))
    for extra, found in diagnosis.extras.items():
        yield _row(f"[{extra}]", found or style.dim(f"not installed (pip install 'samebytes[{extra}]')"))


def _row(name: str, value: str) -> str:
    return f"{name:<16} {value}"
