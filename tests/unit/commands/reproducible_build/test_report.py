from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samebytes_tools.building.virtualenvs import InstalledDistribution
from samebytes_tools.commands.reproducible_build.artifacts import BuildResult, BuiltArtifact
from samebytes_tools.commands.reproducible_build.report import SCHEMA_VERSION, as_json, lines, lock_lines, warning_lines
from support.schemas import assert_valid, schema

from samebytes.artifact.layout import ArtifactKind
from samebytes.console.style import PLAIN
from samebytes.passes.model import Change

CHANGES = (Change("Z001", "", "the order"), Change("Z002", "a.py", "2024"), Change("Z002", "b.py", "2023"))
WHEEL = BuiltArtifact(
    "a-1-py3-none-any.whl", ArtifactKind.WHEEL, 1234, "0" * 64, 1580601600, "SOURCE_DATE_EPOCH", CHANGES, ()
)
SDIST = BuiltArtifact(
    "a-1.tar.gz", ArtifactKind.SDIST, 1, "1" * 64, -1, "the date of git's HEAD", (), ("the user name is in x.py",)
)
REQUIREMENTS = (
    InstalledDistribution("wheel", "1", "https://example.org/wheel-1-py3-none-any.whl", {"sha256": "ab"}),
    InstalledDistribution("Cython", "3", "https://example.org/cython-3.tar.gz", {}),
)
BUILT = BuildResult((SDIST, WHEEL), REQUIREMENTS, fixed=True)
OUTPUT = Path("/out")


def document(built: BuildResult = BUILT) -> dict[str, Any]:
    return dict(json.loads(as_json(built, OUTPUT, version="1.2")))


def test_each_artifact_with_its_size_digest_date_and_changes() -> None:
    assert list(lines(BUILT, OUTPUT, PLAIN)) == [
        f"{OUTPUT / 'a-1.tar.gz'}",
        f"  sha256 {'1' * 64}",
        "  size   1 bytes",
        "  date   1969-12-31T23:59:59Z (the date of git's HEAD)",
        f"{OUTPUT / 'a-1-py3-none-any.whl'}",
        f"  sha256 {'0' * 64}",
        "  size   1,234 bytes",
        "  date   2020-02-02T00:00:00Z (SOURCE_DATE_EPOCH)",
        "  Z001 member order",
        "  Z002 member times: 2 members",
    ]
    assert "    b.py: 2023" in lines(BUILT, OUTPUT, PLAIN, verbose=True)


def test_warnings() -> None:
    assert list(warning_lines(BUILT, PLAIN)) == ["samebytes: warning: a-1.tar.gz: the user name is in x.py"]
    assert list(warning_lines(BUILT, PLAIN, locked=True))[1:] == [
        "samebytes: warning: Cython came as an sdist: what pip needed to build that is not locked"
    ]


def test_what_was_locked() -> None:
    assert list(lock_lines(BUILT, Path("pylock.toml"), PLAIN)) == ["pylock.toml", "  Cython 3", "  wheel 1"]


def test_names_cannot_play_with_the_terminal() -> None:
    built = BuildResult((replace(WHEEL, name="a\x1b[2J-1.whl"),), (), fixed=True)
    assert not any("\x1b" in line for line in lines(built, OUTPUT, PLAIN))


def test_the_document_is_what_the_schema_says() -> None:
    found = document()
    assert_valid(found, "build")
    assert found["schema_version"] == schema("build")["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert found["samebytes"] == "1.2"
    assert found["fixed_paths"] is True
    assert [one["kind"] for one in found["artifacts"]] == ["sdist", "wheel"]
    assert found["artifacts"][0]["date"] == {
        "seconds": -1,
        "iso": "1969-12-31T23:59:59Z",
        "origin": "the date of git's HEAD",
    }
    assert found["artifacts"][1]["path"] == str(OUTPUT / "a-1-py3-none-any.whl")
    assert found["artifacts"][1]["changes"][1] == {"code": "Z002", "member": "a.py", "detail": "2024"}
    assert found["build_requirements"][1] == {
        "name": "Cython",
        "version": "3",
        "url": "https://example.org/cython-3.tar.gz",
        "hashes": {},
    }


def test_names_that_are_not_utf_8_are_json_nevertheless() -> None:
    text = as_json(BuildResult((replace(WHEEL, name="a\udcff.whl"),), (), fixed=False), OUTPUT, version="1")
    assert json.loads(text.encode("ascii"))["artifacts"][0]["path"].endswith("a\udcff.whl")


@pytest.mark.parametrize(
    ("where", "field", "value"),
    [
        ((), "fixed_paths", None),
        ((), "artifacts", []),
        ((), "more", 1),
        (("artifacts", 0), "sha256", "ab"),
        (("artifacts", 0), "kind", "egg"),
        (("artifacts", 0), "date", {"seconds": 0, "iso": "today", "origin": ""}),
        (("artifacts", 1), "changes", [{"code": "z1", "member": "", "detail": ""}]),
        (("build_requirements", 0), "hashes", {"sha256": "not hexadecimal"}),
    ],
)
def test_the_schema_refuses(where: tuple[Any, ...], field: str, value: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema("build"))
    jsonschema.Draft202012Validator.check_schema(schema("build"))
    changed: Any = copy.deepcopy(document())
    part = changed
    for step in where:
        part = part[step]
    part[field] = value
    assert validator.is_valid(document())
    assert not validator.is_valid(changed)
