"""A small environment of releases: a backend, what it requires and a project built with it, in an index of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.artifacts import sdist
from support.indexes import Server, serving
from support.projects import write_tree
from support.wheels import Member, write_wheel

THEN = "2024-06-01T12:00:00Z"
"""When the project was published; what came later was not there."""
WHEN = 1717243200
DATE = 1717200000
"""The project's SOURCE_DATE_EPOCH."""
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"

BACKEND = '''\
"""A backend: a wheel of one module, which also says which helper was there."""

import base64, hashlib, io, os, subprocess, sys, tarfile, time, zipfile

VERSION = "{version}"
INFO = "demo-1.0.dist-info/"


def get_requires_for_build_wheel(config_settings=None):
    return ["tinyhelp"]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import tinyhelp

    exec(open("build_hook.py").read()) if os.path.exists("build_hook.py") else None
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "1580601600")))[:6]
    files = {{
        "demo.py": open("demo.py").read(),
        "demo_help.txt": tinyhelp.VERSION,
        INFO + "METADATA": open("PKG-INFO").read(),
        INFO + "WHEEL": f"Wheel-Version: 1.0\\nGenerator: tinyback {{VERSION}}\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    rows = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{{name}},sha256={{digest}},{{len(text.encode())}}\\n")
    files[INFO + "RECORD"] = "".join(rows) + INFO + "RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(wheel_directory, "demo-1.0-py3-none-any.whl"), "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, when)
            info.external_attr = 0o100644 << 16
            wheel.writestr(info, text)
    return "demo-1.0-py3-none-any.whl"


def build_sdist(sdist_directory, config_settings=None):
    with tarfile.open(os.path.join(sdist_directory, "demo-1.0.tar.gz"), "w:gz") as sdist:
        # By its name, as all backends write one: verify does not list that of an sdist to them.
        for name in sorted({{*os.listdir("."), "PKG-INFO"}}):
            if os.path.isfile(name):
                sdist.add(name, "demo-1.0/" + name)
    return "demo-1.0.tar.gz"
'''

TREE = {
    "pyproject.toml": '[build-system]\nrequires = ["tinyback>=1"]\nbuild-backend = "tinyback"\n',
    "demo.py": "ANSWER = 42\n",
    "PKG-INFO": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\n",
}


@dataclass
class Releases:
    """Everything that was published."""

    server: Server
    root: Path
    wheel: Path
    sdist: Path
    tree: Path

    def publish(self, path: Path, uploaded: str | None = THEN) -> None:
        """Let *path*, changed perhaps, be the one file of its name in the index."""
        self.server._rows["demo"] = [row for row in self.server._rows.get("demo", []) if row["filename"] != path.name]
        self.server.add("demo", path, uploaded)


@contextmanager
def releases(root: Path, files: dict[str, str] = TREE) -> Iterator[Releases]:
    """Publish two releases each of backend and helper, before and after THEN, and the project, built with the first."""
    with serving() as server:
        for version, uploaded in (("1.0", "2024-01-01T00:00:00Z"), ("2.0", "2025-01-01T00:00:00Z")):
            for name, text in (("tinyback", BACKEND.format(version=version)), ("tinyhelp", f"VERSION = '{version}'\n")):
                server.add(name, module_wheel(root / "shelf", name, version, text), uploaded)
        tree = write_tree(root / "tree", files)
        for path in tree.iterdir():
            os.utime(path, (DATE, DATE))
        source = sdist(root / "published", files={name: text.encode() for name, text in files.items()})
        wheel = build(tree, root / "published", root / "then")
        made = Releases(server, root, wheel, source, tree)
        made.publish(wheel)
        made.publish(source)
        yield made


def module_wheel(directory: Path, name: str, version: str, text: str) -> Path:
    """Write a wheel of one module."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: hand 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {f"{name}.py": text, f"{info}/METADATA": metadata, f"{info}/WHEEL": tags}
    record = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    directory.mkdir(parents=True, exist_ok=True)
    members = [Member(each, body.encode()) for each, body in {**files, f"{info}/RECORD": record}.items()]
    return write_wheel(directory, members, f"{name}-{version}-py3-none-any.whl")


def build(tree: Path, target: Path, library: Path, date: int | None = DATE) -> Path:
    """Build *tree*'s wheel with the first release of the backend, by no means of samebytes."""
    write_tree(library, {"tinyback.py": BACKEND.format(version="1.0"), "tinyhelp.py": "VERSION = '1.0'\n"})
    environ = {**os.environ, "PYTHONPATH": str(library)}
    environ.update({"SOURCE_DATE_EPOCH": str(date)} if date is not None else {})
    code = "import sys, tinyback; tinyback.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(target)], cwd=tree, env=environ, check=True)
    return target / WHEEL
