"""A container engine for tests: a program with podman's and docker's common command line, run by its path.

Its images are directories of interpreters that bubblewrap shows as ``/opt/python`` in a root like this machine's, which
nobody can write to, and without the temporary files that are here but for what ``-v`` mounts.
``make`` writes such a program. How it misbehaves stands in a file beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

BWRAP = shutil.which("bwrap")
IMAGE = "images.example/manylinux2014_x86_64"
ID = "sha256:" + "5a" * 32
PATH = "/opt/compilers/bin:/usr/local/bin:/usr/bin:/bin"
"""As the image has it."""


def make(
    directory: Path, name: str = "podman", *, images: dict[str, dict[str, str]] | None = None, **how: object
) -> Path:
    """Write an engine called *name* into *directory* and return its path.

    :param images: by their names the interpreters that they have, as ``/opt/python/NAME`` and where each is here.
    :param how: what it does otherwise: ``hangs`` and ``fails`` name subcommands, ``run`` a text in the command that
        fails, ``says`` and ``status`` what it prints and exits with; ``root`` is the root of another system.
    """
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    # Not env: PATH may be the image's.
    program.write_text(f"#!{sys.executable} -I\nexec(open({__file__!r}).read())\n", "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    state = {"images": {} if images is None else images, **how}
    (directory / f"{name}.json").write_text(json.dumps(state), "utf-8")
    return program


def calls(program: Path) -> list[list[str]]:
    """Return the arguments of all calls so far."""
    log = program.with_name(f"{program.name}.calls")
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.is_file() else []


def main() -> int:
    program = Path(sys.argv[0]).absolute()
    state, words = json.loads(program.with_name(f"{program.name}.json").read_text("utf-8")), sys.argv[1:]
    with program.with_name(f"{program.name}.calls").open("a", encoding="utf-8") as file:
        file.write(json.dumps(words) + "\n")
    if state.get("hangs") in words[:2]:
        time.sleep(600)
    if words[0] in state.get("fails", ()):
        print(state["says"], file=sys.stderr)
        return int(state.get("status", 1))
    if words[:2] == ["image", "inspect"]:
        return _inspect(words[2], state["images"])
    if words[0] == "pull":
        print(f"Error: {words[1]}: manifest unknown", file=sys.stderr)
        return 125
    if words[0] == "rm":
        return 0
    return _run(words[1:], next(iter(state["images"].values())), state)


def _inspect(name: str, images: dict[str, object]) -> int:
    if name not in images:
        print("[]")
        print(f"Error: no such image: {name}", file=sys.stderr)
        return 1
    print("WARNING: a warning, as engines have them", file=sys.stderr)
    print(json.dumps([{"Id": ID, "RepoDigests": [f"{name}@{ID}"]}], indent=1))
    return 0


def _run(words: Sequence[str], pythons: dict[str, str], state: dict[str, object]) -> int:
    """Do what ``run`` does, with the options that are used."""
    rest, environ, mounts, cwd = list(words), {"PATH": PATH, "AUDITWHEEL_PLAT": "manylinux2014_x86_64"}, [], "/"
    while rest[0].startswith("-"):
        option = rest.pop(0)
        value = "" if option == "--rm" else rest.pop(0)
        if option == "-e":
            name, mark, given = value.partition("=")
            if mark or name in os.environ:
                environ[name] = given if mark else os.environ[name]
        elif option == "-v":
            mounts.append(value.split(":"))
        elif option == "-w":
            cwd = value
        elif option not in ("--rm", "--name", "--network", "--security-opt", "--user"):
            print(f"unknown flag: {option}", file=sys.stderr)
            return 125
    if rest.pop(0) != ID:
        print("Error: no such image", file=sys.stderr)
        return 125
    if "run" in state and str(state["run"]) in " ".join(rest):
        print(state["says"], file=sys.stderr)
        return int(str(state["status"]))
    if rest[0].startswith("/opt/python/") and rest[0].split("/")[3] not in pythons:
        print(f"exec: {rest[0]}: not found", file=sys.stderr)
        return 127
    root = state.get("root")
    options = _other_root(Path(str(root))) if root else _own_root(pythons)
    for source, target, *mode in mounts:
        options += ["--ro-bind" if mode == ["ro"] else "--bind", source, target]
    command = [str(BWRAP), "--die-with-parent", *options, "--chdir", cwd, *rest]
    return subprocess.run(command, env=environ, check=False).returncode


def _root_of(directory: Path, without: Sequence[str]) -> list[str]:
    """Return bubblewrap's options for a root with what *directory* has, where mounts can be anywhere."""
    options = []
    for path in sorted(directory.iterdir()):
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), f"/{path.name}"]
        elif path.name not in ("dev", "proc", "tmp", *without):
            options += ["--ro-bind", str(path), f"/{path.name}"]
    return [*options, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]


def _own_root(pythons: dict[str, str]) -> list[str]:
    """Return bubblewrap's options for a root like this one, with *pythons*."""
    options = _root_of(Path("/"), ["opt"])
    for tag, prefix in pythons.items():
        options += ["--ro-bind", prefix, f"/opt/python/{tag}"]
    return options


def _other_root(root: Path) -> list[str]:
    """Return bubblewrap's options for the *root* of another system, which has its interpreters itself."""
    return [*_root_of(root, []), "--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"]


if __name__ == "__main__":
    sys.exit(main())
