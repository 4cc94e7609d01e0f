"""Which room may import which: the table in CONTRIBUTING.md, held against the code of both distributions."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import samebytes_tools

import samebytes

ROOTS = {"samebytes": Path(samebytes.__file__).parent, "samebytes_tools": Path(samebytes_tools.__file__).parent}

CORE = {"errors", "epoch", "cores", "deflate", "archive", "artifact", "passes", "backend", "console"}

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "cores": set(),
    "epoch": {"errors"},
    "deflate": {"errors"},
    "archive": {"deflate", "errors"},
    "artifact": {"archive", "deflate", "errors"},
    "passes": {"artifact", "archive", "deflate", "epoch", "errors"},
    "backend": {"passes", "artifact", "archive", "cores", "deflate", "epoch", "errors"},
    "console": {"errors"},
    "commands": {"console", "errors"},
    "commands.normalize": CORE,
    "commands.check": CORE,
    "commands.doctor": CORE,
    "api": CORE,
    "tools.index": {"console", "errors"},
    "tools.vcs": {"backend", "epoch", "errors"},
    "tools.variations": {"console", "errors"},
    "tools.building": CORE | {"tools.index", "tools.vcs"},
    "tools.releases": CORE | {"tools.building", "tools.index"},
    "tools.comparison": CORE - {"backend", "console"},
    "tools.reporting": CORE | {"tools.comparison"},
    "tools.pages": CORE | {"tools.comparison", "tools.reporting"},
    "tools.api": CORE,
}
"""Every room may import itself and the version. ``commands.X`` and ``tools.commands.X`` are rooms, one a command; those of
samebytes-tools may import all rooms above; pairs of commands are listed in PAIRS."""

TOOLS = {
    "tools.index",
    "tools.vcs",
    "tools.variations",
    "tools.building",
    "tools.releases",
    "tools.comparison",
    "tools.reporting",
    "tools.pages",
}
PAIRS: dict[str, set[str]] = {
    "commands.normalize": {"commands"},
    "commands.check": {"commands.normalize", "commands"},
    "commands.doctor": {"commands"},
    "api": {"commands.normalize"},
    "tools.api": {
        "api",
        "commands.normalize",
        "tools.commands.check",
        "tools.commands.compare",
        "tools.commands.reproducible_build",
        "tools.commands.verify",
    },
    "tools.commands.reproducible_build": {"commands.normalize"},
    "tools.commands.check": {"commands.normalize", "commands.check", "tools.commands.reproducible_build"},
    "tools.commands.compare": {"commands.normalize", "tools.commands.tree"},
    "tools.commands.verify": {"commands.normalize", "commands.check", "tools.commands.reproducible_build"},
    "tools.commands.install": {"commands.normalize", "tools.commands.tree"},
    "tools.commands.tree": {"commands.normalize"},
    "tools.commands.wrap": set(),
    "tools.commands.completion": {"commands"},
    "tools.commands.survey": {
        "commands.normalize",
        "tools.commands.check",
        "tools.commands.verify",
        "tools.commands.reproducible_build",
    },
}
"""Beyond the table: which command may import which."""

FUNDAMENTAL = {
    "samebytes": {"api", "commands", "tools.api"},  # loaded on demand
    "samebytes.__main__": {"commands"},
    "samebytes.commands.extensions": {"tools.api", "tools.root"},  # the one place that looks for samebytes-tools
}
"""What single modules may import beyond their room's row."""

LIGHT = {"errors", "epoch", "cores", "deflate", "archive", "artifact", "passes", "backend"}
"""Rooms that load inside every build: the standard library, pyproject-hooks, packaging, tomli, nothing else."""

ALLOWED_THERE = {"packaging", "pyproject_hooks", "tomli", "tomllib", "_typeshed"}

MODULES = {
    ".".join((package, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"): path
    for package, root in ROOTS.items()
    for path in sorted(root.rglob("*.py"))
}

STANDARD_LIBRARY: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())


def room_of(module: str) -> str:
    """Return the room of *module*: a folder or a file at the top, or a command."""
    package, *parts = module.split(".")
    prefix = "tools." if package == "samebytes_tools" else ""
    if not parts or parts[0] == "__main__":
        return f"{prefix}root"
    if parts[0] == "commands" and len(parts) > 1 and f"{package}.commands.{parts[1]}" in FOLDERS:
        return f"{prefix}commands.{parts[1]}"
    return f"{prefix}{parts[0]}"


FOLDERS = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def allowed(module: str) -> set[str]:
    room = room_of(module)
    row = {"root", "tools.root", room} | PAIRS.get(room, set()) | FUNDAMENTAL.get(module, set())
    if room.startswith("tools.commands.") or room == "tools.api":
        return row | CORE | TOOLS | {"tools.commands"}
    return row | ROOMS.get(room, set())


def imported(module: str) -> list[tuple[int, str]]:
    """Return line and full name of every import anywhere in *module*: ``samebytes.errors.UsageError``."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            found += [(node.lineno, ".".join([*base, alias.name])) for alias in node.names]
    return found


def own(name: str) -> str | None:
    """Return the module of ours that *name*, a module or something in one, is of; None for what is not ours."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_it_may(module: str) -> None:
    room = room_of(module)
    for line, name in imported(module):
        target = own(name)
        if target is not None:
            assert room_of(target) in allowed(module), f"{module}:{line}: {room} may not import {name}"
        elif room in LIGHT and STANDARD_LIBRARY:  # Python 3.9 has no list of it
            top = name.partition(".")[0]
            assert top in STANDARD_LIBRARY | ALLOWED_THERE, f"{module}:{line}: {top} in {room}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_row(module: str) -> None:
    room = room_of(module)
    known = {"root", "tools.root", "tools.commands", *ROOMS, *PAIRS}
    assert room in known, f"{module} is in no room of the table"


def test_the_table_has_no_row_too_many() -> None:
    assert {*ROOMS, *PAIRS} <= {room_of(module) for module in MODULES}


def test_modules_of_the_tools_do_not_import_one_another_in_circles() -> None:
    """Not even inside functions."""
    tools = [module for module in MODULES if module.startswith("samebytes_tools")]
    imports = {module: {own(name) for _, name in imported(module)} - {module} for module in tools}
    while leaves := [module for module, others in imports.items() if not others & imports.keys()]:
        for module in leaves:
            del imports[module]
    assert not imports, f"these import one another: {sorted(imports)}"


def test_rooms_do_not_import_one_another_in_circles() -> None:
    arrows: dict[str, set[str]] = {}
    for module in MODULES:
        for _, name in imported(module):
            target = own(name)
            if target is not None and room_of(target) != room_of(module) and not is_on_demand(module):
                arrows.setdefault(room_of(module), set()).add(room_of(target))
    while True:
        ends = {room for room, targets in arrows.items() if not targets & set(arrows)}
        if not ends:
            break
        for room in ends:
            del arrows[room]
    assert arrows == {}


def is_on_demand(module: str) -> bool:
    return module in FUNDAMENTAL


OUTSIDE = {
    "the clock": {
        *("time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "time.process_time", "time.localtime"),
        *("datetime.now", "datetime.today", "datetime.utcnow", "date.today"),
    },
    "the environment": {"os.environ", "os.getenv", "os.getlogin", "os.uname", "socket.gethostname"},
    "the current directory": {"os.getcwd", "os.getcwdb", "Path.cwd"},
}
"""What is read through an attribute, by the last two parts of its name."""

OUTSIDE_MODULES = {"subprocess": "processes", "multiprocessing": "processes", "getpass": "the environment"}
OUTSIDE_MODULES |= {"socket": "the network", "urllib.request": "the network", "http.client": "the network"}

READERS = {"epoch", "backend", "tools.building", "tools.variations", "tools.index", "tools.vcs"}
"""Rooms that may read all of that, beside the ``command.py`` and ``worker.py`` of a command, where processes begin."""

READING = {
    "samebytes.api": "it stands for a command, and says that it reads SOURCE_DATE_EPOCH",
    "samebytes.archive.limits": "a limit that is raised holds in every process: a command, a hook, a worker of either",
    "samebytes.commands.main": "it is where the command line begins",
    "samebytes.console.streams": "colours and widths depend on the terminal, which variables describe",
    "samebytes.deflate.child": "the pure-Python encoder works in processes",
    "samebytes_tools.api": "it stands for commands, and says that it reads the environment",
    "samebytes_tools.commands.survey.examine": "a result carries the time of its examination",
    "samebytes_tools.commands.survey.sandbox.confined": "it starts the processes of the sandbox, and ends them in time",
    "samebytes_tools.commands.survey.sandbox.machine": "it describes the machine",
    "samebytes_tools.commands.survey.sandbox.sandbox": "it tries whether the sandbox works here",
    "samebytes_tools.commands.survey.sandbox.supervise": "it is a program of its own",
    "samebytes_tools.commands.tree.compiler": "compiled modules come from the processes of an interpreter",
    "samebytes_tools.commands.tree.compiling": "it is a part of the commands tree and install",
}
"""Single modules that read something of that, and why. Elsewhere it is an argument."""


def read_from_outside(module: str) -> list[str]:
    """Return what *module* reads of the clock, the environment, the network, processes and the current directory."""
    found = []
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            name = ".".join(dotted(node).split(".")[-2:])
            found += [f"{node.lineno}: {what} ({name})" for what, names in OUTSIDE.items() if name in names]
    for line, name in imported(module):
        for top, what in OUTSIDE_MODULES.items():
            if name == top or name.startswith(f"{top}."):
                found.append(f"{line}: {what} ({name})")
    return found


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def may_read(module: str) -> bool:
    return room_of(module) in READERS or module.endswith((".command", ".worker")) or module in READING


@pytest.mark.parametrize("module", MODULES)
def test_clock_environment_and_directory_are_read_in_few_places(module: str) -> None:
    found = read_from_outside(module)
    assert may_read(module) or found == []


@pytest.mark.parametrize("module", READING)
def test_the_exceptions_are_needed(module: str) -> None:
    assert module in MODULES
    assert read_from_outside(module) != []


def test_importing_the_backend_imports_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import samebytes.backend; print(*sorted(set(sys.modules) - before))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(said) <= {"samebytes", "samebytes.backend", "__future__"}
