"""What a check shows in a terminal: the verdict first, each evidence once, and one line for what normalizing removes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from samebytes_tools.commands.check.bisect import Attribution
from samebytes_tools.commands.check.facts import DifferingFact
from samebytes_tools.commands.check.report import document
from samebytes_tools.commands.check.subject import (
    BisectionResult,
    BuiltFile,
    CheckOutcome,
    CheckResult,
    Failure,
    WayResult,
)
from samebytes_tools.commands.check.text import closing, lines
from samebytes_tools.comparison.archives import compare_files
from samebytes_tools.reporting.difference_tree import View
from samebytes_tools.reporting.readers import Reader
from support.artifacts import sdist, wheel

from samebytes.console.style import PLAIN, Style

WIDTH = 80
EARLIER, LATER = ((2021, 3, 4, 5, 6, 8),), ((2022, 4, 5, 6, 7, 8),)
DATES = b'BUILT = "2026-11-29 17:20:12"\n', b'BUILT = "2028-01-03 08:42:16"\n'
PATHS = b"/home/ada/work/demo/src/x.c\n", b"/home/ada/another/demo/src/x.c\n"


def built(root: Path, sides: tuple[dict[str, bytes], dict[str, bytes]]) -> CheckResult:
    """Return the result of two builds, of which all times differ, and the given files."""
    outcomes = []
    for kind in ("sdist", "wheel", "wheel from sdist"):
        files = []
        for number, (given, times) in enumerate(zip(sides, (EARLIER, LATER))):
            directory = root / f"{kind}-{number}"
            directory.mkdir(parents=True)
            if kind == "sdist":
                files.append(sdist(directory, files={f"src/{name}": data for name, data in given.items()}))
            else:
                files.append(wheel(directory, files=given, times=times))
        comparison = compare_files(*files)
        left, right = (
            BuiltFile(Path(side.path).name, side.sha256, side.size) for side in (comparison.left, comparison.right)
        )
        outcomes.append(CheckOutcome(kind, (left, right), comparison=None if left == right else comparison))
    return CheckResult("demo", "3.11.7", ways=(WayResult("as is", tuple(outcomes)),))


@pytest.fixture
def by_contents(tmp_path: Path) -> CheckResult:
    sides = [{"demo/_built.py": date, "demo/where.txt": path} for date, path in zip(DATES, PATHS)]
    return built(tmp_path / "contents", (sides[0], sides[1]))


@pytest.fixture
def by_times(tmp_path: Path) -> CheckResult:
    files = {f"demo/{number}.py": b"x = 1\n" for number in range(60)}
    return built(tmp_path / "times", (files, files))


def test_what_normalizing_removes_is_one_line(by_times: CheckResult) -> None:
    shown = list(lines(by_times, View()))
    assert shown[0] == "demo (Python 3.11.7): differs, same after normalization"
    (line,) = (each for each in shown if each.startswith("normalizing removes"))
    assert line == "normalizing removes all of it: times (-v)"
    assert len(shown) <= 25
    moments = "2021-03-04 05:06:08 | 2022-04-05 06:07:08"
    assert moments not in "\n".join(shown)
    assert moments in "\n".join(lines(by_times, View(verbose=True)))


def test_accepted_is_said_so(by_times: CheckResult) -> None:
    accepted = dataclasses.replace(by_times, accept="normalized")
    shown = list(lines(accepted, View()))
    assert shown[0] == "demo (Python 3.11.7): accepted, same after normalization"
    assert not any("Remedy" in line for line in shown)
    assert closing(accepted, PLAIN) == "demo (Python 3.11.7): accepted, same after normalization"


def test_what_cannot_be_compared_or_has_another_name_is_no_more_than_different(by_times: CheckResult) -> None:
    """Though the others are the same after normalization."""
    first, second, third = by_times.ways[0].outcomes
    assert second.pair is not None
    renamed = dataclasses.replace(second, pair=(second.pair[0], dataclasses.replace(second.pair[1], name="other.whl")))
    blind = dataclasses.replace(second, comparison=None, note="it cannot be read")
    for other, row in ((renamed, "differs, as its name does"), (blind, "differs (it cannot be read)")):
        way = WayResult("as is", (first, other, third))
        shown = list(lines(dataclasses.replace(by_times, ways=(way,), accept="payload"), View()))
        assert shown[0] == "demo (Python 3.11.7): differs"
        assert f"  wheel            {row}" in shown
        assert "normalizing removes the rest: times (-v)" in shown
        assert not any("Remedy" in line for line in shown)


def test_each_evidence_is_shown_once_below_its_cause(by_contents: CheckResult) -> None:
    """Held of both causes: all of it is in three artifacts, in one of them under another directory."""
    shown = list(lines(by_contents, View()))
    text = "\n".join(shown)
    assert shown[0] == "demo (Python 3.11.7): differs"
    for code, sides in (("D005", DATES), ("D001", PATHS)):
        for side in sides:
            assert text.count(side.decode().strip()) == 1, text
        assert text.count(f"\n{code} ") == 1
    assert "(sdist, wheel, wheel from sdist)" in text
    # In the order in which it matters: verdict, artifacts, contents, then what normalizing removes.
    at = [
        text.index(each)
        for each in ("differs\n", "wheel from sdist", "\nD001 ", "Remedy: ", "normalizing removes the rest")
    ]
    assert at == sorted(at)
    assert text.count("normalizing removes") == 1
    assert "sha256" not in text


def test_two_files_of_one_name_in_one_artifact_are_two(tmp_path: Path) -> None:
    """Though a file of that name in two artifacts, below another directory, is one."""
    sides = [{"built.py": date, "demo/built.py": date.replace(b"17", b"18")} for date in DATES]
    result = built(tmp_path / "two", (sides[0], sides[1]))
    for kinds, top in ((("sdist", "wheel", "wheel from sdist"), "src/"), (("wheel", "wheel from sdist"), "")):
        way = WayResult("as is", tuple(each for each in result.ways[0].outcomes if each.kind in kinds))
        shown = lines(dataclasses.replace(result, ways=(way,)), View())
        found = sorted(line.strip() for line in shown if "built.py, " in line)
        assert found == [f"{top}{name}, line 1 ({', '.join(kinds)})" for name in ("built.py", "demo/built.py")]


def test_files_that_show_the_same_are_named_below_the_first(tmp_path: Path) -> None:
    """Of the others, the bytes of three are shown, and no more than eight are named."""
    sides = [{f"demo/same{number}.txt": date for number in range(12)} for date in DATES]
    shown = list(lines(built(tmp_path / "same", (sides[0], sides[1])), View()))
    text = " ".join(" ".join(shown).split())
    assert text.count(DATES[0].decode().strip()) == 1
    assert text.count("demo/same") == 1 + 8
    assert "and so: " in text
    assert "and 3 others" in text
    own = [
        {f"demo/own{number}.txt": date.replace(b"17", str(10 + number).encode()) for number in range(5)}
        for date in DATES
    ]
    text = " ".join(lines(built(tmp_path / "own", (own[0], own[1])), View()))
    assert text.count("left  BUILT") == 3
    assert "and so: src/demo/own" in text


def test_lines_fit_into_a_terminal(by_contents: CheckResult) -> None:
    """But for single words, and lines to paste."""
    for result in (by_contents, dataclasses.replace(by_contents, accept="payload")):
        for line in lines(result, View()):
            assert len(line) <= WIDTH or len(line.split()) == 1 or line.startswith("      "), line


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_terminal_may_be_as_narrow_as_it_wants(by_contents: CheckResult, width: int) -> None:
    assert list(lines(by_contents, View(Style(width=width))))


def test_a_remedy_is_not_repeated_for_the_next_source(by_contents: CheckResult) -> None:
    explained: set[str] = set()
    first = list(lines(by_contents, View(), explained))
    assert len(explained) == 2
    # Who checks a release beside it is not sent to what only maintainers can do.
    release = dataclasses.replace(by_contents, reader=Reader.OUTSIDER)
    assert "  Remedy: as above." not in list(lines(release, View(), set(explained)))
    second = list(lines(by_contents, View(), explained))
    assert second.count("  Remedy: as above.") == 2
    assert len(second) < len(first)


def test_a_bisected_variation_stands_beside_what_it_makes(by_contents: CheckResult) -> None:
    fact = DifferingFact("wheel", "demo/where.txt", "contents")
    time = DifferingFact("wheel", "demo/where.txt", "time")
    found = (Attribution(("build-path",), frozenset({fact})), Attribution(("mtimes",), frozenset({time})))
    result = dataclasses.replace(by_contents, bisection=BisectionResult(found, frozenset(), frozenset(), 13))
    text = "\n".join(lines(result, View()))
    assert "(sdist, wheel, wheel from sdist), by build-path" in text.replace("\n    ", " ")
    assert "normalizing removes the rest: times, by mtimes (-v)" in text
    assert "bisected by 13 more builds" in text
    assert "wheel: time of" not in text
    assert "wheel: time of demo/where.txt" in "\n".join(lines(result, View(verbose=True)))


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_one_line_is_as_full_as_it_may_be(width: int, by_times: CheckResult) -> None:
    facts = frozenset({DifferingFact("wheel", "demo/0.py", "time")})
    names = ("mtimes", "time", "umask", "file-order", "timezone")
    result = dataclasses.replace(
        by_times,
        bisection=BisectionResult(tuple(Attribution((name,), facts) for name in names), frozenset(), frozenset(), 13),
    )
    shown = list(lines(result, View(Style(width=width))))
    (line,) = (each for each in shown if each.startswith("normalizing removes"))
    assert len(line) <= width
    assert ("by mtimes, time" in line) == (width > 80)
    assert "times" in line


def test_why_something_could_not_be_built_is_said_once(by_times: CheckResult) -> None:
    """Held of a broken setup.py, which fails all in one way: one output, one hint, nothing of what follows from it."""
    message = "in the first build: the backend 'setuptools.build_meta' failed with exit status 1 in build_{}"
    broken = [Failure(message.format(kind), "The last lines are below.", ("no way",), "no way\n") for kind in "sw"]
    none = Failure("in the first build: there is no sdist to build it from", "See why that could not be built.")
    kinds = zip(("sdist", "wheel", "wheel from sdist"), (*broken, none))
    way = WayResult("as is", tuple(CheckOutcome(kind, failure=failure) for kind, failure in kinds))
    shown = list(lines(dataclasses.replace(by_times, ways=(way,)), View()))
    assert shown[0] == "demo (Python 3.11.7): could not be built"
    assert shown.count("    no way") == 1
    assert shown.count("  hint: The last lines are below.") == 1
    assert not any("there is no sdist" in line for line in shown)
    assert all(len(line) <= WIDTH for line in shown)
    # Where the sdist is there, it does not follow.
    (way,) = (WayResult("as is", (way.outcomes[2],)),)
    assert any("there is no sdist" in line for line in lines(dataclasses.replace(by_times, ways=(way,)), View()))


@pytest.mark.parametrize("reader", Reader)
def test_remedies_are_for_who_reads_them(reader: Reader, by_contents: CheckResult, by_times: CheckResult) -> None:
    results = [dataclasses.replace(each, reader=reader) for each in (by_contents, by_times)]
    texts = [" ".join(" ".join(lines(each, View())).split()) for each in results]
    assert ("[tool.samebytes]" in texts[0]) == (reader is Reader.WRAPPED)
    assert ("Report it to the maintainers" in texts[0]) == (reader is Reader.OUTSIDER)
    assert ("before you publish" in texts[1]) == (reader is not Reader.OUTSIDER)
    assert ("samebytes wrap" in texts[1]) == (reader is Reader.MAINTAINER)


@pytest.mark.parametrize("other", Reader)
@pytest.mark.parametrize("reader", Reader)
def test_remedies_for_several_are_right_for_each(reader: Reader, other: Reader, by_contents: CheckResult) -> None:
    results = [dataclasses.replace(by_contents, reader=each) for each in (reader, other)]
    causes = json.loads(document(results, version="1", exit_status=1))["causes"]
    text = " ".join(one["remedy"] for one in causes if one["code"] in ("D001", "D005"))
    assert ("[tool.samebytes]" in text) == ({reader, other} == {Reader.WRAPPED})
    assert ("Report it to the maintainers" in text) == (Reader.OUTSIDER in (reader, other))


@pytest.mark.parametrize(
    ("source", "command"),
    [("demo", "samebytes check --bisect demo"), ("a tree; ls", "samebytes check --bisect 'a tree; ls'")],
)
def test_where_no_cause_is_known_the_next_step_is_the_bisection(source: str, command: str, tmp_path: Path) -> None:
    """And nothing is said of another source, for one was built."""
    unknown = dataclasses.replace(
        built(tmp_path, ({"demo/x.txt": b"first\n"}, {"demo/x.txt": b"other\n"})), source=source
    )
    text = "\n".join(lines(unknown, View()))
    assert f"\n      {command}\n" in text
    assert "the source may have changed" not in text
    bisected = dataclasses.replace(unknown, bisection=BisectionResult((), frozenset(), frozenset(), 5))
    assert "--bisect" not in "\n".join(lines(bisected, View()))
