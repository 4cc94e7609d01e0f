"""Targets that are full or read-only (real file systems: small tmpfs mounts)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.artifacts import wheel

from samebytes.commands.normalize.normalize import NormalizeOptions, NormalizeResult, normalize, plan
from samebytes.errors import OutputError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    directory = tmp_path / "small"
    directory.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "samebytes-test", str(directory)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def only(path: Path, output: Path | None = None) -> NormalizeResult:
    (result,) = normalize(plan([path], output), NormalizeOptions())
    return result


def test_a_full_target_leaves_everything_as_it_was(small: Path, tmp_path: Path) -> None:
    path = wheel(small, files={"demo/data.bin": os.urandom(120_000)})
    before = path.read_bytes()
    error = only(path).error
    assert isinstance(error, OutputError)
    assert str(path) in error.message
    assert "space" in error.remedy
    assert path.read_bytes() == before
    assert list(small.iterdir()) == [path]
    assert only(path, tmp_path / "out").changed, "there is room elsewhere"


def test_a_full_output_directory(small: Path, tmp_path: Path) -> None:
    path = wheel(tmp_path / "in", files={"demo/data.bin": os.urandom(300_000)})
    assert isinstance(only(path, small / "out").error, OutputError)
    assert list((small / "out").iterdir()) == []


def test_a_read_only_target(small: Path) -> None:
    path = wheel(small)
    before = path.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    error = only(path).error
    assert isinstance(error, OutputError)
    assert "Read-only file system" in error.message
    assert error.remedy
    assert path.read_bytes() == before
    assert list(small.iterdir()) == [path]
