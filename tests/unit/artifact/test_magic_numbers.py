"""The one table of magic numbers."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from samebytes.artifact.magic_numbers import format_of, is_known

FINAL = {"3.8": 3413, "3.9": 3425, "3.10": 3439, "3.11": 3495, "3.12": 3531, "3.13": 3571, "3.14": 3627}
"""As CPython's own list has them, for the last releases of each; written down once more, by hand."""


def test_the_running_python_is_in_the_table() -> None:
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
    assert format_of(magic).python == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert is_known(magic)


@pytest.mark.parametrize(("python", "magic"), FINAL.items(), ids=FINAL)
def test_final_releases_are_known_and_what_lies_beside_them_is_not(python: str, magic: int) -> None:
    assert format_of(magic).python == python
    assert is_known(magic)
    assert not is_known(magic - 1)
    assert not is_known(magic + 1)


@pytest.mark.parametrize(
    ("magic", "python", "rounds", "has_layout"),
    [
        (0, "", None, False),
        (3389, "", None, False),
        (3391, "3.7", None, False),
        (3392, "3.7", (2, 4), False),
        (3394, "3.7", (2, 4), False),
        (3401, "3.8", (2, 4), False),
        (3410, "3.8", (2, 4), True),
        (3439, "3.10", (2, 4), True),
        (3440, "", None, False),
        (3450, "3.11", None, False),
        (3494, "3.11", None, False),
        (3495, "3.11", (1, 3), True),
        (3500, "3.12", (1, 3), True),
        (3655, "3.15", (1, 3), True),
        (3699, "3.15", (1, 3), True),
        (3700, "", None, False),
        (62211, "", None, False),
        (65535, "", None, False),
    ],
)
def test_what_is_known_begins_where_it_changed(
    magic: int, python: str, rounds: tuple[int, int] | None, has_layout: bool
) -> None:
    """The hash where canonical-form.md has it (3392 to 3439, 3495 to 3699); the layout from PEP 570 and 3.11 on."""
    found = format_of(magic)
    assert (found.python, found.siphash, found.layout is not None) == (python, rounds, has_layout)


@pytest.mark.parametrize("magic", FINAL.values(), ids=FINAL)
def test_layouts_are_those_that_marshal_writes(magic: int) -> None:
    layout = format_of(magic).layout
    assert layout is not None
    assert layout.values[layout.filename] == "co_filename"
    assert layout.values[8] == "co_firstlineno"
    assert (layout.head, len(layout.values)) == ((24, 10) if magic <= 3439 else (20, 11))
    assert layout.names == ([2, 3, 4, 5, 7] if magic <= 3439 else [2, 3, 6, 7])
