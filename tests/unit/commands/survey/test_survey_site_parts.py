"""What the survey's site is made of: names of files, outcomes, numbers, pages, the chart, colours."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samebytes_tools.commands.check.subject import BUILD
from samebytes_tools.commands.survey.model import KINDS, WAYS, Artifact, Examination, Run, State, Tally
from samebytes_tools.commands.survey.site import addresses, figures, listing, published, rendering, results
from samebytes_tools.commands.survey.site.rendering import asset

ALL_SAME, ALL_DIFFER = "i" * 15, "d" * 15


@given(st.text())
def test_a_file_is_named_so_that_every_system_takes_it(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*|_[0-9a-f]{32}", addresses.stem(name))


@given(st.text(), st.text())
def test_two_packages_never_share_a_file(one: str, other: str) -> None:
    assert (addresses.stem(one) == addresses.stem(other)) == (one == other)


@pytest.mark.parametrize("name", ["numpy", "a", "zope-interface", "2to3", "x" * 100])
def test_normalized_names_stand_for_themselves(name: str) -> None:
    assert addresses.stem(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "A", "a_b", "-a", "con", "com1", "x" * 101, "é", "\ud800", "a\n"]
)
def test_other_names_stand_for_nothing_that_a_system_could_misread(name: str) -> None:
    assert addresses.stem(name).startswith("_")


@pytest.mark.parametrize(
    ("state", "letters", "standing"),
    [
        (State.EXAMINED, ALL_SAME, results.AS_IS),
        (State.EXAMINED, "idi" + "iii" + "ddd" + "ddd" + "ddd", results.DATED),
        (State.EXAMINED, "idi" + "---" + "iii" + "ddd" + "ddd", results.WITH),
        (State.EXAMINED, "idi" + "idi" + "idi" + "idi" + "iii", results.WITH),
        (State.EXAMINED, "nnn" + "inn" + "inn" + "nin" + "nni", results.NOT_YET),
        (State.EXAMINED, ALL_DIFFER, results.NOT_YET),
        (State.EXAMINED, "fii" * 5, results.AS_IS),
        (State.EXAMINED, "fii" + "fii" + "fii" + "iif" + "iif", results.NOT_YET),
        (State.EXAMINED, "f" * 15, results.UNKNOWN),
        (State.EXAMINED, "-" * 15, results.UNKNOWN),
        (State.OVER_LIMIT, ALL_SAME, results.UNKNOWN),
    ],
)
def test_the_standing_of_a_package(state: State, letters: str, standing: results.Standing) -> None:
    assert results.Result(state, letters).standing is standing


def test_one_way_is_as_good_as_its_worst_artifact() -> None:
    result = results.Result(State.EXAMINED, "iii" + "iii" + "ini" + "f-d" + "---")
    assert result.ways == [results.IDENTICAL, results.IDENTICAL, results.NORMALIZED, results.FAILED, results.NONE]


def test_an_artifact_that_could_not_be_compared_is_different() -> None:
    artifacts = (Artifact(BUILD, KINDS[2], "differs"), Artifact(WAYS[0], KINDS[0], "same", "identical"))
    found = results.result_of(Examination("demo", "1", State.EXAMINED, 0, 1.0, artifacts=artifacts))
    assert found.letters == "i" + "-" * 13 + "d"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.99999, "99.9 %"),
        (0.00001, "0.1 %"),
        (0.5, "50.0 %"),
        (0.982, "98.2 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share: float | None, told: str) -> None:
    assert rendering.percent(share) == told


@pytest.mark.parametrize(("seconds", "told"), [(0, "1970-01-01"), (1_795_000_000, "2026-11-18"), (10**20, str(10**20))])
def test_a_day_is_in_utc_if_there_is_such_a_day(seconds: int, told: str) -> None:
    assert rendering.day(seconds) == told


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "0 s"), (59.6, "1 min"), (400, "6 min 40 s")])
def test_durations(seconds: float, told: str) -> None:
    assert rendering.duration(seconds) == told


@given(st.integers(0, 1000))
def test_pages_have_every_row_once_in_order(number: int) -> None:
    pages = list(listing.pages(range(number)))
    assert [row for page in pages for row in page.rows] == list(range(number))
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert all(page.last == len(pages) and page.total == number for page in pages)
    assert all(len(page.rows) <= listing.ROWS for page in pages)


@given(st.integers(1, 600), st.data())
def test_a_page_leads_to_its_neighbours_the_first_and_the_last(last: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, last))
    near = listing.Page(number, last, 1, (), 0).near
    assert {1, last, max(1, number - 1), number, min(last, number + 1)} <= set(near)
    assert len(near) <= 11
    assert [one for one in near if one] == sorted({one for one in near if one})


def test_the_chart_stands_in_its_frame() -> None:
    none = Tally()
    shares = [Tally(0, 4), Tally(1, 3), none, Tally(3, 1), Tally(4, 0)]
    lines = [figures.RunLine(Run("", 0, "", 1, {}), [share, none]) for share in shares]
    assert [(point.x, point.y, point.share) for point in figures.points(lines, 0)] == [
        *((9, 220, 0.0), (31, 170, 0.25)),
        *((75, 70, 0.75), (97, 20, 1.0)),
    ]
    assert figures.points(lines, 1) == []


# Colours: WCAG 2.2, 1.4.3 (text, 4.5 to 1) and 1.4.11 (what is drawn, 3 to 1).

SCHEMES = re.findall(r":root \{(.*?)\n ?\s*\}", asset("site.css"), re.DOTALL)
INKS = ("ink", "soft", "link", "good", "notable", "bad")
DRAWN = ("way-0", "way-1", "way-2", "way-3", "way-4", "edge")


def colours(scheme: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", scheme))


def contrast(one: str, other: str) -> float:
    lights = sorted(map(_light, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_counted_as_it_should_be() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert len(SCHEMES) == 2


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_texts_can_be_read_on_everything_they_stand_on(scheme: str) -> None:
    given = colours(scheme)
    for ground in ("paper", "panel"):
        for ink in INKS:
            assert contrast(given[ink], given[ground]) >= 4.5, (ink, ground)
    assert contrast(given["left-ink"], given["left"]) >= 4.5
    assert contrast(given["right-ink"], given["right"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_lines_and_bars_can_be_seen(scheme: str) -> None:
    given = colours(scheme)
    for name in DRAWN:
        assert contrast(given[name], given["paper"]) >= 3, name


@pytest.mark.parametrize("standing", results.STANDINGS, ids=lambda standing: standing.key)
def test_badges_can_be_read(standing: results.Standing) -> None:
    letters = {results.AS_IS: ALL_SAME, results.WITH: "d" * 12 + "iii", results.DATED: "ddd" + "i" * 12}.get(
        standing, ALL_DIFFER
    )
    result = results.Result(State.UNKNOWN if standing is results.UNKNOWN else State.EXAMINED, letters)
    assert result.standing is standing
    check_badge("reproducible", result.label, standing.colour)


@pytest.mark.parametrize("text", ["\N{SUPERSCRIPT TWO}", "caf\udce9", "9" * 11, "", None, [], {"a": "b"}])
def test_a_record_may_say_anything(text: Any) -> None:
    """Builds may find the pipe that their record comes through; no page is lost by it, nor all the others."""
    definition = {
        "internalParameters": {"environment": {"SOURCE_DATE_EPOCH": text}},
        "externalParameters": {
            "method": text,
            "environment": {"A": text},
            "repair": {"platform": text, "options": [text]},
        },
        "resolvedDependencies": [
            {"name": "python", "annotations": {"version": text}},
            {"name": text, "annotations": {"version": text}, "digest": {"sha256": text}},
            {"name": "image", "annotations": {"image": True, "reference": text}, "digest": text},
        ],
    }
    record = {"predicate": {"buildDefinition": definition}}
    shown = [part for line in (*published.facts(record), *published.requirements(record)) for part in line]
    assert " ".join(shown).encode("utf-8")
    assert len(published.requirements(record)) == 1


@pytest.mark.parametrize("standing", published.STANDINGS, ids=lambda standing: standing.key)
def test_badges_of_published_files_can_be_read(standing: published.RebuiltStanding) -> None:
    check_badge("rebuilt", standing.label, standing.colour)


def check_badge(words: str, label: str, colour: str) -> None:
    badge = rendering.Templates().part("badge.svg", name="demo", words=words, label=label, colour=colour)
    assert f">demo: {words}: {label}</title>" in badge
    rows = re.findall(r'<rect x=.*fill="(#[0-9a-f]{6})"/>', badge)
    (ink,) = re.findall(r'<g fill="(#[0-9a-f]{6})"', badge)
    assert [contrast(ink, ground) >= 4.5 for ground in rows] == [True, True]


def test_outcomes_are_told_by_more_than_a_colour() -> None:
    assert len({outcome.glyph for outcome in results.OUTCOMES}) == len(results.OUTCOMES)
    assert len({outcome.letter for outcome in results.OUTCOMES}) == len(results.OUTCOMES)
    for outcome in results.OUTCOMES:
        assert (
            f'{outcome.letter if outcome.letter.isalpha() else chr(34) + "-" + chr(34)}: ["{outcome.key}", "{outcome.glyph}", "{outcome.short}"]'
            in asset("site.js")
        )
