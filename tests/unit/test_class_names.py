"""A public class name means one thing: two rooms do not give it to two classes."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import samebytes_tools

import samebytes


def test_no_public_class_name_has_two_meanings() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for package in (samebytes, samebytes_tools):
        for path in sorted(Path(package.__file__).parent.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(f"{path}:{node.lineno}")
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
