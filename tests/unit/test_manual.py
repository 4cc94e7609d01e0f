"""The manual page and the reference of the command line: up to date, complete, and clean to the programs that read them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from support.parsers import commands, flags, options
from support.processes import import_path

from samebytes.commands import main as cli
from samebytes.console import exit_status

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "generate_commands.py"

pytestmark = [
    pytest.mark.skipif(not SCRIPT.is_file(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(sys.platform == "win32", reason="they are written on POSIX, where some defaults are others"),
]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The script that writes both."""
    spec = importlib.util.spec_from_file_location("generate_commands", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_are_up_to_date(generate: ModuleType) -> None:
    for path, text in generate.texts().items():
        assert path.read_text("utf-8") == text, "run python docs/generate_commands.py"


def test_they_do_not_depend_on_machine_or_terminal(generate: ModuleType) -> None:
    program = (
        f"import runpy; module = runpy.run_path({str(SCRIPT)!r}); "
        "import samebytes.cores as cores; cores.available = lambda: 77; "
        "import hashlib; print([hashlib.sha256(text.encode()).hexdigest() for text in module['texts']().values()])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **import_path(), **more},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ({"COLUMNS": "40", "PYTHONHASHSEED": "1"}, {"COLUMNS": "200", "PYTHONHASHSEED": "2", "LANG": "C"})
    }
    assert said == {f"{[hashlib.sha256(text.encode()).hexdigest() for text in generate.texts().values()]}\n"}


def test_a_stale_page_is_noticed(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "REFERENCE", tmp_path / "command-line.md")
    monkeypatch.setattr(generate, "MANUAL", tmp_path / "man1" / "samebytes.1")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generate.main() == 1
    assert capsys.readouterr().err.count("run python docs/generate_commands.py") == 2
    monkeypatch.setattr(sys, "argv", ["generate_commands.py"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate_commands.py", "--check"])
    assert generate.main() == 0


def test_every_command_option_and_status_is_in_both(generate: ModuleType) -> None:
    page = generate.REFERENCE.read_text("utf-8")
    plain = re.sub(r"\\f[BIR]|\\[,/]", "", generate.MANUAL.read_text("utf-8").replace("\\-", "-"))
    for words, parser in commands(cli.parser()):
        name = " ".join(["samebytes", *words])
        assert f"## {name}\n" in page
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert [flag for flag in flags(parser) if f"`{flag}" not in section] == []
        section = plain.partition(f"\n.SS {name}\n")[2].partition("\n.SS ")[0] if words else plain
        for option in options(parser):
            if "--help" not in option.option_strings:  # said once for all
                assert re.search(", ".join(rf"{flag}( [^ \n]+)?" for flag in option.option_strings), section), option
    assert "samebytes COMMAND --help" in plain
    for number, meaning in exit_status.MEANINGS.items():
        assert re.search(rf"^{number} +{re.escape(meaning)}$", page, re.MULTILINE)
        assert f".TP\n.B {number}\n{meaning}\n" in plain


def test_the_ends_of_help_texts_are_in_the_manual(generate: ModuleType) -> None:
    plain = generate.MANUAL.read_text("utf-8").replace("\\-", "-").replace("\\(aq", "'")
    assert ".TP\n.B samebytes normalize dist/*\nin place, before you attest\n" in plain
    assert "\nExit status: 0, 2, 3, 4, 5, 6, 8, 10, 130, 143.\n" in plain


MISSING_DATE = re.compile(r'WARNING: missing date, using "": TH$')
"""On purpose: it would be the day of the writing, and two days gave two pages."""


def test_mandoc_has_nothing_to_say(generate: ModuleType) -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc")
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wall", str(generate.MANUAL)], capture_output=True, text=True, check=False
    )
    assert [line for line in (done.stdout + done.stderr).splitlines() if not MISSING_DATE.search(line)] == []


def test_man_shows_it_without_warnings_within_80_columns(generate: ModuleType) -> None:
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("needs man and groff")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(generate.MANUAL)],
        env={"PATH": os.environ["PATH"], "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "samebytes tree fix [OPTION ...] DIR" in done.stdout
    assert "'samebytes wrap'" in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_the_wheel_brings_the_manual_page(generate: ModuleType) -> None:
    try:
        distribution = metadata.distribution("samebytes")
    except metadata.PackageNotFoundError:
        pytest.skip("samebytes is not installed from its wheel")
    pages = [path for path in distribution.files or () if path.parts[-3:] == ("man", "man1", "samebytes.1")]
    assert [path.read_text("utf-8") for path in pages] == [generate.MANUAL.read_text("utf-8")]
