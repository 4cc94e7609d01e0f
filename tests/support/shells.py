"""Interactive shells on a pseudo-terminal: what they make of a line when TAB is pressed."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds to wait for a shell that says nothing; only a broken one needs so many."""

SHOW_LINE = "\x14"
"""Ctrl-T: the key that lets the shell say what its line is now."""

START = {
    "bash": (["--norc", "--noprofile", "-i"], 'bind -x \'"\\C-t": echo "<<$READLINE_LINE>>"\'; source {script}'),
    "zsh": (
        ["-f", "-i"],
        "autoload -U compinit; compinit -u -D; say() {{ print -r -- \"<<$BUFFER>>\" }}; zle -N say; bindkey '^T' say; "
        'eval "$(<{script})"',
    ),
    "tcsh": (["-f", "-i"], "set edit; set prompt='> '; alias samebytes 'echo \"<<samebytes \\!*>>\"'; source {script}"),
}


def shell(name: str) -> str:
    """Return the path of a shell, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


class Terminal:
    """A shell that has read a completion script, on a pseudo-terminal."""

    def __init__(self, name: str, script: Path, directory: Path) -> None:
        options, setup = START[name]
        leader, follower = pty.openpty()
        environ = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(directory), "PS1": "> ", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            [shell(name), *options],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=directory,
            env=environ,
            start_new_session=True,
        )
        os.close(follower)
        self._leader = leader
        self._write(f"{setup.format(script=script)}; echo read''y\n")
        self._until("ready")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._leader)

    def completed(self, line: str) -> str:
        """Return what *line* has become after TAB was pressed at its end."""
        self._write(f"{line}\t{SHOW_LINE}")
        found = self._until(r"<<(.*?)>>")
        self._write("\x15")  # Ctrl-U: an empty line again
        return found[1]

    def entered(self, line: str) -> str:
        """Return what *line* has become after TAB and RETURN, in a shell where samebytes prints how it was called."""
        self._write(f"{line}\t\n")
        return self._until(r"<<(.*?)>>")[1].rstrip()

    def _write(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def _until(self, pattern: str) -> re.Match[str]:
        said = ""
        while True:
            ready, _, _ = select.select([self._leader], [], [], PATIENCE)
            assert ready, f"the shell is silent after {said!r}"
            said += os.read(self._leader, 1 << 16).decode(errors="replace")
            found = re.search(pattern, said)
            if found:
                return found


def fish_proposals(script: Path, line: str, directory: Path, environ: Mapping[str, str]) -> list[str]:
    """Return what fish proposes at the end of *line*, without the explanations."""
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"', str(script), line],
        cwd=directory,
        env={**environ, "HOME": str(directory)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [row.partition("\t")[0] for row in done.stdout.splitlines()]
