"""What opening an archive refuses whatever it holds: texts over their budget, and what Python itself cannot bear."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.artifacts import METADATA, sdist, wheel
from support.processes import import_path
from support.projects import small_project

from samebytes.archive import limits
from samebytes.artifact.opening import open_archive
from samebytes.errors import ArchiveError, ConfigError, HostileArchiveError

LARGE = METADATA + b"\n" + b"x" * (5 << 20)


@pytest.fixture(autouse=True)
def default_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(limits.VARIABLE, raising=False)
    limits.budgets.cache_clear()


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **import_path(), **variables}
    command = [sys.executable, "-m", "samebytes", *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_the_names_are_held_to_their_budgets(tmp_path: Path) -> None:
    """Whatever the file, and however often: it is the sum that counts."""
    info, lines = "demo-1.0.dist-info", b"a\n" * (1 << 13)
    several = {f"{info}/WHEEL.d/x": b"", **{f"{info}/{name}": lines for name in ("top_level.txt", "entry_points.txt")}}
    large = [
        wheel(tmp_path / "1", files={f"{info}/entry_points.txt": b"x" * (4 << 20)}),
        wheel(tmp_path / "2", files={f"{info}/top_level.txt": b"x\n" * (1 << 14)}),
        wheel(tmp_path / "3", files=several),
        wheel(tmp_path / "4", record=b"x" * ((1 << 20) + 9999)),
        wheel(tmp_path / "8", record=b"," * (1 << 17)),
        wheel(tmp_path / "5", record=b"a,,\n" * ((1 << 14) + 99)),
        sdist(tmp_path / "6", files={"PKG-INFO": LARGE}),
        sdist(tmp_path / "7", files={"demo.egg-info/SOURCES.txt": b"a\n" * ((1 << 14) + 99)}),
    ]
    for path in large:
        with (
            pytest.raises(HostileArchiveError, match=r"are over the limit [a-z_]+, which is [0-9,]+"),
            open_archive(path),
        ):
            pass


def test_what_only_looks_like_them_has_no_budget(tmp_path: Path) -> None:
    with open_archive(wheel(tmp_path, files={"demo/METADATA": LARGE, "demo/RECORD": b"a\n" * (1 << 19)})) as found:
        assert len(found.entries) == 5


def test_a_refusal_says_how_to_go_on_and_that_works(tmp_path: Path) -> None:
    """For every command that reads the file, and in the hook."""
    path = wheel(tmp_path, files={"demo-1.0.dist-info/top_level.txt": b"x" * (5 << 20)})
    commands = (["check", path], ["normalize", path, "-o", tmp_path / "out"], ["compare", path, path])
    for command in (*commands, ["install", path, "--target", tmp_path / "installed", "--python", sys.executable]):
        refused = run(*command)
        assert refused.returncode == 4
        assert "are over the limit metadata, which is 4,194,304" in refused.stderr
        raised = refused.stderr.rpartition(f"{limits.VARIABLE}=")[2].split()[0].rstrip(".")
        assert run(*command, **{limits.VARIABLE: raised}).returncode in (0, 1)


def test_the_hook_honours_what_was_raised(tmp_path: Path) -> None:
    tree = small_project(tmp_path / "tree")
    hook = "import samebytes.backend as b; b.build_wheel('..')"
    for value, fine in (("metadata=10", False), ("metadata=1M", True)):
        environ = {**os.environ, **import_path(), limits.VARIABLE: value}
        done = subprocess.run([sys.executable, "-c", hook], cwd=tree, env=environ, capture_output=True, check=False)
        assert (done.returncode == 0) == fine, done.stderr
        assert fine or b"are over the limit metadata, which is 10" in done.stderr


def test_budgets_are_written_as_people_write_them() -> None:
    assert limits.parsed("") == limits.Budgets()
    assert limits.parsed("metadata=64M,listed=3,") == limits.Budgets(metadata=64 << 20, listed=3)
    assert limits.parsed(" listings=2G, metadata_lines=1K") == limits.Budgets(listings=2 << 30, metadata_lines=1024)


@pytest.mark.parametrize(
    "text", ["metadata", "metadata=", "metadata=1.5M", "metadata=-1", "no=1", "metadata=٣", "listed=1k"]
)
def test_anything_else_is_a_wrong_configuration(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a limit"):
        limits.parsed(text)
    assert run("check", wheel(tmp_path), **{limits.VARIABLE: text}).returncode == ConfigError.exit_status


@pytest.mark.parametrize("error", [RecursionError("deep"), OverflowError("large"), UnicodeError("x"), MemoryError()])
def test_what_python_raises_is_a_finding_of_that_file(error: Exception, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    with pytest.raises(ArchiveError, match=re.escape(str(path))) as found, open_archive(path):
        raise error
    assert found.value.remedy


def test_too_little_memory_is_a_finding_of_the_file_that_needs_it(tmp_path: Path) -> None:
    """With the system's own limit: the other files are done."""
    listing = b"".join(b"%07d,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n" % n for n in range(400_000))
    paths = [wheel(tmp_path, "a"), wheel(tmp_path, "b", record=listing), wheel(tmp_path, "c")]
    resource = pytest.importorskip("resource")
    start = [sys.executable, "-m", "samebytes", "check", "-j1", *map(str, paths)]
    environ = {**os.environ, **import_path(), limits.VARIABLE: "listed=1M,listings=64M"}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))

    done = subprocess.run(start, env=environ, capture_output=True, text=True, check=False, preexec_fn=limit)
    assert done.returncode == ArchiveError.exit_status, done.stderr
    assert "b-1.0-py3-none-any.whl: takes more memory to read than there is" in done.stderr
    assert "a-1.0-py3-none-any.whl: " in done.stdout
    assert "c-1.0-py3-none-any.whl: " in done.stdout
