"""GitHub's runner as a script: a composite action's steps, and a workflow's jobs, one after another.

Programs are real ones. What stands in for a machine of GitHub's is a directory for each job, with a clone in it.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

yaml: Any = pytest.importorskip("yaml", reason="needs PyYAML")

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
BASH = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail"]
NOT_KEPT = ("PYTHONPATH", "SOURCE_DATE_EPOCH")


def kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in NOT_KEPT}


class Runner:
    """Does what GitHub's runner does with a composite action: expressions in ``env``, files for results, bash."""

    def __init__(self, root: Path, workspace: Path | None = None, variables: Mapping[str, str] | None = None) -> None:
        self.action: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
        self.steps = {step["id"]: step for step in self.action["runs"]["steps"] if "id" in step}
        self.workspace, self.temp, self.source = workspace or root / "work space", root / "temp dir", root / "action"
        for directory in (self.workspace, self.temp):
            directory.mkdir(exist_ok=True)
        self.summary = root / "summary.md"
        self.outputs: dict[str, dict[str, str]] = {}
        self.job = "job"
        self.variables = kept() if variables is None else dict(variables)

    def run(
        self, step: str, inputs: Mapping[str, str] | None = None, path: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the script of a step, and take what it puts out."""
        given = self._given(inputs)
        script, output = self.temp / f"{step}.sh", self.temp / f"{step}.out"
        script.write_text(self.steps[step]["run"], "utf-8")
        output.write_text("", "utf-8")
        environ = {**self.variables, "PATH": path or self.variables["PATH"]}
        environ.update({name: self._evaluated(str(text), given) for name, text in self.steps[step]["env"].items()})
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace,
            env={
                **environ,
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_ACTION_PATH": str(self.source),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        lines = output.read_text("utf-8").splitlines()
        self.outputs[step] = {name: value for name, _, value in (line.partition("=") for line in lines)}
        return done

    def report(self, inputs: Mapping[str, str] | None = None) -> tuple[str, Path] | None:
        """Return the name of the artifact that the last step uploads after ``run``, and the file; None for neither."""
        (last,) = (step for step in self.action["runs"]["steps"] if "upload-artifact" in step.get("uses", ""))
        given = self._given(inputs)
        if "html" not in self.outputs["run"] or not given["artifact"]:
            return None
        return self._evaluated(last["with"]["name"], given), Path(self._evaluated(last["with"]["path"], given))

    def _given(self, inputs: Mapping[str, str] | None) -> dict[str, str]:
        return {name: str(one["default"]) for name, one in self.action["inputs"].items()} | dict(inputs or {})

    def _evaluated(self, text: str, inputs: Mapping[str, str]) -> str:
        def value(match: re.Match[str]) -> str:
            kind, *path = match[1].split(".")
            if (kind, path) == ("github", ["job"]):
                return self.job
            return inputs[path[0]] if kind == "inputs" else self.outputs[path[0]][path[2]]

        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", value, text)


ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
ONLY_FOR = re.compile(r"startsWith\(github\.ref, '([^']+)'\)")


@dataclass
class Workflow:
    """A workflow that is run for a push of *ref*: each job in a directory, umask and time zone of its own."""

    text: str
    repository: Path
    """What is checked out, by its address as a file."""
    root: Path
    """An empty directory for the machines, and what they hand to one another."""
    variables: Mapping[str, str]
    samebytes: Path
    """The command that the action would install."""
    ref: str = "refs/heads/main"
    systems: tuple[str, ...] = ()
    """Those of a matrix that are stood in for; all, if none is named."""
    left_out: tuple[str, ...] = ()
    """Jobs that are taken for done."""
    published: list[Path] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    """What each job printed, by its name in the file and the values of its matrix."""

    def run(self) -> None:
        """Run the jobs in the order in which they need one another; an AssertionError if a step fails."""
        jobs: dict[str, Any] = yaml.safe_load(self.text)["jobs"]
        finished = set(self.left_out)
        for name, job in jobs.items():
            needed = job.get("needs", [])
            assert set(needed if isinstance(needed, list) else [needed]) <= finished, name
            if name not in finished and self.is_wanted(job):
                for values in self.matrix(job):
                    self._job(name, job, values)
                finished.add(name)

    def is_wanted(self, job: Mapping[str, Any]) -> bool:
        if "if" not in job:
            return True
        condition = ONLY_FOR.fullmatch(job["if"])
        assert condition is not None, job["if"]
        return self.ref.startswith(condition[1])

    def matrix(self, job: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        """Yield the values of each machine of a job."""
        axes: dict[str, list[str]] = job.get("strategy", {}).get("matrix", {})
        for values in itertools.product(*axes.values()):
            found = dict(zip(axes, values))
            if not self.systems or found.get("os", self.systems[0]) in self.systems:
                yield found

    def _job(self, name: str, job: Mapping[str, Any], values: Mapping[str, str]) -> None:
        number = len(self.said)
        machine = self.root / f"{'machine' * (number + 1)}"
        workspace = machine / "workspace"
        workspace.mkdir(parents=True)
        label = " ".join([name, *values.values()])
        self.said[label] = ""
        variables = {**self.variables, "TZ": ZONES[number % len(ZONES)], "GITHUB_REF": self.ref}
        runner = Runner(machine, workspace, variables)
        runner.outputs["install"] = {"samebytes": str(self.samebytes)}
        runner.job = name
        for step in yaml.safe_load(_filled_in(yaml.safe_dump(job["steps"]), values)):
            action = step.get("uses", "run").partition("@")[0]
            self.said[label] += STEPS[action](self, runner, step)

    def checkout(self, runner: Runner, step: Mapping[str, Any]) -> str:
        depth = step.get("with", {}).get("fetch-depth", 1)
        shallow = [f"--depth={depth}"] if depth else []
        command = ["git", "clone", "--quiet", *shallow, self.repository.as_uri(), str(runner.workspace)]
        subprocess.run(command, check=True, env=dict(self.variables))
        return ""

    def samebytes_action(self, runner: Runner, step: Mapping[str, Any]) -> str:
        done = runner.run("run", step.get("with"))
        assert done.returncode == 0, done.stdout + done.stderr
        report = runner.report(step.get("with"))
        if report is not None:
            artifact = self.root / "artifacts" / report[0]
            artifact.mkdir(parents=True)  # a second one of that name is an error
            shutil.copy(report[1], artifact)
        return done.stdout

    def script(self, runner: Runner, step: Mapping[str, Any]) -> str:
        done = subprocess.run(
            [*BASH, "-c", step["run"]],
            cwd=runner.workspace,
            env={**runner.variables, **{name: str(value) for name, value in step.get("env", {}).items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step['run']}\n{done.stdout}{done.stderr}"
        return done.stdout

    def upload(self, runner: Runner, step: Mapping[str, Any]) -> str:
        """Without hidden files, as the action does by default: uv puts a .gitignore into dist."""
        target = self.root / "artifacts" / step["with"]["name"]
        shutil.copytree(runner.workspace / step["with"]["path"], target, ignore=shutil.ignore_patterns(".*"))
        return ""

    def download(self, runner: Runner, step: Mapping[str, Any]) -> str:
        given = step.get("with", {})
        found = sorted((self.root / "artifacts").glob(given.get("name", given.get("pattern", "*"))))
        assert found, step
        flat = "name" in given or given.get("merge-multiple", False)
        for artifact in found:
            target = runner.workspace / given["path"] / ("" if flat else artifact.name)
            shutil.copytree(artifact, target, dirs_exist_ok=True)
        return ""

    def publish(self, runner: Runner) -> str:
        self.published += sorted((runner.workspace / "dist").iterdir())
        return ""


STEPS: dict[str, Callable[[Workflow, Runner, Mapping[str, Any]], str]] = {
    "actions/checkout": Workflow.checkout,
    "actions/download-artifact": Workflow.download,
    "actions/setup-python": lambda *_: "",  # the one that is first on PATH
    "actions/upload-artifact": Workflow.upload,
    "pypa/gh-action-pypi-publish": lambda workflow, runner, _: workflow.publish(runner),
    "run": Workflow.script,
    "samebytes/samebytes": Workflow.samebytes_action,
}
"""What is done for each action that workflows of the documentation use."""


def _filled_in(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found: values[found[1]], text)
