"""Names, lists of names, and the most downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from samebytes_tools.commands.survey import command, targets
from samebytes_tools.commands.survey.model import Target

from samebytes.errors import UsageError


def test_a_list_has_one_a_line() -> None:
    text = "# of friends\nIdna\n\n numpy == 2.1.0  # newer ones fail\nruamel.yaml\n"
    assert list(targets.from_lines(text, "list.txt")) == [
        Target("idna"),
        Target("numpy", "2.1.0"),
        Target("ruamel-yaml"),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("two words", "list.txt, line 2: 'two words' is neither NAME nor NAME==VERSION"),
        ("idna>=3", "list.txt, line 2: 'idna>=3' is neither"),
        ("../idna", "list.txt, line 2: '../idna' is neither"),
        ("-r other.txt", "list.txt, line 2: '-r other.txt' is neither"),
        ("idna==3..1", "list.txt, line 2: '3..1' is not a version"),
    ],
)
def test_what_is_no_name_is_told_with_its_line(line: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(targets.from_lines(f"numpy\n{line}\n", "list.txt"))
    assert caught.value.message.startswith(complaint)
    assert "NAME==VERSION, a line" in caught.value.remedy


def test_the_bundled_list_is_of_a_thousand_names() -> None:
    names = targets.bundled()
    assert (len(names), len(set(names)), names[0]) == (1000, 1000, "boto3")
    assert {"numpy", "setuptools", "typing-extensions"} <= set(names[:100])


def test_another_list_in_the_same_format() -> None:
    document = {
        "last_update": "2026-04-01",
        "rows": [{"download_count": 9, "project": name} for name in ("Zope", "b.c")],
    }
    assert targets.ranked(json.dumps(document), "top.json") == ["zope", "b-c"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{}]}', '{"rows": 3}', '{"rows": [3]}', "[" * 100_000])
def test_what_is_no_such_list(text: str) -> None:
    with pytest.raises(UsageError, match=r"top\.json is not a list of the most downloaded") as caught:
        targets.ranked(text, "top.json")
    assert "top-pypi-packages" in caught.value.remedy


def test_a_list_with_a_name_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"top\.json, row 2: 'a b' is neither"):
        targets.ranked('{"rows": [{"project": "a"}, {"project": "a b"}]}', "top.json")


def test_the_first_of_a_list() -> None:
    assert targets.top(["a", "b", "c"], 2, "top.json") == [Target("a"), Target("b")]
    with pytest.raises(UsageError, match=r"top\.json has 3 projects, not 4") as caught:
        targets.top(["a", "b", "c"], 4, "top.json")
    assert "--top-file" in caught.value.remedy


def test_each_target_comes_once_with_its_place() -> None:
    named = [Target("b"), Target("other", "1.0"), Target("b"), Target("a")]
    assert targets.placed(named, targets.ranks(["a", "b"])) == [
        Target("b", "", 2),
        Target("other", "1.0"),
        Target("a", "", 1),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_may_begin_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    """As lists of Windows do."""
    path = tmp_path / "list.txt"
    path.write_bytes("idna==3.10\r\n# why\r\nattrs\r\n".encode(encoding))
    assert [target.name for target in command._named(str(path))] == ["idna", "attrs"]
