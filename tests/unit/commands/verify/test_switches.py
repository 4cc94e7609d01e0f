"""Variables that switch an extension off: found by their names and by what build scripts compare them with."""

from __future__ import annotations

from pathlib import Path

import pytest
from samebytes_tools.commands.verify.switches import switched_off, switched_on
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
        ("os.getenv('COVERAGE_DISABLE_EXTENSION', None)", [("COVERAGE_DISABLE_EXTENSION", "1")]),
        ("os.getenv('COVERAGE_NO_WARNINGS')", []),
        ("os.environ['CFLAGS'], os.environ['READTHEDOCS'], 'NO', 'no_extensions'", []),
        ("'NO_PROXY', 'PIP_NO_BINARY', 'GIT_SSL_NO_VERIFY', 'PYTHON_NO_SITE'", []),
        (f"'A_NO_{'X' * 200_000}'", []),
        (
            "'SKIP_DOCS', 'A_EXTENSIONS' == 'off', 'A_NO_EXTENSIONS'",
            [("A_NO_EXTENSIONS", "1"), ("A_EXTENSIONS", "off"), ("SKIP_DOCS", "1")],
        ),
    ],
)
def test_what_a_build_script_reads(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    tree = write_tree(tmp_path, {"setup.py": text, "test_demo.py": "'TEST_NO_EXTENSIONS'"})
    assert switched_off(tree) == [{name: value} for name, value in expected]


def test_what_a_backend_in_the_tree_reads(tmp_path: Path) -> None:
    config = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["packaging"]\n'
    write_tree(tmp_path, {"pyproject.toml": config, "packaging/own/_backend.py": "NAME = 'DEMO_NO_EXTENSIONS'\n"})
    assert switched_off(tmp_path) == [{"DEMO_NO_EXTENSIONS": "1"}]


def test_a_tree_without_any(tmp_path: Path) -> None:
    assert switched_off(tmp_path) == switched_on(tmp_path) == []
    (tmp_path / "setup.py").write_bytes(b"'DEMO_NO_EXTENSIONS'" + b"\n" * (1 << 20))
    assert switched_off(tmp_path) == switched_on(tmp_path) == []  # too large for a script


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        ('[tool.cibuildwheel.environment]\nDEMO_USE_MYPYC = "1"\nOPT = "3"\n', {"DEMO_USE_MYPYC": "1", "OPT": "3"}),
        ('[tool.cibuildwheel.linux.environment]\nCFLAGS = "-O2"\n', {"CFLAGS": "-O2"}),
        ('[tool.cibuildwheel]\nenvironment = {A = "$(pwd)/x"}\n', {}),
        ('[tool.cibuildwheel]\nenvironment = {LD_PRELOAD = "/evil.so"}\n', {}),
        ('[tool.cibuildwheel]\nenvironment = "A=1 B=2"\n', {}),
        ("[tool.cibuildwheel]\nenvironment = {A = 1}\n", {}),
        ('[tool.cibuildwheel]\nenvironment = {A = "1\\u0000"}\n', {}),
        (f'[tool.cibuildwheel]\nenvironment = {{A = "{"1" * 200_000}"}}\n', {}),
        ("[tool.cibuildwheel.environment]\n" + "".join(f'A{one} = "1"\n' for one in range(1000)), {}),
    ],
)
def test_what_switches_an_extension_on(tmp_path: Path, environment: str, given: dict[str, str]) -> None:
    setup = "os.environ.get('DEMO_USE_MYPYC', '0'), 'DEMO_NO_EXTENSIONS', 'REQUIRE_MYPYC'"
    write_tree(tmp_path, {"setup.py": setup})
    assert switched_on(tmp_path) == [{"DEMO_USE_MYPYC": "1"}]
    write_tree(tmp_path, {"pyproject.toml": environment})
    assert switched_on(tmp_path) == [*filter(None, [given]), {"DEMO_USE_MYPYC": "1"}]


def test_build_hooks_of_hatchling_are_switched_on_where_they_are_off(tmp_path: Path) -> None:
    hook = "[tool.hatch.build.targets.wheel.hooks.mypyc]\nenable-by-default = {}\n"
    write_tree(tmp_path, {"pyproject.toml": hook.format("true")})
    assert switched_on(tmp_path) == []
    write_tree(tmp_path, {"pyproject.toml": hook.format("false")})
    assert switched_on(tmp_path) == [{"HATCH_BUILD_HOOKS_ENABLE": "1"}]
    # What the project gives its own releases comes first.
    write_tree(tmp_path, {"pyproject.toml": f'{hook.format("false")}[tool.cibuildwheel]\nenvironment = {{A = "1"}}\n'})
    assert switched_on(tmp_path) == [{"A": "1"}, {"HATCH_BUILD_HOOKS_ENABLE": "1"}]
