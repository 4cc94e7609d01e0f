"""Directories for a while: removed whatever happens, and no error where that fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from samebytes_tools.building.scratch import scratch


def test_it_is_removed_with_what_may_only_be_read(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch(tmp_path) as directory:
            (directory / "sub").mkdir()
            (directory / "sub" / "file").touch()
            (directory / "sub").chmod(0o500)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("error")
def test_what_is_busy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise OSError(16, "Device or resource busy")

    with scratch(tmp_path) as directory:
        (directory / "sub").mkdir()
        monkeypatch.setattr(os, "rmdir", busy)
    assert (directory / "sub").is_dir()
