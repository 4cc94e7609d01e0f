"""The survey's site as a browser shows it, with its script and without."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fcntl", reason="the browser is spoken to over POSIX pipes")

from samebytes_tools.commands.survey.site import write_site
from samebytes_tools.commands.survey.site.addresses import stem
from samebytes_tools.commands.survey.store.store import Store
from support.browser import Browser, Page, browsing, chromium
from support.contrast import CONTRAST
from support.synthetic_survey import examinations, fill, hostile, name_of, runs

PROGRAM = chromium()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here (apt install chromium)"),
]

PHONE, DESKTOP = 390, 1280

NUMBER = 420
"""Packages, for three pages."""

TOO_WIDE = """
[...document.body.querySelectorAll("*")]
  .filter(node => !node.closest(".scroll") && !node.closest(".skip") && !node.closest(".unseen"))
  .filter(node => node.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map(node => node.outerHTML.slice(0, 80))
"""
"""What sticks out at the right; tables may, within their box."""

NAMES = "[...document.querySelectorAll('#packages tbody .name')].map(node => node.textContent)"
STATUS = "document.getElementById('matches').textContent"
SETTLED = """
new Promise(done => {
  const look = left => {
    if (document.getElementById('matches').textContent.includes(%r)) done(true);
    else if (!left) done(false);
    else setTimeout(() => look(left - 1), 10);
  };
  look(3000);
})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("survey")
    within = runs(3)
    within[-1] = replace(within[-1], verifies=True, operator="Example rebuilders")
    with Store(directory / "survey.sqlite") as store:
        fill(store, within, [*examinations(NUMBER, within), *hostile(within[-1])])
        write_site(store, directory / "site", report=lambda _: None)
    return directory / "site"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with browsing(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[str]:
    """The site below a prefix, as a server gives it."""
    handler = functools.partial(Quiet, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/site"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves, and says nothing."""

    def log_message(self, *_: Any) -> None:
        pass


def address(site: Path, page: str) -> str:
    path, _, fragment = page.partition("#")
    return (site / path).as_uri() + (f"#{fragment}" if fragment else "")


def opened(browser: Browser, url: str, *, width: int = DESKTOP, script: bool = True, dark: bool = False) -> Page:
    page = browser.page()
    page.send("Emulation.setScriptExecutionDisabled", value=not script)
    page.open(url, width=width, dark=dark)
    return page


def settled(page: Page, status: str) -> None:
    """Wait until the number of matches has *status* in it."""
    answer = page.send("Runtime.evaluate", expression=SETTLED % status, awaitPromise=True)
    assert answer["result"].get("value") is True, page.value(STATUS)


def choose(page: Page, field: str, value: str) -> None:
    page.value(f"document.querySelector('[name={field}]').focus()")
    page.value(f"document.querySelector('[name={field}]').value = {value!r}")
    page.value(f"document.querySelector('[name={field}]').dispatchEvent(new Event('input', {{bubbles: true}}))")


PAGES = {
    "overview": "index.html",
    "packages": "packages/rank-2.html",
    "filtered": "packages/rank-1.html#backend=setuptools&sort=-name",
    "causes": "causes.html",
    "cause": "cause/D011-member-times.html",
    "package": f"package/{name_of(2)}.html",
    "not examined": f"package/{name_of(4)}.html",
    "hostile": f"package/{stem('../../escape')}.html",
    "published": "published/1.html",
    "rebuilt": f"rebuilt/{name_of(2)}.html",
    "rebuilt, hostile": f"rebuilt/{stem('../../escape')}.html",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_is_readable_and_complains_of_nothing(
    browser: Browser, site: Path, name: str, width: int, dark: bool
) -> None:
    url = address(site, PAGES[name])
    page = opened(browser, url, width=width, dark=dark)
    if name == "filtered":
        settled(page, "that match")
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.value("innerWidth") == width
    assert page.value("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.value(TOO_WIDE) == []
    assert page.value(CONTRAST) == []
    assert page.complaints == []
    assert [one for one in page.requests if not one.startswith(site.as_uri())] == []
    assert page.value("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("name", PAGES)
def test_without_its_script_all_is_there(browser: Browser, site: Path, name: str) -> None:
    page = opened(browser, address(site, PAGES[name]), script=False)
    assert page.value("document.getElementById('main').innerText.length") > 300
    assert page.value("[...document.querySelectorAll('form')].every(form => form.hidden)")
    assert page.value("document.querySelectorAll('main button:not(form button)').length") == 0
    assert page.complaints == []


def test_without_its_script_all_packages_are_reached_page_by_page(browser: Browser, site: Path) -> None:
    found: list[str] = []
    url = address(site, "packages/name-1.html")
    for _ in range(3):
        page = opened(browser, url, script=False)
        found += page.value(NAMES)
        url = page.value("document.querySelector('[rel=next]')?.href ?? ''")
    assert url == ""
    assert len(found) == NUMBER + 10
    assert {name_of(rank) for rank in range(1, NUMBER + 1)} <= set(found)


def test_no_page_is_heavy(site: Path) -> None:
    assert max(path.stat().st_size for path in site.rglob("*.html")) < 250_000
    assert (site / "packages/data.js").stat().st_size < 150 * (NUMBER + 10)
    assert sum(path.stat().st_size for path in (site / "assets").iterdir()) < 40_000


def test_the_list_is_loaded_only_when_it_is_used(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "packages/rank-1.html"))
    assert not any(one.endswith("data.js") for one in page.requests)
    choose(page, "kind", "extension")
    settled(page, "that match")
    assert sum(one.endswith("data.js") for one in page.requests) == 1


def test_names_are_filtered_as_indexes_compare_them(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "packages/rank-1.html"))
    page.value("document.querySelector('[name=q]').focus()")
    name = name_of(300)
    page.send("Input.insertText", text=name.upper().replace("-", "_"))
    settled(page, "1–1 of 1 that match")
    assert page.value(NAMES) == [name]
    assert page.value("document.querySelector('#packages .name').href").endswith(f"/package/{name}.html")
    assert page.value("location.hash").startswith("#q=")
    assert page.complaints == []


@pytest.mark.parametrize(
    ("field", "value", "condition"),
    [
        ("backend", "hatchling", "[...row.cells].some(cell => cell.textContent === 'hatchling')"),
        ("kind", "pure", "[...row.cells].some(cell => cell.textContent === 'pure')"),
        ("cause", "D012", "row.cells[7].textContent.includes('D012')"),
        ("verdict", "0n", "row.cells[2].textContent.includes('normalizes')"),
        ("verdict", "as-is", "[2, 3, 4, 5, 6].some(at => row.cells[at].textContent.includes('identical'))"),
        ("verdict", "unknown", "row.cells[2].colSpan === 5"),
    ],
)
def test_a_filter_leaves_what_fits_and_nothing_else(
    browser: Browser, site: Path, store_rows: list[Any], field: str, value: str, condition: str
) -> None:
    page = opened(browser, address(site, "packages/rank-1.html"))
    choose(page, field, value)
    settled(page, "that match")
    rows = "[...document.querySelector('#packages').tBodies[0].rows]"
    assert page.value(f"{rows}.length") > 0
    assert page.value(f"{rows}.every(row => {condition})"), page.value(f"{rows}[0].outerHTML")
    assert page.value(STATUS).endswith(f"of {len(store_rows)} packages")


@pytest.fixture(scope="module")
def store_rows(site: Path) -> list[Any]:
    with Store(site.parent / "survey.sqlite") as store:
        return list(store.newest())


ROWS = """
[...document.querySelector('#packages').tBodies[0].rows]
  .filter(row => !row.querySelector('.name').href.includes('/_'))
  .map(row => [...row.cells].map(cell => [
    cell.tagName, cell.className, cell.colSpan, cell.scope ?? "", cell.textContent.replace(/\\s+/g, ' ').trim(),
    ...[...cell.querySelectorAll('*')].map(node => `${node.tagName} ${node.className} ${node.href ?? ""} ${node.ariaHidden}`),
  ]))
"""
"""What is in each row of the table, packages with hostile names left out: those are cut elsewhere."""


def test_what_the_filter_shows_is_what_the_pages_show(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "packages/rank-1.html"))
    still = page.value(ROWS)
    page.value("location.hash = '#sort=rank'")
    settled(page, "that match")
    assert len(still) > 150
    assert page.value(ROWS) == still


def test_a_click_on_a_head_sorts_and_another_turns_it_round(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "packages/rank-1.html"))
    head = "document.querySelector('th[data-sort=name]')"
    assert page.value("document.querySelector('th[data-sort=rank]').getAttribute('aria-sort')") == "ascending"
    page.value(f"{head}.querySelector('button').focus()")
    page.press("Enter")
    settled(page, "that match")
    names = page.value(NAMES)
    assert page.value(f"{head}.getAttribute('aria-sort')") == "ascending"
    assert page.value("document.querySelectorAll('th[aria-sort]').length") == 1
    page.press("Enter")
    assert page.value(f"{head}.getAttribute('aria-sort')") == "descending"
    backwards = page.value(NAMES)
    page.value("[...document.querySelectorAll('#pager button')].find(one => one.textContent === 'Next').click()")
    assert page.value(STATUS).startswith("201–400 of ")
    ours = [name_of(rank) for rank in range(1, NUMBER + 1)]
    assert [name for name in names if name in ours] == sorted(ours)[: len([name for name in names if name in ours])]
    assert [name for name in backwards if name in ours] == sorted(ours, reverse=True)[: len(set(backwards) & set(ours))]
    assert page.complaints == []


def test_what_matches_nothing_says_so_and_clearing_brings_all_back(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "packages/rank-2.html"))
    before = page.value(NAMES)
    page.value("document.querySelector('[name=q]').focus()")
    page.send("Input.insertText", text="there is no such package")
    settled(page, "No package matches.")
    assert page.value(NAMES) == []
    page.value("document.querySelector('button[type=reset]').click()")
    settled(page, "201–400 of")
    assert page.value(NAMES) == before
    assert page.value("location.hash") == ""
    assert page.value("document.querySelector('[role=status]').id") == "matches"


def test_the_keyboard_comes_to_the_content_first(browser: Browser, site: Path) -> None:
    page = opened(browser, address(site, "index.html"))
    page.press("Tab")
    assert page.value("document.activeElement.className") == "skip"
    assert page.value("document.activeElement.getBoundingClientRect().left") >= 0
    assert page.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    assert page.value("document.activeElement.id") == "main"


def test_below_a_prefix_of_a_server_all_works(browser: Browser, server: str) -> None:
    page = opened(browser, f"{server}/package/{name_of(1)}.html")
    assert page.complaints == []
    assert f"({server}/badge/{name_of(1)}.svg)" in page.value("document.querySelector('.snippet').textContent")
    assert page.value("document.querySelector('.title img').naturalHeight") == 20
    page = opened(browser, f"{server}/packages/rank-1.html#verdict=not-yet")
    settled(page, "that match")
    assert page.value("document.querySelector('[name=verdict]').value") == "not-yet"
    assert [one for one in page.requests if not one.startswith(server)] == []
    assert page.complaints == []
