"""The pages of comparisons and of checks, as a browser shows them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="the browser is spoken to over POSIX pipes")

from samebytes_tools.commands.check.bisect import Attribution
from samebytes_tools.commands.check.facts import DifferingFact
from samebytes_tools.commands.check.page import document as check_page
from samebytes_tools.commands.check.subject import (
    BisectionResult,
    BuiltFile,
    CheckOutcome,
    CheckResult,
    Failure,
    WayResult,
)
from samebytes_tools.commands.compare.compare import ComparedPair, PairResult
from samebytes_tools.commands.compare.report import as_page
from samebytes_tools.variations.variations import ALL, Obstacle
from support.browser import Browser, Page, browsing, chromium
from support.comparisons import HOSTILE, crowded, hostile, identical, ordinary
from support.contrast import CONTRAST

PROGRAM = chromium()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here (apt install chromium)"),
]

PHONE, DESKTOP = 390, 1280

TOO_WIDE = """
[...document.body.querySelectorAll("*")]
  .filter(node => node.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map(node => node.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with all that there can be, in a file."""
    pairs = [ordinary(), hostile(), identical(), crowded(30, 3, 5)]
    results = [PairResult(ComparedPair(pair.left.path, Path("left"), Path("right")), pair) for pair in pairs]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(as_page(results, version="1"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with browsing(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(params=[(PHONE, False), (PHONE, True), (DESKTOP, False), (DESKTOP, True)], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Page:
    """The page on a phone and on a desktop, light and dark."""
    width, dark = request.param
    page = browser.page()
    page.open(address, width=width, dark=dark)
    assert page.value("innerWidth") == width
    assert page.value("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    return page


def test_fits_the_screen(page: Page) -> None:
    assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.value(TOO_WIDE) == []


def test_asks_for_nothing_and_complains_of_nothing(page: Page, address: str) -> None:
    assert page.complaints == []
    assert page.requests == [address]


def test_runs_no_script_of_an_archive(page: Page) -> None:
    assert page.value("document.scripts.length") == 0
    assert "<script>alert('x')</script>" in page.value("document.body.innerText")


def test_can_be_read_against_its_background(page: Page) -> None:
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.value(CONTRAST) == []


def test_looks_light_or_dark(page: Page) -> None:
    dark = page.value("matchMedia('(prefers-color-scheme: dark)').matches")
    paper = page.value("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


def test_a_picture_of_it_is_as_wide_as_the_screen(page: Page) -> None:
    width, height = struct.unpack(">II", page.screenshot()[16:24])
    assert width <= page.value("innerWidth")
    assert height == page.value("document.documentElement.scrollHeight")


def test_both_sides_are_side_by_side_or_one_under_another(page: Page) -> None:
    left, right = (
        page.value(f"(at => [at.left, at.top])(document.querySelector('.changed > .{side}').getBoundingClientRect())")
        for side in ("left", "right")
    )
    if page.value("innerWidth") == DESKTOP:
        assert (left[0] < right[0], left[1]) == (True, right[1])
    else:
        assert (left[0], left[1] < right[1]) == (right[0], True)


def test_filters_need_no_script(browser: Browser, address: str) -> None:
    page = browser.page()
    page.open(address, width=DESKTOP)
    shown = "[...document.querySelectorAll('%s')].filter(each => each.checkVisibility()).length"
    everything = page.value(shown % ".tree > .item")
    page.value("document.querySelector('label[for=only-D015]').click()")
    assert page.value(shown % ".tree > .item") == 1
    assert page.value(shown % ".cause") == 1
    page.value("document.querySelector('label[for=all-cause]').click()")
    assert page.value(shown % ".tree > .item") == everything
    page.value("document.querySelector('label[for=only-is-identical]').click()")
    assert page.value(shown % ".pair-section") == 1
    # By the keyboard, too: to the group of causes, and to its next choice.
    page.value("document.getElementById('all-verdict').click()")
    page.value("document.getElementById('all-cause').focus()")
    page.press("ArrowRight")
    assert page.value("document.activeElement.id") == "only-D001"
    assert 0 < page.value(shown % ".tree > .item") < everything


def test_the_keyboard_reaches_and_unfolds(browser: Browser, address: str) -> None:
    page = browser.page()
    page.open(address, width=DESKTOP)
    folded = "document.activeElement.tagName === 'SUMMARY' && !document.activeElement.parentElement.open"
    for _ in range(100):
        page.press("Tab")
        if page.value(folded):
            break
    else:
        pytest.fail("no folded difference was reached in 100 steps")
    assert page.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    assert page.value("document.activeElement.parentElement.open")


def checked() -> CheckResult:
    """A check of a source in two ways, with all that a card says."""
    pair = BuiltFile("demo-1.0.whl", "0" * 64, 1), BuiltFile("demo-1.0.whl", "1" * 64, 2)
    differs = CheckOutcome("wheel", pair, comparison=ordinary())
    failed = CheckOutcome("sdist", failure=Failure("it " + "failed " * 30, "Fix it.", ("x" * 300, HOSTILE)))
    facts = frozenset({DifferingFact("wheel", "demo/_build.py", "contents")})
    found = BisectionResult((Attribution(("build-path",), facts),), frozenset(), frozenset(), 5)
    ways = WayResult("as is", (differs, failed)), WayResult("normalized", (CheckOutcome("wheel", pair[:1] * 2), failed))
    left_out = {"time": Obstacle("there is no libfaketime", "libfaketime")}
    applied = tuple(variation.name for variation in ALL)
    return CheckResult("/a/tree/" + "deep/" * 30, "3.11.7", None, ways, applied, left_out, found, notes=(HOSTILE,))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_page_of_a_check_is_as_good(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    path = tmp_path / "check.html"
    path.write_text(check_page([checked(), checked()], version="1", moment=0), encoding="utf-8")
    page = browser.page()
    page.open(path.as_uri(), width=width, dark=dark)
    assert page.complaints == []
    assert page.requests == [path.as_uri()]
    assert not page.value("document.querySelector('.removed').open")
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.value(TOO_WIDE) == []
    assert page.value(CONTRAST) == []


def test_the_control_of_these_tests(browser: Browser, tmp_path: Path) -> None:
    """What they look for is noticed where it is there."""
    path = tmp_path / "bad.html"
    path.write_text(
        "<!DOCTYPE html><meta name=viewport content='width=device-width'>"
        "<p style='width:900px;color:#999'>wide and pale<script>console.error('no')</script><img src='http://x.invalid/'>",
        encoding="utf-8",
    )
    page = browser.page()
    page.open(path.as_uri(), width=PHONE)
    assert page.complaints != []
    assert len(page.requests) == 2
    assert page.value(CONTRAST) != []
    assert page.value(TOO_WIDE) != []
