"""Stores and exported documents become one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from samebytes_tools.commands.survey.model import PUBLISHED, Examination, Run, State, Target
from samebytes_tools.commands.survey.store.exported import SCHEMA_VERSION, Exported, document
from samebytes_tools.commands.survey.store.merge import Merged, merge
from samebytes_tools.commands.survey.store.store import Store
from support import surveys, synthetic_survey
from support.schemas import assert_valid, schema

from samebytes.errors import StoreError

DATA = Path(__file__).resolve().parents[4] / "docs" / "survey" / "survey.json"
ONE, TWO = surveys.run(1), surveys.run(2)


def filled(store: Store, *found: Examination, of: Run = ONE, left: tuple[str, ...] = ()) -> Store:
    """Return *store* with *found*, and what is left."""
    store.begin(of, [*(Target(one.name, one.asked) for one in found), *map(Target, left)])
    for one in found:
        store.record(one)
    return store


def everything(store: Store, *, logs: bool = True) -> str:
    return "".join(document(store, version="0.1.0", logs=logs))


@pytest.fixture
def pair(tmp_path: Path, opened: Callable[[Path], Store]) -> tuple[Store, Store]:
    """Two stores: a run with two packages, and one with one of the same."""
    one = filled(opened(tmp_path / "one.sqlite"), surveys.examination("alpha", ONE), surveys.examination("beta", ONE))
    two = filled(opened(tmp_path / "two.sqlite"), surveys.examination("alpha", TWO, log="other"), of=TWO)
    return one, two


def test_all_of_both_is_there_whatever_comes_first(
    pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    forth, back = opened(tmp_path / "forth.sqlite"), opened(tmp_path / "back.sqlite")
    assert [merge(forth, store) for store in pair] == [Merged(1, 2), Merged(1, 1)]
    assert [merge(back, store) for store in reversed(pair)] == [Merged(1, 1), Merged(1, 2)]
    assert everything(forth) == everything(back)
    assert list(forth.history("alpha")) == [*pair[1].history("alpha"), *pair[0].history("alpha")]
    assert [run.id for run in forth.runs()] == [ONE.id, TWO.id]


def test_a_second_time_changes_nothing(pair: tuple[Store, Store]) -> None:
    one, two = pair
    assert merge(one, two) == Merged(1, 1)
    before = everything(one)
    assert [merge(one, store) for store in (two, one)] == [Merged(0, 0), Merged(0, 0)]
    assert everything(one) == before


def test_what_is_left_stays_where_it_is(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    going = filled(opened(tmp_path / "going.sqlite"), surveys.examination("alpha", ONE), left=("beta",))
    target = opened(tmp_path / "target.sqlite")
    assert merge(target, going) == Merged(1, 1)
    assert target.left(ONE.id) == 0
    assert target.runs()[0].ended is None
    going.record(surveys.examination("beta", ONE))
    assert merge(target, going) == Merged(1, 1)
    assert target.runs() == going.runs()
    assert target.runs()[0].ended is not None


def test_what_a_copy_went_on_with_comes_back(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    home = filled(opened(tmp_path / "home.sqlite"), surveys.examination("alpha", ONE), left=("beta",))
    away = filled(opened(tmp_path / "away.sqlite"), surveys.examination("alpha", ONE), surveys.examination("beta", ONE))
    merge(home, away)
    assert home.left(ONE.id) == 0
    assert everything(home) == everything(away)


def test_two_that_contradict_each_other(
    pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    other = filled(opened(tmp_path / "other.sqlite"), surveys.examination("beta", ONE, seconds=1.0))
    before = everything(pair[0])
    with pytest.raises(StoreError) as caught:
        merge(pair[0], other)
    for part in (str(other.path), str(pair[0].path), "another examination of beta"):
        assert part in caught.value.message
    assert "keep them apart" in caught.value.remedy
    assert everything(pair[0]) == before


def test_two_runs_of_one_id(pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    other = opened(tmp_path / "other.sqlite")
    other.begin(Run(ONE.id, 5, "9.9", 1, {}), [])
    with pytest.raises(StoreError, match=f"has another run {ONE.id}"):
        merge(pair[0], other)


def test_rebuilds_go_through_a_document(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    run = replace(ONE, builds=False, verifies=True, operator="somebody")
    states = ("identical", "same payload", "not rebuilt")
    rebuilds = tuple(surveys.rebuild("alpha", kind, state) for kind, state in zip(PUBLISHED, states))
    one = filled(opened(tmp_path / "one.sqlite"), surveys.examination("alpha", run, rebuilds=rebuilds), of=run)
    assert_valid(json.loads(everything(one)), "survey")
    path = tmp_path / "survey.json"
    path.write_text(everything(one), encoding="utf-8")
    target = opened(tmp_path / "target.sqlite")
    assert merge(target, Exported(path)) == Merged(1, 1)
    assert everything(target) == everything(one)
    assert merge(one, target) == Merged(0, 0)
    assert target.runs() == one.runs()
    assert next(target.history("alpha")).rebuilds == rebuilds


def test_a_document_of_before_rebuilds_is_read(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    target = opened(tmp_path / "target.sqlite")
    assert merge(target, Exported(DATA)).examinations > 100
    assert {(run.builds, run.verifies, run.operator) for run in target.runs()} == {(True, False, "")}
    assert target.headline().rebuilt().tried == 0


def test_a_document_becomes_a_store(pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    merge(pair[0], pair[1])
    path = tmp_path / "survey.json"
    path.write_text(everything(pair[0]), encoding="utf-8")
    target = opened(tmp_path / "target.sqlite")
    assert merge(target, Exported(path)) == Merged(2, 3)
    assert everything(target) == everything(pair[0])
    assert merge(pair[0], Exported(path)) == Merged(0, 0)


def test_logs_that_a_document_had_not_are_added(
    pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    path = tmp_path / "survey.json"
    path.write_text(everything(pair[0], logs=False), encoding="utf-8")
    target = opened(tmp_path / "target.sqlite")
    merge(target, Exported(path))
    assert [one.log for one in target.history("alpha")] == [""]
    assert merge(target, pair[0]) == Merged(0, 2)
    assert everything(target) == everything(pair[0])
    assert merge(target, Exported(path)) == Merged(0, 0)


def test_the_document_is_what_the_schema_says(tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema("survey"))
    assert schema("survey")["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    runs = synthetic_survey.runs(2)
    found = list(synthetic_survey.examinations(40, runs))
    with Store(tmp_path) as store:
        for run in runs:
            store.begin(run, [Target(one.name) for one in found if one.run == run.id])
        for one in found:
            store.record(one)
        told = json.loads(everything(store))
    jsonschema.Draft202012Validator(schema("survey")).validate(told)
    assert {one["state"] for one in told["examinations"]} > {State.EXAMINED.value}
    assert set(schema("survey")["$defs"]["examination"]["properties"]["state"]["enum"]) == {one.value for one in State}
    path = tmp_path / "survey.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    again = Exported(path)
    assert again.runs() == runs
    key = {run.id: sorted((one for one in found if one.run == run.id), key=lambda one: one.name) for run in runs}
    assert {run.id: list(again.examinations(run.id)) for run in runs} == key


@pytest.mark.parametrize(
    "change",
    [{"state": "happy"}, {"artifacts": [{"way": "hook"}]}, {"extra": 1}, {"is_pure": None}, {"notes": []}],
)
def test_the_schema_refuses(change: dict[str, Any], pair: tuple[Store, Store]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    told = json.loads(everything(pair[0]))
    validator = jsonschema.Draft202012Validator(schema("survey"))
    assert validator.is_valid(told)
    told["examinations"][0].update(change)
    assert not validator.is_valid(told)


def refused(path: Path, text: str) -> StoreError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        Exported(path)
    assert str(path) in caught.value.message
    assert "survey export" in caught.value.remedy
    return caught.value


def test_what_is_no_document(pair: tuple[Store, Store], tmp_path: Path, opened: Callable[[Path], Store]) -> None:
    path = tmp_path / "survey.json"
    assert "is not an exported survey" in refused(path, "{").message
    for text in ("[]", "{}", '{"schema_version": 2}'):
        assert "is not a survey of schema version 1" in refused(path, text).message
    told = json.loads(everything(pair[0]))
    for change in (
        {"seconds": "long"},
        {"state": "happy"},
        {"run": "unknown"},
        {"extra": 1},
        {"notes": [3]},
        {"sdist": 3},
    ):
        broken = {**told, "examinations": [{**told["examinations"][0], **change}]}
        assert "is not an exported survey" in refused(path, json.dumps(broken)).message
    with pytest.raises(StoreError, match="cannot be read"):
        Exported(tmp_path / "missing.json")
