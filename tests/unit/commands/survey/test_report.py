"""What a run of a survey tells on a terminal."""

from __future__ import annotations

import pytest
from samebytes_tools.commands.check.subject import AS_IS, BUILD, DATED, HOOK, NORMALIZED
from samebytes_tools.commands.survey.model import DIFFERS, NOT_BUILT, SAME, Headline, RebuildCount, State, Target
from samebytes_tools.commands.survey.report import Pace, duration, finished_line, progress_line, summary_lines
from samebytes_tools.commands.survey.run import Event
from support import surveys

from samebytes.console.style import PLAIN

NAMES = tuple(Target(name) for name in ("alpha", "beta"))


@pytest.mark.parametrize(
    ("event", "pace", "line"),
    [
        (Event(120, NAMES), Pace(120, 0, 3.0), "0/120: alpha, beta"),
        (Event(90, NAMES), Pace(120, 30, 3600.0), "30/120, 30 an hour, 3 h left: alpha, beta"),
        (Event(90, NAMES), Pace(120, 10, 600.0), "30/120, 60 an hour, 90 min left: alpha, beta"),
        (Event(1, (), waits_for=[("gamma", "other", 9.0)]), Pace(9, 0, 1.0), "8/9: waits for other runners' gamma"),
        (Event(5, ()), Pace(5, 0, 1.0), "0/5: waits for workers"),
        (Event(8, (), surveys.examination("a", surveys.run())), Pace(9, 1, 1e4), "1/9, 0.4 an hour, 22 h left"),
        (Event(0, ()), Pace(5, 5, 100.0), "5/5, 180 an hour, 0 s left"),
        (Event(9, tuple(map(Target, "abcdefgh"))), Pace(9, 0, 1.0), "0/9: a, b, c, d, e, f and 2 more"),
    ],
)
def test_progress(event: Event, pace: Pace, line: str) -> None:
    assert progress_line(event, pace) == line


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (86_400 * 12.2, "12 days")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def finished(**fields: object) -> str:
    one = surveys.examination("alpha", surveys.run(), **fields)  # type: ignore[arg-type]
    return finished_line(one, Event(9, ()), Pace(100, 1, 42.0), PLAIN)


def test_a_package_in_all_ways() -> None:
    states = {AS_IS: DIFFERS, DATED: SAME, NORMALIZED: NOT_BUILT, HOOK: SAME, BUILD: SAME}
    told = " 91/100 alpha 1.0: as is differs, dated same, normalized could not be built, hook same, "
    told += "samebytes build same (42 s)"
    assert finished(states=states) == told


def test_published_files_come_last() -> None:
    rebuilds = (surveys.rebuild("alpha"), surveys.rebuild("alpha", "sdist", "not rebuilt"))
    assert finished(artifacts=(), rebuilds=rebuilds) == (
        " 91/100 alpha 1.0: published pure wheel identical, sdist not rebuilt (42 s)"
    )


def test_the_summary_has_published_files_if_there_are_some() -> None:
    counts = [("pure wheel", "identical", 1500), ("sdist", "same after normalization", 2), ("sdist", "different", 3)]
    counts += [("platform wheel", "same payload", 1), ("platform wheel", "not rebuilt", 9)]
    run = surveys.run()
    found = Headline(0, {}, (), tuple(RebuildCount(run.id, *one) for one in counts))
    assert list(summary_lines(found, run, PLAIN)) == [
        "published        1,500 identical, 2 the same after normalization, 4 differ, 9 not rebuilt "
        "(99.1 % could be rebuilt)"
    ]
    assert list(summary_lines(found, surveys.run(2), PLAIN)) == []


def test_kinds_are_named_where_they_are_not_alike() -> None:
    built = [one for one in surveys.artifacts("alpha", dict.fromkeys(surveys.WON, SAME)) if one.way == HOOK]
    built[0] = surveys.artifact(HOOK, "sdist", "alpha", state=DIFFERS)
    assert finished(artifacts=tuple(built)) == " 91/100 alpha 1.0: hook differs (sdist) (42 s)"


def test_a_failure_has_its_reason_which_does_nothing_to_the_terminal() -> None:
    told = finished(state=State.UNAVAILABLE, version="", reason="no \x1b[31manswer", artifacts=())
    assert told == " 91/100 alpha: could not be downloaded: no \\x1b[31manswer (42 s)"
