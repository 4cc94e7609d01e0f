"""The real diffoscope, where it is installed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.artifacts import wheel

from samebytes.commands import main as cli

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("diffoscope") is None, reason="diffoscope is not installed here"),
]


def test_it_is_asked_about_members_that_are_bytes_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = wheel(tmp_path / "a", files={"demo/data.bin": bytes(range(256)), "demo/text.py": b"one\n"})
    other = wheel(tmp_path / "b", files={"demo/data.bin": bytes(range(255)) + b"!", "demo/text.py": b"two\n"})
    assert cli.main(["compare", str(one), str(other), "--diffoscope", "--json"]) == 1
    differences = json.loads(capsys.readouterr().out)["pairs"][0]["comparison"]["differences"]
    asked = {each["name"]: each["children"][-1] for each in differences if each["children"]}
    detail = asked["demo/data.bin"]["detail"]
    assert detail[:2] == ["--- A/data.bin", "+++ B/data.bin"]
    assert any(line.startswith("+") and line.endswith("!") for line in detail)
    assert "demo/text.py" not in asked
