"""The commands of the documentation, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.blocks import NOT_COMPARED, ROOT, RUN, Block, all_blocks, blocks, output_of
from support.conditions import kept_variables
from support.places import Variables, opened
from support.workshop import Workshop, make_environment

BASH = shutil.which("bash")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(BASH is None or sys.platform == "win32", reason="runs bash"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]


class Done(NamedTuple):
    """A command of a block, the status that it ended with, and all that it said."""

    command: str
    status: int
    said: str


@pytest.fixture(scope="module")
def environment(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with samebytes and all that pages tell to install, so that nothing is fetched again."""
    place = tmp_path_factory.mktemp("documented") / "environment"
    own = [str(workshop.wheel), str(workshop.tools_wheel)]
    wanted = [*own, "build", "gpep517", "hatchling", "pip", "setuptools", "uv"]
    make_environment(place, wanted)
    return place


def runnable() -> list[object]:
    """Return the blocks to run, those that need an index marked so."""
    return [
        pytest.param(block, id=block.name, marks=[pytest.mark.network] if block.run.needs_index else [])
        for block in all_blocks()
        if block.kind == RUN
    ]


def prompted(block: Block) -> list[str]:
    """Return the commands of a block that shows a prompt before each."""
    return [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]


def commands(block: Block) -> list[str]:
    """Return the commands of a block one by one; those of more lines are taken together."""
    if block.language == "console":
        return prompted(block)
    found, waiting = [], ""
    for line in block.text.splitlines(keepends=True):
        waiting += line
        if not waiting.rstrip("\n").endswith("\\") and is_complete(waiting):
            found.append(waiting.rstrip("\n"))
            waiting = ""
    assert not waiting, f"{block.name} ends in the middle of a command"
    return [command for command in found if command.strip() and not command.startswith("#")]


def is_complete(command: str) -> bool:
    assert BASH is not None
    return subprocess.run([BASH, "-n", "-c", command], capture_output=True, check=False).returncode == 0


def run(wanted: list[str], here: Path, variables: Variables) -> list[Done]:
    """Run commands in one shell, one after another, whatever becomes of each."""
    assert BASH is not None
    script = "".join(["exec 2>&1\nset -u -o pipefail\n", *(f"{one}\nprintf '\\036%d\\036' $?\n" for one in wanted)])
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", script],
        cwd=here,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    parts = done.stdout.split("\036")
    assert len(parts) == 2 * len(wanted) + 1, done.stdout
    return [Done(one, int(status), said) for one, said, status in zip(wanted, parts[::2], parts[1::2])]


def surroundings(root: Path, environment: Path, workshop: Workshop) -> dict[str, str]:
    """Return the variables of somebody who has the environment activated, and a home of their own."""
    kept = kept_variables()
    for name in ("bin", "home", "tmp"):
        (root / name).mkdir(parents=True)
    own = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    path = os.pathsep.join([str(root / "bin"), str(environment / "bin"), kept["PATH"]])
    return {**kept, **workshop.index(kept), **own, "PATH": path}


@pytest.mark.parametrize("block", runnable())
def test_commands(block: Block, environment: Path, workshop: Workshop, tmp_path: Path) -> None:
    how = block.run
    if "benchmarks/" in block.text and not (ROOT / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not here")
    variables = surroundings(tmp_path / "own", environment, workshop)
    for program in how.programs:
        (tmp_path / "own" / "bin" / program).symlink_to(found(program))
    root = tmp_path / "place"
    root.mkdir()
    with opened(how.place, root) as (here, more):
        done = run(commands(block), here, {**variables, **more})
    wanted = how.statuses * len(done) if len(how.statuses) == 1 else how.statuses
    assert [one.status for one in done] == list(wanted), "\n".join(f"$ {one.command}\n{one.said}" for one in done)
    compare(block, done, here)


def found(program: str) -> Path:
    """Return where a program is, among pyenv's interpreters (whose stand-ins on PATH may not run) or on PATH, or skip."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    path = os.pathsep.join([*map(str, sorted(pyenv.glob("*/bin"))), os.environ["PATH"]])
    where = shutil.which(program, path=path)
    if where is None:
        pytest.skip(f"needs {program}")
    return Path(where)


def compare(block: Block, done: list[Done], here: Path) -> None:
    """Hold what the page shows against what came out."""
    if block.language == "console":
        for one, text in zip(done, re.split(r"^\$ .*\n", block.text, flags=re.MULTILINE)[1:]):
            fail_unless_shown(block, text, one.said, here)
    below = output_of(block)
    if below is None or below.kind == NOT_COMPARED:
        return
    said = "".join(one.said for one in done)
    if below.language == "diff":
        said += changes(here) + "".join((here / name).read_text("utf-8") for name in re.findall(r"> (\S+)", block.text))
    fail_unless_shown(below, below.text, said, here)


def fail_unless_shown(block: Block, text: str, said: str, here: Path) -> None:
    shown = is_shown(text, said, here)
    assert shown, f"{block.name} shows\n{text}\nand it is\n{said}"


REMEDIES_NOT_RUN = {
    "* text=auto eol=lf": "a line of .gitattributes",
    "prune build": "lines of MANIFEST.in",
    "import os, time": "lines of Python, which the next tests run",
    'number = os.environ.get("BUILD_NUMBER", "0")': "as above",
    'uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")': "as above",
    "codesign --remove-signature FILE.so": "a program of macOS",
    "samebytes normalize --rebuild-record FILE": "of a file that is damaged",
    "auditwheel repair dist/*.whl": "tests/integration/test_repair_docs.py runs it",
}
"""First lines of blocks in docs/reference/causes.md, which is written by docs/generate.py."""


def remedies() -> list[Block]:
    """Return the blocks of the page of causes that are no tables of pyproject.toml."""
    return [one for one in blocks(ROOT / "docs" / "reference" / "causes.md") if not one.text.startswith("[")]


def test_remedies_of_causes(environment: Path, workshop: Workshop, tmp_path: Path) -> None:
    wanted = {one.text.strip() for one in remedies() if one.text.splitlines()[0] not in REMEDIES_NOT_RUN}
    (tmp_path / "place").mkdir()
    with opened("two-builds", tmp_path / "place") as (here, more):
        (here / "one" / "dist").rename(here / "dist")
        done = run(sorted(wanted), here, {**surroundings(tmp_path / "own", environment, workshop), **more})
    assert len(done) >= 10
    assert [f"$ {one.command}\n{one.said}" for one in done if one.status != 0] == []


def test_the_python_among_the_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (one.text for one in remedies() if one.text.startswith("import "))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1580601600")
    assert run_code(code)["now"] == 1580601600


@pytest.mark.parametrize("begin", ["number = ", "uuid."])
def test_single_lines_of_python_among_the_remedies(begin: str) -> None:
    (code,) = (one.text for one in remedies() if one.text.startswith(begin))
    for line in code.splitlines():
        run_code(f"import hashlib, os, random, uuid\ndata = b''\n{line}")


def run_code(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    del names["__builtins__"]
    return names


def changes(here: Path) -> str:
    """Return what changed in the repository that *here* is."""
    return subprocess.run(["git", "diff"], cwd=here, capture_output=True, text=True, check=False).stdout


def is_shown(text: str, said: str, here: Path) -> bool:
    """Return whether *said* has the lines of *text*, whatever the figures; three dots stand for anything."""
    pattern = "".join(
        "(?:.*\n)*?" if line.strip() == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in shape(text).splitlines()
    )
    return re.search(f"^{pattern}", shape(said.replace(str(here), "/home/ada/project")), re.MULTILINE) is not None


def shape(text: str) -> str:
    """Return *text* with a sign in place of each digest, date and number."""
    digests = re.sub(r"\b[0-9a-f]{12,}\b", "#", text)
    return re.sub(r"\d[\d,.]*", "0", digests)


def test_what_is_shown_is_compared(tmp_path: Path) -> None:
    """The control: figures may differ, words may not."""
    said = f"Building\n{tmp_path}/dist/a-1.0.whl\n  size   920 bytes\n  S001 order: 2 members\nDone\n"
    assert is_shown("Building\n/home/ada/project/dist/a-1.2.3.whl\n  size   1,085 bytes\n", said, tmp_path)
    assert is_shown("Building\n...\nDone\n", said, tmp_path)
    assert is_shown("  S001 ...: 3 members\nDone\n", said, tmp_path)
    assert not is_shown("Building\nDone\n", said, tmp_path)
    assert not is_shown("  size 920 bytes\n", said, tmp_path)
    assert not is_shown("...\nFinished\n", said, tmp_path)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one\n\n# two\nthree \\\n    four\n", ["one", "three \\\n    four"]),
        ("for x in a b; do\n  echo $x\ndone\n", ["for x in a b; do\n  echo $x\ndone"]),
    ],
)
def test_commands_of_several_lines_are_one(text: str, wanted: list[str]) -> None:
    assert commands(Block("page.md", 1, "sh", text, RUN, "in empty")) == wanted


def test_each_command_has_its_status(tmp_path: Path) -> None:
    done = run(["echo one", "false", "(exit 7)"], tmp_path, {"PATH": os.environ["PATH"]})
    assert [(one.status, one.said) for one in done] == [(0, "one\n"), (1, ""), (7, "")]
