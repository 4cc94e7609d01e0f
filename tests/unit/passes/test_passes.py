"""The tuple of passes: its order, its codes, and how one chooses from it."""

from __future__ import annotations

import re

import pytest

from samebytes.errors import ConfigError
from samebytes.passes import ALL, DEFAULT, by_code, select
from samebytes.passes.model import Pass

SWITCHABLE = (
    "Z001 Z002 Z003 Z004 T001 T002 T003 T004 T005 W002 W003 W004 W005 W100 S001 S002 S003 S004 S010 W007 P001 P002 C001"
)
FIXED = "Z005 Z006 Z007 Z008 Z009 Z010 Z011 Z099 T006 T007 T008 T009 T010 T099 G001 G002 W001 W006 W010"


def test_the_codes_are_all_there_once() -> None:
    assert sorted(one.code for one in ALL) == sorted(f"{SWITCHABLE} {FIXED}".split())


def test_what_may_be_switched_off_is_as_documented() -> None:
    assert {one.code for one in ALL if one.switchable} == set(SWITCHABLE.split())


def test_record_is_verified_first_and_written_last() -> None:
    codes = [one.code for one in ALL]
    assert (codes[0], codes[-1]) == ("W001", "W010")
    contents = [place for place, code in enumerate(codes) if code[0] in "WSPC" and code != "W010"]
    container = [place for place, code in enumerate(codes) if code[0] in "ZTG" and code not in ("T006", "T010")]
    assert max(contents) < min(container)
    assert codes.index("T006") < codes.index("S001")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.code)
def test_every_pass_can_be_explained(one: Pass) -> None:
    assert by_code(one.code) is one
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name)
    assert one.reason.endswith(".")
    assert 40 < len(one.reason) < 300


def test_only_sorting_values_must_be_asked_for() -> None:
    assert set(ALL) - set(DEFAULT) == {by_code("W100")}
    assert select() == DEFAULT
    assert select(enable=["W100"]) == ALL
    assert select(enable=["Z001"]) == DEFAULT


def test_the_chosen_passes_keep_their_order() -> None:
    chosen = select(disable=["Z003", "W002"], enable=["W100"])
    assert chosen == tuple(one for one in ALL if one.code not in ("Z003", "W002"))


@pytest.mark.parametrize(("code", "nearest"), [("Z002x", "Z002"), ("w002", "W002"), ("nonsense", "")])
def test_unknown_codes_are_named_with_the_nearest(code: str, nearest: str) -> None:
    for arguments in ({"disable": [code]}, {"enable": [code]}):
        with pytest.raises(ConfigError, match=f"there is no pass '{code}'") as caught:
            select(**arguments)
        assert f"Did you mean {nearest}" in caught.value.remedy


@pytest.mark.parametrize(
    ("code", "why"),
    [("Z006", "the canonical writer has no other form"), ("W001", "nobody checked"), ("W010", "cannot be installed")],
)
def test_what_may_not_be_disabled_says_why(code: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"pass {code} .* cannot be disabled: .*{why}"):
        select([code])


def test_on_and_off_at_once_is_an_error() -> None:
    with pytest.raises(ConfigError, match="both enabled and disabled"):
        select(["W100"], ["W100"])


def test_the_place_of_the_codes_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^tree/pyproject\.toml: pass W001 ") as caught:
        select(["W001"], where="tree/pyproject.toml")
    assert caught.value.remedy
    with pytest.raises(ConfigError, match=r"^there is no pass 'nonsense'"):
        select(["nonsense"])
