"""Holds JSON documents against the schemas that come with samebytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import samebytes_tools

import samebytes


def schema(name: str) -> Any:
    """Return the schema *name* as it is installed."""
    roots = [Path(place) for package in (samebytes, samebytes_tools) for place in package.__path__]
    (found,) = (path for root in roots for path in root.rglob(f"{name}.schema.json"))
    return json.loads(found.read_text(encoding="utf-8"))


def assert_valid(document: Any, name: str) -> None:
    """Fail unless *document* is what the schema *name* describes; without jsonschema, on a few of its keywords only."""
    try:
        import jsonschema
    except ModuleNotFoundError:
        assert set(document) >= set(schema(name)["required"])
        return
    jsonschema.Draft202012Validator(schema(name)).validate(document)
