from __future__ import annotations

import copy

import pytest
from support.schemas import schema

from samebytes.commands.normalize.report import NORMALIZE_SCHEMA_VERSION

jsonschema = pytest.importorskip("jsonschema")

FILE = {
    "path": "a.whl",
    "output": "a.whl",
    "kind": "wheel",
    "date": {"seconds": 0, "iso": "1970-01-01T00:00:00Z", "source": "option"},
    "before": {"sha256": "0" * 64, "size": 1},
    "after": {"sha256": "1" * 64, "size": 1},
    "changed": True,
    "changes": [{"code": "Z001", "member": "", "detail": "x"}],
    "notes": [],
    "payload": {"before": "0" * 64, "after": "0" * 64, "same": True},
    "error": None,
}
DOCUMENT = {"schema_version": 1, "samebytes": "1", "command": "check", "exit_status": 0, "files": [FILE]}


def valid(document: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema("normalize")).is_valid(document))


def test_the_schema_is_one_and_has_our_version() -> None:
    jsonschema.Draft202012Validator.check_schema(schema("normalize"))
    assert schema("normalize")["properties"]["schema_version"]["const"] == NORMALIZE_SCHEMA_VERSION
    assert valid(DOCUMENT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("changed", None),
        ("before", None),
        ("payload", None),
        ("kind", "egg"),
        ("changes", [{"code": "z1", "member": "", "detail": ""}]),
        ("extra", 1),
        ("date", {"seconds": 0, "iso": "today", "source": "option"}),
        ("error", {"class": "E", "message": "m", "remedy": "r", "exit_status": 2}),
    ],
)
def test_the_schema_refuses(field: str, value: object) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["files"][0][field] = value  # type: ignore[index]
    assert not valid(document)
