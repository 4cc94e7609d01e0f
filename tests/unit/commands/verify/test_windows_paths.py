"""What was built on Windows names places there, where the rebuilt file names its own."""

from __future__ import annotations

import importlib.util
import json
import marshal
from pathlib import Path

import pytest
from samebytes_tools.commands.verify.windows_paths import WindowsPath, windows_path
from samebytes_tools.comparison.archives import compare_files
from support.wheels import members, write_wheel

OWN = "/tmp/samebytes-1a2b/source/demo-1.0"


def compiled(path: str) -> bytes:
    code = compile("x = 1\n", path, "exec")
    return bytes(importlib.util.MAGIC_NUMBER) + b"\0" * 12 + marshal.dumps(code)


def found_in(directory: Path, there: bytes, here: bytes, name: str = "demo_pkg/data.txt") -> WindowsPath | None:
    """Return what is found where a member is *there* in the published wheel and *here* in the other."""
    paths = []
    for side, data in (("there", there), ("here", here)):
        (directory / side).mkdir()
        info = {"METADATA": b"Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\n", "WHEEL": b"Wheel-Version: 1.0\n"}
        files = {name: data, **{f"demo_pkg-1.0.dist-info/{last}": text for last, text in info.items()}}
        paths.append(write_wheel(directory / side, members(files)))
    return windows_path(compare_files(*paths), ["/tmp/samebytes-1a2b"])


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (rb"root = C:\Users\me\demo", f"root = {OWN}".encode(), r"C:\Users\me\demo"),
        (b"root = D:/a/demo/demo", f"root = {OWN}".encode(), "D:/a/demo/demo"),
        (json.dumps({"root": "c:\\demo\\src"}).encode(), json.dumps({"root": OWN}).encode(), r"c:\demo\src"),
        (repr("C:\\demo\\").encode(), repr(OWN).encode(), r"C:\demo"),
        (b"see file:///C:/demo/x.html", f"see file://{OWN}/x.html".encode(), "C:/demo/x.html"),
        (b"(built in E:\\w).", f"(built in {OWN}).".encode(), r"E:\w"),
        # No place of the build stands there: documentation of another release, an address, no path at all.
        (rb"open C:\Users\me\demo", b"open /home/me/demo", None),
        (b"see https://example.org/a", f"see {OWN}".encode(), None),
        (b"drive C: or x:y", f"drive {OWN}".encode(), None),
        (f"C:\\x {OWN}".encode(), f"C:\\x {OWN}/more".encode(), None),
        # The other way round: it was built here, and this on Windows.
        (OWN.encode(), rb"C:\Users\me\demo", None),
    ],
)
def test_paths_with_drive_letters(tmp_path: Path, there: bytes, here: bytes, expected: str | None) -> None:
    found = found_in(tmp_path, there + b"\n", here + b"\n")
    assert found == (expected and (expected, "demo_pkg/data.txt"))


def test_paths_in_compiled_python(tmp_path: Path) -> None:
    name = f"demo_pkg/__pycache__/demo.{importlib.util.cache_from_source('x').split('.')[1]}.pyc"
    found = found_in(tmp_path, compiled(r"C:\Users\me\demo\demo.py"), compiled(f"{OWN}/demo.py"), name)
    assert found == (r"C:\Users\me\demo\demo.py", name)


def test_what_is_noted(tmp_path: Path) -> None:
    found = found_in(tmp_path, rb"C:\w\demo", OWN.encode())
    assert found is not None
    assert found.note == r"it was built on Windows: demo_pkg/data.txt names C:\w\demo"
