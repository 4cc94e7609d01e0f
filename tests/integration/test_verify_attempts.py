"""``samebytes verify`` builds again as a file shows that it was built, and a record says how."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.indexes import serving
from support.processes import import_path
from support.projects import write_tree
from support.wheels import record_of

pytestmark = pytest.mark.integration

BACKEND = '''\
import base64, hashlib, os, zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """As setuptools does: METADATA is written as a text file, and then packed."""
    info = "demo-1.0.dist-info/"
    os.makedirs("build/" + info)
    with open("build/" + info + "METADATA", "w", encoding="utf-8") as file:
        file.write("Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n\\nText\\n")
    with open("build/" + info + "WHEEL", "wb") as file:
        file.write(b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    rows = []
    for name in (info + "METADATA", info + "WHEEL"):
        data = open("build/" + name, "rb").read()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\\n")
    with open("build/" + info + "RECORD", "w", newline="") as file:
        file.write("".join(rows) + info + "RECORD,,\\n")
    with zipfile.ZipFile(os.path.join(wheel_directory, "demo-1.0-py3-none-any.whl"), "w") as wheel:
        for name in ("METADATA", "WHEEL", "RECORD"):
            wheel.write("build/" + info + name, info + name)
    return "demo-1.0-py3-none-any.whl"
'''
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
INFO = "demo-1.0.dist-info/"


def wheel_of_windows(path: Path) -> Path:
    """Write what that backend gives on Windows."""
    text = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nText\n".replace(b"\n", b"\r\n")
    files = {f"{INFO}METADATA": text, f"{INFO}WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files[f"{INFO}RECORD"] = record_of(files).replace(b"demo_pkg-1.0", b"demo-1.0")
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2024, 5, 1, 10, 11, 12))
            info.create_system, info.external_attr = 0, 0o100666 << 16
            file.writestr(info, data)
    return path


def verify(index: str, *words: str | Path) -> Any:
    """Return the one verification in the JSON document."""
    environ = {**os.environ, **import_path(), "PIP_INDEX_URL": index}
    command = [sys.executable, "-m", "samebytes", "verify", "--json", *map(str, words)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["results"][0]["verified"]


def test_a_wheel_made_on_windows_is_built_as_there(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"pyproject.toml": PYPROJECT, "own.py": BACKEND})
    path = wheel_of_windows(tmp_path / "demo-1.0-py3-none-any.whl")
    with serving() as server:
        verified = verify(server.address, path, "--source", tree, "--provenance", tmp_path / "record.json")
        again = verify(server.address, "--from", tmp_path / "record.json", "--source", tree, path)
    change, verdict = "SAMEBYTES_TEXT=crlf", "same after normalization"
    assert verified["attempts"] == [{"change": change, "verdict": verdict, "kept": True}]
    assert any(f"built again with {change}: {verdict}" in note for note in verified["notes"])
    # By the record at once.
    assert again["attempts"] == []
    for one in (verified, again):
        assert one["comparison"]["verdict"] == verdict
        assert one["build"]["given"] == {"SAMEBYTES_TEXT": "crlf"}
