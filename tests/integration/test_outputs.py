"""Every option that names an output, where another user was there before us: in a directory like ``/tmp``."""

from __future__ import annotations

import argparse
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from samebytes_tools.commands.survey.examine import examine
from samebytes_tools.commands.survey.model import Target
from samebytes_tools.commands.survey.store.store import Store
from support import surveyed, surveys
from support.artifacts import wheel
from support.indexes import serving
from support.processes import import_path
from support.projects import SMALL_BACKEND, write_tree
from support.surveyed import PYPROJECT

from samebytes.commands.main import parser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs files of other users"),
]

OTHER = 65534
SMALL = "small-1.0-py3-none-any.whl"
CHECK = ("check", "--no-isolation", "-w", "--vary=-all,+time", "{tree}")


class Output(NamedTuple):
    """How an output is made."""

    command: tuple[str, ...]
    """``{tree}``, ``{wheel}``, ``{store}`` and so on are what the test made; the option and its value come after it."""
    within: str = ""
    """A file that is then in it, if it is a directory."""


OUTPUTS = {
    "normalize --output": Output(("normalize", "{wheel}"), "demo-1.0-py3-none-any.whl"),
    "check --html": Output(CHECK),
    "check --junit": Output(CHECK),
    "check --keep": Output(CHECK, f"tree-py{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"),
    "check --logs": Output(CHECK, f"tree-py{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"),
    "compare --html": Output(("compare", "{wheel}", "{other}")),
    "compare --markdown": Output(("compare", "{wheel}", "{other}")),
    "compare --annotations": Output(("compare", "{wheel}", "{other}")),
    "build --output": Output(("build", "-w", "{tree}"), SMALL),
    "build --lock": Output(("build", "-w", "{tree}", "-o", "{root}/built")),
    "build --provenance": Output(("build", "-w", "{tree}", "-o", "{root}/built")),
    "verify --provenance": Output(("verify", "{small}", "--source", "{tree}")),
    "verify --output": Output(("verify", "{small}", "--source", "{tree}"), SMALL),
    "verify --html": Output(("verify", "{small}", "--source", "{tree}")),
    "verify --junit": Output(("verify", "{small}", "--source", "{tree}")),
    "tree digest --tar": Output(("tree", "digest", "{tree}")),
    "survey export --json": Output(("survey", "export", "--store", "{store}")),
    "survey site --output": Output(("survey", "site", "--store", "{store}")),
    "survey run --store": Output(("survey", "run", "--packages", "nothing-of-that-name")),
}

OTHERS = {
    *("normalize paths", "normalize --date", "normalize --jobs", "normalize --disable", "normalize --enable"),
    *(
        "check paths",
        "check --date",
        "check --jobs",
        "check --disable",
        "check --enable",
        "check --vary",
        "check --require",
    ),
    *("check --python", "check --config-setting", "check --timeout"),
    *("compare left", "compare right", "compare --exclude"),
    *("build source", "build --config-setting", "build --locked", "build --build-constraint"),
    *("verify targets", "verify --source", "verify --python", "verify --locked", "verify --config-setting"),
    *("verify --from", "verify --timeout", "verify --requirement", "verify --file", "verify --tag", "verify --env"),
    *("verify --jobs", "verify --image", "verify --engine", "verify --attempts"),
    *("verify --sign", "verify --key", "verify --identity", "verify --issuer", "build --sign"),
    *("install --requirement", "install --find-links", "install --index-url", "survey run --operator"),
    *("install wheels", "install --prefix", "install --layout", "install --date", "install --python"),
    *("install --executable", "install --jobs", "install --cache-key", "install --cache-limit"),
    *("tree fix --root", "tree fix --layout", "tree fix --date", "tree fix --python", "tree fix --executable"),
    *("tree fix --jobs", "tree digest directories"),
    *("survey run --packages", "survey run --top", "survey run --timeout", "survey run --memory"),
    *("survey run --output", "survey run --jobs", "survey run --scheduler", "survey run --runner"),
    *("survey run --top-file", "survey export --store", "survey site --address", "survey site --store"),
    "survey merge sources",
}
"""What is read, or no path."""

TREES = {"install --target", "install --venv", "install --root", "tree fix directory", "wrap source", "unwrap source"}
"""Directories whose files are worked on, and whose owner may do there what he likes: not in a shared directory."""

ALREADY = {
    "survey run --cache",
    "install --cache",
    "survey merge store",
    "check --markdown",
    "check --annotations",
    "verify --state",
}
"""The caches have tests of their own, below and in test_compiled_cache.py; the store that is merged into is opened as
that of ``survey run``; what ``check`` says to a CI service is written as by ``compare``, and the state of ``verify`` by the
function that writes its reports."""


def arguments(found: argparse.ArgumentParser, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every argument with a value of the command line, after its command."""
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from arguments(inner, (*names, name))
        elif action.nargs != 0 and not action.choices:
            yield " ".join((*names, action.option_strings[-1] if action.option_strings else action.dest))


def test_every_argument_is_known_here() -> None:
    """Whoever adds one says whether something is written there."""
    assert set(arguments(parser())) == {*OUTPUTS, *OTHERS, *TREES, *ALREADY}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What the commands are given, and an index that has nothing."""
    root = tmp_path_factory.mktemp("outputs")
    tree = write_tree(root / "tree", {"pyproject.toml": PYPROJECT, "backend/small_backend.py": SMALL_BACKEND})
    with Store(root / "survey.sqlite") as store:
        store.begin(surveys.run(), [Target("alpha")])
        store.record(surveys.examination("alpha", surveys.run()))
    with serving() as index:
        given = {
            "root": str(root),
            "tree": str(tree),
            "wheel": str(wheel(root / "one")),
            "other": str(wheel(root / "two", files={"demo/__init__.py": b"another = 1\n"})),
            "small": str(root / "small" / SMALL),
            "store": str(root / "survey.sqlite"),
            "index": index.address,
        }
        done = samebytes(given, ("build", "-w", "{tree}", "-o", "{root}/small"))
        assert done.returncode == 0, done.stderr
        yield given


def samebytes(given: Mapping[str, str], command: tuple[str, ...], *more: str) -> subprocess.CompletedProcess[str]:
    words = [word.format(**given) for word in command]
    environ = {
        **os.environ,
        **import_path(),
        "PIP_INDEX_URL": given["index"],
        "XDG_CACHE_HOME": f"{given['root']}/cache",
    }
    line = [sys.executable, "-m", "samebytes", *words, *more]
    return subprocess.run(line, env=environ, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(0o1777)
    return path


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A directory of the user's with a file."""
    path = tmp_path / "precious"
    path.mkdir()
    (path / "file").write_bytes(b"precious")
    return path


def refused(given: Mapping[str, str], name: str, value: Path) -> None:
    done = samebytes(given, OUTPUTS[name].command, name.rsplit(maxsplit=1)[-1], str(value))
    assert done.returncode == (2 if name in ("check --keep", "check --logs") else 8), done.stdout + done.stderr
    assert "belongs to another user" in done.stderr


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_planted_link_is_not_followed(name: str, places: Mapping[str, str], shared: Path, precious: Path) -> None:
    target = precious if OUTPUTS[name].within or name == "survey site --output" else precious / "file"
    (shared / "out").symlink_to(target)
    os.chown(shared / "out", OTHER, OTHER, follow_symlinks=False)
    refused(places, name, shared / "out")
    assert [path.name for path in precious.rglob("*")] == ["file"]
    assert (precious / "file").read_bytes() == b"precious"
    assert [path.name for path in shared.iterdir()] == ["out"]


@pytest.mark.parametrize("name", [name for name, output in OUTPUTS.items() if output.within])
def test_nor_is_one_in_the_output_directory(name: str, places: Mapping[str, str], shared: Path, precious: Path) -> None:
    planted = shared / OUTPUTS[name].within
    planted.symlink_to(precious / "file" if planted.suffix == ".whl" else precious)
    os.chown(planted, OTHER, OTHER, follow_symlinks=False)
    refused(places, name, shared)
    assert [path.name for path in precious.rglob("*")] == ["file"]
    assert (precious / "file").read_bytes() == b"precious"


def test_nor_is_one_in_the_place_of_a_cache(tmp_path: Path, shared: Path, precious: Path) -> None:
    (shared / "cache").symlink_to(precious)
    os.chown(shared / "cache", OTHER, OTHER, follow_symlinks=False)
    with serving() as index:
        found = examine(
            Target("small"), replace(surveyed.conditions(index, tmp_path), cache=shared / "cache" / "deeper")
        )
    assert "this link belongs to another user" in found.reason
    assert [path.name for path in precious.iterdir()] == ["file"]


FILES = [name for name, output in OUTPUTS.items() if not output.within and name != "survey site --output"]


@pytest.mark.parametrize("kind", ["file", "pipe"])
@pytest.mark.parametrize("name", FILES)
def test_a_planted_file_or_pipe_is_left_alone(name: str, kind: str, places: Mapping[str, str], shared: Path) -> None:
    path = shared / "out"
    if kind == "file":
        path.touch()
    else:
        os.mkfifo(path)
    path.chmod(0o666)
    os.chown(path, OTHER, OTHER)
    before = path.lstat()
    refused(places, name, path)
    assert path.lstat() == before


@pytest.mark.parametrize("name", [name for name in FILES if name != "survey run --store"])
def test_ones_own_pipe_gets_it_all(name: str, places: Mapping[str, str], shared: Path) -> None:
    path = shared / "out"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    done = samebytes(places, OUTPUTS[name].command, name.rsplit(maxsplit=1)[-1], str(path))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    reader.join(60)
    assert len(got[0]) > 50
    assert stat.S_ISFIFO(path.lstat().st_mode)


@pytest.mark.parametrize("name", ["compare --html", "tree digest --tar", "survey export --json"])
def test_standard_output_and_the_null_device_are_written_to(name: str, places: Mapping[str, str]) -> None:
    done = samebytes(places, OUTPUTS[name].command, name.rsplit(maxsplit=1)[-1], "/dev/stdout")
    assert done.returncode in (0, 1), done.stderr
    assert len(done.stdout) > 100
    done = samebytes(places, OUTPUTS[name].command, name.rsplit(maxsplit=1)[-1], os.devnull)
    assert done.returncode in (0, 1), done.stderr
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
