"""Commands run in a container each, by podman or docker: ``image inspect``, ``pull``, ``run`` and ``rm`` of them.

Only what both engines' command lines have in common is used (podman-run(1), "docker container run"). A container is
removed by its name when its command does not end by itself, whatever ends this process.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable

from samebytes.errors import SamebytesError, UsageError

from . import processes
from .builder import BuildError
from .interpreters import QUESTION, Python, answered
from .processes import CommandRunner, TooLate

ENGINES = ("podman", "docker")
"""Those that are looked for, in this order."""

SOURCE = "/project"
"""Where a source tree lies in a container: as cibuildwheel has it, for compilers write it into debug information."""

_START = 5
"""How much longer a first container may take: some engines copy the image for it."""

_ENGINE_FAILED, _NOT_EXECUTABLE, _NOT_FOUND, _KILLED = 125, 126, 127, 137
"""Exit statuses of ``run`` that are not the command's: of the engine (podman-run(1), "Exit Status"), and SIGKILL's."""

_CLIENTS = ("HOME", "PATH", "TMPDIR")
"""Variables that the engine's own program needs as they are here."""

_CERTIFICATES = ("PIP_CERT", "PIP_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name files of this machine, which the container gets too."""

_OF_THE_MACHINE = frozenset({"CARGO_HOME", "PATH", "PIP_CACHE_DIR", "RUSTUP_HOME", "SSL_CERT_DIR"})
"""Variables that name directories of this machine, which mean nothing there."""

# What cannot be seen from outside: the interpreter, by what it answers; PATH as the image sets it, for compilers.
_PROBE = f"""\
import hashlib, json, os, sys
exec({QUESTION!r})
real = os.path.realpath(sys.executable)
with open(real, "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
print(json.dumps({{"real": real, "sha256": digest, "path": os.environ.get("PATH", "")}}))
open(sys.argv[1], "w").close()
"""


@dataclass(frozen=True)
class Engine:
    """A container engine's program."""

    program: str
    """Its path."""
    environ: Mapping[str, str]
    """All variables of this process: engines have some of their own (DOCKER_HOST, XDG_RUNTIME_DIR)."""
    stop: threading.Event | None = None
    seconds: float | None = None
    """For fetching an image."""
    patience: float = 60.0
    """Seconds in which it answers what it need neither fetch nor run."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return Path(self.program).name

    def command(self, *words: str) -> list[str]:
        """Return the command that runs it."""
        return [self.program, *words]

    def asked(self, words: Sequence[str], log: Path, seconds: float | None) -> tuple[int, str]:
        """Run it, and return its exit status and all that it printed, which goes to the new file *log*.

        :raises UsageError: if it cannot be run, or does not answer in time.
        """
        log.unlink(missing_ok=True)
        runner = CommandRunner(log, stop=self.stop, seconds=seconds)
        shown = " ".join([self.name, *words[: 2 if words[0] == "image" else 1]])
        try:
            status = runner.run(self.command(*words), cwd=None, environ=self.environ)
        except TooLate:
            raise UsageError(
                f"'{shown}' took longer than {seconds:g} seconds and was ended",
                remedy=f"Does {self.name} work? Try '{self.name} info'. Another engine can be named by --engine.",
            ) from None
        except OSError as error:
            raise UsageError(
                f"{self.program} cannot be run: {error.strerror}", remedy="Name another engine with --engine."
            ) from None
        return status, log.read_text("utf-8", "replace")


def find_engine(
    asked: str, environ: Mapping[str, str], stop: threading.Event | None = None, seconds: float | None = None
) -> Engine:
    """Return the engine *asked* for, by name or path; else the first of ``ENGINES`` that is on PATH.

    :raises UsageError: if there is none.
    """
    for name in [asked] if asked else ENGINES:
        program = shutil.which(name, path=environ.get("PATH", ""))
        if program:
            return Engine(str(Path(program).absolute()), environ, stop, seconds)
    if asked:
        raise UsageError(f"there is no program {asked}", remedy="Name podman, docker, or the path of one.")
    raise UsageError(
        "there is no container engine: neither podman nor docker is on PATH",
        remedy="Install podman, name another engine with --engine, or leave --image away.",
    )


@dataclass(frozen=True)
class ContainerImage:
    """An image that is here."""

    name: str
    """As it was asked for."""
    id: str
    """By which it is run: a name may mean another image a moment later."""
    digest: str = ""
    """``NAME@sha256:...`` as registries know it; empty for one that none has."""

    @property
    def shown(self) -> str:
        """Name and the beginning of the digest, as engines list images."""
        return f"{self.name} ({(self.digest or self.id).rpartition(':')[2][:12]})"


def image_named(name: str, engine: Engine, scratch: Path, report: Callable[[str], None]) -> ContainerImage:
    """Return the image *name*, which is fetched if it is not here.

    :param scratch: a private directory.
    :raises UsageError: if it cannot be had.
    """
    if not name or name.startswith("-") or not name.isprintable() or " " in name:
        raise UsageError(f"{name!r} is not the name of an image", remedy="Write --image=NAME, or --image alone.")
    log = scratch / "engine.log"
    status, said = engine.asked(["image", "inspect", name], log, engine.patience)
    if status:
        report(f"Fetching {name}")
        status, said = engine.asked(["pull", name], log, engine.seconds)
        if status:
            raise UsageError(
                f"{engine.name} cannot fetch the image {name}: {_last_line(said) or f'exit status {status}'}",
                remedy=_remedy(said, engine),
            )
        status, said = engine.asked(["image", "inspect", name], log, engine.patience)
    found = _inspected(said) if status == 0 else None
    if found is None:
        raise UsageError(
            f"'{engine.name} image inspect {name}' does not say which image that is: {_last_line(said) or 'nothing'}",
            remedy=f"Is {engine.program} podman or docker? Name another engine with --engine.",
        )
    return replace(found, name=name)


def _inspected(said: str) -> ContainerImage | None:
    try:
        # Warnings may stand before it, on standard error.
        (document,) = json.loads(said[max(said.find("\n[") + 1, 0) :])
        digests = document.get("RepoDigests") or [""]
        number = document["Id"]
        return ContainerImage("", number, str(digests[0])) if isinstance(number, str) and number else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _remedy(said: str, engine: Engine) -> str:
    """Return what to do about an image that cannot be had."""
    folded = said.lower()
    if any(text in folded for text in ("daemon", "docker api", "connection refused", "permission denied")):
        return f"Does '{engine.name} info' work? Start it, or name another engine with --engine."
    return "Is the name right, and can its registry be reached? --image=NAME names another."


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


@dataclass(frozen=True)
class BuildContainer:
    """Where the commands of one build run: in an image, with one directory of this machine."""

    engine: Engine
    image: ContainerImage
    python: Python
    """An interpreter of the image."""
    path: str
    """PATH as the image sets it."""
    private: Path
    """The directory, by the same path on both sides."""
    user: str
    """``UID:GID`` that commands run as; empty for the image's user."""
    warn: Callable[[str], None]

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return what a build there gets of *environ*: nothing that names directories of this machine."""
        return {name: value for name, value in environ.items() if name not in _OF_THE_MACHINE} | {"PATH": self.path}

    def runner(self, log: Path | None, stop: threading.Event | None, seconds: float | None) -> CommandRunner:
        """Return what runs commands there."""
        return _ContainerRunner(self, log, stop, seconds)

    def removal(self, name: str) -> list[str]:
        """Return the command that ends and removes the container called *name*."""
        return self.engine.command("rm", "--force", name)

    def command(self, name: str, words: Sequence[str], cwd: Path | None, environ: Mapping[str, str]) -> list[str]:
        """Return the engine's command that runs *words* in a container called *name*.

        :param cwd: a source tree, which is at ``SOURCE`` there.
        """
        # Our own interpreter runs pip, and is not there.
        words = [self.python.executable if word == sys.executable else word for word in words]
        mounts = dict(_mounts(words, environ, self.private))
        # The index is served on this machine's loopback interface; SELinux would forbid the mounts.
        options = ["--rm", "--name", name, "--network", "host", "--security-opt", "label=disable"]
        options += ["--user", self.user] if self.user else []
        options += [text for path, mode in mounts.items() for text in ("-v", f"{path}:{path}{mode}")]
        options += ["-v", f"{cwd}:{SOURCE}"] if cwd else []
        for variable, value in environ.items():
            # By name where that is possible: the value may be a secret, and everybody may list processes.
            options += ["-e", f"{variable}={value}" if variable in _CLIENTS else variable]
        return self.engine.command("run", *options, "-w", SOURCE if cwd else str(self.private), self.image.id, *words)


def _mounts(words: Sequence[str], environ: Mapping[str, str], private: Path) -> list[tuple[str, str]]:
    """Return what a command needs of this machine, each with the mode of its mount.

    That is the private directory, and what the command names outside of it: pip, the script of pyproject-hooks and its
    directory for answers, certificates.
    """
    found = [(str(private), "")]
    # The command itself is the image's.
    named = [*words[1:], *(environ[name] for name in _CERTIFICATES if name in environ)]
    temporary = Path(tempfile.gettempdir())
    for path in {Path(text) for text in named if text.startswith("/") and ":" not in text}:
        if private not in (path, *path.parents) and path.exists():
            # Written is only what tempfile made for it.
            found.append((str(path), "" if path.parent == temporary and path.is_dir() else ":ro"))
    return found


class _ContainerRunner(CommandRunner):
    """Runs each command in a container of its own."""

    def __init__(
        self, container: BuildContainer, log: Path | None, stop: threading.Event | None, seconds: float | None
    ) -> None:
        super().__init__(log, stop=stop, seconds=seconds)
        self._container = container

    def run(self, command: Sequence[str], *, cwd: Path | None, environ: Mapping[str, str], umask: int = -1) -> int:
        """Run *command*, which begins with the umask of containers, 022, and return its exit status.

        :raises BuildError: if the engine fails, the command is not there, or the container is killed.
        """
        del umask
        container = self._container
        name = f"samebytes-{os.getpid()}-{secrets.token_hex(6)}"
        # An engine's program that is ended may leave its container running; docker's daemon always does.
        removal = container.removal(name)
        own = container.engine.environ
        client = {**own, **{key: value for key, value in environ.items() if key not in _CLIENTS}}
        processes.at_death(name, removal)
        status = -1
        try:
            status = super().run(container.command(name, command, cwd, environ), cwd=None, environ=client)
        finally:
            if status < 0 or status in (_ENGINE_FAILED, _KILLED):
                self._remove(removal, name)
            processes.at_death(name, None)
        self._check_status(status, command)
        return status

    def _remove(self, removal: Sequence[str], name: str) -> None:
        # Not the runner that was stopped, which would run nothing more.
        runner = CommandRunner(self._container.private / f"{name}.log", seconds=self._container.engine.patience)
        try:
            status = runner.run(removal, cwd=None, environ=self._container.engine.environ)
        except (TooLate, OSError):
            status = -1
        if status and "no such container" not in self._said(runner.log).lower():
            engine = self._container.engine.name
            self._container.warn(f"the container {name} may still run; remove it: {engine} rm --force {name}")

    def _check_status(self, status: int, command: Sequence[str]) -> None:
        engine, image = self._container.engine.name, self._container.image.name
        if status < 0 or status == _KILLED:
            what = f"the container of {image} was killed" if status == _KILLED else f"{engine} was killed"
            raise BuildError(
                f"{what}: {command[0]} did not end by itself",
                remedy="By the kernel for want of memory, or by somebody? The system's log says so.",
                log=self.log,
            )
        if status == _ENGINE_FAILED:
            raise BuildError(
                f"{engine} cannot run a container of {image}: {_last_line(self._said(self.log)) or 'exit status 125'}",
                remedy=f"Does '{engine} run --rm {image} true' work?",
                log=self.log,
            )
        if status in (_NOT_EXECUTABLE, _NOT_FOUND):
            raise CommandMissing(
                f"{command[0]} cannot be run in {image}: {_last_line(self._said(self.log)) or f'exit status {status}'}",
                remedy="Name another image with --image=NAME.",
                log=self.log,
            )

    @staticmethod
    def _said(log: Path | None) -> str:
        return log.read_bytes()[-(1 << 14) :].decode("utf-8", "replace") if log is not None and log.is_file() else ""


class CommandMissing(BuildError):
    """A command is not in an image, or is not for this machine."""


def entered(
    engine: Engine, image: ContainerImage, python: str, private: Path, warn: Callable[[str], None] = lambda _: None
) -> BuildContainer:
    """Return where commands run in *image*, with its interpreter *python*, which is asked about itself.

    :param python: its path there.
    :param private: a directory that is the same there.
    :raises UsageError: if that interpreter is not there, or this machine's paths cannot be those of a container.
    :raises BuildError: if no container can be run.
    """
    if sys.platform == "win32":
        raise UsageError("builds in an image need a POSIX system", remedy="Run samebytes in WSL.")
    if ":" in str(private):
        raise UsageError(f"{private} cannot be mounted: it has a colon", remedy="Set TMPDIR to another directory.")
    unknown = Python(python, "", "", (0, 0), "", "", "")
    container = BuildContainer(engine, image, unknown, "", private, "", warn)
    log, mark = private / "image.log", private / "image-was-here"
    # What a runner prints is appended, and the answer is looked for in all of it.
    log.unlink(missing_ok=True)
    seconds = _START * engine.patience
    runner = container.runner(log, engine.stop, seconds)
    # The directory is its own at first: whose a new file in it is says whether the engine maps users.
    given = {"LC_ALL": "C", "HOME": str(private)}
    try:
        status = runner.run([python, "-I", "-c", _PROBE, str(mark)], cwd=None, environ=given)
    except CommandMissing:
        raise _no_python(container, python) from None
    except TooLate:
        raise UsageError(
            f"a container of {image.name} did not answer within {seconds:g} seconds",
            remedy=f"Does '{engine.name} run --rm {image.name} true' work?",
        ) from None
    answer = _answer(log.read_text("utf-8", "replace")) if status == 0 else None
    if answer is None or not mark.is_file():
        raise UsageError(
            f"{python} in {image.name} does not answer as a Python does: "
            f"{_last_line(log.read_text('utf-8', 'replace')) or f'exit status {status}'}",
            remedy="Name another image with --image=NAME.",
        )
    found, path = answer
    # With a daemon of root's, files would be root's; where users are mapped, root there is who runs this.
    user = "" if mark.stat().st_uid == os.getuid() else f"{os.getuid()}:{os.getgid()}"
    mark.unlink()
    return replace(container, python=replace(found, executable=python), path=path, user=user)


def _answer(said: str) -> tuple[Python, str] | None:
    """Return the interpreter that answered, and PATH."""
    lines = [line for line in said.splitlines() if line.startswith("{")]
    try:
        python, more = answered(lines[-2]), json.loads(lines[-1])
        return replace(python, digest=_text(more["sha256"])), _text(more["path"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _no_python(container: BuildContainer, python: str) -> SamebytesError:
    """Return the error for an image without that Python, which names those that it has."""
    log = container.private / "listed.log"
    log.unlink(missing_ok=True)
    runner = container.runner(log, container.engine.stop, container.engine.patience)
    try:
        # By a shell: what a command names by its path is mounted.
        status = runner.run(["sh", "-c", "ls /opt/python"], cwd=None, environ={"LC_ALL": "C"})
    except (BuildError, TooLate):
        status = 1
    names = log.read_text("utf-8", "replace").split() if status == 0 and log.is_file() else []
    listed = ", ".join(name for name in names if "-" in name and name.isprintable())[:500]
    return UsageError(
        f"the image {container.image.name} has no {python}",
        remedy=f"It has {listed}." if listed else "Name an image of the time of the release: --image=NAME:TAG.",
    )
