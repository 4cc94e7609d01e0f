"""The example in Rust passes the vectors: the form can be had in another language, by the system's zlib."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance import run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "rust"
BEYOND = ("7.7", "7.8", "sbom-", "pyc-")
"""What the example does not do."""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc"),
]


def test_the_example_passes_all_vectors_but_those_of_sboms_and_compiled_modules(tmp_path: Path) -> None:
    """It ends with 1 where it refuses; the runner would take a panic for a refusal, too."""
    program = tmp_path / "canonical"
    command = ["rustc", "--edition", "2021", "-O", "-D", "warnings", "-o", str(program), str(EXAMPLE / "main.rs")]
    subprocess.run(command, check=True)
    vectors = [one for one in run.read() if not run.chosen(one, BEYOND)]
    assert len(vectors) > 700
    convert = run.by_program([str(program), "{input}", "{output}", "--date", "{date}"])

    def watched(vector: run.Vector, source: Path, target: Path) -> str:
        refusal = convert(vector, source, target)
        assert refusal == "" or refusal.startswith("exit status 1: refused: "), (vector["input"], refusal)
        return refusal

    assert list(run.failures(vectors, watched)) == []


def test_the_example_is_short() -> None:
    """Blank lines and comments do not count."""
    source = "".join(path.read_text("utf-8") for path in EXAMPLE.glob("*.rs"))
    assert len([line for line in source.splitlines() if not re.match(r"\s*(//|$)", line)]) <= 1000
