"""What workers share is made once, and once more after it failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.sharing import shared

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.mark.parametrize("worker", [False, True])
def test_it_is_made_once(
    worker: bool, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path_factory.getbasetemp()
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if worker:
        base = tmp_path_factory.mktemp("run")
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
        monkeypatch.setattr(tmp_path_factory, "_basetemp", base / "gw0")
    made: list[Path] = []

    def make(directory: Path) -> None:
        made.append(directory)
        assert list(directory.iterdir()) == []
        (directory / "some").touch()
        if len(made) == 1:
            raise ValueError("not yet")

    name = f"of-{worker}"
    with pytest.raises(ValueError, match="not yet"):
        shared(tmp_path_factory, name, make)
    directory = shared(tmp_path_factory, name, make)
    assert shared(tmp_path_factory, name, make) == directory == base / f"shared-{name}"
    assert made == [directory] * 2
