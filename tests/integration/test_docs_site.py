"""The site of the documentation: built for real, read, broken on purpose, and looked at in a browser."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

pytest.importorskip("fcntl", reason="the browser is spoken to over POSIX pipes")

from support import checkout
from support.browser import Browser, Page, browsing, chromium
from support.conditions import CONTROL, EXPERIMENT, settle
from support.contrast import CONTRAST
from support.sharing import shared

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NEEDED = ("sphinx", "myst_parser", "furo", "sphinx_copybutton")
PROGRAM = chromium()

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not (DOCS / "conf.py").is_file(), reason="the documentation is not here, only the tests"),
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, NEEDED)), reason="needs pip install -r docs/requirements.txt"
    ),
]
in_a_browser = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here (apt install chromium)")


def command(tree: Path, target: Path) -> list[str]:
    """Return the command of CONTRIBUTING.md, for *tree* and into *target*."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (words,) = re.findall(r"^python (-m sphinx .+)$", text, flags=re.MULTILINE)
    places = {"docs": str(tree / "docs"), "build/docs": str(target)}
    return [sys.executable, *(places.get(word, word) for word in words.split()), "-q"]


def built(tree: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(tree, target), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in the quiet one of two environments."""

    def make(directory: Path) -> None:
        place = settle(CONTROL, exported(directory / "source"), directory / "place")
        place.run(command(place.tree, directory / "site"))

    return shared(tmp_path_factory, "site", make) / "site" / "html"


def exported(target: Path) -> Path:
    beside = (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "conformance",
        "examples",
        "tests",
        "benchmarks",
        "PKG-INFO",
    )
    return checkout.export(target, "docs", *beside)


class Read(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.language: str | None = None
        self.title = ""
        self.loaded: list[str] = []
        """What a browser loads with the page."""
        self.links: list[str] = []
        self._in_title = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = values.get("lang")
        elif tag == "title" and not self.title:
            self._in_title = True
        elif tag == "a":
            self.links.append(values.get("href", ""))
        elif tag == "link" and not {"stylesheet", "icon", "preload"}.isdisjoint(values.get("rel", "").split()):
            self.loaded.append(values["href"])
        self.loaded += [values[name] for name in ("src", "srcset", "poster", "data") if tag != "a" and name in values]

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


def names() -> list[str]:
    """Return the pages that the site should have, without their suffix."""
    return sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


def test_every_page_is_in_the_navigation_of_every_page(site: Path) -> None:
    for name in names():
        path = site / f"{name}.html"
        sidebar = path.read_text("utf-8").partition('<div class="sidebar-tree">')[2].partition("</aside>")[0]
        assert sidebar
        targets = re.findall(r'href="([^"#:]*)"', sidebar) + ([f"{path.name}"] if 'href="#"' in sidebar else [])
        reached = {urljoin(f"/{name}.html", target) for target in targets}
        assert {f"/{other}.html" for other in names() if other != "index"} <= reached, name


def test_pages_say_their_language_and_title(site: Path) -> None:
    pages = {name: Read(site / f"{name}.html") for name in names()}
    assert {page.language for page in pages.values()} == {"en"}
    titles = [page.title for page in pages.values()]
    assert all(title.strip() for title in titles)
    assert len(set(titles)) == len(titles), "two pages have one title"


def test_nothing_is_loaded_from_other_hosts(site: Path) -> None:
    for path in site.rglob("*.html"):
        loaded = Read(path).loaded
        assert loaded, path
        assert [one for one in loaded if re.match(r"(?:[a-z]+:)?//", one)] == [], path
    for path in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//[^)]*", path.read_text("utf-8")) == [], path


def test_links_out_of_the_documentation_lead_to_the_code_host(site: Path) -> None:
    host = "https://github.com/samebytes/samebytes/blob/main"
    links = Read(site / "index.html").links
    assert f"{host}/CHANGELOG.md" in links
    assert [link for link in links if link.startswith("..")] == []
    assert f"{host}/tests/support/conditions.py" in Read(site / "explanation/measured.html").links
    copied = {path.name for path in (site / "_downloads").rglob("*.*")}
    assert copied <= {path.name for path in DOCS.rglob("*")}


BROKEN = {
    "[a page](nothing.md)": "check.md:.* target not found: 'nothing.md'",
    "[a heading of a page](compare.md#nothing)": "check.md:.* local id not found in doc 'how-to/compare': 'nothing'",
    "[a heading of this page](#nothing)": "check.md:.* target not found: 'nothing'",
    "[a file beside docs](../../nothing.py)": "check.md:.* target not found: '../../nothing.py'",
    "![a picture](nothing.svg)": "check.md:.* image file not readable: how-to/nothing.svg",
    "": "forgotten.md: WARNING: document isn't included in any toctree",
}
"""What is added to a page, and how the build complains of it."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a build says of a copy in which all that is broken."""

    def make(directory: Path) -> None:
        tree = exported(directory / "tree")
        page = tree / "docs" / "how-to" / "check.md"
        page.write_text("\n\n".join([page.read_text("utf-8"), *BROKEN]), "utf-8")
        page.with_name("forgotten.md").write_text("# Forgotten\n", "utf-8")
        done = built(tree, directory / "site")
        assert done.returncode == 1, done.stderr
        (directory / "said").write_text(done.stderr, "utf-8")

    return (shared(tmp_path_factory, "broken", make) / "said").read_text("utf-8")


@pytest.mark.parametrize("addition", BROKEN)
def test_what_is_broken_fails_the_build(broken: str, addition: str) -> None:
    if "docs" in addition and (ROOT / "PKG-INFO").is_file():
        pytest.skip("an sdist has not all that its pages link to")
    assert re.search(BROKEN[addition], broken)


def test_nothing_else_fails_it(broken: str) -> None:
    assert broken.count("WARNING") <= len(BROKEN)


def test_two_environments_give_the_same_bytes(site: Path, tmp_path: Path, roots: tuple[Path, Path]) -> None:
    place = settle(EXPERIMENT, exported(tmp_path / "source"), roots[1])
    target = place.directory("site")
    place.run(command(place.tree, target), more={"SOURCE_DATE_EPOCH": "1000000000"})
    sites = [files(site), files(target / "html")]
    assert sites[0].keys() == sites[1].keys()
    assert [name for name in sites[0] if sites[0][name] != sites[1][name]] == []


def files(directory: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


PHONE, DESKTOP = 390, 1280

TOO_WIDE = """
[...document.querySelectorAll("article *, header *, footer *")]
  .filter(node => !node.closest("pre, .table-wrapper, aside"))
  .filter(node => node.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map(node => node.outerHTML.slice(0, 80))
"""
"""What sticks out at the right; code and tables may, within their boxes, and drawers until they are opened."""

FINISHED = """
new Promise(done => {
  const said = () => document.querySelector('.search-summary')?.textContent ?? '';
  const look = left => said().includes('matching') || !left ? done(said()) : setTimeout(look, 10, left - 1);
  look(6000);
})
"""
"""What search says when it has finished; it is not waited for without end."""
RESULTS = "[...document.querySelectorAll('#search-results li a')].map(link => link.pathname)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with browsing(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def opened(browser: Browser, url: str, *, width: int, dark: bool = False) -> Page:
    page = browser.page()
    page.open(url, width=width, dark=dark)
    assert page.value("innerWidth") == width
    return page


@in_a_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", ["index", "how-to/check", "reference/command-line", "explanation/speed"])
def test_a_page_is_readable_and_complains_of_nothing(
    browser: Browser, site: Path, name: str, width: int, dark: bool
) -> None:
    page = opened(browser, (site / f"{name}.html").as_uri(), width=width, dark=dark)
    assert page.value(CONTRAST) == []
    assert page.complaints == []
    assert [one for one in page.requests if not one.startswith((site.as_uri(), "data:"))] == []


@in_a_browser
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_page_fits_the_screen(browser: Browser, site: Path, width: int) -> None:
    page = browser.page()
    for name in names():
        page.open((site / f"{name}.html").as_uri(), width=width)
        assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        assert page.value(TOO_WIDE) == [], name


@in_a_browser
def test_the_control_of_these_tests(browser: Browser, site: Path) -> None:
    """What they look for is noticed where it is there."""
    page = opened(browser, (site / "index.html").as_uri(), width=PHONE)
    assert page.value("document.querySelector('article p').style = 'width: 900px; color: #999'")
    page.value("console.error('no')")
    assert page.value(TOO_WIDE) != []
    assert page.value(CONTRAST) != []
    assert page.complaints != []


@in_a_browser
def test_wide_tables_and_code_scroll_within_themselves(browser: Browser, site: Path) -> None:
    page = opened(browser, (site / "explanation/measured.html").as_uri(), width=PHONE)
    for box in (".table-wrapper", "pre"):
        wide = f"[...document.querySelectorAll('{box}')].find(box => box.scrollWidth > box.clientWidth + 20)"
        assert page.value(f"getComputedStyle({wide}).overflowX") == "auto"


@in_a_browser
def test_search_works_without_a_server(browser: Browser, site: Path) -> None:
    page = opened(browser, f"{(site / 'search.html').as_uri()}?q=umask", width=DESKTOP)
    page.send("Runtime.evaluate", expression=FINISHED, awaitPromise=True)
    found = page.value(RESULTS)
    assert any(path.endswith("/explanation/what-varies.html") for path in found), found
    assert page.complaints == []
    assert [one for one in page.requests if not one.startswith((site.as_uri(), "data:"))] == []
