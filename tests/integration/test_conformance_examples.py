"""The examples in Rust and C pass the vectors: the form can be had in other languages, by the system's zlib."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance import run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BEYOND = ("7.7", "7.8", "sbom-", "pyc-")
"""What the examples do not do."""
RUST = ("rustc", "--edition", "2021", "-O", "-D", "warnings", "-o", "{program}", "main.rs")
C = ("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", "{program}", "main.c", "wheel.c", "sdist.c")
C = (*C, "util.c", "-lz")
"""As their README files have it, with every warning an error."""

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("name", "command", "refusal"),
    [
        pytest.param(
            *("rust", RUST, "refused: "), marks=pytest.mark.skipif(not shutil.which("rustc"), reason="needs rustc")
        ),
        pytest.param(*("c", C, "canonical: "), marks=pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")),
    ],
    ids=["rust", "c"],
)
def test_an_example_passes_all_vectors_but_those_of_sboms_and_compiled_modules(
    name: str, command: tuple[str, ...], refusal: str, tmp_path: Path
) -> None:
    """It ends with 1 where it refuses; the runner would take a panic for a refusal, too."""
    program = str(tmp_path / "canonical")
    subprocess.run([word.format(program=program) for word in command], cwd=EXAMPLES / name, check=True)
    vectors = [one for one in run.read() if not run.chosen(one, BEYOND)]
    assert len(vectors) > 700
    convert = run.by_program([program, "{input}", "{output}", "--date", "{date}"])

    def watched(vector: run.Vector, source: Path, target: Path) -> str:
        said = convert(vector, source, target)
        assert said == "" or said.startswith(f"exit status 1: {refusal}"), (vector["input"], said)
        return said

    assert list(run.failures(vectors, watched)) == []


def test_the_example_in_rust_is_short() -> None:
    """Blank lines and comments do not count."""
    source = "".join(path.read_text("utf-8") for path in (EXAMPLES / "rust").glob("*.rs"))
    assert len([line for line in source.splitlines() if not re.match(r"\s*(//|$)", line)]) <= 1000
