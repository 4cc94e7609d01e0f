"""What runs on other people's machines: the action's steps as a shell script, and linters of workflows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.artifacts import sdist, wheel
from support.checkout import export
from support.conditions import kept_variables
from support.github import ACTION, ROOT, Runner, yaml
from support.projects import WRAPPED, write_tree
from support.workshop import Workshop

import samebytes
from samebytes.console import programs as system_programs

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not ACTION.is_file(), reason="the action is not here, only the tests"),
    pytest.mark.skipif(sys.platform == "win32", reason="runs bash"),
]

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "plain"
version = "1.0"

[tool.setuptools]
py-modules = ["plain"]
"""


def program(name: str) -> str:
    """Return the path of a program beside the interpreter or on PATH, or skip."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"needs {name}")
    return found


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner on which the samebytes under test is installed already."""
    runner = Runner(tmp_path)
    command = tmp_path / "samebytes"
    path = os.pathsep.join(filter(None, sys.path))
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -m samebytes "$@"\n', "utf-8")
    command.chmod(0o755)
    runner.outputs["install"] = {"samebytes": str(command)}
    return runner


def test_checking_what_is_not_canonical(runner: Runner) -> None:
    wheel(runner.workspace / "dist")
    done = runner.run("run", {"paths": "dist\n"})
    assert (done.returncode, runner.outputs["run"]["status"]) == (1, "1")
    assert "html" not in runner.outputs["run"]
    summary = runner.summary.read_text("utf-8")
    assert summary.startswith("### samebytes check: something was found\n\n```text\n")
    assert "demo-1.0-py3-none-any.whl" in summary
    assert summary.endswith("\n```\n")
    said = re.fullmatch(r"::stop-commands::(\w{32})\n(.*)::(\w{32})::\n", done.stdout, re.DOTALL)
    assert said is not None
    assert said[1] == said[3]
    assert Path(runner.outputs["run"]["report"]).read_text("utf-8") == said[2]


def test_normalizing_and_then_checking(runner: Runner) -> None:
    wheel(runner.workspace / "dist")
    sdist(runner.workspace / "dist")
    options = "--date=2024-01-01\r\n\n-v"
    assert runner.run("run", {"command": "normalize", "paths": "dist", "options": options}).returncode == 0
    done = runner.run("run", {"command": "check", "paths": "dist"})
    assert (done.returncode, runner.outputs["run"]["status"]) == (0, "0")
    assert runner.summary.read_text("utf-8").count("### samebytes") == 2


def test_comparing_writes_a_page(runner: Runner) -> None:
    wheel(runner.workspace / "one", times=((2021, 3, 4, 5, 6, 8),))
    wheel(runner.workspace / "two", times=((2022, 3, 4, 5, 6, 8),))
    done = runner.run("run", {"command": "compare", "paths": "one\ntwo"})
    assert (done.returncode, runner.outputs["run"]["status"]) == (1, "1")
    assert "<html" in Path(runner.outputs["run"]["html"]).read_text("utf-8")
    summary = runner.summary.read_text("utf-8")
    assert summary.startswith("### samebytes ")
    assert " compare: 1 pair: 1 same after normalization.\n" in summary
    # Commands count again once the report is over.
    said, again = done.stdout.rsplit("::\n::error ", 1)
    assert "::error" not in said
    assert again.startswith(
        "title=demo-1.0-py3-none-any.whl%3A same after normalization::D011 member-times: container%0A"
    )


SAYS_IT_ALL = 'printf "%s\\n" "$@"'


@pytest.mark.quick
@pytest.mark.parametrize(
    ("inputs", "table", "wanted"),
    [
        ({}, "", ["--accept=normalized"]),
        ({"accept": "payload"}, "", ["--accept=payload"]),
        ({"accept": ""}, "", []),
        # The last one counts.
        ({"options": "--accept=identical"}, "", ["--accept=normalized", "--accept=identical"]),
        # The project has its own word, also for what is stricter.
        ({}, "[tool.samebytes.check]\nvary = []\n", []),
        ({}, '[tool.samebytes]\ncheck = { accept = "payload" }\n', []),
        ({}, '[tool.samebytes]\ncheck.accept = "payload"\n', []),
        ({}, "[tool.other]\ncheck = true\n# see [tool.samebytes.check]\n", ["--accept=normalized"]),
        # Neither archives nor other commands have the option.
        ({"paths": "dist"}, "", []),
        ({"command": "compare", "paths": "dist\ndist"}, "", []),
        ({"paths": "idna==3.10"}, "", ["--accept=normalized"]),
    ],
)
def test_what_is_accepted(
    inputs: dict[str, str], table: str, wanted: list[str], runner: Runner, tmp_path: Path
) -> None:
    write_tree(runner.workspace, {"pyproject.toml": PYPROJECT + table, "dist/README": ""})
    Path(runner.outputs["install"]["samebytes"]).write_text(f"#!/bin/sh\n{SAYS_IT_ALL}\n", "utf-8")
    done = runner.run("run", inputs)
    assert [line for line in done.stdout.splitlines() if line.startswith("--accept")] == wanted
    assert done.returncode == 0, done.stderr


def test_what_inputs_say_is_never_run(runner: Runner) -> None:
    hostile = "$(touch run-me)\n`touch run-me`\n; touch run-me\n--html=x\n*"
    done = runner.run("run", {"command": "normalize", "paths": hostile, "options": "--json\n$(touch run-me)"})
    assert done.returncode == 2
    assert list(runner.workspace.iterdir()) == []
    assert "--html=x: there is no such file" in done.stdout
    assert runner.run("run", {"command": "doctor; touch run-me"}).returncode == 2
    assert list(runner.workspace.iterdir()) == []


def test_a_name_cannot_end_the_block_of_the_summary(runner: Runner) -> None:
    done = runner.run("run", {"command": "normalize", "paths": "```` # Approved.whl"})
    assert done.returncode == 2
    lines = runner.summary.read_text("utf-8").splitlines()
    assert lines[2] == "`````text"
    assert lines[-1] == "`````"
    assert "failed, exit status 2" in lines[0]


def test_expressions_stand_in_env_and_never_in_a_script() -> None:
    for path in (ACTION, *WORKFLOWS):
        for script in re.findall(r"^ *run: \|\n((?: {8,}.*\n|\n)+)", path.read_text("utf-8"), flags=re.MULTILINE):
            assert "${{" not in script, path


def test_actions_are_pinned_to_commits() -> None:
    for path in (ACTION, *WORKFLOWS):
        used = re.findall(r"uses: (\S+)(.*)", path.read_text("utf-8"))
        for name, comment in used:
            assert name == "./" or (re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) and re.match(r" # v\d", comment)), name


HOW_TO = ROOT / "docs" / "how-to"
PAGES = sorted(HOW_TO.glob("*.md"))


needs_documentation = pytest.mark.skipif(not PAGES, reason="the documentation is not here, only the tests")


def shown(page: str) -> list[Any]:
    """Return the YAML blocks of a page of the documentation."""
    text = (HOW_TO / page).read_text("utf-8")
    found = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(block) for block in found]


def workflows() -> dict[str, str]:
    """Return the whole workflows that pages of the documentation show, by page."""
    found = {}
    for path in PAGES:
        for block in re.findall(r"^```yaml\n(name: .*?)^```$", path.read_text("utf-8"), flags=re.M | re.S):
            assert path.stem not in found
            found[path.stem] = block
    return found


def steps_of(block: Any) -> list[dict[str, Any]]:
    """Return the steps of a workflow, or of a part of one."""
    if isinstance(block, list):
        return block
    return [step for job in block.get("jobs", {}).values() for step in job["steps"]]


@needs_documentation
@pytest.mark.quick
def test_the_documentation_shows_inputs_that_there_are() -> None:
    inputs = yaml.safe_load(ACTION.read_text("utf-8"))["inputs"]
    used = 0
    for page in PAGES:
        for step in (step for block in shown(page.name) for step in steps_of(block)):
            if step.get("uses", "").startswith("samebytes/samebytes@"):
                assert set(step.get("with", {})) <= set(inputs), page
                used += 1
    assert used >= 2 + 2 * 5
    text = (HOW_TO / "continuous-integration.md").read_text("utf-8").partition("| output |")[0]
    table = dict(re.findall(r"^\| `([a-z]+)` \| (.*) \|$", text, flags=re.MULTILINE))
    assert list(table) == list(inputs)
    for name, row in table.items():
        default = inputs[name]["default"]
        assert not default or f"`{default}`" in row, name


@needs_documentation
@pytest.mark.quick
def test_the_documentation_pins_the_actions_that_ci_uses() -> None:
    """By the same commits, so that what updates the one updates the other; but for that of samebytes itself."""
    own = {use for path in (ACTION, *WORKFLOWS) for use in re.findall(r"uses: (\S+@.*)", path.read_text("utf-8"))}
    used = {use for page in PAGES for use in re.findall(r"uses: (\S+@.*)", page.read_text("utf-8"))}
    version = samebytes.__version__
    assert used - own == {f"samebytes/samebytes@v{version}"}


@needs_documentation
@pytest.mark.quick
def test_what_publishes_reads_no_cache_and_has_no_other_rights() -> None:
    for page, text in workflows().items():
        jobs = yaml.safe_load(text)["jobs"]
        publishing = [job for job in jobs.values() if "id-token" in job["permissions"]]
        assert len(publishing) == page.startswith("release-"), page
        for job in publishing:
            assert job["permissions"] == {"id-token": "write"}
            assert job["if"] == "startsWith(github.ref, 'refs/tags/v')"
            assert {"check", "compare"} <= set(job["needs"])
            assert "cache" not in text


@needs_documentation
def test_the_documentation_shows_hooks_that_there_are() -> None:
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    used = {hook["id"] for block in shown("pre-commit.md") for repo in block["repos"] for hook in repo["hooks"]}
    assert used
    assert used <= hooks
    text = (ROOT / "docs" / "how-to" / "pre-commit.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", text, flags=re.MULTILINE)) == hooks


@pytest.mark.network
def test_all_steps_with_the_action_s_own_samebytes(tmp_path: Path) -> None:
    """Installed from the action's tree, as on a runner; then a source tree is built twice."""
    runner = Runner(tmp_path)
    export(runner.source)
    installed = runner.run("install", {"python": sys.executable})
    assert installed.returncode == 0, installed.stderr
    write_tree(runner.workspace, {"pyproject.toml": PYPROJECT, "plain.py": "ANSWER = 42\n"})
    done = runner.run("run", {"options": "--wheel\n--vary=-all,+umask"})
    assert runner.outputs["run"]["status"] in ("0", "1"), done.stdout
    assert "<html" in Path(runner.outputs["run"]["html"]).read_text("utf-8")


@pytest.mark.quick
@pytest.mark.parametrize("fails", [False, True])
def test_the_action_installs_what_check_needs_to_vary_more(fails: bool, runner: Runner, tmp_path: Path) -> None:
    """Recorded, not installed. A machine where that fails is no failure: check says what it did not vary."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("apt-get", "localedef", "sudo"):
        run = 'shift; exec "$@"' if name == "sudo" else f'echo "{name} $*" >> "{tmp_path}/calls"; exit {int(fails)}'
        (programs / name).write_text(f"#!/bin/sh\n{run}\n", "utf-8")
        (programs / name).chmod(0o755)
    done = runner.run("vary", path=f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert (done.returncode, "::notice::" in done.stdout) == (0, fails), done.stderr
    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert calls[:1] == ["apt-get update -q"]
    if not fails:
        wanted = {each.package for each in system_programs.ALL if each.name in ("libfaketime", "disorderfs")}
        assert wanted <= set(calls[1].split())
        assert calls[2].startswith("localedef ")


def test_the_gate_has_all_that_check_can_vary() -> None:
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    for package in ("[faketime]=faketime", "[disorderfs]=disorderfs", "[git]=git", " locales "):
        assert package in text
    assert "localedef -i de_DE" in text


ON_PAGES = """\
rules:
  unpinned-uses:
    config:
      policies:
        samebytes/samebytes: ref-pin
        "*": hash-pin
"""
"""The commit of a release is not known before its pages are."""


@needs_documentation
def test_zizmor_finds_nothing_on_pages(tmp_path: Path) -> None:
    (tmp_path / "zizmor.yml").write_text(ON_PAGES, "utf-8")
    paths = [tmp_path / f"{page}.yml" for page in workflows()]
    for path, text in zip(paths, workflows().values()):
        path.write_text(text, "utf-8")
    command = [program("zizmor"), "--offline", "--no-progress", "--config", tmp_path / "zizmor.yml", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (len(paths), done.returncode) == (6, 0), done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    done = subprocess.run(
        [program("zizmor"), "--offline", "--no-progress", "--persona", "auditor", str(ACTION), *map(str, WORKFLOWS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "action.yml" in done.stderr


def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(
        [program("actionlint"), "-no-color", *map(str, WORKFLOWS)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    checker = program("shellcheck")
    scripts = []
    for text in (*(path.read_text("utf-8") for path in (ACTION, *WORKFLOWS)), *workflows().values()):
        data = yaml.safe_load(text)
        jobs = [data["runs"]] if "runs" in data else data["jobs"].values()
        scripts += [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert len(scripts) >= 5
    for number, script in enumerate(scripts):
        (tmp_path / f"{number}.sh").write_text(f"#!/bin/bash\n{script}", "utf-8")
    done = subprocess.run([checker, *map(str, tmp_path.glob("*.sh"))], capture_output=True, text=True, check=False)
    assert done.stdout == ""


CI_EXAMPLES = ROOT / ".ci" / "examples.py"


def ci_examples(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CI_EXAMPLES, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.quick
def test_digests_of_the_systems_are_compared(tmp_path: Path) -> None:
    lists = {
        "linux": "1  a.whl\n2  b.tar.gz\n",
        "macos": "2  b.tar.gz\n1  a.whl\n",
        "other": "1  a.whl\n3  b.tar.gz\n",
        "less": "1  a.whl\n",
        "none": "",
    }
    paths = {name: tmp_path / name for name in lists}
    for name, text in lists.items():
        paths[name].write_text(text, "utf-8")
    for names, status in (
        (("linux", "macos"), 0),
        (("linux", "other"), 1),
        (("linux", "less"), 1),
        (("less", "linux"), 1),
        (("none", "none"), 1),
    ):
        done = ci_examples("equal", *(paths[name] for name in names))
        assert done.returncode == status, (names, done.stdout, done.stderr)


@pytest.mark.quick
def test_every_system_of_the_matrix_builds_the_examples() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    assert jobs["examples"]["strategy"]["matrix"]["os"] == jobs["test"]["strategy"]["matrix"]["os"]
    assert "examples" in jobs["equal"]["needs"]
    run = [
        step["run"]
        for job in ("examples", "equal")
        for step in jobs[job]["steps"]
        if "examples.py" in step.get("run", "")
    ]
    assert [each.split(".ci/examples.py ")[1].split()[0] for each in run] == ["build", "equal"]
    named = subprocess.run(
        [sys.executable, "-c", "import examples; print(*examples.PURE, *examples.COMPILED)"],
        cwd=CI_EXAMPLES.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    # Cargo may not be on a runner; setuptools alone is there twice.
    assert {*named, "maturin", "setuptools-set-requires"} == {one.directory for one in WRAPPED}


@pytest.mark.network
def test_an_example_built_as_ci_does(tmp_path: Path, workshop: Workshop) -> None:
    done = subprocess.run(
        [workshop.python, CI_EXAMPLES, "build", workshop.wheelhouse, tmp_path / "digests", "flit"],
        env=kept_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len((tmp_path / "digests").read_text("utf-8").splitlines()) == 2
