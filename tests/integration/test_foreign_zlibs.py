"""One wheel and one sdist, whoever compresses: the zlibs that interpreters come with, and every Python there is.

zlib-ng is built from its source and put under an unmodified interpreter by LD_PRELOAD, as it lies under Fedora's. The
modules zlib-ng and isal of the package index stand in the place of ``zlib`` from the start, for reading too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.artifacts import sdist, wheel
from support.conditions import CONTROL, Place, settle
from support.deflate_inputs import NOT_STOCK, STOCK_ZLIB, noise, words
from support.differences import assert_same, digest
from support.foreign_zlib import library, preloaded
from support.projects import small_project
from support.workshop import Workshop

from samebytes.deflate import libraries
from samebytes.deflate.providers import PURE, fault_of
from samebytes.deflate.stream import SEGMENT_SIZE, WORTHWHILE

pytestmark = pytest.mark.integration

DATE = "2024-05-06T07:08:10Z"
EXTRA = "cmeel-zlib>=1.3"
"""What the extra ``zlib`` requires."""

MODULES = ("zlib_ng.zlib_ng", "isal.isal_zlib")
OTHER_PYTHONS = [f"3.{minor}" for minor in range(9, 15) if minor != sys.version_info.minor]

CHILD = """
import importlib, json, sys

stand_in = sys.argv.pop(1)
if stand_in:
    sys.modules["zlib"] = importlib.import_module(stand_in)
import zlib

from samebytes.commands.main import main
from samebytes.deflate.stream import chosen

status = main(sys.argv[1:])
plain = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -15)
numbers = b"".join(b"%x " % (n * n) for n in range(5000))
print(json.dumps({
    "status": status,
    "zlib": getattr(zlib, "ZLIB_RUNTIME_VERSION", ""),
    "provider": chosen().provider.name,
    "reason": chosen().reason,
    "plain": (plain.compress(numbers) + plain.flush()).hex(),
}))
"""
"""Runs the command line, and says what it ran on; *plain* is what this zlib makes of something by default."""


@dataclass(frozen=True)
class Said:
    """What a child says of itself."""

    status: int
    zlib: str
    provider: str
    reason: str
    plain: str


@dataclass(frozen=True)
class Child:
    """An interpreter and what it finds in zlib's place."""

    path: Path
    """What it can import beside its own library."""
    python: str = sys.executable
    more: Mapping[str, str] | None = None
    stand_in: str = ""

    def run(self, *arguments: str | Path) -> Said:
        """Run samebytes with *arguments*."""
        unset = ("SOURCE_DATE_EPOCH", "LD_PRELOAD")
        variables = {name: value for name, value in os.environ.items() if name not in unset}
        done = subprocess.run(
            [self.python, "-W", "error", "-c", CHILD, self.stand_in, *map(str, arguments)],
            env={**variables, "PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1", **(self.more or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return Said(**json.loads(done.stdout.splitlines()[-1]))

    def digests(self, inputs: Path, output: Path, jobs: int) -> tuple[Said, dict[str, str]]:
        """Normalize all of *inputs* into *output*; return what it ran on, and each result's digest.

        One at a time, for else the jobs would be shared out.
        """
        for path in inputs.iterdir():
            said = self.run("normalize", "-q", "--jobs", str(jobs), "--date", DATE, "-o", output, path)
            assert said.status == 0
        return said, {path.name: digest(path) for path in output.iterdir()}


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory from which any Python imports the samebytes under test and what that needs."""
    directory = tmp_path_factory.mktemp("path")
    for name in ("samebytes", "packaging", "pyproject_hooks"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        (place,) = spec.submodule_search_locations or ()
        (directory / name).symlink_to(place)
    return directory


@pytest.fixture(scope="session")
def zlib_ng(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library; one for all of pytest-xdist's workers."""
    own = tmp_path_factory.getbasetemp()
    return library(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def under_zlib_ng(path: Path, zlib_ng: Path) -> Child:
    return Child(path, more=preloaded(sys.executable, zlib_ng))


def contents() -> dict[str, bytes]:
    """Return files that an encoder meets in all ways: in three segments, in two batches, stored, and empty.

    Much of the large one is zeros, which our own encoder is quick at.
    """
    return {
        "demo/__init__.py": b"",
        "demo/large.txt": (words(300_000) + bytes(650_000)) * 3,
        "demo/noise.bin": noise(270_000),
        "demo/zeros.bin": bytes(100_000),
        **{f"demo/text/{size:03}.txt": words(8 * size, seed=size) for size in range(270)},
        **{f"demo/noise/{size:03}.bin": noise(size, seed=size) for size in range(30)},
    }


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a wheel and an sdist, as this interpreter's zipfile and tarfile write them."""
    directory = tmp_path_factory.mktemp("inputs")
    files = contents()
    assert len(files["demo/large.txt"]) > 2.5 * SEGMENT_SIZE
    wheel(directory, files=files)
    sdist(directory, files=files)
    return directory


@pytest.fixture(scope="session")
def alone(path: Path, inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, dict[str, str]]:
    """What this interpreter gives with one job: the bytes that all others have to give."""
    return Child(path).digests(inputs, tmp_path_factory.mktemp("alone"), jobs=1)


@pytest.fixture
def expected(alone: tuple[Said, dict[str, str]]) -> dict[str, str]:
    """The digest of each result, by its name."""
    assert len(alone[1]) == 2
    return alone[1]


@pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
@pytest.mark.parametrize("jobs", [2, 4])
def test_stock_zlib(
    jobs: int, path: Path, inputs: Path, alone: tuple[Said, dict[str, str]], expected: dict[str, str], tmp_path: Path
) -> None:
    said, digests = Child(path).digests(inputs, tmp_path, jobs)
    assert said.provider == alone[0].provider == f"the interpreter's zlib {zlib.ZLIB_RUNTIME_VERSION}"
    assert digests == expected


@pytest.mark.network
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_zlib_ng(jobs: int, under_zlib_ng: Child, inputs: Path, expected: dict[str, str], tmp_path: Path) -> None:
    said, digests = under_zlib_ng.digests(inputs, tmp_path, jobs)
    assert "zlib-ng" in said.zlib
    assert said.provider == PURE.name
    assert digests == expected


@pytest.fixture(scope="session")
def stock(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory like *path*, and where packages are installed, with what the extra ``zlib`` brings."""
    packages = tmp_path_factory.mktemp("stock") / "site-packages"
    shutil.copytree(path, packages, symlinks=True)
    install = ["install", "-q", "--disable-pip-version-check", "--no-deps", "--target", packages, EXTRA]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    return packages


@pytest.mark.network
@pytest.mark.skipif(sys.platform == "win32", reason="the package has no library for Windows")
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_extra_zlib_under_zlib_ng(
    jobs: int, stock: Path, under_zlib_ng: Child, inputs: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    """The library's calls of its own functions must not end up in zlib-ng, which is first in the process."""
    said, digests = Child(stock, more=under_zlib_ng.more).digests(inputs, tmp_path, jobs)
    assert "zlib-ng" in said.zlib
    assert said.provider.startswith("zlib 1.")
    assert str(stock / "cmeel.prefix") in said.provider
    assert digests == expected


@pytest.mark.parametrize("name", MODULES)
def test_a_module_in_the_place_of_zlib(
    name: str, path: Path, inputs: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed")
    said, digests = Child(path, stand_in=name).digests(inputs, tmp_path, jobs=2)
    library = next((each for each in libraries.found() if not fault_of(each)), PURE)
    assert said.provider == library.name, "the system's library, which is no module"
    assert digests == expected


@pytest.mark.network
@pytest.mark.skipif(not STOCK_ZLIB, reason=NOT_STOCK)
def test_without_us_each_of_them_gives_other_bytes(
    path: Path, under_zlib_ng: Child, alone: tuple[Said, dict[str, str]]
) -> None:
    """The control: of zlibs that gave stock zlib's bytes anyway, the other tests would prove nothing."""
    modules = [name for name in MODULES if importlib.util.find_spec(name.partition(".")[0])]
    children = [under_zlib_ng, *(Child(path, stand_in=name) for name in modules)]
    foreign = [child.run("--version").plain for child in children]
    assert alone[0].plain not in foreign
    assert len({zlib.decompress(bytes.fromhex(stream), -15) for stream in (alone[0].plain, *foreign)}) == 1


COMPRESS_ANEW = """
import gzip, sys, zipfile
from pathlib import Path

for path in Path(sys.argv[1]).iterdir():
    target = Path(sys.argv[2], path.name)
    if path.suffix == ".gz":
        target.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
        continue
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            new.writestr(member, old.read(member))
"""


@pytest.mark.network
def test_what_zlib_ng_wrote(
    under_zlib_ng: Child, path: Path, inputs: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    """Input that zipfile and gzip compressed by zlib-ng; and zlib-ng reads, and accepts, what stock zlib compressed."""
    written, normalized = tmp_path / "written", tmp_path / "normalized"
    written.mkdir()
    variables = {**os.environ, **(under_zlib_ng.more or {})}
    subprocess.run([sys.executable, "-c", COMPRESS_ANEW, inputs, written], env=variables, check=True)
    for name in expected:
        assert digest(written / name) != digest(inputs / name)
    assert Child(path).digests(written, normalized, jobs=2)[1] == expected
    assert under_zlib_ng.run("check", "-q", "--date", DATE, normalized).status == 0


def interpreter(version: str) -> str:
    """Return the path of a CPython of that *version*: from PATH, or from where pyenv puts it; or skip."""
    name = f"python{version}"
    places = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
    for found in filter(None, [shutil.which(name), *map(str, places)]):
        if subprocess.run([found, "-c", "import zlib"], capture_output=True, check=False).returncode == 0:
            return found
    pytest.skip(f"there is no {name}")


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_every_other_python(version: str, path: Path, inputs: Path, expected: dict[str, str], tmp_path: Path) -> None:
    assert Child(path, interpreter(version)).digests(inputs, tmp_path, jobs=2)[1] == expected


@pytest.mark.network
@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_every_other_python_under_zlib_ng(
    version: str, path: Path, zlib_ng: Path, inputs: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    python = interpreter(version)
    said, digests = Child(path, python, preloaded(python, zlib_ng)).digests(inputs, tmp_path, jobs=2)
    assert "zlib-ng" in said.zlib
    assert said.provider == PURE.name
    assert digests == expected


@pytest.mark.network
def test_the_doctor_under_zlib_ng(under_zlib_ng: Child) -> None:
    command = [sys.executable, "-m", "samebytes", "doctor"]
    variables = {**os.environ, **(under_zlib_ng.more or {})}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert "zlib-ng" in rows["zlib"]
    name, _, reason = rows["encoder"].partition(": ")
    assert name == PURE.name
    assert reason.startswith(f"the interpreter's zlib {rows['zlib']} gives another stream for ")
    assert rows["compression"] == "ok"
    assert done.returncode == 0


LARGE = """
import zlib

with open("large.txt", encoding="ascii") as large:
    MEMBERS["large.txt"] = large.read()


def build_sdist(sdist_directory, config_settings=None):
    with open(os.environ["SEEN"], "a", encoding="ascii") as seen:
        seen.write(zlib.ZLIB_RUNTIME_VERSION)
    with tarfile.open(os.path.join(sdist_directory, SDIST_NAME), "w:gz") as sdist:
        for name in ("pyproject.toml", "backend/small_backend.py", "large.txt"):
            sdist.add(name, "small-1.0/" + name)
        info = tarfile.TarInfo("small-1.0/PKG-INFO")
        info.size = len(METADATA)
        sdist.addfile(info, io.BytesIO(METADATA.encode()))
    return SDIST_NAME
"""
"""Makes the small project large enough for more than one process, and notes what it finds for zlib."""


@pytest.fixture
def place(roots: tuple[Path, Path], tmp_path: Path) -> Place:
    source = small_project(tmp_path / "source", extra=LARGE)
    (source / "large.txt").write_bytes((words(250_000) + b"\n" * 300_000) * 4)
    assert (source / "large.txt").stat().st_size > WORTHWHILE
    return settle(CONTROL, source, roots[0])


@pytest.mark.network
def test_builds(place: Place, workshop: Workshop, zlib_ng: Path) -> None:
    """By a front end through the hook, and by samebytes itself: the sdist, and the wheel that is made of it."""
    foreign = preloaded(str(workshop.python), zlib_ng)
    tools = workshop.tools(dict(place.variables))
    commands = {
        "hook": [workshop.python, "-m", "build", "--no-isolation", place.tree, "--outdir"],
        "build": [workshop.python, "-m", "samebytes", "build", place.tree, "-o"],
    }
    outs = []
    for way, command in commands.items():
        for name, variables in {"own": {}, "foreign": foreign}.items():
            outs.append(place.directory(f"{way}-{name}"))
            seen = place.root / f"{way}-{name}.txt"
            place.run([*command, outs[-1]], more={**tools, **variables, "SEEN": str(seen)})
            assert ("zlib-ng" in seen.read_text("ascii")) == (name == "foreign" or not STOCK_ZLIB)
    for suffix in (".tar.gz", ".whl"):
        assert_same(next(out.glob(f"*{suffix}")) for out in outs)
