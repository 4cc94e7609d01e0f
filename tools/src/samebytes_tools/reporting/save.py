"""A report into a file."""

from __future__ import annotations

from pathlib import Path

from samebytes.archive.atomic import replacing


def save(text: str, target: Path) -> None:
    """Write *text* to *target* as UTF-8: the file appears whole or not at all.

    :raises OutputError: if it cannot be written; what was there before still is.
    """
    with replacing(target) as sink:
        sink.write(text.encode("utf-8"))
