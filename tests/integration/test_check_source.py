"""``samebytes check`` of sources for real: what varies is found and named, what does not is the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from samebytes_tools.variations.moved_clock import is_moved
from support.conditions import git
from support.differences import digest
from support.leaky import LEAKS, leaky_project
from support.processes import import_path, is_running, linux_only, pid_in, wait_for
from support.projects import BY_NAME, Example, copy_bare, header_wheel, missing_tools, write_tree
from support.schemas import schema
from support.workshop import Workshop

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")]

CHECK = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # the test run may be a background job, which ignores it
from samebytes.commands.main import main
sys.exit(main(["check", *sys.argv[1:]]))
"""


class Desk:
    """Runs the command, with a TMPDIR where nothing may be left."""

    def __init__(self, root: Path, python: Path | str = sys.executable) -> None:
        self.root, self.tmp, self.python = root, root / "tmp", python
        self.tmp.mkdir()
        self.environ = {
            name: value for name, value in os.environ.items() if name not in {"SOURCE_DATE_EPOCH", "PYTHONPATH"}
        }
        self.environ["TMPDIR"] = str(self.tmp)
        if python == sys.executable:
            self.environ.update(import_path())

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.python), "-c", CHECK, *map(str, arguments)]

    def run(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env={**self.environ, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert list(self.tmp.iterdir()) == []
        return done

    def results(self, *arguments: str | Path, **more: str) -> list[dict[str, Any]]:
        """Run with ``--json`` and return the results of its document, which is what the schema says."""
        done = self.run("--json", *arguments, **more)
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        assert_valid(document)
        assert document["exit_status"] == done.returncode == max(one["exit_status"] for one in document["results"])
        results: list[dict[str, Any]] = document["results"]
        return results

    def result(self, *arguments: str | Path, **more: str) -> dict[str, Any]:
        (result,) = self.results(*arguments, **more)
        return result


def assert_valid(document: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    resources = [
        (f"{name}.schema.json", referencing.Resource.from_contents(schema(name)))
        for name in ("compare", "check-source")
    ]
    registry = referencing.Registry().with_resources(resources)
    jsonschema.Draft202012Validator(schema("check-source"), registry=registry).validate(document)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def states(result: dict[str, Any], way: str = "as is") -> dict[str, str]:
    (artifacts,) = (one["artifacts"] for one in result["ways"] if one["way"] == way)
    return {artifact["kind"]: artifact["state"] for artifact in artifacts}


def attributed(result: dict[str, Any]) -> dict[str, set[str]]:
    """Return which members differ by which variations."""
    found = result["differs_by"]["variations"]
    return {" ".join(one["names"]): {fact["member"] for fact in one["facts"]} for one in found}


def all_same(result: dict[str, Any], way: str = "as is") -> bool:
    return set(states(result, way).values()) == {"same"}


def test_every_variation_is_found_by_what_it_changes(desk: Desk) -> None:
    """One project sees all of them; each is found by its own member, and by no other."""
    tree = leaky_project(desk.root / "tree", LEAKS)
    git("init", "--quiet", str(tree))
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "--message", "All", cwd=tree, date="2024-02-29T12:00:00+00:00")
    result = desk.result("-n", "-w", "--bisect", tree)
    assert attributed(result) == {name: {f"leaky/{name}"} for name in result["varied"]}
    assert set(result["varied"]) | set(result["not_varied"]) == set(LEAKS)
    assert {"build-path", "umask", "hash-seed", "timezone", "mtimes", "checkout", "leftovers"} <= set(result["varied"])
    assert result["differs_by"]["moment"] == result["differs_by"]["unexplained"] == []
    assert "time" in result["varied"]
    assert ("time" in result["not_varied"]) != is_moved(os.environ)


@pytest.mark.parametrize(
    ("year", "needs_cargo", "status"),
    [
        ("time.localtime().tm_year", False, 1),
        ("time.localtime().tm_year", True, 1),
        ("__import__('subprocess').check_output(['date', '+%Y'])", False, 0),
    ],
)
def test_the_year_without_libfaketime(year: str, needs_cargo: bool, status: int, desk: Desk) -> None:
    """Python's is found in an isolated build, too; that of another program is not, and "same" is not said without that."""
    tree = leaky_project(desk.root / "tree", [], f"LEAKS['year'] = {year!r}\n")
    others = ",".join(f"-{name}" for name in LEAKS if name != "time")
    if needs_cargo:  # which libfaketime lets hang
        (tree / "Cargo.toml").touch()
    done = desk.run("-w", f"--vary={others}", tree, **({} if needs_cargo else {"LIBFAKETIME": os.devnull}))
    assert (done.returncode, "D005 date-or-time" in done.stdout) == (status, status == 1), done.stderr
    assert re.search(r"not varied: .*, time \(only that of Python( and gcc)? is moved\b", " ".join(done.stdout.split()))


IN_A_SEARCH = pytest.mark.broad("the search is the same, and all of them are in the test above")


@pytest.mark.parametrize(
    "leak", ["umask", "build-path", *(pytest.param(one, marks=IN_A_SEARCH) for one in ("hash-seed", "timezone"))]
)
def test_one_leak_is_found_by_few_builds(leak: str, desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", [leak])
    done = desk.run("-n", "--bisect", tree)
    assert done.returncode == 1
    assert f"  leaky/{leak}, line 1 (wheel, wheel from sdist), by {leak}\n" in done.stdout
    builds = int(done.stdout.partition("bisected by ")[2].split()[0])
    assert builds <= 11  # 2 for each halving of at most 19, and one with nothing varied
    assert "sdist            same\n    sha256 " in done.stdout


def test_a_project_that_sees_nothing_is_the_same(desk: Desk) -> None:
    extra = "import warnings\nwarnings.warn('of no interest')\nprint('neither is this')\n"
    tree = leaky_project(desk.root / "tree", [], extra)
    steps = [line.rpartition(" (")[0] for line in desk.run("-n", "-j1", tree).stderr.splitlines()]
    assert steps[:2] == ["build 1 of 8: sdist, first environment", "build 2 of 8: wheel, first environment"]
    assert steps[-1] == "build 8 of 8: wheel from sdist, second environment"
    assert len(steps) == 8
    assert desk.run("-n", "-q", tree).stderr == ""
    result = desk.result("-n", "--bisect", "--normalized", tree)
    assert result["exit_status"] == 0
    assert all(all_same(result, way) for way in ("as is", "normalized", "hook"))
    assert result["differs_by"] is None


def test_only_what_is_to_be_varied_is(desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", ["umask", "hash-seed"])
    assert desk.result("-n", "-w", "--vary=-umask,-hash_seed", tree)["state"] == "same"
    only = desk.result("-n", "-w", "--vary=-all", "--vary", "+umask", tree)
    assert only["varied"] == ["umask"]
    (artifact,) = only["ways"][0]["artifacts"]
    names = {one["name"] for one in artifact["comparison"]["differences"] if one["kind"] != "container"}
    assert names == {"leaky/umask", "leaky-1.0.dist-info/RECORD"}


def test_what_normalizing_removes_may_be_accepted(desk: Desk) -> None:
    """Then nothing is built to find it, and no more than one variation is found for what differs beyond it."""
    extra = "old = build_wheel\n" + MODES
    tree = leaky_project(desk.root / "tree", [], extra)
    assert desk.result("-n", "-w", tree)["exit_status"] == 1
    accepted = desk.result("-n", "-w", "--bisect", "--accept", "normalized", tree)
    assert (accepted["exit_status"], accepted["state"], accepted["accept"]) == (0, "differs", "normalized")
    assert accepted["differs_by"] is None
    tree = leaky_project(desk.root / "other", ["hash-seed"], extra)
    result = desk.result("-n", "-w", "--bisect", "--accept", "normalized", tree)
    assert result["exit_status"] == 1
    assert attributed(result) == {"hash-seed": {"leaky/hash-seed"}}
    assert {fact["aspect"] for fact in result["differs_by"]["variations"][0]["facts"]} == {"contents"}


MODES = """
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = old(wheel_directory)
    path = os.path.join(wheel_directory, name)
    with zipfile.ZipFile(path) as wheel:
        files = [(info, wheel.read(info)) for info in wheel.infolist()]
    with zipfile.ZipFile(path, "w") as wheel:
        for info, data in files:
            info.external_attr = (0o100000 | os.stat(new("file")).st_mode & 0o777) << 16
            wheel.writestr(info, data)
    return name
"""


def test_chance_is_told_from_variations(desk: Desk) -> None:
    extra = "LEAKS['chance'] = 'os.urandom(8)'\n"
    result = desk.result("-n", "-w", "--bisect", leaky_project(desk.root / "tree", ["umask"], extra))
    assert attributed(result) == {"umask": {"leaky/umask"}}
    assert {fact["member"] for fact in result["differs_by"]["moment"]} == {"leaky/chance"}


FEW = "--vary=-all,+user,+home,+umask,+mtimes,+timezone,+hash-seed"
"""For searches that find something else than which: among fewer, they need fewer builds."""


def test_what_takes_two_variations_together(desk: Desk) -> None:
    extra = "LEAKS['both'] = \"os.environ['USER'] == 'somebody-else' and os.environ['PYTHONHASHSEED'] == '4242'\"\n"
    result = desk.result("-n", "-w", "--bisect", FEW, leaky_project(desk.root / "tree", [], extra))
    assert attributed(result) == {"user hash-seed": {"leaky/both"}}


def test_a_build_that_single_variations_break_is_told(desk: Desk) -> None:
    extra = "if os.environ['USER'] != 'ada' and os.environ['TZ'] == 'UTC':\n    raise RuntimeError('not like this')\n"
    result = desk.result("-n", "-w", "--bisect", FEW, leaky_project(desk.root / "tree", ["umask"], extra))
    assert attributed(result) == {"umask": {"leaky/umask"}}
    assert any(note.startswith("what differs by single variations may be incomplete: ") for note in result["notes"])


def test_normalizing_and_the_hook_fix_what_they_can(desk: Desk) -> None:
    """What the hook pins is fixed by it; what is in the contents is not by normalizing."""
    tree = leaky_project(desk.root / "tree", ["hash-seed", "umask"])
    result = desk.result("-n", "-w", "--normalized", tree)
    assert [states(result, way)["wheel"] for way in ("as is", "normalized", "hook")] == ["differs", "differs", "same"]


def bare(name: str, desk: Desk) -> Path:
    example: Example = BY_NAME[name]
    missing = missing_tools(example)
    if missing:
        pytest.skip(f"{name} needs {', '.join(missing)}")
    return copy_bare(example, desk.root / name)


@pytest.mark.parametrize(
    "vary",
    [
        pytest.param(["-w", FEW + ",+build-path,+time"], id="some"),
        pytest.param(["-s", "-w"], id="all", marks=pytest.mark.broad("the search takes four times as many builds")),
    ],
)
def test_setuptools_differs_by_the_container_alone(vary: list[str], tmp_path: Path, workshop: Workshop) -> None:
    desk = Desk(tmp_path, workshop.python)
    result = desk.result("-n", "--bisect", "--normalized", *vary, bare("unwrapped-setuptools", desk))
    assert set(states(result).values()) == {"differs"}
    assert all_same(result, "normalized")
    assert all_same(result, "hook")
    for artifact in result["ways"][0]["artifacts"]:
        assert artifact["comparison"]["verdict"] == "same after normalization"
        assert {"D010", "D011"} <= set(artifact["comparison"]["causes"])
    assert set(attributed(result)) - {"time"} == {"umask", "mtimes"}


def test_a_c_extension_differs_by_its_path(tmp_path: Path, workshop: Workshop) -> None:
    desk = Desk(tmp_path, workshop.python)
    some = "--vary=-all,+build-path,+umask,+hash-seed,+timezone"
    result = desk.result("-n", "-w", "--bisect", "--normalized", some, bare("setuptools-c-extension", desk))
    assert [states(result, way)["wheel"] for way in ("as is", "normalized", "hook")] == ["differs", "differs", "same"]
    (artifact,) = result["ways"][0]["artifacts"]
    assert artifact["comparison"]["verdict"] == "different"
    assert "D001" in artifact["comparison"]["causes"]
    (module,) = (member for member in attributed(result)["build-path"] if member.endswith(".so"))
    assert module.startswith("example_setuptools_c/")


CMAKE = """\
cmake_minimum_required(VERSION 3.15)
project(linked LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
add_library(core SHARED core.c)
Python_add_library(_linked MODULE WITH_SOABI module.c)
target_link_libraries(_linked PRIVATE core)
set_target_properties(_linked PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS _linked core DESTINATION linked)
"""
MODULE = """\
#include <Python.h>
int answer(void);
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_linked", "", -1, NULL};
PyMODINIT_FUNC PyInit__linked(void) { return answer() ? PyModule_Create(&definition) : NULL; }
"""


def test_the_room_of_a_run_path_does_not_tell_where_cmake_built(tmp_path: Path, workshop: Workshop) -> None:
    """CMake overwrites the run path to the build directory when it installs, and leaves as many bytes as it had."""
    path = f"{workshop.bin}{os.pathsep}{os.environ['PATH']}"
    if not shutil.which("cmake", path=path) or not shutil.which("cc", path=path):
        pytest.skip("needs cmake and cc")
    desk = Desk(tmp_path, workshop.python)
    build = '[build-system]\nrequires = ["scikit-build-core>=0.10"]\nbuild-backend = "scikit_build_core.build"\n'
    files = {"pyproject.toml": f'{build}[project]\nname = "linked"\nversion = "1"\n', "CMakeLists.txt": CMAKE}
    files.update({"core.c": "int answer(void) { return 42; }\n", "module.c": MODULE})
    tree = write_tree(desk.root / "linked", files)
    result = desk.result("-n", "-w", "--normalized", "--vary=-all,+temp,+build-path", tree, PATH=path)
    assert [states(result, way)["wheel"] for way in ("as is", "normalized", "hook")] == ["differs", "differs", "same"]
    (artifact,) = result["ways"][0]["artifacts"]
    assert "D002" in artifact["comparison"]["causes"]


@pytest.mark.parametrize(
    ("condition", "variation", "cause"),
    [("os.path.isdir('dist')", "leftovers", "D020"), ("os.environ['USER'] != 'ada'", "user", "D099")],
)
def test_files_that_are_there_for_what_was_left_are_told_from_others(
    condition: str, variation: str, cause: str, tmp_path: Path, workshop: Workshop
) -> None:
    """A build without the leftovers decides: files that are there for another variation stay unexplained."""
    desk = Desk(tmp_path, workshop.python)
    data = f"package_data={{'one': ['*.txt'] if {condition} else []}}, include_package_data=False"
    setup = f"import os\nfrom setuptools import setup\nsetup(packages=['one'], {data})\n"
    backend = '[build-system]\nrequires = []\nbuild-backend = "setuptools.build_meta"\n'
    project = f'{backend}[project]\nname = "demo"\nversion = "1"\n'
    files = {"pyproject.toml": project, "setup.py": setup, "one/__init__.py": "", "one/more.txt": ""}
    tree = write_tree(desk.root / "demo", files)
    result = desk.result("-n", "-w", "--normalized", f"--vary=-all,+leftovers,+{variation}", tree)
    for way in result["ways"]:
        (artifact,) = way["artifacts"]
        assert set(artifact["comparison"]["causes"]) & {"D020", "D099"} == {cause}, way["way"]


@pytest.mark.parametrize("name", ["hatchling", "poetry"])
def test_some_backends_give_the_same_as_they_stand(name: str, tmp_path: Path, workshop: Workshop) -> None:
    desk = Desk(tmp_path, workshop.python)
    tree = bare(name, desk)
    assert all_same(desk.result("-n", "--vary=-leftovers", tree))


def test_a_wrapped_project_is_the_same_in_isolation_without_an_index(desk: Desk) -> None:
    """It requires samebytes: that which checks is lent to its environment."""
    tree = leaky_project(desk.root / "tree", ["hash-seed"])
    text = (tree / "pyproject.toml").read_text()
    wrapped = text.replace('build-backend = "leaky_backend"\nbackend-path = ["backend"]', WRAPPED)
    (tree / "pyproject.toml").write_text(wrapped.replace("requires = []", 'requires = ["samebytes"]'))
    more = ["PIP_NO_INDEX"] if sys.version_info >= (3, 11) else []
    if not more:
        pytest.skip("tomli is installed from an index before Python 3.11")
    result = desk.result(tree, PIP_NO_INDEX="1")
    assert all_same(result)
    assert result["build_requirements"] == []


WRAPPED = """\
build-backend = "samebytes.backend"

[tool.samebytes]
build-backend = "leaky_backend"
backend-path = ["backend"]
"""


def test_both_builds_get_the_same_build_requirements(desk: Desk) -> None:
    links = header_wheel(desk.root / "links").parent
    tree = leaky_project(desk.root / "tree", [], "import foreign_headers\n")
    text = (tree / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(text.replace("requires = []", 'requires = ["foreign-headers"]'))
    result = desk.result(tree, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(links))
    assert all_same(result)
    assert [(one["name"], one["version"]) for one in result["build_requirements"]] == [("foreign-headers", "1.0")]


def test_requirements_that_nobody_has(desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", [])
    text = (tree / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(text.replace("requires = []", 'requires = ["no-such-thing-at-all"]'))
    done = desk.run("-w", tree, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert done.returncode == 2
    assert "pip could not install the build requirements no-such-thing-at-all" in " ".join(done.stdout.split())
    assert "no-such-thing-at-all" in done.stdout


def test_failures_are_results_and_the_others_go_on(desk: Desk) -> None:
    good = leaky_project(desk.root / "good", [])
    broken = leaky_project(desk.root / "broken", [], "print('about to fail')\nraise RuntimeError('on purpose')\n")
    logs = desk.root / "logs"
    results = desk.results("-n", "-j2", "--logs", logs, broken, good, desk.root / "good")
    assert [one["exit_status"] for one in results] == [2, 0]
    failure = results[0]["ways"][0]["artifacts"][0]["failure"]
    assert "in the first build: the backend 'leaky_backend'" in failure["message"]
    assert "on purpose" in " ".join([failure["message"], *failure["tail"]])
    assert any("about to fail" in log.read_text() for log in logs.glob("broken-*/*.log"))


def test_what_fails_only_without_git_is_checked_with_it(desk: Desk) -> None:
    extra = "if not os.path.isdir('.git'):\n    raise RuntimeError('no repository')\n"
    tree = leaky_project(desk.root / "tree", ["checkout"], extra)
    git("init", "--quiet", str(tree))
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "--message", "All", cwd=tree, date="2024-02-29T12:00:00+00:00")
    result = desk.result("-n", "-w", tree)
    assert result["state"] == "same"
    assert "checkout" not in result["varied"]
    assert result["not_varied"]["checkout"] == "the build fails with it"
    assert any("checkout is not varied, for the build fails with it" in note for note in result["notes"])
    required = desk.result("-n", "-w", "--vary=-all", "--require=checkout", tree)
    assert required["state"] == "could not be built"
    assert "in the second build" in required["ways"][0]["artifacts"][0]["failure"]["message"]
    assert required["not_varied"] == {}


HANGS = """
import subprocess, sys, time
def build_wheel(*_):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    with open({pid!r}, "w") as file:
        file.write(str(child.pid))
    time.sleep(1000)
"""


@linux_only
def test_a_build_that_hangs_is_ended_with_all_its_processes(desk: Desk) -> None:
    pid = desk.root / "pid"
    tree = leaky_project(desk.root / "tree", [], HANGS.format(pid=str(pid)))
    done = desk.run("-n", "-w", "--vary=-leftovers", "--timeout", "1.5", tree)
    assert done.returncode == 2
    said = " ".join(done.stdout.split())
    assert "took longer than 1.5 seconds and was ended" in said
    assert "--timeout gives it more time" in said
    assert not is_running(pid_in(pid))


@linux_only
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(number: signal.Signals, status: int, desk: Desk) -> None:
    pid = desk.root / "pid"
    tree = leaky_project(desk.root / "tree", [], HANGS.format(pid=str(pid)))
    arguments = ["-n", "-w", "--vary=-leftovers,-file-order", tree]  # the trees are in TMPDIR then
    process = subprocess.Popen(desk.command(*arguments), cwd=desk.root, env=desk.environ, stderr=subprocess.PIPE)
    child = pid_in(pid)
    process.send_signal(number)
    _, said = process.communicate()
    assert process.returncode == status, said.decode()
    wait_for(lambda: not is_running(child), "the end of the build's child")
    assert list(desk.tmp.iterdir()) == []


def test_an_sdist_is_built_if_that_is_asked_for(desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", ["timezone"])
    kept = desk.root / "kept"
    desk.run("-n", "-s", "--keep", kept, tree)
    first, second = sorted(kept.rglob("*.tar.gz"))
    assert digest(first) == digest(second)
    assert desk.result("-n", "-w", "--build", first)["state"] == "differs"
    unbuilt = desk.run(first)  # it is not canonical
    assert unbuilt.returncode == 1
    assert ": G001 " in unbuilt.stdout


def test_sdists_that_are_none_or_hostile(desk: Desk) -> None:
    damaged, hostile = desk.root / "damaged-1.0.tar.gz", desk.root / "hostile-1.0.tar.gz"
    damaged.write_bytes(b"no archive")
    with tarfile.open(hostile, "w:gz") as sdist:
        sdist.add(__file__, "hostile-1.0/../../escaped.py")
    good = leaky_project(desk.root / "good", [])
    results = desk.results("-n", "--build", damaged, hostile, good)
    assert [one["state"] for one in results] == ["could not be built", "could not be built", "same"]
    assert results[0]["error"]["class"] == "ArchiveError"
    assert results[1]["error"]["class"] == "HostileArchiveError"
    assert not list(desk.root.rglob("escaped.py"))


def test_interpreters_each_give_a_result(desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", [])
    results = desk.results("-n", "--python", sys.executable, "--python", "3.1", "--python", "nonsense", tree)
    assert [one["state"] for one in results] == ["same", "could not be built", "could not be built"]
    assert results[0]["python"] == sys.version.split()[0]
    assert "Python 3.1 is needed and not here" in results[1]["error"]["message"]
    assert "nonsense is not a Python interpreter" in results[2]["error"]["message"]


def test_reports_for_people_and_for_ci(desk: Desk) -> None:
    hostile = "tree <&\"'>"
    tree = leaky_project(desk.root / hostile, ["umask"])
    broken = write_tree(desk.root / "broken", {"pyproject.toml": "[build-system]\nrequires = 3\n"})
    page, report = desk.root / "page.html", desk.root / "junit.xml"
    done = desk.run("-n", "-w", "--bisect", "--html", page, "--junit", report, tree, broken)
    assert done.returncode == 2
    assert done.stdout.endswith("1 differs, 1 could not be built\n")
    assert "Remedy: " in done.stdout
    html = page.read_text("utf-8")
    assert "differs by umask" in html
    assert hostile not in html
    suites = ElementTree.parse(report).getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "1")
    (failure,) = suites.iter("failure")
    assert "differs by umask: wheel: contents of leaky/umask" in (failure.text or "")
    assert suites[0].get("name", "").startswith(str(tree))


def test_the_list_says_what_can_be_varied_here(desk: Desk) -> None:
    done = desk.run("--list")
    assert done.returncode == 0
    for name in LEAKS:
        assert f"\n{name}" in f"\n{done.stdout}"
    assert done.stdout.count("    can be varied here\n") + done.stdout.count("    not here: ") == len(LEAKS)


def test_a_tree_in_a_checkout_is_built_with_it(desk: Desk) -> None:
    """A backend may look for the repository above its tree."""
    extra = "if not os.path.isfile('../../top'):\n    raise RuntimeError('where is the top?')\n"
    top = write_tree(desk.root / "repository", {"top": ""})
    trees = [leaky_project(top / name / "python", ["umask"], extra) for name in ("one", "two")]
    git("init", "--quiet", str(top))
    git("add", "--all", cwd=top)
    git("commit", "--quiet", "--message", "All", cwd=top, date="2024-02-29T12:00:00+00:00")
    results = desk.results("-n", "-w", "--keep", desk.root / "kept", *trees)
    assert [one["state"] for one in results] == ["differs", "differs"]
    assert "checkout" in results[0]["varied"]
    assert len(list((desk.root / "kept").iterdir())) == 2


@linux_only
def test_memory_is_not_used_where_nobody_needs_it(desk: Desk) -> None:
    tree = leaky_project(desk.root / "tree", ["build-path"])
    result = desk.result("-n", "-w", "--vary=-file-order", tree)
    assert f"{desk.tmp}/samebytes-" in json.dumps(result["ways"])


@pytest.mark.network
def test_names_on_the_index(desk: Desk) -> None:
    results = desk.results("--normalized", "-j2", "idna==3.10", "no-such-project-of-samebytes", "idna==0.0.1")
    assert [one["state"] for one in results] == ["differs", "could not be built", "could not be built"]
    assert all_same(results[0], "normalized")
    assert all_same(results[0], "hook")
    assert "flit-core" in {one["name"].replace("_", "-") for one in results[0]["build_requirements"]}
    assert "there is no file no-such-project-of-samebytes, and the index" in results[1]["error"]["message"]
    assert "no sdist of idna==0.0.1" in results[2]["error"]["message"]


def test_no_index_in_reach(desk: Desk) -> None:
    result = desk.result("idna", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert result["state"] == "could not be built"
    assert "cannot be reached" in result["error"]["message"]


@pytest.mark.network
@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_version_from_git(desk: Desk) -> None:
    """A tree whose version git gives cannot be built without .git, which is told; all else is varied."""
    tree = write_tree(
        desk.root / "tree",
        {
            "pyproject.toml": '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
            '[project]\nname = "versioned"\ndynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"\n'
            '[tool.hatch.build]\ninclude = ["versioned"]\n',
            "versioned/__init__.py": "",
        },
    )
    git("init", "--quiet", str(tree))
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "--message", "All", cwd=tree, date="2024-02-29T12:00:00+00:00")
    git("tag", "v1.5", cwd=tree)
    result = desk.result("-w", "--vary=-leftovers", tree)
    assert result["state"] == "same"
    (artifact,) = result["ways"][0]["artifacts"]
    assert {file["name"].partition("-py")[0] for file in artifact["files"]} == {"versioned-1.5"}
    assert result["not_varied"]["checkout"] == "the build fails with it"
