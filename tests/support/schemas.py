"""Holds JSON documents against the schemas that come with samebytes."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema(name: str) -> Any:
    """Return the schema *name* as it is installed."""
    text = resources.files("samebytes.report").joinpath(f"schemas/{name}.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def assert_valid(document: Any, name: str) -> None:
    """Fail unless *document* is what the schema *name* describes; without jsonschema, on a few of its keywords only."""
    try:
        import jsonschema
    except ModuleNotFoundError:
        assert set(document) >= set(schema(name)["required"])
        return
    jsonschema.Draft202012Validator(schema(name)).validate(document)
