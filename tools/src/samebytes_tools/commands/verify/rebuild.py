"""One artifact by the project's own backend, in an environment of any interpreter: the work of a process of its own.

Nothing is normalized here. What samebytes itself built is rebuilt by ``build_inside``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from samebytes.backend.config import load
from samebytes.errors import BackendError

from ...building import lock
from ...building.hooks import Hooks
from ...building.interpreters import Python, environment
from ...building.isolated import Environment, Installed, install
from ...building.lock import Locked


@dataclass(frozen=True)
class Task:
    """What to build, and where."""

    root: str
    """A directory for everything that the build makes; it holds ``tmp``."""
    source: str
    kind: str
    python: Python
    constraints: tuple[str, ...] = ()
    """Lines of a constraints file."""
    locked: tuple[Locked, ...] | None = None
    config_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rebuilt:
    """What came out."""

    path: str
    requirements: tuple[Installed, ...]


def rebuild(task: Task, tell: Callable[[str], None]) -> Rebuilt:
    """Build one artifact in this process's environment.

    :raises SamebytesError: if requirements cannot be installed or the backend fails.
    """
    root, source = Path(task.root), Path(task.source)
    tell(f"Creating an environment with Python {task.python.version}")
    there = environment(task.python, root / "env")
    config = load(source)
    worker = _Worker(task, there, tell)
    worker.provide(config.requires)
    hooks = Hooks(source, config.backend.name, config.backend.path, there)
    settings = dict(task.config_settings) or None
    worker.provide(hooks.call(f"get_requires_for_build_{task.kind}", settings))
    tell(f"Building the {task.kind} with {config.backend.name}")
    out = root / "out"
    out.mkdir()
    made = out / str(hooks.call(f"build_{task.kind}", str(out), settings))
    if not made.is_file():
        raise BackendError(
            f"the backend {config.backend.name!r} said that it built {made.name}, and did not",
            remedy="That is an error of the backend (PEP 517): report it there, or try another release of it.",
        )
    return Rebuilt(str(made), worker.installed())


class _Worker:
    """Fills the environment."""

    def __init__(self, task: Task, there: Environment, tell: Callable[[str], None]) -> None:
        self._task, self._there, self._tell = task, there, tell
        self._root = Path(task.root)
        self._asked: set[str] = set()
        self._found: dict[str, Installed] = {}

    def installed(self) -> tuple[Installed, ...]:
        return tuple(self._found[name] for name in sorted(self._found))

    def provide(self, lines: Sequence[str]) -> None:
        """Install what *lines* require, as constrained, or what is locked instead."""
        wanted = [line for line in lines if line not in self._asked]
        first = not self._asked
        self._asked.update(wanted)
        if self._task.locked is None:
            constraints = self._root / "constraints.txt"
            constraints.write_text("".join(f"{line}\n" for line in self._task.constraints), encoding="utf-8")
            self._install(wanted, ["--constraint", str(constraints)])
            return
        lock.demand(wanted, self._task.locked)
        if first and wanted:
            self._install([line for one in self._task.locked for line in one.lines], ["--require-hashes"])

    def _install(self, lines: Sequence[str], options: Sequence[str]) -> None:
        if lines:
            shown = [line.partition(" --hash")[0] for line in lines if not line.startswith("-")]
            self._tell(f"Installing {', '.join(shown)}")
            self._found.update({one.name: one for one in install(self._there, lines, self._root, options)})


def task_from_plain(data: Mapping[str, Any]) -> Task:
    """Read the ``asdict`` of a task."""
    python = Python(**{**data["python"], "minor": tuple(data["python"]["minor"])})
    locked = data["locked"]
    if locked is not None:
        locked = tuple(Locked(**{**values, "lines": tuple(values["lines"])}) for values in locked)
    return Task(**{**data, "python": python, "constraints": tuple(data["constraints"]), "locked": locked})


def rebuilt_from_plain(data: Mapping[str, Any]) -> Rebuilt:
    """Read the ``asdict`` of what was rebuilt."""
    return Rebuilt(data["path"], tuple(Installed(**values) for values in data["requirements"]))
