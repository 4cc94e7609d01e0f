"""Every error says what to do next: this looks at each place in the code where one is made."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import samebytes_tools
from support.error_classes import CLASSES

import samebytes

ROOTS = [Path(package.__file__).parent for package in (samebytes, samebytes_tools)]
NAMES = set(CLASSES) - {"SamebytesError"}
WITHOUT = {"git.py": "its callers know what git was asked for, and add the remedy"}


def without_remedy(path: Path) -> list[str]:
    """Return where in the module *path* an error is made without a remedy, or with an empty one."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        remedies = [keyword.value for keyword in node.keywords if keyword.arg in ("remedy", None)]
        empty = all(isinstance(value, ast.Constant) and not value.value for value in remedies)
        if name in NAMES and empty:
            found.append(f"{path}:{node.lineno}")
    return found


@pytest.mark.parametrize("path", [path for root in ROOTS for path in sorted(root.rglob("*.py"))], ids=str)
def test_every_error_has_a_remedy(path: Path) -> None:
    assert path.name in WITHOUT or without_remedy(path) == []


def test_a_missing_remedy_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    for line, count in (
        ("UsageError('x')", 1),
        ("errors.UsageError('x', remedy='')", 1),
        ("UsageError('x', remedy=y)", 0),
    ):
        module.write_text(line, "utf-8")
        assert len(without_remedy(module)) == count


def of_missing_extras(path: Path) -> list[tuple[str, str]]:
    """Return message and remedy of each error in the module *path* about an extra that is not installed."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MissingExtraError":
            message, remedy = node.args[0], next(one.value for one in node.keywords if one.arg == "remedy")
            found.append((ast.literal_eval(_constant(message)), ast.literal_eval(_constant(remedy))))
    return [pair for pair in found if "pip install" in pair[1] and "apt" not in pair[1]]


def _constant(node: ast.expr) -> ast.expr:
    """Return the text of *node*, with braces for what it is filled with."""
    if not isinstance(node, ast.JoinedStr):
        return node
    return ast.Constant("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values))


def test_a_missing_extra_is_reported_in_one_wording() -> None:
    found = [pair for root in ROOTS for path in root.rglob("*.py") for pair in of_missing_extras(path)]
    assert len(found) >= 3
    for message, remedy in found:
        assert re.fullmatch(r".+ needs? [\w-]+, which is not installed", message)
        assert re.fullmatch(r"Run: pip install 'samebytes\[\w+\]'", remedy)
