"""No handler may take a signal for an error and go on: this looks at each ``except`` and ``suppress`` in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import samebytes_tools

import samebytes
from samebytes.errors import Interrupted

ROOTS = [Path(package.__file__).parent for package in (samebytes, samebytes_tools)]
CATCH_SIGNALS = {"BaseException", "KeyboardInterrupt", "Interrupted", "SystemExit"}
GO_ON = {
    ("executor.py", "share"): "a thread: the error is raised where its result is awaited",
    ("pipeline.py", "work"): "a thread: the error is raised where its result is awaited",
    ("executors.py", "_examine"): "a thread: the error is handed to the main thread, which raises it",
    ("cluster.py", "_fetch"): "a thread: the error is handed to the main thread, which raises it",
    ("compile_ahead.py", "_work"): "a thread: the error is raised where its result is awaited",
    ("many.py", "_work"): "a thread: the error is handed to the main thread, which raises it",
    ("main.py", "main"): "the end of the command: the error becomes its exit status",
}


def named(expression: ast.expr | None) -> set[str]:
    """Return the names of exceptions in *expression*, that of an ``except`` clause; a bare one catches all."""
    if expression is None:
        return {"BaseException"}
    return {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(expression)}


def handlers_that_go_on(path: Path) -> Iterator[str]:
    """Yield the functions of the module *path* that catch what a signal raises, and do not raise it again."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.Module)):
            continue
        for node in own_nodes(function):
            if isinstance(node, ast.ExceptHandler):
                swallows = named(node.type) & CATCH_SIGNALS and not isinstance(node.body[-1], ast.Raise)
            else:
                swallows = (
                    isinstance(node, ast.Call)
                    and named(node.func) & {"suppress"}
                    and any(named(one) & CATCH_SIGNALS for one in node.args)
                )
            if swallows:
                yield getattr(function, "name", "")


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in *function*, without what is in functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from own_nodes(child)


@pytest.mark.parametrize("path", [path for root in ROOTS for path in sorted(root.rglob("*.py"))], ids=str)
def test_handlers_let_signals_through(path: Path) -> None:
    assert [name for name in handlers_that_go_on(path) if (path.name, name) not in GO_ON] == []


def test_those_that_go_on_are_there() -> None:
    """The control of the list: nothing in it is of the past."""
    found = {(path.name, name) for root in ROOTS for path in root.rglob("*.py") for name in handlers_that_go_on(path)}
    assert found == set(GO_ON)


def test_what_a_signal_raises_is_no_error_of_a_file() -> None:
    """So ``except SamebytesError`` and ``except Exception``, which report and go on, let it through."""
    assert not issubclass(Interrupted, Exception)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("except:\n        pass", 1),
        ("except BaseException as error:\n        print(error)", 1),
        ("except (OSError, errors.Interrupted):\n        return", 1),
        ("except BaseException:\n        print()\n        raise", 0),
        ("except Exception:\n        pass", 0),
        ("finally:\n        suppress(KeyboardInterrupt)", 1),
        ("finally:\n        contextlib.suppress(OSError)", 0),
    ],
)
def test_such_handlers_are_found(body: str, count: int, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(f"def f():\n    try:\n        g()\n    {body}\n", "utf-8")
    assert list(handlers_that_go_on(module)) == ["f"] * count
