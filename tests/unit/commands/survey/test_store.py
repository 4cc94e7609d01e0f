"""The store keeps what it is given, and hands out work once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from samebytes_tools.commands.check.subject import AS_IS, BUILD, DATED, HOOK, NORMALIZED
from samebytes_tools.commands.survey.model import (
    DIFFERS,
    NOT_BUILT,
    PUBLISHED,
    SAME,
    WHOLE,
    RebuildTally,
    Run,
    State,
    Tally,
    Target,
)
from samebytes_tools.commands.survey.store.store import NAME, Store
from support import surveys

from samebytes.errors import StoreError

NOW = 1_800_000_000.0
TARGETS = [Target("alpha", "", 1), Target("beta", "2.0", 2), Target("gamma")]


@pytest.fixture
def store(tmp_path: Path, opened: Callable[[Path], Store]) -> Store:
    found = opened(tmp_path)
    found.begin(surveys.run(), TARGETS)
    return found


def test_what_is_recorded_is_kept_as_it_was(store: Store) -> None:
    full = surveys.examination("alpha", surveys.run())
    bare = surveys.examination(
        "beta",
        surveys.run(),
        asked="2.0",
        version="",
        state=State.UNAVAILABLE,
        reason="the index answers 503",
        log="",
        memory=None,
        rank=None,
        sdist=None,
        backend="",
        is_pure=None,
        requirements=(),
        artifacts=(),
        varied=(),
        not_varied={},
        notes=(),
    )
    assert store.record(full)
    assert store.record(bare)
    store.close()
    with Store(store.path) as again:
        assert list(again.history("alpha")) == [full]
        assert list(again.history("beta")) == [bare]
        assert list(again.history("gamma")) == []
        assert list(again.examinations(surveys.run().id)) == [full, bare]


def test_rebuilds_are_kept_as_they_were(store: Store) -> None:
    states = ("identical", "same after normalization", "not rebuilt")
    rebuilds = tuple(surveys.rebuild("alpha", kind, state) for kind, state in zip(PUBLISHED, states))
    full = surveys.examination("alpha", surveys.run(), rebuilds=rebuilds)
    assert store.record(full)
    store.close()
    with Store(store.path) as again:
        assert list(again.history("alpha")) == [full]


def test_a_run_keeps_what_it_does_and_for_whom(tmp_path: Path) -> None:
    run = replace(surveys.run(), builds=False, verifies=True, operator="Example rebuilders, caf\u00e9")
    with Store(tmp_path) as store:
        store.begin(run, [])
        assert store.runs() == [run]


def test_a_directory_has_a_store_of_its_own_name(store: Store, tmp_path: Path) -> None:
    assert store.path == tmp_path / NAME


def test_what_no_encoding_can_hold_is_escaped(store: Store) -> None:
    store.record(surveys.examination("alpha", surveys.run(), log="caf\udce9\0", notes=("\udcff",), reason="\udc80"))
    (one,) = store.history("alpha")
    assert (one.log, one.notes, one.reason) == ("caf\\udce9\0", ("\\udcff",), "\\udc80")


def test_recording_twice_changes_nothing(store: Store) -> None:
    first = surveys.examination("alpha", surveys.run(), seconds=1.0)
    assert store.record(first)
    assert not store.record(surveys.examination("alpha", surveys.run(), seconds=2.0))
    assert list(store.history("alpha")) == [first]


def test_what_was_not_asked_for_is_refused(store: Store) -> None:
    for stranger in ({"name": "delta"}, {"name": "beta", "asked": "3.0"}):
        with pytest.raises(StoreError, match=rf"does not have {stranger['name']}"):
            store.record(surveys.examination(of=surveys.run(), **stranger))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"has no run 0{8}-"):
        store.record(surveys.examination("alpha", surveys.run(2)))


def claimed(store: Store, runner: str, now: float = NOW) -> str:
    """Return the name of what *runner* gets."""
    found = store.claim(surveys.run().id, runner, now, 10)
    return found.target.name if found else ""


def test_claims_go_out_in_order_and_once(store: Store) -> None:
    assert [claimed(store, runner) for runner in ("one", "two", "one", "two")] == ["alpha", "beta", "gamma", ""]
    assert [name for name, *_ in store.holders(surveys.run().id, NOW)] == ["alpha", "beta", "gamma"]


def test_a_claim_has_the_target_and_counts_attempts(store: Store) -> None:
    run = surveys.run().id
    for attempt in (1, 2, 3):
        found = store.claim(run, "mortal", NOW + 100 * attempt, 10)
        assert found is not None
        assert (found.target, found.attempts) == (TARGETS[0], attempt)


def test_what_a_dead_runner_held_is_claimed_again(store: Store) -> None:
    assert claimed(store, "dead") == "alpha"
    assert claimed(store, "alive", NOW + 9) == "beta"
    assert claimed(store, "alive", NOW + 10) == "alpha"


def test_who_is_alive_holds_on(store: Store) -> None:
    assert claimed(store, "alive") == "alpha"
    store.hold("alive", NOW + 100)
    assert claimed(store, "other", NOW + 50) == "beta"


def test_what_is_given_back_counts_as_not_begun(store: Store) -> None:
    assert claimed(store, "one") == "alpha"
    assert claimed(store, "two") == "beta"
    store.give_back("one")
    found = store.claim(surveys.run().id, "two", NOW, 10)
    assert found is not None
    assert (found.target.name, found.attempts) == ("alpha", 1)


def test_what_is_recorded_is_not_claimed_again(store: Store) -> None:
    assert claimed(store, "one") == "alpha"
    store.record(surveys.examination("alpha", surveys.run()))
    assert claimed(store, "one", NOW + 1000) == "beta"
    assert store.left(surveys.run().id) == 2


def test_a_run_ends_with_its_last_package(store: Store) -> None:
    for name, asked in (("alpha", ""), ("beta", "2.0"), ("gamma", "")):
        assert [one.ended for one in store.runs()] == [None]
        store.record(surveys.examination(name, surveys.run(), asked=asked, started=1000, seconds=2.5))
    assert store.runs() == [surveys.run(ended=1002)]
    assert [(one.name, one.version) for one in store.targets(surveys.run().id)] == [
        ("alpha", ""),
        ("beta", "2.0"),
        ("gamma", ""),
    ]


def test_a_target_that_comes_twice_is_one(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin(surveys.run(), [Target("alpha"), Target("alpha"), Target("alpha", "1.0")])
        assert store.left(surveys.run().id) == 2


@pytest.fixture
def two_runs(store: Store) -> Store:
    """alpha was examined twice, and is another's now; beta could not be built; gamma is the same anyway."""
    later, setuptools = surveys.run(2), {"backend": "setuptools", "is_pure": True}
    store.begin(later, [Target("alpha")])
    store.record(surveys.examination("alpha", surveys.run(), **setuptools))
    store.record(
        surveys.examination("gamma", surveys.run(), backend="hatchling", states=dict.fromkeys(surveys.WON, SAME))
    )
    broken = {"states": dict.fromkeys(surveys.WON, NOT_BUILT), "state": State.NOT_BUILT, "is_pure": None}
    store.record(surveys.examination("beta", surveys.run(), asked="2.0", **broken))
    store.record(surveys.examination("alpha", later, version="1.1", states=surveys.WON | {BUILD: DIFFERS}))
    return store


def test_the_newest_of_each_package(two_runs: Store) -> None:
    alpha, beta, gamma = two_runs.newest()
    assert (alpha.name, alpha.version, alpha.run, alpha.causes) == ("alpha", "1.1", surveys.run(2).id, ("D005",))
    assert alpha.outcomes[AS_IS] == dict.fromkeys(("sdist", "wheel", "wheel from sdist"), "different")
    assert alpha.outcomes[HOOK]["wheel"] == SAME
    assert (beta.state, beta.is_pure, beta.outcomes[HOOK]["sdist"]) == (State.NOT_BUILT, None, NOT_BUILT)
    assert (gamma.causes, gamma.outcomes[AS_IS]["sdist"], gamma.backend) == ((), SAME, "hatchling")


def test_history_is_newest_first(two_runs: Store) -> None:
    assert [(one.version, one.run) for one in two_runs.history("alpha")] == [
        ("1.1", surveys.run(2).id),
        ("1.0", surveys.run(1).id),
    ]
    assert [one.log for one in two_runs.history("alpha", logs=False)] == ["", ""]


def test_the_headline_counts_the_newest(two_runs: Store) -> None:
    found = two_runs.headline()
    assert (found.packages, found.states) == (3, {State.EXAMINED: 2, State.NOT_BUILT: 1})
    assert found.tally(AS_IS) == Tally(same=1, differs=1, not_built=1)
    assert found.tally(HOOK, "sdist") == Tally(same=2, not_built=1)
    assert found.tally(BUILD, backend="setuptools", is_pure=True) == Tally(differs=1)
    unknown = [
        one for one in found.counts if (one.run, one.way, one.kind) == ("", NORMALIZED, WHOLE) and one.is_pure is None
    ]
    assert [(one.state, one.number) for one in unknown] == [(NOT_BUILT, 1)]


def test_the_headline_counts_each_run(two_runs: Store) -> None:
    found = two_runs.headline()
    assert found.tally(BUILD, run=surveys.run(1).id) == Tally(same=2, not_built=1)
    assert found.tally(BUILD, run=surveys.run(2).id) == Tally(differs=1)


def test_a_package_is_what_the_worst_of_its_artifacts_is(store: Store) -> None:
    built = surveys.artifacts("alpha", surveys.WON)
    wheel_fails = [one for one in built if (one.way, one.kind) != (HOOK, "wheel")]
    wheel_fails.append(surveys.artifact(HOOK, "wheel", "alpha", state=NOT_BUILT))
    store.record(surveys.examination("alpha", surveys.run(), artifacts=tuple(wheel_fails)))
    found = store.headline()
    assert found.tally(HOOK) == Tally(not_built=1)
    assert found.tally(HOOK, "sdist") == Tally(same=1)


@pytest.fixture
def rebuilt(store: Store) -> Store:
    """alpha was built twice, then verified alone, twice; beta was verified alone; gamma both."""
    only = [replace(surveys.run(number), builds=False, verifies=True) for number in (2, 3)]
    both = replace(surveys.run(4), verifies=True)
    for run, names in ((only[0], ["alpha"]), (only[1], ["alpha", "beta"]), (both, ["gamma"])):
        store.begin(run, [Target(name) for name in names])

    def verified(name: str, of: Run, state: str, **more: object) -> None:
        rebuilds = (surveys.rebuild(name, "pure wheel", state), surveys.rebuild(name, "sdist"))
        store.record(surveys.examination(name, of, rebuilds=rebuilds, **more))  # type: ignore[arg-type]

    store.record(surveys.examination("alpha", surveys.run()))
    verified("alpha", only[0], "different", artifacts=())
    verified("alpha", only[1], "identical", artifacts=())
    verified("beta", only[1], "not rebuilt", artifacts=())
    verified("gamma", both, "same payload")
    return store


def test_what_was_verified_alone_hides_nothing_that_was_built(rebuilt: Store) -> None:
    alpha, beta, gamma = rebuilt.newest()
    assert (alpha.run, alpha.outcomes[HOOK]["wheel"]) == (surveys.run(1).id, SAME)
    assert (beta.run, dict(beta.outcomes)) == (surveys.run(3).id, {})
    assert gamma.run == surveys.run(4).id
    found = rebuilt.headline()
    assert (found.packages, found.states) == (2, {State.EXAMINED: 2})
    assert found.tally(AS_IS) == Tally(differs=2)
    assert {hit.name for hit in rebuilt.hit_by("D005")} == {"alpha", "gamma"}
    with closing(sqlite3.connect(rebuilt.path)) as shell:
        query = "SELECT DISTINCT package FROM outcome WHERE is_newest ORDER BY package"
        assert shell.execute(query).fetchall() == [("alpha",), ("gamma",)]


def test_the_headline_counts_the_newest_rebuilds(rebuilt: Store) -> None:
    found = rebuilt.headline()
    assert found.rebuilt() == RebuildTally(identical=4, different=1, not_rebuilt=1)
    assert found.rebuilt("pure wheel") == RebuildTally(identical=1, different=1, not_rebuilt=1)
    assert found.rebuilt("pure wheel").share == pytest.approx(1 / 3)
    assert found.rebuilt("sdist", run=surveys.run(3).id) == RebuildTally(identical=2)
    assert found.rebuilt("sdist", run=surveys.run(1).id) == RebuildTally()
    assert RebuildTally().share is None
    with closing(sqlite3.connect(rebuilt.path)) as shell:
        query = "SELECT package, kind, state FROM rebuilt WHERE is_newest AND kind = 'pure wheel' ORDER BY package"
        assert [state for _, _, state in shell.execute(query)] == ["identical", "not rebuilt", "same payload"]


def test_the_share_is_of_what_could_be_built() -> None:
    assert Tally(same=3, differs=1, not_built=5).share == 0.75
    assert Tally(not_built=5).share is None


def test_where_a_cause_was_found(two_runs: Store) -> None:
    found = list(two_runs.hit_by("D005"))
    assert {(hit.name, hit.version, hit.cause) for hit in found} == {("alpha", "1.1", surveys.HIT)}
    assert [(hit.way, hit.kind) for hit in found][::3] == [(way, "sdist") for way in (AS_IS, DATED, NORMALIZED, BUILD)]
    assert list(two_runs.hit_by("D001")) == []


def test_a_snapshot_is_of_one_moment(store: Store) -> None:
    with Store(store.path) as reader, reader.snapshot():
        assert list(reader.newest()) == []
        store.record(surveys.examination("alpha", surveys.run()))
        assert list(reader.newest()) == []
        assert [one.name for one in store.newest()] == ["alpha"]


def test_hostile_texts_do_no_harm(tmp_path: Path) -> None:
    """Everything that a package could choose: quotes, NUL, half characters, what is no digest."""
    from support import synthetic_survey

    run = synthetic_survey.runs(1)[0]
    found = list(synthetic_survey.hostile(run))
    with Store(tmp_path) as store:
        store.begin(run, [Target(one.name) for one in found])
        assert [store.record(one) for one in found] == [True] * len(found)
        assert len(list(store.newest())) == len(found)
        (again,) = store.history(synthetic_survey.NASTY)
        assert again.artifacts[0].file == synthetic_survey.NASTY.replace("\ud800", "\\ud800")
        assert [store.record(one) for one in found] == [False] * len(found)


def test_a_shell_for_sql_has_a_view_of_outcomes(two_runs: Store) -> None:
    query = """
        SELECT package, version, backend, state, verdict FROM outcome WHERE is_newest AND way = ? AND kind = 'wheel'
        ORDER BY package
    """
    two_runs.close()
    with closing(sqlite3.connect(two_runs.path)) as shell:
        assert shell.execute(query, (AS_IS,)).fetchall() == [
            ("alpha", "1.1", "setuptools", DIFFERS, "different"),
            ("beta", "1.0", "setuptools", NOT_BUILT, ""),
            ("gamma", "1.0", "hatchling", SAME, "identical"),
        ]
