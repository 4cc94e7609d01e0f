"""What was verified is shown, whatever becomes of the files that are asked for beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from samebytes.commands.main import main
from samebytes.errors import OutputError, UsageError

LIMIT = 1024
"""Bytes that a file may have: fewer than any page has, and more than a JUnit report of one entry."""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_page_that_cannot_be_written_costs_neither_the_table_nor_the_other_report(
    tmp_path: Path, form: list[str]
) -> None:
    (tmp_path / "list.txt").write_text("demo>=1\n")
    code = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))\n"
    code += "from samebytes.commands.main import main; raise SystemExit(main())"
    command = [sys.executable, "-B", "-c", code, "verify", "-r", "list.txt", *form]
    done = subprocess.run(
        [*command, "--html", "page.html", "--junit", "report.xml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == OutputError.exit_status, done.stderr
    assert "page.html: cannot be written" in done.stderr
    assert "demo>=1 does not pin one release" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.txt", "report.xml"]


@pytest.mark.parametrize("option", ["--html", "--junit", "--provenance"])
def test_a_directory_is_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    """It is said before anything is built."""
    assert main(["verify", "demo==1.0", option, str(tmp_path)]) == UsageError.exit_status
    assert f"{option} {tmp_path}: is a directory" in capsys.readouterr().err


def test_a_hint_that_holds_for_many_rows_is_given_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.txt").write_text("demo>=1\nother>=2\nthird @ git+https://host.example/third\n")
    assert main(["verify", "-r", str(tmp_path / "list.txt")]) == UsageError.exit_status
    shown = capsys.readouterr().out
    assert shown.count("does not pin one release") == 2
    assert shown.count("hint: Pin it by NAME==VERSION") == 1
    assert shown.count("hint: ") == 2
    assert main(["verify", "-v", "-r", str(tmp_path / "list.txt")]) == UsageError.exit_status
    assert capsys.readouterr().out.count("hint: ") == 3
