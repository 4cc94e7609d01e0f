"""What a hook loads into the process of a front end: every build pays for each module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.processes import import_path
from support.projects import write_tree

LIGHT = {"archive", "artifact", "backend", "cores", "deflate", "epoch", "errors", "passes"}
"""Rooms that a hook may load (the table in test_layering.py): no command, no console."""

MOST = {"build_wheel": 52, "build_sdist": 53}
"""How many modules of samebytes each hook may load. Fewer is better; more needs a reason."""

BACKEND = """\
import base64, hashlib, tarfile, zipfile
from pathlib import Path

FILES = {
    "demo.py": "ANSWER = 42\\n",
    "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n",
    "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(Path(directory, "demo-1.0-py3-none-any.whl"), "w") as wheel:
        rows = []
        for name, text in FILES.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(text)}\\n")
        wheel.writestr("demo-1.0.dist-info/RECORD", "".join(rows) + "demo-1.0.dist-info/RECORD,,\\n")
    return "demo-1.0-py3-none-any.whl"

def build_sdist(directory, config_settings=None):
    Path("PKG-INFO").write_text(FILES["demo-1.0.dist-info/METADATA"])
    with tarfile.open(Path(directory, "demo-1.0.tar.gz"), "w:gz") as sdist:
        sdist.add("PKG-INFO", "demo-1.0/PKG-INFO")
        sdist.add("pyproject.toml", "demo-1.0/pyproject.toml")
    return "demo-1.0.tar.gz"
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "inner"
backend-path = ["."]
"""

PROGRAM = """\
import json, os, sys
before = set(sys.modules)
import samebytes.backend
os.mkdir("out")
getattr(samebytes.backend, sys.argv[1])(*sys.argv[2:])
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(hook: str, *arguments: str, directory: Path) -> set[str]:
    """Return the names of the modules that one call of a hook loads."""
    tree = write_tree(directory / "tree", {"pyproject.toml": PYPROJECT, "inner.py": BACKEND})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, hook, *arguments],
        cwd=tree,
        env={**import_path(), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("hook", MOST)
def test_a_hook_loads_few_modules_of_few_rooms(hook: str, tmp_path: Path) -> None:
    loaded = loaded_by(hook, "out", directory=tmp_path)
    ours = [name for name in loaded if name.partition(".")[0] == "samebytes"]
    assert {name.split(".")[1] for name in ours if "." in name} <= LIGHT
    assert not any(name.partition(".")[0] == "samebytes_tools" for name in loaded)
    # zipfile is not in this list: pyproject-hooks loads it, by importlib.resources
    assert not {"tarfile", "dataclasses", "email", "argparse"} & loaded
    assert len(ours) <= MOST[hook], sorted(ours)


def test_a_hook_that_makes_nothing_loads_what_calls_the_backend_only(tmp_path: Path) -> None:
    """A front end starts a process for it alone, in which every import counts again."""
    loaded = loaded_by("get_requires_for_build_wheel", directory=tmp_path)
    rooms = {name.split(".")[1] for name in loaded if name.startswith("samebytes.")}
    assert rooms == {"backend", "cores", "epoch", "errors"}
    assert "hashlib" not in loaded
