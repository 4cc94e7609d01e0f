"""The runner of fuzz targets, with a fuzzer: what is wrong is found, kept, and can be replayed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "fuzz" / "run.py"

FAULT = """
from samebytes.artifact import headers

sound = headers.parse

def faulty(data):
    if b"\\xff" in data:
        raise KeyError("a fault on purpose")
    return sound(data)

headers.parse = faulty
"""

pytestmark = [pytest.mark.integration, pytest.mark.network]


def run(*arguments: str | Path, faulty: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the runner, with the modules in *faulty* before all others."""
    paths = [str(faulty)] if faulty else []
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, str(RUN), *map(str, arguments)], env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def _atheris() -> None:
    found = run("--runs", "1", "headers")
    if found.returncode == 3:
        pytest.skip(found.stderr.strip())


def test_a_fault_is_found_kept_and_replayed(tmp_path: Path) -> None:
    # Python imports a module of this name whenever it starts.
    (tmp_path / "sitecustomize.py").write_text(FAULT)
    kept = tmp_path / "findings"
    found = run("--runs", "1000000", "--seconds", "0", "--findings", kept, "headers", faulty=tmp_path)
    assert found.returncode == 1, found.stdout
    assert "KeyError: 'a fault on purpose'" in found.stdout
    (path,) = kept.iterdir()
    assert b"\xff" in path.read_bytes()
    assert f"tests/fuzz/run.py --replay {path} -- headers" in found.stdout
    again = run("--replay", path, "--", "headers", faulty=tmp_path)
    assert again.returncode != 0
    assert "KeyError: 'a fault on purpose'" in again.stderr
    assert run("--replay", path, "--", "headers").stdout.startswith(f"headers: {path} is ")


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    done = run("--runs", "2000", "--findings", tmp_path / "findings", "--corpus", corpus, "headers", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {"headers", "json"}
    assert all(line.endswith("nothing found") for line in done.stdout.splitlines())
    assert list((corpus / "json").iterdir())
    assert not list((tmp_path / "findings").iterdir())


def test_repeatable_runs_end_by_the_number_of_inputs(tmp_path: Path) -> None:
    """However long they take: the limit of time does not hold for them."""
    done = run("--repeatable", "--seconds", "1", "--findings", tmp_path, "record")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("record: 100000 inputs, ")


def test_an_unknown_target_is_refused() -> None:
    done = run("heads")
    assert done.returncode == 2
    assert "there is no target 'heads'; there are gzip, tar" in done.stderr
