"""Variables that switch an extension off: found by their names and by what build scripts compare them with."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.verify.switches import switches
from support.projects import write_tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NO = bool(os.environ.get('DEMO_NO_EXTENSIONS'))", [("DEMO_NO_EXTENSIONS", "1")]),
        ('if "DISABLE_SQLALCHEMY_CEXT" in os.environ: pass', [("DISABLE_SQLALCHEMY_CEXT", "1")]),
        ("os.getenv('MSGPACK_PUREPYTHON')", [("MSGPACK_PUREPYTHON", "1")]),
        (
            "x = os.environ.get('WRAPT_INSTALL_EXTENSIONS'); x.lower() == 'false'",
            [("WRAPT_INSTALL_EXTENSIONS", "false")],
        ),
        ('os.environ.get("TORNADO_EXTENSION") == "0"', [("TORNADO_EXTENSION", "0")]),
        ('if os.environ.get("BUILD_EXTENSION") == "no": pass', [("BUILD_EXTENSION", "no")]),
        ('os.environ.get("DEMO_EXTENSIONS", "yes")', [("DEMO_EXTENSIONS", "0")]),
        ("os.environ['REQUIRE_SPEEDUPS'], 'DEMO_EXT_COVERAGE'", []),
        ("os.environ['CFLAGS'], os.environ['READTHEDOCS'], 'NO', 'no_extensions'", []),
        (
            "'SKIP_DOCS', 'A_EXTENSIONS' == 'off', 'A_NO_EXTENSIONS'",
            [("A_NO_EXTENSIONS", "1"), ("A_EXTENSIONS", "off"), ("SKIP_DOCS", "1")],
        ),
    ],
)
def test_what_a_build_script_reads(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert switches(write_tree(tmp_path, {"setup.py": text, "test_demo.py": "'TEST_NO_EXTENSIONS'"})) == expected


def test_what_a_backend_in_the_tree_reads(tmp_path: Path) -> None:
    config = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["packaging"]\n'
    write_tree(tmp_path, {"pyproject.toml": config, "packaging/own/_backend.py": "NAME = 'DEMO_NO_EXTENSIONS'\n"})
    assert switches(tmp_path) == [("DEMO_NO_EXTENSIONS", "1")]


def test_a_tree_without_any(tmp_path: Path) -> None:
    assert switches(tmp_path) == []
    (tmp_path / "setup.py").write_bytes(b"'DEMO_NO_EXTENSIONS'" + b"\n" * (1 << 20))
    assert switches(tmp_path) == []  # too large for a script
