"""Commands in containers: which engine and image, what a container is given, and what becomes of one that fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from samebytes_tools.building.builder import BuildError
from samebytes_tools.building.containers import (
    BuildContainer,
    ContainerImage,
    Engine,
    entered,
    find_engine,
    image_named,
)
from samebytes_tools.building.interpreters import Python
from samebytes_tools.building.processes import TooLate
from support import fake_engine
from support.processes import import_path

from samebytes.errors import Interrupted, UsageError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs that begin with #! need POSIX")

TAG = "cp311-cp311"
PYTHON = Python(f"/opt/python/{TAG}/bin/python", "CPython", "3.11.7", (3, 11), "linux-x86_64", "glibc-2.17", "1.3")
IMAGES = {fake_engine.IMAGE: {TAG: sys.base_prefix}}
DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


def engine(program: Path, **more: object) -> Engine:
    return replace(Engine(str(program), dict(os.environ)), **more)  # type: ignore[arg-type]


def container(program: Path, private: Path, warned: list[str] | None = None) -> BuildContainer:
    private.mkdir(exist_ok=True)
    warn = (lambda _: None) if warned is None else warned.append
    image = ContainerImage(fake_engine.IMAGE, fake_engine.ID)
    return BuildContainer(engine(program), image, PYTHON, fake_engine.PATH, private, "", warn)


def test_podman_comes_before_docker(tmp_path: Path) -> None:
    def found(name: str = "") -> str:
        return find_engine(name, {"PATH": str(tmp_path)}).name

    fake_engine.make(tmp_path, "docker")
    assert found() == "docker"
    fake_engine.make(tmp_path, "podman")
    assert found() == "podman"
    assert found("docker") == found(str(tmp_path / "docker")) == "docker"


@pytest.mark.parametrize(
    ("asked", "message"), [("", "neither podman nor docker"), ("nerdctl", "no program nerdctl"), ("/x", "program /x")]
)
def test_there_is_no_engine(asked: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        find_engine(asked, {"PATH": str(tmp_path)})
    assert caught.value.remedy


def test_an_image_that_is_here_is_not_fetched(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES)
    image = image_named(fake_engine.IMAGE, engine(program), tmp_path, pytest.fail)
    assert (image.name, image.id) == (fake_engine.IMAGE, fake_engine.ID)
    assert image.digest == f"{fake_engine.IMAGE}@{fake_engine.ID}"
    assert image.shown == f"{fake_engine.IMAGE} (5a5a5a5a5a5a)"
    assert [call[0] for call in fake_engine.calls(program)] == ["image"]


@pytest.mark.parametrize("name", ["", "-v", "--rm", "a b", "a\nb", "a\0b"])
def test_names_that_are_none_reach_no_engine(name: str, tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES)
    with pytest.raises(UsageError, match="is not the name of an image"):
        image_named(name, engine(program), tmp_path, lambda _: None)
    assert fake_engine.calls(program) == []


@pytest.mark.parametrize(
    ("how", "message", "remedy"),
    [
        ({}, "cannot fetch the image images.example/.*: Error: .*manifest unknown", "Is the name right"),
        ({"fails": ["image", "pull"], "says": DAEMON}, "Cannot connect to the Docker daemon", "'podman info' work"),
        (
            {"fails": ["image", "pull"], "says": "permission denied while trying to connect to the docker API"},
            "permission denied",
            "'podman info' work",
        ),
        ({"fails": ["image", "pull"], "says": ""}, "exit status 1", "Is the name right"),
        ({"fails": ["image", "pull"], "says": "unknown", "status": 0}, "does not say which image", "podman or docker?"),
        ({"fails": ["image"], "says": "[1, 2]", "status": 0}, "does not say which image", ""),
        ({"fails": ["image"], "says": '[{"Id": 3}]', "status": 0}, "does not say which image", ""),
        ({"fails": ["image"], "says": "[" * 5000, "status": 0}, "does not say which image", ""),
    ],
)
def test_an_image_that_cannot_be_had(how: dict[str, object], message: str, remedy: str, tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, **how)
    with pytest.raises(UsageError, match=message) as caught:
        image_named(fake_engine.IMAGE, engine(program), tmp_path, lambda _: None)
    assert remedy in caught.value.remedy
    assert caught.value.remedy


def test_an_engine_that_hangs_is_ended(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, hangs="inspect")
    with pytest.raises(UsageError, match=r"'podman image inspect' took longer than 0\.5 seconds"):
        image_named(fake_engine.IMAGE, engine(program, patience=0.5), tmp_path, lambda _: None)


def test_an_engine_that_cannot_be_run(tmp_path: Path) -> None:
    program = tmp_path / "podman"
    program.write_text("#!/no/such/interpreter\n", "utf-8")
    program.chmod(0o755)
    with pytest.raises(UsageError, match="cannot be run: No such file"):
        image_named(fake_engine.IMAGE, engine(program), tmp_path, lambda _: None)


def test_what_a_container_is_given(tmp_path: Path) -> None:
    private, outside = tmp_path / "private", tmp_path / "outside"
    outside.mkdir()
    here = container(tmp_path / "podman", private)
    certificate = outside / "ca.pem"
    certificate.write_text("", "utf-8")
    answers = Path(tempfile.mkdtemp())
    try:
        words = [sys.executable, str(outside), "--python", str(private / "env"), str(answers), "/no/such", "-r"]
        environ = {"PIP_INDEX_URL": "https://user:secret@host/", "PATH": "/x", "PIP_CERT": str(certificate)}
        command = here.command("it", words, private / "tree", environ)
    finally:
        answers.rmdir()
    mounts = {command[number + 1] for number, word in enumerate(command) if word == "-v"}
    assert mounts == {
        f"{private}:{private}",
        f"{private / 'tree'}:/project",
        f"{outside}:{outside}:ro",
        f"{certificate}:{certificate}:ro",
        f"{answers}:{answers}",
    }
    # Everybody may list command lines.
    assert not any("secret" in word for word in command)
    assert "PIP_INDEX_URL" in command
    assert "PATH=/x" in command
    place = command.index("-w")
    assert command[place : place + 3] == ["-w", "/project", fake_engine.ID]
    assert command[place + 3 :] == [PYTHON.executable, *words[1:]]


def test_directories_of_this_machine_mean_nothing_there(tmp_path: Path) -> None:
    variables = {"PATH": "/home/ada/bin", "PIP_CACHE_DIR": "/c", "CARGO_HOME": "/d", "CFLAGS": "-O1"}
    assert container(tmp_path / "podman", tmp_path).variables(variables) == {"PATH": fake_engine.PATH, "CFLAGS": "-O1"}


@pytest.mark.parametrize(
    ("status", "says", "message"),
    [
        (125, "Error: crun: cgroups are off", "podman cannot run a container of .*: Error: crun: cgroups are off"),
        (126, "exec format error", "/bin/tool cannot be run in images.example/.*: exec format error"),
        (127, "/bin/tool: not found", "/bin/tool cannot be run in images.example/.*: /bin/tool: not found"),
        (137, "", "the container of images.example/.* was killed"),
    ],
)
def test_a_container_that_fails(status: int, says: str, message: str, tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, run="/bin/tool", says=says, status=status)
    runner = container(program, tmp_path / "private").runner(tmp_path / "log", None, None)
    with pytest.raises(BuildError, match=message) as caught:
        runner.run(["/bin/tool", "x"], cwd=None, environ={})
    assert caught.value.remedy
    assert (removed(program) == started(program)) == (status in (125, 137))


def test_the_status_of_a_command_is_its_own(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, run="/bin/tool", says="no", status=3)
    runner = container(program, tmp_path / "private").runner(tmp_path / "log", None, None)
    assert runner.run(["/bin/tool"], cwd=None, environ={}) == 3
    assert removed(program) == []


def started(program: Path) -> list[str]:
    return [call[call.index("--name") + 1] for call in fake_engine.calls(program) if call[0] == "run"]


def removed(program: Path) -> list[str]:
    return [call[2] for call in fake_engine.calls(program) if call[:2] == ["rm", "--force"]]


def until(program: Path, number: int) -> None:
    """Wait until that many calls were made."""
    deadline = time.monotonic() + 120
    while len(fake_engine.calls(program)) < number:
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)


def test_a_container_is_removed_by_name_when_its_command_takes_too_long(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, hangs="run")
    runner = container(program, tmp_path / "private").runner(None, None, 0.5)
    with pytest.raises(TooLate):
        runner.run(["/bin/tool"], cwd=None, environ={})
    # Whether the engine came to starting it, nobody knows.
    assert len(removed(program)) == 1
    assert set(started(program)) <= set(removed(program))


def test_a_container_is_removed_by_name_when_the_work_is_stopped(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, hangs="run")
    stop = threading.Event()
    runner = container(program, tmp_path / "private").runner(None, stop, None)
    waiting = threading.Thread(target=lambda: (until(program, 1), stop.set()))
    waiting.start()
    with pytest.raises(Interrupted):
        runner.run(["/bin/tool"], cwd=None, environ={})
    waiting.join()
    assert removed(program) == started(program) != []


def test_what_may_still_run_is_warned_of(tmp_path: Path) -> None:
    fails = {"fails": ["rm"], "says": "Error: the daemon is away"}
    program = fake_engine.make(tmp_path, images=IMAGES, run="/bin/tool", status=137, **fails)
    warned: list[str] = []
    runner = container(program, tmp_path / "private", warned).runner(tmp_path / "log", None, None)
    with pytest.raises(BuildError, match="was killed"):
        runner.run(["/bin/tool"], cwd=None, environ={})
    (name,) = started(program)
    assert warned == [f"the container {name} may still run; remove it: podman rm --force {name}"]


KILLED = """\
import os, sys
from pathlib import Path
from samebytes_tools.building.containers import BuildContainer, Engine, ContainerImage
from samebytes_tools.building.interpreters import Python
python = Python("/x", "", "", (3, 11), "", "", "")
engine = Engine(sys.argv[1], dict(os.environ))
container = BuildContainer(engine, ContainerImage("a", "b"), python, "", Path(sys.argv[2]), "", print)
container.runner(None, None, None).run(["/x"], cwd=None, environ={})
"""


def test_a_container_is_removed_even_if_this_process_is_killed(tmp_path: Path) -> None:
    program = fake_engine.make(tmp_path, images=IMAGES, hangs="run")
    command = [sys.executable, "-c", KILLED, str(program), str(tmp_path)]
    with subprocess.Popen(command, env={**os.environ, **import_path()}) as process:
        until(program, 1)
        process.send_signal(signal.SIGKILL)
    until(program, 2)
    assert removed(program) == started(program) != []


def test_an_image_without_the_python_names_those_that_it_has(tmp_path: Path) -> None:
    # What listing them prints is the same engine's answer.
    program = fake_engine.make(tmp_path, images=IMAGES, run="/opt/python", says="cp39-cp39 cp312-cp312", status=0)
    wanted = "/opt/python/cp38-cp38/bin/python"
    program_for = engine(program)
    with pytest.raises(UsageError, match="does not answer as a Python does"):
        entered(program_for, ContainerImage(fake_engine.IMAGE, fake_engine.ID), wanted, tmp_path)
    program = fake_engine.make(tmp_path, images=IMAGES, run="ls /opt/python", says="cp39-cp39 cp312-cp312", status=0)
    with pytest.raises(UsageError, match="has no /opt/python/cp38-cp38/bin/python") as caught:
        entered(program_for, ContainerImage(fake_engine.IMAGE, fake_engine.ID), wanted, tmp_path)
    assert caught.value.remedy == "It has cp39-cp39, cp312-cp312."


def test_a_directory_that_no_mount_can_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has a colon"):
        entered(engine(tmp_path / "podman"), ContainerImage("a", "b"), "/x", tmp_path / "a:b")
